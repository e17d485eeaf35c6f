import { hashBits } from '../base/random.ts'
import { broadcastStrides, forEachIndex, type Shape, sizeOf, stridesOf } from '../base/shape.ts'
import { forEachTerm, inputGradient, kernelGradient, output } from '../conv/reference.ts'
import type { Contraction, ConvSpec } from '../conv/spec.ts'
import { type MapFunction, mapValue } from './map.ts'
import { resampleValue } from './resample.ts'
import { type Tensor, topological } from './tensor.ts'

type Values = ArrayLike<number>

const dot = (index: readonly number[], strides: readonly number[]) => {
  let sum = 0
  for (let i = 0; i < index.length; i++) sum += index[i]! * strides[i]!
  return sum
}

function mapValues(fn: MapFunction, inputs: readonly Tensor[], values: readonly Values[], shape: Shape): Float64Array {
  const y = new Float64Array(sizeOf(shape))
  const strides = inputs.map((input) => broadcastStrides(input.shape, shape))
  const f = mapValue[fn]
  let at = 0
  forEachIndex(shape, (index) => {
    const [a, b, c] = values.map((list, i) => list[dot(index, strides[i]!)]!)
    y[at++] = f(a!, b!, c!)
  })
  return y
}

function reduceValues(fn: 'sum' | 'max', x: Values, from: Shape, to: Shape, rounded: boolean): Values {
  const y = new (rounded ? Float32Array : Float64Array)(sizeOf(to)).fill(fn === 'sum' ? 0 : -Infinity)
  const strides = broadcastStrides(to, from)
  let at = 0
  forEachIndex(from, (index) => {
    const i = dot(index, strides)
    const value = x[at++]!
    y[i] = fn === 'sum' ? y[i]! + value : Math.max(y[i]!, value)
  })
  return y
}

/** Copies the box of `shape` from x at `from` with its strides to y. */
function copyBox(x: Values, xAt: number, xStrides: Shape, y: Float64Array, yAt: number, yStrides: Shape, shape: Shape) {
  if (shape.some((n) => n <= 0)) return
  forEachIndex(shape, (index) => {
    y[yAt + dot(index, yStrides)] = x[xAt + dot(index, xStrides)]!
  })
}

function padValues(x: Values, from: Shape, low: Shape, to: Shape, value: number): Float64Array {
  const y = new Float64Array(sizeOf(to)).fill(value)
  const [xs, ys] = [stridesOf(from), stridesOf(to)]
  const start = low.map((n) => Math.max(0, -n))
  const at = low.map((n) => Math.max(0, n))
  const box = from.map((n, axis) => Math.min(n - start[axis]!, to[axis]! - at[axis]!))
  copyBox(x, dot(start, xs), xs, y, dot(at, ys), ys, box)
  return y
}

function concatValues(node: Tensor, values: readonly Values[], axis: number): Float64Array {
  const y = new Float64Array(sizeOf(node.shape))
  const ys = stridesOf(node.shape)
  let from = 0
  node.inputs.forEach(({ shape }, i) => {
    copyBox(values[i]!, 0, stridesOf(shape), y, from * ys[axis]!, ys, shape)
    from += shape[axis]!
  })
  return y
}

/** For each element of y, the index in x of the first largest element of its window. */
function firstLargest(spec: ConvSpec, x: Values, count: number): Int32Array {
  const best = new Int32Array(count).fill(-1)
  forEachTerm(spec, (xi, _, yi) => {
    const largest = best[yi]! < 0 ? undefined : x[best[yi]!]!
    // NaN is larger than anything, as in Math.max
    if (largest === undefined || x[xi]! > largest || (Number.isNaN(x[xi]) && !Number.isNaN(largest))) best[yi] = xi
  })
  return best
}

function windowMaxValues(node: Tensor, spec: ConvSpec, values: readonly Values[]): Float64Array {
  const y = new Float64Array(sizeOf(node.shape))
  const scatter = node.operation.kind === 'windowMaxScatter'
  const source = node.operation.kind === 'windowMax' ? values[0]! : values[2]!
  firstLargest(spec, values[0]!, scatter ? source.length : y.length).forEach((xi, yi) => {
    if (scatter) y[xi]! += source[yi]!
    else y[yi] = source[xi]!
  })
  return y
}

function uniformValues(count: number, key: Values, salt: number): Float64Array {
  const mixed = hashBits(key[1]!, hashBits(salt, key[0]!) | 0) | 0
  return Float64Array.from({ length: count }, (_, i) => (hashBits(i, mixed) >>> 8) / 16777216)
}

/** Of the indices of x, w and y that a term has: the first operand's, the second's and the result's. */
const places = { output: [0, 1, 2], inputGradient: [2, 1, 0], kernelGradient: [0, 2, 1] } as const

/** A contraction whose every sum is rounded to float32. */
function roundedContraction(node: Tensor, contraction: Contraction, spec: ConvSpec, [a, b]: readonly Values[]): Values {
  const y = new Float32Array(sizeOf(node.shape))
  const [i, j, k] = places[contraction]
  forEachTerm(spec, (...at) => {
    y[at[k]]! += a![at[i]]! * b![at[j]]!
  })
  return y
}

function nodeValue(node: Tensor, values: readonly Values[], rounded: boolean): Values {
  const { operation, inputs, shape } = node
  switch (operation.kind) {
    case 'placeholder':
      throw new Error('fovea internal error: a placeholder without a value')
    case 'constant':
      return operation.data
    case 'fill':
      return new Float64Array(sizeOf(shape)).fill(operation.value)
    case 'variable':
      return operation.variable.initial ?? operation.variable.read()
    case 'map':
      return mapValues(operation.fn, inputs, values, shape)
    case 'uniform':
      return uniformValues(sizeOf(shape), values[0]!, operation.salt)
    case 'reduce':
      return reduceValues(operation.fn, values[0]!, inputs[0]!.shape, shape, rounded)
    case 'reshape':
      return values[0]!
    case 'transpose': {
      const y = new Float64Array(sizeOf(shape))
      const strides = stridesOf(inputs[0]!.shape)
      const xs = operation.order.map((axis) => strides[axis]!)
      copyBox(values[0]!, 0, xs, y, 0, stridesOf(shape), shape)
      return y
    }
    case 'pad':
      return padValues(values[0]!, inputs[0]!.shape, operation.low, shape, operation.value)
    case 'concat':
      return concatValues(node, values, operation.axis)
    case 'resample':
      return resampleValue(values[0]!, inputs[0]!.shape, operation.axis, operation.table)
    case 'contract': {
      if (rounded) return roundedContraction(node, operation.contraction, operation.spec, values)
      const contraction = { output, inputGradient, kernelGradient }[operation.contraction]
      return contraction(operation.spec, values[0]!, values[1]!)
    }
    case 'windowMax':
    case 'windowMaxGather':
    case 'windowMaxScatter':
      return windowMaxValues(node, operation.spec, values)
  }
}

/**
 * Computes tensors in float64 by the definitions: the judge of every target. `feeds` gives placeholders (any node).
 * `rounded` rounds every result and every sum to float32, which shows what single precision by itself costs.
 */
export function referenceValues(
  roots: readonly Tensor[],
  feeds: ReadonlyMap<Tensor, ArrayLike<number>> = new Map(),
  rounded = false,
): Float64Array[] {
  const known = new Map<Tensor, Values>(feeds)
  for (const node of topological(roots)) {
    if (known.has(node)) continue
    const values = nodeValue(
      node,
      node.inputs.map((input) => known.get(input)!),
      rounded,
    )
    known.set(node, rounded ? Float32Array.from(values) : values)
  }
  return roots.map((root) => Float64Array.from(known.get(root)!))
}
