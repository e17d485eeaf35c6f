import { engine } from '../graph/engine.ts'
import type { TrainingData } from './batches.ts'
import { bestSoFar, endEpoch, saveCheckpoint, trainEpoch } from './epoch.ts'
import { type FitOptions, prepare, type Training } from './fit-options.ts'
import type { History } from './history.ts'
import type { Trainable } from './training.ts'

/** Puts a checkpoint's state into a training that is about to begin. */
async function resumed(training: Training, from: string | Uint8Array): Promise<Training> {
  const { model, state, best, settings, plan } = training
  // fetched when it's needed, so that a page that only trains needn't load it
  const { checkpointBytes, readCheckpoint } = await import('./checkpoint.ts')
  const { position, arithmetic } = readCheckpoint(await checkpointBytes(from), model, state.variables, best, settings)
  const now = engine().arithmetic
  if (arithmetic !== now)
    console.warn(`fit: resumed on arithmetic '${now}' after '${arithmetic}': the last bits of the weights may differ`)
  return { ...training, position, plan: { ...plan, doneSteps: position.totalSteps } }
}

async function lacksImprovement(training: Training): Promise<boolean> {
  const { earlyStopping } = training.options
  const { epochs } = training.position
  if (!earlyStopping) return false
  return epochs.length - 1 - (await bestSoFar(training)) >= (earlyStopping.patience ?? 5)
}

async function run(training: Training): Promise<History['stopped']> {
  const { position, plan } = training
  while (position.epoch < plan.epochs) {
    if (position.step === 0 && (await lacksImprovement(training))) return 'early'
    if (!(await trainEpoch(training))) {
      await saveCheckpoint(training)
      return 'aborted'
    }
    await endEpoch(training)
  }
  return 'finished'
}

/**
 * Trains a model on labelled data. Each step is one program, so nothing but the loss and the metrics is copied out. The
 * same seed, data and options give the same bits.
 * @returns the numbers of every epoch; the model's weights are changed in place
 */
export async function fit(model: Trainable, data: TrainingData, options: FitOptions = {}): Promise<History> {
  const fresh = await prepare(model, data, options)
  const training = options.resume === undefined ? fresh : await resumed(fresh, options.resume)
  const { callbacks, plan, position, best } = training
  for (const callback of callbacks) await callback.begin?.(plan)
  const stopped = await run(training)
  if (stopped !== 'aborted') for (const [variable, values] of best) variable.write(values)
  const index = await bestSoFar(training)
  const history: History = { epochs: position.epochs, stopped, ...(index >= 0 ? { bestEpoch: index + 1 } : {}) }
  for (const callback of callbacks) await callback.end?.(history)
  return history
}
