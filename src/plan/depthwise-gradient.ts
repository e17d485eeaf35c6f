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
import type { Kernel, TargetFeatures } from '../kernel/ir.ts'
import { channelVectors } from './channels.ts'
import { namer } from './names.ts'
import { slack } from './types.ts'

/** Accumulators that stay in registers beside the gradient and an input. */
const keptSums = 9

/** dw[k, c]: vectors of channels; up to nine taps summed in registers over one sample, samples through memory. */
export function depthwiseKernelGradient(spec: ConvSpec, features: TargetFeatures): Kernel {
  const { lanes } = features
  const xs = stridesOf(inputShape(spec))
  const ys = stridesOf(outputShape(spec))
  const ws = stridesOf(kernelShape(spec))
  const offset = spec.padLow.reduce((sum, low, i) => sum - low * xs[i + 1]!, 0)
  const taps: { x: number; w: number }[] = []
  forEachIndex(spec.kernel, (k) => {
    taps.push({
      x: k.reduce((sum, at, i) => sum + at * spec.dilation[i]! * xs[i + 1]!, offset),
      w: k.reduce((sum, at, i) => sum + at * ws[i]!, 0),
    })
  })
  const name = namer()
  const names = spec.output.map((_, i) => `p${i}`)
  const body = channelVectors(spec.inChannels, lanes, 'c', (channel, count) => {
    const parts: Statements[] = []
    for (let first = 0; first < taps.length; first += keptSums) {
      const some = taps.slice(first, first + keptSums)
      const sums = some.map(() => variable(name('acc'), f32(0, lanes)))
      const at = (strides: readonly number[], steps: readonly number[]) =>
        addAffine(
          channel,
          affine(0, {
            n: strides[0]!,
            ...Object.fromEntries(names.map((p, i) => [p, steps[i]! * strides[i + 1]!])),
          }),
        )
      const g = define(
        name('g'),
        load(
          'b',
          at(
            ys,
            spec.output.map(() => 1),
          ),
          lanes,
        ),
      )
      const xAt = at(xs, spec.stride)
      const step: Statements = [
        g,
        some.map((tap, i) =>
          set(sums[i]!.name, multiplyAdd(load('a', shiftAffine(xAt, tap.x), lanes), read(g), read(sums[i]!))),
        ),
      ]
      const overSpace = spec.output.reduceRight<Statements>((inner, n, i) => loop(names[i]!, 0, n, 1, inner), step)
      const add_ = some.map((tap, i) => {
        const place = addAffine(channel, affine(tap.w))
        return store('y', place, add(load('y', place, lanes), read(sums[i]!)), count)
      })
      parts.push(some.map((tap) => store('y', addAffine(channel, affine(tap.w)), f32(0, lanes), count)))
      parts.push(loop('n', 0, spec.batch, 1, [sums, overSpace, add_]))
    }
    return parts
  })
  return kernel({
    name: 'depthwiseKernelGradient',
    buffers: [
      buffer('a', 'f32', sizeOf(inputShape(spec)) + slack, 'read'),
      buffer('b', 'f32', sizeOf(outputShape(spec)) + slack, 'read'),
      buffer('y', 'f32', sizeOf(kernelShape(spec)) + slack, 'update'),
    ],
    axes: [],
    body,
  })
}
