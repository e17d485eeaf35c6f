import { checkCount, fail } from '../base/errors.ts'
import { type Shape, sizeOf } from '../base/shape.ts'
import { compile, type Precision, type Program } from '../compile.ts'
import { type Tensor, Variable } from '../graph/tensor.ts'
import { writeFileAtomic } from '../runtime/files.ts'
import type { TrainingData } from './batches.ts'
import { input, inputKind, layerBuilder, type Use } from './build.ts'
import { configOf, type ModelConfig } from './config.ts'
import { type EvaluateOptions, type Evaluation, evaluate } from './evaluate.ts'
import { fit as fitModel } from './fit.ts'
import type { FitOptions } from './fit-options.ts'
import type { History } from './history.ts'
import { isLayer, type Layer, type Node, naming, type RunContext, runContext, type Weights } from './layer.ts'
import { pause } from './pause.ts'
import { summaryTable } from './summary.ts'
import type { Follow, Followed } from './types/rule.ts'
import { writeSafetensors } from './write-safetensors.ts'

/** Seed and name of a model. */
export interface ModelOptions {
  /** Where first weights and all chance come from: a whole number below 2^24. Default 1. */
  readonly seed?: number
  /** Default 'model'. */
  readonly name?: string
}

/** How `predict` computes, and what ends it. */
export interface PredictOptions {
  /** Samples a program takes at once. Default 64. */
  readonly batchSize?: number
  /** As for `compile`. */
  readonly precision?: Precision
  /** Ends it after the batch that is running: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal
}

/** One use of a layer: which earlier values go in (inputs of the model first, then steps). */
export interface Step extends Use {
  readonly layer: Layer
  readonly inputs: readonly number[]
}

/** Programs for as many batch sizes are kept. */
const keptPrograms = 4

type Values = ArrayLike<number>

/** Layers with weights, made by `sequential` or `functional`. Weights are changed in place by training programs. */
export class Model<In extends Shape = Shape, Out extends Shape = Shape> {
  readonly name: string
  readonly seed: number
  /** One sample of each input, without N. */
  readonly inputShapes: readonly In[]
  /** One sample of the result, without N. */
  readonly outputShape: Out
  readonly parameters: readonly Variable[]
  readonly state: readonly Variable[]
  /** The key of all chance in training: [seed, step]. */
  readonly rng: Variable
  readonly steps: readonly Step[]
  readonly config: ModelConfig
  readonly #programs = new Map<string, Program<readonly Shape[], Tensor>>()

  constructor(inputs: readonly Node[], output: Node, options: ModelOptions, saved?: ReadonlyMap<string, Weights>) {
    const { seed = 1, name = 'model' } = options
    if (checkCount('model', 'seed', seed) >= 2 ** 24) fail('model', `seed ${seed} is too large`, 'Give one below 2^24')
    const nodes = orderOf(inputs, output)
    this.name = name
    this.seed = seed
    this.inputShapes = inputs.map((node) => node.layer.config[0] as In)
    this.steps = stepsOf(nodes, inputs.length, layerBuilder(seed, saved))
    this.outputShape = this.steps.at(-1)!.built.shape as Out
    this.parameters = [...new Set(this.steps.flatMap((step) => step.built.parameters))]
    this.state = [...new Set(this.steps.flatMap((step) => step.built.state))]
    this.rng = new Variable(saved?.get('rng')?.data ?? [seed, 0], [2], 'rng')
    this.config = configOf(name, seed, inputs.length, nodes)
  }

  /** Of the first (mostly the only) input: one sample, without N. */
  get inputShape(): In {
    return this.inputShapes[0]!
  }

  /** The model as an expression: [N, ...inputShape] (several inputs: a list) to [N, ...outputShape]. */
  apply(x: Tensor | readonly Tensor[], run: RunContext): Tensor {
    return this.trace(x, run).at(-1)!
  }

  /** All values: the inputs, then the result of each step. */
  trace(x: Tensor | readonly Tensor[], run: RunContext): Tensor[] {
    const values = Array.isArray(x) ? [...x] : [x as Tensor]
    if (values.length !== this.inputShapes.length)
      fail(this.name, `${values.length} inputs`, `Give ${this.inputShapes.length}`)
    for (const { name, built, inputs } of this.steps) {
      const given = inputs.map((i) => values[i]!)
      values.push(naming(name, () => built.apply(given, run)))
    }
    return values
  }

  /** A context for one program of this model. */
  context(training: boolean): RunContext {
    return runContext(training, this.rng.value)
  }

  #program(count: number, precision?: Precision): Program<readonly Shape[], Tensor> {
    const key = `${count} ${precision}`
    const shapes: readonly Shape[] = this.inputShapes.map((shape) => [count, ...shape])
    const program =
      this.#programs.get(key) ??
      compile<readonly Shape[], Tensor>((...x) => this.apply(x as Tensor[], this.context(false)), shapes, { precision })
    this.#programs.delete(key)
    this.#programs.set(key, program)
    if (this.#programs.size > keptPrograms) this.#programs.delete(this.#programs.keys().next().value!)
    return program
  }

  /**
   * Results for N samples, row-major [N, ...outputShape]; a batch at a time.
   * @param x [N, ...inputShape] row-major; for several inputs a list of them
   */
  async predict(x: Values | readonly Values[], options: PredictOptions = {}): Promise<Float32Array> {
    const { batchSize = 64, precision, signal } = options
    checkCount('predict', 'batchSize', batchSize, 1)
    const inputs = (this.inputShapes.length === 1 ? [x] : x) as readonly Values[]
    const sizes = this.inputShapes.map(sizeOf)
    const count = inputs[0]!.length / sizes[0]!
    sizes.forEach((size, i) => {
      const values = inputs[i]?.length
      if (!Number.isInteger(count) || count < 1 || values !== count * size)
        fail(
          'predict',
          `input ${i} has ${values} values, a sample ${size}`,
          'Give whole samples, as many for each input',
        )
    })
    const size = sizeOf(this.outputShape)
    const result = new Float32Array(count * size)
    for (let at = 0; at < count; at += batchSize) {
      signal?.throwIfAborted()
      const to = Math.min(at + batchSize, count)
      const part = inputs.map((values, i) => slice(values, at * sizes[i]!, to * sizes[i]!))
      result.set(await this.#program(to - at, precision)(...part), at * size)
      await pause()
    }
    return result
  }

  /** Trains it on labelled data; see `fit`. */
  fit(data: TrainingData, options?: FitOptions): Promise<History> {
    return fitModel(this, data, options)
  }

  /** Mean loss and metrics over labelled data; see `evaluate`. */
  evaluate(data: TrainingData, options?: EvaluateOptions): Promise<Evaluation> {
    return evaluate(this, data, options)
  }

  /** Number of trained values. */
  countParameters(): number {
    return this.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  }

  /** A table: each layer's output shape, parameters, multiply-accumulates of one sample and receptive field. */
  summary(): string {
    return summaryTable(this)
  }

  /** A safetensors file: weights by name, running statistics, `rng`; metadata 'fovea' = the config as JSON. */
  toBytes(): Uint8Array<ArrayBuffer> {
    const variables = [...this.parameters, ...this.state, this.rng]
    const tensors = variables.map((v) => [v.name, { shape: v.shape, data: v.read() }] as const)
    return writeSafetensors(tensors, { fovea: JSON.stringify(this.config) })
  }

  /** Writes `toBytes()` to a file, which is never half written. Node only. */
  async save(path: string): Promise<void> {
    await writeFileAtomic(path, this.toBytes())
  }
}

const slice = (values: Values, from: number, to: number): Values =>
  ArrayBuffer.isView(values)
    ? (values as Float32Array).subarray(from, to)
    : Array.from({ length: to - from }, (_, i) => values[from + i]!)

/** The nodes that `output` needs: the inputs as listed, then each after its own inputs. */
export function orderOf(inputs: readonly Node[], output: Node): Node[] {
  const order = [...inputs]
  const seen = new Set<Node>(inputs)
  const used = new Set<Node>()
  const visit = (node: Node) => {
    used.add(node)
    if (seen.has(node)) return
    seen.add(node)
    if (node.layer.kind === inputKind) fail('functional', 'an input node is not in the list of inputs', 'Add it there')
    for (const before of node.inputs) visit(before)
    order.push(node)
  }
  visit(output)
  inputs.forEach((node, i) => {
    if (node.layer.kind !== inputKind) fail('functional', `input ${i} isn't an input node`, 'Make it with input(shape)')
    if (!used.has(node)) fail('functional', `input ${i} isn't used`, 'Leave it out')
  })
  if (order.length === inputs.length) fail('model', 'there are no layers', 'Give at least one')
  return order
}

function stepsOf(nodes: readonly Node[], inputs: number, build: ReturnType<typeof layerBuilder>): Step[] {
  const index = new Map(nodes.map((node, i) => [node, i]))
  const shapes: Shape[] = []
  const steps: Step[] = []
  nodes.forEach((node, i) => {
    const from = node.inputs.map((before) => index.get(before)!)
    const used = build(
      node.layer,
      from.map((k) => shapes[k]!),
    )
    shapes.push(used.built.shape)
    if (i >= inputs) steps.push({ ...used, layer: node.layer, inputs: from })
  })
  return steps
}

/**
 * Layers one after another. TypeScript follows literal shapes: `outputShape` has the shape as its type, and a layer
 * that can't fit is an error where it stands.
 * @param inputShape one sample, without N: [28, 28, 1]
 */
export function sequential<const In extends Shape, const Layers extends readonly Layer[]>(
  inputShape: In,
  layers: Fitting<Layers, Follow<In, Layers>>,
  options: ModelOptions = {},
): Model<In, ShapeOf<Follow<In, Layers>>> {
  const first = input(inputShape)
  ;(layers as readonly Layer[]).forEach((item, i) => {
    if (!isLayer(item)) fail('sequential', `layer ${i} is ${String(item)}`, 'Give what conv2d(...) and others return')
  })
  return new Model(
    [first],
    (layers as readonly Layer[]).reduce<Node>((node, item) => item(node), first),
    options,
  )
}

/** The layers if all fit; otherwise, in the place of the one that doesn't, the reason. */
type Fitting<L extends readonly Layer[], F> =
  F extends Followed<infer Fit, unknown, infer Why> ? ([Why] extends [never] ? L : Fit & readonly Layer[]) : L
type ShapeOf<F> = F extends Followed<unknown, infer S extends Shape, unknown> ? S : Shape

/** Layers as a graph: nodes come from `input(shape)` and from calling layers on nodes. */
export function functional(inputs: Node | readonly Node[], output: Node, options: ModelOptions = {}): Model {
  return new Model('layer' in inputs ? [inputs] : inputs, output, options)
}
