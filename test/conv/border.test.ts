import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { type Border, borderGradient, borderMap, withBorder } from '../../src/conv/border.ts'
import { useCounts } from '../../src/conv/facts.ts'
import { convSpec } from '../../src/conv/spec.ts'

const counts = (n: number, k: number, options: object) => [...useCounts(convSpec([1, n, 1], [k, 1, 1], options))]

describe('borders', () => {
  test('the five, around 1 2 3', () => {
    const around = (mode: Border['mode']) => [...withBorder([1, 2, 3], [3], { low: [2], high: [2], mode })]
    expect(around('zero')).toEqual([0, 0, 1, 2, 3, 0, 0])
    expect(around('reflect')).toEqual([3, 2, 1, 2, 3, 2, 1])
    expect(around('symmetric')).toEqual([2, 1, 1, 2, 3, 3, 2])
    expect(around('replicate')).toEqual([1, 1, 1, 2, 3, 3, 3])
    expect(around('circular')).toEqual([2, 3, 1, 2, 3, 1, 2])
  })

  test('a constant, and another width on each side of two axes', () => {
    const border: Border = { low: [1, 0], high: [0, 2], mode: 'constant', value: 9 }
    expect([...withBorder([1, 2, 3, 4], [2, 2], border)]).toEqual([9, 9, 9, 9, 1, 2, 9, 9, 3, 4, 9, 9])
    expect(borderMap('constant', 2, 0, 2)).toEqual([0, 1, -1, -1])
  })

  test('the gradient is the adjoint: <g, pad(x)> = <borderGradient(g), x>', () => {
    const random = randomSource(1)
    for (const mode of ['zero', 'reflect', 'symmetric', 'replicate', 'circular'] as const) {
      const border: Border = { low: [2, 0, 3], high: [1, 4, 0], mode }
      const shape = [3, 2, 4]
      const x = Array.from({ length: 24 }, () => random.integer(9) - 4)
      const y = withBorder(x, shape, border)
      const g = Array.from(y, () => random.integer(9) - 4)
      const dx = borderGradient(g, shape, border)
      const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
        Array.from(a, (v, i) => v * b[i]!).reduce((s, v) => s + v)
      expect(dot(dx, x)).toBe(dot(g, y))
    }
  })
})

describe('use counts', () => {
  test('7 inputs under 3 taps: only full padding uses all equally', () => {
    expect(counts(7, 3, {})).toEqual([1, 2, 3, 3, 3, 2, 1])
    expect(counts(7, 3, { padding: 'same' })).toEqual([2, 3, 3, 3, 3, 3, 2])
    expect(counts(7, 3, { padding: 'full' })).toEqual([3, 3, 3, 3, 3, 3, 3])
  })

  test('stride 2 with full padding, a stride longer than the kernel, and channels that change nothing', () => {
    expect(counts(7, 3, { padding: 'full', stride: 2 })).toEqual([2, 1, 2, 1, 2, 1, 2])
    expect(counts(8, 2, { stride: 3 })).toEqual([1, 1, 0, 1, 1, 0, 1, 1])
    const wide = convSpec([2, 4, 4, 6], [3, 3, 2, 9], { groups: 3 })
    expect([...useCounts(wide)].slice(0, 4)).toEqual([1, 2, 2, 1])
    expect(useCounts(wide)).toHaveLength(16)
  })
})
