import { describe, expect, test } from 'vitest'
import {
  type Padding,
  type PaddingMode,
  type PaddingStrategy,
  resolvePadding,
  sourceIndex,
  strategyPadding,
} from '../../src/conv/padding.ts'
import { inputGradient } from '../../src/conv/reference.ts'
import { convSpec } from '../../src/conv/spec.ts'

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n)

describe('strategies', () => {
  test.each<[PaddingStrategy, number, number, number, number, [number, number]]>([
    ['valid', 5, 3, 2, 2, [0, 0]],
    ['same', 5, 2, 1, 1, [0, 1]],
    ['sameLower', 5, 2, 1, 1, [1, 0]],
    ['same', 6, 3, 2, 1, [0, 1]],
    ['sameLower', 6, 3, 2, 1, [1, 0]],
    ['same', 224, 7, 2, 1, [2, 3]],
    ['sameLower', 224, 7, 2, 1, [3, 2]],
    ['same', 5, 3, 1, 2, [2, 2]],
    ['same', 5, 1, 3, 1, [0, 0]],
    ['same', 5, 4, 1, 3, [4, 5]],
    ['full', 5, 3, 1, 1, [2, 2]],
    ['full', 5, 3, 1, 2, [4, 4]],
    ['causal', 5, 3, 1, 1, [2, 0]],
    ['causal', 5, 3, 1, 4, [8, 0]],
  ])('%s of input %d, kernel %d, stride %d, dilation %d is %j', (strategy, input, kernel, stride, dilation, pads) => {
    expect(strategyPadding(strategy, input, kernel, stride, dilation)).toEqual(pads)
    const spec = convSpec([1, input, 1], [kernel, 1, 1], { stride, dilation, padding: strategy })
    expect([spec.padLow, spec.padHigh]).toEqual([[pads[0]], [pads[1]]])
  })

  test('same gives ceil(i / s) outputs with the least padding, the odd one at the end', () => {
    for (const i of range(1, 13))
      for (const k of range(1, 5))
        for (const s of range(1, 4))
          for (const d of range(1, 3)) {
            const size = (padding: Padding) =>
              convSpec([1, i, 1], [k, 1, 1], { stride: s, dilation: d, padding }).output[0]
            expect(size('same')).toBe(Math.ceil(i / s))
            expect(size('sameLower')).toBe(Math.ceil(i / s))
            expect(size('full')).toBe(Math.floor((i + d * (k - 1) - 1) / s) + 1)
            if (s === 1) expect(size('causal')).toBe(i)
            const [low, high] = strategyPadding('same', i, k, s, d)
            expect([0, 1]).toContain(high - low)
            expect(strategyPadding('sameLower', i, k, s, d)).toEqual([high, low])
            if (low + high > 0 && i + low + high > d * (k - 1) + 1)
              expect(size([[low, high - 1]])).toBe(Math.ceil(i / s) - 1)
          }
  })

  test('same shifts the samples by one against half padding: i = 6, k = 3, s = 2', () => {
    const shape = [1, 6, 1]
    const same = convSpec(shape, [3, 1, 1], { stride: 2, padding: 'same' })
    const half = convSpec(shape, [3, 1, 1], { stride: 2, padding: 1 })
    expect(same.output).toEqual(half.output)
    const centre = [0, 1, 0]
    expect([...inputGradient(same, [1, 2, 3], centre)]).toEqual([0, 1, 0, 2, 0, 3])
    expect([...inputGradient(half, [1, 2, 3], centre)]).toEqual([1, 0, 2, 0, 3, 0])
  })

  test('full uses each input equally often, with a stride too when it divides the kernel', () => {
    const visits = (i: number, k: number, s: number) => {
      const spec = convSpec([1, i, i, 1], [k, k, 1, 1], { stride: s, padding: 'full' })
      const ones = new Float64Array(1000).fill(1)
      return new Set(inputGradient(spec, ones, ones))
    }
    expect(visits(6, 3, 1)).toEqual(new Set([9]))
    expect(visits(6, 4, 2)).toEqual(new Set([4]))
    expect(visits(7, 3, 2).size).toBeGreaterThan(1)
  })
})

describe('forms of padding', () => {
  const resolve = (padding: Padding) => resolvePadding('conv', padding, [7, 9], [3, 4], [1, 2], [2, 1])

  test.each<[Padding, [number, number][]]>([
    [
      1,
      [
        [1, 1],
        [1, 1],
      ],
    ],
    [
      -2,
      [
        [-2, -2],
        [-2, -2],
      ],
    ],
    [
      [1, 2],
      [
        [1, 1],
        [2, 2],
      ],
    ],
    [
      [
        [1, 2],
        [3, 4],
      ],
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      [[0, -1], 2],
      [
        [0, -1],
        [2, 2],
      ],
    ],
    [
      'valid',
      [
        [0, 0],
        [0, 0],
      ],
    ],
    [
      'same',
      [
        [2, 2],
        [1, 2],
      ],
    ],
    [
      'sameLower',
      [
        [2, 2],
        [2, 1],
      ],
    ],
    [
      'full',
      [
        [4, 4],
        [3, 3],
      ],
    ],
    [
      'causal',
      [
        [4, 0],
        [3, 0],
      ],
    ],
  ])('%j', (padding, pads) => {
    expect(resolve(padding)).toEqual(pads)
  })

  test('a bare list is always per axis, never [low, high]', () => {
    const spec = convSpec([1, 8, 8, 1], [3, 3, 1, 1], { padding: [0, 1] })
    expect([spec.padLow, spec.padHigh, spec.output]).toEqual([
      [0, 1],
      [0, 1],
      [6, 8],
    ])
  })

  test('each axis has its own stride, dilation and padding', () => {
    const spec = convSpec([2, 20, 9, 7, 4], [3, 1, 2, 4, 6], {
      stride: [2, 1, 3],
      dilation: [4, 1, 2],
      padding: [[1, 3], 0, [-1, 2]],
    })
    expect(spec).toEqual({
      rank: 3,
      batch: 2,
      inChannels: 4,
      outChannels: 6,
      groups: 1,
      input: [20, 9, 7],
      kernel: [3, 1, 2],
      stride: [2, 1, 3],
      dilation: [4, 1, 2],
      padLow: [1, 0, -1],
      padHigh: [3, 0, 2],
      output: [8, 9, 2],
    })
    expect(Object.isFrozen(spec)).toBe(true)
  })
})

describe('sourceIndex', () => {
  const row = (mode: PaddingMode, n: number, pad: number) =>
    range(-pad, n - 1 + pad)
      .map((i) => sourceIndex(mode, i, n))
      .map((i) => (i < 0 ? '.' : i + 1))
      .join(' ')

  test.each<[PaddingMode, string]>([
    ['zero', '. . 1 2 3 . .'],
    ['constant', '. . 1 2 3 . .'],
    ['reflect', '3 2 1 2 3 2 1'],
    ['symmetric', '2 1 1 2 3 3 2'],
    ['replicate', '1 1 1 2 3 3 3'],
    ['circular', '2 3 1 2 3 1 2'],
  ])('%s of 1 2 3 by 2', (mode, expected) => {
    expect(row(mode, 3, 2)).toBe(expected)
  })

  test.each<[PaddingMode, string]>([
    ['zero', '. . . . . . . 1 2 3 . . . . . . .'],
    ['constant', '. . . . . . . 1 2 3 . . . . . . .'],
    ['reflect', '2 3 2 1 2 3 2 1 2 3 2 1 2 3 2 1 2'],
    ['symmetric', '1 1 2 3 3 2 1 1 2 3 3 2 1 1 2 3 3'],
    ['replicate', '1 1 1 1 1 1 1 1 2 3 3 3 3 3 3 3 3'],
    ['circular', '3 1 2 3 1 2 3 1 2 3 1 2 3 1 2 3 1'],
  ])('%s of 1 2 3 by 7, more than twice around', (mode, expected) => {
    expect(row(mode, 3, 7)).toBe(expected)
  })

  test.each<[PaddingMode, string]>([
    ['zero', '. . . 1 . . .'],
    ['constant', '. . . 1 . . .'],
    ['reflect', '1 1 1 1 1 1 1'],
    ['symmetric', '1 1 1 1 1 1 1'],
    ['replicate', '1 1 1 1 1 1 1'],
    ['circular', '1 1 1 1 1 1 1'],
  ])('%s of a single element', (mode, expected) => {
    expect(row(mode, 1, 3)).toBe(expected)
  })

  test.each<[PaddingMode, (n: number) => number]>([
    ['reflect', (n) => 2 * (n - 1)],
    ['symmetric', (n) => 2 * n],
    ['circular', (n) => n],
  ])('%s is periodic, inside the axis, and the identity there', (mode, period) => {
    for (const n of range(2, 9))
      for (const i of range(-40, 40)) {
        const source = sourceIndex(mode, i, n)
        expect(source).toBe(sourceIndex(mode, i + period(n), n))
        expect(source >= 0 && source < n && !Object.is(source, -0)).toBe(true)
        if (i >= 0 && i < n) expect(source).toBe(i)
      }
  })
})
