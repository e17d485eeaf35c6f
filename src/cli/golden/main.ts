// `npm run golden -- FOLDER [--json OUT]`: golden vectors of another implementation on every target.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import { FoveaError } from '../../base/errors.ts'
import type { Target } from '../../compile.ts'
import { readFolder } from './folder.ts'
import { printReport, reportData } from './report.ts'
import { type Outcome, runCase } from './run.ts'

const targets: readonly Target[] = ['reference', 'interpreter', 'wasm']
const own = fileURLToPath(new URL('../../../test/golden/data', import.meta.url))

async function golden(path: string, options: { json?: string; target?: Target[] }): Promise<void> {
  const folder = readFolder(path)
  const outcomes: Outcome[] = []
  const seconds = new Map<Target, number>()
  for (const target of options.target ?? targets) {
    const start = performance.now()
    for (const item of folder.cases) outcomes.push(await runCase(item, folder, target))
    seconds.set(target, (performance.now() - start) / 1000)
  }
  printReport(outcomes, seconds, console.log)
  if (options.json) writeFileSync(options.json, JSON.stringify(reportData(path, outcomes, seconds), null, 1))
  if (outcomes.some(({ status }) => status === 'failed')) process.exitCode = 1
}

const command = new Command('golden')
  .description('compares every operation with golden vectors of another implementation')
  .argument('[folder]', 'meta.json, cases.jsonl and data.bin', own)
  .option('--json <file>', 'write the whole report there')
  .addOption(new Option('--target <names...>', 'only these').choices(targets))
  .action(golden)

try {
  await command.parseAsync()
} catch (error) {
  if (!(error instanceof FoveaError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
