import { fail } from '../base/errors.ts'
import { sizeOf } from '../base/shape.ts'
import { type PerAxis, transposedOutputSize } from '../conv/spec.ts'
import { conv, convTranspose } from '../graph/conv.ts'
import { type Tensor, tensor } from '../graph/tensor.ts'
import { checkNames, perAxis } from './checks.ts'
import { dual } from './layer.ts'

/** How the window of `unfold` and `fold` moves. */
export interface PatchOptions {
  /** Default 1. */
  readonly stride?: PerAxis
  /** Zeros around the image: one number, or one entry per axis, a number or [low, high]. Default 0. */
  readonly padding?: number | readonly (number | readonly [number, number])[]
  /** Default 1. */
  readonly dilation?: PerAxis
}

const optionNames = ['stride', 'padding', 'dilation']

/** The kernel [k..., 1, C * taps] of a depthwise convolution that only copies: tap j of channel c to c * taps + j. */
function copyingKernel(window: readonly number[], channels: number): Tensor {
  const taps = sizeOf(window)
  const outputs = channels * taps
  const values = new Float32Array(taps * outputs)
  for (let tap = 0; tap < taps; tap++) for (let c = 0; c < channels; c++) values[tap * outputs + c * taps + tap] = 1
  return tensor(values, [...window, 1, outputs])
}

/**
 * Every window's elements as channels (im2col): [N, spatial..., C] to [N, windows..., C * taps], a channel's taps side
 * by side, as PyTorch's unfold orders them.
 */
export const unfold = dual('unfold', (x: Tensor, window: PerAxis, options: PatchOptions = {}) => {
  checkNames('unfold', options, optionNames)
  const size = perAxis('unfold', 'window', window, x.shape.length - 2)
  const channels = x.shape.at(-1)!
  return conv(x, copyingKernel(size, channels), { ...options, groups: channels })
})

/**
 * The adjoint of unfold (col2im): adds each window's elements up where they came from.
 * [N, windows..., C * taps] to [N, size..., C].
 */
export const fold = dual('fold', (x: Tensor, size: PerAxis, window: PerAxis, options: PatchOptions = {}) => {
  checkNames('fold', options, optionNames)
  const rank = x.shape.length - 2
  const kernel = perAxis('fold', 'window', window, rank)
  const channels = x.shape.at(-1)! / sizeOf(kernel)
  if (!Number.isInteger(channels))
    fail('fold', `${x.shape.at(-1)} channels in windows of ${kernel.join('x')}`, 'Give what unfold makes')
  const outputPadding = missing(x, perAxis('fold', 'size', size, rank), kernel, options)
  return convTranspose(x, copyingKernel(kernel, channels), { ...options, groups: channels, outputPadding })
})

/** What the windows leave of each axis of an image of this size. */
function missing(x: Tensor, size: readonly number[], kernel: readonly number[], options: PatchOptions): number[] {
  const { stride = 1, dilation = 1, padding = 0 } = options
  const at = <T>(value: number | readonly T[], axis: number) => (typeof value === 'number' ? value : value[axis]!)
  return size.map((n, axis) => {
    const pad = at(padding, axis)
    const [low, high] = typeof pad === 'number' ? [pad, pad] : pad
    return n - transposedOutputSize(x.shape[axis + 1]!, kernel[axis]!, at(stride, axis), at(dilation, axis), low, high)
  })
}
