import { showShape } from '../../base/shape.ts'
import type { Case, Stored } from './folder.ts'

/** One tensor against the file. */
export interface Check {
  readonly tensor: string
  /** Largest absolute difference; infinite where one of them isn't a number. */
  readonly error: number
  /** What a float32 implementation may differ by. */
  readonly bound: number
  /** The bound rests on a float32 error that was measured here, because the file tells none. */
  readonly measured?: true
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
export function compare(
  item: Case,
  tensor: string,
  actual: Stored,
  expected: Stored,
  measured?: ReadonlyMap<string, number>,
): Check {
  const told = item.f32err[tensor]
  const own = told === undefined ? measured?.get(tensor) : undefined
  const bound = boundOf(expected.data, told ?? own)
  const base = { tensor, bound, ...(own === undefined ? {} : { measured: true as const }) }
  const shape = (sizes: readonly number[]) => showShape(sizes.length === 0 ? [1] : sizes)
  if (shape(actual.shape) !== shape(expected.shape)) {
    const problem = `shape ${showShape(actual.shape)}, expected ${showShape(expected.shape)}`
    return { ...base, error: Infinity, problem }
  }
  let error = 0
  expected.data.forEach((value, i) => {
    const difference = Math.abs(actual.data[i]! - value)
    error = difference >= 0 ? Math.max(error, difference) : Infinity
  })
  return { ...base, error }
}

/** A failed check for each tensor of a case that is neither given to the computation nor compared with its results. */
export function unchecked(item: Case, given: ReadonlySet<string>, checks: readonly Check[]): Check[] {
  const compared = new Set(checks.map(({ tensor }) => tensor))
  return [...item.tensors.keys()]
    .filter((name) => !given.has(name) && !compared.has(name))
    .map((tensor) => ({ tensor, error: Infinity, bound: 0, problem: 'nothing is compared with it' }))
}
