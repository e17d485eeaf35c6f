import { type Border, borderGradient, borderMap, convSpec, useCounts, withBorder } from 'fovea/conv'
import { type Fact, type Frame, limitOf, type View } from '../shared/frame.ts'
import { spoken } from '../shared/numbers.ts'
import { type BordersState, type Mode, modes } from './state.ts'

/** An F, since no mirror leaves it as it is; its strokes differ, so that each cell can be told. */
const letter = [
  [9, 8, 7, 6, 5],
  [8, 0, 0, 0, 0],
  [7, 6, 5, 0, 0],
  [6, 0, 0, 0, 0],
  [5, 0, 0, 0, 0],
]

const pictures: Readonly<Record<BordersState['x'], (n: number, row: number, column: number) => number>> = {
  letter(n, row, column) {
    const at = (i: number) => Math.min(Math.floor((i * 5) / n), 4)
    return letter[at(row)]![at(column)]!
  },
  numbers: (n, row, column) => n * row + column + 1,
  slope: (_, row, column) => row + column + 1,
}

export function inputOf({ x, n }: BordersState): Float64Array {
  return Float64Array.from({ length: n * n }, (_, i) => pictures[x](n, Math.floor(i / n), i % n))
}

const around = (mode: Mode, width: number): Border => ({ low: [width, width], high: [width, width], mode })

/** The cell looked at, or the one that shows most: in the border's corner. */
export const lookedAt = ({ at, p }: BordersState): readonly [number, number] =>
  at ? [at[0]!, at[1]!] : [Math.max(p - 2, 0), Math.max(p - 1, 0)]

export function bordersModel(state: BordersState, pointed: readonly [number, number] | null = null): Frame {
  const at = pointed ?? lookedAt(state)
  const views = modes.map((mode) => borderView(state, mode, at))
  const counts = countViews(state)
  return {
    views: [...views, ...counts],
    answer: sourcesOf(state, at),
    facts: factsOf(state),
    speak: speech(state, at),
  }
}

function borderView(state: BordersState, mode: Mode, at: readonly [number, number]): View {
  const { n, p } = state
  const size = n + 2 * p
  const x = inputOf(state)
  const map = borderMap(mode, n, p, p)
  const [row, column] = [map[at[0]]!, map[at[1]]!]
  const from = at[0] * size + at[1]
  const source = row < 0 || column < 0 ? undefined : (row + p) * size + column + p
  return {
    name: mode,
    title: mode,
    rows: size,
    columns: size,
    values: withBorder(x, [n, n], around(mode, p)),
    scale: 'signed',
    limit: limitOf(x),
    firstRow: -p,
    firstColumn: -p,
    padding: Uint8Array.from({ length: size * size }, (_, i) => {
      const [r, c] = [Math.floor(i / size), i % size]
      return r >= p && r < n + p && c >= p && c < n + p ? 0 : 1
    }),
    boxes: [
      { row: p, column: p, rows: n, columns: n, kind: 'window' },
      { row: at[0], column: at[1], rows: 1, columns: 1, kind: 'pin' },
    ],
    ...(source === undefined || source === from ? {} : { arrows: [[from, source]] }),
  }
}

export const strategies = ['valid', 'same', 'full'] as const

/** How many outputs read each input, its copies in the border counted with it. */
export function usesOf({ n, k, s, pa }: BordersState, padding: (typeof strategies)[number]): Float64Array {
  const spec = convSpec([1, n, n, 1], [k, k, 1, 1], { stride: s, padding })
  const padded = spec.input.map((size, axis) => size + spec.padLow[axis]! + spec.padHigh[axis]!)
  const counts = useCounts(convSpec([1, ...padded, 1], [k, k, 1, 1], { stride: s }))
  return borderGradient(counts, [n, n], { low: spec.padLow, high: spec.padHigh, mode: pa })
}

function countViews(state: BordersState): View[] {
  const counts = strategies.map((strategy) => usesOf(state, strategy))
  const limit = Math.max(...counts.map((values) => limitOf(values)))
  return strategies.map((strategy, i) => ({
    name: `uses-${strategy}`,
    title: `${strategy}: ${evenness(counts[i]!)}`,
    rows: state.n,
    columns: state.n,
    values: counts[i]!,
    scale: 'heat',
    limit,
    unread: counts[i]!.map((count) => (count === 0 ? 1 : 0)),
  }))
}

function evenness(counts: Float64Array): string {
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  return least === most ? `every cell ${least} times` : `${least} to ${most} times`
}

const letters = 'abcd'

/** A row a b c d with its border: `0 0 [ a b c d ] 0 0` */
function patternOf(mode: Mode, width: number): string {
  const shown = Math.min(width, 4)
  const map = borderMap(mode, letters.length, shown, shown)
  const text = map.map((source) => (source < 0 ? '0' : letters[source]!))
  const end = shown + letters.length
  return `${[...text.slice(0, shown), '[', ...text.slice(shown, end), ']', ...text.slice(end)].join(' ')}`
}

function sourcesOf(state: BordersState, at: readonly [number, number]): Fact {
  const shown = at.map((i) => String(i - state.p).replace('-', '\u2212')).join(', ')
  const sources = modes.map((mode) => {
    const map = borderMap(mode, state.n, state.p, state.p)
    const [row, column] = [map[at[0]]!, map[at[1]]!]
    return `${mode} ${row < 0 || column < 0 ? 'is 0' : `reads [${row}, ${column}]`}`
  })
  return { name: `cell [${shown}]:`, text: sources.join(', ') }
}

function factsOf(state: BordersState): Fact[] {
  const { k, s, n, pa } = state
  return [
    ...modes.map((mode) => ({ name: mode, text: patternOf(mode, state.p) })),
    { name: 'counts', text: `a ${k}\u00d7${k} kernel at stride ${s} over ${n}\u00d7${n} cells, border ${pa}` },
  ]
}

function speech(state: BordersState, at: readonly [number, number]): string {
  const place = at.map((i) => String(i - state.p).replace('-', 'minus ')).join(', column ')
  const values = modes.map((mode) => {
    const padded = withBorder(inputOf(state), [state.n, state.n], around(mode, state.p))
    return `${mode} ${spoken(padded[at[0] * (state.n + 2 * state.p) + at[1]]!)}`
  })
  return `Row ${place}: ${values.join(', ')}.`
}
