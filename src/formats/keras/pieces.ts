import { fail } from '../../base/errors.ts'
import { type Shape, showShape, sizeOf } from '../../base/shape.ts'
import { type ActivationName, activation, hardSigmoid, type Layer, leakyRelu, rescaling } from '../../nn/index.ts'
import type { Weights } from '../../nn/layer.ts'
import { type Entries, isRecord } from '../record.ts'

/** Gives a weight of the layer that is being read by Keras's name for it: 'kernel'. */
export type Find = (name: string) => Weights

/** One of our layers, of those that do what a layer of Keras does, one after another. */
export interface Piece {
  readonly layer: Layer
  /** Names of Keras's weights in the order in which Keras keeps them. */
  readonly names?: readonly string[]
  /** Our weights by name, of Keras's. */
  weights?(find: Find): Readonly<Record<string, Weights>>
}

/** A layer of Keras, while ours are made of it. */
export interface Reading {
  readonly config: Entries
  /** Shapes of one sample of each input, without N. */
  readonly shapes: readonly Shape[]
  /** Keras 3 has another hard sigmoid than the versions before and tfjs. */
  readonly version: 2 | 3
}

export type Read = (reading: Reading) => readonly Piece[]

/** One number where all are equal: it reads better. */
export const compact = (list: readonly number[]): number | readonly number[] =>
  list.every((n) => n === list[0]) ? list[0] : list

export const reshaped = (weights: Weights, shape: Shape): Weights =>
  sizeOf(shape) === weights.data.length
    ? { shape, data: weights.data }
    : fail('loadKeras', `a weight of shape ${showShape(weights.shape)} can't be ${showShape(shape)}`, 'Check the file')

/** Activations of Keras and tfjs that ours take as they are. */
const activations: Readonly<Record<string, ActivationName>> = {
  elu: 'elu',
  gelu: 'gelu',
  hard_silu: 'hardSwish',
  hard_swish: 'hardSwish',
  linear: 'linear',
  log_softmax: 'logSoftmax',
  mish: 'mish',
  relu: 'relu',
  relu6: 'relu6',
  selu: 'selu',
  sigmoid: 'sigmoid',
  silu: 'silu',
  softmax: 'softmax',
  softplus: 'softplus',
  softsign: 'softsign',
  swish: 'silu',
  tanh: 'tanh',
}

/** The name that an entry 'activation' has: a text, or a record that names a function. */
export function activationName(config: Entries): string {
  const value = config.value('activation')
  if (!isRecord(value)) return config.text('activation', 'linear')
  const entries = config.inner('activation')
  return typeof value.config === 'string' ? value.config : entries.text('class_name')
}

/** An activation as the option of a layer, or as layers of its own behind it. */
export function activationOf({ config, version }: Pick<Reading, 'config' | 'version'>): {
  readonly option: { activation?: ActivationName }
  readonly behind: readonly Piece[]
} {
  const name = activationName(config)
  if (name === 'linear') return { option: {}, behind: [] }
  if (Object.hasOwn(activations, name)) return { option: { activation: activations[name] }, behind: [] }
  if (name === 'hard_sigmoid') {
    // min(max(x / 5 + 1 / 2, 0), 1) before Keras 3; ours and Keras 3's has x / 6
    const wider = version === 2 ? [{ layer: rescaling(1.2) }] : []
    return { option: {}, behind: [...wider, { layer: hardSigmoid() }] }
  }
  if (name === 'leaky_relu') return { option: {}, behind: [{ layer: leakyRelu(0.2) }] }
  return config.fail(`activation '${name}' is unknown`, `Use one of ${Object.keys(activations).join(', ')}`)
}

/** An activation as layers. */
export function activationPieces(reading: Reading): readonly Piece[] {
  const { option, behind } = activationOf(reading)
  return option.activation ? [{ layer: activation(option.activation) }] : behind
}

export function checkChannelsLast(config: Entries): void {
  const format = config.text('data_format', 'channels_last')
  if (format !== 'channels_last') config.fail(`data_format '${format}'`, 'Save the model with channels_last')
}
