import { fail } from '../base/errors.ts'

/** A number from `least` up to, but not including, `below`; or an error naming the option. */
export function checkReal(operation: string, name: string, value: number, least = -Infinity, below = Infinity): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < least || value >= below) {
    const range = below === Infinity ? `of at least ${least}` : `from ${least} to less than ${below}`
    fail(operation, `${name} is ${value}`, `Give ${name} a number ${least === -Infinity ? 'that is finite' : range}`)
  }
  return value
}

/** The entry of `table` called `name`, or an error that lists them all. */
export function pick<T>(operation: string, what: string, table: Readonly<Record<string, T>>, name: string): T {
  if (!Object.hasOwn(table, name))
    fail(operation, `there is no ${what} '${name}'`, `Use one of ${Object.keys(table).join(', ')}`)
  return table[name]
}
