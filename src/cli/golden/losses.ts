import type { Tensor } from '../../graph/index.ts'
import { type LossFunction, type Reduction, softmaxCrossEntropy } from '../../nn/loss.ts'
import * as nn from '../../nn/losses.ts'
import type { Operation } from './expression.ts'
import { type Fields, number, text } from './folder.ts'

const reductionOf = (fields: Fields) => ({ reduction: text(fields, 'reduction', 'mean') as Reduction })

/** Losses of two tensors by the file's names. */
const pairs: Readonly<Record<string, (x: Tensor, target: Tensor, fields: Fields) => Tensor>> = {
  bceWithLogits: (x, target, fields) => nn.binaryCrossEntropyWithLogits(x, target, reductionOf(fields)),
  mse: (x, target, fields) => nn.meanSquaredError(x, target, reductionOf(fields)),
  smoothL1: (x, target, fields) => nn.smoothL1(x, target, { ...reductionOf(fields), beta: number(fields, 'beta', 1) }),
}

const crossEntropy: Operation = {
  layouts: { x: 'channels' },
  make(fields, inputs) {
    const ignored = fields.ignoreIndex === undefined ? {} : { ignoreIndex: number(fields, 'ignoreIndex') }
    const weights = inputs.has('weight') ? { classWeights: Array.from(inputs.values('weight')) } : {}
    const labelSmoothing = number(fields, 'labelSmoothing', 0)
    const options = { ...reductionOf(fields), labelSmoothing, ...ignored, ...weights }
    return softmaxCrossEntropy(inputs.get('x'), inputs.get('labels'), options)
  },
}

export const losses: Readonly<Record<string, Operation>> = {
  ...Object.fromEntries(
    Object.entries(pairs).map(([name, compute]): [string, Operation] => [
      name,
      { make: (fields, inputs) => compute(inputs.get('x'), inputs.get('target'), fields) },
    ]),
  ),
  crossEntropy,
  crossEntropyWeighted: crossEntropy,
}

/** The loss of a network: its name and reduction stand in `loss` and `reduction`. */
export function lossFunction(fields: Fields): LossFunction | undefined {
  const name = text(fields, 'loss')
  if (name === 'crossEntropy') return (x, labels) => softmaxCrossEntropy(x, labels, reductionOf(fields))
  const compute = Object.hasOwn(pairs, name) ? pairs[name] : undefined
  return compute && ((x, target) => compute(x, target, fields))
}
