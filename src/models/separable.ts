import {
  batchNorm,
  conv2d,
  dense,
  depthwiseConv2d,
  globalAveragePool,
  type Layer,
  type Model,
  relu,
  sequential,
} from '../nn/index.ts'
import type { ZooOptions } from './options.ts'

const plain = { bias: false, kernelInitializer: 'heNormal' } as const

/** A block of MobileNet (Howard et al. 2017): depthwise 3x3 and 1x1, each with batch normalisation and relu. */
const block = (filters: number, stride = 1): Layer[] => [
  depthwiseConv2d(3, { stride, padding: 'same', ...plain }),
  batchNorm(),
  relu(),
  conv2d(filters, 1, plain),
  batchNorm(),
  relu(),
]

/** A small MobileNet for images of 32x32: five separable blocks, to 256 channels at a quarter of the size. */
export function separable({ classes = 10, seed = 1, inputShape = [32, 32, 3] }: ZooOptions = {}): Model {
  const stem = [conv2d(32, 3, { padding: 'same', ...plain }), batchNorm(), relu()]
  const blocks = [...block(64), ...block(128, 2), ...block(128), ...block(256, 2), ...block(256)]
  const layers = [...stem, ...blocks, globalAveragePool(), dense(classes)]
  return sequential(inputShape, layers, { seed, name: 'separable' })
}
