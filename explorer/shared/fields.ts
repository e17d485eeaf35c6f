/** Random whole numbers, as `randomSource` of the library's tests gives them. */
export interface Source {
  /** In [0, n). */
  integer(n: number): number
}

export interface Read<T> {
  readonly value: T
  /** What was wrong with the text, and what stands there now. */
  readonly note?: string
}

/** One setting: how it is read from an address and printed to it. */
export interface Field<T> {
  readonly usual: T
  read(text: string): Read<T>
  print(value: T): string
  random(source: Source): T
}

export type Fields<S> = { readonly [K in keyof S & string]: Field<S[K]> }

const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high)

/** A whole number in [low, high]. */
export function whole(low: number, high: number, usual: number): Field<number> {
  return {
    usual,
    read(text) {
      const value = Number(text)
      if (!/^-?\d{1,9}$/.test(text)) return { value: usual, note: `not a whole number, so ${usual}` }
      const near = clamp(value, low, high)
      return near === value ? { value } : { value: near, note: `${low} to ${high}, so ${near}` }
    },
    print: String,
    random: (source) => low + source.integer(high - low + 1),
  }
}

/** A number in [low, high] with at most three decimals. */
export function decimal(low: number, high: number, usual: number): Field<number> {
  return {
    usual,
    read(text) {
      const value = readDecimal(text)
      if (value === undefined) return { value: usual, note: `not a number, so ${usual}` }
      const near = clamp(value, low, high)
      return near === value ? { value } : { value: near, note: `${low} to ${high}, so ${near}` }
    },
    print: printDecimal,
    random: (source) => Math.round((low + (source.integer(1001) / 1000) * (high - low)) * 1000) / 1000,
  }
}

export function oneOf<const T extends string>(options: readonly T[], usual: NoInfer<T>): Field<T> {
  return {
    usual,
    read(text) {
      const found = options.find((option) => option === text)
      return found === undefined
        ? { value: usual, note: `one of ${options.join(', ')}, so ${usual}` }
        : { value: found }
    },
    print: (value) => value,
    random: (source) => options[source.integer(options.length)]!,
  }
}

/** Yes or no: 1 or 0. */
export function flag(usual = false): Field<boolean> {
  return {
    usual,
    read: (text) =>
      text === '1' || text === '0' ? { value: text === '1' } : { value: usual, note: `0 or 1, so ${usual ? 1 : 0}` },
    print: (value) => (value ? '1' : '0'),
    random: (source) => source.integer(2) === 1,
  }
}

/** Numbers of the axes, `5x7`; one number stands for all of them. Kept as a list of `axes` numbers. */
export function sizes(axes: number, low: number, high: number, usual: number): Field<readonly number[]> {
  const all = (value: number) => new Array<number>(axes).fill(value)
  return {
    usual: all(usual),
    read(text) {
      const parts = text.split('x')
      if (!parts.every((part) => /^-?\d{1,9}$/.test(part)) || (parts.length !== 1 && parts.length !== axes))
        return { value: all(usual), note: `one number or ${axes} joined by x, so ${usual}` }
      const given = parts.length === 1 ? all(Number(parts[0])) : parts.map(Number)
      const near = given.map((value) => clamp(value, low, high))
      return near.every((value, axis) => value === given[axis])
        ? { value: near }
        : { value: near, note: `${low} to ${high}, so ${printSizes(near)}` }
    },
    print: printSizes,
    random(source) {
      return Array.from({ length: axes }, () => low + source.integer(high - low + 1))
    },
  }
}

/**
 * Numbers of up to `most` axes whose count another setting decides: [5] says that all axes have 5, [5, 7] each its own.
 * `onAxis` reads it.
 */
export function perAxis(most: number, low: number, high: number, usual: number): Field<readonly number[]> {
  const pattern = /^\d{1,9}$/
  return {
    usual: [usual],
    read(text) {
      const parts = text.split('x')
      if (!parts.every((part) => pattern.test(part)) || parts.length > most)
        return { value: [usual], note: `numbers of 1 to ${most} axes joined by x, so ${usual}` }
      const given = parts.map(Number)
      const near = given.map((value) => clamp(value, low, high))
      return near.every((value, axis) => value === given[axis])
        ? { value: near }
        : { value: near, note: `${low} to ${high}, so ${near.join('x')}` }
    },
    print: (value) => value.join('x'),
    random: (source) =>
      Array.from({ length: source.integer(2) === 0 ? 1 : most }, () => low + source.integer(high - low + 1)),
  }
}

/** The number of one axis. */
export const onAxis = (value: readonly number[], axis: number): number => value[axis] ?? value[0]!

const printSizes = (value: readonly number[]) =>
  value.every((n) => n === value[0]) ? String(value[0]) : value.join('x')

/** Rows of numbers, `1,0,-1;2,0,-2`; every row has as many. At most `most` rows and columns, values within +-limit. */
export type Matrix = readonly (readonly number[])[]

export function matrix(most: number, usual: Matrix, limit = 999): Field<Matrix> {
  return {
    usual,
    read(text) {
      const rows = text.split(';').map((row) => row.split(',').map(readDecimal))
      const columns = rows[0]!.length
      const whole = rows.every((row) => row.length === columns && row.every((value) => value !== undefined))
      if (!whole || rows.length > most || columns > most)
        return { value: usual, note: `rows of numbers like 1,0;0,1, at most ${most} by ${most}; left as it was` }
      const given = rows as number[][]
      const near = given.map((row) => row.map((value) => clamp(value, -limit, limit)))
      return near.every((row, r) => row.every((value, c) => value === given[r]![c]))
        ? { value: near }
        : { value: near, note: `values within ${limit} of zero` }
    },
    print: (rows) => rows.map((row) => row.map(printDecimal).join(',')).join(';'),
    random(source) {
      const [rows, columns] = [1 + source.integer(most), 1 + source.integer(most)]
      return Array.from({ length: rows }, () => Array.from({ length: columns }, () => source.integer(19) - 9))
    },
  }
}

/** A cell, `2,1`, or none. */
export function cell(axes: number, most = 9999): Field<readonly number[] | null> {
  return {
    usual: null,
    read(text) {
      const parts = text.split(',')
      if (parts.length !== axes || !parts.every((part) => /^\d{1,4}$/.test(part) && Number(part) <= most))
        return { value: null, note: `${axes} indices joined by a comma; none chosen` }
      return { value: parts.map(Number) }
    },
    print: (value) => (value === null ? '' : value.join(',')),
    random: (source) => Array.from({ length: axes }, () => source.integer(Math.min(most + 1, 12))),
  }
}

/** Items of a small language joined by a comma, at most `most`: the page's own text form of each. */
export function list<T>(item: Omit<Field<T>, 'usual'>, most: number, usual: readonly T[]): Field<readonly T[]> {
  return {
    usual,
    read(text) {
      const parts = text === '' ? [] : text.split(',')
      const reads = parts.slice(0, most).map((part) => item.read(part))
      const notes = reads.flatMap(({ note }) => (note === undefined ? [] : [note]))
      if (parts.length > most) notes.push(`at most ${most}, the rest left out`)
      const value = reads.map((read) => read.value)
      return notes.length > 0 ? { value, note: notes.join('; ') } : { value }
    },
    print: (value) => value.map((one) => item.print(one)).join(','),
    random: (source) => Array.from({ length: 1 + source.integer(most) }, () => item.random(source)),
  }
}

function readDecimal(text: string): number | undefined {
  if (!/^-?(\d{1,6}(\.\d{0,6})?|\.\d{1,6})$/.test(text)) return undefined
  return Math.round(Number(text) * 1000) / 1000 + 0
}

/** At most three decimals, no zeros at the end: -0.5 is -.5. */
const printDecimal = (value: number) => String(Math.round(value * 1000) / 1000).replace(/^(-?)0\./, '$1.')
