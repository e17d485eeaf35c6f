import type { Contraction, ConvSpec } from '../conv/spec.ts'
import type { Affine, Buffer, Expr, Kernel, TargetFeatures } from '../kernel/ir.ts'
import type { Bind } from '../kernel/math.ts'

/** How one contraction of one spec will be computed: plain data, printable in one line. */
export interface Plan {
  readonly algorithm: string
  readonly contraction: Contraction
  readonly spec: ConvSpec
  /** Rows (output positions or taps) x vectors of channels held in registers. */
  readonly tile: { readonly rows: number; readonly vectors: number }
  /** Floats of memory beside operands and result: weights as the kernels read them, and intermediate results. */
  readonly scratch: { readonly packed: number; readonly work: number }
  /** Whether a following elementwise expression may be applied before the store. */
  readonly fusable: boolean
  /** Why it suits this shape. */
  readonly why: string
}

export interface Refusal {
  readonly algorithm: string
  readonly refused: string
}

/** What is applied to each result before it is stored. */
export interface Epilogue {
  /** Its operands, after the contraction's own buffers in the kernel. */
  readonly buffers: readonly Buffer[]
  /** @param at place in y @param channel place along y's last axis */
  apply(value: Expr, at: Affine, channel: Affine, bind: Bind): Expr
}

export const noEpilogue: Epilogue = { buffers: [], apply: (value) => value }

/**
 * One way to compute contractions. Operands are already padded: `spec.padLow` and `padHigh` aren't positive, and the
 * gradient that `inputGradient` takes is padded by `gradientPadding(spec)`.
 */
export interface Algorithm {
  readonly name: string
  plan(contraction: Contraction, spec: ConvSpec, features: TargetFeatures): Plan | Refusal
  /** Kernels in order. Buffers: a, b (operands), packed and work (scratch), y, then the epilogue's. */
  kernels(plan: Plan, features: TargetFeatures, epilogue: Epilogue): Kernel[]
}

/** Vector loads may read this many elements past the last one: every buffer in memory has that much room after it. */
export const slack = 3
