import { fail } from '../base/errors.ts'

/** The entry of `table` called `name`, or an error that lists them all. */
export function pick<T>(operation: string, what: string, table: Readonly<Record<string, T>>, name: string): T {
  if (!Object.hasOwn(table, name))
    fail(operation, `there is no ${what} '${name}'`, `Use one of ${Object.keys(table).join(', ')}`)
  return table[name]
}
