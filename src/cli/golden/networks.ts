import { fail } from '../../base/errors.ts'
import { type Shape, sizeOf } from '../../base/shape.ts'
import { compile, type Target } from '../../compile.ts'
import { gradient, placeholder, type Tensor, type Variable } from '../../graph/index.ts'
import { type Model, sequential } from '../../nn/index.ts'
import { trainingRunner } from '../../nn/training.ts'
import { type Check, compare, unchecked } from './check.ts'
import { type Case, type Fields, number, numbers, record, records, type Stored, text } from './folder.ts'
import { arrange, type Layout } from './layout.ts'
import { lossFunction } from './losses.ts'
import { partOf, refusesLayers, type Weight } from './network-layers.ts'
import { knowsOptimizer, optimizerFor } from './optimizers.ts'
import { defined, float32Errors, type Named } from './precision.ts'

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

type Data = readonly [x: Stored, target: Stored]

/** The network with the file's first weights, and an optimiser for it. */
function start(item: Case, torch: readonly number[], x: Stored) {
  const network = build(item, x.shape)
  for (const [variable, { name, layout, view }] of network.weights)
    variable.write(tensorOf(item, `init:${name}`, layout, view).data)
  const optimizer = optimizerFor(text(item.fields, 'optimizer'), record(item.fields, 'optArgs'), torch)
  return { ...network, loss: lossFunction(item.fields)!, optimizer: optimizer.create(network.model.parameters) }
}

type Started = ReturnType<typeof start>

/** Output, loss and gradients of the model in training, all samples in one batch. */
function forward({ model, weights, loss }: Started, x: Tensor, target: Tensor) {
  const context = model.context(true)
  const y0 = model.apply(x, context)
  const cost = loss(y0, target)
  const gradients = gradient(
    cost,
    model.parameters.map((parameter) => parameter.value),
  )
  const named = weights.map(([, { name }], i) => [`grad0:${name}`, gradients[i]!] as const)
  return { y0, cost, gradients, outputs: { y0, ...Object.fromEntries(named) }, updates: context.updates }
}

const held = ({ weights, statistics }: Network) => [
  ...weights.map(([variable, weight]) => [`final:${weight.name}`, variable, weight] as const),
  ...statistics.map(([variable, weight]) => [`finalStat:${weight.name}`, variable, weight] as const),
]

/** All results by the definitions. */
function trainDefined(item: Case, torch: readonly number[], data: Data, rounded: boolean): Named {
  const started = start(item, torch, data[0])
  const [x, target] = data.map(({ shape }) => placeholder(shape)) as [Tensor, Tensor]
  const { cost, gradients, outputs, updates } = forward(started, x, target)
  const feeds = new Map([x, target].map((node, i) => [node, data[i]!.data]))
  const all = [...updates, ...started.optimizer.update(gradients)]
  const results = defined({ ...outputs, losses: cost }, [], feeds, rounded)
  const losses: number[] = []
  for (let at = 0; at < number(item.fields, 'steps'); at++)
    losses.push(defined({ cost }, all, feeds, rounded).get('cost')![0]!)
  results.set('losses', losses)
  for (const [name, variable] of held(started)) results.set(name, variable.read())
  return results
}

/** A network's first output and gradients, its losses, and what it holds after all steps of training. */
export async function checkNetwork(item: Case, torch: readonly number[], on: Target): Promise<Check[]> {
  const x = tensorOf(item, 'x', 'channels')
  const target = item.tensors.has('labels') ? tensorOf(item, 'labels', 'plain') : tensorOf(item, 'target', 'channels')
  const errors = float32Errors(item, (rounded) => trainDefined(item, torch, [x, target], rounded))
  const started = start(item, torch, x)
  const { model, weights, loss, optimizer } = started
  const check = (name: string, data: Float32Array, { shape }: Variable, { layout, view }: Weight) =>
    compare(item, name, { shape, data }, { shape, data: tensorOf(item, name, layout, view).data }, errors)

  const first = compile((a: Tensor, b: Tensor) => forward(started, a, b).outputs, [[...x.shape], [...target.shape]], {
    target: on,
  })
  const results: Readonly<Record<string, Float32Array>> = await first(x.data, target.data)
  const y0 = { shape: [x.shape[0]!, ...model.outputShape], data: results.y0! }
  const checks = [compare(item, 'y0', y0, tensorOf(item, 'y0', 'channels'), errors)]
  for (const [variable, weight] of weights) {
    const name = `grad0:${weight.name}`
    checks.push(check(name, results[name]!, variable, weight))
  }

  const measures = { lossName: 'function', loss, metrics: [] }
  const step = trainingRunner('golden', model, measures, optimizer, {}, { target: on })
  const expected = Float32Array.from(numbers(item.fields, 'losses'))
  const losses = new Float32Array(expected.length)
  for (let at = 0; at < number(item.fields, 'steps'); at++)
    losses[at] = (await step({ x: x.data, y: target.data }, x.shape[0]!)).loss
  const shape = [expected.length]
  checks.push(compare(item, 'losses', { shape, data: losses }, { shape, data: expected }, errors))
  for (const [name, variable, weight] of held(started)) checks.push(check(name, variable.read(), variable, weight))
  const given = ['x', 'labels', 'target', ...weights.map(([, { name }]) => `init:${name}`)]
  return [...checks, ...unchecked(item, new Set(given), checks)]
}
