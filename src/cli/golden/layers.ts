import { randomSource } from '../../base/random.ts'
import { averagePool, less, maxPool, mul, type Tensor, where } from '../../graph/index.ts'
import * as nn from '../../nn/index.ts'
import { channels, type Inputs, type Made, type Operation } from './expression.ts'
import { type Fields, flag, number, numbers, pads, text } from './folder.ts'

const rankOf = (x: Tensor) => x.shape.length - 2

function poolOptions(fields: Fields, rank: number) {
  const window = numbers(fields, 'kernel', rank)
  const stride = fields.stride === undefined ? window : numbers(fields, 'stride', rank)
  return { window, options: { stride, padding: pads(fields, rank), ceilMode: flag(fields, 'ceilMode') } }
}

const largest: Operation = {
  layouts: channels,
  make(fields, inputs) {
    const x = inputs.get('x')
    const { window, options } = poolOptions(fields, rankOf(x))
    return maxPool(x, window, { ...options, dilation: numbers(fields, 'dilation', rankOf(x), 1) })
  },
}

const mean: Operation = {
  layouts: channels,
  make(fields, inputs) {
    const x = inputs.get('x')
    const { window, options } = poolOptions(fields, rankOf(x))
    return averagePool(x, window, { ...options, countIncludePad: flag(fields, 'countIncludePad', true) })
  },
}

const lpPool2d: Operation = {
  layouts: channels,
  make(fields, inputs) {
    const { window, options } = poolOptions(fields, 2)
    return nn.lpPool2d(inputs.get('x'), window, { ...options, p: number(fields, 'p') })
  },
}

/** An operation of x alone that knows channels. */
const unary = (compute: (x: Tensor, fields: Fields) => Tensor): Operation => ({
  layouts: channels,
  make: (fields, inputs) => compute(inputs.get('x'), fields),
})

/** An operation of x alone on axes in the file's order. */
const plain = (compute: (x: Tensor, fields: Fields) => Tensor): Operation => ({ ...unary(compute), layouts: {} })

/** A layer with the file's tensors as its weights; derivatives by them are derivatives by its variables. */
function made(layer: nn.Layer, inputs: Inputs, weights: Readonly<Record<string, string>>, training: boolean): Made {
  const x = inputs.get('x')
  const entries = Object.entries(weights).filter(([, name]) => inputs.has(name))
  const saved = new Map(
    entries.map(([own, name]) => [`it.${own}`, { shape: inputs.get(name).shape, data: inputs.values(name) }]),
  )
  const inner = () => layer.build([], context)
  const context: nn.BuildContext = { random: randomSource(0), name: 'it', saved, inner }
  const built = layer.build([x.shape.slice(1)], context)
  const run = nn.runContext(training, x)
  const y = built.apply([x], run)
  const ours = new Map([...built.parameters, ...built.state].map((variable) => [variable.name, variable]))
  const by = Object.fromEntries(entries.map(([own, name]) => [name, ours.get(`it.${own}`)!.value]))
  const moved = new Map(run.updates.map(({ variable, value }) => [variable.name, value]))
  const names = { newMean: 'it.runningMean', newVar: 'it.runningVariance' }
  const more = Object.fromEntries(
    Object.entries(names).flatMap(([name, own]) => (moved.has(own) ? [[name, moved.get(own)!]] : [])),
  )
  return { y, by, more }
}

const batchNormWeights = { weight: 'gamma', bias: 'beta', runningMean: 'runMean', runningVariance: 'runVar' }

const batchNorm = (training: boolean): Operation => ({
  layouts: channels,
  make(fields, inputs) {
    const options = { eps: number(fields, 'eps'), momentum: number(fields, 'momentum', 0.1) }
    return made(nn.batchNorm({ ...options, affine: inputs.has('gamma') }), inputs, batchNormWeights, training)
  },
})

const affine = (fields: Fields, inputs: Inputs): nn.AffineTensors => ({
  eps: number(fields, 'eps'),
  ...(inputs.has('gamma') ? { weight: inputs.get('gamma') } : {}),
  ...(inputs.has('beta') ? { bias: inputs.get('beta') } : {}),
})

const resizeModes = {
  nearest: 'nearest',
  'nearest-exact': 'nearestExact',
  linear: 'linear',
  bilinear: 'linear',
  bicubic: 'cubic',
} as const

function resize2d(x: Tensor, fields: Fields): Tensor {
  const out = numbers(fields, 'out', 2)
  const mode = resizeModes[text(fields, 'mode') as keyof typeof resizeModes]
  const { alignCorners } = fields
  return nn.resize(x, out, { mode, ...(typeof alignCorners === 'boolean' ? { alignCorners } : {}) })
}

const normalizations: Readonly<Record<string, Operation>> = {
  batchNormTrain: batchNorm(true),
  batchNormEval: batchNorm(false),
  groupNorm: {
    layouts: channels,
    make: (fields, inputs) => nn.groupNorm(inputs.get('x'), number(fields, 'groups'), affine(fields, inputs)),
  },
  instanceNorm: {
    layouts: channels,
    make: (fields, inputs) => nn.instanceNorm(inputs.get('x'), affine(fields, inputs)),
  },
  layerNorm: {
    make: (fields, inputs) => nn.layerNorm(inputs.get('x'), numbers(fields, 'normalizedShape'), affine(fields, inputs)),
  },
  localResponseNorm: unary((x, fields) => {
    const options = { alpha: number(fields, 'alpha'), beta: number(fields, 'beta'), k: number(fields, 'k') }
    return nn.localResponseNorm(x, number(fields, 'size'), options)
  }),
}

/** The number in the note of an activation: 'slope 0.1'. */
function noted(fields: Fields, usual: number): number {
  const found = /-?\d+(\.\d+)?(e[+-]?\d+)?/i.exec(text(fields, 'note', ''))
  return found ? Number(found[0]) : usual
}

export const activations: Readonly<Record<string, (x: Tensor, fields: Fields) => Tensor>> = {
  relu: (x) => nn.relu(x),
  leakyRelu: (x, fields) => nn.leakyRelu(x, noted(fields, 0.01)),
  elu: (x, fields) => nn.elu(x, noted(fields, 1)),
  selu: (x) => nn.selu(x),
  gelu: (x) => nn.gelu(x),
  geluTanh: (x) => nn.gelu(x, 'tanh'),
  silu: (x) => nn.silu(x),
  mish: (x) => nn.mish(x),
  hardSwish: (x) => nn.hardSwish(x),
  hardSigmoid: (x) => nn.hardSigmoid(x),
  softplus: (x) => nn.softplus(x),
  sigmoid: (x) => nn.sigmoid(x),
  tanh: (x) => nn.tanh(x),
  relu6: (x) => nn.relu6(x),
  softsign: (x) => nn.softsign(x),
}

const gridSample: Operation = {
  layouts: channels,
  refuses: (fields) => (text(fields, 'mode') === 'bicubic' ? "gridSample with mode 'bicubic'" : undefined),
  make: (fields, inputs) =>
    nn.gridSample(inputs.get('x'), inputs.get('grid'), {
      mode: text(fields, 'mode') as 'bilinear',
      padding: text(fields, 'padding') as 'zeros',
      alignCorners: flag(fields, 'alignCorners'),
    }),
}

const withWeights: Readonly<Record<string, Operation>> = {
  prelu: {
    layouts: channels,
    make(_, inputs) {
      const [x, slope] = [inputs.get('x'), inputs.get('a')]
      const shared = slope.shape[0] !== x.shape.at(-1)
      if (shared) return where(less(0, x), x, mul(slope, x))
      return made(nn.prelu(), inputs, { weight: 'a' }, false)
    },
  },
  linear: {
    layouts: { w: 'kernel' },
    make: (_, inputs) =>
      made(nn.dense(inputs.get('w').shape[1]!, { bias: inputs.has('b') }), inputs, { weight: 'w', bias: 'b' }, false),
  },
}

export const layers: Readonly<Record<string, Operation>> = {
  maxPool1d: largest,
  maxPool2d: largest,
  maxPool3d: largest,
  avgPool1d: mean,
  avgPool2d: mean,
  avgPool3d: mean,
  adaptiveAvgPool2d: unary((x, fields) => nn.adaptiveAveragePool(x, numbers(fields, 'out', 2))),
  adaptiveMaxPool2d: unary((x, fields) => nn.adaptiveMaxPool(x, numbers(fields, 'out', 2))),
  lpPool2d,
  ...normalizations,
  ...Object.fromEntries(Object.entries(activations).map(([name, compute]) => [name, plain(compute)])),
  ...withWeights,
  softmax: plain((x, fields) => nn.softmax(x, number(fields, 'axis'))),
  logSoftmax: plain((x, fields) => nn.logSoftmax(x, number(fields, 'axis'))),
  resize2d: unary(resize2d),
  pixelShuffle: unary((x, fields) => nn.pixelShuffle(x, number(fields, 'factor'))),
  pixelUnshuffle: unary((x, fields) => nn.pixelUnshuffle(x, number(fields, 'factor'))),
  gridSample,
}
