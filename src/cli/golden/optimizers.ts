import { fail } from '../../base/errors.ts'
import { sizeOf } from '../../base/shape.ts'
import { compile, type Target } from '../../compile.ts'
import { placeholder, Variable } from '../../graph/index.ts'
import type { Optimizer } from '../../nn/optimizer.ts'
import { optimizerOf } from '../../nn/optimizers.ts'
import { type Check, compare } from './check.ts'
import { type Case, type Fields, record } from './folder.ts'
import { defined, float32Errors } from './precision.ts'

const names: Readonly<Record<string, string>> = {
  sgd: 'sgd',
  adam: 'adam',
  adamw: 'adamW',
  rmsprop: 'rmsProp',
  adagrad: 'adagrad',
  adadelta: 'adadelta',
  adamax: 'adamax',
  nadam: 'nadam',
  radam: 'radam',
}

const options: Readonly<Record<string, string>> = {
  lr: 'learningRate',
  weight_decay: 'weightDecay',
  lr_decay: 'learningRateDecay',
  momentum_decay: 'momentumDecay',
}

/** Whether fovea has torch.optim's optimiser of this name. */
export const knowsOptimizer = (name: string): boolean => Object.hasOwn(names, name.toLowerCase())

/** torch.optim's optimiser with its arguments, as the version `torch` computes it. */
export function optimizerFor(name: string, args: Fields, torch: readonly number[]): Optimizer {
  const own = names[name.toLowerCase()] ?? fail('golden', `optimiser '${name}' is unknown`, 'See FORMAT.md')
  const renamed = Object.entries(args).map(([key, value]) => [options[key] ?? key, value])
  const legacy = own === 'nadam' && torch[0]! < 2 ? { legacy: true } : {}
  return optimizerOf({ name: own, ...legacy, ...Object.fromEntries(renamed) })
}

/** The parameter after each step with given gradients. */
export async function checkOptimizer(item: Case, torch: readonly number[], target: Target): Promise<Check[]> {
  const stored = (name: string) =>
    item.tensors.get(name) ?? fail('golden', `${item.id} has no tensor '${name}'`, 'See FORMAT.md')
  const [first, grads, expected] = [stored('p0'), stored('grads'), stored('params')]
  const size = sizeOf(first.shape)
  const steps = Array.from({ length: grads.data.length / size }, (_, i) =>
    grads.data.subarray(i * size, (i + 1) * size),
  )
  const optimizer = optimizerFor(item.op, record(item.fields, 'attrs'), torch)
  const begin = () => {
    const parameter = new Variable(first.data, first.shape, 'p')
    return { parameter, state: optimizer.create([parameter]) }
  }
  const errors = float32Errors(item, (rounded) => {
    const { parameter, state } = begin()
    const g = placeholder(first.shape)
    const updates = state.update([g])
    const params = steps.flatMap((values) => {
      defined({}, updates, new Map([[g, values]]), rounded)
      return Array.from(parameter.read())
    })
    return new Map([['params', params]])
  })
  const { parameter, state } = begin()
  const step = compile((g) => state.update([g]), [[...first.shape]], { target })
  const params = new Float32Array(grads.data.length)
  for (const [i, values] of steps.entries()) {
    await step(values)
    params.set(parameter.read(), i * size)
  }
  return [compare(item, 'params', { shape: [steps.length, ...first.shape], data: params }, expected, errors)]
}
