import { fail } from '../base/errors.ts'
import type { Shape } from '../base/shape.ts'

/** 'same' is ONNX's SAME_UPPER, 'sameLower' its SAME_LOWER; 'causal' pads d(k-1) in front only. */
export type PaddingStrategy = 'valid' | 'same' | 'sameLower' | 'full' | 'causal'
/** One number for all axes, one entry per axis (a number or [low, high]), or a strategy. Negative = cropping. */
export type Padding = number | PaddingStrategy | readonly (number | readonly [number, number])[]
/** What stands outside the input. */
export type PaddingMode = 'zero' | 'constant' | 'reflect' | 'symmetric' | 'replicate' | 'circular'

const strategies: readonly string[] = ['valid', 'same', 'sameLower', 'full', 'causal']

/** Padding of one axis by strategy, as [low, high]. */
export function strategyPadding(
  strategy: PaddingStrategy,
  input: number,
  kernel: number,
  stride: number,
  dilation: number,
): [number, number] {
  const reach = dilation * (kernel - 1)
  if (strategy === 'valid') return [0, 0]
  if (strategy === 'full') return [reach, reach]
  if (strategy === 'causal') return [reach, 0]
  const total = Math.max((Math.ceil(input / stride) - 1) * stride + reach + 1 - input, 0)
  const less = Math.floor(total / 2)
  return strategy === 'same' ? [less, total - less] : [total - less, less]
}

/** Resolves every form of `padding` to [low, high] per axis. */
export function resolvePadding(
  operation: string,
  padding: Padding,
  input: Shape,
  kernel: Shape,
  stride: Shape,
  dilation: Shape,
): [number, number][] {
  if (typeof padding === 'string') {
    if (!strategies.includes(padding))
      fail(operation, `padding '${padding}' is unknown`, `Use a number, a list, or one of ${strategies.join(', ')}`)
    return input.map((size, axis) => strategyPadding(padding, size, kernel[axis]!, stride[axis]!, dilation[axis]!))
  }
  const list = typeof padding === 'number' ? input.map(() => padding) : padding
  if (list.length !== input.length)
    fail(
      operation,
      `padding has ${list.length} entries for ${input.length} spatial axes`,
      'Give one number, or one number or pair [low, high] per axis',
    )
  return list.map((entry) => {
    const pair: [number, number] = typeof entry === 'number' ? [entry, entry] : [entry[0], entry[1]]
    for (const n of pair)
      if (!Number.isSafeInteger(n)) fail(operation, `padding is ${n}, but must be whole numbers`, 'Round it')
    return pair
  })
}

const modulo = (i: number, n: number) => ((i % n) + n) % n

/**
 * Where the element at position `i` of a padded axis comes from: an index in [0, n), or -1 for the fill value.
 * `reflect` doesn't repeat the edge (period 2(n-1)), `symmetric` does (period 2n). Pads may be longer than the axis.
 */
export function sourceIndex(mode: PaddingMode, i: number, n: number): number {
  if (i >= 0 && i < n) return i
  switch (mode) {
    case 'zero':
    case 'constant':
      return -1
    case 'replicate':
      return i < 0 ? 0 : n - 1
    case 'circular':
      return modulo(i, n)
    case 'symmetric': {
      const j = modulo(i, 2 * n)
      return j < n ? j : 2 * n - 1 - j
    }
    case 'reflect': {
      if (n === 1) return 0
      const j = modulo(i, 2 * (n - 1))
      return j < n ? j : 2 * (n - 1) - j
    }
  }
}
