import { fail } from '../base/errors.ts'
import { hashBits, type RandomSource, randomSource } from '../base/random.ts'
import { type Shape, showShape, sizeOf } from '../base/shape.ts'
import type { Dataset } from './dataset.ts'

/** A change by chance of one picture `[H, W, C]`. */
export interface Augmentation {
  /** Shape of the changed picture; fails if this change can't be made to pictures of `shape`. */
  outputShape(shape: Shape): Shape
  /** Writes the changed picture into `to`, which is filled with zeros. */
  apply(from: Float32Array, to: Float32Array, shape: Shape, random: RandomSource): void
}

/** Streams of chance for augmentation start here, apart from those of other uses of the same seed. */
const augmentStream = 2 ** 41

/**
 * `dataset` with each sample changed by chance, by `augmentations` in their order. What happens to a sample depends
 * only on `seed`, the epoch given to `batch` and the sample's index in `dataset`: not on the batch it is in, nor on
 * what ran before, so a resumed training sees the same pictures.
 */
export function augment(dataset: Dataset, augmentations: readonly Augmentation[], seed: number): Dataset {
  if (dataset.shape.length !== 3)
    fail('augment', `samples of shape ${showShape(dataset.shape)} are not pictures`, 'Give samples of shape [H, W, C]')
  const shapes = [dataset.shape]
  for (const [step, augmentation] of augmentations.entries()) shapes.push(augmentation.outputShape(shapes[step]))
  const shape = shapes[augmentations.length]
  const size = sizeOf(shape)
  return {
    length: dataset.length,
    shape,
    classes: dataset.classes,
    labels: dataset.labels,
    batch(indices, epoch = 0) {
      const { x, y } = dataset.batch(indices, epoch)
      const changed = new Float32Array(indices.length * size)
      const inputSize = sizeOf(dataset.shape)
      for (let at = 0; at < indices.length; at++) {
        const random = randomSource(hashBits(indices[at], hashBits(epoch, seed)), augmentStream)
        let picture = x.subarray(at * inputSize, (at + 1) * inputSize)
        for (const [step, augmentation] of augmentations.entries()) {
          const to = new Float32Array(sizeOf(shapes[step + 1]))
          augmentation.apply(picture, to, shapes[step], random)
          picture = to
        }
        changed.set(picture, at * size)
      }
      return { x: changed, y }
    },
  }
}

/** Moves the picture by up to `most` pixels up or down and left or right, whole pixels; zeros come in. */
export function shift(most: number): Augmentation {
  checkPixels('shift', 'most', most, 0)
  return {
    outputShape: (shape) => shape,
    apply(from, to, shape, random) {
      const rows = random.integer(2 * most + 1) - most
      const columns = random.integer(2 * most + 1) - most
      copyWindow(from, to, shape, shape, rows, columns)
    },
  }
}

/**
 * Pads the picture by `padding` pixels of zeros on every side and cuts a window of `size` pixels (`[height, width]`, or
 * one number for both) from a random place of it.
 */
export function crop(size: number | readonly [number, number], padding = 0): Augmentation {
  const [height, width] = typeof size === 'number' ? [size, size] : size
  checkPixels('crop', 'height', height, 1)
  checkPixels('crop', 'width', width, 1)
  checkPixels('crop', 'padding', padding, 0)
  return {
    outputShape([inHeight, inWidth, channels]) {
      if (height > inHeight + 2 * padding || width > inWidth + 2 * padding)
        fail(
          'crop',
          `window ${height}x${width} is larger than the picture ${inHeight}x${inWidth} with padding ${padding}`,
          'Use a smaller window or more padding',
        )
      return [height, width, channels]
    },
    apply(from, to, [inHeight, inWidth, channels], random) {
      const top = random.integer(inHeight + 2 * padding - height + 1) - padding
      const left = random.integer(inWidth + 2 * padding - width + 1) - padding
      copyWindow(from, to, [inHeight, inWidth, channels], [height, width, channels], top, left)
    },
  }
}

/** Mirrors every second picture (by chance), left to right or top to bottom. */
export function flip(direction: 'horizontal' | 'vertical' = 'horizontal'): Augmentation {
  if (direction !== 'horizontal' && direction !== 'vertical')
    fail('flip', `direction is '${direction}'`, "Use 'horizontal' or 'vertical'")
  return {
    outputShape: (shape) => shape,
    apply(from, to, [height, width, channels], random) {
      const mirrored = random.next() < 0.5
      for (let row = 0; row < height; row++) {
        const fromRow = mirrored && direction === 'vertical' ? height - 1 - row : row
        for (let column = 0; column < width; column++) {
          const fromColumn = mirrored && direction === 'horizontal' ? width - 1 - column : column
          const start = (fromRow * width + fromColumn) * channels
          to.set(from.subarray(start, start + channels), (row * width + column) * channels)
        }
      }
    },
  }
}

/** Turns the picture about its centre by up to `degrees` either way, bilinear; zeros come in at the corners. */
export function rotate(degrees: number): Augmentation {
  if (!(degrees >= 0 && degrees <= 180))
    fail('rotate', `degrees is ${degrees}`, 'Give the largest angle, from 0 to 180 degrees')
  return {
    outputShape: (shape) => shape,
    apply(from, to, [height, width, channels], random) {
      // Positive turns clockwise.
      const angle = ((2 * random.next() - 1) * degrees * Math.PI) / 180
      const cos = Math.cos(angle)
      const sin = Math.sin(angle)
      const middleY = (height - 1) / 2
      const middleX = (width - 1) / 2
      for (let row = 0; row < height; row++)
        for (let column = 0; column < width; column++) {
          const y = middleY + (row - middleY) * cos - (column - middleX) * sin
          const x = middleX + (row - middleY) * sin + (column - middleX) * cos
          const at = (row * width + column) * channels
          addPixel(from, to, at, [height, width, channels], y, x)
        }
    },
  }
}

/** Adds to the pixel of `to` that starts at `at` the picture's value at (y, x): between pixels bilinear, outside 0. */
export function addPixel(from: Float32Array, to: Float32Array, at: number, shape: Shape, y: number, x: number): void {
  const [height, width, channels] = shape
  const top = Math.floor(y)
  const left = Math.floor(x)
  for (let row = top; row <= top + 1; row++)
    for (let column = left; column <= left + 1; column++) {
      const weight = (1 - Math.abs(y - row)) * (1 - Math.abs(x - column))
      if (weight === 0 || row < 0 || row >= height || column < 0 || column >= width) continue
      const start = (row * width + column) * channels
      for (let channel = 0; channel < channels; channel++) to[at + channel] += weight * from[start + channel]
    }
}

/** Copies the window of `from` that starts at (top, left), which may lie partly outside, into `to`. */
function copyWindow(
  from: Float32Array,
  to: Float32Array,
  [height, width, channels]: Shape,
  [outHeight, outWidth]: Shape,
  top: number,
  left: number,
): void {
  const first = Math.max(0, -left)
  const end = Math.min(outWidth, width - left)
  if (end <= first) return
  for (let row = Math.max(0, -top); row < Math.min(outHeight, height - top); row++) {
    const start = ((row + top) * width + left + first) * channels
    to.set(from.subarray(start, start + (end - first) * channels), (row * outWidth + first) * channels)
  }
}

function checkPixels(operation: string, name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    fail(operation, `${name} is ${value}`, `Give a whole number of pixels, at least ${least}`)
}
