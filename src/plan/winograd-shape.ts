import { stridesOf } from '../base/shape.ts'
import { type Contraction, type ConvSpec, kernelShape } from '../conv/spec.ts'
import type { Lanes } from '../kernel/ir.ts'
import { packedLength } from './contraction.ts'
import { type CookToom, cookToom } from './cook-toom.ts'

/** A stride-1 convolution in tiles of `outputs` x `outputs`, of whichever contraction. Axes: [rows, columns]. */
export interface Tiling {
  readonly transform: CookToom
  readonly batch: number
  readonly input: readonly [number, number]
  readonly output: readonly [number, number]
  /** Zeros before the first row and column; negative: rows and columns that nobody reads. */
  readonly low: readonly [number, number]
  readonly inChannels: number
  readonly outChannels: number
  /** Tiles along each axis. */
  readonly tiles: readonly [number, number]
  /** Samples whose tiles are worked on together, and rows of tiles: what is transformed stays in the cache. */
  readonly samples: number
  readonly rows: number
  /** Floats from one point's [tiles of a chunk][channels] to the next's, of inputs and of products. */
  readonly inputPitch: number
  readonly productPitch: number
  /** Channels that one point of a transform's axes works on. */
  readonly inputPart: number
  readonly outputPart: number
  /** Where the weights lie: of a tap counted forwards, a channel read and a channel made. */
  readonly weights: {
    readonly offset: number
    readonly taps: readonly [number, number]
    readonly in: number
    readonly out: number
  }
}

/** Keeps neighbouring points out of the same lines of the cache. */
const pad = 16

/** Channels are shared between points where that many go to each. */
const part = 32

const partOf = (channels: number): number => (channels % part === 0 ? part : channels)

/**
 * @param cache bytes that the transformed inputs and products of a chunk may take; as many as the weights do are no
 * loss, since the weights are read once a chunk
 */
export function tiling(contraction: Contraction, spec: ConvSpec, outputs: number, cache = 2 ** 20): Tiling {
  const [taps] = spec.kernel as [number, number]
  const transform = cookToom(outputs, taps)
  const forwards = contraction === 'output'
  const pair = (list: readonly number[]): [number, number] => [list[0]!, list[1]!]
  const output = pair(forwards ? spec.output : spec.input)
  const inChannels = forwards ? spec.inChannels : spec.outChannels
  const outChannels = forwards ? spec.outChannels : spec.inChannels
  const tiles: [number, number] = [Math.ceil(output[0] / outputs), Math.ceil(output[1] / outputs)]
  const points = transform.size ** 2
  const most = Math.max(cache / 4, points * inChannels * outChannels)
  const perRow = points * tiles[1] * (inChannels + outChannels)
  const rows = Math.max(1, Math.min(tiles[0], Math.floor(most / perRow)))
  const parts = Math.ceil(tiles[0] / rows)
  let samples = parts > 1 ? 1 : Math.max(1, Math.min(spec.batch, Math.floor(most / (perRow * tiles[0]))))
  while (spec.batch % samples !== 0) samples--
  const even = Math.ceil(tiles[0] / parts)
  const [ky, kx, ki, ko] = stridesOf(kernelShape(spec)) as [number, number, number, number]
  const perChunk = samples * even * tiles[1]
  return {
    transform,
    batch: spec.batch,
    input: pair(forwards ? spec.input : spec.output),
    output,
    low: pair(forwards ? spec.padLow : spec.padLow.map((low) => taps - 1 - low)),
    inChannels,
    outChannels,
    tiles,
    samples,
    rows: even,
    inputPitch: perChunk * inChannels + pad,
    productPitch: perChunk * outChannels + pad,
    inputPart: partOf(inChannels),
    outputPart: partOf(outChannels),
    weights: forwards
      ? { offset: 0, taps: [ky, kx], in: ki, out: ko }
      : { offset: (taps - 1) * (ky + kx), taps: [-ky, -kx], in: ko, out: ki },
  }
}

/** Columns that the tiles of a row read. */
export const columnsRead = ({ tiles, transform }: Tiling): number => tiles[1] * transform.outputs + transform.taps - 1

/** Floats that one point of the input's transform keeps half transformed: [size][columns][channels of a part]. */
export const inputStrip = (t: Tiling): number => t.transform.size * columnsRead(t) * t.inputPart

/** The same of the output's transform. */
export const outputStrip = (t: Tiling): number => t.transform.size * t.tiles[1] * t.transform.outputs * t.outputPart

/** Floats from one point's packed weights to the next's. */
export const weightPitch = (t: Tiling, lanes: Lanes): number => packedLength(t.inChannels, t.outChannels, lanes) + pad

/** Floats of each scratch. What is half transformed lies where the products will be, or where the inputs were. */
export function scratchOf(t: Tiling, lanes: Lanes) {
  const points = t.transform.size ** 2
  const strips = t.samples * t.rows
  return {
    packed: points * weightPitch(t, lanes),
    inputs: Math.max(points * t.inputPitch, strips * (t.outChannels / t.outputPart) * outputStrip(t)),
    products: Math.max(points * t.productPitch, strips * (t.inChannels / t.inputPart) * inputStrip(t)),
  }
}

type Range = readonly [number, number]

/** Which of the rows that a row of tiles reads exist: from, to. */
export function rowsRead({ transform, input, low }: Tiling, row: number): Range {
  const first = row * transform.outputs - low[0]
  const from = Math.max(0, -first)
  const to = Math.min(transform.size, input[0] - first)
  return from < to ? [from, to] : [0, 0]
}

/** Which of the rows that a row of tiles makes exist. */
export const rowsMade = ({ transform, output }: Tiling, row: number): Range => [
  0,
  Math.min(transform.outputs, output[0] - row * transform.outputs),
]

/** Chunks of a sample: `many` of `rows` rows of tiles, one after the other from row `first` on, by the same code. */
export interface Band {
  readonly first: number
  readonly rows: number
  readonly many: number
}

/** All chunks of a sample in order; those inside are one band, those that meet a border mostly not. */
export function bands(t: Tiling): Band[] {
  const list: (Band & { readonly key: string })[] = []
  for (let first = 0; first < t.tiles[0]; first += t.rows) {
    const rows = Math.min(t.rows, t.tiles[0] - first)
    const ranges = Array.from({ length: rows }, (_, i) => [rowsRead(t, first + i), rowsMade(t, first + i)])
    const key = JSON.stringify(ranges)
    const last = list.at(-1)
    if (last?.key === key) list[list.length - 1] = { ...last, many: last.many + 1 }
    else list.push({ first, rows, many: 1, key })
  }
  return list
}

/** Neighbouring rows of a chunk that see the same part of the border. */
export interface Group {
  /** Counted from the chunk's first. */
  readonly first: number
  readonly count: number
  /** What exists of the rows that a tile reads or makes. */
  readonly range: Range
}

export function groups(band: Band, rangeOf: (row: number) => Range): Group[] {
  const list: Group[] = []
  for (let row = 0; row < band.rows; row++) {
    const range = rangeOf(band.first + row)
    const last = list.at(-1)
    if (last && last.range.join() === range.join()) list[list.length - 1] = { ...last, count: last.count + 1 }
    else list.push({ first: row, count: 1, range })
  }
  return list
}
