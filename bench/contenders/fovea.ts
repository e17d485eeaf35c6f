import { sizeOf } from '../../src/base/shape.ts'
import { loadOnnx } from '../../src/formats/index.ts'
import { contract } from '../../src/graph/conv.ts'
import { Variable } from '../../src/graph/index.ts'
import { placeholder } from '../../src/graph/tensor.ts'
import { createModel } from '../../src/models/index.ts'
import { sgd } from '../../src/nn/index.ts'
import { measuresOf, trainingRunner } from '../../src/nn/training.ts'
import { printPlan } from '../../src/plan/explain.ts'
import type { Precision } from '../../src/plan/types.ts'
import { blueprint } from '../../src/program/build.ts'
import { type Executable, load } from '../../src/program/engine.ts'
import { measurePeak } from '../../src/program/measure.ts'
import { features, setThreads } from '../../src/program/state.ts'
import { emitModule } from '../../src/targets/wasm/emit.ts'
import type { Contender, Prepared, Startup } from '../contender.ts'
import { operandsOf, seededValues, shapesOf } from '../data.ts'
import type { Work } from '../lists.ts'
import { batchOf, firstLosses, type NetName, netInput, trainingOptions } from '../nets.ts'
import { inputSizes, networkInput } from '../network-input.ts'
import { readModel } from '../peers.ts'

async function layer(work: Work, threads: number, precision: Precision): Promise<Prepared> {
  setThreads(threads)
  const { a, b } = operandsOf(work)
  const shapes = shapesOf(work)
  const x = placeholder(shapes.a)
  // weights lie in memory, packed once; a gradient by the kernel has none
  const second = work.operation === 'kernelGradient' ? placeholder(shapes.b) : new Variable(b, shapes.b).value
  const given = second.operation.kind === 'placeholder' ? [x, second] : [x]
  const values = given.length === 2 ? [a, b] : [a]
  const plan = blueprint(given, [contract(work.operation, work.spec, x, second)], [], { ...features(), precision })
  const program = await load(plan, 'wasm')
  // the same without the copies in and out: it works on what the last call of `program` left in memory
  const resident = await load({ ...plan, inputs: given.map(() => undefined), outputs: [] }, 'wasm')
  return {
    how: plan.steps.flatMap((step) => (step.plan ? [printPlan(step.plan).split(':')[0]!] : [])).join(' + '),
    output: async () => (await program.run(values))[0]!,
    call: () => resident.run([]),
    roundTrip: () => program.run(values),
  }
}

async function training(net: NetName, threads: number): Promise<Prepared> {
  setThreads(threads)
  const model = createModel(net)
  const optimizer = sgd(trainingOptions).create(model.parameters)
  const run = trainingRunner('bench', model, await measuresOf({ metrics: [] }), optimizer, {})
  const { samples, x, labels } = batchOf(net)
  const step = async () => (await run({ x, y: labels }, samples)).loss
  return { output: () => firstLosses(step), call: step }
}

async function openNetwork(path: string) {
  const model = await loadOnnx(await readModel(path))
  const [input] = model.inputs
  const shape = inputSizes(input!.shape ?? [])
  const given = { [input!.name]: { shape, data: networkInput(sizeOf(shape)) } }
  const first = model.outputs[0]!.name
  return { model, given, run: async () => (await model.run(given))[first]!.data }
}

async function network(path: string, threads: number): Promise<Prepared> {
  setThreads(threads)
  const { run } = await openNetwork(path)
  return { output: async () => Float32Array.from(await run()), call: run }
}

/** From the definition of a model (its weights are there) to the first result of a program for one sample. */
async function startup(net: string, threads: number, precision: Precision): Promise<Startup> {
  setThreads(threads)
  if (net.includes('.onnx')) {
    const start = performance.now()
    const { model, given, run } = await openNetwork(net)
    await run()
    const ms = performance.now() - start
    const { steps, arenaBytes, ownBytes } = model.plan(given)
    const kernels = new Map(steps.flatMap(({ calls }) => calls.map(({ kernel }) => [JSON.stringify(kernel), kernel])))
    const moduleBytes = emitModule([...kernels.values()], features()).length
    return { ms, moduleBytes, arenaBytes, ownBytes, weightBytes: 4 * model.countParameters() }
  }
  const model = createModel(net)
  const values = seededValues(sizeOf(netInput[net as NetName]!), 1)
  const start = performance.now()
  const x = placeholder([1, ...model.inputShape])
  const plan = blueprint([x], [model.apply(x, model.context(false))], [], { ...features(), precision })
  const program: Executable = await load(plan, 'wasm')
  await program.run([values])
  return {
    ms: performance.now() - start,
    moduleBytes: emitModule(plan.kernels, features()).length,
    arenaBytes: plan.arenaBytes,
    ownBytes: plan.ownBytes,
    weightBytes: 4 * model.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
  }
}

export const contender = (precision: Precision): Contender => ({
  layer: (work, threads) => layer(work, threads, precision),
  network,
  training,
  startup: (what, threads) => startup(what, threads, precision),
  peak: measurePeak,
})
