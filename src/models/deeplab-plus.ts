// DeepLab v3+: L.-C. Chen, Y. Zhu, G. Papandreou, F. Schroff, H. Adam, "Encoder-decoder with atrous separable
// convolution for semantic image segmentation", 2018, on the Xception with 65 layers of its figure 4.
import {
  add,
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
  parallel,
  relu,
  residual,
  resize,
  type WeightOptions,
} from '../nn/index.ts'
import { through } from './deeplab.ts'
import type { LargeOptions } from './options.ts'

type Weights = Pick<WeightOptions, 'kernelInitializer'>

interface Place {
  readonly stride?: number
  readonly dilation?: number
  /** Rectifiers behind both halves. Else one before them, as in Xception. Default false. */
  readonly inside?: boolean
}

/** Separable convolutions have batch normalisation behind both of their halves (section 3.2). */
function xceptionPieces(weights: Weights) {
  const plain = { bias: false, kernelInitializer: 'heNormal', padding: 'same', ...weights } as const
  const conv = (filters: number, size: number, stride = 1): Layer[] => [
    conv2d(filters, size, { ...plain, stride }),
    batchNorm(),
    relu(),
  ]
  const separable = (filters: number, { stride = 1, dilation = 1, inside = false }: Place = {}): Layer[] => {
    const after = inside ? [relu()] : []
    const depthwise = [depthwiseConv2d(3, { ...plain, stride, dilation }), batchNorm(), ...after]
    return [...(inside ? [] : [relu()]), ...depthwise, conv2d(filters, 1, plain), batchNorm(), ...after]
  }
  const shortcut = (filters: number, stride: number): Layer[] => [conv2d(filters, 1, { ...plain, stride }), batchNorm()]
  return { conv, separable, shortcut }
}

/**
 * v3+ on Xception-65 with output stride 16: entry, middle (16 modules) and exit flow whose strides are separable
 * convolutions in place of pools; the pyramid of atrous separable convolutions of rates 6, 12, 18; the decoder, which
 * joins them with 48 channels of stride 4. For 21 classes 41,258,213 parameters with running statistics (as in Keras).
 * @param options inputShape: edges of 16 n + 1 are met exactly
 */
export function deeplabV3Plus(options: LargeOptions = {}): Model {
  const { classes = 21, seed = 1, inputShape = [513, 513, 3], ...weights } = options
  const { conv, separable, shortcut } = xceptionPieces(weights)
  const sizeAt = (stride: number) => inputShape.slice(0, 2).map((n) => Math.ceil(n / stride)) as [number, number]
  const module = (filters: readonly [number, number, number], stride: number): Layer => {
    const [a, b, c] = filters
    const body = [...separable(a), ...separable(b), ...separable(c, { stride })]
    return residual(body, { shortcut: shortcut(c, stride) })
  }
  const middle = () => residual([...separable(728), ...separable(728), ...separable(728)])
  const picture = input(inputShape)
  const first = through([...conv(32, 3, 2), ...conv(64, 3), module([128, 128, 128], 2)], picture)
  // the decoder takes what goes into the second module's stride, of stride 4
  const low = through([...separable(256), ...separable(256)], first)
  const second = add()(through(separable(256, { stride: 2 }), low), through(shortcut(256, 2), first))
  const wide = { inside: true, dilation: 2 }
  const deep = [
    ...[module([728, 728, 728], 2), ...Array.from({ length: 16 }, middle), module([728, 1024, 1024], 1)],
    ...[...separable(1536, wide), ...separable(1536, wide), ...separable(2048, wide)],
  ]
  const image = [globalAveragePool({ keepAxes: true }), ...conv(256, 1), resize(sizeAt(16))]
  const rates = [6, 12, 18].map((dilation) => separable(256, { inside: true, dilation }))
  const pyramid = [parallel([conv(256, 1), ...rates, image]), ...conv(256, 1), dropout(0.1)]
  const high = through([...deep, ...pyramid, resize(sizeAt(4), { mode: 'linear' })], second)
  const detail = through(conv(48, 1), low)
  const decoder = [
    ...separable(256, { inside: true }),
    ...separable(256, { inside: true }),
    conv2d(classes, 1, weights),
  ]
  const answer = through([...decoder, resize(inputShape.slice(0, 2), { mode: 'linear' })], concatenate()(high, detail))
  return functional(picture, answer, { seed, name: 'deeplab-v3-plus' })
}
