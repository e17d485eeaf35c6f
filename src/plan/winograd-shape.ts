import { stridesOf } from '../base/shape.ts'
import { type Contraction, type ConvSpec, kernelShape } from '../conv/spec.ts'
import type { Lanes } from '../kernel/ir.ts'
import { packedLength } from './contraction.ts'
import { type CookToom, cookToom } from './cook-toom.ts'

type Pair = readonly [number, number]

/** A map that is read in tiles, which are transformed: [points of a tile][tiles of a chunk][channels]. */
export interface Side {
  readonly source: 'a' | 'b'
  readonly target: 'inputs' | 'products'
  /** Where what is half transformed lies. */
  readonly strips: 'products' | 'strips'
  readonly matrix: CookToom['inputTransform']
  /** Rows and columns. */
  readonly extent: Pair
  /** Zeros before the first row and column; negative: rows and columns that nobody reads. */
  readonly low: Pair
  readonly channels: number
  /** Channels that one point of the transform's axes works on. */
  readonly part: number
  /** Floats from a tile's channels to the next one's, and from one point's tiles to the next one's. */
  readonly row: number
  readonly pitch: number
}

/** A stride-1 convolution in tiles of `step` x `step`, of whichever contraction. Axes: [rows, columns]. */
export interface Tiling {
  readonly transform: CookToom
  readonly batch: number
  readonly step: number
  /** The map that is cut in tiles: the one that is made, or the gradient that the kernel's is made of. */
  readonly output: Pair
  /** Of all groups, as is outChannels. */
  readonly inChannels: number
  readonly outChannels: number
  readonly groups: number
  /** Tiles along each axis. */
  readonly tiles: Pair
  /** Samples whose tiles are worked on together, and rows of tiles: what is transformed stays in the cache. */
  readonly samples: number
  readonly rows: number
  /** What is read: one map, or for the gradient of the kernel two. */
  readonly sides: readonly Side[]
  readonly productPitch: number
  readonly outputPart: number
  /** Where the weights lie: of a group, a tap counted forwards, a channel read and a channel made. */
  readonly weights: {
    readonly offset: number
    readonly group: number
    readonly taps: Pair
    readonly in: number
    readonly out: number
  }
}

/** Channels of a group. */
export const groupOf = ({ groups, inChannels, outChannels }: Tiling) => ({
  inChannels: inChannels / groups,
  outChannels: outChannels / groups,
})

/** Keeps neighbouring points out of the same lines of the cache. */
const pad = 16

/** Channels are shared between points where that many go to each. */
const part = 32

const partOf = (channels: number): number => (channels % part === 0 ? part : channels)

/**
 * @param cache bytes that the transformed inputs and products of a chunk may take; as many as the weights do are no
 * loss, since the weights are read once a chunk
 */
export function tiling(contraction: Contraction, spec: ConvSpec, step: number, cache = 2 ** 20): Tiling {
  const [taps] = spec.kernel as [number, number]
  const gradient = contraction === 'kernelGradient'
  const transform = gradient ? cookToom(taps, step) : cookToom(step, taps)
  const forwards = contraction !== 'inputGradient'
  const pair = (list: readonly number[]): Pair => [list[0]!, list[1]!]
  const output = pair(forwards ? spec.output : spec.input)
  const inChannels = forwards ? spec.inChannels : spec.outChannels
  const outChannels = forwards ? spec.outChannels : spec.inChannels
  const tiles: Pair = [Math.ceil(output[0] / step), Math.ceil(output[1] / step)]
  const points = transform.size ** 2
  const most = Math.max(cache / 4, (points * inChannels * outChannels) / spec.groups)
  const perRow = points * tiles[1] * (inChannels + outChannels)
  const rows = Math.max(1, Math.min(tiles[0], Math.floor(most / perRow)))
  const parts = Math.ceil(tiles[0] / rows)
  let samples = parts > 1 ? 1 : Math.max(1, Math.min(spec.batch, Math.floor(most / (perRow * tiles[0]))))
  while (spec.batch % samples !== 0) samples--
  const even = Math.ceil(tiles[0] / parts)
  const [ky, kx, ki, ko] = stridesOf(kernelShape(spec)) as [number, number, number, number]
  const perChunk = samples * even * tiles[1]
  // columns of tiles, as only the gradient's products read them, would meet in few lines of the cache
  const [inRow, outRow] = [inChannels, outChannels].map((n) => n + (gradient ? pad : 0)) as [number, number]
  const productPitch = perChunk * outRow + pad
  const outputPart = partOf(outChannels)
  const read: Side = {
    source: 'a',
    target: 'inputs',
    strips: 'products',
    matrix: transform.inputTransform,
    extent: pair(forwards ? spec.input : spec.output),
    low: pair(forwards ? spec.padLow : spec.padLow.map((low) => taps - 1 - low)),
    channels: inChannels,
    part: partOf(inChannels),
    row: inRow,
    pitch: perChunk * inRow + pad,
  }
  const gradients: Side = {
    source: 'b',
    target: 'products',
    strips: 'strips',
    matrix: transform.kernelTransform,
    extent: output,
    low: [0, 0],
    channels: outChannels,
    part: outputPart,
    row: outRow,
    pitch: productPitch,
  }
  return {
    transform,
    batch: spec.batch,
    step,
    output,
    inChannels,
    outChannels,
    groups: spec.groups,
    tiles,
    samples,
    rows: even,
    sides: gradient ? [read, gradients] : [read],
    productPitch,
    outputPart,
    weights: {
      group: (spec.outChannels / spec.groups) * ko,
      ...(forwards
        ? { offset: 0, taps: [ky, kx], in: ki, out: ko }
        : { offset: (taps - 1) * (ky + kx), taps: [-ky, -kx], in: ko, out: ki }),
    },
  }
}

/** Columns that the tiles of a row read. */
export const columnsRead = ({ tiles, step }: Tiling, { matrix }: Side): number =>
  tiles[1] * step + matrix[0]!.length - step

/** Floats that one point of a transform keeps half transformed: [size][columns][channels of a part]. */
export const inputStrip = (t: Tiling, side: Side): number => t.transform.size * columnsRead(t, side) * side.part

/** The same of the output's transform. */
export const outputStrip = (t: Tiling): number => t.transform.size * t.tiles[1] * t.step * t.outputPart

/** Floats from one group's packed weights, or sums, of a point to the next's. */
export function groupPitch(t: Tiling, lanes: Lanes): number {
  const { inChannels, outChannels } = groupOf(t)
  return packedLength(inChannels, outChannels, lanes)
}

/** Floats from one point's packed weights, or sums, to the next's. */
export const weightPitch = (t: Tiling, lanes: Lanes): number => t.groups * groupPitch(t, lanes) + pad

/** Floats of each scratch. What is half transformed lies where the products will be, or where the inputs were. */
export function scratchOf(t: Tiling, lanes: Lanes): Readonly<Record<string, number>> {
  const points = t.transform.size ** 2
  const strips = t.samples * t.rows
  const [read, gradients] = t.sides as [Side, Side?]
  const half = (side: Side) => strips * (side.channels / side.part) * inputStrip(t, side)
  const made = gradients ? 0 : strips * (t.outChannels / t.outputPart) * outputStrip(t)
  return {
    packed: points * weightPitch(t, lanes),
    inputs: Math.max(points * read.pitch, made),
    products: Math.max(points * t.productPitch, half(read)),
    ...(gradients && { strips: half(gradients) }),
  }
}

/** Which of the rows that a row of tiles reads exist: from, to. */
export function rowsRead({ step }: Tiling, { matrix, extent, low }: Side, row: number): Pair {
  const first = row * step - low[0]
  const from = Math.max(0, -first)
  const to = Math.min(matrix[0]!.length, extent[0] - first)
  return from < to ? [from, to] : [0, 0]
}

/** Which of the rows that a row of tiles makes exist. */
export const rowsMade = ({ step, output }: Tiling, row: number): Pair => [0, Math.min(step, output[0] - row * step)]

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
    const ranges = Array.from({ length: rows }, (_, i) => [
      ...t.sides.map((side) => rowsRead(t, side, first + i)),
      rowsMade(t, first + i),
    ])
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
  readonly range: Pair
}

export function groups(band: Band, rangeOf: (row: number) => Pair): Group[] {
  const list: Group[] = []
  for (let row = 0; row < band.rows; row++) {
    const range = rangeOf(band.first + row)
    const last = list.at(-1)
    if (last && last.range.join() === range.join()) list[list.length - 1] = { ...last, count: last.count + 1 }
    else list.push({ first: row, count: 1, range })
  }
  return list
}
