import { stridesOf } from '../base/shape.ts'
import {
  add,
  addAffine,
  affine,
  buffer,
  define,
  extract,
  f32,
  indexValue,
  iota,
  kernel,
  load,
  loop,
  max,
  read,
  type Statements,
  set,
  shiftAffine,
  splat,
  store,
  variable,
} from '../kernel/builder.ts'
import type { Affine, Expr, Kernel, Lanes, TargetFeatures } from '../kernel/ir.ts'
import { type Bind, binder } from '../kernel/math.ts'
import { channelVectors } from './channels.ts'
import { type Namer, namer } from './names.ts'
import { slack } from './types.ts'

/** A buffer seen from an iteration: one stride per axis, 0 where it is repeated. */
export interface Strided {
  readonly buffer: string
  readonly length: number
  readonly offset: number
  readonly strides: readonly number[]
}

/** The value at one point of the iteration from the operands' values there; `index` is its row-major number. */
export type Formula = (values: readonly Expr[], bind: Bind, index: () => Expr) => Expr

export interface MapShape {
  readonly name: string
  readonly shape: readonly number[]
  readonly operands: readonly Strided[]
  readonly result: Strided
  readonly formula: Formula
}

interface Dimension {
  readonly extent: number
  readonly reduced: boolean
  /** One stride per operand, then the result's, then the row-major number's. */
  readonly strides: readonly number[]
}

/** Axes of the iteration with neighbours joined where every operand allows it. */
function dimensions(shape: readonly number[], lists: readonly (readonly number[])[], reduced: readonly number[] = []) {
  const result: Dimension[] = []
  shape.forEach((extent, axis) => {
    if (extent === 1) return
    const dimension = { extent, reduced: reduced.includes(axis), strides: lists.map((list) => list[axis]!) }
    const last = result.at(-1)
    const joins =
      last && last.reduced === dimension.reduced && last.strides.every((s, i) => s === dimension.strides[i]! * extent)
    if (joins) result[result.length - 1] = { ...dimension, extent: extent * last.extent }
    else result.push(dimension)
  })
  return result
}

/** Parts of a long range that threads may share, and what is left. */
function rangeParts(extent: number, chunk: number): { first: number; chunk: number; many: number }[] {
  const many = Math.floor(extent / chunk)
  if (many < 2) return [{ first: 0, chunk: extent, many: 1 }]
  const parts = [
    { first: 0, chunk, many },
    { first: many * chunk, chunk: extent - many * chunk, many: 1 },
  ]
  return parts.filter((part) => part.chunk > 0)
}

/** Computes `formula` at every point. Kernels, in order, for parts of the range. */
export function mapKernels(map: MapShape, features: TargetFeatures): Kernel[] {
  const { operands, result, shape } = map
  const lists = [...operands.map((o) => o.strides), result.strides, stridesOf(shape)]
  const dims = dimensions(shape, lists)
  const unit: Dimension = { extent: 1, reduced: false, strides: lists.map(() => 0) }
  const inner = dims.pop() ?? unit
  const line = dims.pop() ?? unit
  const split = dims.length === 0
  const parts = !split
    ? [{ first: 0, chunk: line.extent, many: 1 }]
    : line.extent > 1
      ? rangeParts(line.extent, Math.max(1, Math.floor(8192 / inner.extent)))
      : rangeParts(inner.extent, 8192)
  return parts.map((part) => mapPart(map, features, dims, line, inner, part))
}

function mapPart(
  map: MapShape,
  features: TargetFeatures,
  dims: readonly Dimension[],
  line: Dimension,
  inner: Dimension,
  part: { first: number; chunk: number; many: number },
): Kernel {
  const { operands, result } = map
  const name = namer()
  const gathered = [...operands.keys(), operands.length].some((i) => inner.strides[i]! > 1)
  const lanes: Lanes = gathered ? 1 : features.lanes
  const overLine = line.extent > 1
  const place = (which: number): Affine => {
    const scales: Record<string, number> = {}
    dims.forEach((dim, i) => {
      scales[`i${i}`] = dim.strides[which]!
    })
    const split = overLine ? line.strides[which]! : inner.strides[which]!
    if (part.many > 1) scales.part = split * part.chunk
    if (overLine) scales.line = line.strides[which]!
    return affine(part.first * split, scales)
  }
  const code = (at: Affine, count: number): Statements => {
    const { bind, statements } = binder(() => name('v'))
    const along = (which: number) => addAffine(place(which), scaleBy(at, inner.strides[which]!))
    const values = operands.map((operand, i) => loadOperand(operand, along(i), inner.strides[i]!, lanes, bind))
    const index = () => lanesOf(along(operands.length + 1), inner.strides[operands.length + 1]!, lanes)
    const value = map.formula(values, bind, index)
    return [statements, store(result.buffer, shiftAffine(along(operands.length), result.offset), value, count)]
  }
  const run = channelVectors(overLine ? inner.extent : part.chunk, lanes, 'j', code)
  return kernel({
    name: map.name,
    buffers: [
      ...operands.map((o) => buffer(o.buffer, 'f32', o.length + slack, 'read')),
      buffer(result.buffer, 'f32', result.length + slack, 'write'),
    ],
    axes: [
      ...dims.map((dim, i) => ({ index: `i${i}`, extent: dim.extent })),
      ...(part.many > 1 ? [{ index: 'part', extent: part.many }] : []),
    ],
    body: overLine ? loop('line', 0, part.chunk, 1, run) : run,
  })
}

const scaleBy = (at: Affine, scale: number): Affine =>
  scale === 0
    ? affine(0)
    : { offset: at.offset * scale, terms: at.terms.map((t) => ({ index: t.index, scale: t.scale * scale })) }

function loadOperand(operand: Strided, at: Affine, stride: number, lanes: Lanes, bind: Bind): Expr {
  const place = shiftAffine(at, operand.offset)
  return bind(stride === 0 ? splat(load(operand.buffer, place), lanes) : load(operand.buffer, place, lanes))
}

function lanesOf(at: Affine, stride: number, lanes: Lanes): Expr {
  const base = splat(indexValue(at), lanes)
  return lanes === 4 && stride === 1 ? add(base, iota()) : base
}

export interface ReduceShape {
  readonly name: string
  readonly fn: 'sum' | 'max'
  readonly shape: readonly number[]
  readonly axes: readonly number[]
  readonly operands: readonly Strided[]
  /** Strides are 0 along `axes`. */
  readonly result: Strided
  readonly formula: Formula
}

interface ReduceContext {
  readonly reduce: ReduceShape
  readonly lanes: Lanes
  readonly name: Namer
  readonly kept: readonly Dimension[]
  readonly reduced: readonly Dimension[]
  /** Place of operand or result at the current kept and reduced indices. */
  place(which: number): Affine
}

const empty = (fn: 'sum' | 'max', lanes: Lanes) => f32(fn === 'sum' ? 0 : -Infinity, lanes)
const combine = (fn: 'sum' | 'max', a: Expr, b: Expr) => (fn === 'sum' ? add(a, b) : max(a, b))

/** Sums (or largest elements) of `formula` over some axes, in an order that the shape alone fixes. */
export function reduceKernel(reduce: ReduceShape, features: TargetFeatures): Kernel {
  const { operands, result, shape } = reduce
  const lists = [...operands.map((o) => o.strides), result.strides, stridesOf(shape)]
  const dims = dimensions(shape, lists, reduce.axes)
  const inner = dims.at(-1)
  const acrossLanes = inner === undefined || inner.reduced
  const kept = dims.filter((dim) => !dim.reduced && (acrossLanes || dim !== inner))
  const reduced = splitLong(dims.filter((dim) => dim.reduced && (!acrossLanes || dim !== inner)))
  const context: ReduceContext = {
    reduce,
    lanes: features.lanes,
    name: namer(),
    kept,
    reduced,
    place: (which) =>
      affine(0, {
        ...Object.fromEntries(kept.map((dim, i) => [`i${i}`, dim.strides[which]!])),
        ...Object.fromEntries(reduced.map((dim, i) => [`r${i}`, dim.strides[which]!])),
      }),
  }
  return kernel({
    name: reduce.name,
    buffers: [
      ...operands.map((o) => buffer(o.buffer, 'f32', o.length + slack, 'read')),
      buffer(result.buffer, 'f32', result.length + slack, 'write'),
    ],
    axes: kept.map((dim, i) => ({ index: `i${i}`, extent: dim.extent })),
    body: acrossLanes ? reduceRow(context, inner) : reduceColumns(context, inner),
  })
}

/** A long sum is cut in parts, so that its rounding error grows with their number and not with its length. */
function splitLong(dims: Dimension[]): Dimension[] {
  const last = dims.at(-1)
  if (!last || last.extent < 512) return dims
  let part = 256
  while (last.extent % part !== 0) part--
  if (part < 16) return dims
  const outer = { ...last, extent: last.extent / part, strides: last.strides.map((s) => s * part) }
  return [...dims.slice(0, -1), outer, { ...last, extent: part }]
}

/** Loops over the reduced axes; the innermost sums into `partials`, which are added to `totals` each time round. */
function nested(
  { reduced, reduce, name }: ReduceContext,
  totals: readonly ReturnType<typeof variable>[],
  lanes: Lanes,
  step: (targets: readonly ReturnType<typeof variable>[]) => Statements,
): Statements {
  const wrap = (dims: readonly Dimension[], body: Statements, first = 0) =>
    dims.reduceRight<Statements>((code, dim, i) => loop(`r${i + first}`, 0, dim.extent, 1, code), body)
  if (reduced.length < 2) return wrap(reduced, step(totals))
  const partials = totals.map(() => variable(name('part'), empty(reduce.fn, lanes)))
  return wrap(reduced.slice(0, -1), [
    partials,
    wrap(reduced.slice(-1), step(partials), reduced.length - 1),
    totals.map((total, i) => set(total.name, combine(reduce.fn, read(total), read(partials[i]!)))),
  ])
}

function valueAt(context: ReduceContext, inner: Dimension | undefined, at: Affine, lanes: Lanes) {
  const { reduce, name, place } = context
  const { bind, statements } = binder(() => name('v'))
  const stride = (which: number) => inner?.strides[which] ?? 0
  const along = (which: number) => addAffine(place(which), scaleBy(at, stride(which)))
  const values = reduce.operands.map((operand, i) => loadOperand(operand, along(i), stride(i), lanes, bind))
  const count = reduce.operands.length
  const value = reduce.formula(values, bind, () => lanesOf(along(count + 1), stride(count + 1), lanes))
  return { statements, value }
}

const resultAt = ({ reduce, kept }: ReduceContext, inner?: Dimension, at: Affine = affine(0)): Affine => {
  const which = reduce.operands.length
  const base = affine(reduce.result.offset, Object.fromEntries(kept.map((dim, i) => [`i${i}`, dim.strides[which]!])))
  return addAffine(base, scaleBy(at, inner?.strides[which] ?? 0))
}

/** The innermost axis is kept: vectors of neighbouring results, four side by side where there are as many. */
function reduceColumns(context: ReduceContext, inner: Dimension): Statements {
  const { lanes, reduce, name } = context
  const many = 4
  const block = lanes * many
  const blocks = Math.floor(inner.extent / block)
  const columns = (at: Affine, counts: readonly number[]): Statements => {
    const totals = counts.map(() => variable(name('sum'), empty(reduce.fn, lanes)))
    const code = nested(context, totals, lanes, (targets) =>
      targets.map((target, v) => {
        const { statements, value } = valueAt(context, inner, shiftAffine(at, v * lanes), lanes)
        return [statements, set(target.name, combine(reduce.fn, read(target), value))]
      }),
    )
    const stores = totals.map((total, v) =>
      store(reduce.result.buffer, resultAt(context, inner, shiftAffine(at, v * lanes)), read(total), counts[v]),
    )
    return [totals, code, stores]
  }
  const parts: Statements[] = []
  if (blocks > 0)
    parts.push(loop('j', 0, blocks * block, block, columns(affine(0, { j: 1 }), new Array(many).fill(lanes))))
  const rest = inner.extent - blocks * block
  const counts = Array.from({ length: Math.ceil(rest / lanes) }, (_, v) => Math.min(lanes, rest - v * lanes))
  if (rest > 0) parts.push(columns(affine(blocks * block), counts))
  return parts
}

/** The innermost axis is reduced: lanes take turns along it and are added up at the end. */
function reduceRow(context: ReduceContext, inner: Dimension | undefined): Statements {
  const { reduce, name } = context
  const length = inner?.extent ?? 1
  const lanes: Lanes = length >= context.lanes ? context.lanes : 1
  const whole = length - (length % lanes)
  const total = variable(name('sum'), empty(reduce.fn, lanes))
  const rest = variable(name('rest'), empty(reduce.fn, 1))
  const step = (at: Affine, width: Lanes, target: ReturnType<typeof variable>): Statements => {
    const { statements, value } = valueAt(context, inner, at, width)
    return [statements, set(target.name, combine(reduce.fn, read(target), value))]
  }
  const body = (wide: ReturnType<typeof variable>): Statements => [
    whole > lanes ? loop('j', 0, whole, lanes, step(affine(0, { j: 1 }), lanes, wide)) : step(affine(0), lanes, wide),
    Array.from({ length: length - whole }, (_, i) => step(affine(whole + i), 1, rest)),
  ]
  const code = nested(context, [total], lanes, ([target]) => body(target!))
  let value: Expr = read(total)
  const horizontal: Statements[] = []
  if (lanes === 4) {
    const lane = [0, 1, 2, 3].map((i) => define(name('lane'), extract(value, i)))
    horizontal.push(lane)
    const [a, b, c, d] = lane.map(read) as [Expr, Expr, Expr, Expr]
    value = combine(reduce.fn, combine(reduce.fn, a, b), combine(reduce.fn, c, d))
  }
  if (whole < length) value = combine(reduce.fn, value, read(rest))
  return [total, whole < length ? rest : [], code, horizontal, store(reduce.result.buffer, resultAt(context), value, 1)]
}
