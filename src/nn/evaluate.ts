import { checkCount } from '../base/errors.ts'
import { type DataSource, sourceOf, type TrainingData } from './batches.ts'
import { checkNames } from './checks.ts'
import type { MetricValue } from './history.ts'
import { pause } from './pause.ts'
import {
  addTo,
  emptyTally,
  evaluationRunner,
  type MeasureOptions,
  type Measures,
  measuresOf,
  resultsOf,
  type Trainable,
} from './training.ts'

/** What `evaluate` measures, and in what portions. */
export interface EvaluateOptions extends MeasureOptions {
  /** Samples a program takes at once. Default 64. */
  readonly batchSize?: number
  /** Ends it after the batch that is running: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Mean loss and metrics by name. */
export interface Evaluation {
  readonly loss: number
  readonly accuracy?: number
  readonly [metric: string]: MetricValue | undefined
}

/** A function that measures data with a model as it then is, by programs that it keeps. */
export function evaluator(
  operation: string,
  model: Trainable,
  measures: Measures,
  batchSize: number,
  signal?: AbortSignal,
): (source: DataSource) => Promise<Evaluation> {
  const run = evaluationRunner(operation, model, measures)
  return async (source) => {
    const tally = emptyTally()
    for (let from = 0; from < source.length; from += batchSize) {
      signal?.throwIfAborted()
      const samples = Math.min(batchSize, source.length - from)
      const batch = await source.batch(Uint32Array.from({ length: samples }, (_, i) => from + i))
      addTo(tally, await run(batch, samples), samples)
      await pause()
    }
    return resultsOf(tally, measures.metrics)
  }
}

/** Measures a model: mean loss and metrics over all samples of `data`. Nothing of the model changes. */
export async function evaluate(
  model: Trainable,
  data: TrainingData,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  checkNames('evaluate', options, ['loss', 'metrics', 'batchSize', 'signal'])
  const { batchSize = 64 } = options
  checkCount('evaluate', 'batchSize', batchSize, 1)
  const source = sourceOf('evaluate', data, model.inputShape)
  return evaluator('evaluate', model, await measuresOf(options), batchSize, options.signal)(source)
}
