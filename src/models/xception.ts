import {
  batchNorm,
  conv2d,
  dense,
  depthwiseConv2d,
  dropout,
  globalAveragePool,
  type Layer,
  type Model,
  maxPool2d,
  relu,
  residual,
  sequential,
  type WeightOptions,
} from '../nn/index.ts'
import type { LargeOptions } from './options.ts'

type Weights = Pick<WeightOptions, 'kernelInitializer'>

/** Every convolution is followed by batch normalisation, and has no bias. */
const normalised = (layer: Layer): Layer[] => [layer, batchNorm({ eps: 1e-3, momentum: 0.1 })]

const pieces = (weights: Weights) => {
  const plain = { bias: false, kernelInitializer: 'heNormal', ...weights } as const
  const conv = (filters: number, size: number, stride = 1, padding: 'same' | 'valid' = 'same') =>
    normalised(conv2d(filters, size, { stride, padding, ...plain }))
  /** Depthwise 3x3, then 1x1: nothing between them (section 4.7: an activation there makes it worse). */
  const separable = (filters: number) => [
    depthwiseConv2d(3, { padding: 'same', ...plain }),
    ...normalised(conv2d(filters, 1, plain)),
  ]
  /** A block that halves the size: two separable convolutions and a pool, beside a 1x1 convolution of stride 2. */
  const down = (first: number, second: number, leading = true) =>
    residual(
      [
        ...(leading ? [relu()] : []),
        ...separable(first),
        relu(),
        ...separable(second),
        maxPool2d(3, { stride: 2, padding: 'same' }),
      ],
      { shortcut: conv(second, 1, 2) },
    )
  /** A block of the middle: three separable convolutions and the identity. */
  const middle = (filters: number) => residual([1, 2, 3].flatMap(() => [relu(), ...separable(filters)]))
  return { conv, separable, down, middle }
}

/**
 * Xception (Chollet, "Xception: deep learning with depthwise separable convolutions", 2017), figure 5: 36 convolutional
 * layers in 14 modules. 22,855,952 trained parameters, 22,910,480 with the running statistics (Keras's count).
 */
export function xception(options: LargeOptions = {}): Model {
  const { classes = 1000, seed = 1, inputShape = [299, 299, 3], ...weights } = options
  const { conv, separable, down, middle } = pieces(weights)
  const layers = [
    ...conv(32, 3, 2, 'valid'),
    relu(),
    ...conv(64, 3, 1, 'valid'),
    relu(),
    down(128, 128, false),
    down(256, 256),
    down(728, 728),
    ...Array.from({ length: 8 }, () => middle(728)),
    down(728, 1024),
    ...separable(1536),
    relu(),
    ...separable(2048),
    relu(),
    globalAveragePool(),
    dropout(0.5),
    dense(classes, weights),
  ]
  return sequential(inputShape, layers, { seed, name: 'xception' })
}

/** Xception's plan for grey images of 28x28: 60,530 parameters. */
export function xceptionTiny(options: LargeOptions = {}): Model {
  const { classes = 10, seed = 1, inputShape = [28, 28, 1], ...weights } = options
  const { conv, separable, down, middle } = pieces(weights)
  const stem = [...conv(8, 3), relu(), ...conv(16, 3), relu()]
  const blocks = [down(32, 32, false), down(64, 64), middle(64), down(64, 96)]
  const layers = [...stem, ...blocks, ...separable(128), relu(), globalAveragePool(), dense(classes, weights)]
  return sequential(inputShape, layers, { seed, name: 'xception-tiny' })
}
