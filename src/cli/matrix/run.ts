import type { Target } from '../../compile.ts'
import { printSpec } from '../../conv/index.ts'
import { type Cell, cells, type Drawn, draw, specOf } from './cells.ts'
import { check, type Quantity, quantities } from './check.ts'

/** What all cases of one cell gave. */
export interface CellResult {
  readonly cell: Cell
  readonly cases: number
  readonly shares: Readonly<Record<Quantity, number>>
  /** Names without their variants, in alphabetical order. */
  readonly algorithms: readonly string[]
  readonly failures: readonly string[]
}

export interface MatrixOptions {
  readonly target: Target
  readonly seed: number
}

const nameOf = ({ variant, rank, border, padding }: Cell) => `${rank}D ${variant}, ${border} border, ${padding} padding`

const textOf = (drawn: Drawn) =>
  `${printSpec(specOf(drawn))} ${JSON.stringify({ x: drawn.x, kernels: drawn.kernels, ...drawn.options })}`

const nothing = { output: 0, 'by input': 0, 'by kernel': 0, 'by bias': 0, 'second derivative': 0 }

/** Runs cases of one cell, by their numbers. What goes wrong is told, not thrown. */
export async function runCell(
  cell: Cell,
  cases: readonly number[],
  { target, seed }: MatrixOptions,
): Promise<CellResult> {
  const shares = { ...nothing }
  const algorithms = new Set<string>()
  const failures: string[] = []
  for (const number of cases) {
    const drawn = draw(cell, number, seed)
    const wrong = (what: string) =>
      failures.push(`${nameOf(cell)}, case ${number} of seed ${seed}: ${what}\n  ${textOf(drawn)}`)
    try {
      const result = await check(drawn, number, seed, target)
      for (const name of result.algorithms) algorithms.add(name.split(' ')[0]!)
      for (const quantity of quantities) {
        const share = result.shares[quantity]
        shares[quantity] = Math.max(shares[quantity], share)
        if (!(share <= 1)) wrong(`${quantity} is off by ${share} times its bound`)
      }
      if (result.problem) wrong(result.problem)
    } catch (error) {
      wrong((error as Error).message)
    }
  }
  return { cell, cases: cases.length, shares, algorithms: [...algorithms].sort(), failures }
}

/** Runs those cases of each cell that `casesOf` names. */
export async function runMatrix(
  options: MatrixOptions,
  casesOf: (index: number) => readonly number[],
  told: (result: CellResult, index: number) => void = () => {},
): Promise<CellResult[]> {
  const results: CellResult[] = []
  for (const [index, cell] of cells.entries()) {
    const result = await runCell(cell, casesOf(index), options)
    results.push(result)
    told(result, index)
  }
  return results
}
