// ONNX tensors are N, C, spatial; ours have the channels last. A value keeps its axes in whatever order it was made in,
// and is brought into another order only where an operation asks for one: so transposes cancel by themselves.
import { fail } from '../../base/errors.ts'
import { type Shape, sameShape, showShape, sizeOf } from '../../base/shape.ts'
import { reshape, transpose } from '../../graph/reshape.ts'
import { fill, type Tensor, Variable } from '../../graph/tensor.ts'
import { type ElementType, type Fixed, isFloat } from './elements.ts'
import { permuted, permuteFixed } from './permute.ts'

/** A value that a program computes. */
export interface Live {
  readonly type: ElementType
  /** As ONNX sees it. */
  readonly shape: Shape
  /** Axis i of the tensor is ONNX's axis order[i]. */
  readonly tensor: Tensor
  readonly order: readonly number[]
  /** What it was before it was flattened to a matrix: a product can take its rows in that order instead. */
  readonly flattened?: Live
}

export type Value = Fixed | Live

export const isFixed = (value: Value): value is Fixed => 'data' in value

export const plainOrder = (rank: number): number[] => Array.from({ length: rank }, (_, i) => i)
/** N, spatial, C. */
export const lastOrder = (rank: number): number[] =>
  rank < 3 ? plainOrder(rank) : [0, ...plainOrder(rank - 2).map((i) => i + 2), 1]

export const live = (type: ElementType, tensor: Tensor, order: readonly number[] = plainOrder(tensor.shape.length)) => {
  const shape = new Array<number>(order.length)
  order.forEach((axis, i) => {
    shape[axis] = tensor.shape[i]
  })
  return { type, shape, tensor, order } as Live
}

/** The same type and order as `value`, another tensor. */
export const like = (value: Live, tensor: Tensor): Live => live(value.type, tensor, value.order)

const variables = new WeakMap<Fixed['data'], Map<string, Variable>>()

/** Values of variables that float32 may not hold. */
export const exact = new WeakMap<Tensor, Float64Array>()

/** A fixed tensor, its axes in another order, as one variable for all programs of a model. */
export function variableOf(value: Fixed, order: readonly number[]): Tensor {
  const key = `${value.shape} ${order}`
  const kept = variables.get(value.data) ?? new Map<string, Variable>()
  variables.set(value.data, kept)
  let variable = kept.get(key)
  if (!variable) {
    const { data, shape } = permuteFixed(value, order)
    // what was brought into another order is nobody else's: no second copy of it
    const own = data instanceof Float32Array && data !== value.data ? data : undefined
    variable = new Variable(own ? undefined : data, shape)
    if (own) variable.initial = own
    kept.set(key, variable)
    if (data instanceof Float64Array) exact.set(variable.value, data)
  }
  return variable.value
}

/** The tensor of a value with its axes in `order`. */
export function arranged(value: Value, order: readonly number[]): Tensor {
  if (isFixed(value)) {
    const single = Math.fround(value.data[0])
    if (value.data.length === 1 && (isFloat(value.type) || single === value.data[0]))
      return fill(permuted(value.shape, order), single)
    return variableOf(value, order)
  }
  if (sameShape(value.order, order)) return value.tensor
  const moving = (axes: readonly number[]) => axes.filter((axis) => value.shape[axis] !== 1)
  if (sameShape(moving(value.order), moving(order))) return reshape(value.tensor, permuted(value.shape, order))
  return transpose(
    value.tensor,
    order.map((axis) => value.order.indexOf(axis)),
  )
}

export const plain = (value: Value): Tensor => arranged(value, plainOrder(value.shape.length))
/** N, spatial, C. */
export const channelsLast = (value: Value): Tensor => arranged(value, lastOrder(value.shape.length))

export const asLive = (value: Value): Live => (isFixed(value) ? live(value.type, plain(value)) : value)

/** Axis i of the result is axis order[i]: only the book-keeping changes. */
export function transposed(value: Value, order: readonly number[]): Value {
  if (isFixed(value)) return permuteFixed(value, order)
  return live(
    value.type,
    value.tensor,
    value.order.map((axis) => order.indexOf(axis)),
  )
}

interface Group {
  readonly from: number[]
  readonly to: number[]
}

/** Runs of axes that hold the same elements before and after a reshape. */
function groupsOf(from: Shape, to: Shape): Group[] {
  const groups: Group[] = []
  let [i, j] = [0, 0]
  while (i < from.length || j < to.length) {
    const group: Group = { from: [], to: [] }
    let [before, after] = [1, 1]
    do {
      if (i < from.length && (before <= after || j >= to.length)) {
        before *= from[i]
        group.from.push(i++)
      } else {
        after *= to[j]
        group.to.push(j++)
      }
    } while (before !== after)
    groups.push(group)
  }
  return groups
}

/** Another shape of as many elements. Axes that stay whole keep their places; the others are brought together. */
export function reshaped(value: Value, shape: Shape): Value {
  if (sameShape(value.shape, shape)) return value
  if (sizeOf(shape) !== sizeOf(value.shape))
    fail('onnx', `${showShape(value.shape)} can't become ${showShape(shape)}`, 'Check the model')
  if (isFixed(value)) return { ...value, shape }
  const groups = groupsOf(value.shape, shape)
  const place = ({ from }: Group) => Math.min(...from.map((axis) => value.order.indexOf(axis)))
  groups.sort((a, b) => place(a) - place(b))
  const source = arranged(
    value,
    groups.flatMap(({ from }) => from),
  )
  const order = groups.flatMap(({ to }) => to)
  const result = live(value.type, reshape(source, permuted(shape, order)), order)
  const matrix = shape.length === 2 && shape[0] === value.shape[0]
  return matrix ? { ...result, flattened: value } : result
}

/** Without axes of size 1, or with such axes at given places. */
export function withoutAxes(value: Value, axes: readonly number[]): Value {
  return reshaped(
    value,
    value.shape.filter((_, axis) => !axes.includes(axis)),
  )
}
