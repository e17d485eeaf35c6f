import { borders, type Cell, paddings, ranks, variants } from './cells.ts'
import { type Quantity, quantities } from './check.ts'
import { type BorderCost, costlyModes } from './cost.ts'
import type { CellResult } from './run.ts'

const letters: Readonly<Record<string, string>> = { depthwise: 'd', implicit: 'i', pointwise: 'p', winograd: 'w' }

/** Largest share in hundredths, rounded up so that what is shown is never too good. */
const showShare = (share: number) => (Math.ceil(share * 100 - 1e-9) / 100).toFixed(2)

const largest = (some: readonly CellResult[], names: readonly Quantity[] = quantities) =>
  Math.max(...some.flatMap(({ shares }) => names.map((name) => shares[name])))

/** One cell of the table, over all that fall into it; nothing may be left out, or computed by no algorithm. */
function show(some: readonly CellResult[], named: boolean, names: readonly Quantity[] = quantities): string {
  if (some.length === 0 || some.some(({ cases, algorithms }) => cases === 0 || algorithms.length === 0))
    return 'missing'
  if (some.some(({ failures }) => failures.length > 0)) return 'WRONG'
  const used = [...new Set(some.flatMap(({ algorithms }) => algorithms))].map((name) => letters[name] ?? name)
  return named ? `${used.sort().join('')} ${showShare(largest(some, names))}` : showShare(largest(some, names))
}

const line = (fields: readonly string[]) => `| ${fields.join(' | ')} |`

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** docs/matrix.md: the same for the same results. */
export function printMatrix(results: readonly CellResult[], target: string, seed: number): string {
  const where = (wanted: Partial<Cell>) =>
    results.filter(({ cell }) => Object.entries(wanted).every(([key, value]) => cell[key as keyof Cell] === value))
  const least = Math.min(...results.map(({ cases }) => cases))
  const total = results.reduce((sum, { cases }) => sum + cases, 0)
  const main = variants.flatMap((variant) =>
    ranks.map((rank) => [
      variant,
      `${rank}D`,
      ...borders.map((border) => show(where({ variant, rank, border }), true)),
    ]),
  )
  const more = variants.map((variant) => [
    variant,
    ...paddings.map((padding) => show(where({ variant, padding }), false)),
    ...quantities.map((quantity) => show(where({ variant }), false, [quantity])),
  ])
  return `# Every cell

<!-- Made by \`npm run matrix\`. -->

Each cell of {variant} x {rank} x {border} x {padding} was run on ${target} with ${least} random convolutions, one
of them with 16 or more channels a group (a depthwise one: 16 outputs an input): ${total} in all, from seed ${seed}.
Each gave its output, its gradients by input, kernel and bias, and the derivatives of those.

A number is the largest error of all that as a share of what float32 may be off by: 1.00 is the limit, K u / (1 - K u)
times the same sum of absolute values, K the most roundings that a term goes through, u = 2^-24. Sums of one or two
terms come close to it. The judge is float64, which is checked too: outputs against the loops that define them, and the
derivatives by one operand of each convolution against differences, exact because the output is linear in each operand.

Letters name the algorithms: d depthwise, i implicit, p pointwise ([tour.md](tour.md) explains them). Transposed
convolutions have output padding, dilation and groups. Precision is 'direct'; Winograd's algorithm has bounds of its own
([precision.md](precision.md)).

${table(['variant', 'rank', ...borders], main)}

The same numbers by padding (all ranks and borders) and by what was computed:

${table(['variant', ...paddings, ...quantities], more)}
`
}

const costsTitle = '## What a border costs'

/** Where 3x3 convolutions with a border are slower than with zeros, and by how much. */
function printCosts(costs: readonly BorderCost[]): string {
  const rows = costs.map(({ layer, milliseconds, ratios }) => [
    layer,
    milliseconds.toFixed(2),
    ...costlyModes.map((mode) => ratios[mode].toFixed(2)),
  ])
  return `${costsTitle}

Times on wasm, one thread, of the same 3x3 convolution with borders and with zeros around the input: the least of many,
measured in turn; what \`npm run matrix -- --costs\` measures again. The aim is at most 1.15.

${table(['layer', 'zeros, ms', ...costlyModes.map((mode) => `${mode} / zeros`)], rows)}
`
}

/** The page with these costs in place of any that it has. */
export const withCosts = (page: string, costs: readonly BorderCost[]): string =>
  `${page.split(costsTitle)[0]!.trimEnd()}\n\n${printCosts(costs)}`
