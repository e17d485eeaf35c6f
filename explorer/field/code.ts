import type { Code } from '../shared/frame.ts'
import { type Layer, side } from './layers.ts'
import type { FieldState } from './state.ts'

const options = ({ stride, dilation }: Layer, kind: 'conv' | 'pool') =>
  [
    `padding: 'same'`,
    ...(kind === 'pool' || stride > 1 ? [`stride: ${stride}`] : []),
    ...(dilation > 1 ? [`dilation: ${dilation}`] : []),
  ].join(', ')

const activation = (active: boolean, line: string) => (active ? `relu(${line})` : line)

function foveaLine(layer: Layer, active: boolean, next: () => string): string {
  const { kind, kernel } = layer
  if (kind === 'residual') {
    const inner = activation(active, `conv(h, ${next()}, { ${options(layer, 'conv')} })`)
    return `h = add(h, conv(${inner}, ${next()}, { ${options(layer, 'conv')} }))`
  }
  if (kind === 'conv') return `h = ${activation(active, `conv(h, ${next()}, { ${options(layer, 'conv')} })`)}`
  return `h = ${kind === 'max' ? 'maxPool' : 'averagePool'}(h, ${kernel}, { ${options(layer, 'pool')} })`
}

function kerasLine({ kind, kernel, stride, dilation }: Layer, active: boolean): string {
  const act = active ? ', activation="relu"' : ''
  const more = `${stride > 1 ? `, strides=${stride}` : ''}${dilation > 1 ? `, dilation_rate=${dilation}` : ''}`
  const conv = (a: string) => `layers.Conv2D(8, ${kernel}, padding="same"${more}, use_bias=False${a})`
  if (kind === 'conv') return `h = ${conv(act)}(h)`
  if (kind === 'residual') return `h = layers.add([h, ${conv('')}(${conv(act)}(h))])`
  return `h = layers.${kind === 'max' ? 'MaxPooling2D' : 'AveragePooling2D'}(${kernel}, strides=${stride}, padding="same")(h)`
}

function torchLine({ kind, kernel, stride, dilation }: Layer, active: boolean, next: () => string): string {
  const pad = Math.floor((dilation * (kernel - 1)) / 2)
  const conv = (x: string, w: string) => `F.conv2d(${x}, ${w}, stride=${stride}, padding=${pad}, dilation=${dilation})`
  const relu = (line: string) => (active ? `F.relu(${line})` : line)
  if (kind === 'conv') return `h = ${relu(conv('h', next()))}`
  if (kind === 'residual') return `h = h + ${conv(relu(conv('h', next())), next())}`
  return `h = F.${kind === 'max' ? 'max_pool2d' : 'avg_pool2d'}(h, ${kernel}, stride=${stride})`
}

/** The gradient of one unit by the picture, in three libraries. */
export function code({ l, w }: FieldState, [row, column]: readonly [number, number]): Code {
  const lines = (line: (layer: Layer, active: boolean, next: () => string) => string, indent: string) => {
    let count = 0
    const next = () => `w${++count}`
    return l.map((layer, i) => indent + line(layer, w === 'relu' && i < l.length - 1, next)).join('\n')
  }
  return {
    fovea: `import { abs, add, averagePool, compile, conv, gradient, maxPool, mean, mul, relu, sum } from 'fovea'

// x: pictures [N, ${side}, ${side}, 1]; mask: 1 at unit [${row}, ${column}] of the last layer, 0 elsewhere
const field = (x, mask, w1 /* ... */) => {
  let h = x
${lines(foveaLine, '  ')}
  const [dx] = gradient(sum(mul(h, mask)), [x])
  return mean(abs(dx), [0, 3])
}`,
    pytorch: `import torch.nn.functional as F

# x: pictures [N, 1, ${side}, ${side}], x.requires_grad_(); w1 ...: kernels [out, in, k, k]
h = x
${lines(torchLine, '')}
h[:, :, ${row}, ${column}].sum().backward()
field = x.grad.abs().mean(dim=(0, 1))`,
    keras: `import tensorflow as tf
from keras import layers

# x: pictures [N, ${side}, ${side}, 1]
with tf.GradientTape() as tape:
  tape.watch(x)
  h = x
${lines(kerasLine, '  ')}
  y = tf.reduce_sum(h[:, ${row}, ${column}, :])
field = tf.reduce_mean(tf.abs(tape.gradient(y, x)), axis=(0, 3))`,
  }
}
