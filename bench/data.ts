import { randomSource } from '../src/base/random.ts'
import { forEachIndex, sizeOf, stridesOf } from '../src/base/shape.ts'
import { inputShape, kernelShape, outputShape } from '../src/conv/index.ts'
import type { Work } from './lists.ts'

/** Shapes of both operands and of the result. */
export function shapesOf({ operation, spec }: Work) {
  const [x, w, y] = [inputShape(spec), kernelShape(spec), outputShape(spec)]
  if (operation === 'output') return { a: x, b: w, result: y }
  return operation === 'inputGradient' ? { a: y, b: w, result: x } : { a: x, b: y, result: w }
}

export const seededValues = (length: number, seed: number): Float32Array => {
  const random = randomSource(seed)
  return Float32Array.from({ length }, () => random.normal())
}

export interface Operands {
  readonly a: Float32Array
  readonly b: Float32Array
}

/** The same numbers in every process; the second operand is scaled so that results are about 1. */
export function operandsOf(work: Work): Operands {
  const { a, b } = shapesOf(work)
  const scale = 1 / Math.sqrt(sizeOf(work.spec.kernel) * (work.spec.inChannels / work.spec.groups))
  return { a: seededValues(sizeOf(a), 1), b: seededValues(sizeOf(b), 2).map((value) => value * scale) }
}

/** [N, spatial..., C] to [N, C, spatial...]; a kernel [k..., I, O] to [O, I, k...] by `lastFirst` of itself. */
export function channelsFirst(values: Float32Array, shape: readonly number[]): Float32Array {
  const [batch, channels] = [shape[0]!, shape.at(-1)!]
  const places = sizeOf(shape) / batch / channels
  const result = new Float32Array(values.length)
  for (let n = 0; n < batch; n++)
    for (let c = 0; c < channels; c++)
      for (let p = 0; p < places; p++)
        result[(n * channels + c) * places + p] = values[(n * places + p) * channels + c]!
  return result
}

/** [N, C, spatial...] to [N, spatial..., C]; `shape` is the latter. */
export function channelsLast(values: Float32Array, shape: readonly number[]): Float32Array {
  const places = sizeOf(shape.slice(1, -1))
  return channelsFirst(values, [shape[0]!, shape.at(-1)!, places])
}

/** A kernel [k..., I, O] as ONNX, PyTorch and jax want it: [O, I, k...]. */
export function kernelFirst(values: Float32Array, shape: readonly number[]): Float32Array {
  const [inside, outer] = shape.slice(-2) as [number, number]
  const taps = sizeOf(shape) / inside / outer
  const result = new Float32Array(values.length)
  for (let k = 0; k < taps; k++)
    for (let i = 0; i < inside; i++)
      for (let o = 0; o < outer; o++) result[(o * inside + i) * taps + k] = values[(k * inside + i) * outer + o]!
  return result
}

/** Place in x of tap `k` at output `p`, without channels; -1 outside. */
function inputPlace({ spec }: Work, p: readonly number[], k: readonly number[]): number {
  let place = 0
  for (let axis = 0; axis < spec.rank; axis++) {
    const at = spec.stride[axis]! * p[axis]! + spec.dilation[axis]! * k[axis]! - spec.padLow[axis]!
    if (at < 0 || at >= spec.input[axis]!) return -1
    place = place * spec.input[axis]! + at
  }
  return place
}

const coordinates = (place: number, shape: readonly number[]) =>
  stridesOf(shape).map((stride, axis) => Math.floor(place / stride) % shape[axis]!)

/** One element of the result, summed in float64. */
export function elementAt(work: Work, { a, b }: Operands, place: number): number {
  const { spec, operation } = work
  const { inChannels, outChannels, groups } = spec
  const [inside, outside] = [inChannels / groups, outChannels / groups]
  const [pixels, places] = [sizeOf(spec.input), sizeOf(spec.output)]
  const at = coordinates(place, shapesOf(work).result)
  let sum = 0
  if (operation === 'output') {
    const [n, o, p] = [at[0]!, at.at(-1)!, at.slice(1, -1)]
    const first = Math.floor(o / outside) * inside
    let tap = 0
    forEachIndex(spec.kernel, (k) => {
      const x = inputPlace(work, p, k)
      for (let c = 0; x >= 0 && c < inside; c++)
        sum += a[(n * pixels + x) * inChannels + first + c]! * b[(tap * inside + c) * outChannels + o]!
      tap++
    })
  } else if (operation === 'inputGradient') {
    const [n, channel, q] = [at[0]!, at.at(-1)!, at.slice(1, -1)]
    const [group, c] = [Math.floor(channel / inside), channel % inside]
    let tap = -1
    forEachIndex(spec.kernel, (k) => {
      tap++
      let y = 0
      for (let axis = 0; axis < spec.rank; axis++) {
        const p = (q[axis]! + spec.padLow[axis]! - spec.dilation[axis]! * k[axis]!) / spec.stride[axis]!
        if (!Number.isInteger(p) || p < 0 || p >= spec.output[axis]!) return
        y = y * spec.output[axis]! + p
      }
      for (let o = group * outside; o < (group + 1) * outside; o++)
        sum += a[(n * places + y) * outChannels + o]! * b[(tap * inside + c) * outChannels + o]!
    })
  } else {
    const [c, o] = at.slice(-2) as [number, number]
    const channel = Math.floor(o / outside) * inside + c
    let y = 0
    forEachIndex([spec.batch, ...spec.output], ([n, ...p]) => {
      const x = inputPlace(work, p, at.slice(0, -2))
      if (x >= 0) sum += a[(n! * pixels + x) * inChannels + channel]! * b[y * outChannels + o]!
      y++
    })
  }
  return sum
}

/** Largest difference relative to the root mean square of what is expected; Infinity when something isn't a number. */
export function relativeError(expected: ArrayLike<number>, got: ArrayLike<number>): number {
  if (expected.length !== got.length) return Number.POSITIVE_INFINITY
  let worst = 0
  let squares = 0
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(expected[i]! - got[i]!)
    if (!(difference <= worst)) worst = difference
    squares += expected[i]! ** 2
    if (Number.isNaN(worst)) return Number.POSITIVE_INFINITY
  }
  return worst / (Math.sqrt(squares / expected.length) + 1e-30)
}

/** A wrong tap among K changes a result by 1 / sqrt(K) of its size, at least 0.01 here; rounding by less than this. */
export const allowedError = 1e-3

/** Error of a result at `samples` places chosen by a seed and at its first and last ones. */
export function sampledError(work: Work, operands: Operands, result: Float32Array, samples = 64): number {
  const { result: shape } = shapesOf(work)
  if (result.length !== sizeOf(shape)) return Number.POSITIVE_INFINITY
  const random = randomSource(3)
  const last = result.length - 1
  const places = [0, last, ...Array.from({ length: samples }, () => random.integer(result.length))]
  return relativeError(
    places.map((place) => elementAt(work, operands, place)),
    places.map((place) => result[place]!),
  )
}
