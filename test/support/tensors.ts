import type { RandomSource } from '../../src/base/random.ts'
import { forEachIndex, type Shape, sizeOf, stridesOf } from '../../src/base/shape.ts'

/** The row-major array whose element at each index is `value(...index)`. */
export function tensor(shape: Shape, value: (...index: number[]) => number): Float64Array {
  const data = new Float64Array(sizeOf(shape))
  let i = 0
  forEachIndex(shape, (index) => {
    data[i++] = value(...index)
  })
  return data
}

/** A reader of a row-major array: the element at an index, and 0 outside the box. */
export function reader(data: ArrayLike<number>, shape: Shape): (...index: number[]) => number {
  const strides = stridesOf(shape)
  return (...index) =>
    index.some((at, axis) => at < 0 || at >= shape[axis])
      ? 0
      : data[index.reduce((sum, at, axis) => sum + at * strides[axis], 0)]
}

/** Whole numbers from -4 to 4: sums of their products are exact, in float32 too. */
export const integers = (random: RandomSource, shape: Shape): Float64Array => tensor(shape, () => random.integer(9) - 4)

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0)

/** Plain numbers, with -0 as 0, for exact comparison. */
export const plain = (data: ArrayLike<number>): number[] => Array.from(data, (value) => value + 0)
