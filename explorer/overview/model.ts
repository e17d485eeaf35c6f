import {
  convSpec,
  convTransposeSpec,
  forEachTerm,
  inputGradient,
  output,
  parameterCount,
  useCounts,
  withBorder,
} from 'fovea/conv'
import { type Box, type Frame, limitOf, percentileLimit, type Scale, type View } from '../shared/frame.ts'
import { grouped, short } from '../shared/numbers.ts'
import { camera } from './camera.ts'
import type { OverviewState } from './state.ts'

/** A small figure: its views, and what it says in one line. */
export interface Mini {
  readonly name: string
  readonly views: readonly View[]
  readonly text: string
}

const kernels: Record<OverviewState['k'], readonly number[]> = {
  sobelX: [-1, 0, 1, -2, 0, 2, -1, 0, 1],
  sobelY: [-1, -2, -1, 0, 0, 0, 1, 2, 1],
  laplace: [0, 1, 0, 1, -4, 1, 0, 1, 0],
  blur: new Array<number>(9).fill(1 / 9),
}

interface Look extends Partial<View> {
  readonly scale?: Scale
  readonly limit?: number
}

function view(name: string, title: string, columns: number, values: ArrayLike<number>, look: Look = {}): View {
  return {
    name,
    title,
    rows: values.length / columns,
    columns,
    values,
    scale: 'signed',
    limit: limitOf(Array.from(values).filter((value) => !Number.isNaN(value))),
    ...look,
  }
}

const square = (n: number) => [1, n, n, 1]
const kernelSquare = (k: number) => [k, k, 1, 1]

let lastMap: { k: OverviewState['k']; values: Float64Array } | undefined

/** The photo's feature map; kept, since it alone takes more than a millisecond. */
function photoMap(k: OverviewState['k']): Float64Array {
  if (lastMap?.k !== k) {
    const { rows, columns, values } = camera
    const size = [rows, columns]
    const padded = withBorder(values, size, { low: [1, 1], high: [1, 1], mode: 'replicate' })
    const spec = convSpec([1, rows + 2, columns + 2, 1], kernelSquare(3))
    lastMap = { k, values: output(spec, padded, kernels[k]) }
  }
  return lastMap.values
}

function featureMap({ k }: OverviewState): Mini {
  const map = photoMap(k)
  const below = map.reduce((count, value) => count + Number(value < 0), 0)
  return {
    name: 'map',
    views: [
      view('photo', 'photo', camera.columns, camera.values, { scale: 'grey', limit: 1 }),
      view('kernel', 'kernel', 3, kernels[k]),
      view('map', 'feature map', camera.columns, map, { limit: percentileLimit(map) }),
    ],
    text: `${camera.rows}×${camera.columns} sums of nine products; ${Math.round((100 * below) / map.length)}% are negative.`,
  }
}

/** A slanting edge. */
const edge = Float64Array.from({ length: 25 }, (_, i) => Math.min(Math.max((i % 5) + Math.floor(i / 5) - 2, 0), 3))

const windowAt = (row: number, column: number, size: number): Box => ({
  row,
  column,
  rows: size,
  columns: size,
  kind: 'window',
})

function oneNumber({ at }: OverviewState): Mini {
  const spec = convSpec(square(5), kernelSquare(3))
  const w = kernels.sobelX
  const y = output(spec, edge, w)
  const [row, column] = [Math.floor(at / 3), at % 3]
  const terms: string[] = []
  forEachTerm(spec, (xi, wi, yi) => {
    if (yi === at && w[wi] !== 0) terms.push(`${short(edge[xi]!)}·${w[wi]! < 0 ? `(${short(w[wi]!)})` : short(w[wi]!)}`)
  })
  return {
    name: 'number',
    views: [
      view('input', 'nine windows', 5, edge, { boxes: [windowAt(row, column, 3)] }),
      view('weights', 'their weights', 3, w),
      view('result', 'nine results', 3, y, { boxes: [{ ...windowAt(row, column, 1), kind: 'pin' }] }),
    ],
    text: `y[${row},${column}] = ${terms.join(' + ')} = ${short(y[at]!)}`,
  }
}

/** A slanting edge again, of more pixels. */
const edge7 = Float64Array.from({ length: 49 }, (_, i) => Math.min(Math.max((i % 7) + Math.floor(i / 7) - 4, 0), 3))

function stride({ s }: OverviewState): Mini {
  const spec = convSpec(square(7), kernelSquare(3), { stride: s })
  const [rows] = spec.output as [number]
  const middles = Array.from({ length: rows * rows }, (_, i) => {
    const [row, column] = [Math.floor(i / rows) * s + 1, (i % rows) * s + 1]
    return row * 7 + column
  })
  return {
    name: 'stride',
    views: [
      view('steps', 'input: where the kernel stops', 7, edge7, {
        taps: middles,
        boxes: [windowAt(0, 0, 3), { ...windowAt(0, s, 3), kind: 'trace' }],
      }),
      view('strided', 'output of this stride', rows, output(spec, edge7, kernels.sobelX)),
    ],
    text: `⌊(7 − 3)/${s}⌋ + 1 = ${rows}: the output is ${rows}×${rows}.`,
  }
}

function padding({ p }: OverviewState): Mini {
  const spec = convSpec(square(7), kernelSquare(3), { padding: p })
  const counts = useCounts(spec)
  const [corner, middle] = [counts[0]!, counts[24]!]
  return {
    name: 'padding',
    views: [view('uses', 'how often each pixel is read', 7, counts, { limit: 9 })],
    text: `${spec.output[0]}×${spec.output[1]} results; a corner is read ${corner} time${corner === 1 ? '' : 's'}, the middle ${middle}.`,
  }
}

function border({ e }: OverviewState): Mini {
  const row = Float64Array.from({ length: 6 }, (_, i) => i + 1)
  const values = withBorder(row, [6], { low: [4], high: [4], mode: e })
  const outside = Array.from(values, (_, i) => Number(i < 4 || i >= 10))
  return {
    name: 'border',
    views: [
      view('bordered', `1 to 6 with four cells more on each side`, 14, values, { padding: outside, firstColumn: -4 }),
    ],
    text: {
      zero: 'Zeros stand outside.',
      reflect: 'A mirror on the last pixel, which isn’t repeated.',
      symmetric: 'A mirror behind the last pixel, which is repeated.',
      replicate: 'The last pixel goes on.',
      circular: 'The other end comes again, as on a ring.',
    }[e],
  }
}

const channels = 8

/** Weights between channels of a layer with so many groups; NaN for none. */
function connections(groups: number, weights: number): Float64Array {
  const within = channels / groups
  return Float64Array.from({ length: channels * channels }, (_, i) =>
    Math.floor(Math.floor(i / channels) / within) === Math.floor((i % channels) / within) ? weights : Number.NaN,
  )
}

function separable({ g }: OverviewState): Mini {
  const groups = 2 ** g
  const input = [1, 8, 8, channels]
  const count = (k: number, within: number, n: number) =>
    parameterCount(convSpec(input, [k, k, within, channels], { groups: n, padding: 'same' }))
  const standard = count(3, channels, 1)
  const pair = count(3, channels / groups, groups) + count(1, channels, 1)
  return {
    name: 'separable',
    views: [
      view('standard', 'standard', channels, connections(1, 9), { limit: 9 }),
      view(
        'spatial',
        groups === channels ? 'depthwise' : `${groups} group${groups === 1 ? '' : 's'}`,
        channels,
        connections(groups, 9),
        { limit: 9 },
      ),
      view('pointwise', 'pointwise', channels, connections(1, 1), { limit: 9 }),
    ],
    text: `${grouped(standard)} weights, or ${grouped(pair)} in two layers.`,
  }
}

function dilation({ d }: OverviewState): Mini {
  const spec = convSpec(square(9), kernelSquare(3), { dilation: d })
  const reads = new Float64Array(81)
  const [rows] = spec.output as [number]
  const middle = Math.floor((rows * rows) / 2)
  const taps: number[] = []
  forEachTerm(spec, (xi, _, yi) => {
    if (yi !== middle) return
    reads[xi] = 1
    taps.push(xi)
  })
  const size = 2 * d + 1
  return {
    name: 'dilation',
    views: [
      view('taps', 'the nine pixels that one result reads', 9, reads, {
        taps,
        boxes: [windowAt(4 - d, 4 - d, size)],
        texts: new Array<string>(81).fill(''),
      }),
    ],
    text: `Nine weights see ${size}×${size} pixels: 2·${d} + 1 = ${size}.`,
  }
}

function transposed({ t }: OverviewState): Mini {
  const spec = convTransposeSpec(square(3), kernelSquare(3), { stride: t })
  const values = inputGradient(spec, new Float64Array(9).fill(1), new Float64Array(9).fill(1))
  const [rows] = spec.input as [number]
  return {
    name: 'transposed',
    views: [
      view('small', 'small input', 3, new Float64Array(9).fill(1), { limit: 9 }),
      view('overlap', 'output: each input adds 3×3', rows, values, { limit: 9 }),
    ],
    text: `${t}·(3 − 1) + 3 = ${rows}: 3×3 becomes ${rows}×${rows}${t === 2 ? ', unevenly: a checkerboard' : ''}.`,
  }
}

/** The small figures in the order of the page. */
export const minis = (state: OverviewState): readonly Mini[] =>
  [featureMap, oneNumber, stride, padding, border, separable, dilation, transposed].map((make) => make(state))

export function model(state: OverviewState): Frame {
  const all = minis(state)
  return {
    views: all.flatMap(({ views }) => views),
    facts: [],
    speak: all.map(({ text }) => text).join(' '),
  }
}
