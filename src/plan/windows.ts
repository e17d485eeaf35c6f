import { forEachIndex, sizeOf, stridesOf } from '../base/shape.ts'
import { type ConvSpec, dilatedExtent, inputShape, outputShape } from '../conv/spec.ts'
import {
  add,
  addAffine,
  affine,
  and,
  buffer,
  define,
  eq,
  f32,
  i32,
  kernel,
  load,
  loop,
  lt,
  ne,
  or,
  read,
  type Statements,
  select,
  set,
  store,
  variable,
  xor,
} from '../kernel/builder.ts'
import type { Affine, Kernel, TargetFeatures } from '../kernel/ir.ts'
import { channelVectors } from './channels.ts'
import { type Namer, namer } from './names.ts'
import { slack } from './types.ts'

/** Addresses of a window's elements and of its result. */
function places(spec: ConvSpec) {
  const xs = stridesOf(inputShape(spec))
  const ys = stridesOf(outputShape(spec))
  const names = ['n', ...spec.output.map((_, i) => `p${i}`)]
  const offset = spec.padLow.reduce((sum, low, i) => sum - low * xs[i + 1]!, 0)
  const x = affine(0, Object.fromEntries(names.map((p, i) => [p, i === 0 ? xs[0]! : spec.stride[i - 1]! * xs[i]!])))
  const y = affine(0, Object.fromEntries(names.map((p, i) => [p, ys[i]!])))
  return { names, x: addAffine(affine(offset), x), y, extents: [spec.batch, ...spec.output] }
}

/** Windows of up to this many elements are written out; larger ones are loops. */
const unrolled = 32

/** `visit` for every element of a window, in order, with its distance from the window's first element. */
function overTaps(spec: ConvSpec, name: Namer, visit: (tap: Affine) => Statements): Statements {
  const xs = stridesOf(inputShape(spec))
  const steps = spec.kernel.map((_, i) => spec.dilation[i]! * xs[i + 1]!)
  if (sizeOf(spec.kernel) > unrolled) {
    const indices = spec.kernel.map(() => name('k'))
    const tap = affine(0, Object.fromEntries(indices.map((index, i) => [index, steps[i]!])))
    return indices.reduceRight<Statements>((inner, index, i) => loop(index, 0, spec.kernel[i]!, 1, inner), visit(tap))
  }
  const code: Statements[] = []
  forEachIndex(spec.kernel, (k) => {
    code.push(visit(affine(k.reduce((sum, at, i) => sum + at * steps[i]!, 0))))
  })
  return code
}

const overPositions = (names: readonly string[], extents: readonly number[], body: Statements): Statements =>
  names.reduceRight<Statements>((inner, name, i) => loop(name, 0, extents[i]!, 1, inner), body)

const nonTrivial = (names: readonly string[], extents: readonly number[]) =>
  names.map((index, i) => ({ index, extent: extents[i]! }))

/** Largest element of each window. Buffers x, y. Padding, if any, was filled with -Infinity before. */
export function windowMaxKernel(spec: ConvSpec, { lanes }: TargetFeatures): Kernel {
  const { names, x, y, extents } = places(spec)
  const name = namer()
  const body = channelVectors(spec.inChannels, lanes, 'c', (channel, count) => {
    const best = variable(name('best'), f32(-Infinity, lanes))
    // NaN is watched apart: a maximum that keeps it takes about eight machine instructions, one that needn't takes one
    const odd = variable(name('odd'), i32(0, lanes))
    return [
      best,
      odd,
      overTaps(spec, name, (tap) => {
        const value = define(name('value'), load('x', addAffine(x, channel, tap), lanes))
        return [
          value,
          set(best.name, select(lt(read(best), read(value)), read(value), read(best))),
          set(odd.name, or(read(odd), ne(read(value), read(value)))),
        ]
      }),
      store('y', addAffine(y, channel), select(read(odd), f32(NaN, lanes), read(best)), count),
    ]
  })
  const last = names.length - 1
  return kernel({
    name: 'windowMax',
    buffers: [
      buffer('x', 'f32', sizeOf(inputShape(spec)) + slack, 'read'),
      buffer('y', 'f32', sizeOf(outputShape(spec)) + slack, 'write'),
    ],
    axes: nonTrivial(names.slice(0, last), extents),
    body: loop(names[last]!, 0, extents[last]!, 1, body),
  })
}

/**
 * The first element of each window that equals its maximum, tap by tap: `visit` gets the tap's place in x and a mask
 * that is set there only.
 */
function firstLargest(
  spec: ConvSpec,
  lanes: 1 | 4,
  name: Namer,
  channel: Affine,
  visit: (at: Affine, mask: ReturnType<typeof read>) => Statements,
): Statements {
  const { x, y } = places(spec)
  const largest = define(name('largest'), load('y', addAffine(y, channel), lanes))
  const taken = variable(name('taken'), i32(0, lanes))
  return [
    largest,
    taken,
    overTaps(spec, name, (tap) => {
      const at = addAffine(x, channel, tap)
      const equal = define(name('equal'), eq(load('x', at, lanes), read(largest)))
      const first = define(name('first'), and(read(equal), xor(read(taken), i32(-1, lanes))))
      return [equal, first, visit(at, read(first)), set(taken.name, or(read(taken), read(equal)))]
    }),
  ]
}

/** Adds g to the first largest element of each window; dx is cleared before. Buffers x, y, g, dx. */
export function windowMaxScatterKernel(spec: ConvSpec, { lanes }: TargetFeatures): Kernel {
  const { names, y, extents } = places(spec)
  const name = namer()
  const perSample = sizeOf(inputShape(spec)) / spec.batch
  const overlap = spec.kernel.some((k, i) => spec.stride[i]! < dilatedExtent(k, spec.dilation[i]!))
  const body = channelVectors(spec.inChannels, lanes, 'c', (channel, count) => {
    const g = define(name('g'), load('g', addAffine(y, channel), lanes))
    return [
      g,
      firstLargest(spec, lanes, name, channel, (at, mask) => {
        const value = select(mask, read(g), f32(0, lanes))
        return [store('dx', at, overlap ? add(load('dx', at, lanes), value) : value, count)]
      }),
    ]
  })
  const clear = channelVectors(perSample, lanes, 'z', (at, count) => [
    store('dx', addAffine(at, affine(0, { n: perSample })), f32(0, lanes), count),
  ])
  return kernel({
    name: 'windowMaxScatter',
    buffers: [
      buffer('x', 'f32', sizeOf(inputShape(spec)) + slack, 'read'),
      buffer('y', 'f32', sizeOf(outputShape(spec)) + slack, 'read'),
      buffer('g', 'f32', sizeOf(outputShape(spec)) + slack, 'read'),
      buffer('dx', 'f32', sizeOf(inputShape(spec)) + slack, 'update'),
    ],
    axes: [{ index: 'n', extent: spec.batch }],
    body: [clear, overPositions(names.slice(1), extents.slice(1), body)],
  })
}

/** t at the first largest element of each window. Buffers x, y, t, out. */
export function windowMaxGatherKernel(spec: ConvSpec, { lanes }: TargetFeatures): Kernel {
  const { names, y, extents } = places(spec)
  const name = namer()
  const body = channelVectors(spec.inChannels, lanes, 'c', (channel, count) => {
    const value = variable(name('value'), f32(0, lanes))
    return [
      value,
      firstLargest(spec, lanes, name, channel, (at, mask) => [
        set(value.name, select(mask, load('t', at, lanes), read(value))),
      ]),
      store('out', addAffine(y, channel), read(value), count),
    ]
  })
  return kernel({
    name: 'windowMaxGather',
    buffers: [
      buffer('x', 'f32', sizeOf(inputShape(spec)) + slack, 'read'),
      buffer('y', 'f32', sizeOf(outputShape(spec)) + slack, 'read'),
      buffer('t', 'f32', sizeOf(inputShape(spec)) + slack, 'read'),
      buffer('out', 'f32', sizeOf(outputShape(spec)) + slack, 'write'),
    ],
    axes: [{ index: 'n', extent: spec.batch }],
    body: overPositions(names.slice(1), extents.slice(1), body),
  })
}
