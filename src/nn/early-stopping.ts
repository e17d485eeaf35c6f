import { checkCount, fail } from '../base/errors.ts'
import { checkNames, checkRange } from './checks.ts'
import { bestEpoch, type EpochRecord, type MonitorOptions, monitored } from './history.ts'

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
