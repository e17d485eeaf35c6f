import { checkCount } from '../base/errors.ts'
import { randomSource } from '../base/random.ts'
import { type Shape, sizeOf } from '../base/shape.ts'
import { compile, type Program } from '../compile.ts'
import { explainOutput } from '../conv/facts.ts'
import type { ConvSpec } from '../conv/spec.ts'
import { gradient, mul, sum } from '../graph/index.ts'
import { placeholder, type Tensor, topological } from '../graph/tensor.ts'
import type { Model, Step } from './model.ts'
import { type SummaryRow, summaryRows } from './summary.ts'

type AnyProgram = Program<readonly Shape[], readonly Tensor[]>

/** How one contraction is computed: algorithm, spec, tile, why. Plain data. */
export type LayerPlan = NonNullable<AnyProgram['steps'][number]['plan']>

/** For what batch a model is explained. */
export interface ExplainOptions {
  /** Samples of a batch, for plans, bytes and times. Default 1. */
  readonly batchSize?: number
  /** Measures every layer. Default false. */
  readonly time?: boolean
}

/** Everything about one layer; shapes are of one sample. */
export interface LayerExplanation extends SummaryRow {
  readonly kind: string
  /** The formula of the output's size with numbers put in, the same on several axes once. */
  readonly formulas: readonly string[]
  /** Of the layer's contractions, in order. */
  readonly plans: readonly LayerPlan[]
  /** Of their derivatives that training needs. */
  readonly gradientPlans: readonly LayerPlan[]
  /** Memory for input, output and scratch while the layer runs by itself. */
  readonly arenaBytes: number
  /** Of the layer by itself on one batch. */
  readonly milliseconds?: number
}

/** What a model computes, layer by layer, with cost and memory: plain data, made by `explain`. */
export interface Explanation {
  readonly name: string
  /** Of one sample, as `outputShape` is. */
  readonly inputShapes: readonly Shape[]
  readonly outputShape: Shape
  readonly batchSize: number
  readonly layers: readonly LayerExplanation[]
  /** Numbers that are trained. */
  readonly parameters: number
  /** Multiply-accumulates of one sample. */
  readonly macs: number
  /** Memory of the whole model while it predicts a batch, without weights. */
  readonly arenaBytes: number
  /** The same for its gradients. */
  readonly trainingArenaBytes: number
  /** Of the whole model on one batch, where neighbouring layers may share a pass. */
  readonly milliseconds?: number
}

/** (out - 1) * s - padLow - padHigh + d*(k-1) + 1 + outputPadding, per axis of the larger side. */
const explainTransposed = (spec: ConvSpec): string[] =>
  spec.output.map((size, axis) => {
    const [k, s, d] = [spec.kernel[axis]!, spec.stride[axis]!, spec.dilation[axis]!]
    const [low, high] = [spec.padLow[axis]!, spec.padHigh[axis]!]
    const rest = spec.input[axis]! - ((size - 1) * s - low - high + d * (k - 1) + 1)
    return `(${size} - 1)*${s} - ${low} - ${high} + ${d}*(${k}-1) + 1 + ${rest} = ${spec.input[axis]}`
  })

const isPoint = (spec: ConvSpec) => [...spec.kernel, ...spec.stride].every((n) => n === 1)

function formulaOf({ operation }: Tensor): readonly string[] {
  if (operation.kind === 'windowMax') return explainOutput(operation.spec)
  if (operation.kind !== 'contract') return []
  const { spec, contraction } = operation
  const { inChannels, outChannels, groups } = spec
  if (isPoint(spec))
    return [`each position: ${inChannels} values x ${inChannels / groups}x${outChannels} weights = ${outChannels}`]
  return contraction === 'output' ? explainOutput(spec) : explainTransposed(spec)
}

/** Formulas of all windows between `inputs` and `result`. */
function formulasBetween(inputs: readonly Tensor[], result: Tensor): string[] {
  const before = new Set(topological(inputs))
  const nodes = topological([result]).filter((node) => !before.has(node))
  const found = [...new Set(nodes.flatMap(formulaOf))]
  const { shape } = inputs[0]!
  const isFlat = result.operation.kind === 'reshape' && result.shape.length === 2 && shape.length > 2
  return found.length === 0 && isFlat ? [`${shape.slice(1).join('*')} = ${result.shape[1]}`] : found
}

const plansOf = (program: AnyProgram): LayerPlan[] =>
  program.steps.flatMap(({ plan }) => (plan === undefined ? [] : [plan]))

const planKey = ({ contraction, spec }: LayerPlan) => JSON.stringify([contraction, spec])

/** The sum of a tensor weighted by another, whose derivative is that other one. */
const weighted = (y: Tensor, g: Tensor) => sum(mul(y, g))

/** A layer's programs by itself: forward, and gradients by its inputs (where they are asked for) and parameters. */
function programsOf(model: Model, step: Step, inputs: readonly Shape[], batchSize: number, byInputs: boolean) {
  const shapes = inputs.map((shape) => [batchSize, ...shape])
  const { built } = step
  const forward: AnyProgram = compile(
    (...x) => [built.apply(x as readonly Tensor[], model.context(false))] as const,
    shapes as readonly Shape[],
  )
  const parameters = built.parameters.map((parameter) => parameter.value)
  if (!byInputs && parameters.length === 0) return { forward, shapes }
  const backward: AnyProgram = compile(
    (...given) => {
      const x = given.slice(0, -1) as readonly Tensor[]
      const y = built.apply(x, model.context(true))
      return gradient(weighted(y, given.at(-1) as Tensor), [...(byInputs ? x : []), ...parameters])
    },
    [...shapes, [batchSize, ...built.shape]] as readonly Shape[],
  )
  return { forward, backward, shapes }
}

async function measured(program: AnyProgram, shapes: readonly Shape[]): Promise<number> {
  const random = randomSource(1)
  await program(...shapes.map((shape) => Float32Array.from({ length: sizeOf(shape) }, () => random.normal())))
  return (await program.profile()).reduce((total, { median }) => total + median, 0)
}

/** For every value (inputs of the model, then steps): does it depend on anything that is trained? */
function trainedValues({ inputShapes, steps }: Model): boolean[] {
  const trained: boolean[] = inputShapes.map(() => false)
  for (const { built, inputs } of steps) trained.push(built.parameters.length > 0 || inputs.some((i) => trained[i]))
  return trained
}

function wholePrograms(model: Model, batchSize: number) {
  const shapes: readonly Shape[] = model.inputShapes.map((shape) => [batchSize, ...shape])
  const forward: AnyProgram = compile((...x) => [model.apply(x as readonly Tensor[], model.context(false))], shapes)
  const training: AnyProgram = compile(
    (...given) =>
      gradient(
        weighted(model.apply(given.slice(0, -1) as readonly Tensor[], model.context(true)), given.at(-1) as Tensor),
        model.parameters.map((parameter) => parameter.value),
      ),
    [...shapes, [batchSize, ...model.outputShape]] as readonly Shape[],
  )
  return { forward, training, shapes }
}

/** Says of every layer of a model what it computes, how it is going to be computed and why, and what it takes. */
export async function explain(model: Model, options: ExplainOptions = {}): Promise<Explanation> {
  const { batchSize = 1, time = false } = options
  checkCount('explain', 'batchSize', batchSize, 1)
  const rows = summaryRows(model)
  const values = model.trace(
    model.inputShapes.map((shape) => placeholder([1, ...shape])),
    model.context(false),
  )
  const trained = trainedValues(model)
  const layers: LayerExplanation[] = []
  for (const [i, step] of model.steps.entries()) {
    const inputs = step.inputs.map((k) => values[k]!)
    const byInputs = step.inputs.some((k) => trained[k])
    const ownShapes = inputs.map(({ shape }) => shape.slice(1))
    const { forward, backward, shapes } = programsOf(model, step, ownShapes, batchSize, byInputs)
    const plans = plansOf(forward)
    const again = new Set(plans.map(planKey))
    layers.push({
      ...rows[i]!,
      kind: step.layer.kind,
      formulas: formulasBetween(inputs, values[model.inputShapes.length + i]!),
      plans,
      gradientPlans: backward ? plansOf(backward).filter((plan) => !again.has(planKey(plan))) : [],
      arenaBytes: forward.arenaBytes,
      ...(time ? { milliseconds: await measured(forward, shapes) } : {}),
    })
  }
  const { forward, training, shapes } = wholePrograms(model, batchSize)
  return {
    name: model.name,
    inputShapes: model.inputShapes,
    outputShape: model.outputShape,
    batchSize,
    layers,
    parameters: model.countParameters(),
    macs: rows.reduce((total, { macs }) => total + macs, 0),
    arenaBytes: forward.arenaBytes,
    trainingArenaBytes: training.arenaBytes,
    ...(time ? { milliseconds: await measured(forward, shapes) } : {}),
  }
}
