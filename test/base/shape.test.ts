import { describe, expect, test } from 'vitest'
import { forEachIndex, sameShape, showShape, sizeOf, stridesOf } from '../../src/base/shape.ts'

describe('shapes', () => {
  test('sizeOf multiplies; no axes = one element', () => {
    expect(sizeOf([2, 3, 4])).toBe(24)
    expect(sizeOf([5, 0])).toBe(0)
    expect(sizeOf([])).toBe(1)
  })

  test('stridesOf is row-major', () => {
    expect(stridesOf([2, 3, 4, 5])).toEqual([60, 20, 5, 1])
    expect(stridesOf([7])).toEqual([1])
    expect(stridesOf([])).toEqual([])
  })

  test('sameShape compares lengths and sizes', () => {
    expect(sameShape([1, 2], [1, 2])).toBe(true)
    expect(sameShape([1, 2], [2, 1])).toBe(false)
    expect(sameShape([1, 2], [1, 2, 1])).toBe(false)
  })

  test('showShape', () => {
    expect(showShape([1, 28, 28, 3])).toBe('[1, 28, 28, 3]')
  })

  test('forEachIndex visits in the order of the strides', () => {
    const shape = [3, 1, 4, 2]
    const strides = stridesOf(shape)
    const visited: number[] = []
    forEachIndex(shape, (index) => visited.push(index.reduce((sum, at, axis) => sum + at * strides[axis], 0)))
    expect(visited).toEqual(Array.from({ length: 24 }, (_, i) => i))
  })

  test('forEachIndex of no axes visits once, of an empty axis never', () => {
    let visits = 0
    forEachIndex([], () => visits++)
    expect(visits).toBe(1)
    forEachIndex([3, 0, 2], () => visits++)
    expect(visits).toBe(1)
  })
})
