import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compile.ts'
import { bankOf, cells, differenceOfGaussians, gabor, sumOf } from '../../src/models/cells.ts'

describe('kernels', () => {
  test('a Gabor function has mean 0 and length 1; phase 180 is the negative', () => {
    const kernel = gabor(0.7, 0.3)
    expect(sumOf(kernel)).toBeCloseTo(0, 12)
    expect(sumOf(kernel.map((v) => v * v))).toBeCloseTo(1, 12)
    gabor(0.7, 0.3 + Math.PI).forEach((v, i) => {
      expect(v).toBeCloseTo(-kernel[i]!, 12)
    })
  })

  test('a difference of Gaussians is positive in the middle and sums to 0', () => {
    const kernel = differenceOfGaussians(13, 0.9, 2.2)
    expect(kernel[84]).toBeGreaterThan(0.1)
    expect(kernel[87]).toBeLessThan(0)
    expect(sumOf(kernel)).toBeCloseTo(0, 12)
  })

  test('the bank lays kernels side by side as channels', async () => {
    const values = await bankOf([Float64Array.of(1, 2, 3, 4), Float64Array.of(5, 6, 7, 8)]).data()
    expect([...values]).toEqual([1, 5, 2, 6, 3, 7, 4, 8])
  })
})

test('even light excites no cell', async () => {
  const program = compile((x) => ({ ...cells(x) }), [[1, 24, 24, 1]])
  const results = await program(new Float32Array(24 * 24).fill(1))
  for (const values of Object.values(results)) expect(Math.max(...values)).toBeLessThan(1e-5)
})
