import { writeFileSync } from 'node:fs'
import { fail } from '../../base/errors.ts'
import type { Target } from '../../compile.ts'
import { readFolder } from './folder.ts'
import { printReport, reportData } from './report.ts'
import { type Outcome, runCase } from './run.ts'

export const targets: readonly Target[] = ['reference', 'interpreter', 'wasm']

export interface GoldenOptions {
  /** Where the report goes as JSON. */
  readonly json?: string
  /** Default all. */
  readonly target?: readonly Target[]
}

/** Runs every case of a folder on every target and prints what became of them. @returns whether none failed */
export async function goldenCommand(
  path: string,
  options: GoldenOptions,
  print: (line: string) => void,
): Promise<boolean> {
  const folder = readFolder(path)
  const outcomes: Outcome[] = []
  const seconds = new Map<Target, number>()
  for (const target of options.target ?? targets) {
    const start = performance.now()
    for (const item of folder.cases) outcomes.push(await runCase(item, folder, target))
    seconds.set(target, (performance.now() - start) / 1000)
  }
  printReport(outcomes, seconds, print)
  const { cases, promised = cases.length } = folder
  if (promised !== cases.length) print(`Note: cases.jsonl holds ${cases.length} cases, meta.json says ${promised}.`)
  if (options.json) writeJson(options.json, reportData(path, outcomes, seconds))
  return outcomes.every(({ status }) => status !== 'failed')
}

function writeJson(path: string, data: unknown): void {
  try {
    writeFileSync(path, `${JSON.stringify(data, null, 1)}\n`)
  } catch (error) {
    fail('golden', `the report can't be written: ${(error as Error).message}`, 'Give --json a path that can be written')
  }
}
