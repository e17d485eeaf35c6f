import { describe, expect, test } from 'vitest'
import { referenceValues } from '../../src/graph/reference.ts'
import { tensor } from '../../src/graph/tensor.ts'
import { fold, unfold } from '../../src/nn/index.ts'

const values = (t: Parameters<typeof referenceValues>[0][number]) => [...referenceValues([t])[0]!]

describe('unfold', () => {
  test('windows as channels, the taps of a channel side by side', () => {
    const x = tensor([1, 10, 2, 20, 3, 30, 4, 40], [1, 4, 2])
    expect(values(unfold(x, 3))).toEqual([1, 2, 3, 10, 20, 30, 2, 3, 4, 20, 30, 40])
  })

  test('stride, dilation and padding', () => {
    const x = tensor([1, 2, 3, 4, 5], [1, 5, 1])
    expect(values(unfold(x, 2, { stride: 2, dilation: 2, padding: [[1, 0]] }))).toEqual([0, 2, 2, 4])
  })
})

describe('fold', () => {
  test('adds up where windows overlap', () => {
    const x = tensor([1, 2, 3, 10, 20, 30], [1, 2, 3])
    expect(values(fold(x, 4, 3))).toEqual([1, 12, 23, 30])
  })

  test('of the windows of ones counts them', () => {
    const ones = tensor(new Array(24).fill(1), [1, 4, 6, 1])
    const options = { stride: [3, 2], padding: [1, [0, 1]] as const }
    const counts = values(fold(unfold(ones, [2, 3], options), [4, 6], [2, 3], options))
    expect(counts).toEqual([1, 1, 2, 1, 2, 1, 0, 0, 0, 0, 0, 0, 1, 1, 2, 1, 2, 1, 1, 1, 2, 1, 2, 1])
  })

  test('errors', () => {
    expect(() => fold(tensor([1, 2], [1, 1, 2]), 3, 3)).toThrow(
      'fold: 2 channels in windows of 3. Give what unfold makes.',
    )
    expect(() => fold(tensor([1, 2], [1, 1, 2]), 5, 2)).toThrow('outputPadding')
    expect(() => unfold(tensor([1, 2], [1, 2, 1]), 2, { strides: 1 } as object)).toThrow("option 'strides' is unknown")
  })
})
