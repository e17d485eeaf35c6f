import { writeFileSync } from 'node:fs'
import { checkCount, fail } from '../../base/errors.ts'
import { cells } from './cells.ts'
import { runMatrix } from './run.ts'
import { printMatrix } from './table.ts'

export interface MatrixCommandOptions {
  readonly target: 'wasm' | 'interpreter'
  /** Random convolutions of each cell. */
  readonly specs: string
  readonly seed: string
  /** Where the page goes. */
  readonly out: string
}

function write(path: string, text: string, flag: 'a' | 'w'): void {
  try {
    writeFileSync(path, text, { flag })
  } catch (error) {
    fail('matrix', `the table can't be written: ${(error as Error).message}`, 'Give --out a path that can be written')
  }
}

/** Runs every cell and writes the page. @returns whether all passed */
export async function matrixCommand(options: MatrixCommandOptions, print: (line: string) => void): Promise<boolean> {
  const { target, out } = options
  const seed = checkCount('matrix', '--seed', Number(options.seed))
  const specs = checkCount('matrix', '--specs', Number(options.specs), 1)
  const cases = Array.from({ length: specs }, (_, number) => number)
  // a path that can't be written is told before a long run, not after it
  write(out, '', 'a')
  const start = performance.now()
  const results = await runMatrix(
    { target, seed },
    () => cases,
    ({ failures }, index) => {
      for (const failure of failures) print(`wrong  ${failure}`)
      if (index % 56 === 55) print(`${index + 1} of ${cells.length} cells`)
    },
  )
  write(out, printMatrix(results, target, seed), 'w')
  const wrong = results.filter(({ failures }) => failures.length > 0).length
  print(`${results.length - wrong} cells passed, ${wrong} failed, ${((performance.now() - start) / 1000).toFixed(0)} s`)
  return wrong === 0
}
