import {
  batchNorm,
  conv3d,
  dense,
  dropout,
  flatten,
  type Layer,
  leakyRelu,
  type Model,
  maxPool3d,
  relu,
  sequential,
} from '../nn/index.ts'
import type { ZooOptions } from './options.ts'

/** A convolution of volumes, batch normalisation (not in the paper), and the paper's leaky rectifier of slope 0.1. */
const conv = (filters: number, size: number, stride = 1): Layer[] => [
  conv3d(filters, size, { stride, bias: false, kernelInitializer: 'heNormal' }),
  batchNorm(),
  leakyRelu(0.1),
]

/**
 * After VoxNet (Maturana & Scherer, "VoxNet: a 3D convolutional neural network for real-time object recognition",
 * 2015), "C(32, 5, 2) - C(32, 3, 1) - P(2) - FC(128) - FC(K)", for volumes of 32x32x32: 8 kernels in the first layer,
 * which has most of the places, and a third convolution where there are few.
 */
export function volume({ classes = 10, seed = 1, inputShape = [32, 32, 32, 1] }: ZooOptions = {}): Model {
  const layers = [...conv(8, 5, 2), ...conv(32, 3), maxPool3d(2), ...conv(64, 3), dropout(0.2), flatten()]
  const head = [dense(128, { kernelInitializer: 'heNormal' }), leakyRelu(0.1), dropout(0.4), dense(classes)]
  return sequential(inputShape, [...layers, ...head], { seed, name: 'volume' })
}

/**
 * VoxNet as published: two convolutions with biases, no batch normalisation, dropout 0.2, 0.3 and 0.4. 921,736
 * parameters for the 40 classes of ModelNet40.
 */
export function voxnet({ classes = 40, seed = 1, inputShape = [32, 32, 32, 1] }: ZooOptions = {}): Model {
  const plain = { kernelInitializer: 'heNormal' } as const
  const layers = [
    ...[conv3d(32, 5, { stride: 2, ...plain }), leakyRelu(0.1), dropout(0.2)],
    ...[conv3d(32, 3, plain), leakyRelu(0.1), maxPool3d(2), dropout(0.3)],
    ...[flatten(), dense(128, plain), relu(), dropout(0.4), dense(classes)],
  ]
  return sequential(inputShape, layers, { seed, name: 'voxnet' })
}
