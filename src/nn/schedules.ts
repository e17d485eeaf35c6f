import { checkCount } from '../base/errors.ts'
import { checkNames, checkRange } from './checks.ts'
import { type MonitorOptions, monitored } from './history.ts'
import { pick } from './options.ts'
import {
  constantRate,
  isSchedule,
  type Moment,
  type Schedule,
  type ScheduleConfig,
  type ScheduleName,
} from './schedule.ts'

export * from './schedule.ts'

export interface StepDecayOptions {
  /** Epochs between two changes. */
  readonly every: number
  /** Default 0.1. */
  readonly factor?: number
}

/** Multiplied by `factor` after every so many epochs. */
export function stepDecay({ every, factor = 0.1 }: StepDecayOptions): Schedule {
  checkCount('stepDecay', 'every', every, 1)
  checkRange('stepDecay', 'factor', factor, 0)
  return {
    config: { name: 'stepDecay', every, factor },
    factor: ({ epoch }) => factor ** Math.floor(epoch / every),
  }
}

export interface MultiStepDecayOptions {
  /** After how many epochs the rate changes. */
  readonly at: readonly number[]
  /** Default 0.1. */
  readonly factor?: number
}

/** Multiplied by `factor` after each of the epochs `at`. */
export function multiStepDecay({ at, factor = 0.1 }: MultiStepDecayOptions): Schedule {
  for (const epoch of at) checkCount('multiStepDecay', 'at', epoch)
  checkRange('multiStepDecay', 'factor', factor, 0)
  return {
    config: { name: 'multiStepDecay', at, factor },
    factor: ({ epoch }) => factor ** at.filter((change) => change <= epoch).length,
  }
}

export interface ExponentialDecayOptions {
  /** Of one epoch. */
  readonly factor: number
}

/** Multiplied by `factor` after every epoch. */
export function exponentialDecay({ factor }: ExponentialDecayOptions): Schedule {
  checkRange('exponentialDecay', 'factor', factor, 0)
  return { config: { name: 'exponentialDecay', factor }, factor: ({ epoch }) => factor ** epoch }
}

const share = ({ step, totalSteps }: Moment) => Math.min(1, step / totalSteps)

export interface CosineDecayOptions {
  /** The factor at the end. Default 0. */
  readonly end?: number
  /** Steps at the start in which the rate rises in a line. Default 0. */
  readonly warmUp?: number
}

/** From 1 to `end` along half a cosine (Loshchilov and Hutter, "SGDR", 2017, without restarts). */
export function cosineDecay({ end = 0, warmUp: rise = 0 }: CosineDecayOptions = {}): Schedule {
  checkRange('cosineDecay', 'end', end, 0)
  const factor = (at: Moment) => end + ((1 - end) * (1 + Math.cos(Math.PI * share(at)))) / 2
  const config = { name: 'cosineDecay', end, warmUp: rise } as const
  return { config, factor: warmUp({ config, factor }, rise).factor }
}

export interface PolynomialDecayOptions {
  /** Default 0.9. */
  readonly power?: number
  /** The factor at the end. Default 0. */
  readonly end?: number
}

/** From 1 to `end` as (1 - share of steps done)^power (Liu, Rabinovich and Berg, "ParseNet", 2015: 'poly'). */
export function polynomialDecay({ power = 0.9, end = 0 }: PolynomialDecayOptions = {}): Schedule {
  checkRange('polynomialDecay', 'power', power, 0)
  checkRange('polynomialDecay', 'end', end, 0)
  return {
    config: { name: 'polynomialDecay', power, end },
    factor: (at) => end + (1 - end) * (1 - share(at)) ** power,
  }
}

/** In the first `steps` steps the rate rises in a line to where `schedule` starts, which has the steps after them. */
export function warmUp(schedule: Schedule | ScheduleConfig | ScheduleName, steps: number): Schedule {
  const after = scheduleOf(schedule)
  checkCount('warmUp', 'steps', steps)
  return {
    config: { name: 'warmUp', schedule: after.config, steps },
    factor: (at) => {
      const rise = Math.min(1, (at.step + 1) / steps)
      const step = Math.max(0, at.step - steps)
      return rise * after.factor({ ...at, step, totalSteps: Math.max(1, at.totalSteps - steps) })
    },
  }
}

export interface ReduceOnPlateauOptions extends MonitorOptions {
  /** Default 0.1. */
  readonly factor?: number
  /** Epochs in a row without improvement that make a plateau. Default 10. */
  readonly patience?: number
  /** Epochs after a change that don't count. Default 0. */
  readonly cooldown?: number
  /** Never below this factor. Default 0. */
  readonly least?: number
}

/** Multiplied by `factor` wherever the monitored number hasn't improved for `patience` epochs. */
export function reduceOnPlateau(options: ReduceOnPlateauOptions = {}): Schedule {
  const operation = 'reduceOnPlateau'
  const { monitor = 'valLoss', mode, minDelta = 1e-4, factor = 0.1, patience = 10, cooldown = 0, least = 0 } = options
  checkRange(operation, 'factor', factor, 0, 1)
  checkCount(operation, 'patience', patience, 1)
  checkCount(operation, 'cooldown', cooldown)
  checkRange(operation, 'least', least, 0, 1)
  checkRange(operation, 'minDelta', minDelta, 0)
  return {
    config: { name: 'reduceOnPlateau', monitor, mode, minDelta, factor, patience, cooldown, least },
    factor({ epochs }) {
      let [result, best, waited, resting] = [1, Infinity, 0, 0]
      for (const value of monitored(operation, epochs, { monitor, mode })) {
        const improved = value < best - minDelta
        if (improved) best = value
        waited = improved || resting > 0 ? 0 : waited + 1
        resting = Math.max(0, resting - 1)
        if (waited < patience) continue
        result = Math.max(least, result * factor)
        waited = 0
        resting = cooldown
      }
      return result
    },
  }
}

const schedules: Readonly<Record<ScheduleName, (options: never) => Schedule>> = {
  constantRate,
  stepDecay,
  multiStepDecay,
  exponentialDecay,
  cosineDecay,
  polynomialDecay,
  warmUp: ({ schedule, steps }: { schedule: ScheduleConfig; steps: number }) => warmUp(schedule, steps),
  reduceOnPlateau,
}

/** A schedule by its name, with default options, or by its configuration; a schedule stands for itself. */
export function scheduleOf(value: Schedule | ScheduleConfig | ScheduleName): Schedule {
  if (isSchedule(value)) return value
  const { name, ...options } = typeof value === 'string' ? { name: value } : value
  const made = pick('schedule', 'schedule', schedules, name)(options as never)
  checkNames(name, options, Object.keys(made.config))
  return made
}
