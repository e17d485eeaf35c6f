// `npm run matrix`: random convolutions of every kind against float64; writes docs/matrix.md.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import { checkCount, FoveaError, fail } from '../../base/errors.ts'
import { cells } from './cells.ts'
import { runMatrix } from './run.ts'
import { printMatrix } from './table.ts'

interface Options {
  readonly target: 'wasm' | 'interpreter'
  readonly specs: string
  readonly seed: string
  readonly out: string
}

const page = fileURLToPath(new URL('../../../docs/matrix.md', import.meta.url))

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text)
  } catch (error) {
    fail('matrix', `the table can't be written: ${(error as Error).message}`, 'Give --out a path that can be written')
  }
}

async function matrix({ target, specs, seed: given, out }: Options): Promise<void> {
  const seed = checkCount('matrix', '--seed', Number(given))
  const cases = Array.from({ length: checkCount('matrix', '--specs', Number(specs), 1) }, (_, number) => number)
  const start = performance.now()
  const results = await runMatrix(
    { target, seed },
    () => cases,
    ({ failures }, index) => {
      for (const failure of failures) console.log(`wrong  ${failure}`)
      if (index % 56 === 55) console.log(`${index + 1} of ${cells.length} cells`)
    },
  )
  write(out, printMatrix(results, target, seed))
  const wrong = results.filter(({ failures }) => failures.length > 0).length
  const seconds = ((performance.now() - start) / 1000).toFixed(0)
  console.log(`${results.length - wrong} cells passed, ${wrong} failed, ${seconds} s`)
  if (wrong > 0) process.exitCode = 1
}

const command = new Command('matrix')
  .description('runs every kind of convolution with all its derivatives against float64')
  .addOption(new Option('--target <name>').choices(['wasm', 'interpreter']).default('wasm'))
  .option('--specs <count>', 'random convolutions of each cell', '20')
  .option('--seed <number>', 'the same seed, the same convolutions', '1')
  .option('--out <file>', 'where the table goes', page)
  .action(matrix)

try {
  await command.parseAsync()
} catch (error) {
  if (!(error instanceof FoveaError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
