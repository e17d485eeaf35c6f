import { fail } from '../base/errors.ts'
import { type Augmentation, addPixel } from './augment.ts'

/** How far `distort` goes, at most: each picture is changed by amounts drawn evenly up to these. */
export interface DistortOptions {
  /** Pixels up or down and left or right, at most. Default 0. */
  readonly shift?: number
  /** Larger or smaller by this share, at most. Default 0. */
  readonly scale?: number
  /** Wider and as much lower, or higher and narrower, by this share at most. Default 0. */
  readonly squeeze?: number
  /** Pixels to the side for each pixel up, at most. Default 0. */
  readonly shear?: number
}

/**
 * Planar affine distortions by chance, about the middle, bilinear; zeros come in: shifts, scaling, squeezing and
 * horizontal shearing, as LeNet-5 was trained with (LeCun et al. 1998, section III A).
 */
export function distort({ shift = 0, scale = 0, squeeze = 0, shear = 0 }: DistortOptions): Augmentation {
  for (const [name, value] of Object.entries({ shift, scale, squeeze, shear }))
    if (!(value >= 0) || (name !== 'shift' && value >= 1) || !Number.isFinite(value))
      fail('distort', `${name} is ${value}`, 'Give a number of pixels, or a share from 0 to less than 1')
  return {
    outputShape: (shape) => shape,
    apply(from, to, shape, random) {
      const [height, width, channels] = shape
      const within = (most: number) => (2 * random.next() - 1) * most
      const [down, right, larger, wider, slant] = [shift, shift, scale, squeeze, shear].map(within)
      // from a place in the result to where its value comes from
      const [byX, byY] = [1 / ((1 + larger) * (1 + wider)), (1 + wider) / (1 + larger)]
      const [middleY, middleX] = [(height - 1) / 2, (width - 1) / 2]
      for (let row = 0; row < height; row++)
        for (let column = 0; column < width; column++) {
          const [y, x] = [row - middleY - down, column - middleX - right]
          const at = (row * width + column) * channels
          addPixel(from, to, at, shape, middleY + y * byY, middleX + (x + slant * y) * byX)
        }
    },
  }
}
