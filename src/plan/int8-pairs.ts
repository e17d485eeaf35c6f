import { type Shape, sizeOf, stridesOf } from '../base/shape.ts'
import { type ConvSpec, inputShape, kernelShape } from '../conv/spec.ts'
import {
  add,
  addAffine,
  affine,
  and,
  bitsToI32,
  buffer,
  f32,
  i32,
  kernel,
  load,
  loop,
  or,
  type Statements,
  shiftAffine,
  shl,
  store,
} from '../kernel/builder.ts'
import type { Affine, Expr, Kernel } from '../kernel/ir.ts'
import { channelVectors } from './channels.ts'
import { slack } from './types.ts'

const lanes = 4

/** Pairs of channels in a group: channel j and channel j + half; with an odd number the last has only its first. */
const halfOf = (spec: ConvSpec): number => Math.ceil(spec.inChannels / spec.groups / 2)

/** The input with its borders, in pairs: [N, padded spatial..., groups * half]. Negative padding has cropped it. */
export const pairImageShape = (spec: ConvSpec): Shape => [
  spec.batch,
  ...spec.input.map((n, axis) => n + spec.padLow[axis]! + spec.padHigh[axis]!),
  spec.groups * halfOf(spec),
]

/** The sum with this has no fraction bits, and a whole number's own 16 bits are its lowest. */
const magic = 1.5 * 2 ** 23
const whole = (x: Expr): Expr => bitsToI32(add(x, f32(magic, x.lanes)))

/** Two whole numbers in the halves of one lane. */
function pair(low: Expr, high: Expr | undefined): Expr {
  const lower = and(whole(low), i32(0xffff, low.lanes))
  return high ? or(lower, shl(whole(high), 16)) : lower
}

/** Pairs of all groups of one pixel: from x at `from` to pairs at `to`. */
function pixelCode(spec: ConvSpec, from: Affine, to: Affine): Statements {
  const { groups } = spec
  const perGroup = spec.inChannels / groups
  const half = halfOf(spec)
  const group = (index: Record<string, number>, out: Record<string, number>): Statements => {
    const at = addAffine(from, affine(0, index))
    const into = addAffine(to, affine(0, out))
    const both = channelVectors(perGroup - half, lanes, 'j', (channel, count) => {
      const low = load('a', addAffine(at, channel), lanes)
      const high = load('a', addAffine(at, channel, affine(half)), lanes)
      return [store('pairs', addAffine(into, channel), pair(low, high), count)]
    })
    const last = half - 1
    const single = pair(load('a', shiftAffine(at, last)), undefined)
    return perGroup % 2 === 0 ? both : [both, store('pairs', shiftAffine(into, last), single)]
  }
  return groups === 1 ? group({}, {}) : loop('g', 0, groups, 1, group({ g: perGroup }, { g: half }))
}

/** Zeros in `count` pairs from `at` on. */
const zeros = (name: string, at: Affine, count: number): Statements =>
  channelVectors(count, lanes, name, (offset, n) => [store('pairs', addAffine(at, offset), i32(0, lanes), n)])

interface Line {
  readonly first: number
  readonly kept: number
  readonly low: number
  readonly high: number
}

/** What stays of an axis, and zeros before and after it. */
const linesOf = (spec: ConvSpec): Line[] =>
  spec.input.map((n, axis) => {
    const [low, high] = [spec.padLow[axis]!, spec.padHigh[axis]!]
    const first = Math.max(0, -low)
    return { first, kept: n - first - Math.max(0, -high), low: Math.max(0, low), high: Math.max(0, high) }
  })

/** The input with its borders as pairs: one point a row, and the borders of all axes but the last. */
export function pairImageKernels(spec: ConvSpec): Kernel[] {
  const lines = linesOf(spec)
  const last = lines.length - 1
  const from = stridesOf(inputShape(spec))
  const to = stridesOf(pairImageShape(spec))
  const buffers = [
    buffer('a', 'f32', sizeOf(inputShape(spec)) + slack, 'read'),
    buffer('pairs', 'i32', sizeOf(pairImageShape(spec)), 'write'),
  ]
  /** Axes of the batch and the first `count` spatial axes, and where their points lie. */
  const outer = (count: number) => {
    const kept = lines.slice(0, count)
    const start = (strides: Shape, key: 'first' | 'low') =>
      kept.reduce((sum, line, i) => sum + line[key] * strides[i + 1]!, 0)
    const along = (strides: Shape) => Object.fromEntries(kept.map((_, i) => [`i${i}`, strides[i + 1]!]))
    return {
      axes: [{ index: 'n', extent: spec.batch }, ...kept.map((line, i) => ({ index: `i${i}`, extent: line.kept }))],
      x: affine(start(from, 'first'), { n: from[0]!, ...along(from) }),
      y: affine(start(to, 'low'), { n: to[0]!, ...along(to) }),
    }
  }
  const row = outer(last)
  const { first, kept, low, high } = lines[last]!
  const pixel = (strides: Shape) => affine(0, { p: strides[last + 1]! })
  const x = addAffine(shiftAffine(row.x, first * from[last + 1]!), pixel(from))
  const y = shiftAffine(row.y, low * to[last + 1]!)
  const interior = kernel({
    name: 'pairs',
    buffers,
    axes: row.axes,
    body: [
      zeros('before', row.y, low * to[last + 1]!),
      loop('p', 0, kept, 1, pixelCode(spec, x, addAffine(y, pixel(to)))),
      zeros('after', shiftAffine(y, kept * to[last + 1]!), high * to[last + 1]!),
    ],
  })
  const borders = lines.slice(0, last).flatMap((line, axis): Kernel[] => {
    if (line.low + line.high === 0) return []
    const around = outer(axis)
    const stride = to[axis + 1]!
    const body = [
      zeros('before', around.y, line.low * stride),
      zeros('after', shiftAffine(around.y, (line.low + line.kept) * stride), line.high * stride),
    ]
    return [kernel({ name: 'border', buffers: buffers.slice(1), axes: around.axes, body })]
  })
  return [interior, ...borders]
}

/** Kernels as tiles read them: [group][block of `width` columns][taps][pairs of channels][columns of the block]. */
export function pairWeightKernels(spec: ConvSpec, width: number, length: number): Kernel[] {
  const { groups } = spec
  const perGroup = spec.inChannels / groups
  const half = halfOf(spec)
  const columns = spec.outChannels / groups
  const taps = sizeOf(spec.kernel)
  const perGroupLength = length / groups
  const full = Math.floor(columns / width)
  const parts = [
    { count: width, first: 0, many: full },
    { count: columns - full * width, first: full * width, many: 1 },
  ].filter(({ count, many }) => count > 0 && many > 0)
  return parts.map(({ count, first, many }) => {
    const padded = Math.ceil(count / lanes) * lanes
    const from = affine(first, { g: columns, block: width, k: perGroup * spec.outChannels })
    const to = affine(first * taps * half, { g: perGroupLength, block: width * taps * half, k: half * padded })
    const cells = (j: Record<string, number>, jTo: Record<string, number>, offset: number, both: boolean): Statements =>
      Array.from({ length: padded / lanes }, (_, v) => {
        const at = addAffine(from, affine(offset * spec.outChannels + v * lanes, j))
        const low = load('b', at, lanes)
        const high = both ? load('b', shiftAffine(at, half * spec.outChannels), lanes) : undefined
        return store('packed', addAffine(to, affine(offset * padded + v * lanes, jTo)), pair(low, high))
      })
    const last = perGroup % 2 === 0 ? [] : cells({}, {}, half - 1, false)
    const body = [loop('j', 0, perGroup - half, 1, cells({ j: spec.outChannels }, { j: padded }, 0, true)), last]
    return kernel({
      name: 'pack',
      buffers: [
        buffer('b', 'f32', sizeOf(kernelShape(spec)) + slack, 'read'),
        buffer('packed', 'i32', length, 'write'),
      ],
      axes: [
        { index: 'g', extent: groups },
        { index: 'block', extent: many },
      ],
      body: loop('k', 0, taps, 1, body),
    })
  })
}
