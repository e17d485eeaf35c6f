import type { Shape } from '../../src/base/shape.ts'
import * as nn from '../../src/nn/index.ts'

export interface LayerCase {
  readonly layer: nn.Layer
  /** Inputs and output of one sample. */
  readonly inputs: readonly Shape[]
  readonly output: Shape
  readonly parameters: number
}

const one = (layer: nn.Layer, input: Shape, output: Shape, parameters = 0): LayerCase => ({
  layer,
  inputs: [input],
  output,
  parameters,
})

const same = (layer: nn.Layer, shape: Shape = [3, 4], parameters = 0) => one(layer, shape, shape, parameters)

const convolutions: LayerCase[] = [
  one(nn.conv1d(4, 3, { stride: 2, padding: 1, activation: 'tanh' }), [7, 3], [4, 4], 40),
  one(nn.conv2d(4, [3, 2], { dilation: [1, 2], groups: 2, padding: 'same' }), [5, 4, 4], [5, 4, 4], 52),
  one(nn.conv2d(2, 3, { padding: 1, paddingMode: 'reflect', bias: false }), [4, 3, 2], [4, 3, 2], 36),
  one(nn.conv3d(2, 2, { bias: false }), [3, 3, 2, 2], [2, 2, 1, 2], 32),
  one(nn.convTranspose1d(3, 4, { stride: 3, outputPadding: 2 }), [3, 2], [12, 3], 27),
  one(nn.convTranspose2d(4, 3, { stride: 2, padding: 'same', groups: 2 }), [3, 2, 2], [6, 4, 4], 40),
  one(nn.convTranspose3d(1, 2, { stride: 2 }), [2, 1, 2, 2], [4, 2, 4, 1], 17),
  one(nn.depthwiseConv1d(3, { padding: 'causal' }), [5, 2], [5, 2], 8),
  one(nn.depthwiseConv2d(2, { multiplier: 2, stride: 2 }), [4, 4, 3], [2, 2, 6], 30),
  one(nn.depthwiseConv3d(2, { bias: false }), [2, 3, 2, 2], [1, 2, 1, 2], 16),
  one(nn.separableConv1d(4, 3, { bias: false }), [5, 2], [3, 4], 14),
  one(nn.separableConv2d(3, 2, { multiplier: 2, activation: 'silu' }), [3, 3, 2], [2, 2, 3], 31),
  one(nn.separableConv3d(2, 2), [2, 2, 3, 2], [1, 1, 2, 2], 22),
  one(nn.dense(3), [4], [3], 15),
  one(nn.dense(3, { bias: false }), [2, 4], [2, 3], 12),
]

const pools: LayerCase[] = [
  one(nn.maxPool1d(2), [5, 2], [2, 2]),
  one(nn.maxPool2d(3, { stride: 2, padding: 1, ceilMode: true }), [4, 5, 2], [3, 3, 2]),
  one(nn.maxPool3d([2, 1, 2]), [2, 3, 4, 1], [1, 3, 2, 1]),
  one(nn.averagePool1d(3, { stride: 1 }), [5, 2], [3, 2]),
  one(nn.averagePool2d(2, { padding: 1, countIncludePad: true }), [4, 3, 2], [3, 2, 2]),
  one(nn.averagePool3d(2), [2, 2, 3, 1], [1, 1, 1, 1]),
  one(nn.lpPool2d(2), [4, 4, 2], [2, 2, 2]),
  one(nn.globalAveragePool(), [3, 4, 2], [2]),
  one(nn.globalMaxPool({ keepAxes: true }), [3, 4, 2], [1, 1, 2]),
  one(nn.adaptiveAveragePool([2, 3]), [5, 4, 2], [2, 3, 2]),
  one(nn.adaptiveMaxPool(3), [4, 5, 2], [3, 3, 2]),
]

const shapes: LayerCase[] = [
  one(nn.flatten(), [2, 3, 2], [12]),
  one(nn.reshape([4, -1]), [2, 3, 2], [4, 3]),
  one(nn.resize([3, 5], { mode: 'linear', alignCorners: true }), [2, 3, 2], [3, 5, 2]),
  one(nn.upsampling(2), [2, 3, 2], [4, 6, 2]),
  one(nn.upsampling(2, { mode: 'cubic' }), [3, 2], [6, 2]),
  one(nn.pixelShuffle(2), [2, 3, 8], [4, 6, 2]),
  one(nn.pixelUnshuffle(2), [4, 6, 2], [2, 3, 8]),
  one(nn.unfold([2, 3], { padding: [1, [0, 1]], stride: [2, 1] }), [4, 5, 2], [3, 4, 12]),
  one(nn.fold([4, 5], [2, 3], { padding: [1, [0, 1]], stride: [2, 1] }), [3, 4, 12], [4, 5, 2]),
  one(nn.zeroPad1d([[1, 2]]), [3, 2], [6, 2]),
  one(nn.zeroPad2d(1), [2, 3, 1], [4, 5, 1]),
  one(nn.zeroPad3d([1, 0, [0, 2]]), [2, 2, 2, 1], [4, 2, 4, 1]),
  ...[nn.reflectPad1d, nn.symmetricPad1d, nn.replicatePad1d, nn.circularPad1d].map((pad) =>
    one(pad(2), [3, 2], [7, 2]),
  ),
  ...[nn.reflectPad2d, nn.symmetricPad2d, nn.replicatePad2d, nn.circularPad2d].map((pad) =>
    one(pad([1, [0, 2]]), [2, 3, 1], [4, 5, 1]),
  ),
  ...[nn.reflectPad3d, nn.symmetricPad3d, nn.replicatePad3d, nn.circularPad3d].map((pad) =>
    one(pad(1), [2, 2, 2, 1], [4, 4, 4, 1]),
  ),
]

const activations: LayerCase[] = [
  ...[nn.relu, nn.relu6, nn.leakyRelu, nn.elu, nn.selu, nn.gelu, nn.silu, nn.softplus, nn.mish].map((f) => same(f())),
  ...[nn.hardSigmoid, nn.hardSwish, nn.softsign, nn.sigmoid, nn.tanh, nn.softmax, nn.logSoftmax].map((f) => same(f())),
  same(nn.gelu('tanh')),
  same(nn.softmax(1)),
  same(nn.activation('geluTanh')),
  same(nn.prelu(), [3, 4], 4),
]

const normalizations: LayerCase[] = [
  same(nn.batchNorm(), [3, 2, 4], 8),
  same(nn.batchNorm({ affine: false }), [4], 0),
  same(nn.layerNorm([2, 4]), [3, 2, 4], 16),
  same(nn.groupNorm(2), [3, 4], 8),
  same(nn.instanceNorm(), [3, 2, 4], 0),
  same(nn.localResponseNorm(3, { alpha: 0.5 }), [2, 5]),
  same(nn.rescaling(1.275, -0.1), [3, 4]),
  same(nn.dropout(0.4), [3, 4]),
  one(nn.freeze(nn.dense(2)), [3], [2], 0),
  same(nn.spatialDropout(0.4), [3, 4]),
]

const merges: LayerCase[] = [
  {
    layer: nn.add(),
    inputs: [
      [2, 3],
      [2, 3],
      [2, 3],
    ],
    output: [2, 3],
    parameters: 0,
  },
  {
    layer: nn.multiply(),
    inputs: [
      [2, 3],
      [1, 3],
    ],
    output: [2, 3],
    parameters: 0,
  },
  {
    layer: nn.average(),
    inputs: [
      [2, 3],
      [2, 3],
    ],
    output: [2, 3],
    parameters: 0,
  },
  {
    layer: nn.concatenate(),
    inputs: [
      [2, 3],
      [2, 1],
    ],
    output: [2, 4],
    parameters: 0,
  },
  one(nn.residual([nn.conv1d(2, 3, { padding: 'same' }), nn.tanh()]), [4, 2], [4, 2], 14),
  one(nn.residual([nn.conv1d(3, 1)], { shortcut: [nn.conv1d(3, 1, { bias: false })] }), [4, 2], [4, 3], 15),
  one(
    nn.parallel([[nn.conv1d(3, 1)], [nn.maxPool1d(3, { stride: 1, padding: 1 }), nn.dense(1)], []]),
    [4, 2],
    [4, 6],
    12,
  ),
  one(nn.parallel([[nn.conv1d(3, 1)], [nn.dense(3)]], { merge: 'add' }), [4, 2], [4, 3], 18),
]

/** Every layer at least once, with sizes by hand. */
export const layerCases: readonly LayerCase[] = [
  ...convolutions,
  ...pools,
  ...shapes,
  ...activations,
  ...normalizations,
  ...merges,
]
