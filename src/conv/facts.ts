import { type Shape, sameShape, sizeOf } from '../base/shape.ts'
import { inputGradient } from './reference.ts'
import { type ConvSpec, inputShape, kernelShape, outputShape, outputSize } from './spec.ts'

/** Weights of the kernel, without bias. */
export const parameterCount = (spec: ConvSpec): number => sizeOf(kernelShape(spec))

/** Multiply-accumulates of one application (taps that fall on padding counted): N * positions * k * C/groups * O. */
export const multiplyAccumulates = (spec: ConvSpec): number =>
  spec.batch * sizeOf(spec.output) * sizeOf(spec.kernel) * (spec.inChannels / spec.groups) * spec.outChannels

/** What one output of a chain of layers sees of the first input, along one axis. */
export interface ReceptiveField {
  /** Inputs seen, from first to last. */
  readonly size: number
  /** Distance in inputs between neighbouring outputs. */
  readonly jump: number
  /** Centre of the first output's field, in inputs; 0 = centre of the first input. */
  readonly start: number
}

/** One layer on the way of a receptive field, along one axis; sizes in elements of the layer's input. */
export interface ReceptiveFieldStep {
  readonly kernel: number
  /** Default 1. */
  readonly stride?: number
  /** Default 1. */
  readonly dilation?: number
  /** Padding before the first element. Default 0. */
  readonly padLow?: number
}

/** Field of one element of the input itself. */
export const ownField: ReceptiveField = { size: 1, jump: 1, start: 0 }

/** The field one layer later: r += d(k-1) j; start += (d(k-1)/2 - p) j; j *= s. */
export function nextField(field: ReceptiveField, step: ReceptiveFieldStep): ReceptiveField {
  const { kernel, stride = 1, dilation = 1, padLow = 0 } = step
  const reach = dilation * (kernel - 1)
  return {
    size: field.size + reach * field.jump,
    start: field.start + (reach / 2 - padLow) * field.jump,
    jump: field.jump * stride,
  }
}

/** Receptive field along one axis after each layer. */
export function receptiveFields(layers: readonly ReceptiveFieldStep[]): ReceptiveField[] {
  let field = ownField
  return layers.map((step) => {
    field = nextField(field, step)
    return field
  })
}

/** Same number on every axis once, else joined by x. */
const axes = (numbers: readonly number[]) => (new Set(numbers).size === 1 ? `${numbers[0]}` : numbers.join('x'))

/** One line: `n1 56x56 c64 -> 64 k3 s1 p1 d1 g1`, the notation that `parseSpec` reads. */
export function printSpec(spec: ConvSpec): string {
  const even = spec.padLow.every((low, axis) => low === spec.padHigh[axis])
  const pads = even ? axes(spec.padLow) : spec.padLow.map((low, axis) => `${low}:${spec.padHigh[axis]}`).join('x')
  const size = spec.input.join('x')
  const whole = spec.input.map((n, axis) =>
    outputSize(
      n,
      spec.kernel[axis]!,
      spec.stride[axis]!,
      spec.dilation[axis]!,
      spec.padLow[axis]!,
      spec.padHigh[axis]!,
    ),
  )
  const kept = sameShape(whole, spec.output) ? '' : ` o${axes(spec.output)}`
  return (
    `n${spec.batch} ${size} c${spec.inChannels} -> ${spec.outChannels} k${axes(spec.kernel)} s${axes(spec.stride)}` +
    ` p${pads} d${axes(spec.dilation)} g${spec.groups}${kept}`
  )
}

/** The formula of the output size with numbers put in, per axis. */
export function explainOutput(spec: ConvSpec): string[] {
  return spec.input.map((size, axis) => {
    const [k, s, d] = [spec.kernel[axis]!, spec.stride[axis]!, spec.dilation[axis]!]
    return (
      `floor((${size} + ${spec.padLow[axis]} + ${spec.padHigh[axis]} - ${d}*(${k}-1) - 1) / ${s}) + 1` +
      ` = ${spec.output[axis]}`
    )
  })
}

/**
 * How many outputs read each input position, [spatial...] of the spec: for 3 taps over 7 inputs without padding
 * 1 2 3 3 3 2 1. Taps that fall on padding count for nobody; for other borders see `borderGradient`.
 */
export function useCounts(spec: ConvSpec): Float64Array {
  const plane = { ...spec, batch: 1, inChannels: 1, outChannels: 1, groups: 1 }
  const ones = (shape: Shape) => new Float64Array(sizeOf(shape)).fill(1)
  return inputGradient(plane, ones(spec.output), ones(spec.kernel))
}

/** Bytes of x, w and y as float32. */
export const bytesMoved = (spec: ConvSpec): number =>
  4 * (sizeOf(inputShape(spec)) + sizeOf(kernelShape(spec)) + sizeOf(outputShape(spec)))
