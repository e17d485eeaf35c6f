import { expect, test } from 'vitest'
import {
  correlation,
  curvatures,
  lineEnds,
  mapsOf,
  orientationError,
  radii,
  singleDot,
  size,
} from '../../../src/cli/reproduce/fukushima1969.ts'
import { bar, picture } from '../../../src/models/stimuli.ts'

test('even light excites nothing but the border', async () => {
  const [maps] = await mapsOf([picture(size, () => 1)])
  for (const values of Object.values(maps!)) {
    const channels = values.length / size ** 2
    const inside = values.filter((_, i) => {
      const p = Math.floor(i / channels)
      const border = Math.min(p % size, size - 1 - (p % size), Math.floor(p / size), size - 1 - Math.floor(p / size))
      return border > 30
    })
    expect(inside.length).toBeGreaterThan(0)
    expect(Math.max(...inside)).toBeLessThan(1e-6)
  }
})

test('what moves in the picture moves in every layer, unchanged', async () => {
  const options = { width: 2, length: 12 }
  const here = bar(size, 0.5, options)
  const values = new Float32Array(size * size)
  values.set(here.values.subarray(0, size * (size - 2) - 3), 2 * size + 3)
  const [first, moved] = await mapsOf([here, { size, values }])
  for (const [layer, maps] of Object.entries(first!)) {
    const channels = maps.length / size ** 2
    const other = moved![layer as keyof typeof first & string]!
    for (let y = 22; y < 42; y++)
      for (let i = 22 * channels; i < 42 * channels; i++)
        expect(Math.abs(other[((y + 2) * size + 3) * channels + i]! - maps[y * size * channels + i]!)).toBeLessThan(
          1e-6,
        )
  }
})

test('the strongest plane of lines is within 15 degrees of the line', async () => {
  expect(await orientationError()).toBeLessThanOrEqual(15)
})

test('a line of 20 to 40 pixels has two ends, found within 3 pixels', async () => {
  const { counts, distance } = await lineEnds()
  expect(new Set(counts)).toEqual(new Set([2]))
  expect(distance).toBeLessThanOrEqual(3)
})

test('a dot is found where it is, and is no line', async () => {
  const { distance, lineShare, dotShare } = await singleDot()
  expect(distance).toBeLessThanOrEqual(1)
  expect(lineShare).toBeLessThan(0.25)
  expect(dotShare).toBeLessThan(0.5)
})

test('the last layer of 1970 grows with curvature', async () => {
  const values = await curvatures()
  expect(values).toEqual([...values].sort((a, b) => a - b))
  expect(correlation(values, [0, ...radii.map((radius) => 1 / radius)])).toBeGreaterThan(0.9)
})
