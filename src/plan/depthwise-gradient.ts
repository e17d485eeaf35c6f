import { forEachIndex, sizeOf, stridesOf } from '../base/shape.ts'
import { type ConvSpec, inputShape, kernelShape, outputShape } from '../conv/spec.ts'
import {
  add,
  addAffine,
  affine,
  buffer,
  define,
  f32,
  kernel,
  load,
  loop,
  multiplyAdd,
  read,
  type Statements,
  set,
  shiftAffine,
  store,
  variable,
} from '../kernel/builder.ts'
import type { Affine, Kernel, Lanes, TargetFeatures } from '../kernel/ir.ts'
import { namer } from './names.ts'
import { slack } from './types.ts'

/** Accumulators that stay in registers beside the gradient and an input. */
const keptSums = 9

interface Tap {
  /** Distance of its input from the window's first, and its place in the kernel. */
  readonly x: number
  readonly w: number
}

function tapsOf(spec: ConvSpec): Tap[] {
  const xs = stridesOf(inputShape(spec))
  const ws = stridesOf(kernelShape(spec))
  const offset = spec.padLow.reduce((sum, low, i) => sum - low * xs[i + 1]!, 0)
  const taps: Tap[] = []
  forEachIndex(spec.kernel, (k) => {
    taps.push({
      x: k.reduce((sum, at, i) => sum + at * spec.dilation[i]! * xs[i + 1]!, offset),
      w: k.reduce((sum, at, i) => sum + at * ws[i]!, 0),
    })
  })
  return taps
}

/** dw[k, c]: vectors of channels; up to nine taps summed in registers over one sample, samples through memory. */
export function depthwiseKernelGradients(spec: ConvSpec, { lanes }: TargetFeatures): Kernel[] {
  const vectors = Math.floor(spec.inChannels / lanes)
  const rest = spec.inChannels - vectors * lanes
  const parts = [
    { channel: affine(0, vectors > 1 ? { c: lanes } : {}), count: lanes, many: vectors },
    { channel: affine(vectors * lanes), count: rest, many: rest > 0 ? 1 : 0 },
  ]
  return parts
    .filter(({ many }) => many > 0)
    .map(({ channel, count, many }) =>
      kernel({
        name: 'depthwiseKernelGradient',
        buffers: [
          buffer('a', 'f32', sizeOf(inputShape(spec)) + slack, 'read'),
          buffer('b', 'f32', sizeOf(outputShape(spec)) + slack, 'read'),
          buffer('y', 'f32', sizeOf(kernelShape(spec)) + slack, 'update'),
        ],
        axes: many > 1 ? [{ index: 'c', extent: many }] : [],
        body: vectorCode(spec, lanes, channel, count),
      }),
    )
}

/** All taps of one vector of channels, nine at a time. */
function vectorCode(spec: ConvSpec, lanes: Lanes, channel: Affine, count: number): Statements {
  const xs = stridesOf(inputShape(spec))
  const ys = stridesOf(outputShape(spec))
  const taps = tapsOf(spec)
  const name = namer()
  const names = spec.output.map((_, i) => `p${i}`)
  const along = (strides: readonly number[], steps: readonly number[]) =>
    addAffine(
      channel,
      affine(0, { n: strides[0]!, ...Object.fromEntries(names.map((p, i) => [p, steps[i]! * strides[i + 1]!])) }),
    )
  const ones = spec.output.map(() => 1)
  const parts: Statements[] = []
  for (let first = 0; first < taps.length; first += keptSums) {
    const some = taps.slice(first, first + keptSums)
    const sums = some.map(() => variable(name('acc'), f32(0, lanes)))
    const places = some.map((tap) => addAffine(channel, affine(tap.w)))
    const g = define(name('g'), load('b', along(ys, ones), lanes))
    const xAt = along(xs, spec.stride)
    const products = some.map((tap, i) =>
      set(sums[i]!.name, multiplyAdd(load('a', shiftAffine(xAt, tap.x), lanes), read(g), read(sums[i]!))),
    )
    const overSpace = spec.output.reduceRight<Statements>(
      (inner, n, i) => loop(names[i]!, 0, n, 1, inner),
      [g, products],
    )
    const added = places.map((place, i) => store('y', place, add(load('y', place, lanes), read(sums[i]!)), count))
    parts.push(
      places.map((place) => store('y', place, f32(0, lanes), count)),
      loop('n', 0, spec.batch, 1, [sums, overSpace, added]),
    )
  }
  return parts
}
