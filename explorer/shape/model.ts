import { multiplyAccumulates, outputSize, parameterCount } from 'fovea/conv'
import { type Box, type Fact, type Frame, limitOf, sameScale, type View } from '../shared/frame.ts'
import { decimals, grouped, spoken } from '../shared/numbers.ts'
import { flatAt, onSheet, positionAt, type Sheet, sheetOf } from '../shared/sheet.ts'
import { type Numbers, numbersOf, type Tensor, type Term } from './numbers.ts'
import { axesOf, type ShapeState, sizesWithSameOutput } from './state.ts'

export type Side = 'input' | 'kernel' | 'output'

/** An element under the pointer. */
export interface Focus {
  readonly side: Side
  readonly flat: number
}

const sides: readonly Side[] = ['input', 'kernel', 'output']

/** With the tensors drawn, for finding what lies under the pointer. */
export interface ShapeFrame extends Frame {
  readonly tensors?: { readonly [side in Side]: Tensor }
}

/** Position of a cell of a view as the state counts it (cropped outputs are negative); undefined between slices. */
export function positionOf(tensor: Tensor, cell: number): number[] | undefined {
  const flat = sheetOf(tensor.shape).flatOf(cell)
  return flat === undefined ? undefined : positionAt(tensor.shape, flat).map((n, a) => n + tensor.first[a]!)
}

export function shapeModel(state: ShapeState, focus: Focus | null = null): ShapeFrame {
  try {
    return frameOf(state, focus)
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'FoveaError') throw error
    // the library's own words: rule, values, remedy
    return { views: [], facts: [], speak: error.message, problem: error.message }
  }
}

function frameOf(state: ShapeState, focus: Focus | null): ShapeFrame {
  const numbers = numbersOf(state)
  const flat = flatAt(numbers.output.shape, chosenOutput(state, numbers.output))
  const shown: Focus = focus && focus.flat < numbers[focus.side].values.length ? focus : { side: 'output', flat }
  const terms = numbers.terms.filter((term) => term[sides.indexOf(shown.side)] === shown.flat)
  const views = sides.map((side) => viewOf(state, numbers, side, shown, terms))
  return {
    views: sameScale([...views, ...backwardViews(state, numbers, shown)]),
    answer: { name: 'output size', text: sizeLines(state, numbers).join(',  ') },
    facts: factsOf(state, numbers, shown, terms),
    speak: speech(numbers, shown, terms),
    tensors: numbers,
  }
}

/** Position on the output's canvas; the state counts from the first output that isn't cropped. */
function chosenOutput(state: ShapeState, { shape, first }: Tensor): number[] {
  const at = state.at ?? shape.map(() => 0)
  return shape.map((size, a) => Math.min(Math.max(at[a]! - first[a]!, 0), size - 1))
}

const gridOf = (tensor: Tensor): Sheet => sheetOf(tensor.shape)

function viewOf(state: ShapeState, numbers: Numbers, side: Side, shown: Focus, terms: readonly Term[]): View {
  const tensor = numbers[side]
  const sheet = gridOf(tensor)
  const uses = state.o === 'use' && side !== 'kernel'
  const values = !uses ? tensor.values : side === 'input' ? numbers.inputUses : numbers.outputUses
  const taps = [...new Set(terms.map((term) => term[sides.indexOf(side)]!))].map(sheet.cellOf)
  const unread = side === 'input' && numbers.inputUses.some((count) => count === 0)
  return {
    name: side,
    title: titleOf(state, numbers, side),
    rows: sheet.rows,
    columns: sheet.columns,
    values: onSheet(sheet, values),
    scale: uses ? 'heat' : 'signed',
    limit: uses ? limitOf([...numbers.inputUses, ...numbers.outputUses]) : limitOf(values),
    ...origin(tensor),
    ...(tensor.outside?.includes(1) ? { padding: onSheet(sheet, tensor.outside) } : {}),
    ...(unread
      ? {
          unread: onSheet(
            sheet,
            numbers.inputUses.map((count) => (count === 0 ? 1 : 0)),
          ),
        }
      : {}),
    ...(side === shown.side
      ? { boxes: [boxAt(sheet, shown.flat, 'pin')] }
      : { taps, boxes: windows(sheet, terms, side, shown) }),
  }
}

/** Indices of the first row and column; of slices only those of the first. */
const origin = ({ first }: Tensor) => ({ firstRow: first.at(-2) ?? 0, firstColumn: first.at(-1)! })

function boxAt(sheet: Sheet, flat: number, kind: Box['kind']): Box {
  const cell = sheet.cellOf(flat)
  return { row: Math.floor(cell / sheet.columns), column: cell % sheet.columns, rows: 1, columns: 1, kind }
}

/** The box around all that one output reads, or that one input paints: one in each slice. */
function windows(sheet: Sheet, terms: readonly Term[], side: Side, shown: Focus): Box[] {
  if (side === 'kernel' || shown.side === 'kernel' || terms.length === 0) return []
  const positions = terms.map((term) => positionAt(sheet.shape, term[sides.indexOf(side)]!))
  const slices = new Map<number, number[][]>()
  for (const at of positions) {
    const slice = at.length === 3 ? at[0]! : 0
    slices.set(slice, [...(slices.get(slice) ?? []), at])
  }
  return [...slices.values()].map((cells) => {
    const low = cells[0]!.map((_, a) => Math.min(...cells.map((at) => at[a]!)))
    const high = cells[0]!.map((_, a) => Math.max(...cells.map((at) => at[a]!)))
    const { row, column } = boxAt(sheet, flatAt(sheet.shape, low), 'window')
    const rows = low.length === 1 ? 1 : high.at(-2)! - low.at(-2)! + 1
    return { row, column, rows, columns: high.at(-1)! - low.at(-1)! + 1, kind: 'window' }
  })
}

const by = (shape: readonly number[]) => shape.join('\u00d7')

function titleOf(state: ShapeState, { spec, output }: Numbers, side: Side): string {
  const [from, to] = state.t ? [spec.output, spec.input] : [spec.input, spec.output]
  if (side === 'kernel') return `${state.t && state.w === 'gather' ? 'turned kernel' : 'kernel'} ${by(spec.kernel)}`
  if (side === 'output') return `output ${by(to)}${output.outside?.includes(1) ? ', cropped' : ''}`
  const pads = [...spec.padLow, ...spec.padHigh]
  if (state.t) return `input ${by(from)}${state.w === 'gather' ? ', spread with zeros' : ''}`
  const even = pads.every((n) => n === pads[0])
  return `input ${by(from)}${pads.some((n) => n > 0) ? ` + ${even ? pads[0] : 'padding'}` : ''}`
}

function backwardViews(state: ShapeState, numbers: Numbers, shown: Focus): View[] {
  if (!numbers.backward) return []
  const from = state.b === 'all' ? 'every output' : 'one output'
  const titles = { input: 'flows back to the input', kernel: 'flows back to the kernel', output: `arrives at ${from}` }
  return sides.map((side) => {
    const tensor = numbers.backward![side]
    const sheet = gridOf(tensor)
    return {
      name: `${side}-gradient`,
      title: titles[side],
      rows: sheet.rows,
      columns: sheet.columns,
      values: onSheet(sheet, tensor.values),
      scale: 'signed',
      limit: limitOf(tensor.values),
      ...(shown.side === 'kernel' && side === 'kernel' ? { boxes: [boxAt(sheet, shown.flat, 'trace')] } : {}),
    }
  })
}

function factsOf(state: ShapeState, numbers: Numbers, shown: Focus, terms: readonly Term[]): Fact[] {
  const { spec } = numbers
  const facts: Fact[] = []
  const sum = sumText(numbers, shown, terms)
  if (sum) facts.push(sum)
  const unread = numbers.inputUses.filter((count) => count === 0).length
  facts.push({
    name: 'never read',
    text:
      unread === 0 ? 'no cell: every one feeds an output' : `${unread} of ${numbers.inputUses.length} cells, hatched`,
  })
  if (state.p === 'same' || state.p === 'sameLower' || state.p === 'causal' || state.p === 'full')
    facts.push({ name: 'padding', text: paddingText(state, numbers) })
  if (state.t) facts.push({ name: 'output padding', text: ambiguity(state) })
  facts.push({
    name: 'cost',
    text: `${grouped(parameterCount(spec))} weights, ${grouped(multiplyAccumulates(spec))} MACs (taps on padding counted)`,
  })
  return facts
}

/** The formula with its numbers, once for axes that agree. */
function sizeLines(state: ShapeState, { spec }: Numbers): string[] {
  const lines = spec.input.map((_, a) => {
    const [k, s, d, low, high] = [
      spec.kernel[a]!,
      spec.stride[a]!,
      spec.dilation[a]!,
      spec.padLow[a]!,
      spec.padHigh[a]!,
    ]
    const reach = `${d}\u00b7(${k}\u22121)`
    if (!state.t)
      return `\u230a(${spec.input[a]} + ${low} + ${high} \u2212 ${reach} \u2212 1)/${s}\u230b + 1 = ${spec.output[a]}`
    const extra = axesOf(state, state.op)[a]!
    return `${s}\u00b7(${spec.output[a]}\u22121) + ${reach} + 1 \u2212 ${low} \u2212 ${high} + ${extra} = ${spec.input[a]}`
  })
  return [...new Set(lines)]
}

/** The chosen output as a sum, at most `most` of its products written out. */
function sumText(numbers: Numbers, shown: Focus, terms: readonly Term[], most = 27): Fact | undefined {
  if (shown.side !== 'output') return undefined
  const { input, kernel, output } = numbers
  const products = terms.map(([x, w]) => `${decimals(input.values[x]!)}\u00b7${bracketed(kernel.values[w]!)}`)
  const text = products.length === 0 ? '0' : products.slice(0, most).join(' + ')
  const rest = products.length > most ? ` + ${products.length - most} more` : ''
  return { name: named('y', output, shown.flat), text: `${text}${rest} = ${decimals(output.values[shown.flat]!)}` }
}

const bracketed = (value: number) => (value < 0 ? `(${decimals(value)})` : decimals(value))

const named = (name: string, tensor: Tensor, flat: number) =>
  `${name}[${positionAt(tensor.shape, flat)
    .map((n, a) => String(n + tensor.first[a]!).replace('-', '\u2212'))
    .join(',')}]`

function paddingText(state: ShapeState, { spec }: Numbers): string {
  const pairs = [...new Set(spec.padLow.map((low, a) => `${low} before, ${spec.padHigh[a]} behind`))].join('; ')
  const why: Record<string, string> = {
    same: spec.stride.some((s) => s > 1)
      ? `${state.p} at stride ${by(spec.stride)} means \u2308n/s\u2309, not n`
      : 'output = input',
    full: 'd\u00b7(k\u22121) on both sides',
    causal: 'd\u00b7(k\u22121) in front: nothing from later',
  }
  return `${pairs} (${why[state.p === 'sameLower' ? 'same' : state.p]})`
}

function ambiguity(state: ShapeState): string {
  const [k, s, d] = [state.k[0]!, state.s[0]!, state.d[0]!]
  if (state.p !== 'own') return 'one more cell at the end for each'
  const sizes = sizesWithSameOutput(state.i[0]!, k, s, d, state.lo[0]!, state.hi[0]!).filter((n) => n >= 1)
  const same = sizes.filter((n) => outputSize(n, k, s, d, state.lo[0]!, state.hi[0]!) === state.i[0]!)
  return same.length < 2
    ? `no choice: only size ${same.join()} becomes ${state.i[0]} under the forward convolution`
    : `sizes ${same.join(', ')} all become ${state.i[0]} under the forward convolution; it says which`
}

function speech(numbers: Numbers, shown: Focus, terms: readonly Term[]): string {
  const tensor = numbers[shown.side]
  const place = positionAt(tensor.shape, shown.flat)
    .map((n, a) => String(n + tensor.first[a]!).replace('-', 'minus '))
    .join(', ')
  const value = spoken(tensor.values[shown.flat]!)
  const size = `Output ${numbers.output.shape.join(' by ')}.`
  if (shown.side !== 'output') return `${shown.side} ${place}: ${value}; in ${terms.length} products. ${size}`
  return `${size} Output ${place} is ${value}, a sum of ${terms.length} products.`
}
