// How each operation of a graph of tensors is written as ONNX nodes.
import { fail } from '../../base/errors.ts'
import { type ConvSpec, transposedOutputSize } from '../../conv/spec.ts'
import type { MapFunction } from '../../graph/map.ts'
import type { Table } from '../../graph/resample.ts'
import type { Tensor } from '../../graph/tensor.ts'
import { type Fixed, fixed } from './elements.ts'
import { permuteFixed } from './permute.ts'
import { type Attributes, axesIn, batchMark, type GraphWriter, orderOf, sizesIn, type Written } from './writer.ts'

/** Channels before the spatial axes, of a tensor that has them last. */
export const firstOrder = (rank: number): number[] =>
  rank < 3
    ? Array.from({ length: rank }, (_, i) => i)
    : [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)]

const unary: Readonly<Partial<Record<MapFunction, string>>> = {
  neg: 'Neg',
  abs: 'Abs',
  sign: 'Sign',
  exp: 'Exp',
  log: 'Log',
  sqrt: 'Sqrt',
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
  erf: 'Erf',
  floor: 'Floor',
  add: 'Add',
  sub: 'Sub',
  mul: 'Mul',
  div: 'Div',
  min: 'Min',
  max: 'Max',
  pow: 'Pow',
}

const isZero = ({ constant }: Written) => constant?.data.every((v) => v === 0) ?? false
const floatType = 1
const boolType = 9

function mapName(g: GraphWriter, fn: MapFunction, given: readonly Written[], rank: number, node: Tensor): string {
  const order = orderOf(given, rank)
  const rectified = fn === 'max' && isZero(given[1])
  const names = (rectified ? given.slice(0, 1) : given).map((value) => g.operand(value, rank, order))
  const one = () => g.constant(fixed('float32', [], [1]))
  switch (fn) {
    case 'max':
      return g.node(rectified ? 'Relu' : 'Max', names)
    case 'expm1':
      return g.node('Sub', [g.node('Exp', names), one()])
    case 'log1p':
      return g.node('Log', [g.node('Add', [names[0], one()])])
    case 'less':
    case 'equal':
      return g.node('Cast', [g.node(fn === 'less' ? 'Less' : 'Equal', names)], { to: floatType })
    case 'where':
      return g.node('Where', [g.node('Cast', [names[0]], { to: boolType }), names[1], names[2]])
    case 'identity': {
      const sizes = order.map((axis) => (node.shape[axis] % batchMark === 0 ? 1 : node.shape[axis]))
      return g.node('Expand', [names[0], g.integers(sizes)])
    }
    default:
      return g.node(unary[fn]!, names)
  }
}

export function writeMap(g: GraphWriter, fn: MapFunction, operands: readonly Written[], node: Tensor): Written {
  const rank = node.shape.length
  return { name: mapName(g, fn, operands, rank, node), shape: node.shape, order: orderOf(operands, rank) }
}

export function writeReduce(g: GraphWriter, fn: 'sum' | 'max', axes: readonly number[], x: Written): Written {
  const shape = x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n))
  const places = axesIn(x, axes)
  const name =
    fn === 'sum'
      ? g.node('ReduceSum', [x.name, g.integers(places)], { keepdims: 1 })
      : g.node('ReduceMax', [x.name], { axes: places, keepdims: 1 })
  return { name, shape, order: x.order }
}

/** Crops with Slice, then adds a border with Pad. */
export function writePad(g: GraphWriter, x: Written, low: readonly number[], high: readonly number[], value: number) {
  const [before, after] = [low, high].map((list) => x.order.map((axis) => list[axis]))
  const sizes = sizesIn(x)
  const cropped = sizes.flatMap((_, i) => (before[i] < 0 || after[i] < 0 ? [i] : []))
  let { name } = x
  if (cropped.length > 0) {
    const starts = cropped.map((i) => Math.max(-before[i], 0))
    const ends = cropped.map((i) => sizes[i] - Math.max(-after[i], 0))
    name = g.node('Slice', [name, g.integers(starts), g.integers(ends), g.integers(cropped)])
  }
  const pads = [...before, ...after].map((n) => Math.max(n, 0))
  if (pads.some((n) => n > 0))
    name = g.node('Pad', [name, g.integers(pads), g.constant(fixed('float32', [], [value]))], { mode: 'constant' })
  const shape = x.shape.map((n, axis) => n + low[axis] + high[axis])
  return { name, shape, order: x.order }
}

/** Picking elements is Gather, any other linear map along an axis a product with its matrix. */
export function writeResample(g: GraphWriter, x: Written, axis: number, table: Table): Written {
  const shape = x.shape.map((n, i) => (i === axis ? table.rows.length : n))
  if (table.rows.every((row) => row.length === 1 && row[0][1] === 1)) {
    const indices = g.integers(table.rows.map((row) => row[0][0]))
    const name = g.node('Gather', [x.name, indices], { axis: x.order.indexOf(axis) })
    return { name, shape, order: x.order }
  }
  const order = [...x.order.filter((a) => a !== axis), axis]
  const columns = table.rows.length
  const data = new Float32Array(table.inputSize * columns)
  table.rows.forEach((row, j) => {
    for (const [i, weight] of row) data[i * columns + j] += weight
  })
  const matrix = g.constant({ type: 'float32', shape: [table.inputSize, columns], data })
  return { name: g.node('MatMul', [g.arranged(x, order), matrix]), shape, order }
}

/** x with padding that ONNX's operators can't take (negative) done before. */
function cropped(g: GraphWriter, x: Written, spec: ConvSpec): { x: Written; low: number[]; high: number[] } {
  if ([...spec.padLow, ...spec.padHigh].every((n) => n >= 0))
    return { x, low: [...spec.padLow], high: [...spec.padHigh] }
  const [low, high] = [spec.padLow, spec.padHigh].map((pads) => [0, ...pads.map((n) => Math.min(n, 0)), 0])
  const [lowLeft, highLeft] = [spec.padLow, spec.padHigh].map((pads) => pads.map((n) => Math.max(n, 0)))
  return { x: writePad(g, x, low, high, 0), low: lowLeft, high: highLeft }
}

const attributesOf = (spec: ConvSpec): Attributes => ({
  kernel_shape: spec.kernel,
  strides: spec.stride,
  dilations: spec.dilation,
})

const first = (g: GraphWriter, x: Written) => g.arranged(x, firstOrder(x.shape.length))

export function writeMaxPool(g: GraphWriter, x: Written, spec: ConvSpec, shape: readonly number[]): Written {
  if ([...spec.padLow, ...spec.padHigh].some((n) => n < 0)) fail('saveOnnx', 'a max pooling crops', 'Crop before it')
  const name = g.node('MaxPool', [first(g, x)], { ...attributesOf(spec), pads: [...spec.padLow, ...spec.padHigh] })
  return { name, shape, order: firstOrder(shape.length) }
}

/** A kernel of ours [spatial..., I, O] as ONNX's [O, I, spatial...]. */
const kernelOrder = (rank: number) => [rank - 1, rank - 2, ...Array.from({ length: rank - 2 }, (_, i) => i)]

export interface Weights {
  readonly kernel: Written
  readonly bias: Fixed | undefined
}

function weightNames(g: GraphWriter, { kernel, bias }: Weights): string[] {
  const order = kernelOrder(kernel.shape.length)
  const name = kernel.constant ? g.constant(permuteFixed(kernel.constant, order), 'weight') : g.arranged(kernel, order)
  return bias ? [name, g.constant(bias, 'bias')] : [name]
}

export function writeConv(g: GraphWriter, source: Written, spec: ConvSpec, weights: Weights, shape: readonly number[]) {
  const { x, low, high } = cropped(g, source, spec)
  const attributes = { ...attributesOf(spec), group: spec.groups, pads: [...low, ...high] }
  const name = g.node('Conv', [first(g, x), ...weightNames(g, weights)], attributes)
  return { name, shape, order: firstOrder(shape.length) }
}

/** A constant kernel that sums each channel's window: an average times its size. */
export function writeAverage(g: GraphWriter, source: Written, spec: ConvSpec, shape: readonly number[]): Written {
  const { x, low, high } = cropped(g, source, spec)
  const { kernel_shape, strides } = attributesOf(spec)
  const name = g.node('AveragePool', [first(g, x)], {
    kernel_shape,
    strides,
    pads: [...low, ...high],
    count_include_pad: 1,
  })
  return { name, shape, order: firstOrder(shape.length) }
}

/** What the formula of sizes leaves over is output padding; what it has too much is cut off. */
export function writeConvTranspose(
  g: GraphWriter,
  x: Written,
  spec: ConvSpec,
  weights: Weights,
  shape: readonly number[],
): Written {
  const pads = [spec.padLow, spec.padHigh].map((list) => list.map((n) => Math.max(n, 0)))
  const extra = spec.input.map((size, axis) => {
    const [s, d] = [spec.stride[axis], spec.dilation[axis]]
    return size - transposedOutputSize(spec.output[axis], spec.kernel[axis], s, d, pads[0][axis], pads[1][axis])
  })
  if ([...spec.padLow, ...spec.padHigh].some((n) => n < 0))
    fail('saveOnnx', 'a transposed convolution has negative padding', 'Pad its result instead')
  const high = pads[1].map((n, axis) => n + Math.max(-extra[axis], 0))
  const name = g.node('ConvTranspose', [first(g, x), ...weightNames(g, weights)], {
    ...attributesOf(spec),
    group: spec.groups,
    pads: [...pads[0], ...high],
    output_padding: extra.map((n) => Math.max(n, 0)),
  })
  return { name, shape, order: firstOrder(shape.length) }
}

/** The pointwise convolution of rank 1 that a product of matrices is: [1, M, K] by [1, K, N]. */
export function writeProduct(g: GraphWriter, x: Written, { kernel, bias }: Weights, shape: readonly number[]): Written {
  const [, inputs, outputs] = kernel.shape
  const matrix = kernel.constant
    ? g.constant({ ...kernel.constant, shape: [inputs, outputs] }, 'weight')
    : g.reshaped(kernel, [inputs, outputs])
  const product = g.node('MatMul', [g.plain(x), matrix])
  const name = bias ? g.node('Add', [product, g.constant(bias, 'bias')]) : product
  return { name, shape, order: [0, 1, 2] }
}
