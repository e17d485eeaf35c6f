import { averagePool2d, conv2d, dense, flatten, type Model, rescaling, sequential } from '../nn/index.ts'
import type { ZooOptions } from './options.ts'

/**
 * LeNet-5 (LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", 1998), figure 2,
 * for digits of 28x28 that are padded to the paper's 32x32. Plain averages and full connections between the maps stand
 * in place of the paper's learned subsampling, its table of connections and its radial basis functions.
 */
export function lenet5({ classes = 10, seed = 1, inputShape = [28, 28, 1] }: ZooOptions = {}): Model {
  return sequential(
    inputShape,
    [
      rescaling(1.275, -0.1), // the paper's range: background -0.1, ink 1.175, so mean 0 and variance 1, roughly
      conv2d(6, 5, { padding: 'same', activation: 'tanh' }), // C1
      averagePool2d(2), // S2
      conv2d(16, 5, { activation: 'tanh' }), // C3
      averagePool2d(2), // S4
      flatten(),
      dense(120, { activation: 'tanh' }), // C5, as wide as its input
      dense(84, { activation: 'tanh' }), // F6
      dense(classes),
    ],
    { seed, name: 'lenet5' },
  )
}
