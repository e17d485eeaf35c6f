import { fail } from '../base/errors.ts'
import { sameShape, showShape } from '../base/shape.ts'
import { add, div, equal, logSoftmax, mean, mul, neg, oneHot, sum, type Tensor, tensor, where } from '../graph/index.ts'
import { checkRange } from './checks.ts'
import { pick } from './options.ts'

/** What becomes of the losses of single samples or elements. */
export type Reduction = 'mean' | 'sum' | 'none'

/** The loss of a batch from the model's output and what it should have been, both with the batch as first axis. */
export type LossFunction = (prediction: Tensor, target: Tensor) => Tensor

/** How the losses of samples become one number. */
export interface LossOptions {
  /** Default 'mean'. */
  readonly reduction?: Reduction
}

/** Of the losses of samples or elements what `reduction` asks for. */
export function reduceLoss(operation: string, losses: Tensor, reduction: Reduction = 'mean'): Tensor {
  return pick(
    operation,
    'reduction',
    { mean: () => mean(losses), sum: () => sum(losses), none: () => losses },
    reduction,
  )()
}

/** True if `labels` are class numbers for `logits`, false if they are probabilities; or an error. */
export function holdsClassNumbers(operation: string, logits: Tensor, labels: Tensor): boolean {
  const numbers = logits.shape.slice(0, -1)
  if (sameShape(labels.shape, logits.shape)) return false
  if (!sameShape(labels.shape, numbers))
    fail(
      operation,
      `labels ${showShape(labels.shape)} don't fit logits ${showShape(logits.shape)}`,
      `Give class numbers ${showShape(numbers)} or probabilities ${showShape(logits.shape)}`,
    )
  return true
}

/** Options of `softmaxCrossEntropy`. */
export interface CrossEntropyOptions extends LossOptions {
  /** Weight of each class. 'mean' then divides by the weights of the labels, as PyTorch does. */
  readonly classWeights?: readonly number[]
  /** Share of each label that is spread evenly over all classes. Default 0. */
  readonly labelSmoothing?: number
  /** Samples with this class number count for nothing. Default: none; a label outside the classes has loss 0. */
  readonly ignoreIndex?: number
}

/**
 * Cross-entropy of softmax(logits): PyTorch's `cross_entropy`, with the classes last.
 * @param logits [N, ..., classes]
 * @param labels class numbers [N, ...], or probabilities of the logits' shape
 * @returns [], or [N, ...] with reduction 'none'
 */
export function softmaxCrossEntropy(logits: Tensor, labels: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const operation = 'softmaxCrossEntropy'
  const { classWeights, labelSmoothing = 0, ignoreIndex, reduction = 'mean' } = options
  const classes = logits.shape.at(-1) ?? 1
  const numbers = holdsClassNumbers(operation, logits, labels)
  checkRange(operation, 'labelSmoothing', labelSmoothing, 0, 1)
  if (classWeights && classWeights.length !== classes)
    fail(operation, `${classWeights.length} classWeights for ${classes} classes`, 'Give one weight for each class')
  if (ignoreIndex !== undefined && !numbers)
    fail(
      operation,
      'ignoreIndex with probabilities as labels',
      'Give class numbers, or set the rows to ignore to zeros',
    )
  const hot = numbers ? oneHot(labels, classes) : labels
  const weights = classWeights && tensor(classWeights)
  const smooth = labelSmoothing === 0 ? hot : add(mul(hot, 1 - labelSmoothing), labelSmoothing / classes)
  const terms = mul(weights ? mul(smooth, weights) : smooth, logSoftmax(logits))
  const all = neg(sum(terms, [-1]))
  const ignored = ignoreIndex === undefined ? undefined : equal(labels, ignoreIndex)
  const losses = ignored ? where(ignored, 0, all) : all
  if (reduction !== 'mean' || !numbers || !(weights || ignored)) return reduceLoss(operation, losses, reduction)
  const each = weights ? sum(mul(hot, weights), [-1]) : sum(hot, [-1])
  return div(sum(losses), sum(ignored ? where(ignored, 0, each) : each))
}
