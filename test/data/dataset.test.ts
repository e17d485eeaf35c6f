import { describe, expect, test } from 'vitest'
import { shuffledIndices } from '../../src/base/shuffle.ts'
import { datasetOf, split, subset, take } from '../../src/data/dataset.ts'

const classes = ['a', 'b', 'c']
/** Ten samples of shape [2, 1]: sample i is (10 i, 10 i + 1), its class i mod 3. */
const ten = datasetOf(
  Uint8Array.from({ length: 20 }, (_, i) => 10 * (i >> 1) + (i & 1)),
  Uint8Array.from({ length: 10 }, (_, i) => i % 3),
  [2, 1],
  classes,
)

describe('datasetOf', () => {
  test('a batch holds bytes as 0..1 and class indices, in the order asked for', () => {
    const { x, y } = ten.batch([9, 0, 9])
    expect(x).toEqual(Float32Array.of(90 / 255, 91 / 255, 0, 1 / 255, 90 / 255, 91 / 255))
    expect(y).toEqual(Float32Array.of(0, 0, 0))
  })

  test('floats are taken as they are', () => {
    const set = datasetOf(Float32Array.of(-1, 300), Int32Array.of(1, 2), [1], classes)
    expect(set.batch([1, 0])).toEqual({ x: Float32Array.of(300, -1), y: Float32Array.of(2, 1) })
  })

  test.each([10, -1, 0.5, Number.NaN])('refuses index %d', (index) => {
    expect(() => ten.batch([index])).toThrow(`batch: index ${index} is outside a data set of 10 samples`)
  })

  test('refuses labels that are no class', () => {
    const make = (label: number) => () => datasetOf(new Uint8Array(2), Int32Array.of(0, label), [1], classes)
    expect(make(3)).toThrow(/label 3 of sample 1 is not a class index, there are 3 classes/)
    expect(make(-1)).toThrow(/label -1 of sample 1/)
    expect(make(2)).not.toThrow()
  })

  test('refuses values that do not fill the samples', () => {
    expect(() => datasetOf(new Uint8Array(7), new Uint8Array(2), [2, 2], classes)).toThrow(
      /7 values are not 2 samples .* of shape \[2, 2\] = 4 values/,
    )
  })
})

describe('subset, take, split', () => {
  test('a subset of a subset still finds its samples and labels', () => {
    const inner = subset(subset(ten, [7, 8, 9]), [2, 0])
    expect([...inner.labels]).toEqual([0, 1])
    expect(inner.batch([1])).toEqual(ten.batch([7]))
    expect(() => inner.batch([2])).toThrow(/index 2 is outside a data set of 2 samples/)
    expect(() => subset(ten, [10])).toThrow(/index 10/)
  })

  test('take keeps the first samples', () => {
    expect(take(ten, 3).batch([2])).toEqual(ten.batch([2]))
    expect(take(ten, 3).length).toBe(3)
    expect(take(ten, 99).length).toBe(10)
    expect(() => take(ten, 0)).toThrow('take: n is 0.')
    expect(() => take(ten, 1.5)).toThrow('take: n is 1.5.')
  })

  test('split gives each sample to one part, by the seed', () => {
    const ids = (seed: number) => split(ten, 0.3, seed).map((part) => [...part.batch([...part.labels.keys()]).x])
    const [first, second] = ids(1)
    expect([first.length, second.length]).toEqual([6, 14])
    expect([...first, ...second].sort((a, b) => a - b)).toEqual([...ten.batch([...ten.labels.keys()]).x])
    expect(ids(1)).toEqual(ids(1))
    expect(ids(1)).not.toEqual(ids(2))
  })

  test.each([0, 0.01, 1, -1, Number.NaN])('split refuses fraction %d', (fraction) => {
    expect(() => split(ten, fraction, 0)).toThrow(/split: fraction .* of 10 samples leaves one part empty/)
  })
})

describe('shuffledIndices', () => {
  test('is a permutation that seed and epoch determine', () => {
    const order = shuffledIndices(1000, 5, 2)
    expect([...order].sort((a, b) => a - b)).toEqual([...Array(1000).keys()])
    expect(shuffledIndices(1000, 5, 2)).toEqual(order)
    expect(shuffledIndices(1000, 5, 3)).not.toEqual(order)
    expect(shuffledIndices(1000, 6, 2)).not.toEqual(order)
  })

  test('orders are uniform, and those of neighbouring epochs independent', () => {
    // 6 orders of 3, each 1/6 of 6000 epochs: standard deviation 29, so 5 of them is 145.
    const counts = new Map<string, number>()
    let same = 0
    let last = ''
    for (let epoch = 0; epoch < 6000; epoch++) {
      const order = shuffledIndices(3, 1, epoch).join()
      counts.set(order, (counts.get(order) ?? 0) + 1)
      if (order === last) same++
      last = order
    }
    expect(counts.size).toBe(6)
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(145)
    expect(Math.abs(same - 1000)).toBeLessThan(145)
  })
})
