import { sizeOf } from '../base/shape.ts'
import type { Padding } from '../conv/padding.ts'
import type { PerAxis } from '../conv/spec.ts'
import { abs, mul, pow } from '../graph/map.ts'
import { type AveragePoolOptions, averagePool, maxPool, type PoolOptions } from '../graph/pool.ts'
import { max, mean, type ReduceOptions } from '../graph/reduce.ts'
import type { Tensor } from '../graph/tensor.ts'
import { checkNames, checkRange, checkRank, perAxis } from './checks.ts'
import { dual, type Layer } from './layer.ts'
import type { RankOf } from './types/rule.ts'
import type { Global } from './types/shapes.ts'
import type { Pooling } from './types/windows.ts'

const optionNames = ['stride', 'padding', 'dilation', 'ceilMode']

/** Options of a pool with the literal types of those that decide its shape. */
type Literal<O, Stride, Pads, Dilation, Ceil> = O & {
  readonly stride?: Stride
  readonly padding?: Pads
  readonly dilation?: Dilation
  readonly ceilMode?: Ceil
}

interface Pool<Name extends string, Rank extends RankOf, O> {
  <
    const Window extends PerAxis,
    const Stride extends PerAxis = Window,
    const Pads extends Padding = 'valid',
    const Dilation extends PerAxis = 1,
    const Ceil extends boolean = false,
  >(
    window: Window,
    options?: Literal<O, Stride, Pads, Dilation, Ceil>,
  ): Layer<Pooling<Name, Rank, Window, Stride, Pads, Dilation, Ceil>>
  (x: Tensor, window: PerAxis, options?: O): Tensor
}

/* @__NO_SIDE_EFFECTS__ */
function poolOf<Name extends string, Rank extends RankOf, O extends PoolOptions>(
  kind: Name,
  rank: Rank,
  names: readonly string[],
  compute: (x: Tensor, window: number[], options: O) => Tensor,
): Pool<Name, Rank, O> {
  return dual(kind, (x: Tensor, window: PerAxis, options: O = {} as O) => {
    checkRank(kind, x.shape.slice(1), rank)
    checkNames(kind, options, [...optionNames, ...names])
    return compute(x, perAxis(kind, 'window', window, rank), options)
  })
}

const maxOf = <R extends RankOf>(rank: R): Pool<`maxPool${R}d`, R, PoolOptions> =>
  poolOf(`maxPool${rank}d`, rank, [], maxPool)
const averageOf = <R extends RankOf>(rank: R): Pool<`averagePool${R}d`, R, AveragePoolOptions> =>
  poolOf(`averagePool${rank}d`, rank, ['countIncludePad'], averagePool)

/** Largest of each window: [N, T, C] to [N, T', C]. The stride is the window unless given. */
export const maxPool1d = maxOf(1)
/** Largest of each window: [N, H, W, C] to [N, H', W', C]. The stride is the window unless given. */
export const maxPool2d = maxOf(2)
/** Largest of each window: [N, D, H, W, C] to [N, D', H', W', C]. The stride is the window unless given. */
export const maxPool3d = maxOf(3)

/** Mean of each window: [N, T, C] to [N, T', C]. The stride is the window unless given. */
export const averagePool1d = averageOf(1)
/** Mean of each window: [N, H, W, C] to [N, H', W', C]. The stride is the window unless given. */
export const averagePool2d = averageOf(2)
/** Mean of each window: [N, D, H, W, C] to [N, D', H', W', C]. The stride is the window unless given. */
export const averagePool3d = averageOf(3)

/** Options of Lp pooling: the p-th root of the sum of |x|^p in each window. */
export interface LpPoolOptions extends PoolOptions {
  /** Default 2. */
  readonly p?: number
}

/** (sum of |x|^p)^(1/p) of each window of an image. The derivative of a window of zeros isn't defined. */
export const lpPool2d: Pool<'lpPool2d', 2, LpPoolOptions> = poolOf(
  'lpPool2d',
  2,
  ['p'],
  (x, window, { p = 2, ...options }) => {
    checkRange('lpPool2d', 'p', p, 1)
    const mean = averagePool(pow(abs(x), p), window, { ...options, countIncludePad: true })
    return pow(mul(mean, sizeOf(window)), 1 / p)
  },
)

const spatialAxes = (x: Tensor) => x.shape.slice(2).map((_, i) => i + 1)

interface GlobalPool {
  <const Keep extends boolean = false>(options?: ReduceOptions & { readonly keepAxes?: Keep }): Layer<Global<Keep>>
  (x: Tensor, options?: ReduceOptions): Tensor
}

/** Mean over all positions: [N, spatial..., C] to [N, C], or to [N, 1..., C] with keepAxes. */
export const globalAveragePool: GlobalPool = dual('globalAveragePool', (x: Tensor, options: ReduceOptions = {}) =>
  mean(x, spatialAxes(x), options),
)

/** Largest over all positions: [N, spatial..., C] to [N, C], or to [N, 1..., C] with keepAxes. */
export const globalMaxPool: GlobalPool = dual('globalMaxPool', (x: Tensor, options: ReduceOptions = {}) =>
  max(x, spatialAxes(x), options),
)
