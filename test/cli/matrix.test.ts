// A sample of `npm run matrix`, and whether its page has every cell.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { sizeOf } from '../../src/base/shape.ts'
import { errorBounds } from '../../src/cli/matrix/bound.ts'
import { borders, cells, draw, paddings, ranks, specOf, variants } from '../../src/cli/matrix/cells.ts'
import { quantities } from '../../src/cli/matrix/check.ts'
import { matrixCommand } from '../../src/cli/matrix/command.ts'
import { borderCosts, costlyLayers } from '../../src/cli/matrix/cost.ts'
import { type CellResult, runMatrix } from '../../src/cli/matrix/run.ts'
import { printMatrix, withCosts } from '../../src/cli/matrix/table.ts'
import { parseSpec, printSpec } from '../../src/conv/index.ts'
import { conv, placeholder, sub } from '../../src/graph/index.ts'

const page = readFileSync(new URL('../../docs/matrix.md', import.meta.url), 'utf8')

/** The rows of the tables of a page, as lists of fields. */
const rowsOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('|') && !line.includes('---'))
    .map((line) => line.slice(2, -2).split(' | '))

function specAndOptions(cell: (typeof cells)[number], number: number) {
  const drawn = draw(cell, number, 1)
  return { spec: specOf(drawn), options: drawn.options }
}

/** Results of every cell, all alike. */
function resultsOf(cases: number): CellResult[] {
  const shares = Object.fromEntries(quantities.map((quantity) => [quantity, 0.5])) as CellResult['shares']
  return cells.map((cell) => ({ cell, cases, shares, algorithms: ['implicit'], failures: [] }))
}

test('every kind of convolution is right on wasm, in a sample with every padding', async () => {
  // 2 of the 8 paddings of each cell of the table, one in seven of them with many channels
  const wanted = (index: number) => (index + Math.floor(index / paddings.length)) % 4 === 0
  const results = await runMatrix({ target: 'wasm', seed: 7 }, (index) => (wanted(index) ? [index % 7] : []))
  expect(results.flatMap(({ failures }) => failures)).toEqual([])
  const run = results.filter(({ cases }) => cases > 0)
  expect(new Set(run.map(({ cell }) => Object.values({ ...cell, padding: '' }).join()))).toHaveLength(
    28 * borders.length,
  )
  expect(new Set(run.map(({ cell }) => cell.padding)).size).toBe(paddings.length)
  expect(new Set(run.flatMap(({ algorithms }) => algorithms))).toEqual(new Set(['depthwise', 'implicit', 'pointwise']))
  for (const quantity of quantities) {
    const worst = Math.max(...run.map(({ shares }) => shares[quantity]))
    expect(worst).toBeGreaterThan(0.01)
    expect(worst).toBeLessThanOrEqual(1)
  }
}, 120_000)

test('every kind of convolution is right on the interpreter, in a smaller sample', async () => {
  const results = await runMatrix({ target: 'interpreter', seed: 7 }, (index) => (index % 23 === 0 ? [1] : []))
  expect(results.flatMap(({ failures }) => failures)).toEqual([])
  const run = results.filter(({ cases }) => cases > 0)
  expect(new Set(run.map(({ cell }) => cell.variant)).size).toBe(variants.length)
  expect(new Set(run.map(({ cell }) => cell.border)).size).toBe(borders.length)
  expect(new Set(run.map(({ cell }) => cell.padding)).size).toBe(paddings.length)
}, 120_000)

test('the page has every cell, each from 20 convolutions, none missing or wrong', () => {
  const rows = rowsOf(page)
  const main = rows.filter((row) => row.length === 2 + borders.length)
  expect(main[0]).toEqual(['variant', 'rank', ...borders])
  expect(main.slice(1).map((row) => row.slice(0, 2))).toEqual(variants.flatMap((v) => ranks.map((r) => [v, `${r}D`])))
  for (const row of main.slice(1)) for (const cell of row.slice(2)) expect(cell).toMatch(/^[dipw]+ (0\.\d\d|1\.00)$/)
  const more = rows.filter((row) => row.length === 1 + paddings.length + quantities.length)
  expect(more[0]).toEqual(['variant', ...paddings, ...quantities])
  expect(more.slice(1).map(([variant]) => variant)).toEqual(variants)
  for (const row of more.slice(1)) for (const cell of row.slice(1)) expect(cell).toMatch(/^(0\.\d\d|1\.00)$/)
  const words = (text: string) => text.split('\n').filter((line) => !line.startsWith('|'))
  expect(words(page)).toEqual(words(withCosts(printMatrix(resultsOf(20), 'wasm', 1), [])))
})

test('the page has what borders cost, dense layers within the bar', () => {
  const costs = rowsOf(page).filter(([layer]) => layer!.startsWith('n1 '))
  expect(costs.map(([layer]) => layer)).toEqual(costlyLayers.map((layer) => printSpec(parseSpec(layer))))
  for (const [layer, ...numbers] of costs) {
    expect(numbers).toHaveLength(3)
    for (const number of numbers) expect(number).toMatch(/^\d+\.\d\d$/)
    if (layer!.endsWith(' g1')) for (const ratio of numbers.slice(1)) expect(Number(ratio)).toBeLessThanOrEqual(1.15)
  }
})

test('costs are measured, and take the place of those before', async () => {
  const costs = await borderCosts(['n1 6x6 c4 -> 4 k3 p1'], 1)
  expect(costs).toHaveLength(1)
  const { milliseconds, ratios } = costs[0]!
  for (const number of [milliseconds, ratios.circular, ratios.reflect]) expect(number).toBeGreaterThan(0)
  const once = withCosts('# A page\n', costs)
  expect(rowsOf(once)).toHaveLength(2)
  expect(withCosts(once, costs)).toBe(once)
}, 120_000)

test('a cell that failed or was left out shows', () => {
  const results = resultsOf(1)
  const rows = (list: CellResult[]) => rowsOf(printMatrix(list, 'wasm', 1))
  expect(rows(results)[1]![2]).toBe('i 0.50')
  expect(rows(results.with(0, { ...results[0]!, failures: ['wrong'] }))[1]![2]).toBe('WRONG')
  expect(rows(results.with(0, { ...results[0]!, cases: 0 }))[1]![2]).toBe('missing')
  // the float64 loops answered it
  expect(rows(results.with(0, { ...results[0]!, algorithms: [] }))[1]![2]).toBe('missing')
})

test('convolutions of a cell are what it says, the first with 16 or more channels a group', () => {
  for (const cell of cells) {
    const specs = [0, 1, 2].map((number) => ({ drawn: draw(cell, number, 3), spec: specOf(draw(cell, number, 3)) }))
    expect(draw(cell, 1, 3)).toEqual(specs[1]!.drawn)
    const { spec } = specs[0]!
    const perGroup = cell.variant === 'separable' ? spec.inChannels : spec.outChannels / spec.groups
    expect(perGroup).toBeGreaterThanOrEqual(16)
    for (const { drawn, spec } of specs) {
      expect(spec.rank).toBe(cell.rank)
      expect(sizeOf(spec.output)).toBeGreaterThan(0)
      if (cell.variant === 'grouped') expect(spec.groups).toBeGreaterThan(1)
      if (cell.variant === 'dilated') expect(spec.dilation.some((d, i) => d > 1 && spec.kernel[i]! > 1)).toBe(true)
      if (cell.variant === 'stride and dilation') expect(spec.stride.every((s) => s > 1)).toBe(true)
      if (cell.padding === 'cropping') expect([...spec.padLow, ...spec.padHigh].some((n) => n < 0)).toBe(true)
      const { paddingMode } = drawn.options
      if (cell.border === 'one per axis')
        expect(new Set(paddingMode).size).toBeGreaterThanOrEqual(cell.rank > 1 ? 2 : 1)
    }
  }
})

test('every cell of transposed convolutions has one with output padding, dilation and groups together', () => {
  for (const cell of cells.filter(({ variant }) => variant === 'transposed')) {
    const all = Array.from({ length: 20 }, (_, number) => specAndOptions(cell, number))
    expect(
      all.some(
        ({ spec, options }) =>
          spec.groups > 1 &&
          spec.dilation.some((d, i) => d > 1 && spec.kernel[i]! > 1) &&
          (options.outputPadding as number[]).some((extra) => extra > 0),
      ),
      Object.values(cell).join(),
    ).toBe(true)
  }
})

test.each([
  ['--specs', { specs: '0' }, 'matrix: --specs is 0, but must be a whole number >= 1'],
  ['--seed', { seed: 'x' }, 'matrix: --seed is NaN, but must be a whole number'],
  ['--out', { out: 'no/such/folder/matrix.md' }, "matrix: the table can't be written: ENOENT"],
] as const)('refuses %s before it runs', async (_, options, message) => {
  const given = { target: 'wasm', specs: '1', seed: '1', out: 'no/such/folder', ...options } as const
  await expect(matrixCommand(given, () => {})).rejects.toThrow(message)
})

test('bounds: a contraction of n terms may have n roundings, and only sums and products have bounds', () => {
  const [x, w] = [placeholder([1, 4, 2]), placeholder([3, 2, 1])]
  const absolute = new Map([
    [x, new Float64Array(8).fill(2)],
    [w, new Float64Array(6).fill(0.5)],
  ])
  const [bound] = errorBounds([conv(x, w)], absolute)
  const ku = 6 * 2 ** -24
  expect([...bound!]).toEqual([0, 1].map(() => (6 * ku) / (1 - ku)))
  expect(() => errorBounds([sub(conv(x, w), 1)], absolute)).toThrow('only sums and products')
})
