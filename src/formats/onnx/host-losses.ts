import { sizeOf } from '../../base/shape.ts'
import { type Fixed, fixed } from './elements.ts'
import type { HostOps, Use } from './node.ts'
import { alone } from './places.ts'

/** What each target loses by `scores` [N, C, ...], logarithms of probabilities, reduced as the node says. */
function lossOf(use: Use, scores: Fixed, labels: Fixed, weights: Fixed | undefined): Fixed {
  const [, classes, ...rest] = scores.shape
  const inner = sizeOf(rest)
  const ignored = use.hasAttribute('ignore_index') ? use.int('ignore_index') : undefined
  let [total, weight] = [0, 0]
  const losses = Array.from(labels.data, (label, i) => {
    if (label === ignored) return 0
    if (!(label >= 0 && label < classes)) use.fail(`label ${label} of ${classes} classes`, 'Check the labels')
    const factor = weights?.data[label] ?? 1
    const loss = -factor * scores.data[(Math.floor(i / inner) * classes + label) * inner + (i % inner)]
    total += loss
    weight += factor
    return loss
  })
  const reduction = use.text('reduction', 'mean')
  if (reduction === 'none') return fixed(scores.type, labels.shape, losses)
  return fixed(scores.type, [], [reduction === 'sum' ? total : total / weight])
}

const third = (use: Use) => (use.has(2) ? use.fixed(2) : undefined)

/** Logarithms of the shares of exp(x) along axis 1. */
function logSoftmax(x: Fixed): Fixed {
  const [outer, classes, ...rest] = x.shape
  const inner = sizeOf(rest)
  const y = new Float64Array(x.data.length)
  for (let n = 0; n < outer; n++)
    for (let i = 0; i < inner; i++) {
      const at = (c: number) => (n * classes + c) * inner + i
      let peak = -Infinity
      for (let c = 0; c < classes; c++) peak = Math.max(peak, x.data[at(c)])
      let sum = 0
      for (let c = 0; c < classes; c++) sum += Math.exp(x.data[at(c)] - peak)
      for (let c = 0; c < classes; c++) y[at(c)] = x.data[at(c)] - peak - Math.log(sum)
    }
  return fixed(x.type, x.shape, y)
}

export const hostLossOps: HostOps = {
  NegativeLogLikelihoodLoss: alone((use) => [lossOf(use, use.fixed(0), use.fixed(1), third(use))]),
  SoftmaxCrossEntropyLoss: alone((use) => {
    const logs = logSoftmax(use.fixed(0))
    return [lossOf(use, logs, use.fixed(1), third(use)), logs]
  }),
}
