import { describe, expect, test } from 'vitest'
import type { RandomSource } from '../../src/base/random.ts'
import { type Augmentation, augment, crop, flip, rotate, shift } from '../../src/data/augment.ts'
import { datasetOf, subset } from '../../src/data/dataset.ts'

/** Random numbers as a list; `integer(n)` takes the fraction of n. */
function scripted(...values: number[]): RandomSource {
  const next = () => values.shift() ?? expect.unreachable('one random number too many was drawn')
  return { next, integer: (n) => Math.floor(next() * n), normal: next }
}

function run(augmentation: Augmentation, from: number[], shape: number[], ...chance: number[]): number[] {
  const outShape = augmentation.outputShape(shape)
  const to = new Float32Array(outShape.reduce((a, b) => a * b))
  augmentation.apply(Float32Array.from(from), to, shape, scripted(...chance))
  return [...to]
}

const square = [1, 2, 3, 4, 5, 6, 7, 8, 9]

describe('the changes', () => {
  test('shift moves and lets zeros in', () => {
    expect(run(shift(1), square, [3, 3, 1], 0.99, 0.5)).toEqual([4, 5, 6, 7, 8, 9, 0, 0, 0])
    expect(run(shift(1), square, [3, 3, 1], 0.5, 0)).toEqual([0, 1, 2, 0, 4, 5, 0, 7, 8])
    expect(run(shift(3), square, [3, 3, 1], 0, 0)).toEqual(Array(9).fill(0))
    expect(run(shift(1), [1, 10, 2, 20], [1, 2, 2], 0.5, 0.99)).toEqual([2, 20, 0, 0])
  })

  test('crop cuts a window from the padded picture', () => {
    expect(crop([2, 1], 1).outputShape([3, 3, 5])).toEqual([2, 1, 5])
    expect(run(crop(2), square, [3, 3, 1], 0.99, 0)).toEqual([4, 5, 7, 8])
    expect(run(crop(3, 1), square, [3, 3, 1], 0, 0)).toEqual([0, 0, 0, 0, 1, 2, 0, 4, 5])
  })

  test('flip mirrors half the time', () => {
    expect(run(flip(), [1, 10, 2, 20], [1, 2, 2], 0.49)).toEqual([2, 20, 1, 10])
    expect(run(flip(), [1, 10, 2, 20], [1, 2, 2], 0.5)).toEqual([1, 10, 2, 20])
    expect(run(flip('vertical'), [1, 2, 3, 4], [2, 2, 1], 0)).toEqual([3, 4, 1, 2])
  })

  test('rotate by a right angle is exact up to rounding', () => {
    expect(run(rotate(90), square, [3, 3, 1], 1).map(Math.round)).toEqual([7, 4, 1, 8, 5, 2, 9, 6, 3])
    expect(run(rotate(90), square, [3, 3, 1], 0).map(Math.round)).toEqual([3, 6, 9, 2, 5, 8, 1, 4, 7])
    expect(run(rotate(0), square, [3, 3, 1], 0.3)).toEqual(square)
  })

  test('rotate by 45 degrees interpolates', () => {
    // Turned anticlockwise, the upper middle pixel comes from (1 - sqrt 1/2, 1 + sqrt 1/2), between 3 and 5.
    const t = 1 - Math.SQRT1_2
    const between = (1 - t) * (1 - t) * 3 + t * (1 - t) * (2 + 6) + t * t * 5
    const turned = run(rotate(45), square, [3, 3, 1], 0)
    expect(turned[1]).toBeCloseTo(between, 5)
    expect(turned[4]).toBe(5)
  })
})

describe('augment', () => {
  const pictures = datasetOf(
    Uint8Array.from({ length: 8 * 36 }, (_, i) => 1 + (i % 250)),
    new Uint8Array(8),
    [6, 6, 1],
    ['only'],
  )
  const changed = augment(pictures, [crop(5), shift(2), flip()], 7)

  test('chance depends on seed, epoch and index, not on the batch', () => {
    const all = changed.batch([0, 1, 2, 3, 4, 5, 6, 7], 3).x
    expect(changed.shape).toEqual([5, 5, 1])
    expect(changed.batch([6, 2], 3).x).toEqual(Float32Array.of(...all.slice(150, 175), ...all.slice(50, 75)))
    expect(changed.batch([0, 1, 2, 3, 4, 5, 6, 7], 4).x).not.toEqual(all)
    expect(augment(pictures, [crop(5), shift(2), flip()], 8).batch([0, 1, 2, 3, 4, 5, 6, 7], 3).x).not.toEqual(all)
  })

  test('a subset of an augmented data set keeps each sample and the epoch', () => {
    expect(subset(changed, [5, 4]).batch([0], 9)).toEqual(changed.batch([5], 9))
  })

  test('no changes leave the pictures alone', () => {
    expect(augment(pictures, [], 0).batch([3, 1], 5)).toEqual(pictures.batch([3, 1]))
  })

  test.each<[string, () => unknown, RegExp]>([
    [
      'flat samples',
      () => augment(datasetOf(new Uint8Array(4), new Uint8Array(1), [4], ['a']), [], 0),
      /\[4\] are not/,
    ],
    [
      'a large window',
      () => augment(pictures, [crop(9, 1)], 0),
      /crop: window 9x9 is larger than the picture 6x6 with/,
    ],
    ['half pixels', () => shift(0.5), /shift: most is 0.5/],
    ['negative padding', () => crop(4, -1), /crop: padding is -1/],
    ['an empty window', () => crop([0, 4]), /crop: height is 0/],
    ['no angle', () => rotate(Number.NaN), /rotate: degrees is NaN/],
    ['an odd direction', () => flip('sideways' as 'vertical'), /flip: direction is 'sideways'/],
  ])('refuses %s', (_, make, message) => {
    expect(make).toThrow(message)
  })
})
