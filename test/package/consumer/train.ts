// A page's use of fovea: LeNet-5 (LeCun et al. 1998) trained on digits that the caller brings. `npm run size` bundles
// this file alone.
import {
  adam,
  averagePool2d,
  conv2d,
  dense,
  fit,
  flatten,
  type History,
  type Model,
  sequential,
  type TrainingData,
} from 'fovea/nn'

export interface Digits {
  /** Pictures, [N, 28, 28, 1] row-major. */
  readonly x: Float32Array
  /** Class numbers, [N]. */
  readonly y: Float32Array
}

/** LeNet-5 for digits of 28x28. */
export const lenet5 = (): Model =>
  sequential(
    [28, 28, 1],
    [
      conv2d(6, 5, { padding: 'same', activation: 'tanh' }),
      averagePool2d(2),
      conv2d(16, 5, { activation: 'tanh' }),
      averagePool2d(2),
      flatten(),
      dense(120, { activation: 'tanh' }),
      dense(84, { activation: 'tanh' }),
      dense(10),
    ],
  )

/** Trains with Adam on softmax cross-entropy, in batches of 32. */
export const train = (model: Model, digits: TrainingData, epochs: number): Promise<History> =>
  fit(model, digits, { epochs, batchSize: 32, optimizer: adam({ learningRate: 0.002 }) })
