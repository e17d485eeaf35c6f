import { fail } from '../../base/errors.ts'
import { type Shape, sizeOf } from '../../base/shape.ts'
import { compile, type Target } from '../../compile.ts'
import { gradient, type Tensor, type Variable } from '../../graph/index.ts'
import { type Model, sequential } from '../../nn/index.ts'
import { trainingRunner } from '../../nn/training.ts'
import { type Check, compare } from './check.ts'
import { type Case, type Fields, number, numbers, record, records, type Stored, text } from './folder.ts'
import { arrange, type Layout } from './layout.ts'
import { lossFunction } from './losses.ts'
import { partOf, refusesLayers, type Weight } from './network-layers.ts'
import { knowsOptimizer, optimizerFor } from './optimizers.ts'

/** Why fovea can't train a network, if it can't. */
export function refusesNetwork(fields: Fields): string | undefined {
  if (!lossFunction(fields)) return `loss '${text(fields, 'loss')}'`
  const optimizer = text(fields, 'optimizer')
  return knowsOptimizer(optimizer) ? refusesLayers(fields) : `optimiser '${optimizer}'`
}

interface Network {
  readonly model: Model
  /** Ours with what they are in the file. */
  readonly weights: readonly (readonly [Variable, Weight])[]
  readonly statistics: readonly (readonly [Variable, Weight])[]
}

/** A weight whose axis of features was flattened from [C, spatial...], where ours are flattened from channels last. */
function flattened(weight: Weight, before: Shape): Weight {
  const channelsFirst = [before.at(-1)!, ...before.slice(0, -1)]
  if (weight.layout === 'kernel') return { ...weight, view: [-1, ...channelsFirst] }
  return { ...weight, layout: 'channels', view: [1, ...channelsFirst] }
}

function build(item: Case, shape: Shape): Network {
  const entries = records(item.fields, 'layers')
  const parts = entries.map((entry) => partOf(entry, shape.length - 2))
  const model = sequential(
    shape.slice(1),
    parts.map((part) => part.layer),
  )
  let before: Shape | undefined
  const weights: Weight[] = []
  const statistics: Weight[] = []
  entries.forEach((entry, i) => {
    const type = text(entry, 'type')
    if (type === 'flatten') before = model.steps[i - 1]?.built.shape ?? shape.slice(1)
    const from = before
    const seen = (weight: Weight) => (from && weight.name.endsWith('.b') === false ? flattened(weight, from) : weight)
    weights.push(...parts[i]!.weights.map(seen))
    statistics.push(...parts[i]!.statistics.map(seen))
    if (type === 'linear') before = undefined
  })
  const joined = (variables: readonly Variable[], list: readonly Weight[]) => {
    if (variables.length !== list.length)
      fail('golden', `${item.id} has ${list.length} weights, the model ${variables.length}`, 'See FORMAT.md')
    return variables.map((variable, i) => [variable, list[i]!] as const)
  }
  return { model, weights: joined(model.parameters, weights), statistics: joined(model.state, statistics) }
}

/** A tensor of the file as ours. */
function tensorOf(item: Case, name: string, layout: Layout, view?: Shape): Stored {
  const stored = item.tensors.get(name) ?? fail('golden', `${item.id} has no tensor '${name}'`, 'See FORMAT.md')
  if (!view) return arrange(stored, layout)
  const known = sizeOf(view.filter((n) => n !== -1))
  return arrange({ data: stored.data, shape: view.map((n) => (n === -1 ? stored.data.length / known : n)) }, layout)
}

/** Output and gradients before the first step: the model in training, all samples in one batch. */
async function firstStep(item: Case, { model, weights }: Network, x: Stored, target: Stored, on: Target) {
  const loss = lossFunction(item.fields)!
  const program = (input: Tensor, expected: Tensor) => {
    const y0 = model.apply(input, model.context(true))
    return {
      y0,
      gradients: gradient(
        loss(y0, expected),
        model.parameters.map((parameter) => parameter.value),
      ),
    }
  }
  const { y0, gradients } = await compile(program, [[...x.shape], [...target.shape]], { target: on })(
    x.data,
    target.data,
  )
  const expected = tensorOf(item, 'y0', 'channels')
  const shape = [x.shape[0]!, ...model.outputShape]
  return [
    compare('y0', { shape, data: y0 }, expected, item.f32err.y0),
    ...weights.map((entry, i) => compareWeight(item, 'grad0', entry, gradients[i]!)),
  ]
}

function compareWeight(
  item: Case,
  prefix: string,
  [variable, weight]: readonly [Variable, Weight],
  data: Float32Array,
) {
  const name = `${prefix}:${weight.name}`
  const { data: expected } = tensorOf(item, name, weight.layout, weight.view)
  return compare(name, { shape: variable.shape, data }, { shape: variable.shape, data: expected }, item.f32err[name])
}

/** A network's first output and gradients, its losses, and what it holds after all steps of training. */
export async function checkNetwork(item: Case, torch: readonly number[], on: Target): Promise<Check[]> {
  const x = tensorOf(item, 'x', 'channels')
  const target = item.tensors.has('labels') ? tensorOf(item, 'labels', 'plain') : tensorOf(item, 'target', 'channels')
  const network = build(item, x.shape)
  const { model, weights, statistics } = network
  for (const [variable, { name, layout, view }] of weights)
    variable.write(tensorOf(item, `init:${name}`, layout, view).data)
  const checks = await firstStep(item, network, x, target, on)
  const optimizer = optimizerFor(text(item.fields, 'optimizer'), record(item.fields, 'optArgs'), torch)
  const measures = { lossName: 'function', loss: lossFunction(item.fields)!, metrics: [] }
  const step = trainingRunner('golden', model, measures, optimizer.create(model.parameters), {}, { target: on })
  const losses: number[] = []
  for (let at = 0; at < number(item.fields, 'steps'); at++)
    losses.push((await step({ x: x.data, y: target.data }, x.shape[0]!)).loss)
  const expected = Float32Array.from(numbers(item.fields, 'losses'))
  const shape = [expected.length]
  checks.push(compare('losses', { shape, data: Float32Array.from(losses) }, { shape, data: expected }))
  for (const entry of weights) checks.push(compareWeight(item, 'final', entry, entry[0].read()))
  for (const entry of statistics) checks.push(compareWeight(item, 'finalStat', entry, entry[0].read()))
  return checks
}
