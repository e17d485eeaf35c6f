import { sizeOf } from '../../base/shape.ts'
import { strategyPadding } from '../../conv/padding.ts'
import { dilatedExtent, outputShape, outputSize, transposedOutputSize } from '../../conv/spec.ts'
import { contract, conv, convTranspose } from '../../graph/conv.ts'
import { abs, add, fill, max, mean, mul, pow, sum, Tensor, transpose } from '../../graph/index.ts'
import { averagePool, maxPool } from '../../graph/pool.ts'
import { convInteger } from '../../int8.ts'
import { countOf, fixed } from './elements.ts'
import { wholeOperands } from './integers.ts'
import type { Ops, Use } from './node.ts'
import type { Product } from './products.ts'
import {
  arranged,
  channelsLast,
  isFixed,
  type Live,
  lastOrder,
  live,
  plainOrder,
  type Value,
  variableOf,
} from './value.ts'

interface Window {
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly dilation: readonly number[]
  readonly padding: readonly (readonly [number, number])[]
}

function perAxis(use: Use, name: string, rank: number): readonly number[] {
  const list = use.ints(name) ?? new Array<number>(rank).fill(1)
  return list.length === rank ? list : use.fail(`${list.length} ${name} for ${rank} spatial axes`, 'Check the model')
}

/** The window of a convolution or pooling over `spatial`, with its padding resolved. */
export function windowOf(use: Use, spatial: readonly number[], kernel: readonly number[]): Window {
  const rank = spatial.length
  if (rank < 1 || kernel.length !== rank) use.fail(`a kernel of ${kernel.length} axes for ${rank} spatial axes`)
  const stride = perAxis(use, 'strides', rank)
  const dilation = perAxis(use, 'dilations', rank)
  const auto = use.text('auto_pad', 'NOTSET')
  const pads = use.ints('pads') ?? new Array<number>(2 * rank).fill(0)
  if (pads.length !== 2 * rank) use.fail(`${pads.length} pads for ${rank} spatial axes`, 'Check the model')
  const padding = spatial.map((size, axis): [number, number] => {
    if (auto === 'VALID') return [0, 0]
    if (!auto.startsWith('SAME')) return [pads[axis], pads[rank + axis]]
    const strategy = auto === 'SAME_LOWER' ? 'sameLower' : 'same'
    return strategyPadding(strategy, size, kernel[axis], stride[axis], dilation[axis])
  })
  return { kernel, stride, dilation, padding }
}

/** Most steps that the windows of one axis may take together. */
const mostSteps = 2 ** 28

/** The window of a convolution or pooling, if a result of its size can be held. */
function slidingWindow(use: Use, spatial: readonly number[], kernel: readonly number[]): Window {
  const window = windowOf(use, spatial, kernel)
  const { stride, dilation, padding } = window
  const out = spatial.map((size, axis) =>
    outputSize(size, kernel[axis], stride[axis], dilation[axis], ...padding[axis]),
  )
  if (out.some((n, axis) => n * kernel[axis] > mostSteps)) use.fail(`windows of ${kernel} at ${out} places`)
  // of one sample: how many there are doesn't come from the file alone, and is a mark while a model is written
  countOf(use.node.title, [use.shape(0)[1], ...out.map((n) => Math.max(n, 1))])
  return window
}

/** ONNX's kernel [O, I, spatial...] as ours: [spatial..., I, O]. Of a transposed convolution [I, O, ...] likewise. */
const kernelOrder = (rank: number) => [...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1, 0]

/** A kernel is always a variable, however small: what is packed of it stays. */
export const kernelOf = (weight: Value): Tensor =>
  isFixed(weight)
    ? variableOf(weight, kernelOrder(weight.shape.length))
    : arranged(weight, kernelOrder(weight.shape.length))

const result = (use: Use, y: Tensor, type = use.type(0)): Live => live(type, y, lastOrder(y.shape.length))

const spatialOf = (use: Use) => use.shape(0).slice(2)

function withBias(y: Tensor, use: Use, i: number): Tensor {
  return use.has(i) ? add(y, arranged(use.input(i), [0])) : y
}

/** A convolution of given tensors: x [N, spatial..., C] and an ONNX kernel. */
export function convolved(use: Use, x: Tensor, weight: Value, w = kernelOf(weight), convolve: Product = conv): Tensor {
  const kernel = use.ints('kernel_shape') ?? weight.shape.slice(2)
  const { stride, dilation, padding } = slidingWindow(use, x.shape.slice(1, -1), kernel)
  return convolve(x, w, { stride, dilation, padding, groups: use.int('group', 1) })
}

/** In whole numbers where both operands stand for such. */
function convolution(use: Use): Tensor {
  const [x, weight] = [use.input(0), use.input(1)]
  const whole = wholeOperands(x, weight, 0)
  if (!whole) return convolved(use, channelsLast(x), weight)
  const sums = convolved(use, channelsLast(whole.x), weight, kernelOf(whole.w), convInteger)
  return mul(
    sums,
    arranged(
      use.once(1, () => whole.unit, 'unit'),
      plainOrder(whole.unit.shape.length),
    ),
  )
}

/** Padding that gives the output size asked for; the odd one more goes in front unless auto_pad is SAME_UPPER. */
function transposedPadding(use: Use, { kernel, stride, dilation, padding }: Window, extra: readonly number[]) {
  const auto = use.text('auto_pad', 'NOTSET')
  const asked = use.ints('output_shape')?.slice(-kernel.length)
  if (!asked && !auto.startsWith('SAME')) return padding
  return spatialOf(use).map((size, axis): [number, number] => {
    const s = stride[axis]
    const full = s * (size - 1) + extra[axis] + dilatedExtent(kernel[axis], dilation[axis])
    const total = full - (asked?.[axis] ?? size * s)
    const less = Math.floor(total / 2)
    return auto === 'SAME_UPPER' ? [less, total - less] : [total - less, less]
  })
}

function convTransposed(use: Use): Value {
  const weight = use.input(1)
  const kernel = weight.shape.slice(2)
  const window = windowOf(use, spatialOf(use), kernel)
  const { stride, dilation } = window
  const extra = use.ints('output_padding') ?? kernel.map(() => 0)
  const padding = transposedPadding(use, window, extra)
  const options = { stride, dilation, padding, groups: use.int('group', 1), outputPadding: extra }
  const sizes = spatialOf(use).map((size, axis) =>
    transposedOutputSize(size, kernel[axis], stride[axis], dilation[axis], ...padding[axis], extra[axis]),
  )
  countOf(use.node.title, [weight.shape[1] * options.groups, ...sizes.map((n) => Math.max(n, 1))])
  return result(use, withBias(convTranspose(channelsLast(use.input(0)), kernelOf(weight), options), use, 2))
}

/** Where each element of x lies in ONNX's order, as a tensor in ours. */
function positions(use: Use): Tensor {
  const shape = use.shape(0)
  const count = sizeOf(shape)
  if (count > 2 ** 24) use.fail('indices of more than 2^24 elements are not exact', 'Use smaller inputs')
  const sizes = use.int('storage_order', 0) === 1 ? [...shape.slice(0, 2), ...shape.slice(2).reverse()] : shape
  const list = fixed(
    'int64',
    sizes,
    Array.from({ length: count }, (_, i) => i),
  )
  const axes = sizes.map((_, i) => i)
  const turned = sizes === shape ? axes : [0, 1, ...axes.slice(2).reverse()]
  return transpose(variableOf(list, turned), lastOrder(shape.length))
}

function maxPooled(use: Use): readonly (Value | undefined)[] {
  const x = channelsLast(use.input(0))
  const { kernel, ...options } = slidingWindow(use, spatialOf(use), use.ints('kernel_shape') ?? [])
  const y = maxPool(x, kernel, { ...options, ceilMode: use.int('ceil_mode', 0) === 1 })
  if (!use.node.outputs[1] || y.operation.kind !== 'windowMax') return [result(use, y)]
  const { spec } = y.operation
  const indices = new Tensor({ kind: 'windowMaxGather', spec }, [x, y, positions(use)], outputShape(spec))
  return [result(use, y), result(use, indices, 'int64')]
}

function averagePooled(use: Use): Value {
  const { kernel, ...options } = slidingWindow(use, spatialOf(use), use.ints('kernel_shape') ?? [])
  const ceilMode = use.int('ceil_mode', 0) === 1
  const countIncludePad = use.int('count_include_pad', 0) === 1
  return result(use, averagePool(channelsLast(use.input(0)), kernel, { ...options, ceilMode, countIncludePad }))
}

/** (sum of |x|^p)^(1/p) of each window; what ceil_mode adds behind the padding is zero. */
function lpPooled(use: Use): Value {
  const x = channelsLast(use.input(0))
  const { kernel, ...options } = slidingWindow(use, spatialOf(use), use.ints('kernel_shape') ?? [])
  const p = use.int('p', 2)
  const powers = pow(abs(x), p)
  const ceilMode = use.int('ceil_mode', 0) === 1
  const { operation, inputs } = windows(powers, kernel, { ...options, ceilMode })
  if (operation.kind !== 'contract') return use.fail('no window')
  const sums = contract('output', operation.spec, inputs[0], fill([...kernel, 1, x.shape.at(-1)!], 1))
  return result(use, pow(sums, 1 / p))
}

/** An average pooling, of which only the windows are of interest. */
const windows = (x: Tensor, kernel: readonly number[], options: Parameters<typeof averagePool>[2]) => {
  const pooled = averagePool(x, kernel, { ...options, countIncludePad: true })
  return pooled.operation.kind === 'map' ? pooled.inputs[0] : pooled
}

const spatialAxes = (x: Tensor) => x.shape.slice(2).map((_, i) => i + 1)

function globally(use: Use, reduce: (x: Tensor, axes: readonly number[], keep: { keepAxes: true }) => Tensor): Value {
  const x = channelsLast(use.input(0))
  return result(use, reduce(x, spatialAxes(x), { keepAxes: true }))
}

/** Convolutions and poolings: x [N, C, spatial...]. */
export const windowOps: Ops = {
  AveragePool: averagePooled,
  Conv: (use) => result(use, withBias(convolution(use), use, 2)),
  ConvTranspose: convTransposed,
  GlobalAveragePool: (use) => globally(use, mean),
  GlobalLpPool: (use) => {
    const p = use.int('p', 2)
    const x = channelsLast(use.input(0))
    return result(use, pow(sum(pow(abs(x), p), spatialAxes(x), { keepAxes: true }), 1 / p))
  },
  GlobalMaxPool: (use) => globally(use, max),
  LpPool: lpPooled,
  MaxPool: maxPooled,
}
