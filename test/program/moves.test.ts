import { describe, expect, test } from 'vitest'
import { type RandomSource, randomSource } from '../../src/base/random.ts'
import { type Shape, sizeOf } from '../../src/base/shape.ts'
import type { PaddingMode } from '../../src/conv/padding.ts'
import { concat, pad, resample, reshape, slice, type Table, transpose, uniform } from '../../src/graph/index.ts'
import { adjointTable } from '../../src/graph/resample.ts'
import { fill, placeholder, type Tensor } from '../../src/graph/tensor.ts'
import { expectReference, onTargets } from '../support/compare.ts'

const valuesOf = (random: RandomSource, shape: Shape) => Float32Array.from({ length: sizeOf(shape) }, random.normal)
const feedsOf = (random: RandomSource, tensors: readonly Tensor[]) =>
  new Map(tensors.map((x) => [x, valuesOf(random, x.shape)]))
const randomShape = (random: RandomSource, rank: number, most = 9) =>
  Array.from({ length: rank }, () => 1 + random.integer(most))

test('transpose: every order of the axes', async () => {
  const random = randomSource(1)
  const orders = (rank: number): number[][] =>
    rank === 0
      ? [[]]
      : orders(rank - 1).flatMap((o) => Array.from({ length: rank }, (_, i) => o.toSpliced(i, 0, rank - 1)))
  for (const shape of [
    [5, 9],
    [3, 4, 5],
    [2, 1, 7, 4],
    [1, 3, 1, 6],
    [200, 64],
  ]) {
    const x = placeholder(shape)
    await expectReference(
      orders(shape.length).map((order) => transpose(x, order)),
      feedsOf(random, [x]),
    )
  }
})

test('pad and crop, every axis at once, any value', async () => {
  const random = randomSource(2)
  for (let round = 0; round < 40; round++) {
    const x = placeholder(randomShape(random, 1 + random.integer(5)))
    const pairs = x.shape.map((n): [number, number] => {
      if (random.integer(3) === 0) return [0, 0]
      const low = random.integer(Math.min(n, 4) + 5) - Math.min(n - 1, 4)
      return [low, random.integer(6) - Math.min(2, Math.max(0, n + low - 1))]
    })
    const value = [0, 1.5, -Infinity, NaN][random.integer(4)]!
    const start = x.shape.map((n) => random.integer(n))
    const end = x.shape.map((n, i) => start[i]! + 1 + random.integer(n - start[i]!))
    const roots = [
      pad(x, pairs, { mode: 'constant', value }),
      slice(x, start, end),
      pad(
        slice(x, start, end),
        pairs.map(() => [1, 2]),
      ),
    ]
    await expectReference(roots, feedsOf(random, [x]))
  }
})

test.each<PaddingMode>(['reflect', 'symmetric', 'replicate', 'circular'])('pad by %s', async (mode) => {
  const random = randomSource(3)
  for (let round = 0; round < 12; round++) {
    const x = placeholder(randomShape(random, 1 + random.integer(4), 6))
    const pairs = x.shape.map((): [number, number] => [random.integer(9) - 0, random.integer(9)])
    await expectReference([pad(x, pairs, { mode })], feedsOf(random, [x]))
  }
})

test('concat along every axis, of one to four tensors of any width, one of them twice', async () => {
  const random = randomSource(4)
  for (let round = 0; round < 24; round++) {
    const shape = randomShape(random, 1 + random.integer(4), 7)
    const axis = random.integer(shape.length)
    const parts = Array.from({ length: 1 + random.integer(4) }, () =>
      placeholder(shape.map((n, i) => (i === axis ? 1 + random.integer(9) : n))),
    )
    await expectReference([concat([...parts, parts[0]!, fill(shape, 2)], axis)], feedsOf(random, parts))
  }
})

describe('resample', () => {
  /** Any matrix: rows of 0 to 4 entries, an entry perhaps twice, weights 0 among them. */
  const randomTable = (random: RandomSource, inputSize: number, single: boolean): Table => ({
    inputSize,
    rows: Array.from({ length: 1 + random.integer(12) }, () =>
      Array.from({ length: single ? 1 : random.integer(5) }, (): [number, number] => [
        random.integer(inputSize),
        single ? 1 : (random.integer(9) - 4) / 4,
      ]),
    ),
  })

  test.each([true, false])('any table and its adjoint (plain copies: %s)', async (single) => {
    const random = randomSource(5)
    for (let round = 0; round < 40; round++) {
      const shape = randomShape(random, 1 + random.integer(4), 7)
      const axis = random.integer(shape.length)
      const table = randomTable(random, shape[axis]!, single)
      const x = placeholder(shape)
      const g = placeholder(shape.map((n, i) => (i === axis ? table.rows.length : n)))
      const whole = [x, g].map((t): [Tensor, number[]] => [
        t,
        Array.from({ length: sizeOf(t.shape) }, () => random.integer(9) - 4),
      ])
      await expectReference([resample(x, axis, table), resample(g, axis, adjointTable(table))], new Map(whole))
    }
  })

  test('windows along the last axis, with steps and NaN outside them', async () => {
    const random = randomSource(6)
    for (const [inputSize, taps, before, weight] of [
      [8, 5, 2, 1],
      [9, 3, 0, 0.5],
      [17, 4, 1, -2],
      [41, 1, 0, 3],
      [96, 5, 2, 1],
    ] as const) {
      const rows = Array.from({ length: inputSize }, (_, i) =>
        Array.from({ length: taps }, (_, t): [number, number] => [i + t - before, t === 1 ? 3 : weight]).filter(
          ([at]) => at >= 0 && at < inputSize,
        ),
      )
      const x = placeholder([3, inputSize])
      const whole = Array.from({ length: 3 * inputSize }, (_, i) => (i === inputSize ? NaN : random.integer(9) - 4))
      await expectReference([resample(x, 1, { inputSize, rows })], new Map([[x, whole]]))
    }
  })

  test('a weight of 0 hides infinities and NaN', async () => {
    const x = placeholder([3, 2])
    const table: Table = {
      inputSize: 3,
      rows: [
        [[1, 1]],
        [],
        [
          [0, 1],
          [1, 2],
        ],
      ],
    }
    const feeds = new Map([[x, [NaN, Infinity, 1, 2, NaN, 3]]])
    await expectReference([resample(x, 0, table)], feeds)
  })
})

describe('uniform', () => {
  const key = placeholder([2])
  test.each([[1], [3], [4], [70], [3, 7], [2, 3, 5], [1, 1, 9], [33, 260]])(
    'the same numbers everywhere: %j',
    async (...shape) => {
      const roots = [uniform(shape, key), uniform(shape, key, 7)]
      for (const pair of [
        [0, 0],
        [1, 0],
        [0, 1],
        [16777215, 123456],
      ])
        await expectReference(roots, new Map([[key, pair]]))
    },
  )

  test('other seeds, steps and salts give other numbers in [0, 1), on average a half', async () => {
    const roots = [uniform([1000], key), uniform([1000], key, 1)]
    const seen = new Set<string>()
    for (const pair of [
      [1, 1],
      [1, 2],
      [2, 1],
    ])
      await onTargets(roots, new Map([[key, pair]]), ({ values }) => {
        for (const list of values) {
          seen.add(list.slice(0, 4).join())
          expect(Math.min(...list)).toBeGreaterThanOrEqual(0)
          expect(Math.max(...list)).toBeLessThan(1)
          expect(Math.abs(list.reduce((a, b) => a + b) / 1000 - 0.5)).toBeLessThan(0.05)
        }
      })
    expect(seen.size).toBe(6)
  })
})

test('reshape shares memory: of inputs, of results, of what is reshaped again', async () => {
  const random = randomSource(6)
  const x = placeholder([4, 6])
  const y = reshape(transpose(reshape(x, [2, 3, 4]), [2, 0, 1]), [8, -1])
  await expectReference([y, reshape(x, [24]), x, reshape(y, [24]), reshape(fill([4, 2], 3), [8])], feedsOf(random, [x]))
})
