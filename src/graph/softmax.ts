import { fail } from '../base/errors.ts'
import { showShape } from '../base/shape.ts'
import { div, equal, exp, log, mul, neg, sub } from './map.ts'
import { max, mean, sum } from './reduce.ts'
import { reshape } from './reshape.ts'
import { type Tensor, tensor } from './tensor.ts'

/** x minus its largest element along the last axis, so that exp can't overflow. */
const centred = (x: Tensor) => sub(x, max(x, [-1], { keepAxes: true }))

/** exp(x) / sum of exp(x) along the last axis. */
export function softmax(x: Tensor): Tensor {
  const e = exp(centred(x))
  return div(e, sum(e, [-1], { keepAxes: true }))
}

/** log(softmax(x)) along the last axis. */
export function logSoftmax(x: Tensor): Tensor {
  const shifted = centred(x)
  return sub(shifted, log(sum(exp(shifted), [-1], { keepAxes: true })))
}

/** Class numbers [N...] to rows [N..., classes] of zeros with a 1; a number outside gives a row of zeros. */
export function oneHot(labels: Tensor, classes: number): Tensor {
  const numbers = tensor(Array.from({ length: classes }, (_, i) => i))
  return equal(reshape(labels, [...labels.shape, 1]), numbers)
}

/**
 * Mean over the batch of -log softmax(logits)[label].
 * @param logits [..., classes]
 * @param labels class numbers [...], or probabilities of the logits' shape
 */
export function softmaxCrossEntropy(logits: Tensor, labels: Tensor): Tensor {
  const probabilities = labels.shape.length === logits.shape.length
  const expected = probabilities ? logits.shape : logits.shape.slice(0, -1)
  if (expected.some((n, axis) => n !== labels.shape[axis]) || expected.length !== labels.shape.length)
    fail(
      'softmaxCrossEntropy',
      `labels ${showShape(labels.shape)} don't fit logits ${showShape(logits.shape)}`,
      `Give class numbers ${showShape(logits.shape.slice(0, -1))} or probabilities ${showShape(logits.shape)}`,
    )
  const target = probabilities ? labels : oneHot(labels, logits.shape.at(-1)!)
  return neg(mean(sum(mul(target, logSoftmax(logits)), [-1])))
}
