// The metrics that are asked for by name: a page that measures accuracy alone needn't load them.
import { checkCount } from '../base/errors.ts'
import { concat, equal, less, matmul, oneHot, reshape, sum, type Tensor, transpose, where } from '../graph/index.ts'
import { meanAbsoluteError, meanSquaredError } from './losses.ts'
import {
  accuracy,
  argMax,
  type ClassMetricOptions,
  classNumbers,
  elements,
  hitsOf,
  labelNumbers,
  type Metric,
  ratio,
  total,
} from './metric.ts'
import { pick } from './options.ts'

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

/** A metric by its name. */
export const metricOf = (name: MetricName): Metric => pick<() => Metric>('metric', 'metric', metrics, name)()
