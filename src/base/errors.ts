/** An error a user can act on: what was called, which rule broke with which values, and what to do instead. */
export class FoveaError extends Error {
  override readonly name = 'FoveaError'
}

/** Throws `operation: rule with values. Remedy.` */
export function fail(operation: string, problem: string, remedy: string): never {
  throw new FoveaError(`${operation}: ${problem}. ${remedy}.`)
}

/** For what only a bug in fovea itself can break. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`fovea internal error: ${message}`)
}

/** A non-negative safe integer, or an error naming the option. */
export function checkCount(operation: string, name: string, value: number, least = 0): number {
  if (!Number.isSafeInteger(value) || value < least)
    fail(operation, `${name} is ${value}, but must be a whole number >= ${least}`, `Give ${name} a whole number`)
  return value
}
