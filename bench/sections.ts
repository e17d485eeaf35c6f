import { readFileSync } from 'node:fs'
import { multiplyAccumulates } from '../src/conv/index.ts'
import type { Names, Startup } from './contender.ts'
import { operandsOf, relativeError, sampledError } from './data.ts'
import type { List, Work } from './lists.ts'
import { netBatch, netNames } from './nets.ts'
import { networkFiles, storedOutput } from './network-files.ts'
import type { Starter } from './processes.ts'
import { type Field, type Judge, race, stable } from './race.ts'
import { type Row, rowOf } from './report.ts'

/** What a section tells while it runs. */
export type Progress = (line: string) => void

/** (a) Layers: ours against the definition at some places, the peers against ours everywhere. */
export async function layerRows(field: Field, { name, works }: List, progress: Progress): Promise<Row[]> {
  const get = stable(field)
  const rows: Row[] = []
  for (const work of works) {
    progress(`${name}: ${work.text}`)
    const { text, operation, spec } = work
    const judge: Judge = (output) => sampledError(work, operandsOf(work), output)
    const about = { kind: 'layer', list: name, work: text, operation, flops: 2 * multiplyAccumulates(spec) } as const
    for (const [threads, outcomes] of await race(field, get, { kind: 'layer', text, operation }, judge))
      rows.push(rowOf(about, threads, outcomes))
  }
  field.starter.endAll()
  return rows
}

/** The same lists with other contractions than their lines'. */
export const withOperations = (lists: readonly List[], operations: readonly Work['operation'][]): List[] =>
  lists.map(({ name, works }) => ({
    name,
    works: works.flatMap((work) => operations.map((operation) => ({ ...work, operation }))),
  }))

/** (b) Whole networks of files; judged by the output stored beside the file, or by onnxruntime-node's. */
export async function networkRows(field: Field, folders: readonly string[], match: string, progress: Progress) {
  const rows: Row[] = []
  for (const { name, path } of folders.flatMap(networkFiles)) {
    if (!name.includes(match)) continue
    progress(name)
    // a process of its own for every network: hundreds of megabytes of weights each
    const get = stable(field)
    const stored = storedOutput(path)
    const judge: Judge = (output) => (stored ? relativeError(stored, output) : 0)
    const about = { kind: 'network', list: 'networks', work: name, operation: 'forward' } as const
    for (const [threads, outcomes] of await race(field, get, { kind: 'network', path }, judge))
      rows.push(rowOf(about, threads, outcomes))
    field.starter.endAll()
  }
  return rows
}

/** (c) Training steps: the peers' first three losses are compared with ours. */
export async function trainingRows(field: Field, match: string, progress: Progress): Promise<Row[]> {
  const get = stable(field)
  const rows: Row[] = []
  for (const net of netNames) {
    const name = `${net} b${netBatch[net]}`
    if (!name.includes(match)) continue
    progress(name)
    const about = { kind: 'training', list: 'training', work: name, operation: 'step' } as const
    for (const [threads, outcomes] of await race(field, get, { kind: 'training', net }, () => 0))
      rows.push(rowOf(about, threads, outcomes))
  }
  return rows
}

export interface StartupRow {
  readonly name: string
  readonly contender: Names
  readonly ms: number
  readonly sizes: Omit<Startup, 'ms'>
}

/** (d) Time from the definition to the first result, each time in a new process; the median of `repeats`. */
export async function startupRows(
  starter: Starter,
  works: readonly { name: string; what: string; contenders: readonly Names[] }[],
  repeats: number,
  progress: Progress,
): Promise<StartupRow[]> {
  const rows: StartupRow[] = []
  for (const { name, what, contenders } of works)
    for (const contender of contenders) {
      progress(`start-up: ${name}, ${contender}`)
      const results: Startup[] = []
      try {
        for (let i = 0; i < repeats; i++) {
          const process = starter.start(contender)
          results.push(await process.ask({ kind: 'startup', what, threads: 1 }))
          process.end()
        }
        const { ms, ...sizes } = results.sort((a, b) => a.ms - b.ms)[repeats >> 1]!
        rows.push({ name, contender, ms, sizes })
      } catch (error) {
        progress(`  ${(error as Error).message}`)
      }
    }
  return rows
}

/** One thread's peak, and that of several at once (each a process of its own), in GFLOP/s. */
export async function measurePeaks(starter: Starter, threads: readonly number[]): Promise<Map<number, number>> {
  const peaks = new Map<number, number>()
  for (const count of new Set([1, ...threads])) {
    const processes = Array.from({ length: count }, () => starter.start('fovea'))
    const each = await Promise.all(processes.map((process) => process.ask({ kind: 'peak' })))
    for (const process of processes) process.end()
    peaks.set(
      count,
      each.reduce((sum, peak) => sum + peak, 0),
    )
  }
  return peaks
}

export const cpuName = (): string =>
  /model name\s*:\s*(.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8').slice(0, 4000))?.[1] ?? 'unknown processor'
