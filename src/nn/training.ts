import { fail } from '../base/errors.ts'
import { showShape, sizeOf } from '../base/shape.ts'
import { type CompileOptions, compile } from '../compile.ts'
import { add, gradient, type Tensor, tensor, update } from '../graph/index.ts'
import { type Batch, checkLabels, sampleShapes } from './batches.ts'
import { clipByGlobalNorm, clipByValue } from './clipping.ts'
import type { MetricValue } from './history.ts'
import { type LossFunction, softmaxCrossEntropy } from './loss.ts'
import type { LossName } from './losses.ts'
import { accuracy, type Metric } from './metric.ts'
import type { MetricName } from './metrics.ts'
import type { Model } from './model.ts'
import type { OptimizerState } from './optimizer.ts'

/** What training and evaluation need of a model. */
export type Trainable = Pick<
  Model,
  'inputShape' | 'outputShape' | 'parameters' | 'state' | 'seed' | 'rng' | 'context' | 'apply' | 'toBytes'
>

/** What is measured of a model's predictions. */
export interface MeasureOptions {
  /** By name, or a function of prediction and target. Default 'softmaxCrossEntropy'. */
  readonly loss?: LossName | LossFunction
  /** Default: 'accuracy' for the cross-entropies, none for other losses. */
  readonly metrics?: readonly (Metric | MetricName)[]
}

/** What is measured on every batch. */
export interface Measures {
  readonly lossName: string
  readonly loss: LossFunction
  readonly metrics: readonly Metric[]
}

export async function measuresOf({ loss = 'softmaxCrossEntropy', metrics }: MeasureOptions): Promise<Measures> {
  const lossName = typeof loss === 'string' ? loss : 'function'
  return {
    lossName,
    loss: await lossFor(loss),
    metrics: await Promise.all((metrics ?? usual[lossName] ?? []).map(metricFor)),
  }
}

/** Metrics that losses have if none are asked for. */
const usual: Readonly<Record<string, readonly MetricName[]>> = {
  softmaxCrossEntropy: ['accuracy'],
  binaryCrossEntropyWithLogits: ['binaryAccuracy'],
}

async function lossFor(loss: LossName | LossFunction): Promise<LossFunction> {
  if (typeof loss === 'function') return loss
  return loss === 'softmaxCrossEntropy' ? softmaxCrossEntropy : (await import('./losses.ts')).lossOf(loss)
}

async function metricFor(metric: Metric | MetricName): Promise<Metric> {
  if (typeof metric === 'object') return metric
  return metric === 'accuracy' ? accuracy() : (await import('./metrics.ts')).metricOf(metric)
}

/** The results of one batch: mean loss, and the sums of each metric. */
export interface BatchResult {
  readonly loss: number
  readonly sums: readonly Float32Array[]
}

/** Sums over batches; plain data that a file can keep. */
export interface Tally {
  samples: number
  /** Each sample's loss, added up. */
  loss: number
  /** One list per metric. */
  sums: number[][]
}

export const emptyTally = (): Tally => ({ samples: 0, loss: 0, sums: [] })

export function addTo(tally: Tally, result: BatchResult, samples: number): void {
  tally.samples += samples
  tally.loss += result.loss * samples
  tally.sums = result.sums.map((sums, i) => Array.from(sums, (value, k) => value + (tally.sums[i]?.[k] ?? 0)))
}

/** Mean loss and the metrics by name. */
export function resultsOf(tally: Tally, metrics: readonly Metric[]): { loss: number; [name: string]: MetricValue } {
  const values = metrics.map(({ name, value }, i) => [name, value(Float64Array.from(tally.sums[i]))] as const)
  return { ...Object.fromEntries(values), loss: tally.loss / tally.samples }
}

type Run = (batch: Batch, samples: number) => Promise<BatchResult>
type Shapes = readonly [number[], number[]]

/** Runs batches by programs that are made once for each size of batch: the last one of an epoch is often shorter. */
function batchRunner(
  operation: string,
  model: Trainable,
  measures: Measures,
  program: (
    shapes: Shapes,
  ) => (x: Float32Array, y: Float32Array) => Promise<{ loss: Float32Array; sums: Float32Array[] }>,
): Run {
  const programs = new Map<string, ReturnType<typeof program>>()
  return async (batch, samples) => {
    const { input, target } = sampleShapes(operation, batch, samples, model)
    if (measures.lossName === 'softmaxCrossEntropy' && target.length < model.outputShape.length)
      checkLabels(operation, batch.y, model.outputShape.at(-1) ?? 1)
    const key = [samples, ...target].join()
    const run =
      programs.get(key) ??
      program([
        [samples, ...input],
        [samples, ...target],
      ])
    programs.set(key, run)
    const { loss, sums } = await run(batch.x, batch.y)
    return { loss: loss[0], sums }
  }
}

function measure(operation: string, measures: Measures, prediction: Tensor, target: Tensor) {
  const loss = measures.loss(prediction, target)
  if (sizeOf(loss.shape) !== 1)
    fail(operation, `the loss has shape ${showShape(loss.shape)}`, "Return one number for a batch: reduction 'mean'")
  return { loss, sums: measures.metrics.map((metric) => metric.sums(prediction, target)) }
}

/** Loss and metrics of batches, without training. */
export const evaluationRunner = (operation: string, model: Trainable, measures: Measures): Run =>
  batchRunner(operation, model, measures, (shapes) =>
    compile((x, y) => measure(operation, measures, model.apply(x, model.context(false)), y), shapes),
  )

/** How large gradients may be. */
export interface ClipOptions {
  /** Every element of a gradient is brought into [-clipValue, clipValue]. */
  readonly clipValue?: number
  /** All gradients are scaled together so that their global norm is at most this. */
  readonly clipNorm?: number
}

function clipped(gradients: readonly Tensor[], { clipValue, clipNorm }: ClipOptions): readonly Tensor[] {
  const limited = clipValue === undefined ? gradients : clipByValue(gradients, clipValue)
  return clipNorm === undefined ? limited : clipByGlobalNorm(limited, clipNorm)
}

/** A whole training step as one program: forward, gradient, clipping, update, running statistics, loss and metrics. */
export const trainingRunner = (
  operation: string,
  model: Trainable,
  measures: Measures,
  optimizer: OptimizerState,
  clip: ClipOptions,
  options: CompileOptions = {},
): Run => {
  const step = (x: Tensor, y: Tensor) => {
    const context = model.context(true)
    const results = measure(operation, measures, model.apply(x, context), y)
    const gradients = gradient(
      results.loss,
      model.parameters.map((parameter) => parameter.value),
    )
    const nextChance = update(model.rng, add(model.rng.value, tensor([0, 1])))
    return { ...results, updates: [optimizer.update(clipped(gradients, clip)), context.updates, nextChance] }
  }
  return batchRunner(operation, model, measures, (shapes) => compile(step, shapes, options))
}
