import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compile.ts'
import { fill, Variable } from '../../src/graph/index.ts'
import { clipByGlobalNorm, clipByValue } from '../../src/nn/clipping.ts'
import type { Optimizer } from '../../src/nn/optimizer.ts'
import { adam, nadam, optimizerOf, radam, rmsProp, sgd } from '../../src/nn/optimizers.ts'
import { optimizerCases } from './optimizer-cases.ts'

/** The parameters after each step. */
async function trajectory(optimizer: Optimizer, start: readonly number[], gradients: readonly (readonly number[])[]) {
  const parameter = new Variable(start, [start.length], 'p')
  const state = optimizer.create([parameter])
  const step = compile((g) => ({ updates: state.update([g]) }), [[start.length]])
  const path: number[][] = []
  for (const g of gradients) {
    await step(g)
    path.push([...parameter.read()])
  }
  return path
}

describe('optimisers follow torch.optim', () => {
  test.each(optimizerCases)('$config', async ({ config, start, gradients, parameters }) => {
    const path = await trajectory(optimizerOf(config), start, gradients)
    path.forEach((values, step) => {
      values.forEach((value, i) => {
        const wanted = parameters[step][i]
        expect(Math.abs(value - wanted), `step ${step + 1}, element ${i}`).toBeLessThan(
          1e-6 * Math.max(1, Math.abs(wanted)),
        )
      })
    })
  })

  test('every optimiser is among the cases', () => {
    const names = new Set(optimizerCases.map(({ config }) => config.name))
    expect([...names].sort().join(' ')).toBe('adadelta adagrad adam adamW adamax nadam radam rmsProp sgd')
  })
})

describe('optimisers', () => {
  test('the first step of adam is the learning rate, whatever the size of the gradient', async () => {
    for (const g of [1e-3, 1, 1e3]) {
      const [[value]] = await trajectory(adam({ learningRate: 0.5 }), [2], [[g]])
      expect(value).toBeCloseTo(1.5, 4)
    }
  })

  test('radam turns adaptive after the fifth step with beta2 close to 1', async () => {
    const gradients = Array.from({ length: 6 }, () => [0.01])
    const path = await trajectory(radam({ learningRate: 1, betas: [0.9, 0.9999] }), [0], gradients)
    const moves = path.map(([value], i) => (i === 0 ? 0 : path[i - 1][0]) - value)
    // plain steps of momentum are as large as the gradient; the sixth is sqrt(2 * 4 / 6 / 19995)
    for (const move of moves.slice(0, 5)) expect(move).toBeCloseTo(0.01, 5)
    expect(moves[5]).toBeCloseTo(0.008165, 5)
  })

  test('nadam without legacy corrects by the product of the momenta', async () => {
    const [[value]] = await trajectory(nadam({ learningRate: 1 }), [0], [[1]])
    const momentum = [1, 2].map((t) => 0.9 * (1 - 0.5 * 0.96 ** (t * 0.004)))
    expect(value).toBeCloseTo(-1 - (momentum[1] * 0.1) / (1 - momentum[0] * momentum[1]), 5)
  })

  test('centered rmsProp stays finite where the variance is zero', async () => {
    const gradients = Array.from({ length: 40 }, () => [0.3])
    const path = await trajectory(rmsProp({ alpha: 0.5, centered: true }), [0], gradients)
    expect(path.flat().every(Number.isFinite)).toBe(true)
  })

  test('a schedule moves the learning rate through its variable', async () => {
    const parameter = new Variable([1], [1], 'p')
    const state = sgd({ learningRate: 0.5 }).create([parameter])
    const step = compile((g) => state.update([g]), [[1]])
    await step([1])
    state.learningRate.write([0.25])
    await step([1])
    expect([...parameter.read()]).toEqual([0.25])
  })

  test('variables have names of their own, and the step counts', async () => {
    const state = adam().create([new Variable([1], [1], 'a'), new Variable([1], [1], 'b')])
    expect(state.variables.map(({ name }) => name)).toEqual([
      'optimizer.learningRate',
      'optimizer.step',
      'optimizer.a.mean',
      'optimizer.a.square',
      'optimizer.b.mean',
      'optimizer.b.square',
    ])
    const step = compile((g) => state.update([g, g]), [[1]])
    await step([1])
    await step([1])
    expect([...state.variables[1].read()]).toEqual([2])
  })

  test('a configuration makes the same optimiser again', () => {
    const { config } = adam({ learningRate: 0.1, amsgrad: true })
    expect(optimizerOf(JSON.parse(JSON.stringify(config))).config).toEqual(config)
  })
})

describe('errors of optimisers', () => {
  test.each([
    ["optimizer: there is no optimiser 'sdg'. Use one of sgd, adam", () => optimizerOf('sdg' as 'sgd')],
    ['sgd: learningRate is -1. Give a finite number >= 0.', () => sgd({ learningRate: -1 })],
    ['sgd: learningRate is NaN.', () => sgd({ learningRate: Number.NaN })],
    ['sgd: momentum is 1. Give less than 1.', () => sgd({ momentum: 1 })],
    ['sgd: nesterov with momentum 0 and dampening 0.', () => sgd({ nesterov: true })],
    ["sgd: option 'momentun' is unknown. Options are learningRate,", () => optimizerOf({ name: 'sgd', momentun: 0.9 })],
    ['adam: betas is 2.', () => adam({ betas: [0.9, 2] })],
    ['adam: betas holds 1 numbers. Give 2.', () => optimizerOf({ name: 'adam', betas: [0.9] })],
    ['adam: betas is 0.9. Give something like [0.9,0.999].', () => optimizerOf({ name: 'adam', betas: 0.9 })],
    ['adam: amsgrad is 1. Give something like false.', () => optimizerOf({ name: 'adam', amsgrad: 1 })],
    [
      'optimizer: 1 gradients for 0 parameters.',
      () =>
        sgd()
          .create([])
          .update([fill([1], 1)]),
    ],
  ])('%s', (message, make) => {
    expect(make).toThrow(message)
  })
})

describe('clipping', () => {
  const a = new Variable([3, -0.5], [2]).value
  const b = new Variable([4], [1]).value

  test('by value', async () => {
    const [clipped] = clipByValue([a], 1)
    expect([...(await clipped.data())]).toEqual([1, -0.5])
  })

  test('by global norm: one factor for all, and none below the limit', async () => {
    const [first, second] = clipByGlobalNorm([a, b], 1)
    const norm = Math.sqrt(9 + 0.25 + 16)
    expect((await first.data())[0]).toBeCloseTo(3 / norm, 6)
    expect((await second.data())[0]).toBeCloseTo(4 / norm, 6)
    const [same] = clipByGlobalNorm([a, b], 100)
    expect([...(await same.data())]).toEqual([3, -0.5])
  })

  test.each([0, -1, Number.NaN])('a limit of %s is an error', (limit) => {
    expect(() => clipByValue([a], limit)).toThrow(`clipByValue: limit is ${limit}.`)
    expect(() => clipByGlobalNorm([a], limit)).toThrow(`clipByGlobalNorm: limit is ${limit}.`)
  })
})
