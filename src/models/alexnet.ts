import {
  batchNorm,
  conv2d,
  dense,
  dropout,
  flatten,
  type Layer,
  localResponseNorm,
  type Model,
  maxPool2d,
  relu,
  rescaling,
  sequential,
  type WeightOptions,
} from '../nn/index.ts'
import type { LargeOptions, ZooOptions } from './options.ts'

type Weights = Pick<WeightOptions, 'kernelInitializer'>

/** The paper's n = 5, k = 2, alpha = 1e-4, beta = 0.75; ours multiplies the mean of the 5 squares, not their sum. */
const normalisation = () => localResponseNorm(5, { k: 2, alpha: 5e-4, beta: 0.75 })
const overlapping = () => maxPool2d(3, { stride: 2 })

/** Convolution, then relu; `padding` on each side. */
const conv =
  (weights: Weights) =>
  (filters: number, size: number, padding: number, groups = 1, stride = 1): Layer =>
    conv2d(filters, size, { padding, groups, stride, activation: 'relu', kernelInitializer: 'heNormal', ...weights })

/** The dense layers at the end, with dropout. */
const head = (weights: Weights, widths: readonly number[], classes: number): Layer[] => [
  flatten(),
  ...widths.flatMap((width) => [dense(width, { kernelInitializer: 'heNormal', ...weights }), relu(), dropout(0.5)]),
  dense(classes, weights),
]

/**
 * AlexNet (Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep convolutional neural networks", 2012),
 * figure 2: its two towers are the two groups of layers 2, 4 and 5. 60,965,224 parameters. The paper's 224 pixels don't
 * give its 55; 227 do. `kernelInitializer: 'zeros'` makes one to look at that takes no memory.
 */
export function alexnet(options: LargeOptions = {}): Model {
  const { classes = 1000, seed = 1, inputShape = [227, 227, 3], ...weights } = options
  const layer = conv(weights)
  const layers = [
    layer(96, 11, 0, 1, 4),
    normalisation(),
    overlapping(),
    layer(256, 5, 2, 2),
    normalisation(),
    overlapping(),
    layer(384, 3, 1),
    layer(384, 3, 1, 2),
    layer(256, 3, 1, 2),
    overlapping(),
  ]
  return sequential(inputShape, [...layers, ...head(weights, [4096, 4096], classes)], { seed, name: 'alexnet' })
}

/** AlexNet in one tower (Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014), as in
 * torchvision: fewer kernels, no groups, no normalisation. 61,100,840 parameters. */
export function alexnetSingle(options: LargeOptions = {}): Model {
  const { classes = 1000, seed = 1, inputShape = [224, 224, 3], ...weights } = options
  const layer = conv(weights)
  const stem = [layer(64, 11, 2, 1, 4), overlapping(), layer(192, 5, 2), overlapping()]
  const layers = [...stem, layer(384, 3, 1), layer(256, 3, 1), layer(256, 3, 1), overlapping()]
  return sequential(inputShape, [...layers, ...head(weights, [4096, 4096], classes)], { seed, name: 'alexnet-single' })
}

/** Pixels of 0 to 1 to mean 0 and variance 1, about: in place of the paper's mean picture, which is subtracted. */
const centred = () => rescaling(4, -1.9)

/** AlexNet's plan for images of 32x32: 334,666 parameters. */
export function alexnetMini(options: LargeOptions = {}): Model {
  const { classes = 10, seed = 1, inputShape = [32, 32, 3], ...weights } = options
  const layer = conv(weights)
  const stem = [layer(32, 5, 2), normalisation(), overlapping(), layer(64, 5, 2, 2), normalisation(), overlapping()]
  const layers = [...stem, layer(96, 3, 1), layer(96, 3, 1, 2), layer(64, 3, 1, 2), overlapping()]
  const all = [centred(), ...layers, ...head(weights, [256, 128], classes)]
  return sequential(inputShape, all, { seed, name: 'alexnet-mini' })
}

/**
 * The same plan for 32x32 as one would build it today: batch normalisation (Ioffe & Szegedy 2015) in place of local
 * response normalisation and of most of the dropout, one tower, 3x3 kernels behind the first layer, one dense layer
 * before the last. Overlapping pools and five convolutions as in 2012. 354,922 parameters.
 */
export function alexnetModern({ classes = 10, seed = 1, inputShape = [32, 32, 3] }: ZooOptions = {}): Model {
  const plain = { bias: false, kernelInitializer: 'heNormal' } as const
  const layer = (filters: number, size: number) => [
    conv2d(filters, size, { padding: 'same', ...plain }),
    batchNorm(),
    relu(),
  ]
  const stem = [...layer(32, 5), overlapping(), ...layer(64, 3), overlapping()]
  const layers = [...stem, ...layer(96, 3), ...layer(96, 3), ...layer(96, 3), overlapping(), flatten(), dropout(0.2)]
  const end = [dense(128, plain), batchNorm(), relu(), dense(classes)]
  return sequential(inputShape, [centred(), ...layers, ...end], { seed, name: 'alexnet-modern' })
}
