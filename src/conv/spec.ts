import { checkCount, fail } from '../base/errors.ts'
import type { Shape } from '../base/shape.ts'
import { showShape } from '../base/shape.ts'
import { type Padding, resolvePadding } from './padding.ts'

/** What a convolution is, with every number resolved. All arrays have one entry per spatial axis. */
export interface ConvSpec {
  /** Spatial axes, >= 1. */
  readonly rank: number
  /** N. */
  readonly batch: number
  readonly inChannels: number
  readonly outChannels: number
  /** Channels are connected within groups only; `groups === inChannels` is a depthwise convolution. */
  readonly groups: number
  readonly input: Shape
  readonly kernel: Shape
  readonly stride: Shape
  readonly dilation: Shape
  /** Zeros before the first element of an axis; negative = cropping. */
  readonly padLow: Shape
  readonly padHigh: Shape
  readonly output: Shape
  /**
   * Where each element of a padded axis lies in the input, for axes whose border isn't zeros: `conv` pads them by a
   * copy, and a program reads the border from where it came if the algorithm can.
   */
  readonly sources?: readonly (readonly number[] | undefined)[]
  /** An algorithm (plan/types.ts) to ask before all others: operands of a special kind, say. */
  readonly algorithm?: { readonly name: string }
}

/** The three contractions of the trilinear form (see reference.ts). */
export type Contraction = 'output' | 'inputGradient' | 'kernelGradient'

/** One number for every spatial axis, or one per axis: 2, or [1, 2]. */
export type PerAxis = number | readonly number[]

/** How a kernel moves over its input: options of `conv` and of convolution layers, for any number of axes. */
export interface ConvOptions {
  /** Step between neighbouring outputs. Default 1. */
  readonly stride?: PerAxis
  /** Default 'valid'. */
  readonly padding?: Padding
  /** Distance between neighbouring taps of the kernel. Default 1. */
  readonly dilation?: PerAxis
  /** Default 1. */
  readonly groups?: number
}

/** Options of a transposed convolution, in the terms of the convolution whose adjoint it is. */
export interface ConvTransposeOptions extends ConvOptions {
  /** Extra outputs at the end of each axis: picks one of the input sizes that a strided convolution maps to one. */
  readonly outputPadding?: PerAxis
}

/** Extent of a kernel with its dilation: d(k - 1) + 1. */
export const dilatedExtent = (kernel: number, dilation: number): number => dilation * (kernel - 1) + 1

/** Output size of one axis: floor((i + low + high - d(k-1) - 1) / s) + 1 (Dumoulin & Visin 2016, relation 15). */
export function outputSize(
  input: number,
  kernel: number,
  stride: number,
  dilation: number,
  padLow: number,
  padHigh: number,
): number {
  return Math.floor((input + padLow + padHigh - dilatedExtent(kernel, dilation)) / stride) + 1
}

/** Output size of one axis of a transposed convolution: s(i-1) + d(k-1) + 1 + outputPadding - low - high. */
export function transposedOutputSize(
  input: number,
  kernel: number,
  stride: number,
  dilation: number,
  padLow: number,
  padHigh: number,
  outputPadding = 0,
): number {
  return stride * (input - 1) + dilatedExtent(kernel, dilation) + outputPadding - padLow - padHigh
}

function perAxis(operation: string, name: string, value: PerAxis | undefined, rank: number, usual: number): number[] {
  const list = value === undefined ? usual : value
  if (typeof list !== 'number' && list.length !== rank)
    fail(operation, `${name} has ${list.length} entries for ${rank} spatial axes`, `Give one number or ${rank} of them`)
  const least = name === 'outputPadding' ? 0 : 1
  const numbers = typeof list === 'number' ? new Array<number>(rank).fill(list) : [...list]
  for (const n of numbers) checkCount(operation, name, n, least)
  return numbers
}

function checkSizes(operation: string, name: string, shape: Shape): void {
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 1))
    fail(
      operation,
      `${name} of shape ${showShape(shape)} has a size that isn't a whole number >= 1`,
      'Give whole sizes',
    )
}

interface Checked {
  rank: number
  kernel: number[]
  stride: number[]
  dilation: number[]
  groups: number
}

function checkShapes(operation: string, xShape: Shape, wShape: Shape, options: ConvOptions, lastAxes: string): Checked {
  const rank = xShape.length - 2
  if (rank < 1)
    fail(
      operation,
      `input of shape ${showShape(xShape)} has no spatial axis`,
      'Give an input [N, spatial..., C], for example [1, 28, 28, 3]',
    )
  if (wShape.length !== rank + 2)
    fail(
      operation,
      `kernel of shape ${showShape(wShape)} doesn't fit an input of ${rank} spatial axes, ${showShape(xShape)}`,
      `Give a kernel [${'k, '.repeat(rank)}${lastAxes}]`,
    )
  const groups = checkCount(operation, 'groups', options.groups ?? 1, 1)
  checkSizes(operation, 'input', xShape)
  checkSizes(operation, 'kernel', wShape)
  return {
    rank,
    kernel: wShape.slice(0, rank),
    stride: perAxis(operation, 'stride', options.stride, rank, 1),
    dilation: perAxis(operation, 'dilation', options.dilation, rank, 1),
    groups,
  }
}

function checkChannels(operation: string, channels: number, wShape: Shape, groups: number, transposed: boolean): void {
  const [within, total] = wShape.slice(-2) as [number, number]
  if (total % groups !== 0 || channels % groups !== 0)
    fail(
      operation,
      `${groups} groups don't divide both ${channels} channels of the input and ${total} of the kernel`,
      'Use a number of groups that divides both',
    )
  const expected = transposed ? total : within * groups
  if (channels !== expected)
    fail(
      operation,
      `input has ${channels} channels, but the kernel ${showShape(wShape)} with ${groups} groups takes ${expected}`,
      `Give an input of ${expected} channels or a kernel made for ${channels}`,
    )
}

/**
 * The spec of y = conv(x, w).
 * @param xShape [N, spatial..., C]
 * @param wShape [kernel..., C / groups, O]
 */
export function convSpec(xShape: Shape, wShape: Shape, options: ConvOptions = {}, operation = 'conv'): ConvSpec {
  const checked = checkShapes(operation, xShape, wShape, options, 'inChannels / groups, outChannels')
  const { rank, kernel, stride, dilation, groups } = checked
  checkChannels(operation, xShape[rank + 1]!, wShape, groups, false)
  const input = xShape.slice(1, -1)
  const pads = resolvePadding(operation, options.padding ?? 'valid', input, kernel, stride, dilation)
  const output = input.map((size, axis) => {
    const [low, high] = pads[axis]!
    const extent = dilatedExtent(kernel[axis]!, dilation[axis]!)
    if (size + low + high < extent) failTooLarge(operation, input, pads, kernel, dilation)
    return outputSize(size, kernel[axis]!, stride[axis]!, dilation[axis]!, low, high)
  })
  return Object.freeze({
    ...checked,
    batch: xShape[0]!,
    inChannels: xShape[rank + 1]!,
    outChannels: wShape[rank + 1]!,
    input,
    padLow: pads.map(([low]) => low),
    padHigh: pads.map(([, high]) => high),
    output,
  })
}

function failTooLarge(
  operation: string,
  input: Shape,
  pads: readonly (readonly [number, number])[],
  kernel: Shape,
  dilation: Shape,
): never {
  const padded = input.map((size, axis) => size + pads[axis]![0] + pads[axis]![1])
  const dilated = dilation.some((d) => d > 1) ? ` with dilation ${dilation.join('x')}` : ''
  const padding = pads.map(([low, high]) => (low === high ? `${low}` : `${low}+${high}`)).join('x')
  fail(
    operation,
    `kernel ${kernel.join('x')}${dilated} is larger than the padded input ${padded.join('x')} ` +
      `(input ${input.join('x')}, padding ${padding})`,
    `Use more padding, padding 'same', or a smaller kernel`,
  )
}

/**
 * The spec whose `inputGradient` is y = convTranspose(x, w): the convolution that maps shape of y to shape of x.
 * @param xShape [N, spatial..., C], in the spec the output
 * @param wShape [kernel..., O / groups, C]: the array of the convolution that this one is the adjoint of
 */
export function convTransposeSpec(
  xShape: Shape,
  wShape: Shape,
  options: ConvTransposeOptions = {},
  operation = 'convTranspose',
): ConvSpec {
  const checked = checkShapes(operation, xShape, wShape, options, 'outChannels / groups, inChannels')
  const { rank, kernel, stride, dilation, groups } = checked
  checkChannels(operation, xShape[rank + 1]!, wShape, groups, true)
  const output = xShape.slice(1, -1)
  const extra = perAxis(operation, 'outputPadding', options.outputPadding, rank, 0)
  extra.forEach((n, axis) => {
    const limit = Math.max(stride[axis]!, dilation[axis]!)
    if (n >= limit)
      fail(
        operation,
        `outputPadding ${n} must be smaller than the larger of stride ${stride[axis]} and dilation ${dilation[axis]}`,
        limit === 1 ? 'Leave outputPadding out' : `Use at most ${limit - 1}`,
      )
  })
  const padding = options.padding ?? 'valid'
  const sized = output.map((size, axis) => size * stride[axis]!)
  const pads = resolvePadding(operation, padding, sized, kernel, stride, dilation)
  const same = padding === 'same' || padding === 'sameLower'
  const input = output.map((size, axis) => {
    const [low, high] = pads[axis]!
    const plain = transposedOutputSize(size, kernel[axis]!, stride[axis]!, dilation[axis]!, low, high)
    const result = (same ? size * stride[axis]! : plain) + extra[axis]!
    if (result < 1)
      fail(
        operation,
        `padding ${low}+${high} leaves nothing of the output on axis ${axis} (${result} elements)`,
        `Use less padding, or padding 'same'`,
      )
    return result
  })
  return Object.freeze({
    ...checked,
    batch: xShape[0]!,
    inChannels: wShape[rank]! * groups,
    outChannels: xShape[rank + 1]!,
    input,
    padLow: pads.map(([low]) => low),
    padHigh: pads.map(([, high]) => high),
    output,
  })
}

/** Shape of x: [N, spatial..., C]. */
export const inputShape = (spec: ConvSpec): number[] => [spec.batch, ...spec.input, spec.inChannels]
/** Shape of w: [kernel..., C / groups, O]. */
export const kernelShape = (spec: ConvSpec): number[] => [
  ...spec.kernel,
  spec.inChannels / spec.groups,
  spec.outChannels,
]
/** Shape of y: [N, spatial..., O]. */
export const outputShape = (spec: ConvSpec): number[] => [spec.batch, ...spec.output, spec.outChannels]
