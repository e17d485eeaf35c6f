import { mkdir } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { pick } from '../nn/options.ts'
import { writeFileAtomic } from '../runtime/files.ts'
import { isMet, type Origin, reportText, tableLines } from './reproduce/report.ts'
import { systems } from './reproduce/systems.ts'
import type { Terminal } from './terminal.ts'

export interface ReproduceCommand {
  readonly quick?: true
  readonly out?: string
  readonly data?: string
}

const machine = () => {
  const cores = cpus()
  return `${cores.length} x ${cores[0]?.model.trim() ?? process.arch}, Node ${process.versions.node}`
}

const bytesOf = (content: Uint8Array | string) =>
  typeof content === 'string' ? new TextEncoder().encode(content) : content

/** Seconds as people say them. */
const duration = (seconds: number) =>
  seconds < 100 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`

/** Ctrl-C says what becomes of the work, and ends the process. */
function onCtrlC(name: string, terminal: Terminal): () => void {
  const stop = () => {
    terminal.note(
      `\nstopped: nothing is kept of a reproduction that hasn't come to its end, and it can't be resumed. ` +
        `fovea reproduce ${name} --quick takes 20 seconds; fovea train leaves checkpoints`,
    )
    process.exit(130)
  }
  process.once('SIGINT', stop)
  return () => process.off('SIGINT', stop)
}

/**
 * `fovea reproduce`: builds, trains and measures a system, prints its numbers beside the paper's, and writes a report
 * with pictures and weights.
 * @returns 0, or 1 if a target was missed
 */
export async function reproduceCommand(name: string, asked: ReproduceCommand, terminal: Terminal): Promise<number> {
  const { about, run } = pick('reproduce', 'system', systems, name)
  const { quick = false, data, out = join('runs', name) } = asked
  const started = performance.now()
  const release = onCtrlC(name, terminal)
  const outcome = await run({ quick, data, terminal }).finally(release)
  const seconds = (performance.now() - started) / 1000
  const origin: Origin = {
    title: about,
    command: `fovea reproduce ${name}${quick ? ' --quick' : ''}`,
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    seconds,
  }
  const { measures = [], lines = [], files = [] } = outcome
  for (const line of [about, ...tableLines(measures), ...lines]) terminal.print(line)
  await mkdir(out, { recursive: true })
  for (const file of files) await writeFileAtomic(join(out, file.name), bytesOf(file.content))
  await writeFileAtomic(join(out, 'report.md'), bytesOf(reportText(outcome, origin)))
  terminal.print(`wrote ${join(out, 'report.md')} after ${duration(seconds)}, and beside it:`)
  for (const file of files) terminal.print(`  ${file.name}: ${file.caption}`)
  return measures.every(isMet) ? 0 : 1
}
