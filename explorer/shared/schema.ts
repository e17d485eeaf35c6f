import type { Fields, Read, Source } from './fields.ts'

/** A page's state: drives its address, its controls, its presets and its tests. */
export interface Schema<S extends object> {
  readonly fields: Fields<S>
  /** The state of the bare address. */
  readonly usual: S
  /** Any text gives a valid state, and a note for each thing that had to be changed. */
  read(fragment: string): Mended<S>
  /** Canonical: only what isn't usual, in the order of the fields. */
  print(state: S): string
  /** Brings together what doesn't fit together. */
  mend(state: S): Mended<S>
  /** A valid state by chance, for tests. */
  random(source: Source): S
}

export interface Mended<S> {
  readonly state: S
  /** "stride 9 -> 3: the kernel would not fit" */
  readonly notes: readonly string[]
}

/** Keys of the fragment that belong to the shell. */
const shellKeys = ['hide']

/**
 * @param fields one per key of the state; the keys are those of the address
 * @param mend changes a state of valid fields until it is valid as a whole, and says what it changed
 */
export function schema<S extends object>(
  fields: Fields<S>,
  mend: (state: S) => Mended<S> = (state) => ({ state, notes: [] }),
): Schema<S> {
  const keys = Object.keys(fields) as (keyof S & string)[]
  const make = (value: <K extends keyof S & string>(key: K) => S[K]): S =>
    Object.fromEntries(keys.map((key) => [key, value(key)])) as S
  const usual = make((key) => fields[key].usual)
  return {
    fields,
    usual,
    mend,
    read(fragment) {
      const notes: string[] = []
      const given = pairs(fragment, notes)
      for (const key of given.keys())
        if (!keys.includes(key as keyof S & string) && !shellKeys.includes(key))
          notes.push(`"${shorten(key)}" isn't a setting of this page: left out`)
      const state = make((key) => {
        const text = given.get(key)
        if (text === undefined) return fields[key].usual
        const { value, note }: Read<S[typeof key]> = fields[key].read(text)
        if (note !== undefined) notes.push(`${key} = ${shorten(text)}: ${note}`)
        return value
      })
      const mended = mend(state)
      return { state: mended.state, notes: [...notes, ...mended.notes] }
    },
    print(state) {
      return keys
        .filter((key) => fields[key].print(state[key]) !== fields[key].print(fields[key].usual))
        .map((key) => `${key}=${fields[key].print(state[key])}`)
        .join('&')
    },
    random: (source) => mend(make((key) => fields[key].random(source))).state,
  }
}

const shorten = (text: string) => (text.length > 24 ? `${text.slice(0, 24)}...` : text)

/** `key=value` pairs; the first of each key counts. */
function pairs(fragment: string, notes: string[]): Map<string, string> {
  const found = new Map<string, string>()
  const text = fragment.replace(/^#/, '')
  if (text.length > 8000) {
    notes.push('the address is longer than 8000 characters: left out')
    return found
  }
  for (const part of text.split('&')) {
    if (part === '') continue
    const at = part.indexOf('=')
    const key = at < 0 ? part : part.slice(0, at)
    if (!found.has(key)) found.set(key, at < 0 ? '' : decoded(part.slice(at + 1)))
  }
  return found
}

/** Links may come percent-encoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
