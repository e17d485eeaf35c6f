import {
  abs,
  add,
  div,
  equal,
  exp,
  log,
  max,
  mean,
  mul,
  neg,
  slice,
  sqrt,
  sub,
  sum,
  type Tensor,
  tensor,
} from '../../graph/index.ts'
import { fixed } from './elements.ts'
import type { Op, Ops, Use } from './node.ts'
import { asLive, isFixed, live, type Value, withoutAxes } from './value.ts'

type Reduce = (x: Tensor, axes: readonly number[]) => Tensor

const keep = { keepAxes: true }
const total: Reduce = (x, axes) => sum(x, axes, keep)
const largest: Reduce = (x, axes) => max(x, axes, keep)

/** The result of nothing: what a reduction over an empty axis gives. */
function ofNothing(use: Use, value: Value, axes: readonly number[], kept: boolean, empty: number): Value {
  const shape = value.shape.map((n, axis) => (axes.includes(axis) ? 1 : n))
  const result = fixed(value.type, shape, new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(empty))
  if (Number.isNaN(empty)) use.fail('a mean of no elements', 'Check the model')
  return kept ? result : withoutAxes(result, axes)
}

/** `empty` is what it gives of no elements, `since` the opset in which axes became an input. */
const reduction =
  (reduce: Reduce, empty: number, since = 18): Op =>
  (use) => {
    const value = use.input(0)
    const rank = value.shape.length
    const given = use.axes('axes', since, 1) ?? []
    if (given.length === 0 && use.int('noop_with_empty_axes', 0) === 1) return value
    const axes = (given.length > 0 ? given : value.shape.map((_, axis) => axis)).map((axis) => use.axis(axis, rank))
    const kept = use.int('keepdims', 1) === 1
    if (isFixed(value) && value.data.length === 0) return ofNothing(use, value, axes, kept, empty)
    const x = asLive(value)
    const y = live(
      value.type,
      reduce(
        x.tensor,
        axes.map((axis) => x.order.indexOf(axis)),
      ),
      x.order,
    )
    return kept ? y : withoutAxes(y, axes)
  }

const logSumExp: Reduce = (x, axes) => {
  const peak = largest(x, axes)
  return add(log(total(exp(sub(x, peak)), axes)), peak)
}

/** Slices multiplied one after another. */
const product: Reduce = (x, axes) =>
  axes.reduce((y, axis) => {
    const at = (i: number) => y.shape.map((_, k) => (k === axis ? i : 0))
    const end = (i: number) => y.shape.map((n, k) => (k === axis ? i + 1 : n))
    return Array.from({ length: y.shape[axis] }, (_, i) => slice(y, at(i), end(i))).reduce(mul)
  }, x)

/** The place of the largest element: the first or the last of equals. */
function place(use: Use, sign: 1 | -1): Value {
  const value = asLive(use.input(0))
  const axis = use.axis(use.int('axis', 0), value.shape.length)
  const at = value.order.indexOf(axis)
  const x = sign === 1 ? value.tensor : neg(value.tensor)
  const n = x.shape[at]
  const last = use.int('select_last_index', 0) === 1
  const numbers = Array.from({ length: n }, (_, i) => (last ? i : n - 1 - i))
  const wide = tensor(
    numbers,
    x.shape.map((_, i) => (i === at ? n : 1)),
  )
  const best = max(mul(equal(x, max(x, [at], keep)), wide), [at], keep)
  const result = live('int64', last ? best : sub(n - 1, best), value.order)
  return use.int('keepdims', 1) === 1 ? result : withoutAxes(result, [axis])
}

/** exp(x) / sum of exp(x), or its logarithm. Before opset 13 all axes from `axis` on count as one. */
const soft =
  (compute: Reduce): Op =>
  (use) => {
    const x = asLive(use.input(0))
    const rank = x.shape.length
    const old = use.opset < 13
    const axis = use.axis(use.int('axis', old ? 1 : -1), rank)
    const axes = x.order.flatMap((name, i) => (name === axis || (old && name > axis) ? [i] : []))
    return live(x.type, compute(x.tensor, axes), x.order)
  }

const softmax: Reduce = (x, axes) => {
  const powers = exp(sub(x, largest(x, axes)))
  return div(powers, total(powers, axes))
}

export const reductionOps: Ops = {
  ArgMax: (use) => place(use, 1),
  ArgMin: (use) => place(use, -1),
  LogSoftmax: soft((x, axes) => sub(x, logSumExp(x, axes))),
  ReduceL1: reduction((x, axes) => total(abs(x), axes), 0),
  ReduceL2: reduction((x, axes) => sqrt(total(mul(x, x), axes)), 0),
  ReduceLogSum: reduction((x, axes) => log(total(x, axes)), -Infinity),
  ReduceLogSumExp: reduction(logSumExp, -Infinity),
  ReduceMax: reduction(largest, -Infinity),
  ReduceMean: reduction((x, axes) => mean(x, axes, keep), Number.NaN),
  ReduceMin: reduction((x, axes) => neg(largest(neg(x), axes)), Infinity),
  ReduceProd: reduction(product, 1),
  ReduceSum: reduction(total, 0, 13),
  ReduceSumSquare: reduction((x, axes) => total(mul(x, x), axes), 0),
  Softmax: soft(softmax),
}
