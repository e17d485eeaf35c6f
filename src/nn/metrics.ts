import { checkCount } from '../base/errors.ts'
import { sizeOf } from '../base/shape.ts'
import {
  concat,
  equal,
  less,
  matmul,
  max,
  mul,
  neg,
  oneHot,
  reshape,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  where,
} from '../graph/index.ts'
import type { MetricValue } from './history.ts'
import { holdsClassNumbers, meanAbsoluteError, meanSquaredError } from './losses.ts'
import { pick } from './options.ts'

/** A measure of predictions, as sums that are added up over batches, so that it is part of the one program. */
export interface Metric {
  readonly name: string
  /** Sums over one batch, in any shape. */
  sums(prediction: Tensor, target: Tensor): Tensor
  /** The measure from the sums over all batches. */
  value(sums: Float64Array): MetricValue
}

/** 0, 1, ... along the classes of logits. */
const classNumbers = (logits: Tensor) => tensor(Array.from({ length: logits.shape.at(-1) ?? 1 }, (_, i) => i))

/** Number of the largest element along the last axis, the first of equals; the number of classes if it holds a NaN. */
function argMax(x: Tensor): Tensor {
  const largest = max(x, [-1], { keepAxes: true })
  return neg(max(where(equal(x, largest), neg(classNumbers(x)), -x.shape[x.shape.length - 1]), [-1]))
}

const labelNumbers = (name: string, logits: Tensor, labels: Tensor) =>
  holdsClassNumbers(name, logits, labels) ? labels : argMax(labels)

const total = (x: Tensor) => reshape(sum(x), [1])
const elements = (x: Tensor) => tensor([sizeOf(x.shape)])
const ratio = (sums: Float64Array) => sums[0] / sums[1]

/** [hits, samples], without the samples that have the class number to ignore. */
function hitsOf(hits: Tensor, labels: Tensor, ignoreIndex: number | undefined): Tensor {
  if (ignoreIndex === undefined) return concat([total(hits), elements(hits)], 0)
  const counts = sub(1, equal(labels, ignoreIndex))
  return concat([total(mul(hits, counts)), total(counts)], 0)
}

/** Which samples count in a metric of classes. */
export interface ClassMetricOptions {
  /** Samples with this class number don't count. */
  readonly ignoreIndex?: number
}

/** Share of samples (or pixels) whose largest logit is the label's: a class number, or the largest probability. */
export const accuracy = ({ ignoreIndex }: ClassMetricOptions = {}): Metric => ({
  name: 'accuracy',
  sums(logits, target) {
    const labels = labelNumbers('accuracy', logits, target)
    return hitsOf(equal(argMax(logits), labels), labels, ignoreIndex)
  },
  value: ratio,
})

/** Share of logits on the right side of 0, for targets of the same shape that are on the right side of 1/2. */
export const binaryAccuracy = (): Metric => ({
  name: 'accuracy',
  sums: (logits, target) => {
    const hits = equal(less(0, logits), less(0.5, target))
    return concat([total(hits), elements(hits)], 0)
  },
  value: ratio,
})

/** Share of samples whose label is among the k largest logits; its name is 'top5' for k = 5. */
export function topK(k: number, { ignoreIndex }: ClassMetricOptions = {}): Metric {
  checkCount('topK', 'k', k, 1)
  const name = `top${k}`
  return {
    name,
    sums(logits, target) {
      const labels = labelNumbers(name, logits, target)
      const classes = logits.shape[logits.shape.length - 1]
      const own = sum(where(oneHot(labels, classes), logits, 0), [-1], { keepAxes: true })
      const column = reshape(labels, [...labels.shape, 1])
      const behind = where(equal(logits, own), less(column, classNumbers(logits)), less(logits, own))
      return hitsOf(less(classes - k - 1, sum(behind, [-1])), labels, ignoreIndex)
    },
    value: ratio,
  }
}

/** How often each class (row) was predicted as each class (column). */
export const confusionMatrix = (): Metric => ({
  name: 'confusionMatrix',
  sums(logits, target) {
    const classes = logits.shape[logits.shape.length - 1]
    const rows = (labels: Tensor) => reshape(oneHot(labels, classes), [-1, classes])
    return matmul(transpose(rows(labelNumbers('confusionMatrix', logits, target)), [1, 0]), rows(argMax(logits)))
  },
  value(sums) {
    const classes = Math.sqrt(sums.length)
    return Array.from({ length: classes }, (_, row) => [...sums.subarray(row * classes, (row + 1) * classes)])
  },
})

/** The mean over all elements of a loss, put through `finish`. */
const meanOf = (name: string, loss: typeof meanSquaredError, finish = (mean: number) => mean): Metric => ({
  name,
  sums: (prediction, target) => {
    const values = loss(prediction, target, { reduction: 'none' })
    return concat([total(values), elements(values)], 0)
  },
  value: (sums) => finish(ratio(sums)),
})

const metrics = {
  accuracy,
  binaryAccuracy,
  top5: () => topK(5),
  confusionMatrix,
  meanSquaredError: () => meanOf('meanSquaredError', meanSquaredError),
  rootMeanSquaredError: () => meanOf('rootMeanSquaredError', meanSquaredError, Math.sqrt),
  meanAbsoluteError: () => meanOf('meanAbsoluteError', meanAbsoluteError),
}

/** Metrics by name. */
export type MetricName = keyof typeof metrics

/** A metric by its name; a metric stands for itself. */
export const metricOf = (metric: Metric | MetricName): Metric =>
  typeof metric === 'object' ? metric : pick<() => Metric>('metric', 'metric', metrics, metric)()
