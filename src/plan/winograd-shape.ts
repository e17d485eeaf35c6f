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
  /** Rows and columns of the whole map, and of an image. */
  readonly map: Pair
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

/**
 * A stride-1 convolution in tiles of `step` x `step`, of whichever contraction. Axes: [rows, columns]. With dilation d,
 * rows and columns that lie d apart are an image of their own, to which no other contributes: d * d images of a sample,
 * those of one size in a tiling.
 */
export interface Tiling {
  readonly transform: CookToom
  readonly step: number
  readonly dilation: Pair
  /** Images: samples, and those that a sample falls into along each axis. */
  readonly images: readonly [batch: number, rows: number, columns: number]
  /** Where a sample's first image begins. */
  readonly first: Pair
  /** The map that is cut in tiles: the one that is made, or the gradient that the kernel's is made of. */
  readonly map: Pair
  /** An image of it. */
  readonly output: Pair
  /** Of all groups, as is outChannels. */
  readonly inChannels: number
  readonly outChannels: number
  readonly groups: number
  /** Tiles of an image along each axis. */
  readonly tiles: Pair
  /** Images whose tiles are worked on together, and rows of tiles: what is transformed stays in the cache. */
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

/** Neighbouring images along one axis that have one size, of what is read and of what is made. */
interface Images {
  readonly first: number
  readonly count: number
  readonly read: number
  readonly made: number
}

function imagesAlong(dilation: number, read: number, made: number): Images[] {
  const list: Images[] = []
  for (let first = 0; first < dilation; first++) {
    const [r, m] = [read, made].map((extent) => Math.ceil((extent - first) / dilation)) as [number, number]
    const last = list.at(-1)
    if (last?.read === r && last.made === m) list[list.length - 1] = { ...last, count: last.count + 1 }
    else list.push({ first, count: 1, read: r, made: m })
  }
  return list
}

/** How many of the images are worked on together: all along the last axes, and a part of the axis before. */
function together(images: Tiling['images'], most: number): number {
  let all = 1
  for (const extent of [...images].reverse()) {
    let part = Math.max(1, Math.min(extent, Math.floor(most / all)))
    while (extent % part !== 0) part--
    all *= part
    if (part < extent) break
  }
  return all
}

const pair = (list: readonly number[]): Pair => [list[0]!, list[1]!]

/** A tiling for images of each size: of an undilated convolution one. `cache`: see `tiling`. */
export function tilings(contraction: Contraction, spec: ConvSpec, step: number, cache?: number): Tiling[] {
  const forwards = contraction !== 'inputGradient'
  const [read, made] = forwards ? [spec.input, spec.output] : [spec.output, spec.input]
  const [rows, columns] = [0, 1].map((axis) => imagesAlong(spec.dilation[axis]!, read[axis]!, made[axis]!))
  return rows!.flatMap((y) => columns!.map((x) => tiling(contraction, spec, step, [y, x], cache)))
}

/**
 * @param cache bytes that the transformed inputs and products of a chunk may take; as many as the weights do are no
 * loss, since the weights are read once a chunk
 */
function tiling(
  contraction: Contraction,
  spec: ConvSpec,
  step: number,
  [y, x]: readonly [Images, Images],
  cache = 2 ** 20,
): Tiling {
  const [taps] = spec.kernel as [number, number]
  const gradient = contraction === 'kernelGradient'
  const transform = gradient ? cookToom(taps, step) : cookToom(step, taps)
  const forwards = contraction !== 'inputGradient'
  const [readMap, map] = (forwards ? [spec.input, spec.output] : [spec.output, spec.input]).map(pair) as [Pair, Pair]
  const output: Pair = [y.made, x.made]
  const inChannels = forwards ? spec.inChannels : spec.outChannels
  const outChannels = forwards ? spec.outChannels : spec.inChannels
  const tiles: Pair = [Math.ceil(output[0] / step), Math.ceil(output[1] / step)]
  const points = transform.size ** 2
  const most = Math.max(cache / 4, (points * inChannels * outChannels) / spec.groups)
  const perRow = points * tiles[1] * (inChannels + outChannels)
  const rows = Math.max(1, Math.min(tiles[0], Math.floor(most / perRow)))
  const parts = Math.ceil(tiles[0] / rows)
  const images: Tiling['images'] = [spec.batch, y.count, x.count]
  const samples = parts > 1 ? 1 : together(images, Math.floor(most / (perRow * tiles[0])))
  const even = Math.ceil(tiles[0] / parts)
  const [ky, kx, ki, ko] = stridesOf(kernelShape(spec)) as [number, number, number, number]
  const perChunk = samples * even * tiles[1]
  // columns of tiles, as only the gradient's products read them, would meet in few lines of the cache
  const [inRow, outRow] = [inChannels, outChannels].map((n) => n + (gradient ? pad : 0)) as [number, number]
  const productPitch = perChunk * outRow + pad
  const outputPart = partOf(outChannels)
  const low = pair(spec.padLow.map((zeros, axis) => zeros / spec.dilation[axis]!))
  const read: Side = {
    source: 'a',
    target: 'inputs',
    strips: 'products',
    matrix: transform.inputTransform,
    map: readMap,
    extent: [y.read, x.read],
    low: forwards ? low : pair(low.map((zeros) => taps - 1 - zeros)),
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
    map,
    extent: output,
    low: [0, 0],
    channels: outChannels,
    part: outputPart,
    row: outRow,
    pitch: productPitch,
  }
  return {
    transform,
    step,
    dilation: pair(spec.dilation),
    images,
    first: [y.first, x.first],
    map,
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

/** Tiles of all images. */
export const tileCount = ({ images, tiles }: Tiling): number =>
  images.reduce((product, n) => product * n, tiles[0] * tiles[1])

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

/** Floats of each scratch, by its buffer's name. */
export type Scratch = Readonly<Record<string, number>>

/** What the tilings need that take turns. */
export function scratchOf(all: readonly Tiling[], lanes: Lanes): Scratch {
  const needs = all.map((t) => needsOf(t, lanes))
  const most = (name: string) => Math.max(...needs.map((floats) => floats[name]!))
  return Object.fromEntries(Object.keys(needs[0]!).map((name) => [name, most(name)]))
}

/** What is half transformed lies where the products will be, or where the inputs were. */
function needsOf(t: Tiling, lanes: Lanes): Scratch {
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

export function rowGroups(band: Band, rangeOf: (row: number) => Pair): Group[] {
  const list: Group[] = []
  for (let row = 0; row < band.rows; row++) {
    const range = rangeOf(band.first + row)
    const last = list.at(-1)
    if (last && last.range.join() === range.join()) list[list.length - 1] = { ...last, count: last.count + 1 }
    else list.push({ first: row, count: 1, range })
  }
  return list
}
