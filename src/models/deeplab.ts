// DeepLab: v1 (Chen et al., "Semantic image segmentation with deep convolutional nets and fully connected CRFs", 2015),
// v2 ("DeepLab", 2017), v3 ("Rethinking atrous convolution", 2017), v3+ ("Encoder-decoder with atrous separable
// convolution", 2018). Atrous convolution is our `dilation`. The random field of v1 and v2 is in `crf.ts`.
import {
  batchNorm,
  concatenate,
  conv2d,
  depthwiseConv2d,
  dropout,
  functional,
  globalAveragePool,
  input,
  type Layer,
  type Model,
  maxPool2d,
  type Node,
  parallel,
  relu,
  residual,
  resize,
  sequential,
  type WeightOptions,
} from '../nn/index.ts'
import type { LargeOptions } from './options.ts'

type Weights = Pick<WeightOptions, 'kernelInitializer'>

/** Layers one after another on a node. */
export const through = (layers: readonly Layer[], node: Node): Node => layers.reduce((x, item) => item(x), node)

export interface AtrousPieces {
  /** Convolution without bias, batch normalisation, relu. */
  conv(filters: number, size: number, options?: { readonly stride?: number; readonly dilation?: number }): Layer[]
  /** Depthwise 3x3, pointwise, batch normalisation, relu. */
  separable(filters: number, options?: { readonly stride?: number; readonly dilation?: number }): Layer[]
}

/** What all of v3 and v3+ is made of. */
export function atrousPieces(weights: Weights): AtrousPieces {
  const plain = { bias: false, kernelInitializer: 'heNormal', padding: 'same', ...weights } as const
  return {
    conv: (filters, size, options) => [conv2d(filters, size, { ...plain, ...options }), batchNorm(), relu()],
    separable: (filters, options) => [
      depthwiseConv2d(3, { ...plain, ...options }),
      conv2d(filters, 1, plain),
      batchNorm(),
      relu(),
    ],
  }
}

/**
 * Atrous spatial pyramid pooling of v3 (section 3.3): 1x1, a 3x3 for each rate, and image-level features, each with
 * `filters` channels, side by side, then 1x1.
 * @param size height and width of what comes in
 */
export function aspp(
  { conv }: AtrousPieces,
  filters: number,
  rates: readonly number[],
  size: readonly [number, number],
): Layer[] {
  const image = [globalAveragePool({ keepAxes: true }), ...conv(filters, 1), resize(size)]
  const branches = [conv(filters, 1), ...rates.map((dilation) => conv(filters, 3, { dilation })), image]
  return [parallel(branches), ...conv(filters, 1)]
}

/** Which dilations `deeplabMini` sees with. */
export interface DeeplabMiniOptions extends LargeOptions {
  /** Of the 3x3 branches of the pyramid; one alone stands in place of the pyramid. Default [2, 4, 6]. */
  readonly rates?: readonly number[]
}

/**
 * v3+ in small, for pictures of about 100x100: an encoder of separable convolutions with output stride 4, the pyramid,
 * the decoder of v3+. 141,475 parameters for 11 classes.
 */
export function deeplabMini(options: DeeplabMiniOptions = {}): Model {
  const { classes = 11, seed = 1, inputShape = [96, 120, 3], rates = [2, 4, 6], ...weights } = options
  const pieces = atrousPieces(weights)
  const { conv, separable } = pieces
  const picture = input(inputShape)
  const low = through(conv(24, 3, { stride: 2 }), picture)
  const [height, width] = inputShape as [number, number]
  const halved = (n: number) => Math.ceil(n / 2)
  const [half, quarter] = [
    [halved(height), halved(width)],
    [halved(halved(height)), halved(halved(width))],
  ] as const
  const encoder = [
    ...separable(48, { stride: 2 }),
    ...separable(48),
    ...separable(64, { dilation: 2 }),
    ...separable(64, { dilation: 4 }),
  ]
  const context = rates.length === 1 ? conv(48, 3, { dilation: rates[0]! }) : aspp(pieces, 48, rates, quarter)
  const high = through([...encoder, ...context, resize(half, { mode: 'linear' })], low)
  const joined = concatenate()(high, through(conv(12, 1), low))
  const decoder = [...conv(48, 3), conv2d(classes, 1, weights), resize([height, width], { mode: 'linear' })]
  return functional(picture, through(decoder, joined), { seed, name: 'deeplab-mini' })
}

export interface DeeplabVggOptions extends LargeOptions {
  /** Edge of fc6's kernel. Default 3. */
  readonly fc6?: number
  /** Rates of fc6; several: a branch of fc6, fc7 and fc8 for each, summed (ASPP of v2). Default [12]: LargeFOV. */
  readonly rates?: readonly number[]
}

/**
 * v1 and v2 on VGG-16: pool4 and pool5 keep the size, conv5 has rate 2, output stride 8. For 21 classes 20,505,429
 * parameters (LargeFOV), 65,140,565 (fc6 4x4, 4096 wide), 37,877,652 (v2's ASPP-L, rates 6, 12, 18, 24).
 */
export function deeplabVgg(options: DeeplabVggOptions = {}): Model {
  const { classes = 21, seed = 1, inputShape = [321, 321, 3], fc6 = 3, rates = [12], ...weights } = options
  const conv = (filters: number, size = 3, dilation = 1) =>
    conv2d(filters, size, { padding: 'same', dilation, activation: 'relu', ...weights })
  const pool = (stride: number) => maxPool2d(3, { stride, padding: 1 })
  const wide = fc6 === 3 ? 1024 : 4096
  const branch = (rate: number) => [
    ...[conv(wide, fc6, rate), dropout(0.5), conv(wide, 1), dropout(0.5)],
    conv2d(classes, 1, weights),
  ]
  const layers = [
    ...[conv(64), conv(64), pool(2)],
    ...[conv(128), conv(128), pool(2)],
    ...[conv(256), conv(256), conv(256), pool(2)],
    ...[conv(512), conv(512), conv(512), pool(1)],
    ...[conv(512, 3, 2), conv(512, 3, 2), conv(512, 3, 2), pool(1)],
    ...(rates.length === 1 ? branch(rates[0]!) : [parallel(rates.map(branch), { merge: 'add' })]),
  ]
  return sequential(inputShape, layers, { seed, name: 'deeplab-vgg' })
}

/** ResNet (He et al. 2016) with output stride 8: the last two stages have rates 2 and 4 in place of strides. */
function atrousResnet({ conv }: AtrousPieces, weights: Weights, depth: number): Layer[] {
  const plain = { bias: false, kernelInitializer: 'heNormal', ...weights } as const
  const bottleneck = (width: number, stride: number, dilation: number, first: boolean): Layer[] => [
    residual(
      [...conv(width, 1), ...conv(width, 3, { stride, dilation }), conv2d(4 * width, 1, plain), batchNorm()],
      first ? { shortcut: [conv2d(4 * width, 1, { ...plain, stride }), batchNorm()] } : {},
    ),
    relu(),
  ]
  const stage = (width: number, count: number, stride: number, dilation: number) =>
    Array.from({ length: count }, (_, i) => bottleneck(width, i === 0 ? stride : 1, dilation, i === 0)).flat()
  return [
    ...[...conv(64, 7, { stride: 2 }), maxPool2d(3, { stride: 2, padding: 'same' })],
    ...[...stage(64, 3, 1, 1), ...stage(128, 4, 2, 1), ...stage(256, depth, 1, 2), ...stage(512, 3, 1, 4)],
  ]
}

export interface DeeplabResnetOptions extends LargeOptions {
  /** Bottlenecks of the third of ResNet's four stages: 6 (ResNet-50) or 23 (ResNet-101). Default: v2 23, v3 6. */
  readonly depth?: 6 | 23
}

/**
 * v2 on ResNet-101: a 3x3 convolution to the classes for each of the rates 6, 12, 18 and 24, summed; output stride 8.
 * For 21 classes 44,048,532 trained parameters.
 */
export function deeplabV2(options: DeeplabResnetOptions = {}): Model {
  const { classes = 21, seed = 1, inputShape = [321, 321, 3], depth = 23, ...weights } = options
  const branch = (dilation: number) => [conv2d(classes, 3, { padding: 'same', dilation, ...weights })]
  const pyramid = parallel([6, 12, 18, 24].map(branch), { merge: 'add' })
  return sequential(inputShape, [...atrousResnet(atrousPieces(weights), weights, depth), pyramid], {
    seed,
    name: 'deeplab-v2',
  })
}

/**
 * v3 on ResNet with output stride 8: rates 2 and 4 in the last two stages, pyramid rates 12, 24, 36. For 21 classes
 * 39,638,869 trained parameters with ResNet-50.
 */
export function deeplabV3(options: DeeplabResnetOptions = {}): Model {
  const { classes = 21, seed = 1, inputShape = [513, 513, 3], depth = 6, ...weights } = options
  const pieces = atrousPieces(weights)
  const { conv } = pieces
  const eighth = inputShape.slice(0, 2).map((n) => Math.ceil(n / 8)) as [number, number]
  const layers = [
    ...atrousResnet(pieces, weights, depth),
    ...[...aspp(pieces, 256, [12, 24, 36], eighth), dropout(0.5), ...conv(256, 3), conv2d(classes, 1, weights)],
    resize(inputShape.slice(0, 2), { mode: 'linear' }),
  ]
  return sequential(inputShape, layers, { seed, name: 'deeplab-v3' })
}
