import { fail } from '../base/errors.ts'
import { type Shape, showShape, sizeOf } from '../base/shape.ts'

/** Some samples, row-major: `x` is [B, ...inputShape], `y` what the model should say of them. */
export interface Batch {
  readonly x: Float32Array
  readonly y: Float32Array
}

/** Samples that can be fetched by number; what `fovea/data` makes is one. */
export interface DataSource {
  /** Number of samples. */
  readonly length: number
  /** The samples at `indices`, in that order. `epoch` (from 0) matters only where samples change with it. */
  batch(indices: ArrayLike<number>, epoch?: number): Batch | Promise<Batch>
}

/**
 * A data source, or all samples as arrays: `x` is [N, ...inputShape] and `y` either [N], class numbers, or as many
 * numbers a sample as the model's output (or its pixels) has.
 */
export type TrainingData = DataSource | { readonly x: ArrayLike<number>; readonly y: ArrayLike<number> }

/** Rows `indices` of an array whose rows have `size` numbers. */
function rows(values: ArrayLike<number>, indices: ArrayLike<number>, size: number): Float32Array {
  const result = new Float32Array(indices.length * size)
  for (let at = 0; at < indices.length; at++)
    for (let i = 0; i < size; i++) result[at * size + i] = values[indices[at] * size + i]
  return result
}

/** Data as a source, for a model whose one sample is `inputShape`. */
export function sourceOf(operation: string, data: TrainingData, inputShape: Shape): DataSource {
  const source = 'batch' in data ? data : arraySource(operation, data.x, data.y, sizeOf(inputShape))
  if (source.length < 1) fail(operation, 'the data holds no samples', 'Give at least one')
  return source
}

function arraySource(operation: string, x: ArrayLike<number>, y: ArrayLike<number>, size: number): DataSource {
  const length = x.length / size
  const targets = y.length / length
  if (!Number.isInteger(length))
    fail(operation, `${x.length} values of x aren't whole samples of ${size}`, "Give samples of the model's inputShape")
  if (length > 0 && !(Number.isInteger(targets) && targets > 0))
    fail(operation, `${y.length} values of y for ${length} samples`, 'Give equally many targets for each sample')
  return { length, batch: (indices) => ({ x: rows(x, indices, size), y: rows(y, indices, targets) }) }
}

/** Shapes of one sample's input and target. */
export interface SampleShapes {
  readonly input: Shape
  readonly target: Shape
}

/** The shapes of a batch's samples, from the sizes of its arrays and the model; or an error. */
export function sampleShapes(
  operation: string,
  batch: Batch,
  samples: number,
  model: { readonly inputShape: Shape; readonly outputShape: Shape },
): SampleShapes {
  const { inputShape: input, outputShape: output } = model
  if (batch.x.length !== samples * sizeOf(input))
    fail(
      operation,
      `${samples} samples have ${batch.x.length} values of x, ` +
        `the model's input ${showShape(input)} takes ${sizeOf(input)} each`,
      "Give samples of the model's inputShape",
    )
  const targets = [output, output.slice(0, -1)]
  const target = targets.find((shape) => batch.y.length === samples * sizeOf(shape))
  if (!target)
    return fail(
      operation,
      `${samples} samples have ${batch.y.length} values of y, the model's output is ${showShape(output)}`,
      `Give ${[...new Set(targets.map(sizeOf))].join(' or ')} for each sample`,
    )
  return { input, target }
}

/** That labels are numbers of `classes` classes. */
export function checkLabels(operation: string, labels: Float32Array, classes: number): void {
  const wrong = labels.find((label) => !(Number.isInteger(label) && label >= 0 && label < classes))
  if (wrong !== undefined)
    fail(
      operation,
      `label ${wrong} with ${classes} classes`,
      `Give class numbers from 0 to ${classes - 1}, or a loss function of your own with ignoreIndex`,
    )
}
