import { sizeOf } from '../src/base/shape.ts'
import { createModel } from '../src/models/index.ts'
import { seededValues } from './data.ts'

/** The networks whose training steps are measured; their weights come from our own models, seeded. */
export type NetName = 'lenet5' | 'vgg-like' | 'separable'
export const netNames: readonly NetName[] = ['lenet5', 'vgg-like', 'separable']
export const netBatch = { lenet5: 64, 'vgg-like': 32, separable: 32 }
export const netInput = { lenet5: [28, 28, 1], 'vgg-like': [32, 32, 3], separable: [32, 32, 3] }
export const trainingOptions = { learningRate: 0.01, momentum: 0.9 }
const classes = 10

/** What a peer must be able to do, in its own tensors and layout. */
export interface Ops<T> {
  conv(x: T, w: T, padding: 'same' | 'valid'): T
  /** 3x3, padding 'same'. */
  depthwise(x: T, w: T, stride: number): T
  bias(x: T, b: T): T
  affine(x: T, scale: number, offset: number): T
  tanh(x: T): T
  relu(x: T): T
  /** 2x2, stride 2. */
  averagePool(x: T): T
  maxPool(x: T): T
  /** [N, C] */
  globalAveragePool(x: T): T
  /** [N, H * W * C] in the order of channels last. */
  flatten(x: T): T
  matmul(x: T, w: T): T
  /** By the batch's own statistics, eps 1e-5. */
  batchNorm(x: T, scale: T, shift: T): T
}

/** Scores of a batch; `parameters` in the order of our model's. The same networks as in src/models. */
export function forward<T>(net: NetName, ops: Ops<T>, input: T, parameters: readonly T[]): T {
  let used = 0
  const next = () => parameters[used++]!
  const conv = (x: T, padding: 'same' | 'valid') => ops.bias(ops.conv(x, next(), padding), next())
  const dense = (x: T) => ops.bias(ops.matmul(x, next()), next())
  const normal = (x: T) => ops.relu(ops.batchNorm(x, next(), next()))
  let x = input
  if (net === 'lenet5') {
    x = ops.averagePool(ops.tanh(conv(ops.affine(x, 1.275, -0.1), 'same')))
    x = ops.averagePool(ops.tanh(conv(x, 'valid')))
    x = ops.tanh(dense(ops.flatten(x)))
    return dense(ops.tanh(dense(x)))
  }
  if (net === 'vgg-like') {
    for (let stage = 0; stage < 2; stage++) {
      x = ops.relu(conv(x, 'same'))
      x = ops.maxPool(ops.relu(conv(x, 'same')))
    }
    return dense(ops.relu(dense(ops.flatten(x))))
  }
  x = normal(ops.conv(x, next(), 'same'))
  for (const stride of [1, 2, 1, 2, 1]) {
    x = normal(ops.depthwise(x, next(), stride))
    x = normal(ops.conv(x, next(), 'same'))
  }
  return dense(ops.globalAveragePool(x))
}

export interface Parameter {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array
}

export const netParameters = (net: NetName): Parameter[] =>
  createModel(net).parameters.map((variable) => {
    const { name, shape } = variable
    return { name, shape, values: variable.read() }
  })

/** Random samples and labels, the same in every process. */
export function batchOf(net: NetName) {
  const samples = netBatch[net]
  const inputShape = netInput[net]
  const labels = Float32Array.from({ length: samples }, (_, i) => (i * 7) % classes)
  const oneHot = new Float32Array(samples * classes)
  labels.forEach((label, i) => {
    oneHot[i * classes + label] = 1
  })
  return { samples, classes, inputShape, x: seededValues(samples * sizeOf(inputShape), 4), labels, oneHot }
}

/** The losses of the first three steps: that they agree shows that gradients and updates do. */
export async function firstLosses(step: () => Promise<number>): Promise<Float32Array> {
  const losses: number[] = []
  for (let i = 0; i < 3; i++) losses.push(await step())
  return Float32Array.from(losses)
}
