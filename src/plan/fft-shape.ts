import { sizeOf, stridesOf } from '../base/shape.ts'
import { type Contraction, type ConvSpec, inputShape, kernelShape, outputShape } from '../conv/spec.ts'
import { phaseShape, phases } from './phases.ts'

type Pair = readonly [number, number]

/** Where a map lies: its first element that is met, and from sample to sample, row to row, column to column. */
export interface Walk {
  readonly length: number
  readonly offset: number
  readonly batch: number
  readonly steps: Pair
}

/** A stride-1 convolution of one or two axes as a correlation of x with w, whichever direction it goes. */
export interface Correlation {
  readonly batch: number
  /** Rows and columns that are made; one row for one axis. */
  readonly output: Pair
  readonly taps: Pair
  readonly inChannels: number
  readonly outChannels: number
  readonly depthwise: boolean
  readonly x: Walk
  readonly y: Walk
  /** Strides along taps, a channel read and a channel made. */
  readonly w: { readonly length: number; readonly offset: number; readonly steps: Pair; in: number; out: number }
}

const pairOf = (list: readonly number[], one: number): Pair =>
  list.length === 1 ? [one, list[0]!] : [list[0]!, list[1]!]

/** @param contraction output or inputGradient, whose operands are padded */
export function correlation(contraction: Contraction, spec: ConvSpec): Correlation {
  const [xs, ys, ws] = [inputShape(spec), outputShape(spec), kernelShape(spec)].map(stridesOf) as number[][]
  const depthwise = spec.groups > 1
  const spatial = (strides: number[]) => pairOf(strides.slice(1, -1), 0)
  const [win, wout] = depthwise ? [0, 1] : [ws!.at(-2)!, 1]
  const common = { batch: spec.batch, taps: pairOf(spec.kernel, 1), depthwise }
  const length = sizeOf(kernelShape(spec))
  if (contraction === 'output') {
    const crop = spec.padLow.reduce((sum, low, i) => sum - low * xs![i + 1]!, 0)
    return {
      ...common,
      output: pairOf(spec.output, 1),
      inChannels: spec.inChannels,
      outChannels: spec.outChannels,
      x: { length: sizeOf(inputShape(spec)), offset: crop, batch: xs![0]!, steps: spatial(xs!) },
      y: { length: sizeOf(outputShape(spec)), offset: 0, batch: ys![0]!, steps: spatial(ys!) },
      w: { length, offset: 0, steps: pairOf(ws!.slice(0, spec.rank), 0), in: win!, out: wout! },
    }
  }
  const shape = phaseShape(spec, phases(spec)[0]!)
  const steps = (key: 'x' | 'y') =>
    pairOf(
      shape.allPositions.slice(1).map((axis) => axis[key]!),
      0,
    )
  return {
    ...common,
    output: pairOf(spec.input, 1),
    inChannels: spec.outChannels,
    outChannels: spec.inChannels,
    x: {
      length: shape.gradientLength,
      offset: shape.gradientOffset,
      batch: shape.allPositions[0]!.x!,
      steps: steps('x'),
    },
    y: { length: sizeOf(inputShape(spec)), offset: shape.inputOffset, batch: xs![0]!, steps: steps('y') },
    w: {
      length,
      offset: shape.kernelOffset,
      steps: pairOf(
        shape.taps.map((axis) => axis.w!),
        0,
      ),
      in: depthwise ? 0 : wout!,
      out: depthwise ? 1 : win!,
    },
  }
}

/**
 * How a correlation is cut: tiles of equal size, two of which are the real and the imaginary part of one transform,
 * since the filter is real.
 */
export interface FftTiling extends Correlation {
  /** Points of the transform along each axis, powers of two. */
  readonly size: Pair
  /** Rows and columns that a tile makes, and tiles along each axis. */
  readonly tile: Pair
  readonly tiles: Pair
  /** The axis whose neighbours are paired, if any has an even number: samples, rows or columns of tiles. */
  readonly paired: 0 | 1 | 2 | undefined
  /** Channels that are worked on together, and how many such parts there are. */
  readonly partIn: number
  readonly partOut: number
  readonly parts: number
}

/** Transforms of more points than this don't pay in one piece. */
const largest = 16384
/** Channels of a depthwise convolution that are worked on together. */
const depthwisePart = 16

/** Ways to cut an axis: tiles of equal size in the smallest transform that holds them. */
function cuts(output: number, taps: number): { tile: number; tiles: number; size: number }[] {
  if (output === 1 && taps === 1) return [{ tile: 1, tiles: 1, size: 1 }]
  const found = new Map<number, { tile: number; tiles: number; size: number }>()
  for (let tiles = output; tiles >= 1; tiles--) {
    if (output % tiles !== 0) continue
    const tile = output / tiles
    const size = 2 ** Math.ceil(Math.log2(tile + taps - 1))
    // the fewest tiles of each size
    if (size <= largest) found.set(size, { tile, tiles, size })
  }
  return [...found.values()]
}

/** All tilings worth a thought. */
export function fftTilings(c: Correlation): FftTiling[] {
  const [rows, columns] = [cuts(c.output[0], c.taps[0]), cuts(c.output[1], c.taps[1])]
  const part = c.depthwise && c.inChannels % depthwisePart === 0 ? depthwisePart : c.inChannels
  const parts = c.depthwise ? c.inChannels / part : 1
  return rows.flatMap((row) =>
    columns.map((column): FftTiling => {
      const counts = [c.batch, row.tiles, column.tiles]
      const paired = [2, 1, 0].find((axis) => counts[axis]! % 2 === 0) as FftTiling['paired']
      return {
        ...c,
        size: [row.size, column.size],
        tile: [row.tile, column.tile],
        tiles: [row.tiles, column.tiles],
        paired,
        partIn: part,
        partOut: c.depthwise ? part : c.outChannels,
        parts,
      }
    }),
  )
}

/** Transforms of maps: tiles, or pairs of them. */
export const transformsOf = ({ batch, tiles, paired }: FftTiling): number =>
  (batch * tiles[0] * tiles[1]) / (paired === undefined ? 1 : 2)

/** Complex numbers in an array [rows][columns][lists][real, imaginary][channels] of floats. */
export interface Grid {
  readonly buffer: string
  readonly size: Pair
  readonly lists: number
  readonly channels: number
  /** Floats from one column to the next and from one row to the next. */
  readonly column: number
  readonly row: number
  /** Floats of all rows. */
  readonly floats: number
}

/** Keeps rows out of the same lines of the cache. */
const pad = 16

export function grid(buffer: string, size: Pair, lists: number, channels: number): Grid {
  const column = lists * 2 * channels
  const row = size[1] * column + (size[0] > 1 ? pad : 0)
  return { buffer, size, lists, channels, column, row, floats: size[0] * row }
}

/** What is read, what is made of it (the same where each channel stays by itself), and the transformed weights. */
export function grids(t: FftTiling): { read: Grid; made: Grid; weights: Grid } {
  const read = grid('read', t.size, 1, t.partIn)
  return {
    read,
    made: t.depthwise ? read : grid('made', t.size, 1, t.partOut),
    weights: grid('packed', t.size, t.depthwise ? 1 : t.inChannels, t.partOut),
  }
}
