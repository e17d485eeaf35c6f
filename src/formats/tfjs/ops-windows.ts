// TensorFlow's convolutions and poolings, which have channels last unless they say NCHW.
import { permuteFixed } from '../onnx/permute.ts'
import type { TfNode } from './node.ts'
import type { Attributes, Translate, Translation, Translations } from './translation.ts'

const isFirst = (node: TfNode) => /^NC/.test(node.text('data_format', 'NHWC'))

/** The entries of a list over all axes that belong to the spatial ones. */
const spatial = (list: readonly number[], first: boolean) => (first ? list.slice(2) : list.slice(1, -1))

/** Strides, dilations and padding as ONNX has them. */
function windowOf(node: TfNode, rank: number): Attributes {
  const first = isFirst(node)
  const padding = node.text('padding', 'VALID')
  const explicit = node.ints('explicit_paddings')
  const ones = new Array<number>(rank - 2).fill(1)
  const all = (name: string) => {
    const list = node.ints(name)
    return list.length === rank ? spatial(list, first) : ones
  }
  const strides = all('strides')
  const common = { strides, dilations: all('dilations') }
  if (padding === 'SAME') return { ...common, auto_pad: 'SAME_UPPER' }
  if (padding === 'VALID') return common
  if (padding !== 'EXPLICIT' || explicit.length !== 2 * rank) return node.fail(`padding '${padding}' ${explicit}`)
  const pairs = Array.from({ length: rank }, (_, axis) => explicit.slice(2 * axis, 2 * axis + 2))
  const inside = first ? pairs.slice(2) : pairs.slice(1, -1)
  return { ...common, pads: [...inside.map(([low]) => low), ...inside.map(([, high]) => high)] }
}

/** `compute` of x with channels first, whichever order the node has. */
function around(node: TfNode, to: Translation, x: string, rank: number, compute: (x: string) => string): string {
  return isFirst(node) ? compute(x) : to.last(compute(to.first(x, rank)), rank)
}

/** A kernel [spatial..., I, O] as ONNX's [O, I, spatial...]. */
const kernelOrder = (rank: number) => [rank - 1, rank - 2, ...Array.from({ length: rank - 2 }, (_, i) => i)]

const convolution =
  (rank: number): Translate =>
  (node, to) => {
    const attributes = windowOf(node, rank)
    const kernel = to.transposed(node.input(1), kernelOrder(rank))
    return around(node, to, node.input(0), rank, (x) => to.node('Conv', [x, kernel], attributes))
  }

/** [h, w, C, M] as the kernel of C groups, [C * M, 1, h, w]. */
function depthwiseKernel(node: TfNode, to: Translation): { kernel: string; group: number } {
  const weight = node.known(1)
  const [h, w, channels, multiplier] = weight.shape
  if (weight.shape.length !== 4) node.fail(`a kernel of shape [${weight.shape}]`)
  const moved = permuteFixed(weight, [2, 3, 0, 1])
  const kernel = to.constant({ ...moved, shape: [channels * multiplier, 1, h, w] })
  return { kernel, group: channels }
}

const depthwise: Translate = (node, to) => {
  const { kernel, group } = depthwiseKernel(node, to)
  const attributes = windowOf(node, 4)
  return around(node, to, node.input(0), 4, (x) => to.node('Conv', [x, kernel], { ...attributes, group }))
}

/** Output sizes that are known although the batch isn't: those of a constant, or of a list with constants in it. */
function outputSizes(node: TfNode, to: Translation, rank: number): readonly number[] | undefined {
  const sizes = node.constant(0)
  if (sizes) return spatial([...sizes.data], isFirst(node))
  const parts = to.partsOf(node.input(0))
  if (parts?.length !== rank) return undefined
  const known = spatial(
    parts.map((part) => part ?? -1),
    isFirst(node),
  )
  return known.every((n) => n > 0) ? known : undefined
}

/** A transposed convolution: sizes, kernel [h, w, O, I], x. */
const convTranspose: Translate = (node, to) => {
  const rank = 4
  const attributes = windowOf(node, rank)
  const sizes = outputSizes(node, to, rank)
  const strides = attributes.strides as readonly number[]
  const kernelSize = node.constant(1)?.shape.slice(0, 2) ?? node.fail("its kernel isn't a constant")
  const valid = node.text('padding', 'VALID') === 'VALID'
  // TensorFlow's usual size is input * stride + max(kernel - stride, 0)
  const missing = strides.map((stride, axis) => Math.max(stride - kernelSize[axis], 0))
  const usual: Attributes = valid && missing.some((n) => n > 0) ? { output_padding: missing } : {}
  // a kernel of O, I is ONNX's of I, O
  const kernel = to.transposed(node.input(1), kernelOrder(rank))
  const shape: Attributes = sizes && !valid ? { output_shape: sizes } : usual
  return around(node, to, node.input(2), rank, (first) =>
    to.node('ConvTranspose', [first, kernel], { ...attributes, ...shape }),
  )
}

const pool =
  (op: string, rank: number): Translate =>
  (node, to) => {
    const kernel = spatial(node.ints('ksize'), isFirst(node))
    const attributes = windowOf(node, rank)
    const { dilations: _, ...rest } = attributes
    return around(node, to, node.input(0), rank, (x) => to.node(op, [x], { ...rest, kernel_shape: kernel }))
  }

/** Bias per channel. */
export function addBias(node: TfNode, to: Translation, x: string, bias: string): string {
  if (isFirst(node)) return to.node('Add', [x, to.node('Unsqueeze', [bias, to.ints(1, 2)])])
  return to.node('Add', [x, bias])
}

const batchNorm: Translate = (node, to) => {
  if (node.flag('is_training')) node.fail('it uses the statistics of the batch', 'Export the model for inference')
  const inputs = [1, 2, 3, 4].map((i) => node.input(i))
  const epsilon = { float: node.float('epsilon', 1e-4) }
  return around(node, to, node.input(0), 4, (x) => to.node('BatchNormalization', [x, ...inputs], { epsilon }))
}

/** An activation by the name that fused nodes have for it. */
function activated(node: TfNode, to: Translation, name: string, x: string, extra: readonly string[]): string {
  switch (name) {
    case 'Relu6':
      return to.node('Clip', [x, to.float(0), to.float(6)])
    case 'LeakyRelu':
      return to.node('LeakyRelu', [x], { alpha: { float: node.float('leakyrelu_alpha', 0.2) } })
    case 'Prelu':
      return to.node('PRelu', [x, extra[0] ?? node.fail('its slopes are missing')])
    case 'Relu':
    case 'Elu':
    case 'Sigmoid':
    case 'Tanh':
      return to.node(name, [x])
    default:
      return node.fail(`fused operation '${name}'`)
  }
}

/** A node with a bias and an activation behind it. */
export const fused =
  (inner: Translate): Translate =>
  (node, to) => {
    let y = inner(node, to) as string
    const rest = node.inputs.slice(2)
    for (const name of node.texts('fused_ops')) {
      if (name === 'BiasAdd') y = addBias(node, to, y, rest.shift() ?? node.fail('its bias is missing'))
      else if (name === 'FusedBatchNorm') {
        const inputs = rest.splice(0, 4)
        const epsilon = { float: node.float('epsilon', 1e-4) }
        const x = y
        y = around(node, to, x, 4, (first) => to.node('BatchNormalization', [first, ...inputs], { epsilon }))
      } else y = activated(node, to, name, y, rest)
    }
    return y
  }

export const windowOps: Translations = {
  AvgPool: pool('AveragePool', 4),
  AvgPool3D: pool('AveragePool', 5),
  BiasAdd: (node, to) => addBias(node, to, node.input(0), node.input(1)),
  Conv2D: convolution(4),
  Conv2DBackpropInput: convTranspose,
  Conv3D: convolution(5),
  DepthwiseConv2d: depthwise,
  DepthwiseConv2dNative: depthwise,
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  FusedDepthwiseConv2dNative: fused(depthwise),
  MaxPool: pool('MaxPool', 4),
  MaxPool3D: pool('MaxPool', 5),
  _FusedConv2D: fused(convolution(4)),
}
