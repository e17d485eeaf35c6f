import { fail } from '../base/errors.ts'
import { shuffledIndices } from '../base/shuffle.ts'
import { engine } from '../graph/engine.ts'
import type { Position } from './checkpoint.ts'
import type { Evaluation } from './evaluate.ts'
import type { Training } from './fit-options.ts'
import type { EpochRecord } from './history.ts'
import { pause } from './pause.ts'
import { addTo, emptyTally, resultsOf } from './training.ts'

/** Writes where the training stands, if it shall be kept at all. */
export async function saveCheckpoint({ options, model, state, best, position, settings }: Training): Promise<void> {
  if (!options.checkpoint) return
  const { keepCheckpoint, writeCheckpoint } = await import('./checkpoint.ts')
  const { arithmetic } = engine()
  const bytes = writeCheckpoint(model, state.variables, best, { position, settings, arithmetic })
  await keepCheckpoint(options.checkpoint, bytes)
}

const isDue = (count: number, every: number | undefined) => every !== undefined && count % every === 0

function checkLoss(loss: number, { epoch, step, learningRate }: Position): void {
  if (!Number.isFinite(loss))
    fail(
      'fit',
      `the loss is ${loss} at step ${step + 1} of epoch ${epoch + 1}, with learning rate ${learningRate}`,
      'Lower the learning rate, clip gradients (clipNorm: 1), or look for NaN and huge values in the data',
    )
}

async function reportStep({ callbacks, position, plan, measures }: Training, loss: number, speed: number) {
  const { epoch, step, tally, totalSteps, learningRate } = position
  const { epochs, stepsPerEpoch, batchSize } = plan
  for (const callback of callbacks)
    await callback.step?.({
      epoch: epoch + 1,
      epochs,
      step,
      stepsPerEpoch,
      loss,
      results: resultsOf(tally, measures.metrics),
      learningRate,
      imagesPerSecond: speed,
      secondsLeft: ((epochs * stepsPerEpoch - totalSteps) * batchSize) / speed,
    })
}

/** Trains to the end of the epoch; false if the signal stopped it before. */
export async function trainEpoch(training: Training): Promise<boolean> {
  const { position, plan, source, state, schedule, options } = training
  const { batchSize, samples, stepsPerEpoch, epochs } = plan
  const { epoch } = position
  const order = training.shuffle
    ? shuffledIndices(samples, training.seed, epoch)
    : Uint32Array.from({ length: samples }, (_, i) => i)
  const load = (step: number) =>
    step < stepsPerEpoch ? source.batch(order.slice(step * batchSize, (step + 1) * batchSize), epoch) : undefined
  const earlier = position.seconds
  const start = performance.now()
  let batch = options.signal?.aborted ? undefined : await load(position.step)
  while (batch) {
    const size = Math.min(batchSize, samples - position.step * batchSize)
    const moment = { step: position.totalSteps, totalSteps: epochs * stepsPerEpoch, epoch, epochs: position.epochs }
    position.learningRate = training.learningRate * schedule.factor(moment)
    state.learningRate.write([position.learningRate])
    // the next batch is fetched while this one is worked on
    const [result, next] = await Promise.all([training.step(batch, size), load(position.step + 1)])
    checkLoss(result.loss, position)
    addTo(position.tally, result, size)
    position.step++
    position.totalSteps++
    position.seconds = earlier + (performance.now() - start) / 1000
    if (isDue(position.totalSteps, options.checkpoint?.everySteps)) await saveCheckpoint(training)
    await reportStep(training, result.loss, position.tally.samples / position.seconds)
    await pause()
    if (options.signal?.aborted) return false
    batch = next
  }
  return !options.signal?.aborted
}

/** 'loss' becomes 'valLoss'. */
const validationNames = (measured: Evaluation | undefined) =>
  Object.fromEntries(
    Object.entries(measured ?? {}).map(([name, value]) => [`val${name[0].toUpperCase()}${name.slice(1)}`, value]),
  )

/** Index of the best epoch so far, -1 without early stopping. */
export async function bestSoFar({ options: { earlyStopping }, position }: Training): Promise<number> {
  if (!earlyStopping) return -1
  return (await import('./history.ts')).bestOf(position.epochs, earlyStopping)
}

/** Measures the validation data, records the epoch and keeps the weights if they are the best. */
export async function endEpoch(training: Training): Promise<void> {
  const { position, measures, plan, model, best, options, callbacks } = training
  const { tally, learningRate, seconds } = position
  const record: EpochRecord = {
    epoch: position.epoch + 1,
    ...resultsOf(tally, measures.metrics),
    ...validationNames(await training.validate?.()),
    learningRate,
    seconds,
    imagesPerSecond: plan.samples / seconds,
  }
  position.epochs.push(record)
  Object.assign(position, { epoch: position.epoch + 1, step: 0, tally: emptyTally(), seconds: 0 })
  if ((await bestSoFar(training)) === position.epochs.length - 1)
    for (const variable of [...model.parameters, ...model.state]) best.set(variable, variable.read())
  if (isDue(position.epoch, options.checkpoint?.everyEpochs ?? 1)) await saveCheckpoint(training)
  for (const callback of callbacks) await callback.epoch?.(record, plan)
}
