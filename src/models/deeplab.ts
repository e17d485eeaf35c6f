// DeepLab: v1 (Chen et al., "Semantic image segmentation with deep convolutional nets and fully connected CRFs", 2015),
// v2 ("DeepLab", 2017), v3 ("Rethinking atrous convolution", 2017), v3+ ("Encoder-decoder with atrous separable
// convolution", 2018). Atrous convolution is our `dilation`. The random field of v1 and v2 is in `crf.ts`.
import {
  batchNorm,
  concatenate,
  conv2d,
  depthwiseConv2d,
  functional,
  globalAveragePool,
  input,
  type Layer,
  type Model,
  type Node,
  parallel,
  relu,
  resize,
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
