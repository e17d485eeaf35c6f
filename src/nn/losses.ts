// The losses that are asked for by name: a page that trains by the cross-entropy of classes needn't load them.
import { fail } from '../base/errors.ts'
import { sameShape, showShape } from '../base/shape.ts'
import { abs, add, exp, less, log1p, mul, neg, sub, type Tensor, tensor, where } from '../graph/index.ts'
import { checkRange } from './checks.ts'
import { type LossFunction, type LossOptions, reduceLoss, softmaxCrossEntropy } from './loss.ts'
import { pick } from './options.ts'

function checkSame(operation: string, prediction: Tensor, target: Tensor): void {
  if (!sameShape(prediction.shape, target.shape))
    fail(
      operation,
      `targets ${showShape(target.shape)} don't fit predictions ${showShape(prediction.shape)}`,
      'Give one target for each predicted number, in the same shape',
    )
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

/** A loss by its name, with default options. */
export const lossOf = (name: LossName): LossFunction =>
  pick('loss', 'loss', losses as Readonly<Record<string, LossFunction>>, name)
