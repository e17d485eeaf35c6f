import type { EpochRecord, History } from './history.ts'

/** What a training is about to do. */
export interface FitPlan {
  readonly epochs: number
  readonly stepsPerEpoch: number
  readonly batchSize: number
  readonly samples: number
  /** Steps done before, if it was resumed. */
  readonly doneSteps: number
}

/** Where a training stands after a step. */
export interface StepProgress {
  /** From 1. */
  readonly epoch: number
  readonly epochs: number
  /** Of this epoch, from 1. */
  readonly step: number
  readonly stepsPerEpoch: number
  /** Of this step's batch. */
  readonly loss: number
  /** Mean loss and metrics of the epoch so far. */
  readonly results: Pick<EpochRecord, 'loss' | 'accuracy'>
  readonly learningRate: number
  /** Of this epoch so far. */
  readonly imagesPerSecond: number
  /** Until the end of all epochs, without validation. */
  readonly secondsLeft: number
}

/** Functions that `fit` calls and awaits. */
export interface Callback {
  /** Before the first step. */
  begin?(plan: FitPlan): void | Promise<void>
  /** After each step. */
  step?(progress: StepProgress): void | Promise<void>
  /** After each epoch and its validation. */
  epoch?(record: EpochRecord, plan: FitPlan): void | Promise<void>
  /** Not after an error. */
  end?(history: History): void | Promise<void>
}

const shown = (value: number) => (Math.abs(value) < 1e-3 && value !== 0 ? value.toExponential(2) : value.toFixed(4))

/** One line about an epoch: `epoch 2/5  loss 0.1012  accuracy 0.9701  valLoss ...  12.3 s, 4878 images/s`. */
export function epochLine(record: EpochRecord, epochs: number): string {
  const { epoch, seconds, imagesPerSecond, ...values } = record
  const numbers = Object.entries(values).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  const measured = numbers.map(([name, value]) => `${name} ${shown(value)}`)
  return [
    `epoch ${epoch}/${epochs}`,
    ...measured,
    `${seconds.toFixed(1)} s, ${Math.round(imagesPerSecond)} images/s`,
  ].join('  ')
}

/** Prints a line for each epoch. */
export const epochLog = (write: (line: string) => void = console.log): Callback => ({
  epoch: (record, { epochs }) => write(epochLine(record, epochs)),
})

/** Does someone sit before a terminal of this process? False on a page. */
export const inTerminal = (): boolean => globalThis.process?.stdout?.isTTY === true
