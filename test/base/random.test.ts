import { describe, expect, test } from 'vitest'
import { hashBits, type RandomSource, randomSource } from '../../src/base/random.ts'

const bits = (random: RandomSource) => random.next() * 2 ** 32
const draws = <T>(count: number, draw: (i: number) => T) => Array.from({ length: count }, (_, i) => draw(i))
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const moment = (values: number[], power: number) => mean(values.map((value) => value ** power))

describe('randomSource', () => {
  test('is PCG32: the outputs of its reference program', () => {
    const random = randomSource(42, 54)
    expect(draws(6, () => bits(random))).toEqual([
      0xa15c02b7, 0x7b47f409, 0xba1d3330, 0x83d2f293, 0xbfa4784b, 0xcbed606e,
    ])
  })

  test.each([
    [42, 54],
    [0, 0],
    [2 ** 53 - 1, 2 ** 40 + 3],
    [-1, 7],
    // An increment of 0xffffffff below: each step carries.
    [5, 2 ** 31 - 1],
  ])('seed %d, stream %d equals PCG32 in 64-bit integers', (seed, stream) => {
    const mask = (1n << 64n) - 1n
    const increment = ((BigInt(stream) << 1n) | 1n) & mask
    let state = 0n
    const step = () => {
      state = (state * 6364136223846793005n + increment) & mask
    }
    step()
    state = (state + BigInt(seed)) & mask
    step()
    const expected = draws(1000, () => {
      const shifted = Number((((state >> 18n) ^ state) >> 27n) & 0xffffffffn)
      const rotation = Number(state >> 59n)
      step()
      return ((shifted >>> rotation) | (shifted << (-rotation & 31))) >>> 0
    })
    const random = randomSource(seed, stream)
    expect(draws(1000, () => bits(random))).toEqual(expected)
  })

  test('one seed gives one sequence; another seed or stream gives another', () => {
    const sequence = (seed: number, stream?: number) => {
      const random = randomSource(seed, stream)
      return draws(20, () => [random.next(), random.integer(100), random.normal()])
    }
    expect(sequence(7)).toEqual(sequence(7, 0))
    expect(sequence(7)).not.toEqual(sequence(8))
    expect(sequence(7)).not.toEqual(sequence(7, 1))
  })

  test('next is uniform in [0, 1)', () => {
    const random = randomSource(1)
    const values = draws(100_000, () => random.next())
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true)
    expect(Math.abs(mean(values) - 1 / 2)).toBeLessThan(0.004)
    expect(Math.abs(moment(values, 2) - 1 / 3)).toBeLessThan(0.004)
    const pairs = values.slice(1).map((value, i) => (value - 0.5) * (values[i] - 0.5))
    expect(Math.abs(mean(pairs))).toBeLessThan(0.001)
  })

  test('integer is uniform: chi squared of 10 cells', () => {
    const random = randomSource(2)
    const counts = new Array<number>(10).fill(0)
    for (let i = 0; i < 100_000; i++) counts[random.integer(10)]++
    const chiSquared = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)
    // 27.9 is exceeded with probability 0.001 at 9 degrees of freedom.
    expect(chiSquared).toBeLessThan(27.9)
    expect(random.integer(1)).toBe(0)
  })

  test('normal has the moments 0, 1, 0, 3', () => {
    const random = randomSource(3)
    const values = draws(200_000, () => random.normal())
    expect(values.every(Number.isFinite)).toBe(true)
    expect(Math.abs(mean(values))).toBeLessThan(0.01)
    expect(Math.abs(moment(values, 2) - 1)).toBeLessThan(0.02)
    expect(Math.abs(moment(values, 3))).toBeLessThan(0.04)
    expect(Math.abs(moment(values, 4) - 3)).toBeLessThan(0.12)
    const neighbours = values.slice(1).map((value, i) => value * values[i])
    expect(Math.abs(mean(neighbours))).toBeLessThan(0.01)
  })
})

describe('hashBits', () => {
  const ones = (x: number) => draws(32, (bit) => (x >>> bit) & 1).reduce((sum, bit) => sum + bit, 0)

  test('is an unsigned 32-bit integer, the same each time', () => {
    for (const [counter, key] of [
      [0, 0],
      [1, 0],
      [0xffffffff, 0xffffffff],
      [123, 456],
    ]) {
      const value = hashBits(counter, key)
      expect(Number.isInteger(value) && value >= 0 && value <= 0xffffffff).toBe(true)
      expect(hashBits(counter, key)).toBe(value)
    }
  })

  test('is a permutation of the counter: no two of 100,000 collide', () => {
    expect(new Set(draws(100_000, (i) => hashBits(i, 99))).size).toBe(100_000)
  })

  test('avalanche: one flipped bit of counter or key flips each output bit half of the time', () => {
    const trials = 2000
    for (const inKey of [false, true])
      for (let bit = 0; bit < 32; bit++) {
        const flips = new Array<number>(32).fill(0)
        for (let i = 0; i < trials; i++) {
          const [counter, key] = [i * 977, 0x9e3779b9 ^ i]
          const mask = 1 << bit
          const other = inKey ? hashBits(counter, (key ^ mask) >>> 0) : hashBits((counter ^ mask) >>> 0, key)
          const changed = hashBits(counter, key) ^ other
          for (let out = 0; out < 32; out++) flips[out] += (changed >>> out) & 1
        }
        // Standard deviation 0.011: 6 of them.
        for (const count of flips) expect(Math.abs(count / trials - 0.5)).toBeLessThan(0.067)
      }
  })

  test('neighbouring counters and keys are unrelated', () => {
    const distances = [
      ...draws(20_000, (i) => ones(hashBits(i, 5) ^ hashBits(i + 1, 5))),
      ...draws(20_000, (i) => ones(hashBits(5, i) ^ hashBits(5, i + 1))),
      ...draws(20_000, (i) => ones(hashBits(i, i) ^ hashBits(i + 1, i + 1))),
    ]
    expect(Math.abs(mean(distances) - 16)).toBeLessThan(0.06)
    const uniform = draws(100_000, (i) => hashBits(i, 1) / 2 ** 32)
    expect(Math.abs(mean(uniform) - 1 / 2)).toBeLessThan(0.004)
    expect(Math.abs(moment(uniform, 2) - 1 / 3)).toBeLessThan(0.004)
  })
})
