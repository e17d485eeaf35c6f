import { checkCount, fail } from '../base/errors.ts'
import { checkNames, checkRange } from './checks.ts'

/** One number, or a matrix as rows. */
export type MetricValue = number | readonly (readonly number[])[]

/** What was measured in one epoch; further metrics stand under their own names, with `val` before them too. */
export interface EpochRecord {
  /** From 1. */
  readonly epoch: number
  /** Mean over the epoch's samples, each as it was trained on. */
  readonly loss: number
  readonly accuracy?: number
  /** On the validation data, after the epoch. */
  readonly valLoss?: number
  readonly valAccuracy?: number
  /** Of the last step. */
  readonly learningRate: number
  /** Of training alone, without validation. */
  readonly seconds: number
  /** Samples trained on, a second. */
  readonly imagesPerSecond: number
  readonly [metric: string]: MetricValue | undefined
}

/** What a training was like: the result of `fit`. */
export interface History {
  readonly epochs: readonly EpochRecord[]
  /** All epochs done, no improvement any more, or stopped by the signal. */
  readonly stopped: 'finished' | 'early' | 'aborted'
  /** With early stopping: the epoch (from 1) whose weights the model has, unless it was aborted. */
  readonly bestEpoch?: number
}

/** Which number is watched, and what counts as better. */
export interface MonitorOptions {
  /** Which number of an epoch's record. Default 'valLoss'. */
  readonly monitor?: string
  /** A change of no more than this is none. Default 0. */
  readonly minDelta?: number
  /** Is less or more better? Default: more for names with 'accuracy' or 'top' in them, else less. */
  readonly mode?: 'min' | 'max'
}

/** The monitored number of every epoch, with the sign that makes less better. */
export function monitored(operation: string, epochs: readonly EpochRecord[], options: MonitorOptions): number[] {
  const { monitor = 'valLoss', mode = /accuracy|top\d/i.test(monitor) ? 'max' : 'min' } = options
  return epochs.map((record) => {
    const value = record[monitor]
    if (typeof value === 'number') return mode === 'max' ? -value : value
    const names = Object.keys(record).filter((name) => typeof record[name] === 'number')
    return fail(
      operation,
      `no '${monitor}' is measured, only ${names.join(', ')}`,
      'Give validation data, or monitor one',
    )
  })
}

/** Index of the epoch that was best so far, -1 before the first. */
function bestEpoch(values: readonly number[], minDelta = 0): number {
  let best = -1
  for (const [i, value] of values.entries()) if (best < 0 || value < values[best] - minDelta) best = i
  return best
}

/** When a training that gets no better ends; the model then has the weights of its best epoch. */
export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs in a row without improvement after which the training ends. Default 5. */
  readonly patience?: number
}

/** @param validated whether there is validation data */
export function checkEarlyStopping(options: EarlyStoppingOptions, validated: boolean): void {
  checkNames('fit', options, ['patience', 'monitor', 'minDelta', 'mode'])
  checkCount('fit', 'earlyStopping.patience', options.patience ?? 5, 1)
  checkRange('fit', 'earlyStopping.minDelta', options.minDelta ?? 0, 0)
  if (!validated && (options.monitor ?? 'valLoss').startsWith('val'))
    fail('fit', 'earlyStopping monitors validation, but there is none', "Give validation data, or monitor: 'loss'")
}

/** Index of the best epoch so far. */
export const bestOf = (epochs: readonly EpochRecord[], options: EarlyStoppingOptions): number =>
  bestEpoch(monitored('earlyStopping', epochs, options), options.minDelta)
