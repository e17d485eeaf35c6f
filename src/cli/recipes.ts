import type { OptimizerConfig } from '../nn/optimizer.ts'
import type { ScheduleConfig } from '../nn/schedules.ts'

/** How a network is trained when nothing else is asked for. */
export interface Recipe {
  readonly data: string
  readonly epochs: number
  readonly batchSize: number
  readonly optimizer: OptimizerConfig
  readonly schedule: ScheduleConfig
  /** Small shifts and rotations of the training pictures. */
  readonly augment: boolean
}

/** LeNet-5 on MNIST. */
export const lenet5Recipe: Recipe = {
  data: 'mnist',
  epochs: 4,
  batchSize: 64,
  optimizer: { name: 'sgd', learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 1e-4 },
  schedule: { name: 'cosineDecay', warmUp: 200 },
  augment: false,
}

const generalRecipe: Recipe = {
  data: 'mnist',
  epochs: 10,
  batchSize: 64,
  optimizer: { name: 'adam', learningRate: 0.001 },
  schedule: { name: 'cosineDecay', warmUp: 100 },
  augment: false,
}

/** LeNet-5 as published: squared distances as logits take smaller steps; the paper went through the data 20 times. */
const lenet5of1998Recipe: Recipe = {
  ...lenet5Recipe,
  epochs: 20,
  optimizer: { name: 'sgd', learningRate: 0.01, momentum: 0.9, nesterov: true },
}

const recipes = new Map([
  ['lenet5', lenet5Recipe],
  ['lenet5-1998', lenet5of1998Recipe],
])

/** The recipe of a network by its name. */
export const recipeOf = (model: string): Recipe => recipes.get(model) ?? generalRecipe
