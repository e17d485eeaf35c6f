// Operations that move elements and compute nothing. Known values (shapes, indices, weights) are moved at once.
import { type Shape, sizeOf } from '../../base/shape.ts'
import { resample, slice } from '../../graph/index.ts'
import { broadcastShapes, broadcastTo } from '../../graph/map.ts'
import { concat } from '../../graph/pad.ts'
import { countOf, type Fixed, storageOf } from './elements.ts'
import type { Ops, Use } from './node.ts'
import { arranged, isFixed, type Live, like, live, plain, plainOrder, reshaped, type Value } from './value.ts'

/** The elements of a known tensor at the given places along one axis. */
function pickFixed(value: Fixed, axis: number, indices: readonly number[]): Fixed {
  const { type, shape } = value
  const inner = sizeOf(shape.slice(axis + 1))
  const outer = sizeOf(shape.slice(0, axis))
  const result = shape.map((n, i) => (i === axis ? indices.length : n))
  const data = storageOf(type, countOf('a selection', result))
  let at = 0
  for (let o = 0; o < outer; o++)
    for (const index of indices) {
      const from = (o * shape[axis] + index) * inner
      data.set(value.data.subarray(from, from + inner), at)
      at += inner
    }
  return { type, shape: result, data }
}

/** The elements at the given places along one axis, in that order. */
export function pick(value: Value, axis: number, indices: readonly number[]): Value {
  if (isFixed(value) || indices.length === 0) {
    if (isFixed(value)) return pickFixed(value, axis, indices)
    return { type: value.type, shape: value.shape.map((n, i) => (i === axis ? 0 : n)), data: new Float32Array() }
  }
  const at = value.order.indexOf(axis)
  const { shape } = value.tensor
  const [first] = indices
  if (indices.every((index, i) => index === first + i)) {
    const start = shape.map((_, i) => (i === at ? first : 0))
    const end = shape.map((n, i) => (i === at ? first + indices.length : n))
    return like(value, slice(value.tensor, start, end))
  }
  const rows = indices.map((index) => [[index, 1]] as const)
  return like(value, resample(value.tensor, at, { inputSize: value.shape[axis], rows }))
}

const range = (from: number, to: number, step = 1) =>
  Array.from({ length: Math.max(Math.ceil((to - from) / step), 0) }, (_, i) => from + i * step)

/** Values side by side. */
export function joined(values: readonly Value[], axis: number): Value {
  const full = values.filter((value) => value.shape[axis] > 0)
  const parts = full.length > 0 ? full : values.slice(0, 1)
  if (parts.length === 1) return parts[0]
  const moving = parts.filter((value): value is Live => !isFixed(value))
  if (moving.length > 0) {
    const { order } = moving[0]
    const tensors = parts.map((value) => arranged(value, order))
    return live(parts[0].type, concat(tensors, order.indexOf(axis)), order)
  }
  const known = parts as readonly Fixed[]
  const { type, shape } = known[0]
  const size = known.reduce((sum, value) => sum + value.shape[axis], 0)
  const result = shape.map((n, i) => (i === axis ? size : n))
  const data = storageOf(type, countOf('a concatenation', result))
  const outer = sizeOf(shape.slice(0, axis))
  let at = 0
  for (let o = 0; o < outer; o++)
    for (const value of known) {
      const part = value.data.length / outer
      data.set(value.data.subarray(o * part, (o + 1) * part), at)
      at += part
    }
  return { type, shape: result, data }
}

function concatenated(use: Use): Value {
  const values = use.inputs.map((_, i) => use.input(i))
  const axis = use.axis(use.int('axis', 1), values[0].shape.length)
  for (const { shape } of values)
    if (shape.length !== values[0].shape.length || shape.some((n, i) => i !== axis && n !== values[0].shape[i]))
      use.fail(`shapes ${values.map((value) => `[${value.shape}]`).join(' and ')} don't fit side by side`, 'Check them')
  return joined(values, axis)
}

export function gather(use: Use): Value {
  const data = use.input(0)
  const axis = use.axis(use.int('axis', 0), data.shape.length)
  const indices = use.fixed(1)
  const n = data.shape[axis]
  const places = [...indices.data].map((i) => (i < 0 ? i + n : i))
  if (places.some((i) => i < 0 || i >= n)) use.fail(`an index is outside ${n} elements`, 'Check the indices')
  const picked = pick(data, axis, places)
  return reshaped(picked, [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)])
}

/** Start, end and step of each axis: by attribute before opset 10. */
function sliced(use: Use): Value {
  const old = use.opset < 10
  const value = use.input(0)
  const starts = old ? (use.ints('starts') ?? []) : use.numbers(1)
  const ends = old ? (use.ints('ends') ?? []) : use.numbers(2)
  const axes = (old ? use.ints('axes') : use.has(3) ? use.numbers(3) : undefined) ?? starts.map((_, i) => i)
  const steps = !old && use.has(4) ? use.numbers(4) : starts.map(() => 1)
  return starts.reduce<Value>((part, start, i) => {
    const axis = use.axis(axes[i], value.shape.length)
    const n = value.shape[axis]
    const step = steps[i]
    if (!Number.isInteger(step) || step === 0) use.fail(`a step of ${step}`, 'Check the model')
    const [low, high] = step > 0 ? [0, n] : [-1, n - 1]
    const inside = (v: number) => Math.min(Math.max(v < 0 ? v + n : v, low), high)
    const indices = range(inside(start), inside(ends[i]), step)
    return indices.length === n && step === 1 ? part : pick(part, axis, indices)
  }, value)
}

function split(use: Use): Value[] {
  const value = use.input(0)
  const axis = use.axis(use.int('axis', 0), value.shape.length)
  const n = value.shape[axis]
  const count = use.node.outputs.length
  const part = Math.ceil(n / use.int('num_outputs', count))
  const given = use.axes('split', 13, 1)
  const sizes = given ?? Array.from({ length: count }, (_, i) => Math.max(Math.min(part, n - i * part), 0))
  if (sizes.length !== count || sizes.reduce((a, b) => a + b, 0) !== n)
    use.fail(`parts of ${sizes} of ${n} elements for ${count} outputs`, 'Check the model')
  let from = 0
  return sizes.map((size) => {
    from += size
    return pick(value, axis, range(from - size, from))
  })
}

/** 0 keeps the input's size (unless allowzero), -1 is worked out. */
function reshape(use: Use): Value {
  const value = use.input(0)
  const asked = use.numbers(1)
  const zero = use.int('allowzero', 0) === 1
  const kept = asked.map((n, i) => (n === 0 && !zero ? value.shape[i] : n))
  return toShape(use, value, kept)
}

function toShape(use: Use, value: Value, shape: Shape): Value {
  const total = sizeOf(value.shape)
  const known = sizeOf(shape.filter((n) => n !== -1))
  const sizes = shape.map((n) => (n === -1 ? total / known : n))
  if (sizeOf(sizes) !== total || sizes.some((n) => !Number.isInteger(n) || n < 0))
    use.fail(`[${value.shape}] can't become [${shape}]`, 'Check the shapes of the inputs')
  return reshaped(value, sizes)
}

function squeeze(use: Use): Value {
  const value = use.input(0)
  const given = use.axes('axes', 13, 1)?.map((axis) => use.axis(axis, value.shape.length))
  if (given?.some((axis) => value.shape[axis] !== 1)) use.fail(`axes ${given} of [${value.shape}] aren't 1`, 'Check it')
  return reshaped(
    value,
    value.shape.filter((n, axis) => (given ? !given.includes(axis) : n !== 1)),
  )
}

function unsqueeze(use: Use): Value {
  const value = use.input(0)
  const given = use.axes('axes', 13, 1) ?? []
  const rank = value.shape.length + given.length
  const axes = given.map((axis) => use.axis(axis, rank))
  if (new Set(axes).size !== axes.length) use.fail(`axes ${given} name one twice`, 'Check the model')
  const sizes = [...value.shape]
  const shape = plainOrder(rank).map((axis) => (axes.includes(axis) ? 1 : sizes.shift()!))
  return reshaped(value, shape)
}

function flatten(use: Use): Value {
  const { shape } = use.input(0)
  const given = use.int('axis', 1)
  const axis = given === shape.length ? given : use.axis(given, shape.length)
  return reshaped(use.input(0), [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))])
}

function expand(use: Use): Value {
  const value = use.input(0)
  const shape = broadcastShapes('Expand', [value.shape, use.numbers(1)])
  countOf(use.node.title, shape)
  if (isFixed(value)) return expandFixed(value, shape)
  if (shape.length !== value.shape.length) return live(value.type, broadcastTo(plain(value), shape))
  return like(
    value,
    broadcastTo(
      value.tensor,
      value.order.map((axis) => shape[axis]),
    ),
  )
}

function expandFixed(value: Fixed, shape: Shape): Fixed {
  const wide = reshaped(value, [...new Array<number>(shape.length - value.shape.length).fill(1), ...value.shape])
  return shape.reduce<Fixed>(
    (part, n, axis) => (part.shape[axis] === n ? part : pickFixed(part, axis, new Array<number>(n).fill(0))),
    wide as Fixed,
  )
}

function tile(use: Use): Value {
  const value = use.input(0)
  const repeats = use.numbers(1)
  const shape = value.shape.map((n, axis) => n * repeats[axis])
  countOf(use.node.title, shape)
  return repeats.reduce<Value>((part, count, axis) => {
    const n = value.shape[axis]
    return count === 1
      ? part
      : pick(
          part,
          axis,
          Array.from({ length: n * count }, (_, i) => i % n),
        )
  }, value)
}

export const moveOps: Ops = {
  Concat: concatenated,
  Expand: expand,
  Flatten: flatten,
  Gather: gather,
  Reshape: reshape,
  Slice: sliced,
  Split: split,
  Squeeze: squeeze,
  Tile: tile,
  Unsqueeze: unsqueeze,
}
