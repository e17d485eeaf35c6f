// `npm run conformance -- FOLDER [--json OUT]`: ONNX's own test cases.
import { Command } from 'commander'
import { FoveaError } from '../../base/errors.ts'
import { type ConformanceOptions, conformanceCommand } from './command.ts'

const command = new Command('conformance')
  .description("runs a folder of ONNX's backend test cases")
  .argument('[folder]', 'holds a folder for each case (default: onnx-public in FOVEA_DATA)')
  .option('--json <file>', 'write the whole report there')
  .option('--only <text>', 'only cases whose name contains this')
  .action(async (folder: string | undefined, options: ConformanceOptions) => {
    if (!(await conformanceCommand(folder, options, console.log))) process.exitCode = 1
  })

try {
  await command.parseAsync()
} catch (error) {
  if (!(error instanceof FoveaError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
