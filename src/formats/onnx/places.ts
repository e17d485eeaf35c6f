// Operations that read or write where indices say. Known indices move live values inside a program; otherwise they are
// computed beside it.
import { type Shape, sizeOf, stridesOf } from '../../base/shape.ts'
import { countOf, type Fixed, fixed, storageOf } from './elements.ts'
import { gather, joined, pick } from './moves.ts'
import type { HostOp, HostOps, Ops, Use } from './node.ts'
import { isFixed, reshaped, type Value } from './value.ts'

/** Indices counted from the front. */
function frontIndex(use: Use, index: number, size: number): number {
  const i = index < 0 ? index + size : index
  return Number.isInteger(i) && i >= 0 && i < size ? i : use.fail(`index ${index} of ${size}`, 'Check the indices')
}

/** Elements of a value by their row-major numbers. */
function taken(value: Value, places: readonly number[], shape: Shape): Value {
  countOf('a selection', shape)
  return reshaped(pick(reshaped(value, [sizeOf(value.shape)]), 0, places), shape)
}

/** Row-major number in a tensor of `shape` of each element of `indices`, whose own index counts but along `axis`. */
function alongAxis(use: Use, shape: Shape, indices: Fixed, axis: number): number[] {
  const [own, to] = [stridesOf(indices.shape), stridesOf(shape)]
  if (indices.shape.length !== shape.length || indices.shape.some((n, i) => i !== axis && n > shape[i]))
    use.fail(`indices of [${indices.shape}] for [${shape}]`, 'Check the model')
  return Array.from(indices.data, (index, i) =>
    own.reduce((sum, stride, a) => {
      const at = a === axis ? frontIndex(use, index, shape[a]) : Math.floor(i / stride) % indices.shape[a]
      return sum + at * to[a]
    }, 0),
  )
}

function gatherElements(use: Use): Value {
  const data = use.input(0)
  const axis = use.axis(use.int('axis', 0), data.shape.length)
  const indices = use.fixed(1)
  return taken(data, alongAxis(use, data.shape, indices, axis), indices.shape)
}

/** First elements of the slices that tuples of indices name, and the slices' shape. */
function slices(use: Use, shape: Shape, indices: Fixed, batchAxes: number) {
  const depth = indices.shape.at(-1) ?? 0
  const strides = stridesOf(shape)
  if (batchAxes + depth > shape.length || batchAxes >= indices.shape.length)
    use.fail(`tuples of ${depth} indices for [${shape}]`, 'Check the model')
  const count = sizeOf(indices.shape.slice(0, -1))
  const perBatch = count / sizeOf(shape.slice(0, batchAxes))
  const starts = Array.from({ length: count }, (_, i) => {
    let at = Math.floor(i / perBatch) * (batchAxes > 0 ? strides[batchAxes - 1] : 0)
    for (let k = 0; k < depth; k++) {
      const axis = batchAxes + k
      at += frontIndex(use, indices.data[i * depth + k], shape[axis]) * strides[axis]
    }
    return at
  })
  return { starts, slice: shape.slice(batchAxes + depth) }
}

const elementsOf = (starts: readonly number[], slice: Shape): number[] => {
  const size = sizeOf(slice)
  return starts.flatMap((start) => Array.from({ length: size }, (_, i) => start + i))
}

function gatherND(use: Use): Value {
  const data = use.input(0)
  const indices = use.fixed(1)
  const { starts, slice } = slices(use, data.shape, indices, use.int('batch_dims', 0))
  return taken(data, elementsOf(starts, slice), [...indices.shape.slice(0, -1), ...slice])
}

const joins: Readonly<Record<string, (a: number, b: number) => number>> = {
  none: (_, b) => b,
  add: (a, b) => a + b,
  mul: (a, b) => a * b,
  min: Math.min,
  max: Math.max,
}

/** `data` with updates at the given places, later ones over or with earlier ones. */
function scattered(use: Use, places: readonly number[], updates: Value): Value {
  const data = use.input(0)
  const name = use.text('reduction', 'none')
  const join = Object.hasOwn(joins, name) ? joins[name] : use.fail(`reduction '${name}' is unknown`)
  if (places.length !== sizeOf(updates.shape))
    use.fail(`${sizeOf(updates.shape)} updates for ${places.length} places`, 'Check the model')
  if (name === 'none' && !(isFixed(data) && isFixed(updates))) {
    const size = sizeOf(data.shape)
    const from = Array.from({ length: size }, (_, i) => i)
    places.forEach((place, i) => {
      from[place] = size + i
    })
    const all = joined([reshaped(data, [size]), reshaped(updates, [places.length])], 0)
    return reshaped(pick(all, 0, from), data.shape)
  }
  const [before, more] = [use.fixed(0), use.fixed(2)]
  const values = Float64Array.from(before.data)
  places.forEach((place, i) => {
    values[place] = join(values[place], more.data[i])
  })
  return fixed(data.type, data.shape, values)
}

function scatterElements(use: Use): Value {
  const { shape } = use.input(0)
  const axis = use.axis(use.int('axis', 0), shape.length)
  return scattered(use, alongAxis(use, shape, use.fixed(1), axis), use.input(2))
}

function scatterND(use: Use): Value {
  const { starts, slice } = slices(use, use.shape(0), use.fixed(1), 0)
  return scattered(use, elementsOf(starts, slice), use.input(2))
}

/** Elements, or slices along an axis, where a condition holds. */
function compress(use: Use): Value {
  const data = use.input(0)
  const places = [...use.fixed(1).data].flatMap((holds, i) => (holds ? [i] : []))
  const flat = !use.hasAttribute('axis')
  const value = flat ? reshaped(data, [sizeOf(data.shape)]) : data
  const axis = flat ? 0 : use.axis(use.int('axis'), data.shape.length)
  if (places.some((i) => i >= value.shape[axis])) use.fail('the condition is longer than the axis', 'Check the model')
  return pick(value, axis, places)
}

/** The first elements of each sequence turned round. */
function reverseSequence(use: Use): Value {
  const data = use.input(0)
  const { shape } = data
  const lengths = use.fixed(1).data
  const [time, batch] = [use.int('time_axis', 0), use.int('batch_axis', 1)]
  const strides = stridesOf(shape)
  const places = Array.from({ length: sizeOf(shape) }, (_, i) => {
    const at = (axis: number) => Math.floor(i / strides[axis]) % shape[axis]
    const length = lengths[at(batch)]
    return at(time) < length ? i + (length - 1 - 2 * at(time)) * strides[time] : i
  })
  return taken(data, places, shape)
}

/** Largest or smallest elements along an axis; of equals the first. */
function topK(use: Use): readonly Fixed[] {
  const x = use.fixed(0)
  const k = use.opset < 10 ? use.int('k') : use.numbers(1)[0]
  const axis = use.axis(use.int('axis', -1), x.shape.length)
  const sign = use.int('largest', 1) === 1 ? -1 : 1
  const n = x.shape[axis]
  if (!(k >= 0 && k <= n)) use.fail(`${k} of ${n} elements`, 'Check the model')
  const inner = sizeOf(x.shape.slice(axis + 1))
  const outer = sizeOf(x.shape.slice(0, axis))
  const shape = x.shape.map((size, i) => (i === axis ? k : size))
  const values = storageOf(x.type, sizeOf(shape))
  const indices = new Float64Array(sizeOf(shape))
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      const at = (j: number) => x.data[(o * n + j) * inner + i]
      const order = Array.from({ length: n }, (_, j) => j).sort((a, b) => sign * (at(a) - at(b)) || a - b)
      for (let j = 0; j < k; j++) {
        values[(o * k + j) * inner + i] = at(order[j])
        indices[(o * k + j) * inner + i] = order[j]
      }
    }
  return [
    { type: x.type, shape, data: values },
    { type: 'int64', shape, data: indices },
  ]
}

/** Indices of all elements that aren't zero: [rank, count]. */
function nonZero(use: Use): readonly Fixed[] {
  const x = use.fixed(0)
  const places = [...x.data].flatMap((v, i) => (v === 0 ? [] : [i]))
  const strides = stridesOf(x.shape)
  const rows = strides.flatMap((stride, axis) => places.map((i) => Math.floor(i / stride) % x.shape[axis]))
  return [fixed('int64', [x.shape.length, places.length], rows)]
}

/** Distinct elements or slices, where they first stand, which each element is, and how often. */
function unique(use: Use): readonly Fixed[] {
  const x = use.fixed(0)
  const flat = !use.hasAttribute('axis')
  const shape = flat ? [x.data.length] : x.shape
  const axis = flat ? 0 : use.axis(use.int('axis'), shape.length)
  const inner = sizeOf(shape.slice(axis + 1))
  const [outer, n] = [sizeOf(shape.slice(0, axis)), shape[axis]]
  const slice = (j: number) =>
    Array.from({ length: outer * inner }, (_, i) => x.data[(Math.floor(i / inner) * n + j) * inner + (i % inner)])
  const found = new Map<string, { slice: number[]; first: number; count: number }>()
  const keys = Array.from({ length: n }, (_, j) => {
    const values = slice(j)
    const key = values.join()
    const known = found.get(key)
    if (known) known.count++
    else found.set(key, { slice: values, first: j, count: 1 })
    return key
  })
  const entries = [...found]
  if (use.int('sorted', 1) === 1)
    entries.sort(([, a], [, b]) => {
      const i = a.slice.findIndex((v, k) => v !== b.slice[k])
      return i < 0 ? 0 : a.slice[i] - b.slice[i]
    })
  const numbers = new Map(entries.map(([key], i) => [key, i]))
  const list = (values: readonly number[]) => fixed('int64', [values.length], values)
  const distinct = pick(
    { ...x, shape },
    axis,
    entries.map(([, { first }]) => first),
  ) as Fixed
  return [
    distinct,
    list(entries.map(([, { first }]) => first)),
    list(keys.map((key) => numbers.get(key)!)),
    list(entries.map(([, { count }]) => count)),
  ]
}

/** Beside programs where the indices, input `needs`, aren't known. */
export const beside = (op: (use: Use) => Value, ...needs: number[]): HostOp => ({
  needs: () => needs,
  run: (use) => [op(use) as Fixed],
})

export const alone = (run: HostOp['run']): HostOp => ({ run })

export const placeOps: Ops = {
  Compress: compress,
  GatherElements: gatherElements,
  GatherND: gatherND,
  ReverseSequence: reverseSequence,
  Scatter: scatterElements,
  ScatterElements: scatterElements,
  ScatterND: scatterND,
}

/** Scatters that join what meets are computed of known values alone. */
const scatter = (op: (use: Use) => Value): HostOp => ({
  needs: (use) => (use.text('reduction', 'none') === 'none' ? [1] : [0, 1, 2]),
  run: (use) => [op(use) as Fixed],
})

export const hostPlaceOps: HostOps = {
  Compress: beside(compress, 1),
  Gather: beside(gather, 1),
  GatherElements: beside(gatherElements, 1),
  GatherND: beside(gatherND, 1),
  NonZero: alone(nonZero),
  ReverseSequence: beside(reverseSequence, 1),
  Scatter: scatter(scatterElements),
  ScatterElements: scatter(scatterElements),
  ScatterND: scatter(scatterND),
  TopK: alone(topK),
  Unique: alone(unique),
}
