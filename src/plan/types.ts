import type { Contraction, ConvSpec } from '../conv/spec.ts'
import type { Affine, Buffer, Expr, Kernel, TargetFeatures } from '../kernel/ir.ts'
import type { Bind } from '../kernel/math.ts'
import type { RatedTile } from './tiles.ts'

/** How one contraction of one spec will be computed: plain data, printable in one line. */
export interface Plan {
  readonly algorithm: string
  readonly contraction: Contraction
  readonly spec: ConvSpec
  /** Rows (output positions or taps) x vectors of channels held in registers. */
  readonly tile: { readonly rows: number; readonly vectors: number }
  /**
   * Floats of memory beside operands and result, by name of the kernels' buffer: weights as the kernels read them
   * ('packed'), and intermediate results.
   */
  readonly scratch: Readonly<Record<string, number>>
  /** Whether a following elementwise expression may be applied before the store. */
  readonly fusable: boolean
  /** Whether its kernels take operands without padding. */
  readonly padsItself: boolean
  /** Why it suits this shape. */
  readonly why: string
}

export interface Refusal {
  readonly algorithm: string
  readonly refused: string
}

/**
 * How much rounding error is allowed: that of the plain sum; a few times that; or that of any algorithm (see
 * docs/precision.md).
 */
export type Precision = (typeof precisions)[number]
export const precisions = ['direct', 'high', 'fast'] as const

export const defaultPrecision: Precision = 'fast'

/** What plans depend on beside the convolution. */
export interface PlanFeatures extends TargetFeatures {
  readonly precision?: Precision
  /** Name of the algorithm to take wherever it can be, whatever it costs. */
  readonly algorithm?: string
  /** Threads that chunks of work should be enough for. Default 1. */
  readonly threads?: number
  /** Tiles of matrix products to choose from, as measured. Default: those that fit the registers. */
  readonly tiles?: readonly RatedTile[]
  /** Bytes of cache that what is worked on should fit. Default 1 MB. */
  readonly cache?: number
}

/** What is applied to each result before it is stored. */
export interface Epilogue {
  /** Its operands, after the contraction's own buffers in the kernel. */
  readonly buffers: readonly Buffer[]
  /** @param at place in y @param channel place along y's last axis */
  apply(value: Expr, at: Affine, channel: Affine, bind: Bind): Expr
}

export const noEpilogue: Epilogue = { buffers: [], apply: (value) => value }

/** A kernel to run, whole or from one of its points up to another: parts that share scratch run one after the other. */
export interface KernelCall {
  readonly kernel: Kernel
  readonly points?: readonly [number, number]
  /**
   * Neighbouring calls of one number run one after the other on one thread; chunks of different numbers may run at
   * once: each thread has a copy of the scratch that such calls write.
   */
  readonly chunk?: number
}

export const allPoints = (kernels: readonly Kernel[]): KernelCall[] => kernels.map((kernel) => ({ kernel }))

/**
 * One way to compute contractions. Operands are already padded: `spec.padLow` and `padHigh` aren't positive, and the
 * gradient that `inputGradient` takes is padded by `gradientPadding(spec)`; unless the algorithm pads itself.
 */
export interface Algorithm {
  readonly name: string
  plan(contraction: Contraction, spec: ConvSpec, features: PlanFeatures): Plan | Refusal
  /** In order. Buffers: a, b (operands), those of scratch, y, then the epilogue's. */
  calls(plan: Plan, features: PlanFeatures, epilogue: Epilogue): KernelCall[]
}

/** Vector loads may read this many elements past the last one: every buffer in memory has that much room after it. */
export const slack = 3
