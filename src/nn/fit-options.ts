import { checkCount, fail } from '../base/errors.ts'
import type { Precision } from '../compile.ts'
import { type Batch, type DataSource, sourceOf, type TrainingData } from './batches.ts'
import { type Callback, epochLog, type FitPlan, inTerminal } from './callbacks.ts'
import type { BestWeights, CheckpointOptions, Position, Settings } from './checkpoint.ts'
import { checkNames } from './checks.ts'
import { type Evaluation, evaluator } from './evaluate.ts'
import type { EarlyStoppingOptions } from './history.ts'
import { isOptimizer, type Optimizer, type OptimizerConfig, type OptimizerState } from './optimizer.ts'
import type { OptimizerName } from './optimizers.ts'
import { constantRate, isSchedule, type Schedule, type ScheduleConfig, type ScheduleName } from './schedule.ts'
import {
  type BatchResult,
  type ClipOptions,
  emptyTally,
  type MeasureOptions,
  type Measures,
  measuresOf,
  type Trainable,
  trainingRunner,
} from './training.ts'

/** How `fit` trains. Names are Keras's. */
export interface FitOptions extends MeasureOptions, ClipOptions {
  /** Default 1. */
  readonly epochs?: number
  /** Samples of one step; the last step of an epoch takes what is left. Default 64. */
  readonly batchSize?: number
  /** Name, configuration, or what `sgd(...)`, `adam(...)` return. Default 'adam'. */
  readonly optimizer?: Optimizer | OptimizerConfig | OptimizerName
  /** How the learning rate changes. Default: not at all. */
  readonly schedule?: Schedule | ScheduleConfig | ScheduleName
  /** Data that is measured after every epoch, not trained on. */
  readonly validation?: TrainingData
  /** Of the order of samples. Default: the model's seed. */
  readonly seed?: number
  /** Another order in every epoch. Default true. */
  readonly shuffle?: boolean
  readonly callbacks?: readonly Callback[]
  /** Ends the training when nothing improves, and leaves the model with the weights of its best epoch. */
  readonly earlyStopping?: EarlyStoppingOptions
  readonly checkpoint?: CheckpointOptions
  /** A checkpoint, its bytes or its path: the training goes on from there, to the same bits as if never stopped. */
  readonly resume?: string | Uint8Array
  /** Stops after the step that is running, and leaves a checkpoint if there shall be any. */
  readonly signal?: AbortSignal
  /** A line for each epoch. Default: in a terminal. */
  readonly verbose?: boolean
  /** As for `compile`: of training steps alone, not of validation. */
  readonly precision?: Precision
}

const optionNames = [
  ...['loss', 'metrics', 'clipValue', 'clipNorm', 'epochs', 'batchSize', 'optimizer', 'schedule', 'validation', 'seed'],
  ...['shuffle', 'callbacks', 'earlyStopping', 'checkpoint', 'resume', 'signal', 'verbose', 'precision'],
]

/** A training: what it was asked to do, and where it stands. */
export interface Training {
  readonly model: Trainable
  readonly source: DataSource
  readonly options: FitOptions
  readonly plan: FitPlan
  readonly seed: number
  readonly shuffle: boolean
  readonly measures: Measures
  readonly schedule: Schedule
  readonly learningRate: number
  readonly state: OptimizerState
  readonly settings: Settings
  readonly callbacks: readonly Callback[]
  readonly step: (batch: Batch, samples: number) => Promise<BatchResult>
  readonly validate: (() => Promise<Evaluation>) | undefined
  readonly best: BestWeights
  readonly position: Position
}

async function checkOptions(options: FitOptions): Promise<void> {
  checkNames('fit', options, optionNames)
  const { epochs = 1, batchSize = 64, seed = 0, earlyStopping, checkpoint, validation } = options
  checkCount('fit', 'epochs', epochs, 1)
  checkCount('fit', 'batchSize', batchSize, 1)
  checkCount('fit', 'seed', seed)
  if (checkpoint) (await import('./checkpoint.ts')).checkCheckpointOptions(checkpoint)
  if (earlyStopping) (await import('./history.ts')).checkEarlyStopping(earlyStopping, validation !== undefined)
}

// those that have names are fetched when one is asked for, so that a page needn't load them all

async function optimizerFor({ optimizer = 'adam' }: FitOptions): Promise<Optimizer> {
  if (isOptimizer(optimizer)) return optimizer
  return (await import('./optimizers.ts')).optimizerOf(optimizer)
}

async function scheduleFor({ schedule = constantRate() }: FitOptions): Promise<Schedule> {
  if (isSchedule(schedule)) return schedule
  return (await import('./schedules.ts')).scheduleOf(schedule)
}

/** A training of `model` that is about to begin, every option checked. */
export async function prepare(model: Trainable, data: TrainingData, options: FitOptions): Promise<Training> {
  await checkOptions(options)
  const { epochs = 1, batchSize = 64, seed = model.seed, shuffle = true, validation, verbose = inTerminal() } = options
  if (model.parameters.length === 0) fail('fit', 'the model has no parameters', 'Give it a layer with weights')
  const source = sourceOf('fit', data, model.inputShape)
  const validationSource = validation && sourceOf('fit', validation, model.inputShape)
  const measures = await measuresOf(options)
  const optimizer = await optimizerFor(options)
  const schedule = await scheduleFor(options)
  const state = optimizer.create(model.parameters)
  const clip: ClipOptions = { clipValue: options.clipValue, clipNorm: options.clipNorm }
  const measure = validationSource && evaluator('fit', model, measures, batchSize)
  return {
    model,
    source,
    options,
    plan: {
      epochs,
      batchSize,
      stepsPerEpoch: Math.ceil(source.length / batchSize),
      samples: source.length,
      doneSteps: 0,
    },
    seed,
    shuffle,
    measures,
    schedule,
    learningRate: optimizer.learningRate,
    state,
    settings: {
      samples: source.length,
      seed,
      batchSize,
      shuffle,
      optimizer: optimizer.config,
      schedule: schedule.config,
      loss: measures.lossName,
      metrics: measures.metrics.map(({ name }) => name),
      clip,
      earlyStopping: options.earlyStopping,
      precision: options.precision,
    },
    callbacks: [...(options.callbacks ?? []), ...(verbose ? [epochLog()] : [])],
    step: trainingRunner('fit', model, measures, state, clip, { precision: options.precision }),
    validate: measure && (() => measure(validationSource)),
    best: new Map(),
    position: { epoch: 0, step: 0, totalSteps: 0, tally: emptyTally(), seconds: 0, learningRate: 0, epochs: [] },
  }
}
