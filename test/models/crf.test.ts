import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import {
  exactFilter,
  featuresOf,
  latticeFilter,
  RandomField,
  randomField,
  softmaxRows,
  type Unary,
} from '../../src/models/crf.ts'

/** Two colours side by side with noise; values for the filters. */
function halves(height: number, width: number, noise: number): Unary {
  const random = randomSource(3)
  const colours = Float32Array.from({ length: height * width * 3 }, (_, i) => {
    const left = Math.floor(i / 3) % width < width / 2
    return (left ? 90 : 170) + noise * random.normal()
  })
  return { height, width, colours, logits: new Float32Array(height * width * 2) }
}

function correlation(a: Float32Array, b: Float32Array): number {
  const mean = (list: Float32Array) => list.reduce((sum, v) => sum + v, 0) / list.length
  const [ma, mb] = [mean(a), mean(b)]
  let [ab, aa, bb] = [0, 0, 0]
  a.forEach((v, i) => {
    ab += (v - ma) * (b[i]! - mb)
    aa += (v - ma) ** 2
    bb += (b[i]! - mb) ** 2
  })
  return ab / Math.sqrt(aa * bb)
}

describe('filters', () => {
  const picture = halves(24, 30, 12)
  const random = randomSource(5)
  const values = Float32Array.from({ length: 24 * 30 * 2 }, () => random.next())

  test('exact sums every pair', () => {
    const features = Float32Array.from([0, 0, 1, 0, 0, 2])
    const [first, second, third] = exactFilter(features, 2)(Float32Array.from([1, 10, 100]), 1)
    const [a, b, c] = [Math.exp(-0.5), Math.exp(-2), Math.exp(-2.5)]
    expect(first).toBeCloseTo(10 * a + 100 * b, 4)
    expect(second).toBeCloseTo(a + 100 * c, 4)
    expect(third).toBeCloseTo(b + 10 * c, 4)
  })

  test.each([
    [1, undefined],
    [3, undefined],
    [20, 20],
    [67, 13],
    [10, 30],
  ])('the lattice is the exact sum, nearly: places %d, colours %d', (place, beta) => {
    const features = featuresOf(picture, place, beta)
    const dimensions = beta === undefined ? 2 : 5
    const [exact, near] = [exactFilter, latticeFilter].map((make) => make(features, dimensions)(values, 2))
    expect(correlation(exact!, near!)).toBeGreaterThan(0.97)
    const ratio = near!.reduce((sum, v) => sum + v, 0) / exact!.reduce((sum, v) => sum + v, 0)
    expect(ratio).toBeGreaterThan(0.7)
    expect(ratio).toBeLessThan(1.1)
  })

  test('on a picture of one colour the appearance kernel is a kernel of places', () => {
    const even = { ...picture, colours: new Float32Array(24 * 30 * 3).fill(120) }
    const both = exactFilter(featuresOf(even, 5, 13), 5)(values, 2)
    const places = exactFilter(featuresOf(even, 5), 2)(values, 2)
    both.forEach((v, i) => {
      expect(v).toBeCloseTo(places[i]!, 4)
    })
  })

  test('too many pixels for all pairs', () => {
    expect(() => exactFilter(new Float32Array(2 * 65 ** 2), 2)).toThrow(
      "randomField: 4225 pixels are too many for filter 'exact'. Use filter 'lattice'",
    )
  })
})

/** Labels of the halves, a fifth of them wrong, as logits. */
function noisy(height: number, width: number, share: number): Unary & { truth: number[] } {
  const picture = halves(height, width, 8)
  const random = randomSource(11)
  const truth = Array.from({ length: height * width }, (_, i) => Number(i % width >= width / 2))
  const logits = new Float32Array(2 * truth.length)
  truth.forEach((label, i) => {
    logits[2 * i + (random.next() < share ? 1 - label : label)] = 1
  })
  return { ...picture, logits, truth }
}

const accuracy = (q: Float32Array, truth: readonly number[]) =>
  truth.filter((label, i) => Number(q[2 * i + 1]! > q[2 * i]!) === label).length / truth.length

describe('mean field', () => {
  test.each(['exact', 'lattice'] as const)('two colours with 20% of the labels wrong are put right, %s', (filter) => {
    const scene = noisy(30, 30, 0.2)
    const options = { alpha: 20, beta: 20, filter }
    expect(accuracy(new RandomField(scene, options).start(), scene.truth)).toBeLessThan(0.85)
    expect(accuracy(randomField(scene, options), scene.truth)).toBeGreaterThanOrEqual(0.98)
  })

  test('each step makes the divergence smaller where kernels are weak', () => {
    const scene = noisy(20, 20, 0.2)
    const field = new RandomField(scene, { w1: 0.3, w2: 0.3, alpha: 10, beta: 20, filter: 'exact' })
    let q = field.start()
    let before = field.divergence(q)
    for (let i = 0; i < 8; i++) {
      q = field.step(q)
      const after = field.divergence(q)
      expect(after).toBeLessThan(before + 1e-3)
      before = after
    }
  })

  test('one step of a pair of pixels, by hand', () => {
    const unary = { height: 1, width: 2, colours: [10, 10, 10, 13, 10, 10], logits: Float32Array.from([1, 0, 0, 2]) }
    const field = new RandomField(unary, {
      w1: 2,
      alpha: 5,
      beta: 6,
      w2: 1,
      gamma: 2,
      filter: 'exact',
      normalise: false,
    })
    const k = 2 * Math.exp(-1 / 50 - 9 / 72) + Math.exp(-1 / 8)
    const [p0, p1] = [Math.exp(1) / (Math.exp(1) + 1), 1 / (1 + Math.exp(2))]
    const expected0 = 1 / (1 + Math.exp(0 + k * (1 - p1) - 1 - k * p1))
    const expected1 = 1 / (1 + Math.exp(2 + k * (1 - p0) - 0 - k * p0))
    const q = field.step(field.start())
    expect(q[0]).toBeCloseTo(expected0, 5)
    expect(q[2]).toBeCloseTo(expected1, 5)
  })

  test('without kernels it says what the network says', () => {
    const scene = noisy(8, 8, 0.3)
    const q = randomField(scene, { w1: 0, w2: 0 })
    softmaxRows(scene.logits, 2).forEach((v, i) => {
      expect(q[i]).toBeCloseTo(v, 6)
    })
  })

  test('what it refuses', () => {
    const scene = noisy(8, 8, 0.3)
    expect(() => randomField({ ...scene, height: 7 })).toThrow('randomField: 192 colours and 128 logits for 7x8 pixels')
    expect(() => randomField(scene, { beta: 0 })).toThrow('randomField: beta is 0. Give a deviation > 0')
  })
})
