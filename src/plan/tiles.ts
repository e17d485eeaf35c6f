import type { TargetFeatures } from '../kernel/ir.ts'
import type { ContractionShape } from './contraction.ts'
import type { PlanFeatures } from './types.ts'

/** One loop of a contraction with its strides, in elements, in each operand. */
export interface Axis {
  readonly extent: number
  readonly x?: number
  readonly w?: number
  readonly y?: number
  /** Stride in channels of y, on axes that choose channels (groups). */
  readonly channel?: number
}

/** Neighbouring axes that are one loop in every operand, joined. */
export function mergeAxes(axes: readonly Axis[]): Axis[] {
  const merged: Axis[] = []
  for (const axis of axes) {
    if (axis.extent === 1) continue
    const last = merged.at(-1)
    const joins = (key: 'x' | 'w' | 'y' | 'channel') => (last?.[key] ?? 0) === (axis[key] ?? 0) * axis.extent
    if (last && joins('x') && joins('w') && joins('y') && joins('channel'))
      merged[merged.length - 1] = { ...axis, extent: axis.extent * last.extent }
    else merged.push(axis)
  }
  return merged
}

/** Takes the axis whose extent fills tiles best out of `axes`; ties go to the last. */
export function takeRows(axes: readonly Axis[], most: number): { rows: Axis; outer: Axis[] } {
  const waste = (axis: Axis) => (Math.ceil(axis.extent / most) * most) / axis.extent
  const full = (axis: Axis) => (axis.extent >= most ? 1 : waste(axis))
  let at = axes.length - 1
  for (let i = axes.length - 2; i >= 0; i--) if (full(axes[i]!) < full(axes[at]!) * 0.8) at = i
  return { rows: axes[at] ?? { extent: 1 }, outer: axes.filter((_, i) => i !== at) }
}

export interface Tile {
  readonly rows: number
  readonly vectors: number
}

/** Sizes that divide `count` into as equal parts as possible, none above `most`: [size, how many] each. */
export function balanced(count: number, most: number): [number, number][] {
  const parts = Math.ceil(count / most)
  const large = Math.ceil(count / parts)
  const ofLarge = count - parts * (large - 1)
  const list: [number, number][] = [
    [large, ofLarge],
    [large - 1, parts - ofLarge],
  ]
  return list.filter(([size, many]) => size > 0 && many > 0)
}

/** A tile that an engine may use, and by what its time differs from what is predicted. */
export interface RatedTile extends Tile {
  readonly slowness: number
}

/**
 * Cycles that a step of the sum takes: its multiply-adds (two a cycle), its loads (two a cycle) or the latency of one
 * multiply-add, whichever is longest.
 */
export const stepCycles = ({ rows, vectors }: Tile, fused: boolean): number =>
  Math.max((rows * vectors) / (fused ? 2 : 1), (rows + vectors) / 2, 4)

/**
 * The largest tiles that fit the registers: accumulators, one row of weights and one splat (with unfused multiply-add
 * one more for the product).
 */
export const fittingTiles = ({ registers, fused }: TargetFeatures): RatedTile[] =>
  [2, 1, 3].map((vectors) => {
    const spare = registers - vectors - (fused ? 1 : 2)
    return { rows: Math.max(1, Math.min(12, Math.floor(spare / vectors))), vectors, slowness: 1 }
  })

export const cyclesPerProduct = (tile: Tile, fused: boolean): number =>
  stepCycles(tile, fused) / tile.rows / tile.vectors

/** Tiles that are predicted to take up to so much longer than the best are close to it. */
const close = 1.2
/** Largest tiles that are thought of: rows of one, two and three vectors. */
const mostRows = [12, 8, 8]

/** Tiles whose predicted times are close, whether or not they fit the registers; all give the same bits. */
export function closeTiles({ fused }: TargetFeatures): Tile[] {
  const all = mostRows.flatMap((most, v) => Array.from({ length: most }, (_, i) => ({ rows: i + 1, vectors: v + 1 })))
  const best = Math.min(...all.map((tile) => cyclesPerProduct(tile, fused)))
  return all.filter((tile) => cyclesPerProduct(tile, fused) <= close * best)
}

/** The tile with the least predicted cycles for `rows` x `columns`, of those that fit, or that were measured. */
export function chooseTile(features: PlanFeatures, rows: number, columns: number): Tile {
  const { lanes, fused, tiles: rated = fittingTiles(features) } = features
  let best: Tile & { cost: number } = { rows: 1, vectors: 1, cost: Infinity }
  for (const { rows: most, vectors, slowness } of rated) {
    let cost = 0
    for (const [width, blocks] of balancedBlocks(Math.ceil(columns / lanes), vectors))
      for (const [size, tiles] of balanced(rows, most))
        cost += slowness * blocks * tiles * stepCycles({ rows: size, vectors: width }, fused)
    if (cost < best.cost * 0.98) best = { rows: most, vectors, cost }
  }
  return { rows: best.rows, vectors: best.vectors }
}

const balancedBlocks = (vectors: number, most: number): [number, number][] =>
  (
    [
      [most, Math.floor(vectors / most)],
      [vectors % most, 1],
    ] as [number, number][]
  ).filter(([width, many]) => width > 0 && many > 0)

/** Rows that run over two axes: `every` of them, then the next of `outer`'s steps. */
export interface Rows extends Axis {
  readonly every: number
  readonly next: { readonly x: number; readonly y: number }
}

/** Cycles that a step of the sum takes for `rows` rows in tiles, relative to what they'd take in full ones. */
export const slowness = (rows: number, most: number): number =>
  balanced(rows, most).reduce((sum, [size, tiles]) => sum + tiles * Math.max(size, 4), 0) / rows

/** Few rows joined with the axis outside them, as many as fill tiles best; none are joined where that gains little. */
export function joinRows(
  shape: ContractionShape,
  most: number,
): { rows: Rows; joined: number; outer: readonly Axis[] } {
  const { rows, outer, sums } = shape
  const alone = { rows: { ...rows, every: rows.extent, next: { x: 0, y: 0 } }, joined: 1, outer }
  const next = outer.findLast(({ w, channel }) => !w && !channel)
  if (!next || sums.length > 0 || rows.extent >= 2 * most) return alone
  let joined = 1
  for (const many of [2, 3, 4])
    if (many <= next.extent && slowness(many * rows.extent, most) < 0.95 * slowness(joined * rows.extent, most))
      joined = many
  if (joined === 1) return alone
  return {
    rows: {
      ...rows,
      extent: rows.extent * next.extent,
      every: rows.extent,
      next: { x: next.x ?? 0, y: next.y ?? 0 },
    },
    joined,
    outer: outer.filter((axis) => axis !== next),
  }
}

/** Neighbouring columns that are worked on together: `many` such parts of `columns` columns from column `first` on. */
export interface Columns {
  readonly first: number
  readonly columns: number
  readonly many: number
}

/** Points that threads should find at least, where a point is worth it. */
const fewPoints = 8
/** Multiply-adds that make a point worth while. */
const pointWork = 2 ** 18

/**
 * Columns in parts, so that weights which many points read don't come from memory for each of them, and threads find
 * enough points.
 * @param points among which the rows and outer loops are shared
 * @param cache bytes that a core keeps; packed weights get half of it
 */
export function columnParts(
  shape: ContractionShape,
  { width, depth, points, cache = 2 ** 20 }: { width: number; depth: number; points: number; cache?: number },
): Columns[] {
  const { columns, rows, outer, packed, rowsFirst } = shape
  const blocks = Math.floor(columns / width)
  const work = outer.reduce((product, axis) => product * axis.extent, rows.extent) * columns * depth
  const forCache = points > 1 ? Math.ceil((8 * depth * columns) / Math.max(cache, 1)) : 1
  const forThreads = Math.min(Math.ceil(fewPoints / points), Math.floor(work / points / pointWork))
  const wanted = packed && !rowsFirst ? Math.min(blocks, Math.max(forCache, forThreads)) : 1
  if (wanted <= 1) return [{ first: 0, columns, many: 1 }]
  const part = Math.floor(blocks / wanted) * width
  const many = Math.floor(columns / part)
  return [
    { first: 0, columns: part, many },
    { first: many * part, columns: columns - many * part, many: 1 },
  ].filter((list) => list.columns > 0)
}
