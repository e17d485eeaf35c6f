// Training and measuring of networks that name every pixel, for all systems that do.
import { hashBits, randomSource } from '../../base/random.ts'
import { sizeOf } from '../../base/shape.ts'
import {
  accuracy,
  adam,
  confusionMatrix,
  type DataSource,
  epochLine,
  type Model,
  softmaxCrossEntropy,
} from '../../nn/index.ts'
import type { Settings } from './settings.ts'

/** Pictures, and the class of every pixel. */
export interface Scenes {
  readonly height: number
  readonly width: number
  /** [N, H, W, 3], 0 to 1. */
  readonly pictures: Float32Array
  /** [N, H, W]; numbers from `classes.length` on don't count. */
  readonly labels: Float32Array
  readonly classes: readonly string[]
}

export const sceneCount = ({ height, width, labels }: Scenes): number => labels.length / (height * width)

/** Each class's weight: the root of how much rarer it is than the median class, at most 4. */
export function classWeights({ labels, classes }: Scenes): number[] {
  const counts = classes.map(() => 0)
  for (const label of labels) if (label < classes.length) counts[label]! += 1
  const middle = counts.filter((n) => n > 0).sort((a, b) => a - b)[Math.floor(counts.length / 2)] ?? 1
  return counts.map((n) => (n === 0 ? 0 : Math.min(4, Math.sqrt(middle / n))))
}

/** Largest zoom of a changed picture. */
const mostZoom = 1.4

/** One scene flipped, zoomed and brightened by chance into `x` and `y`. */
function changed(scenes: Scenes, index: number, key: number, x: Float32Array, y: Float32Array): void {
  const { height, width, pictures, labels } = scenes
  const random = randomSource(hashBits(index, key), 7)
  const from = index * height * width
  const zoom = 1 + (mostZoom - 1) * random.next()
  const [top, left] = [height, width].map((n) => (n - (n - 1) / zoom - 1) * random.next()) as [number, number]
  const flipped = random.next() < 0.5
  const [gain, shift] = [0.8 + 0.4 * random.next(), 0.2 * random.next() - 0.1]
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const v = top + row / zoom
      const u = left + (flipped ? width - 1 - column : column) / zoom
      const [r, c] = [Math.min(Math.floor(v), height - 2), Math.min(Math.floor(u), width - 2)]
      const [fr, fc] = [v - r, u - c]
      const at = from + r * width + c
      const to = row * width + column
      y[to] = labels[from + Math.round(v) * width + Math.round(u)]!
      for (let k = 0; k < 3; k++) {
        const above = pictures[at * 3 + k]! * (1 - fc) + pictures[(at + 1) * 3 + k]! * fc
        const below = pictures[(at + width) * 3 + k]! * (1 - fc) + pictures[(at + width + 1) * 3 + k]! * fc
        x[to * 3 + k] = gain * (above * (1 - fr) + below * fr) + shift
      }
    }
}

/** The scenes as they are, or changed by chance in every epoch. */
export function sourceOf(scenes: Scenes, augmented: boolean, seed = 1): DataSource {
  const { height, width, pictures, labels } = scenes
  const size = height * width
  return {
    length: sceneCount(scenes),
    batch(indices, epoch = 0) {
      const x = new Float32Array(indices.length * size * 3)
      const y = new Float32Array(indices.length * size)
      for (let n = 0; n < indices.length; n++) {
        const i = indices[n]!
        const [to, answer] = [x.subarray(n * size * 3, (n + 1) * size * 3), y.subarray(n * size, (n + 1) * size)]
        if (augmented) changed(scenes, i, hashBits(epoch, seed), to, answer)
        else {
          to.set(pictures.subarray(i * size * 3, (i + 1) * size * 3))
          answer.set(labels.subarray(i * size, (i + 1) * size))
        }
      }
      return { x, y }
    },
  }
}

export interface SegmenterOptions {
  readonly epochs: number
  /** Of Adam at first; falls to 0 as (1 - t)^0.9, DeepLab's "poly". */
  readonly learningRate: number
  readonly batchSize: number
  /** Pictures are flipped, zoomed and brightened by chance. Default false. */
  readonly augmented?: boolean
}

/** Trains a network whose outputs are [H, W, classes], rare classes weighted; tells about it ten times. */
export async function trainSegmenter(
  model: Model,
  scenes: Scenes,
  { epochs, learningRate, batchSize, augmented = false }: SegmenterOptions,
  { terminal }: Settings,
): Promise<void> {
  const ignoreIndex = scenes.classes.length
  const weights = classWeights(scenes)
  const every = Math.ceil(epochs / 10)
  await model.fit(sourceOf(scenes, augmented), {
    epochs,
    batchSize,
    optimizer: adam({ learningRate }),
    schedule: 'polynomialDecay',
    loss: (logits, labels) => softmaxCrossEntropy(logits, labels, { ignoreIndex, classWeights: weights }),
    metrics: [accuracy({ ignoreIndex })],
    precision: 'fast',
    verbose: false,
    callbacks: [
      {
        epoch: (record) => {
          if (record.epoch % every === 0) terminal.note(`${model.name}: ${epochLine(record, epochs)}`)
        },
      },
    ],
  })
}

/** How often each class (row) was taken for each (column). */
export type Confusion = readonly (readonly number[])[]

/** Class of the largest of each pixel's numbers. */
export function largest(values: Float32Array, classes: number): Uint8Array {
  return Uint8Array.from({ length: values.length / classes }, (_, pixel) => {
    let best = 0
    for (let c = 1; c < classes; c++) if (values[pixel * classes + c]! > values[pixel * classes + best]!) best = c
    return best
  })
}

export function confusion(labels: ArrayLike<number>, predicted: ArrayLike<number>, classes: number): Confusion {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  for (let i = 0; i < labels.length; i++) if (labels[i]! < classes) counts[labels[i]!]![predicted[i]!]! += 1
  return counts
}

/** Of each class: right / (right + wrongly not + wrongly yes); NaN for one that is nowhere. */
export const intersections = (counts: Confusion): number[] =>
  counts.map((row, c) => {
    const all = row.reduce((sum, n) => sum + n, 0) + counts.reduce((sum, other) => sum + other[c]!, 0)
    return row[c]! / (all - row[c]!)
  })

/** Mean intersection by union over the classes that there are: the measure of VOC and CamVid. */
export function meanIoU(counts: Confusion): number {
  const present = intersections(counts).filter((_, c) => counts[c]!.some((n) => n > 0))
  return present.reduce((sum, v) => sum + v, 0) / present.length
}

/** Share of pixels. */
export const pixelAccuracy = (counts: Confusion): number =>
  counts.reduce((sum, row, c) => sum + row[c]!, 0) / counts.flat().reduce((sum, n) => sum + n, 0)

/** Measured over all scenes. */
export async function measured(model: Model, scenes: Scenes): Promise<Confusion> {
  const { confusionMatrix: counts } = await model.evaluate(sourceOf(scenes, false), {
    batchSize: 8,
    metrics: [confusionMatrix()],
    loss: (logits, labels) => softmaxCrossEntropy(logits, labels, { ignoreIndex: scenes.classes.length }),
  })
  return counts as Confusion
}

/** Only so many scenes, the first. */
export function firstScenes(scenes: Scenes, count: number): Scenes {
  const size = sizeOf([scenes.height, scenes.width])
  const n = Math.min(count, sceneCount(scenes))
  return { ...scenes, pictures: scenes.pictures.slice(0, n * size * 3), labels: scenes.labels.slice(0, n * size) }
}
