import { expect, test } from 'vitest'
import { damageRate, learned, shiftRate, withoutBlur } from '../../../src/cli/reproduce/neocognitron.ts'
import { paper, staged } from '../../../src/models/neocognitron.ts'

test('five digits, learned without labels, have a cell each that knows them moved and damaged', async () => {
  const system = await learned(staged)
  expect(system.winners.every((cell) => cell >= 0)).toBe(true)
  expect(new Set(system.winners).size).toBe(5)
  expect(await shiftRate(system, 1)).toBe(1)
  expect(await shiftRate(system, 2)).toBeGreaterThanOrEqual(0.95)
  expect(await damageRate(system, 2, 'stroke')).toBeGreaterThanOrEqual(0.75)
})

test('learning again gives the same cells and weights', async () => {
  const [first, second] = [await learned(staged), await learned(staged)]
  expect(second.winners).toEqual(first.winners)
  expect(second.net.modules[2]!.a.read()).toEqual(first.net.modules[2]!.a.read())
})

test('without the blur of the C-cells it doesn’t know moved digits', async () => {
  const system = await learned(withoutBlur)
  expect(await shiftRate(system, 1)).toBeLessThan(0.6)
  expect(await shiftRate(system, 2)).toBeLessThan(0.35)
})

test('the paper’s r, q and alpha with our other numbers don’t tell all five apart', async () => {
  const { winners } = await learned(paper)
  expect(new Set(winners).size).toBe(3)
})
