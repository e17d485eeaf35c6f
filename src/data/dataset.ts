import { fail } from '../base/errors.ts'
import { type Shape, showShape, sizeOf } from '../base/shape.ts'
import { shuffledIndices } from '../base/shuffle.ts'

/** Some samples of a data set, ready for a model: `x` is `[B, ...shape]` and `y` is `[B]`, the index of each class. */
export interface Batch {
  readonly x: Float32Array
  readonly y: Float32Array
}

/** Labelled samples of one shape. */
export interface Dataset {
  /** Number of samples. */
  readonly length: number
  /** Shape of one sample, channels last: `[H, W, C]` for pictures. */
  readonly shape: Shape
  /** Name of each class; a label is an index into it. */
  readonly classes: readonly string[]
  /** Class index of each sample. */
  readonly labels: Uint8Array | Int32Array
  /** The samples at `indices`, in that order. `epoch` (0 if left out) only matters to an augmented data set. */
  batch(indices: ArrayLike<number>, epoch?: number): Batch
}

/** A data set of two parts. */
export interface Split {
  readonly train: Dataset
  readonly test: Dataset
}

/** Bytes 0..255 as 0..1. */
const unit = Float32Array.from({ length: 256 }, (_, byte) => byte / 255)

function checkIndex(index: number, length: number): number {
  if (!(Number.isInteger(index) && index >= 0 && index < length))
    fail(
      'batch',
      `index ${index} is outside a data set of ${length} samples`,
      `Give whole numbers from 0 to ${length - 1}`,
    )
  return index
}

/**
 * A data set in memory. `values` holds `[N, ...shape]`: bytes are divided by 255, floats are taken as they are.
 * `labels` holds one class index for each sample. Nothing is copied.
 */
export function datasetOf(
  values: Uint8Array | Float32Array,
  labels: Uint8Array | Int32Array,
  shape: Shape,
  classes: readonly string[],
): Dataset {
  const length = labels.length
  const size = sizeOf(shape)
  if (values.length !== length * size)
    fail(
      'datasetOf',
      `${values.length} values are not ${length} samples (one a label) of shape ${showShape(shape)} = ${size} values`,
      'Give as many labels as there are samples, and the shape of one sample',
    )
  const odd = labels.findIndex((label) => label < 0 || label >= classes.length)
  if (odd >= 0)
    fail(
      'datasetOf',
      `label ${labels[odd]} of sample ${odd} is not a class index, there are ${classes.length} classes`,
      `Labels must be whole numbers from 0 to ${classes.length - 1}; or name more classes`,
    )
  return {
    length,
    shape,
    classes,
    labels,
    batch(indices) {
      const x = new Float32Array(indices.length * size)
      const y = new Float32Array(indices.length)
      for (let at = 0; at < indices.length; at++) {
        const index = checkIndex(indices[at], length)
        const sample = values.subarray(index * size, index * size + size)
        if (sample instanceof Float32Array) x.set(sample, at * size)
        else for (let i = 0; i < size; i++) x[at * size + i] = unit[sample[i]]
        y[at] = labels[index]
      }
      return { x, y }
    },
  }
}

/** The samples of `dataset` at `indices`, as a data set; nothing is copied but the labels. */
export function subset(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  const length = indices.length
  const from = Uint32Array.from(indices, (index) => checkIndex(index, dataset.length))
  return {
    length,
    shape: dataset.shape,
    classes: dataset.classes,
    labels: Int32Array.from(from, (index) => dataset.labels[index]),
    batch: (chosen, epoch) =>
      dataset.batch(
        Uint32Array.from(chosen, (index) => from[checkIndex(index, length)]),
        epoch,
      ),
  }
}

/** The first `n` samples (all of them if there are fewer). */
export function take(dataset: Dataset, n: number): Dataset {
  if (!Number.isInteger(n) || n < 1) fail('take', `n is ${n}`, 'Give a whole number of samples, at least 1')
  return subset(
    dataset,
    Uint32Array.from({ length: Math.min(n, dataset.length) }, (_, index) => index),
  )
}

/**
 * Cuts a data set in two by chance, which `seed` determines: the first part holds `fraction` of the samples (rounded),
 * the second the rest. Within each part the samples keep their order.
 */
export function split(dataset: Dataset, fraction: number, seed: number): [Dataset, Dataset] {
  const { length } = dataset
  const first = Math.round(fraction * length)
  if (!(first > 0 && first < length))
    fail(
      'split',
      `fraction ${fraction} of ${length} samples leaves one part empty`,
      'Give a fraction between 0 and 1 that puts at least one sample in each part',
    )
  const order = shuffledIndices(length, seed, 0)
  return [subset(dataset, order.slice(0, first).sort()), subset(dataset, order.slice(first).sort())]
}
