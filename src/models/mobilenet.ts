import {
  batchNorm,
  conv2d,
  dense,
  depthwiseConv2d,
  dropout,
  globalAveragePool,
  type Layer,
  type Model,
  relu,
  relu6,
  residual,
  sequential,
  type WeightOptions,
} from '../nn/index.ts'
import type { LargeOptions } from './options.ts'

/** Width, picture and classes of a MobileNet. */
export interface MobileNetOptions extends LargeOptions {
  /** Factor of every number of channels. Default 1. */
  readonly width?: number
}

const pieces = (weights: Pick<WeightOptions, 'kernelInitializer'>, activation: () => Layer) => {
  const plain = { bias: false, kernelInitializer: 'heNormal', ...weights } as const
  const linear = (filters: number) => [conv2d(filters, 1, plain), batchNorm()]
  const conv = (filters: number, size: number, stride = 1) => [
    conv2d(filters, size, { stride, padding: 'same', ...plain }),
    batchNorm(),
    activation(),
  ]
  const depthwise = (stride: number) => [
    depthwiseConv2d(3, { stride, padding: 'same', ...plain }),
    batchNorm(),
    activation(),
  ]
  return { linear, conv, depthwise }
}

/** Filters and stride of v1's 13 blocks: table 1. */
const blocks1 = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
] as const
const blocks1End = [...Array.from({ length: 5 }, () => [512, 1] as const), [1024, 2], [1024, 1]] as const

/** MobileNet (Howard et al. 2017): 4,231,976 trained parameters at width 1. */
export function mobilenet(options: MobileNetOptions = {}): Model {
  const { classes = 1000, seed = 1, inputShape = [224, 224, 3], width = 1, ...weights } = options
  const { conv, depthwise } = pieces(weights, relu)
  const wide = (filters: number) => Math.floor(filters * width)
  const layers = [
    ...conv(wide(32), 3, 2),
    ...[...blocks1, ...blocks1End].flatMap(([filters, stride]) => [...depthwise(stride), ...conv(wide(filters), 1)]),
    globalAveragePool(),
    dropout(0.001),
    dense(classes, weights),
  ]
  return sequential(inputShape, layers, { seed, name: 'mobilenet' })
}

/** Expansion, filters, repeats, stride of v2's stages: table 2. */
const stages2 = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const

/** The nearest multiple of 8 that isn't more than a tenth smaller. */
function eights(filters: number): number {
  const near = Math.max(8, Math.floor((filters + 4) / 8) * 8)
  return near < 0.9 * filters ? near + 8 : near
}

/** MobileNetV2 (Sandler et al. 2018): inverted residuals, linear bottlenecks. 3,504,872 parameters at width 1. */
export function mobilenetV2(options: MobileNetOptions = {}): Model {
  const { classes = 1000, seed = 1, inputShape = [224, 224, 3], width = 1, ...weights } = options
  const { linear, conv, depthwise } = pieces(weights, relu6)
  let channels = eights(32 * width)
  const layers: Layer[] = conv(channels, 3, 2)
  for (const [expansion, filters, repeats, first] of stages2)
    for (let i = 0; i < repeats; i++) {
      const stride = i === 0 ? first : 1
      const out = eights(filters * width)
      const expand = expansion === 1 ? [] : conv(channels * expansion, 1)
      const block = [...expand, ...depthwise(stride), ...linear(out)]
      if (stride === 1 && channels === out) layers.push(residual(block))
      else layers.push(...block)
      channels = out
    }
  layers.push(...conv(width > 1 ? eights(1280 * width) : 1280, 1), globalAveragePool(), dropout(0.2))
  return sequential(inputShape, [...layers, dense(classes, weights)], { seed, name: 'mobilenet-v2' })
}
