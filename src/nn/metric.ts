import { sizeOf } from '../base/shape.ts'
import { concat, equal, max, mul, neg, reshape, sub, sum, type Tensor, tensor, where } from '../graph/index.ts'
import type { MetricValue } from './history.ts'
import { holdsClassNumbers } from './loss.ts'

/** A measure of predictions, as sums that are added up over batches, so that it is part of the one program. */
export interface Metric {
  readonly name: string
  /** Sums over one batch, in any shape. */
  sums(prediction: Tensor, target: Tensor): Tensor
  /** The measure from the sums over all batches. */
  value(sums: Float64Array): MetricValue
}

/** 0, 1, ... along the classes of logits. */
export const classNumbers = (logits: Tensor) => tensor(Array.from({ length: logits.shape.at(-1) ?? 1 }, (_, i) => i))

/** Number of the largest element along the last axis, the first of equals; the number of classes if it holds a NaN. */
export function argMax(x: Tensor): Tensor {
  const largest = max(x, [-1], { keepAxes: true })
  return neg(max(where(equal(x, largest), neg(classNumbers(x)), -x.shape[x.shape.length - 1]), [-1]))
}

export const labelNumbers = (name: string, logits: Tensor, labels: Tensor) =>
  holdsClassNumbers(name, logits, labels) ? labels : argMax(labels)

export const total = (x: Tensor) => reshape(sum(x), [1])
export const elements = (x: Tensor) => tensor([sizeOf(x.shape)])
export const ratio = (sums: Float64Array) => sums[0] / sums[1]

/** [hits, samples], without the samples that have the class number to ignore. */
export function hitsOf(hits: Tensor, labels: Tensor, ignoreIndex: number | undefined): Tensor {
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
