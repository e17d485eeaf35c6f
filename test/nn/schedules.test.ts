import { describe, expect, test } from 'vitest'
import {
  constantRate,
  cosineDecay,
  exponentialDecay,
  multiStepDecay,
  polynomialDecay,
  reduceOnPlateau,
  type Schedule,
  scheduleOf,
  stepDecay,
  warmUp,
} from '../../src/nn/schedules.ts'

/** The factor before every step of `epochs` epochs of two steps. */
const factors = (schedule: Schedule, epochs: number) =>
  Array.from({ length: 2 * epochs }, (_, step) =>
    schedule.factor({ step, totalSteps: 2 * epochs, epoch: Math.floor(step / 2), epochs: [] }),
  )

const rounded = (values: readonly number[]) => values.map((value) => Number(value.toFixed(6)))

describe('schedules', () => {
  test('constant', () => {
    expect(factors(constantRate(), 2)).toEqual([1, 1, 1, 1])
  })

  test('steps, at every so many epochs and at given ones', () => {
    expect(rounded(factors(stepDecay({ every: 2 }), 5))).toEqual([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01])
    expect(factors(multiStepDecay({ at: [1, 3], factor: 0.5 }), 4)).toEqual([1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25])
  })

  test('exponential', () => {
    expect(factors(exponentialDecay({ factor: 0.5 }), 3)).toEqual([1, 1, 0.5, 0.5, 0.25, 0.25])
  })

  test('cosine falls from 1, through the middle, to the end', () => {
    const half = Math.SQRT1_2 / 2
    expect(rounded(factors(cosineDecay(), 2))).toEqual(rounded([1, 0.5 + half, 0.5, 0.5 - half]))
    expect(cosineDecay({ end: 0.2 }).factor({ step: 9, totalSteps: 9, epoch: 1, epochs: [] })).toBeCloseTo(0.2)
  })

  test('warm-up rises in a line to where the other begins', () => {
    const expected = [0.25, 0.5, 0.75, 1, 1, 0.5 + Math.SQRT1_2 / 2, 0.5, 0.5 - Math.SQRT1_2 / 2]
    expect(rounded(factors(warmUp('cosineDecay', 4), 4))).toEqual(rounded(expected))
    expect(rounded(factors(cosineDecay({ warmUp: 4 }), 4))).toEqual(rounded(expected))
  })

  test('polynomial', () => {
    expect(factors(polynomialDecay({ power: 2 }), 2)).toEqual([1, 0.5625, 0.25, 0.0625])
    expect(polynomialDecay().factor({ step: 1, totalSteps: 2, epoch: 0, epochs: [] })).toBeCloseTo(0.5 ** 0.9)
  })

  test('plateau: falls after so many epochs without improvement, then counts anew', () => {
    const falls = (schedule: Schedule, name: string, values: readonly number[]) =>
      values.map((_, i) => {
        const epochs = values.slice(0, i + 1).map((value, epoch) => ({
          ...{ epoch: epoch + 1, loss: 0, learningRate: 1, seconds: 1, imagesPerSecond: 1 },
          [name]: value,
        }))
        return schedule.factor({ step: 0, totalSteps: 1, epoch: i + 1, epochs })
      })
    const losses = [5, 4, 4, 4, 4, 4, 3, 3, 3]
    expect(falls(reduceOnPlateau({ patience: 2, factor: 0.5 }), 'valLoss', losses)).toEqual([
      ...[1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125],
    ])
    expect(falls(reduceOnPlateau({ patience: 2, factor: 0.5, cooldown: 2, least: 0.3 }), 'valLoss', losses)).toEqual([
      ...[1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.3],
    ])
    const rising = reduceOnPlateau({ patience: 1, factor: 0.5, monitor: 'accuracy' })
    expect(falls(rising, 'accuracy', [0.1, 0.2, 0.2])).toEqual([1, 1, 0.5])
    const tiny = reduceOnPlateau({ patience: 1, factor: 0.5, minDelta: 0.1 })
    expect(falls(tiny, 'valLoss', [1, 0.95, 0.8])).toEqual([1, 0.5, 0.5])
  })

  test.each([
    stepDecay({ every: 3 }),
    multiStepDecay({ at: [1] }),
    exponentialDecay({ factor: 0.9 }),
    cosineDecay({ warmUp: 3 }),
    polynomialDecay({ end: 0.1 }),
    warmUp(stepDecay({ every: 1 }), 2),
    reduceOnPlateau({ patience: 3, mode: 'max' }),
  ])('$config.name comes back from its configuration as JSON', (schedule) => {
    const again = scheduleOf(JSON.parse(JSON.stringify(schedule.config)))
    expect(again.config).toEqual(schedule.config)
    expect(factors(again, 3)).toEqual(factors(schedule, 3))
  })
})

describe('errors of schedules', () => {
  test.each([
    ["schedule: there is no schedule 'linear'. Use one of constantRate,", () => scheduleOf('linear' as 'cosineDecay')],
    ["stepDecay: option 'step' is unknown", () => scheduleOf({ name: 'stepDecay', every: 2, step: 3 })],
    ['stepDecay: every is 0', () => stepDecay({ every: 0 })],
    ['stepDecay: factor is -1', () => stepDecay({ every: 1, factor: -1 })],
    ['multiStepDecay: at is 1.5', () => multiStepDecay({ at: [1.5] })],
    ['exponentialDecay: factor is NaN', () => exponentialDecay({ factor: Number.NaN })],
    ['cosineDecay: end is -1', () => cosineDecay({ end: -1 })],
    ['polynomialDecay: power is -1', () => polynomialDecay({ power: -1 })],
    ['polynomialDecay: end is NaN', () => polynomialDecay({ end: Number.NaN })],
    ['warmUp: steps is -1', () => warmUp('cosineDecay', -1)],
    ['reduceOnPlateau: factor is 2', () => reduceOnPlateau({ factor: 2 })],
    ['reduceOnPlateau: patience is 0', () => reduceOnPlateau({ patience: 0 })],
    ['reduceOnPlateau: cooldown is -1', () => reduceOnPlateau({ cooldown: -1 })],
    ['reduceOnPlateau: least is 2', () => reduceOnPlateau({ least: 2 })],
    ['reduceOnPlateau: minDelta is -1', () => reduceOnPlateau({ minDelta: -1 })],
  ])('%s', (message, make) => {
    expect(make).toThrow(message)
  })
})
