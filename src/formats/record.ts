// JSON from files that anyone may have written: every entry is checked where it's read.
import { fail } from '../base/errors.ts'

export type Json = Readonly<Record<string, unknown>>

export const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Parses JSON; the error says at which position it's wrong. */
export function parseJson(operation: string, what: string, text: string): Json {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    fail(operation, `${what} isn't JSON (${(error as Error).message})`, 'Get the file again')
  }
  return isRecord(value) ? value : fail(operation, `${what} isn't a JSON record`, 'Get the file again')
}

/** Entries of a JSON record by name, each with the type that it must have; errors name the record. */
export class Entries {
  readonly #operation: string
  readonly #where: string
  readonly #record: Json

  /** @param where names the record in errors: "layer 'conv1'" */
  constructor(operation: string, where: string, record: unknown) {
    this.#operation = operation
    this.#where = where
    this.#record = isRecord(record) ? record : {}
    if (!isRecord(record)) this.fail("isn't a record")
  }

  fail(problem: string, remedy = 'Check the file'): never {
    return fail(this.#operation, `${this.#where}: ${problem}`, remedy)
  }

  #bad(name: string, kind: string): never {
    const text = JSON.stringify(this.value(name)) ?? 'missing'
    return this.fail(`'${name}' is ${text.length > 80 ? `${text.slice(0, 80)}...` : text}, not ${kind}`)
  }

  /** undefined where it's missing or null. */
  value(name: string): unknown {
    return Object.hasOwn(this.#record, name) ? (this.#record[name] ?? undefined) : undefined
  }

  has(name: string): boolean {
    return this.value(name) !== undefined
  }

  number(name: string, usual?: number): number {
    const value = this.value(name) ?? usual
    return typeof value === 'number' && Number.isFinite(value) ? value : this.#bad(name, 'a number')
  }

  count(name: string, usual?: number, least = 1): number {
    const value = this.number(name, usual)
    return Number.isSafeInteger(value) && value >= least ? value : this.#bad(name, `a whole number >= ${least}`)
  }

  text(name: string, usual?: string): string {
    const value = this.value(name) ?? usual
    return typeof value === 'string' ? value : this.#bad(name, 'a text')
  }

  flag(name: string, usual: boolean): boolean {
    const value = this.value(name) ?? usual
    return typeof value === 'boolean' ? value : this.#bad(name, 'true or false')
  }

  list(name: string): readonly unknown[] {
    const value = this.value(name)
    return Array.isArray(value) ? value : this.#bad(name, 'a list')
  }

  /** A list of whole numbers; one number stands for `rank` of them. */
  counts(name: string, rank?: number, usual?: number, least = 1): number[] {
    const value = this.value(name) ?? usual
    const list = typeof value === 'number' && rank !== undefined ? new Array<number>(rank).fill(value) : value
    const whole = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= least
    if (!Array.isArray(list) || !list.every(whole) || (rank !== undefined && list.length !== rank))
      return this.#bad(name, `${rank ?? 'a list of'} whole numbers >= ${least}`)
    return list as number[]
  }

  inner(name: string): Entries {
    return new Entries(this.#operation, `${this.#where}, '${name}'`, this.value(name))
  }
}
