import { sizeOf, stridesOf } from '../base/shape.ts'
import {
  add,
  addAffine,
  affine,
  buffer,
  clampIndex,
  define,
  eq,
  f32,
  kernel,
  load,
  loop,
  mul,
  read,
  type Statements,
  select,
  splat,
  store,
} from '../kernel/builder.ts'
import type { Affine, Kernel, TargetFeatures } from '../kernel/ir.ts'
import { channelVectors } from './channels.ts'
import { slack } from './types.ts'

export interface PadShape {
  /** Shape of x. */
  readonly shape: readonly number[]
  /** Elements before and after each axis; negative = cropped. */
  readonly low: readonly number[]
  readonly high: readonly number[]
  readonly value: number
}

interface PadAxis {
  readonly extent: number
  readonly low: number
  readonly high: number
}

/** Neighbouring axes without padding are one; so is an axis with what lies inside it. */
function padAxes({ shape, low, high }: PadShape): PadAxis[] {
  const axes: PadAxis[] = []
  shape.forEach((extent, i) => {
    const plain = low[i] === 0 && high[i] === 0
    const last = axes.at(-1)
    if (plain && last)
      axes[axes.length - 1] = { extent: last.extent * extent, low: last.low * extent, high: last.high * extent }
    else axes.push({ extent, low: low[i]!, high: high[i]! })
  })
  return axes
}

/** Pads with a constant, or crops. Buffers x, y; every element of y is written once. */
export function padKernel(pad: PadShape, { lanes }: TargetFeatures): Kernel {
  const axes = padAxes(pad)
  const from = stridesOf(axes.map((axis) => axis.extent))
  const to = stridesOf(axes.map((axis) => axis.extent + axis.low + axis.high))
  const run = (name: string, count: number, code: (at: Affine, count: number) => Statements) =>
    channelVectors(count, lanes, name, code)
  const fill = (at: Affine, count: number, name: string) =>
    run(name, count, (offset, n) => [store('y', addAffine(at, offset), f32(pad.value, lanes), n)])
  const level = (axis: number, x: Affine, y: Affine): Statements => {
    const { extent, low, high } = axes[axis]!
    const first = Math.max(0, -low)
    const kept = extent - first - Math.max(0, -high)
    const index = `i${axis}`
    const start = addAffine(y, affine(Math.max(0, low) * to[axis]!))
    const source = addAffine(x, affine(first * from[axis]!))
    const middle: Statements =
      axis === axes.length - 1
        ? run(index, kept, (at, n) => [store('y', addAffine(start, at), load('x', addAffine(source, at), lanes), n)])
        : loop(index, 0, kept, 1, level(axis + 1, step(source, index, from[axis]!), step(start, index, to[axis]!)))
    const after = addAffine(start, affine(kept * to[axis]!))
    return [
      low > 0 ? fill(y, low * to[axis]!, `low${axis}`) : [],
      middle,
      high > 0 ? fill(after, high * to[axis]!, `high${axis}`) : [],
    ]
  }
  const shared = axes.length > 1 && axes[0]!.low === 0 && axes[0]!.high === 0
  const body = shared
    ? level(1, affine(0, { i0: from[0]! }), affine(0, { i0: to[0]! }))
    : level(0, affine(0), affine(0))
  return kernel({
    name: 'pad',
    buffers: [
      buffer('x', 'f32', sizeOf(pad.shape) + slack, 'read'),
      buffer('y', 'f32', sizeOf(pad.shape.map((n, i) => n + pad.low[i]! + pad.high[i]!)) + slack, 'write'),
    ],
    axes: shared ? [{ index: 'i0', extent: axes[0]!.extent }] : [],
    body,
  })
}

const step = (at: Affine, index: string, scale: number) => addAffine(at, affine(0, { [index]: scale }))

export interface ResampleShape {
  readonly outer: number
  readonly inputSize: number
  readonly rows: readonly (readonly (readonly [index: number, weight: number])[])[]
  readonly inner: number
}

/** The table in memory: `taps` entries a row, short rows filled up with weight 0. */
export function resampleTables({ rows }: ResampleShape): { taps: number; index: Int32Array; weight: Float32Array } {
  const taps = Math.max(1, ...rows.map((row) => row.length))
  const index = new Int32Array(rows.length * taps)
  const weight = new Float32Array(rows.length * taps)
  rows.forEach((row, i) => {
    row.forEach(([from, factor], t) => {
      index[i * taps + t] = from
      weight[i * taps + t] = factor
    })
  })
  return { taps, index, weight }
}

/** A linear map along one axis by a table. Buffers x, index, weight, y. */
export function resampleKernel(shape: ResampleShape, { lanes }: TargetFeatures): Kernel {
  const { outer, inputSize, rows, inner } = shape
  const taps = Math.max(1, ...rows.map((row) => row.length))
  const copies = taps === 1 && rows.every((row) => row.length === 1 && row[0]![1] === 1)
  const y = affine(0, { o: rows.length * inner, i: inner })
  const tap = (t: number | undefined): Statements => {
    const entry = affine(t ?? 0, { i: taps, ...(t === undefined ? { t: 1 } : {}) })
    const suffix = t === undefined ? 'Next' : ''
    const from = `from${suffix}`
    const factor = define(`factor${suffix}`, splat(load('weight', entry), lanes))
    const used = define(`used${suffix}`, eq(read(factor), f32(0, lanes)))
    const run = channelVectors(inner, lanes, `j${suffix}`, (at, count) => {
      const x = load('x', addAffine(at, affine(0, { o: inputSize * inner, [from]: inner })), lanes)
      const place = addAffine(y, at)
      if (copies) return [store('y', place, x, count)]
      const before = t === undefined ? load('y', place, lanes) : f32(0, lanes)
      return [store('y', place, select(read(used), before, add(before, mul(x, read(factor)))), count)]
    })
    const at = clampIndex(from, load('index', entry, 1, 'i32'), 0, inputSize - 1)
    return copies ? [at, run] : [at, factor, used, run]
  }
  return kernel({
    name: 'resample',
    buffers: [
      buffer('x', 'f32', outer * inputSize * inner + slack, 'read'),
      buffer('index', 'i32', rows.length * taps, 'read'),
      buffer('weight', 'f32', rows.length * taps, 'read'),
      buffer('y', 'f32', outer * rows.length * inner + slack, 'update'),
    ],
    axes: [
      { index: 'o', extent: outer },
      { index: 'i', extent: rows.length },
    ],
    body: [tap(0), taps > 1 ? loop('t', 1, taps, 1, tap(undefined)) : []],
  })
}
