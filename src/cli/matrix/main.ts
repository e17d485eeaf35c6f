// `npm run matrix`: random convolutions of every kind against float64; writes docs/matrix.md. Takes about 10 minutes.
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import { FoveaError } from '../../base/errors.ts'
import { type MatrixCommandOptions, matrixCommand } from './command.ts'

const page = fileURLToPath(new URL('../../../docs/matrix.md', import.meta.url))

const command = new Command('matrix')
  .description('runs every kind of convolution with all its derivatives against float64')
  .addOption(new Option('--target <name>').choices(['wasm', 'interpreter']).default('wasm'))
  .option('--specs <count>', 'random convolutions of each cell', '20')
  .option('--seed <number>', 'the same seed, the same convolutions', '1')
  .option('--out <file>', 'where the table goes', page)
  .option('--costs', 'only measures what borders cost, and puts that into the table')
  .action(async (options: MatrixCommandOptions) => {
    if (!(await matrixCommand(options, console.log))) process.exitCode = 1
  })

try {
  await command.parseAsync()
} catch (error) {
  if (!(error instanceof FoveaError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
