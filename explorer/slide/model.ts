import {
  borderGradient,
  type ConvSpec,
  convSpec,
  explainOutput,
  inputGradient,
  kernelGradient,
  multiplyAccumulates,
  output,
  withBorder,
} from 'fovea/conv'
import type { Matrix } from '../shared/fields.ts'
import { type Box, type Fact, type Frame, limitOf, sameScale, type View } from '../shared/frame.ts'
import { decimals, pretty, spoken } from '../shared/numbers.ts'
import type { SlideState } from './state.ts'

/** One of the products of the chosen output: its number among the kernel's cells. */
export type Tap = number

interface Numbers {
  readonly spec: ConvSpec
  /** Around the input. */
  readonly pad: number
  readonly x: Float64Array
  readonly w: Float64Array
  readonly y: Float64Array
  /** Row and column of the chosen output, and of its window on the padded input. */
  readonly at: readonly [number, number]
  readonly window: readonly [number, number]
  readonly products: Float64Array
}

const rowsOf = (matrix: Matrix): readonly [number, number] => [matrix.length, matrix[0]!.length]
const flatten = (matrix: Matrix) => Float64Array.from(matrix.flat())

function numbersOf(state: SlideState): Numbers {
  const [rows, columns] = rowsOf(state.X)
  const pad = state.p
  const padded = [rows + 2 * pad, columns + 2 * pad]
  const spec = convSpec([1, ...padded, 1], [...rowsOf(state.K), 1, 1], { stride: state.s })
  const x = withBorder(flatten(state.X), [rows, columns], { low: [pad, pad], high: [pad, pad], mode: 'zero' })
  const w = state.f ? flatten(state.K).reverse() : flatten(state.K)
  const across = spec.output[1]!
  const at = [Math.floor(state.n / across), state.n % across] as const
  const window = [at[0] * state.s, at[1] * state.s] as const
  return {
    spec,
    pad,
    x,
    w,
    y: output(spec, x, w).map((sum) => sum + state.b),
    at,
    window,
    products: w.map((weight, tap) => weight * x[inputOf(spec, window, tap)]!),
  }
}

/** The cell of the padded input under a tap of a window. */
const inputOf = (spec: ConvSpec, [row, column]: readonly [number, number], tap: Tap) =>
  (row + Math.floor(tap / spec.kernel[1]!)) * spec.input[1]! + column + (tap % spec.kernel[1]!)

/** The tap whose input is a cell of the padded input; undefined outside the window. */
export function tapAt(state: SlideState, cell: number): Tap | undefined {
  const { spec, window } = numbersOf(state)
  const taps = Array.from({ length: spec.kernel[0]! * spec.kernel[1]! }, (_, tap) => tap)
  return taps.find((tap) => inputOf(spec, window, tap) === cell)
}

export function slideModel(state: SlideState, tap: Tap | null = null): Frame {
  try {
    return frameOf(state, numbersOf(state), tap)
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'FoveaError') throw error
    return { views: [], facts: [], speak: error.message, problem: error.message }
  }
}

const grid = ([rows, columns]: readonly number[], values: Float64Array) => ({
  rows: rows!,
  columns: columns!,
  values,
  scale: 'signed' as const,
  limit: limitOf(values),
})

const cellBox = (columns: number, cell: number, kind: Box['kind']): Box => ({
  row: Math.floor(cell / columns),
  column: cell % columns,
  rows: 1,
  columns: 1,
  kind,
})

function frameOf(state: SlideState, numbers: Numbers, tap: Tap | null): Frame {
  const { spec, pad, x, w, y, at, window, products } = numbers
  const [rows, columns] = spec.kernel as [number, number]
  const pointed = (width: number, cell: number | null) => (cell === null ? [] : [cellBox(width, cell, 'trace')])
  const [height, width] = spec.input as [number, number]
  const inside = (cell: number) => {
    const [row, column] = [Math.floor(cell / width), cell % width]
    return row >= pad && column >= pad && row < height - pad && column < width - pad
  }
  const input: View = {
    name: 'input',
    title: `input ${height - 2 * pad}\u00d7${width - 2 * pad}${pad > 0 ? ` + ${pad}` : ''}`,
    ...grid(spec.input, x),
    firstRow: -pad,
    firstColumn: -pad,
    ...(pad > 0 ? { padding: Uint8Array.from(x, (_, cell) => (inside(cell) ? 0 : 1)) } : {}),
    boxes: [
      { row: window[0], column: window[1], rows, columns, kind: 'window' },
      ...pointed(width, tap === null ? null : inputOf(spec, window, tap)),
    ],
    editable: true,
  }
  const views: View[] = [
    input,
    {
      name: 'kernel',
      title: state.f ? 'kernel, turned' : 'kernel',
      ...grid(spec.kernel, w),
      boxes: pointed(columns, tap),
      editable: true,
    },
    { name: 'products', title: 'products', ...grid(spec.kernel, products), boxes: pointed(columns, tap) },
    {
      name: 'output',
      title: `output ${spec.output.join('\u00d7')}`,
      ...grid(spec.output, y),
      boxes: [cellBox(spec.output[1]!, state.n, 'pin')],
    },
  ]
  return {
    // one scale: the same number has the same colour in every grid
    views: sameScale([...views, ...backwardViews(state, numbers, tap)]),
    answer: answerOf(state, numbers),
    facts: factsOf(state, numbers),
    speak: `Output row ${at[0]}, column ${at[1]} is ${spoken(y[state.n]!)}: ${products.length} products and bias ${spoken(state.b)}.`,
  }
}

/** What flows back: by the library's gradients of the same spec. */
function backwardViews(state: SlideState, { spec, pad, x, w, at }: Numbers, tap: Tap | null): View[] {
  const g = new Float64Array(spec.output[0]! * spec.output[1]!)
  if (state.g === 'all') g.fill(1)
  else g[state.n] = 1
  const size = rowsOf(state.X)
  const border = { low: [pad, pad], high: [pad, pad], mode: 'zero' as const }
  const dx = borderGradient(inputGradient(spec, g, w), size, border)
  const dw = kernelGradient(spec, x, g)
  const row = at[0] * state.s - pad
  const column = at[1] * state.s - pad
  const clipped = {
    row: Math.max(row, 0),
    column: Math.max(column, 0),
    rows: Math.min(row + spec.kernel[0]!, size[0]) - Math.max(row, 0),
    columns: Math.min(column + spec.kernel[1]!, size[1]) - Math.max(column, 0),
  }
  const seen = state.g === 'one' && clipped.rows > 0 && clipped.columns > 0
  return [
    {
      name: 'input-gradient',
      title: 'flows back to each input',
      ...grid(size, dx),
      ...(seen ? { boxes: [{ ...clipped, kind: 'window' as const }] } : {}),
    },
    {
      name: 'kernel-gradient',
      title: 'to each weight',
      ...grid(spec.kernel, dw),
      boxes: tap === null ? [] : [cellBox(spec.kernel[1]!, tap, 'trace')],
    },
    {
      name: 'output-gradient',
      title: state.g === 'all' ? '1 arrives at every output' : '1 arrives at this output',
      ...grid(spec.output, g),
      ...(state.g === 'one' ? { boxes: [cellBox(spec.output[1]!, state.n, 'pin' as const)] } : {}),
    },
  ]
}

const bracketed = (value: number) => (value < 0 ? `(${decimals(value)})` : decimals(value))

function answerOf(state: SlideState, { spec, x, w, y, at, window }: Numbers): Fact {
  const terms = Array.from(w, (weight, tap) => `${decimals(x[inputOf(spec, window, tap)]!)}\u00b7${bracketed(weight)}`)
  const bias = state.b === 0 ? '' : ` + ${bracketed(state.b)}`
  return { name: `y[${at.join(',')}] =`, text: `${terms.join(' + ')}${bias} = ${decimals(y[state.n]!)}` }
}

function factsOf(state: SlideState, { spec, w, y }: Numbers): Fact[] {
  const count = state.g === 'all' ? y.length : 1
  return [
    { name: 'output size', text: [...new Set(explainOutput(spec).map(pretty))].join(', ') },
    { name: 'cost', text: `${w.length} MACs for each of ${y.length} outputs, ${multiplyAccumulates(spec)} in all` },
    {
      name: 'backward',
      text: `an input gets the weights it met, a weight the inputs it met, the bias ${count} (one for each gradient)`,
    },
  ]
}
