// Changes by chance of sounds and volumes; those of pictures are in augment.ts and distort.ts.
import { hashBits, type RandomSource, randomSource } from '../base/random.ts'
import { type Shape, sizeOf } from '../base/shape.ts'
import type { Dataset } from './dataset.ts'

/** Streams of chance start here, apart from those of other uses of the same seed. */
const stream = 2 ** 42

/** `dataset` with each sample changed; by how much depends on the seed, the epoch and the sample's index alone. */
function varied(
  dataset: Dataset,
  seed: number,
  change: (from: Float32Array, to: Float32Array, shape: Shape, random: RandomSource) => void,
): Dataset {
  const size = sizeOf(dataset.shape)
  return {
    ...dataset,
    batch(indices, epoch = 0) {
      const { x, y } = dataset.batch(indices, epoch)
      const changed = new Float32Array(x.length)
      for (let n = 0; n < indices.length; n++) {
        const random = randomSource(hashBits(indices[n]!, hashBits(epoch, seed)), stream)
        const [from, to] = [x, changed].map((values) => values.subarray(n * size, (n + 1) * size))
        change(from!, to!, dataset.shape, random)
      }
      return { x: changed, y }
    },
  }
}

/** How far `varySounds` goes, at most. */
export interface SoundOptions {
  /** Samples later, at most. Default 0. */
  readonly delay?: number
  /** Faster (and higher) or slower by this share, at most. Default 0. */
  readonly speed?: number
}

/** Sounds [T, C] that begin later and run faster or slower, by chance; zeros come in, the end may be lost. */
export const varySounds = (dataset: Dataset, { delay = 0, speed = 0 }: SoundOptions, seed: number): Dataset =>
  varied(dataset, seed, (from, to, [length, channels], random) => {
    const later = random.integer(delay + 1)
    const pace = 1 + (2 * random.next() - 1) * speed
    for (let t = later; t < length!; t++) {
      const place = (t - later) * pace
      const before = Math.floor(place)
      if (before + 1 >= length!) break
      const share = place - before
      for (let c = 0; c < channels!; c++) {
        const at = before * channels! + c
        to[t * channels! + c] = (1 - share) * from[at]! + share * from[at + channels!]!
      }
    }
  })

/** Volumes [X, Y, Z, 1] mirrored along x half of the time, and moved by up to `shift` along each axis. */
export const varyVolumes = (dataset: Dataset, { shift }: { readonly shift: number }, seed: number): Dataset =>
  varied(dataset, seed, (from, to, shape, random) => {
    const [width, depth, height] = shape as readonly [number, number, number, number]
    const mirrored = random.next() < 0.5
    const [dx, dy, dz] = [0, 1, 2].map(() => random.integer(2 * shift + 1) - shift) as [number, number, number]
    for (let x = Math.max(0, dx); x < Math.min(width, width + dx); x++)
      for (let y = Math.max(0, dy); y < Math.min(depth, depth + dy); y++) {
        const source = mirrored ? width - 1 - (x - dx) : x - dx
        const [start, at] = [(source * depth + y - dy) * height, (x * depth + y) * height]
        const first = Math.max(0, -dz)
        const row = from.subarray(start + first, start + Math.min(height, height - dz))
        to.set(row, at + first + dz)
      }
  })
