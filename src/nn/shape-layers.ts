import { fail } from '../base/errors.ts'
import type { Shape } from '../base/shape.ts'
import { type Padding, type PaddingMode, resolvePadding } from '../conv/padding.ts'
import { pad } from '../graph/pad.ts'
import { reshape as reshapeTensor } from '../graph/reshape.ts'
import type { Tensor } from '../graph/tensor.ts'
import { checkRank } from './checks.ts'
import { type Dual, dual, type Layer, unary } from './layer.ts'
import type { RankOf } from './types/rule.ts'
import type { Flatten, Padded, Reshaped } from './types/shapes.ts'

/** [N, ...] to [N, product]. */
export const flatten: Dual<[], Flatten> = dual('flatten', (x: Tensor) => reshapeTensor(x, [x.shape[0]!, -1]))

/** One sample's shape changed, N kept; one size may be -1. As a function of tensors it is the graph's. */
export function reshape<const To extends Shape>(shape: To): Layer<Reshaped<To>>
export function reshape(x: Tensor, shape: Shape): Tensor
export function reshape(x: Tensor | Shape, shape?: Shape): Tensor | Layer {
  if (shape) return reshapeTensor(x as Tensor, shape)
  const sizes = x as Shape
  return unary('reshape', [sizes], () => ({ apply: (y) => reshapeTensor(y, [y.shape[0]!, ...sizes]) }))
}

/** One number for every side, or one entry per spatial axis: a number or [low, high]. */
export type PadLayerPadding = Exclude<Padding, string>
interface Pad<Name extends string, Rank extends RankOf> {
  <const P extends PadLayerPadding>(padding: P): Layer<Padded<Name, Rank, P>>
  (x: Tensor, padding: PadLayerPadding): Tensor
}

/* @__NO_SIDE_EFFECTS__ */
function padOf<M extends PaddingMode, R extends RankOf>(mode: M, rank: R): Pad<`${M}Pad${R}d`, R> {
  const kind = `${mode}Pad${rank}d`
  return dual(kind, (x: Tensor, padding: PadLayerPadding) => {
    checkRank(kind, x.shape.slice(1), rank)
    if (typeof padding !== 'number' && !Array.isArray(padding))
      fail(kind, `padding is ${String(padding)}`, 'Give a number, or a number or pair [low, high] per axis')
    const ones = new Array<number>(rank).fill(1)
    const pairs = resolvePadding(kind, padding, x.shape.slice(1, -1), ones, ones, ones)
    return pad(x, [[0, 0], ...pairs, [0, 0]], { mode })
  })
}

/** Zeros around the samples [N, W, C]. */
export const zeroPad1d = padOf('zero', 1)
/** Zeros around the images [N, H, W, C]. */
export const zeroPad2d = padOf('zero', 2)
/** Zeros around the volumes [N, D, H, W, C]. */
export const zeroPad3d = padOf('zero', 3)
/** Mirrored without the edge: c b | a b c | b a. */
export const reflectPad1d = padOf('reflect', 1)
/** Mirrored without the edge: c b | a b c | b a. */
export const reflectPad2d = padOf('reflect', 2)
/** Mirrored without the edge: c b | a b c | b a. */
export const reflectPad3d = padOf('reflect', 3)
/** Mirrored with the edge: b a | a b c | c b. */
export const symmetricPad1d = padOf('symmetric', 1)
/** Mirrored with the edge: b a | a b c | c b. */
export const symmetricPad2d = padOf('symmetric', 2)
/** Mirrored with the edge: b a | a b c | c b. */
export const symmetricPad3d = padOf('symmetric', 3)
/** The edge repeated: a a | a b c | c c. */
export const replicatePad1d = padOf('replicate', 1)
/** The edge repeated: a a | a b c | c c. */
export const replicatePad2d = padOf('replicate', 2)
/** The edge repeated: a a | a b c | c c. */
export const replicatePad3d = padOf('replicate', 3)
/** From the other end: b c | a b c | a b. */
export const circularPad1d = padOf('circular', 1)
/** From the other end: b c | a b c | a b. */
export const circularPad2d = padOf('circular', 2)
/** From the other end: b c | a b c | a b. */
export const circularPad3d = padOf('circular', 3)
