// Files changed by chance: a reader answers with what is in them or with an error of ours, soon and in little memory.
import { expect, inject } from 'vitest'
import { FoveaError } from '../../src/base/errors.ts'
import { type RandomSource, randomSource } from '../../src/base/random.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** From `npm run fuzz -- --readers`. */
    readers?: { seconds: number; seed: number }
  }
}

const asked = inject('readers')
/** Nine kinds of files take less than 20 seconds together. */
export const { seconds = 2, seed = 1 } = asked ?? {}

/** Time that a test of one kind of file may take, milliseconds: others may work on the machine, too. */
export const timeout = 2000 * seconds + 60_000

/** A changed file, how it is read, and what must hold of what comes of it. */
export interface Changed<T> {
  /** Bytes of all its parts. */
  readonly size: number
  read(): Promise<T>
  check?(result: T): void | Promise<void>
}

/** Time that the process has worked, milliseconds: what others make it wait for doesn't count. */
function worked(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** What memory holds now, bytes. */
function held(): number {
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return arrayBuffers + heapUsed
}

/**
 * Changes files for as long as asked and reads them.
 * @param allowed errors must match this
 */
export async function fuzzReader<T>(
  name: string,
  allowed: RegExp,
  change: (random: RandomSource) => Changed<T>,
): Promise<void> {
  const end = Date.now() + 1000 * seconds
  let [rounds, refused, slowest, most] = [0, 0, 0, 0]
  while (Date.now() < end) {
    const round = seed * 1e6 + rounds++
    const { size, read, check } = change(randomSource(round))
    const [start, before] = [worked(), held()]
    try {
      const result = await read()
      most = Math.max(most, (held() - before) / (4 * size + 64e6))
      await check?.(result)
    } catch (error) {
      refused++
      const text = `${name}, round ${round}: ${(error as Error).stack}`
      expect(error, text).toBeInstanceOf(FoveaError)
      expect((error as Error).message, text).toMatch(allowed)
      most = Math.max(most, (held() - before) / (4 * size + 64e6))
    }
    expect(most, `${name}, round ${round} takes memory, in shares of 4 files and 64 MB`).toBeLessThan(1)
    const taken = worked() - start
    expect(taken, `${name}, round ${round} takes too long`).toBeLessThan(10_000)
    slowest = Math.max(slowest, taken)
  }
  if (asked)
    console.log(
      `${name}: ${rounds} files, ${refused} refused, slowest ${slowest.toFixed(0)} ms, ` +
        `memory at most ${(100 * most).toFixed(0)}% of 4 files + 64 MB`,
    )
  expect(refused).toBeGreaterThan(rounds / 50)
}

/** Bytes changed at up to four places within the first `within`, sometimes cut short. */
export function changeBytes(bytes: Uint8Array, random: RandomSource, within = bytes.length): Uint8Array {
  const copy = bytes.slice(0, random.integer(8) === 0 ? random.integer(bytes.length) : bytes.length)
  for (let i = 0; i <= random.integer(4) && copy.length > 0; i++)
    copy[random.integer(Math.min(copy.length, within))] = random.integer(256)
  return copy
}

/** What stands in place of a number, text or list of a JSON file. */
const odd = [-1, 0, 1, 3, 1e9, 2 ** 53, 1.5, null, true, '', 'same', 'x', [], {}, [1e9, 1e9], '__proto__', [[[]]]]

/** The places of a JSON value that can be changed: the record or list, and the key in it. */
function placesIn(value: unknown): [Record<string, unknown>, string][] {
  if (typeof value !== 'object' || value === null) return []
  const record = value as Record<string, unknown>
  return Object.keys(record).flatMap((key) => [[record, key] as [typeof record, string], ...placesIn(record[key])])
}

/** A JSON file with up to three values left out or replaced. */
export function changeJson(bytes: Uint8Array, random: RandomSource): Uint8Array {
  const value = JSON.parse(new TextDecoder().decode(bytes))
  for (let i = 0; i <= random.integer(3); i++) {
    const places = placesIn(value)
    if (places.length === 0) break
    const [record, key] = places[random.integer(places.length)]!
    if (random.integer(4) === 0) delete record[key]
    else record[key] = structuredClone(odd[random.integer(odd.length)])
  }
  return new TextEncoder().encode(JSON.stringify(value))
}
