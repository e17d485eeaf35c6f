import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fail } from '../../base/errors.ts'
import { type Outcome, runCase } from './run.ts'

export interface ConformanceOptions {
  /** Where the report goes as JSON. */
  readonly json?: string
  /** Only cases whose name contains this. */
  readonly only?: string
}

const remedy =
  'Give a folder of ONNX backend cases (each a folder with model.onnx and test_data_set_0): ' +
  "Debian's package libonnx-testdata has one"

/** The folder of cases: the one given, or onnx-public where FOVEA_DATA says. */
export function casesFolder(given: string | undefined): string {
  const data = process.env.FOVEA_DATA
  const folder = given ?? (data ? join(data, 'onnx-public') : undefined)
  if (!folder) return fail('conformance', 'no folder is given and FOVEA_DATA is not set', remedy)
  if (!existsSync(folder)) fail('conformance', `there is no folder ${resolve(folder)}`, remedy)
  return folder
}

/** Runs every case of a folder and prints what became of it. @returns whether none failed */
export async function conformanceCommand(
  given: string | undefined,
  options: ConformanceOptions,
  print: (line: string) => void,
): Promise<boolean> {
  const folder = casesFolder(given)
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const names = entries.map((entry) => entry.name).filter((name) => name.includes(options.only ?? ''))
  if (names.length === 0) fail('conformance', `${resolve(folder)} holds no cases`, remedy)
  const outcomes: Outcome[] = []
  for (const name of names.sort()) outcomes.push(await runCase(join(folder, name), name))
  const of = (result: Outcome['result']) => outcomes.filter((outcome) => outcome.result === result)
  printReport(outcomes, print)
  const [passed, failed, skipped] = [of('passed').length, of('failed').length, of('skipped').length]
  if (options.json) writeJson(options.json, { passed, failed, skipped, cases: outcomes })
  print(`${passed} passed, ${failed} failed`)
  return failed === 0
}

/** Cases by the operation or suite in their name. */
const groupOf = (name: string) => name.replace(/^test_/, '').split(/__|_/)[0]

function printReport(outcomes: readonly Outcome[], print: (line: string) => void): void {
  const groups = new Map<string, Outcome[]>()
  for (const outcome of outcomes) {
    const group = groupOf(outcome.name)
    groups.set(group, [...(groups.get(group) ?? []), outcome])
  }
  print('| cases | passed | failed | not supported | worst error / tolerance |')
  print('|---|---:|---:|---:|---:|')
  for (const [group, list] of groups) {
    const count = (result: Outcome['result']) => list.filter((outcome) => outcome.result === result).length
    const errors = list.flatMap(({ result, error }) => (result === 'passed' && error !== undefined ? [error] : []))
    const worst = errors.length > 0 ? Math.max(...errors).toPrecision(2) : ''
    print(`| ${group} | ${count('passed')} | ${count('failed')} | ${count('skipped')} | ${worst} |`)
  }
  for (const [result, title] of [['failed', 'Failed'], ['skipped', 'Not supported']] as const) {
    const list = outcomes.filter((outcome) => outcome.result === result)
    if (list.length === 0) continue
    print(`\n${title}:\n`)
    for (const { name, why } of list) print(`- ${name}: ${why}`)
  }
  print('')
}

function writeJson(path: string, data: unknown): void {
  try {
    writeFileSync(path, `${JSON.stringify(data, null, 1)}\n`)
  } catch (error) {
    fail('conformance', `the report can't be written: ${(error as Error).message}`, 'Give --json another path')
  }
}
