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

export interface TwinOptions extends ZooOptions {
  /** Depthwise and pointwise instead of full convolutions, nothing between the two (Xception's finding). */
  readonly separable: boolean
  /** Factor of all numbers of channels. Default 1: 16, 32, 64, 64. */
  readonly width?: number
}

/**
 * A small network in two kinds, to compare separable convolutions (Sifre 2014, Chollet 2017) with standard ones: a
 * convolution, then three of one kind or the other, the first two of stride 2, each with batch normalisation and relu.
 */
export function twin(options: TwinOptions): Model {
  const { separable: apart, width = 1, classes = 10, seed = 1, inputShape = [32, 32, 3] } = options
  const layer = (filters: number, stride = 1): Layer[] => {
    const channels = Math.round(filters * width)
    const both = [depthwiseConv2d(3, { stride, padding: 1, ...plain }), conv2d(channels, 1, plain)]
    return [...(apart ? both : [conv2d(channels, 3, { stride, padding: 1, ...plain })]), batchNorm(), relu()]
  }
  const stem = [conv2d(Math.round(16 * width), 3, { padding: 1, ...plain }), batchNorm(), relu()]
  const layers = [...stem, ...layer(32, 2), ...layer(64, 2), ...layer(64), globalAveragePool(), dense(classes)]
  return sequential(inputShape, layers, { seed, name: apart ? 'twin-separable' : 'twin-standard' })
}
