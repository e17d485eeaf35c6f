import { readFileSync, writeFileSync } from 'node:fs'
import { checkCount, fail } from '../../base/errors.ts'
import { setThreads } from '../../program/state.ts'
import { cells } from './cells.ts'
import { borderCosts } from './cost.ts'
import { runMatrix } from './run.ts'
import { printMatrix, withCosts } from './table.ts'

export interface MatrixCommandOptions {
  readonly target: 'wasm' | 'interpreter'
  /** Random convolutions of each cell. */
  readonly specs: string
  readonly seed: string
  /** Where the page goes. */
  readonly out: string
  /** Measures only what borders cost, and puts it into the page. */
  readonly costs?: boolean
}

function write(path: string, text: string, flag: 'a' | 'w'): void {
  try {
    writeFileSync(path, text, { flag })
  } catch (error) {
    fail('matrix', `the table can't be written: ${(error as Error).message}`, 'Give --out a path that can be written')
  }
}

/** Measures what borders cost, prints it, and puts it into the page. */
async function measureCosts(page: string, out: string, print: (line: string) => void): Promise<void> {
  setThreads(1)
  const costs = await borderCosts()
  for (const { layer, ratios } of costs)
    print(
      `${layer}: ${Object.entries(ratios)
        .map(([mode, ratio]) => `${mode} ${ratio.toFixed(2)} x zeros`)
        .join(', ')}`,
    )
  write(out, withCosts(page, costs), 'w')
}

/** Runs every cell and writes the page. @returns whether all passed */
export async function matrixCommand(options: MatrixCommandOptions, print: (line: string) => void): Promise<boolean> {
  const { target, out } = options
  const seed = checkCount('matrix', '--seed', Number(options.seed))
  const specs = checkCount('matrix', '--specs', Number(options.specs), 1)
  const cases = Array.from({ length: specs }, (_, number) => number)
  // a path that can't be written is told before a long run, not after it
  write(out, '', 'a')
  if (options.costs) {
    await measureCosts(readFileSync(out, 'utf8'), out, print)
    return true
  }
  const start = performance.now()
  const results = await runMatrix(
    { target, seed },
    () => cases,
    ({ failures }, index) => {
      for (const failure of failures) print(`wrong  ${failure}`)
      if (index % 56 === 55) print(`${index + 1} of ${cells.length} cells`)
    },
  )
  const page = printMatrix(results, target, seed)
  write(out, page, 'w')
  await measureCosts(page, out, print)
  const wrong = results.filter(({ failures }) => failures.length > 0).length
  print(`${results.length - wrong} cells passed, ${wrong} failed, ${((performance.now() - start) / 1000).toFixed(0)} s`)
  return wrong === 0
}
