// Layers of Keras with kernels, and normalisations.
import type { PerAxis } from '../../conv/spec.ts'
import * as nn from '../../nn/index.ts'
import type { Weights } from '../../nn/layer.ts'
import type { Entries } from '../record.ts'
import { activationOf, checkChannelsLast, compact, type Find, type Piece, type Read, reshaped } from './pieces.ts'

type Options = NonNullable<Parameters<typeof nn.conv2d>[2]>

type Factory = (filters: number, size: PerAxis, options: Options) => nn.Layer
type DepthwiseFactory = (size: PerAxis, options: Options) => nn.Layer

/** Layers by rank, whose types know their shapes: here the shapes come from a file. */
const convs = [nn.conv1d, nn.conv2d, nn.conv3d] as readonly unknown[] as readonly Factory[]
const convTransposes = [
  nn.convTranspose1d,
  nn.convTranspose2d,
  nn.convTranspose3d,
] as readonly unknown[] as readonly Factory[]
const separables = [nn.separableConv1d, nn.separableConv2d] as readonly unknown[] as readonly Factory[]
const depthwises = [nn.depthwiseConv1d, nn.depthwiseConv2d] as readonly unknown[] as readonly DepthwiseFactory[]

/** Stride, padding and dilation as ours have them; what is usual is left out. */
function windowOptions(config: Entries, rank: number, strides?: readonly number[]) {
  checkChannelsLast(config)
  const stride = strides ?? config.counts('strides', rank, 1)
  const dilation = config.counts('dilation_rate', rank, 1)
  const padding = config.text('padding', 'valid')
  if (padding !== 'valid' && padding !== 'same' && padding !== 'causal') config.fail(`padding '${padding}' is unknown`)
  return {
    ...(stride.some((n) => n > 1) ? { stride: compact(stride) } : {}),
    ...(padding === 'valid' ? {} : { padding: padding as 'same' | 'causal' }),
    ...(dilation.some((n) => n > 1) ? { dilation: compact(dilation) } : {}),
  }
}

/** The layer with its bias and activation, and what its activation needs behind it. */
function linear(
  config: Entries,
  version: 2 | 3,
  kernels: readonly string[],
  make: (options: Options) => nn.Layer,
  weights: (find: Find) => ReturnType<NonNullable<Piece['weights']>>,
): readonly Piece[] {
  const { option, behind } = activationOf({ config, version })
  const bias = config.flag('use_bias', true)
  const layer = make({ ...option, ...(bias ? {} : { bias }) })
  const names = [...kernels, ...(bias ? ['bias'] : [])]
  return [
    { layer, names, weights: (find) => ({ ...weights(find), ...(bias ? { bias: find('bias') } : {}) }) },
    ...behind,
  ]
}

const kernel = (find: Find) => ({ weight: find('kernel') })

const conv =
  (rank: 1 | 2 | 3): Read =>
  ({ config, version }) => {
    const factory = convs[rank - 1]
    const groups = config.count('groups', 1)
    const options = { ...windowOptions(config, rank), ...(groups > 1 ? { groups } : {}) }
    const [filters, size] = [config.count('filters'), compact(config.counts('kernel_size', rank))]
    return linear(config, version, ['kernel'], (rest) => factory(filters, size, { ...options, ...rest }), kernel)
  }

/** Keras's 'valid' makes input * stride + max(kernel - stride, 0), whatever the kernel. */
const convTranspose =
  (rank: 1 | 2 | 3): Read =>
  ({ config, version }) => {
    const factory = convTransposes[rank - 1]
    const options = windowOptions(config, rank)
    if (config.has('output_padding')) config.fail("it has an 'output_padding'", 'Save the model without it')
    if (config.count('groups', 1) > 1) config.fail('it has groups', 'Save the model without them')
    if (options.dilation && options.stride) config.fail('it has strides and dilation_rate', 'Use one of them')
    const size = config.counts('kernel_size', rank)
    const missing = size.map((k, i) => Math.max(config.counts('strides', rank, 1)[i] - k, 0))
    const extra = options.padding !== 'same' && missing.some((n) => n > 0) ? { outputPadding: compact(missing) } : {}
    const filters = config.count('filters')
    const make = (rest: Options) => factory(filters, compact(size), { ...options, ...extra, ...rest })
    return linear(config, version, ['kernel'], make, kernel)
  }

/** [k..., C, M] as ours has it, [k..., 1, C * M]: the values lie in the same order. */
function depthwiseKernel(find: Find, name: string) {
  const found = find(name)
  const [channels, multiplier] = found.shape.slice(-2)
  return reshaped(found, [...found.shape.slice(0, -2), 1, channels * multiplier])
}

function multiplierOf(config: Entries) {
  const multiplier = config.count('depth_multiplier', 1)
  return multiplier > 1 ? { multiplier } : {}
}

const depthwise =
  (rank: 1 | 2): Read =>
  ({ config, version }) => {
    const factory = depthwises[rank - 1]
    const options = { ...windowOptions(config, rank), ...multiplierOf(config) }
    const size = compact(config.counts('kernel_size', rank))
    // Keras 3 says 'kernel', all before it 'depthwise_kernel'
    const name = version === 3 ? 'kernel' : 'depthwise_kernel'
    const make = (rest: Options) => factory(size, { ...options, ...rest })
    return linear(config, version, [name], make, (find) => ({ weight: depthwiseKernel(find, name) }))
  }

const separable =
  (rank: 1 | 2): Read =>
  ({ config, version }) => {
    const factory = separables[rank - 1]
    const options = { ...windowOptions(config, rank), ...multiplierOf(config) }
    const [filters, size] = [config.count('filters'), compact(config.counts('kernel_size', rank))]
    const names = ['depthwise_kernel', 'pointwise_kernel']
    const make = (rest: Options) => factory(filters, size, { ...options, ...rest })
    return linear(config, version, names, make, (find) => ({
      depthwise: depthwiseKernel(find, names[0]),
      pointwise: find(names[1]),
    }))
  }

/** The axis that a normalisation works on: it must be the channels'. */
function checkLastAxis(config: Entries, rank: number): void {
  const value = config.value('axis') ?? -1
  const axis = Array.isArray(value) && value.length === 1 ? value[0] : value
  if (axis !== -1 && axis !== rank) config.fail(`axis ${JSON.stringify(value)}`, 'Normalise the last axis, channels')
}

/** Names of scale and shift, which Keras lets one leave out by itself. */
const affineNames = (config: Entries): string[] => [
  ...(config.flag('scale', true) ? ['gamma'] : []),
  ...(config.flag('center', true) ? ['beta'] : []),
]

/** Scale and shift, where one of them is left out 1 or 0. */
function affine(find: Find, names: readonly string[], channels: number): Readonly<Record<string, Weights>> {
  if (names.length === 0) return {}
  const even = (value: number) => ({ shape: [channels], data: new Float32Array(channels).fill(value) })
  return {
    weight: names.includes('gamma') ? find('gamma') : even(1),
    bias: names.includes('beta') ? find('beta') : even(0),
  }
}

const batchNorm: Read = ({ config, shapes }) => {
  const [shape] = shapes
  checkLastAxis(config, shape.length)
  const own = affineNames(config)
  // Keras's momentum is the weight of the old statistics, ours of the new
  const momentum = Number((1 - config.number('momentum', 0.99)).toPrecision(6))
  const layer = nn.batchNorm({
    eps: config.number('epsilon', 1e-3),
    momentum,
    ...(own.length > 0 ? {} : { affine: false }),
  })
  const weights = (find: Find) => ({
    ...affine(find, own, shape.at(-1)!),
    runningMean: find('moving_mean'),
    runningVariance: find('moving_variance'),
  })
  return [{ layer, names: [...own, 'moving_mean', 'moving_variance'], weights }]
}

const layerNorm: Read = ({ config, shapes }) => {
  const [shape] = shapes
  checkLastAxis(config, shape.length)
  const names = affineNames(config)
  const channels = shape.at(-1)!
  const options = { eps: config.number('epsilon', 1e-3), ...(names.length > 0 ? {} : { affine: false }) }
  return [{ layer: nn.layerNorm(channels, options), names, weights: (find) => affine(find, names, channels) }]
}

const groupNorm: Read = ({ config, shapes }) => {
  const [shape] = shapes
  checkLastAxis(config, shape.length)
  const names = affineNames(config)
  const channels = shape.at(-1)!
  const groups = config.number('groups', 32)
  const options = { eps: config.number('epsilon', 1e-3), ...(names.length > 0 ? {} : { affine: false }) }
  const layer = nn.groupNorm(groups === -1 ? channels : groups, options)
  return [{ layer, names, weights: (find) => affine(find, names, channels) }]
}

const prelu: Read = ({ shapes }) => {
  const channels = shapes[0].at(-1)!
  // one slope a channel, if Keras shares it over all positions
  return [{ layer: nn.prelu(), names: ['alpha'], weights: (find) => ({ weight: reshaped(find('alpha'), [channels]) }) }]
}

const dense: Read = ({ config, version }) =>
  linear(config, version, ['kernel'], (options) => nn.dense(config.count('units'), options), kernel)

export const linearLayers: Readonly<Record<string, Read>> = {
  BatchNormalization: batchNorm,
  BatchNormalizationV1: batchNorm,
  Conv1D: conv(1),
  Conv1DTranspose: convTranspose(1),
  Conv2D: conv(2),
  Conv2DTranspose: convTranspose(2),
  Conv3D: conv(3),
  Conv3DTranspose: convTranspose(3),
  Dense: dense,
  DepthwiseConv1D: depthwise(1),
  DepthwiseConv2D: depthwise(2),
  GroupNormalization: groupNorm,
  LayerNormalization: layerNorm,
  PReLU: prelu,
  SeparableConv1D: separable(1),
  SeparableConv2D: separable(2),
}
