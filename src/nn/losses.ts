import { fail } from '../base/errors.ts'
import { sameShape, showShape } from '../base/shape.ts'
import {
  abs,
  add,
  div,
  equal,
  exp,
  less,
  log1p,
  logSoftmax,
  mean,
  mul,
  neg,
  oneHot,
  sub,
  sum,
  type Tensor,
  tensor,
  where,
} from '../graph/index.ts'
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

function reduceLoss(operation: string, losses: Tensor, reduction: Reduction = 'mean'): Tensor {
  return pick(
    operation,
    'reduction',
    { mean: () => mean(losses), sum: () => sum(losses), none: () => losses },
    reduction,
  )()
}

function checkSame(operation: string, prediction: Tensor, target: Tensor): void {
  if (!sameShape(prediction.shape, target.shape))
    fail(
      operation,
      `targets ${showShape(target.shape)} don't fit predictions ${showShape(prediction.shape)}`,
      'Give one target for each predicted number, in the same shape',
    )
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

/** Options of `binaryCrossEntropyWithLogits`. */
export interface BinaryCrossEntropyOptions extends LossOptions {
  /** Weight of the positive targets: one for all, or one per last axis. Default 1. */
  readonly positiveWeight?: number | readonly number[]
}

/**
 * Cross-entropy of sigmoid(logits), element by element: PyTorch's `binary_cross_entropy_with_logits`.
 * @param logits any shape
 * @param targets probabilities of the same shape
 */
export function binaryCrossEntropyWithLogits(
  logits: Tensor,
  targets: Tensor,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  const operation = 'binaryCrossEntropyWithLogits'
  checkSame(operation, logits, targets)
  const { positiveWeight = 1, reduction } = options
  const size = abs(logits)
  // (|x| - x) / 2 rather than max(-x, 0): its derivative at 0 is the true one, -1/2
  const softplus = add(log1p(exp(neg(size))), mul(sub(size, logits), 0.5))
  const weight = typeof positiveWeight === 'number' ? positiveWeight : tensor(positiveWeight)
  const factor = add(1, mul(sub(weight, 1), targets))
  return reduceLoss(operation, add(mul(sub(1, targets), logits), mul(factor, softplus)), reduction)
}

/** Mean of (prediction - target)^2. Shapes are equal. */
export function meanSquaredError(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkSame('meanSquaredError', prediction, target)
  const difference = sub(prediction, target)
  return reduceLoss('meanSquaredError', mul(difference, difference), options.reduction)
}

/** Mean of |prediction - target|. Shapes are equal. */
export function meanAbsoluteError(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkSame('meanAbsoluteError', prediction, target)
  return reduceLoss('meanAbsoluteError', abs(sub(prediction, target)), options.reduction)
}

/** Options of `smoothL1`. */
export interface SmoothL1Options extends LossOptions {
  /** Where the square passes into the line. Default 1; 0 is the absolute error. */
  readonly beta?: number
}

/** Mean of d^2 / (2 beta) where d = |prediction - target| is less than beta, and of d - beta / 2 elsewhere. */
export function smoothL1(prediction: Tensor, target: Tensor, options: SmoothL1Options = {}): Tensor {
  checkSame('smoothL1', prediction, target)
  const beta = checkRange('smoothL1', 'beta', options.beta ?? 1, 0)
  const d = abs(sub(prediction, target))
  const losses = beta === 0 ? d : where(less(d, beta), mul(mul(d, d), 0.5 / beta), sub(d, beta / 2))
  return reduceLoss('smoothL1', losses, options.reduction)
}

/** Options of `huber`. */
export interface HuberOptions extends LossOptions {
  /** Where the square passes into the line. Default 1. */
  readonly delta?: number
}

/** Mean of d^2 / 2 where d = |prediction - target| is less than delta, and of delta (d - delta / 2) elsewhere. */
export function huber(prediction: Tensor, target: Tensor, options: HuberOptions = {}): Tensor {
  checkSame('huber', prediction, target)
  const delta = checkRange('huber', 'delta', options.delta ?? 1, Number.MIN_VALUE)
  const d = abs(sub(prediction, target))
  const losses = where(less(d, delta), mul(mul(d, d), 0.5), mul(sub(d, delta / 2), delta))
  return reduceLoss('huber', losses, options.reduction)
}

const losses = {
  softmaxCrossEntropy,
  binaryCrossEntropyWithLogits,
  meanSquaredError,
  meanAbsoluteError,
  smoothL1,
  huber,
}

/** Losses by name. */
export type LossName = keyof typeof losses

/** A loss by its name, with default options; a function stands for itself. */
export const lossOf = (loss: LossName | LossFunction): LossFunction =>
  typeof loss === 'function' ? loss : pick('loss', 'loss', losses as Readonly<Record<string, LossFunction>>, loss)
