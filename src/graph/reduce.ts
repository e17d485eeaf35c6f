import { fail } from '../base/errors.ts'
import { type Shape, sameShape, showShape, sizeOf } from '../base/shape.ts'
import { broadcastTo, div, equal, mul } from './map.ts'
import { reshape } from './reshape.ts'
import { checkAxes, Tensor } from './tensor.ts'

/** What a reduction leaves of its axes. */
export interface ReduceOptions {
  /** Keep reduced axes as size 1. Default false. */
  readonly keepAxes?: boolean
}

function reduce(fn: 'sum' | 'max', x: Tensor, axes: readonly number[] | undefined, options: ReduceOptions): Tensor {
  const list = checkAxes(fn, axes ?? x.shape.map((_, axis) => axis), x.shape.length).sort((a, b) => a - b)
  const kept = x.shape.map((n, axis) => (list.includes(axis) ? 1 : n))
  const trivial = list.every((axis) => x.shape[axis] === 1)
  const y = trivial ? x : new Tensor({ kind: 'reduce', fn, axes: list }, [x], kept)
  if (options.keepAxes) return y
  return reshape(
    y,
    kept.filter((_, axis) => !list.includes(axis)),
  )
}

/** Sum over `axes` (default all). */
export const sum = (x: Tensor, axes?: readonly number[], options: ReduceOptions = {}): Tensor =>
  reduce('sum', x, axes, options)

/** Largest element over `axes` (default all). */
export const max = (x: Tensor, axes?: readonly number[], options: ReduceOptions = {}): Tensor =>
  reduce('max', x, axes, options)

/** Mean over `axes` (default all). */
export function mean(x: Tensor, axes?: readonly number[], options: ReduceOptions = {}): Tensor {
  const total = sum(x, axes, options)
  return mul(total, sizeOf(total.shape) / sizeOf(x.shape))
}

/** The adjoint of broadcasting: sums x down to `shape`. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x
  const extra = x.shape.length - shape.length
  const axes = x.shape.flatMap((n, axis) => (axis < extra || (shape[axis - extra] === 1 && n !== 1) ? [axis] : []))
  if (extra < 0) fail('sumTo', `${showShape(x.shape)} can't be summed to ${showShape(shape)}`, 'Give a smaller shape')
  return reshape(sum(x, axes, { keepAxes: true }), shape)
}

export function reduceDerivative(node: Tensor, fn: 'sum' | 'max', axes: readonly number[], g: Tensor): Tensor {
  const x = node.inputs[0]!
  if (fn === 'sum') return broadcastTo(g, x.shape)
  const hits = equal(x, node)
  return mul(hits, div(g, sum(hits, axes, { keepAxes: true })))
}
