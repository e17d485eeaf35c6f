// Our other layers as Keras's.
import type { PerAxis } from '../../conv/spec.ts'
import type { Layer } from '../../nn/index.ts'
import type { Weights } from '../../nn/layer.ts'
import { activationOption, activationWrites } from './write-activations.ts'
import { windowWrites } from './write-windows.ts'
import type { Value, Write, Writing } from './writer.ts'

const named = (name: string, weights: Weights | undefined): [string, Weights][] => (weights ? [[name, weights]] : [])

const plain =
  (className: string, config: Readonly<Record<string, unknown>> = {}): Write =>
  ({ add, inputs }) =>
    add({ className, config }, ...inputs)

interface DenseOptions {
  readonly bias?: boolean
  readonly activation?: string
}

const dense: Write = (writing) => {
  const [units, options = {}] = writing.layer.config as [number, DenseOptions?]
  const { activation, behind } = activationOption(writing, options.activation)
  const weights = [...named('kernel', writing.weight('weight')), ...named('bias', writing.weight('bias'))]
  const config = { units, activation, use_bias: options.bias !== false }
  return behind(writing.add({ className: 'Dense', config, weights }, ...writing.inputs))
}

/** Scale and shift by Keras's names. */
const affine = ({ weight }: Writing) => [...named('gamma', weight('weight')), ...named('beta', weight('bias'))]

interface NormOptions {
  readonly eps?: number
  readonly momentum?: number
  readonly affine?: boolean
}

const normConfig = ({ eps = 1e-5 }: NormOptions, isAffine: boolean) => ({
  axis: -1,
  epsilon: eps,
  center: isAffine,
  scale: isAffine,
})

const batchNorm: Write = (writing) => {
  const [options = {}] = writing.layer.config as [NormOptions?]
  const { momentum = 0.1 } = options
  const own = affine(writing)
  const { weight } = writing
  const statistics = [
    ...named('moving_mean', weight('runningMean')),
    ...named('moving_variance', weight('runningVariance')),
  ]
  const config = { ...normConfig(options, own.length > 0), momentum: Number((1 - momentum).toPrecision(6)) }
  return writing.add({ className: 'BatchNormalization', config, weights: [...own, ...statistics] }, ...writing.inputs)
}

const layerNorm: Write = (writing) => {
  const [size, options = {}] = writing.layer.config as [number | readonly number[], NormOptions?]
  if (typeof size !== 'number' && size.length !== 1) writing.refuse('it normalises several axes')
  const weights = affine(writing)
  const config = normConfig(options, weights.length > 0)
  return writing.add({ className: 'LayerNormalization', config, weights }, ...writing.inputs)
}

function groups(writing: Writing, count: number, options: NormOptions): Value {
  if (writing.dialect === 'tfjs') return writing.refuse('tfjs has no layer for it')
  const weights = affine(writing)
  const config = { groups: count, ...normConfig(options, weights.length > 0) }
  return writing.add({ className: 'GroupNormalization', config, weights }, ...writing.inputs)
}

const rankOf = ({ inputs }: Writing) => inputs[0].shape.length - 1

const globalPool =
  (kind: 'Average' | 'Max'): Write =>
  (writing) => {
    const [options = {}] = writing.layer.config as [{ keepAxes?: boolean }?]
    const className = `Global${kind}Pooling${rankOf(writing)}D`
    if (writing.dialect === 'tfjs' && rankOf(writing) > 2) writing.refuse(`it is ${rankOf(writing)}-dimensional`)
    if (!options.keepAxes)
      return writing.add({ className, config: { data_format: 'channels_last' } }, ...writing.inputs)
    if (writing.dialect === 'keras') return writing.add({ className, config: { keepdims: true } }, ...writing.inputs)
    const shape = writing.shape.slice(-1)
    const mean = writing.add({ className, shape, suffix: 'pool' }, ...writing.inputs)
    return writing.add({ className: 'Reshape', config: { target_shape: writing.shape } }, mean)
  }

const upsampling: Write = (writing) => {
  const [factor, options = {}] = writing.layer.config as [PerAxis, { mode?: string; alignCorners?: boolean }?]
  const rank = rankOf(writing)
  const size = typeof factor === 'number' ? new Array<number>(rank).fill(factor) : factor
  const { mode = 'nearest', alignCorners = false } = options
  if (writing.dialect === 'tfjs' && rank !== 2) writing.refuse(`it is ${rank}-dimensional`)
  const linear = mode === 'linear' && !alignCorners && writing.dialect === 'keras' && rank === 2
  if (!mode.startsWith('nearest') && !linear) writing.refuse(`mode '${mode}'`)
  const interpolation = rank === 2 ? { interpolation: linear ? 'bilinear' : 'nearest' } : {}
  const config = { size: rank === 1 ? size[0] : size, ...interpolation }
  return writing.add({ className: `UpSampling${rank}D`, config }, ...writing.inputs)
}

const resize: Write = (writing) => {
  const [size, options = {}] = writing.layer.config as [PerAxis, { mode?: string; alignCorners?: boolean }?]
  const { mode = 'nearest', alignCorners = false } = options
  if (writing.dialect === 'tfjs' || rankOf(writing) !== 2 || alignCorners) writing.refuse('it has no counterpart')
  const interpolation = mode === 'linear' ? 'bilinear' : mode === 'nearestExact' ? 'nearest' : undefined
  if (!interpolation) writing.refuse(`mode '${mode}'`)
  const [height, width] = typeof size === 'number' ? [size, size] : size
  return writing.add({ className: 'Resizing', config: { height, width, interpolation } }, ...writing.inputs)
}

const chain = (writing: Writing, layers: readonly Layer[]): Value =>
  layers.reduce((value, layer) => writing.inner(layer, [value]), writing.inputs[0])

const residual: Write = (writing) => {
  const [layers, options = {}] = writing.layer.config as [readonly Layer[], { shortcut?: readonly Layer[] }?]
  const main = chain(writing, layers)
  return writing.add({ className: 'Add' }, main, chain(writing, options.shortcut ?? []))
}

const parallel: Write = (writing) => {
  const [lists, options = {}] = writing.layer.config as [readonly (readonly Layer[])[], { merge?: string }?]
  const values = lists.map((layers) => chain(writing, layers))
  if (values.length === 1) return values[0]
  if (options.merge === 'add') return writing.add({ className: 'Add' }, ...values)
  return writing.add({ className: 'Concatenate', config: { axis: -1 } }, ...values)
}

/** Dropping of whole channels: tfjs has it in one dimension only, and for predictions it does nothing. */
const spatialDropout: Write = (writing) => {
  const rank = rankOf(writing)
  if (writing.dialect === 'tfjs' && rank !== 1) return writing.inputs[0]
  const config = { rate: writing.layer.config[0] ?? 0.5 }
  return writing.add({ className: `SpatialDropout${rank}D`, config }, ...writing.inputs)
}

/** How each kind of layer is written. */
export const layerWrites: Readonly<Record<string, Write>> = {
  ...activationWrites,
  ...windowWrites,
  add: plain('Add'),
  average: plain('Average'),
  batchNorm,
  concatenate: ({ add, inputs, layer }) =>
    add({ className: 'Concatenate', config: { axis: layer.config[0] ?? -1 } }, ...inputs),
  dense,
  dropout: ({ add, inputs, layer }) =>
    add({ className: 'Dropout', config: { rate: layer.config[0] ?? 0.5 } }, ...inputs),
  flatten: plain('Flatten'),
  globalAveragePool: globalPool('Average'),
  globalMaxPool: globalPool('Max'),
  groupNorm: (writing) => {
    const [count, options = {}] = writing.layer.config as [number, NormOptions?]
    return groups(writing, count, options)
  },
  instanceNorm: (writing) => {
    const [options = {}] = writing.layer.config as [NormOptions?]
    return groups(writing, writing.shape.at(-1)!, options)
  },
  layerNorm,
  multiply: plain('Multiply'),
  parallel,
  rescaling: ({ add, inputs, layer }) =>
    add({ className: 'Rescaling', config: { scale: layer.config[0], offset: layer.config[1] ?? 0 } }, ...inputs),
  reshape: ({ add, inputs, layer }) =>
    add({ className: 'Reshape', config: { target_shape: layer.config[0] } }, ...inputs),
  residual,
  resize,
  spatialDropout,
  upsampling,
}
