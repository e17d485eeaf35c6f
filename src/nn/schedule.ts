import type { EpochRecord } from './history.ts'

/** Where a training stands before a step. */
export interface Moment {
  /** Steps done. */
  readonly step: number
  readonly totalSteps: number
  /** Epochs done. */
  readonly epoch: number
  /** Their records. */
  readonly epochs: readonly EpochRecord[]
}

/** Schedules of the learning rate by name. */
export type ScheduleName =
  | 'constantRate'
  | 'stepDecay'
  | 'multiStepDecay'
  | 'exponentialDecay'
  | 'cosineDecay'
  | 'polynomialDecay'
  | 'warmUp'
  | 'reduceOnPlateau'

/** Name and options of a schedule: plain data that a file can keep. */
export interface ScheduleConfig {
  readonly name: ScheduleName
  readonly [option: string]: unknown
}

/** How the learning rate changes: by which factor the optimiser's own is multiplied. It remembers nothing itself. */
export interface Schedule {
  readonly config: ScheduleConfig
  /** The factor at a moment of the training. */
  factor(at: Moment): number
}

/** The optimiser's learning rate throughout. */
export const constantRate = (): Schedule => ({ config: { name: 'constantRate' }, factor: () => 1 })

/** Whether it is a schedule, not just the name or the options of one. */
export const isSchedule = (value: Schedule | ScheduleConfig | ScheduleName): value is Schedule =>
  typeof value === 'object' && typeof value.factor === 'function'
