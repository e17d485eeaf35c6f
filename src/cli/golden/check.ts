import { showShape } from '../../base/shape.ts'
import type { Stored } from './folder.ts'

/** One tensor against the file. */
export interface Check {
  readonly tensor: string
  /** Largest absolute difference; infinite where one of them isn't a number. */
  readonly error: number
  /** What a float32 implementation may differ by. */
  readonly bound: number
  /** What else is wrong. */
  readonly problem?: string
}

/** The share of the bound that an error uses; 1 is the limit. */
export const shareOf = ({ error, bound }: Check): number => (error === 0 ? 0 : error / bound)

export const passes = (check: Check): boolean => check.problem === undefined && shareOf(check) <= 1

/** max(8 * float32 error, 1e-6 * largest value). */
export function boundOf(expected: ArrayLike<number>, f32err = 0): number {
  let largest = 0
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(expected[i]!))
  return Math.max(8 * f32err, 1e-6 * largest)
}

/** Compares values of a shape with what is stored in the same layout; a scalar may be [] or [1]. */
export function compare(tensor: string, actual: Stored, expected: Stored, f32err?: number): Check {
  const bound = boundOf(expected.data, f32err)
  const shape = (sizes: readonly number[]) => showShape(sizes.length === 0 ? [1] : sizes)
  if (shape(actual.shape) !== shape(expected.shape)) {
    const problem = `shape ${showShape(actual.shape)}, expected ${showShape(expected.shape)}`
    return { tensor, error: Infinity, bound, problem }
  }
  let error = 0
  expected.data.forEach((value, i) => {
    const difference = Math.abs(actual.data[i]! - value)
    error = difference >= 0 ? Math.max(error, difference) : Infinity
  })
  return { tensor, error, bound }
}
