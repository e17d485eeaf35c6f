// F. Yu & V. Koltun, "Multi-scale context aggregation by dilated convolutions", ICLR 2016: the front end (section 4),
// the context module (section 3, table 1), its first weights (equations 4 and 5).
import { randomSource } from '../base/random.ts'
import type { Variable } from '../graph/tensor.ts'
import {
  conv2d,
  dropout,
  type Layer,
  type Model,
  maxPool2d,
  relu,
  resize,
  sequential,
  type WeightOptions,
  zeroPad2d,
} from '../nn/index.ts'
import type { LargeOptions } from './options.ts'

type Weights = Pick<WeightOptions, 'kernelInitializer'>

/** What a picture loses on each side in the front end. */
export const frontEndMargin = 186

export interface FrontEndOptions extends LargeOptions {
  /** Kernels of the first layer, on which all others depend. Default 64. */
  readonly width?: number
}

/**
 * The front end: VGG-16 (Simonyan & Zisserman 2015) without its last two pools, whose halvings dilations replace, and
 * without padding. 8 pixels a step; 900x900 gives 66x66. 134,346,581 parameters for 21 classes.
 */
export function contextFrontEnd(options: FrontEndOptions = {}): Model {
  const { classes = 21, seed = 1, inputShape = [900, 900, 3], width = 64, ...weights } = options
  const conv = (filters: number, size = 3, dilation = 1) =>
    conv2d(filters, size, { dilation, activation: 'relu', ...weights })
  const layers = [
    ...[conv(width), conv(width), maxPool2d(2)],
    ...[conv(2 * width), conv(2 * width), maxPool2d(2)],
    ...[conv(4 * width), conv(4 * width), conv(4 * width), maxPool2d(2)],
    ...[conv(8 * width), conv(8 * width), conv(8 * width)],
    ...[conv(8 * width, 3, 2), conv(8 * width, 3, 2), conv(8 * width, 3, 2)],
    ...[conv(64 * width, 7, 4), dropout(0.5), conv(64 * width, 1), dropout(0.5)],
    conv2d(classes, 1, weights),
  ]
  return sequential(inputShape, layers, { seed, name: 'context-front-end' })
}

/** Table 1: of each layer the kernel's edge, the dilation, and the channels by those that come in: basic, large. */
const table = [
  { size: 3, dilation: 1, basic: 1, large: 2 },
  { size: 3, dilation: 1, basic: 1, large: 2 },
  { size: 3, dilation: 2, basic: 1, large: 4 },
  { size: 3, dilation: 4, basic: 1, large: 8 },
  { size: 3, dilation: 8, basic: 1, large: 16 },
  { size: 3, dilation: 16, basic: 1, large: 32 },
  { size: 3, dilation: 1, basic: 1, large: 32 },
  { size: 1, dilation: 1, basic: 1, large: 1 },
] as const

export const contextLayers: number = table.length
/** What the module sees on each side of a place. */
export const contextMargin: number = table.reduce((sum, { size, dilation }) => sum + ((size - 1) / 2) * dilation, 0)

export interface ContextOptions extends Weights {
  /** Channels in the middle: as many as come in, or up to 32 times as many. Default 'basic'. */
  readonly kind?: 'basic' | 'large'
  /** 'each': every layer pads with its dilation. 'once': 33 a side before the first, as released. Default 'each'. */
  readonly padding?: 'each' | 'once'
  /** false: all dilations 1, for comparison. Default true. */
  readonly dilated?: boolean
}

/** The context module: C channels in, C channels out, of the same size; sees 67x67. */
export function contextModule(channels: number, options: ContextOptions = {}): Layer[] {
  const { kind = 'basic', padding = 'each', dilated = true, ...weights } = options
  const layers = table.flatMap(({ size, dilation: published, ...wide }, i) => {
    const dilation = dilated ? published : 1
    const each = padding === 'each' ? ((size - 1) / 2) * dilation : 0
    const conv = conv2d(wide[kind] * channels, size, { dilation, padding: each, ...weights })
    return i === contextLayers - 1 ? [conv] : [conv, relu()]
  })
  return padding === 'once' ? [zeroPad2d(contextMargin), ...layers] : layers
}

/**
 * First weights with which a context module gives back what comes in, if that is >= 0 (equations 4 and 5): in the
 * middle of each kernel channel a of c_in leads to channel b of c_out where a C / c_in and b C / c_out
 * have the same whole part, with C / c_out; all else is noise.
 * @param kernels the module's, [k, k, c_in, c_out]
 * @param channels C
 * @param deviation of the noise; none in the basic module
 */
export function startAsIdentity(kernels: readonly Variable[], channels: number, deviation = 0, seed = 1): void {
  const random = randomSource(seed)
  for (const kernel of kernels) {
    const [size, , from, to] = kernel.shape as [number, number, number, number]
    const middle = ((size * size - 1) / 2) * from * to
    const values = Float32Array.from({ length: size * size * from * to }, (_, i) => {
      const [a, b] = [Math.floor(i / to) % from, i % to]
      const same = Math.floor((a * channels) / from) === Math.floor((b * channels) / to)
      const inside = i >= middle && i < middle + from * to
      return inside && same ? channels / to : deviation * random.normal()
    })
    kernel.write(values)
  }
}

/** The kernels of a model's last layers. */
export const lastKernels = (model: Model, count: number, skipped = 0): Variable[] => {
  const kernels = model.parameters.filter(({ shape }) => shape.length === 4)
  return kernels.slice(kernels.length - skipped - count, kernels.length - skipped)
}

export interface ContextNetOptions extends LargeOptions {
  /** 'none': the front end alone. 'undilated': a module of the same depth without dilation. Default 'dilated'. */
  readonly context?: 'none' | 'dilated' | 'undilated'
  /** Of the module's first weights. Default 'identity'. */
  readonly start?: 'identity' | 'gaussian'
  /** Channels of the front end. Default 12. */
  readonly width?: number
  /** 3x3 convolutions of the front end. Default 5: it sees 11x11. */
  readonly depth?: number
  /** The first so many of them halve the size; what comes out is enlarged again. Default 0. */
  readonly halvings?: number
  /** C, the channels of the module. Default 8. */
  readonly channels?: number
}

/** The paper's plan in small: a front end whose borders are mirrored, the basic module, 1x1 to the classes. */
export function contextNet(options: ContextNetOptions = {}): Model {
  const { classes = 7, seed = 1, inputShape = [64, 64, 3], context = 'dilated', start = 'identity' } = options
  const { width = 12, depth = 5, halvings = 0, channels = 8 } = options
  const plain = { kernelInitializer: 'heNormal', activation: 'relu' } as const
  const mirrored = { padding: 'same', paddingMode: 'reflect' } as const
  const front = [
    ...Array.from({ length: depth }, (_, i) =>
      conv2d(width, 3, { ...plain, ...mirrored, stride: i < halvings ? 2 : 1 }),
    ),
    conv2d(channels, 1, plain),
  ]
  const noise = { name: 'normal', deviation: 0.01 } as const
  const module =
    context === 'none' ? [] : contextModule(channels, { dilated: context === 'dilated', kernelInitializer: noise })
  const head = [conv2d(classes, 1), ...(halvings > 0 ? [resize(inputShape.slice(0, 2), { mode: 'linear' })] : [])]
  const model = sequential(inputShape, [...front, ...module, ...head], { seed, name: `context-${context}` })
  if (context !== 'none' && start === 'identity') startAsIdentity(lastKernels(model, contextLayers, 1), channels)
  return model
}
