import type { Value, Write, Writing } from './writer.ts'

/** Our activations that Keras has by another name, or by the same. */
const names: Readonly<Record<string, string>> = {
  elu: 'elu',
  gelu: 'gelu',
  linear: 'linear',
  logSoftmax: 'log_softmax',
  mish: 'mish',
  relu: 'relu',
  relu6: 'relu6',
  selu: 'selu',
  sigmoid: 'sigmoid',
  silu: 'silu',
  softmax: 'softmax',
  softplus: 'softplus',
  softsign: 'softsign',
  tanh: 'tanh',
}

/** tfjs knows silu under its older name. */
const nameIn = ({ dialect }: Writing, name: string) =>
  dialect === 'tfjs' && name === 'silu' ? 'swish' : Object.hasOwn(names, name) ? names[name] : undefined

/** The option of a layer for an activation, where Keras has one; else `behind` writes it. */
export function activationOption(writing: Writing, name = 'linear') {
  const known = nameIn(writing, name)
  const behind = (x: Value) => (known === undefined ? activated(writing, name, x, 'activation') : x)
  return { activation: known ?? 'linear', behind }
}

/** min(max(x / 6 + 1 / 2, 0), 1): tfjs's has x / 5. */
function hardSigmoid({ dialect, add }: Writing, x: Value, suffix: string): Value {
  const { shape } = x
  const scaled =
    dialect === 'tfjs'
      ? add({ className: 'Rescaling', config: { scale: 5 / 6, offset: 0 }, shape, suffix: `${suffix}_scale` }, x)
      : x
  return add({ className: 'Activation', config: { activation: 'hard_sigmoid' }, shape, suffix }, scaled)
}

/** An activation as layers of its own. */
export function activated(writing: Writing, name: string, x: Value, suffix?: string): Value {
  const { dialect, add, refuse } = writing
  const { shape } = x
  const known = nameIn(writing, name)
  if (known) return add({ className: 'Activation', config: { activation: known }, shape, suffix }, x)
  if (name === 'leakyRelu') return leaky(writing, 0.01, x, suffix)
  if (name === 'hardSigmoid') return hardSigmoid(writing, x, suffix ?? 'sigmoid')
  if (name === 'hardSwish') {
    if (dialect === 'keras')
      return add({ className: 'Activation', config: { activation: 'hard_silu' }, shape, suffix }, x)
    const gate = hardSigmoid(writing, x, `${suffix ?? 'hard'}_gate`)
    return add({ className: 'Multiply', shape, suffix }, x, gate)
  }
  return refuse(`activation '${name}'`)
}

function leaky({ dialect, add }: Writing, slope: number, x: Value, suffix?: string): Value {
  const config = dialect === 'tfjs' ? { alpha: slope } : { negative_slope: slope }
  return add({ className: 'LeakyReLU', config, shape: x.shape, suffix }, x)
}

const byKind =
  (name: string): Write =>
  (writing) =>
    activated(writing, name, writing.inputs[0])

const kinds = ['hardSigmoid', 'hardSwish', 'mish', 'relu', 'relu6', 'selu', 'sigmoid', 'silu', 'softplus', 'softsign']

export const activationWrites: Readonly<Record<string, Write>> = {
  ...Object.fromEntries([...kinds, 'tanh'].map((name) => [name, byKind(name)])),
  activation: (writing) => activated(writing, String(writing.layer.config[0]), writing.inputs[0]),
  elu: ({ add, inputs, layer }) => add({ className: 'ELU', config: { alpha: layer.config[0] ?? 1 } }, inputs[0]),
  gelu: (writing) => {
    if (writing.layer.config[0] === 'tanh') writing.refuse('its approximation by tanh')
    return activated(writing, 'gelu', writing.inputs[0])
  },
  leakyRelu: (writing) => leaky(writing, Number(writing.layer.config[0] ?? 0.01), writing.inputs[0]),
  logSoftmax: (writing) => {
    if ((writing.layer.config[0] ?? -1) !== -1) writing.refuse('its axis')
    return activated(writing, 'logSoftmax', writing.inputs[0])
  },
  prelu: ({ add, inputs, weight, shape, refuse }) => {
    const slopes = weight('weight') ?? refuse('it has no weights')
    const spatial = shape.slice(0, -1).map((_, i) => i + 1)
    const alpha = { shape: [...spatial.map(() => 1), ...slopes.shape], data: slopes.data }
    const config = spatial.length > 0 ? { shared_axes: spatial } : {}
    return add({ className: 'PReLU', config, weights: [['alpha', alpha]] }, inputs[0])
  },
  softmax: ({ dialect, add, inputs, layer, refuse }) => {
    const axis = layer.config[0] ?? -1
    if (dialect === 'tfjs' && axis !== -1) refuse(`axis ${axis}, not the last`)
    return add({ className: 'Softmax', config: { axis } }, inputs[0])
  },
}
