// The neocognitron learns five digits without labels; then the digits are moved, damaged and resized.
import { randomSource } from '../../base/random.ts'
import { drawGlyph, glyphs } from '../../models/glyphs.ts'
import {
  cellCounts,
  modules,
  Neocognitron,
  type NeocognitronOptions,
  paper,
  planes,
  retina,
  staged,
  synapses,
} from '../../models/neocognitron.ts'
import { type Row, rowOfMaps } from '../show.ts'
import { percent } from '../terminal.ts'
import { fixed, kernelPanel, rowsFile } from './drawing.ts'
import { mnistRates } from './neocognitron-mnist.ts'
import type { Measure, Outcome } from './report.ts'
import type { Settings } from './settings.ts'

const digits = glyphs.map((_, digit) => digit)
/** Where the digits stand while it learns. */
const [row, column] = [3, 4]
const placed = (digit: number, down = 0, right = 0) => drawGlyph(digit, row + down, column + right, retina)

export interface Learned {
  readonly net: Neocognitron
  /** The strongest cell of the last layer for each digit in its place. */
  readonly winners: readonly number[]
}

export async function learned(options: NeocognitronOptions): Promise<Learned> {
  const net = new Neocognitron(options)
  await net.learn(digits.map((digit) => placed(digit)))
  return { net, winners: await net.winners(digits.flatMap((digit) => [...placed(digit)])) }
}

/** Share of pictures for which the digit's own cell is the strongest. */
async function rate({ net, winners }: Learned, pictures: (digit: number) => Float32Array[]): Promise<number> {
  let [right, count] = [0, 0]
  for (const digit of digits) {
    const shown = pictures(digit)
    const found = await net.winners(shown.flatMap((values) => [...values]))
    right += found.filter((cell) => cell >= 0 && cell === winners[digit]).length
    count += shown.length
  }
  return right / count
}

/** Moved by up to `most` pixels up, down, left and right: every combination. */
export const shiftRate = (learned: Learned, most: number): Promise<number> => {
  const steps = Array.from({ length: 2 * most + 1 }, (_, i) => i - most)
  return rate(learned, (digit) => steps.flatMap((down) => steps.map((right) => placed(digit, down, right))))
}

const trials = 40

/** `count` pixels changed by chance: of the stroke, or anywhere. */
export function damageRate(learned: Learned, count: number, where: 'stroke' | 'anywhere'): Promise<number> {
  const random = randomSource(1)
  const damaged = (digit: number) => {
    const values = placed(digit)
    const places = [...values.keys()].filter((i) => where === 'anywhere' || values[i] === 1)
    for (let n = 0; n < count; n++) {
      const [i] = places.splice(random.integer(places.length), 1)
      values[i!] = 1 - values[i!]!
    }
    return values
  }
  return rate(learned, (digit) => Array.from({ length: trials }, () => damaged(digit)))
}

/** Stretched to so many rows and columns, about the place where it was. */
export const stretchRate = (learned: Learned, rows: number, columns: number): Promise<number> =>
  rate(learned, (digit) => {
    const values = new Float32Array(retina ** 2)
    const lines = glyphs[digit]!
    const [top, left] = [row + Math.round((9 - rows) / 2), column + Math.round((7 - columns) / 2)]
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++) {
        const ink = lines[Math.floor(((y + 0.5) * 9) / rows)]![Math.floor(((x + 0.5) * 7) / columns)] === '#'
        if (ink) values[(top + y) * retina + left + x] = 1
      }
    return [values]
  })

/** Setting d to one place takes the blur of the C-cells away. */
export const withoutBlur: NeocognitronOptions = { ...staged, delta: 0 }

const share = (value: number) => `${fixed(100 * value, 0)}%`.padStart(5)

/** One line of the table. */
async function lineOf(name: string, system: Learned): Promise<string> {
  const shifts = await Promise.all([1, 2, 3].map((most) => shiftRate(system, most)))
  const distinct = new Set(system.winners.filter((cell) => cell >= 0)).size
  const cells = `${distinct} of 5 distinct (cells ${system.winners.join(', ')})`
  return `${name.padEnd(20)} ${cells.padEnd(39)} moved by up to 1, 2, 3 px: ${shifts.map(share).join('')}`
}

async function damageLines(system: Learned): Promise<string[]> {
  const counts = [1, 2, 4]
  const of = (where: 'stroke' | 'anywhere') => Promise.all(counts.map((count) => damageRate(system, count, where)))
  const sizes = [
    [8, 6],
    [10, 7],
    [9, 8],
    [11, 9],
  ] as const
  const stretched = await Promise.all(sizes.map(([rows, columns]) => stretchRate(system, rows, columns)))
  return [
    `stroke pixels deleted, ${counts.join(', ')}: ${(await of('stroke')).map(share).join('')}`,
    `pixels flipped anywhere, ${counts.join(', ')}: ${(await of('anywhere')).map(share).join('')}`,
    `9x7 stretched to ${sizes.map((size) => size.join('x')).join(', ')}: ${stretched.map(share).join('')}`,
  ]
}

/** Responses of the last layer to the digits in their places, one line for each. */
const lastRow = (values: Float32Array): Row => ({
  panels: [{ height: digits.length, width: planes, values }],
  pixel: 10,
})

/** What the paper claims, of the preset: a cell for each digit, wherever it is. The control must fail at that. */
async function glyphMeasures(system: Learned, control: Learned): Promise<Measure[]> {
  const cells = new Set(system.winners.filter((cell) => cell >= 0)).size
  return [
    { name: 'digits of five with a cell of their own', value: cells, show: String, atLeast: 5, paper: '5' },
    { name: 'told right, moved by up to 1 px', value: await shiftRate(system, 1), show: percent, atLeast: 1 },
    { name: 'told right, moved by up to 2 px', value: await shiftRate(system, 2), show: percent, atLeast: 0.95 },
    {
      name: 'two pixels of the stroke deleted',
      value: await damageRate(system, 2, 'stroke'),
      show: percent,
      atLeast: 0.75,
    },
    { name: 'without blur, moved by up to 1 px', value: await shiftRate(control, 1), show: percent, atMost: 0.6 },
    { name: 'without blur, moved by up to 2 px', value: await shiftRate(control, 2), show: percent, atMost: 0.35 },
  ]
}

/** `fovea reproduce neocognitron`. */
export async function reproduceNeocognitron(settings: Settings): Promise<Outcome> {
  const { measure, lines } = await (settings.quick ? mnistRates(500, 500, 48, 0.75) : mnistRates(2000, 2000, 128, 0.85))
  const system = await learned(staged)
  const control = await learned(withoutBlur)
  const shown = placed(2)
  const layers = await system.net.respond(shown)
  const last = (await system.net.respond(digits.flatMap((digit) => [...placed(digit)]))).at(-1)!.c
  const first = system.net.modules[0]!.a.read()
  const kernels = Array.from({ length: planes }, (_, k) => first.filter((_, i) => i % planes === k))
  const maps = layers.flatMap(({ s, c }, l) => {
    const { s: edge, c: pooled } = modules[l]!
    return [
      { caption: `US${l + 1}`, row: rowOfMaps(s, [edge, edge, planes]) },
      { caption: `UC${l + 1}`, row: rowOfMaps(c, [pooled, pooled, planes]) },
    ]
  })
  return {
    measures: [...(await glyphMeasures(system, control)), measure],
    lines: [
      ...lines,
      `${synapses} modifiable synapses; cells ${cellCounts.join(' + ')}`,
      await lineOf('staged preset', system),
      await lineOf('without C-cell blur', control),
      await lineOf('paper r, q, alpha', await learned(paper)),
      'the staged preset, digits in their places:',
      ...(await damageLines(system)).map((line) => `  ${line}`),
    ],
    files: [
      rowsFile('neocognitron.png', [
        {
          caption: 'what the 24 S-planes of the first module have learned',
          row: { panels: kernels.map(kernelPanel), pixel: 10 },
        },
        { caption: 'a 2', row: { panels: [{ height: retina, width: retina, values: shown }], pixel: 4 } },
        ...maps.slice(0, -1),
        { caption: 'UC3 for each of 0, 1, 2, 3, 4: 24 cells', row: lastRow(last) },
      ]),
    ],
  }
}
