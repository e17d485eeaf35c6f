// U-Net (Ronneberger, Fischer & Brox, "U-Net: convolutional networks for biomedical image segmentation", 2015), figure
// 1: a contracting path, an expanding path of transposed convolutions, maps of the first beside those of the second.
import {
  batchNorm,
  concatenate,
  conv2d,
  convTranspose2d,
  functional,
  input,
  type Layer,
  type Model,
  maxPool2d,
  type Node,
  relu,
  upsampling,
  zeroPad2d,
} from '../nn/index.ts'
import type { LargeOptions } from './options.ts'

/** Size and borders of a U-Net (Ronneberger, Fischer & Brox 2015). */
export interface UnetOptions extends LargeOptions {
  /** Channels of the first level; each level below has twice as many. */
  readonly width?: number
  /** Halvings. Default 4. */
  readonly levels?: number
  /** 'valid' as published: the result is smaller than the picture by 184 pixels at 4 levels. Default 'same'. */
  readonly padding?: 'valid' | 'same'
  /** After each 3x3 convolution, which the paper has not. Default true with padding 'same'. */
  readonly normalise?: boolean
  /**
   * What enlarges. 'transposed2': 2x2, stride 2, as published. 'transposed3': 3x3, stride 2, whose windows overlap
   * unevenly: a checkerboard (Odena, Dumoulin & Olah 2016). 'transposed4': 4x4, stride 2: evenly. 'resize': nearest
   * neighbours, then a 3x3 convolution. Default 'transposed2'.
   */
  readonly up?: 'transposed2' | 'transposed3' | 'transposed4' | 'resize'
}

/** Layers that double height and width. */
export function enlarging(filters: number, up: NonNullable<UnetOptions['up']>, weights: LargeOptions = {}): Layer[] {
  const plain = { kernelInitializer: 'heNormal', ...weights } as const
  if (up === 'resize') return [upsampling(2), conv2d(filters, 3, { padding: 'same', ...plain })]
  const transposed = {
    transposed2: { size: 2, padding: 0, outputPadding: 0 },
    transposed3: { size: 3, padding: 1, outputPadding: 1 },
    transposed4: { size: 4, padding: 1, outputPadding: 0 },
  }
  const { size, ...borders } = transposed[up]
  return [convTranspose2d(filters, size, { stride: 2, ...borders, ...plain })]
}

/** The middle of maps, as large as others. */
const cropped = ([height, width]: readonly number[], [h, w]: readonly number[]): Layer => {
  const low = [Math.floor((height! - h!) / 2), Math.floor((width! - w!) / 2)]
  return zeroPad2d([
    [-low[0]!, -(height! - h! - low[0]!)],
    [-low[1]!, -(width! - w! - low[1]!)],
  ])
}

/**
 * U-Net. As published: `unet({ inputShape: [572, 572, 1], padding: 'valid' })`: 64 channels at first, 23 convolutional
 * layers, a result of 388x388 for 2 classes.
 */
export function unet(options: UnetOptions = {}): Model {
  const { classes = 2, seed = 1, inputShape = [572, 572, 1], width = 64, levels = 4, padding = 'same' } = options
  const { normalise = padding === 'same', up = 'transposed2', kernelInitializer = 'heNormal' } = options
  const weights = { kernelInitializer }
  const after = () => (normalise ? [batchNorm(), relu()] : [relu()])
  const twice = (filters: number): Layer[] => {
    const one = () => [conv2d(filters, 3, { padding, bias: !normalise, ...weights }), ...after()]
    return [...one(), ...one()]
  }
  const picture = input(inputShape)
  let x: Node = picture
  let size = inputShape.slice(0, 2)
  const shrink = padding === 'valid' ? 4 : 0
  const run = (layers: readonly Layer[]) => {
    x = layers.reduce((node, item) => item(node), x)
  }
  const kept: { node: Node; size: readonly number[] }[] = []
  for (let level = 0; level < levels; level++) {
    run(twice(width * 2 ** level))
    size = size.map((n) => n - shrink)
    kept.push({ node: x, size })
    run([maxPool2d(2)])
    size = size.map((n) => Math.floor(n / 2))
  }
  run(twice(width * 2 ** levels))
  size = size.map((n) => n - shrink)
  for (const [i, { node, size: before }] of kept.toReversed().entries()) {
    const filters = width * 2 ** (levels - 1 - i)
    run(enlarging(filters, up, weights))
    size = size.map((n) => 2 * n)
    const same = before.every((n, axis) => n === size[axis])
    x = concatenate()(same ? node : cropped(before, size)(node), x)
    run(twice(filters))
    size = size.map((n) => n - shrink)
  }
  run([conv2d(classes, 1, weights)])
  return functional(picture, x, { seed, name: 'unet' })
}

/** For pictures of about 100x100: three levels, 12 channels at first. */
export const unetMini = (options: UnetOptions = {}): Model =>
  unet({ classes: 11, inputShape: [96, 120, 3], width: 12, levels: 3, ...options })
