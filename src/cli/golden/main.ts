// `npm run golden -- FOLDER [--json OUT]`: golden vectors of another implementation on every target.
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import { FoveaError } from '../../base/errors.ts'
import { type GoldenOptions, goldenCommand, targets } from './command.ts'

const own = fileURLToPath(new URL('../../../test/golden/data', import.meta.url))

const command = new Command('golden')
  .description('compares every operation with golden vectors of another implementation')
  .argument('[folder]', 'holds meta.json, cases.jsonl and data.bin', own)
  .option('--json <file>', 'write the whole report there')
  .addOption(new Option('--target <names...>', 'only these').choices(targets))
  .action(async (folder: string, options: GoldenOptions) => {
    if (!(await goldenCommand(folder, options, console.log))) process.exitCode = 1
  })

try {
  await command.parseAsync()
} catch (error) {
  if (!(error instanceof FoveaError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
