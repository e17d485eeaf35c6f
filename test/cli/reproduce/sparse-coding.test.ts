import { describe, expect, test } from 'vitest'
import { randomSource } from '../../../src/base/random.ts'
import { deadLeaves } from '../../../src/cli/reproduce/dead-leaves.ts'
import { fitGabor, localisation, octaves } from '../../../src/cli/reproduce/gabor-fit.ts'
import { principalComponents } from '../../../src/cli/reproduce/principal.ts'
import { patchesOf } from '../../../src/cli/reproduce/sparse-coding.ts'
import { gabor } from '../../../src/models/cells.ts'

const normals = (length: number, seed: number) => {
  const random = randomSource(seed)
  return Float64Array.from({ length }, () => random.normal())
}

describe('fitting Gabor functions', () => {
  test.each([0, 20, 45, 75, 90, 130, 160])('finds orientation %d, frequency and envelope again', (degrees) => {
    const orientation = (degrees * Math.PI) / 180
    const fit = fitGabor(gabor(orientation, 1, { wavelength: 5, deviation: 2, aspect: 0.6, size: 16 }))
    expect(fit.quality).toBeGreaterThan(0.98)
    const apart = Math.abs(fit.orientation - orientation)
    expect(Math.min(apart, Math.PI - apart)).toBeLessThan(0.05)
    expect(fit.frequency).toBeCloseTo(0.2, 2)
    expect(fit.along).toBeCloseTo(2, 1)
    expect(fit.across / fit.along).toBeCloseTo(1 / 0.6, 1)
    // half widths at half height of exp(-u^2 / 2 s^2): sqrt(2 ln 2) / (2 pi s) to both sides
    const half = Math.sqrt(2 * Math.LN2) / (2 * Math.PI * 2)
    expect(octaves(fit)).toBeCloseTo(Math.log2((0.2 + half) / (0.2 - half)), 1)
  })

  test('noise has no good fit', () => {
    const qualities = Array.from({ length: 9 }, (_, seed) => fitGabor(normals(64, seed)).quality).sort()
    expect(qualities[4]).toBeLessThan(0.5)
  })

  test('bandwidth is undefined where the response reaches frequency 0', () => {
    expect(octaves({ quality: 1, orientation: 0, frequency: 0.05, along: 2, across: 2 })).toBeUndefined()
  })

  test('localisation: a spot is 1, a plane 1/4', () => {
    expect(localisation(Float64Array.from({ length: 64 }, (_, i) => Number(i === 27)))).toBe(1)
    expect(localisation(new Float64Array(64).fill(1))).toBeCloseTo(0.25)
  })
})

test('principal components: the strongest direction first, at right angles', () => {
  const [n, size] = [400, 9]
  const values = Float32Array.from(normals(n * size, 4), (v, i) => v * (i % size === 5 ? 4 : i % size === 2 ? 2 : 1))
  const components = principalComponents(values, size)
  expect(Math.abs(components[0]![5]!)).toBeGreaterThan(0.98)
  expect(Math.abs(components[1]![2]!)).toBeGreaterThan(0.95)
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, v, i) => sum + v * b[i]!, 0)
  expect(dot(components[0]!, components[1]!)).toBeCloseTo(0, 9)
  expect(dot(components[8]!, components[8]!)).toBeCloseTo(1, 9)
})

describe('pictures and patches', () => {
  test('dead leaves fill the picture, the same for the same seed', () => {
    const [one, again, other] = [1, 1, 2].map((seed) => deadLeaves(24, seed))
    expect(one!.values).toEqual(again!.values)
    expect(one!.values).not.toEqual(other!.values)
    expect(Math.min(...one!.values)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...one!.values)).toBeLessThanOrEqual(1)
    expect(new Set(one!.values).size).toBeGreaterThan(20)
  })

  test('patches are windows of the pictures, off the border', () => {
    const picture = { height: 20, width: 30, values: Float32Array.from({ length: 600 }, (_, i) => i) }
    const patches = patchesOf([picture], 6, 50, randomSource(1))
    for (let n = 0; n < 50; n++) {
      const patch = patches.subarray(n * 36, (n + 1) * 36)
      const [top, left] = [Math.floor(patch[0]! / 30), patch[0]! % 30]
      expect([top >= 4, top <= 10, left >= 4, left <= 20]).toEqual([true, true, true, true])
      expect([...patch]).toEqual(Array.from({ length: 36 }, (_, i) => (top + Math.floor(i / 6)) * 30 + left + (i % 6)))
    }
  })
})
