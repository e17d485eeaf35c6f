import {
  addAffine,
  affine,
  buffer,
  define,
  f32,
  kernel,
  load,
  loop,
  multiplyAdd,
  read,
  type Statements,
  scaleAffine,
  set,
  shiftAffine,
  splat,
  store,
  variable,
} from '../kernel/builder.ts'
import type { Affine, Kernel, Statement, TargetFeatures } from '../kernel/ir.ts'
import { binder } from '../kernel/math.ts'
import { namer } from './names.ts'
import { type Epilogue, slack } from './types.ts'

/** One loop of a contraction with its strides, in elements, in each operand. */
export interface Axis {
  readonly extent: number
  readonly x?: number
  readonly w?: number
  readonly y?: number
  /** Stride in channels of y, on axes that choose channels (groups). */
  readonly channel?: number
}

export interface Place {
  readonly buffer: string
  readonly length: number
  readonly offset: number
}

/**
 * y[outer, row, column] = sum over `sums` and `reduce` of x[outer, row, ...] * w[outer, ..., column]: a tiled matrix
 * product whose operands are addressed by strides, so that a convolution needs no copied patches.
 */
export interface ContractionShape {
  readonly name: string
  readonly x: Place
  readonly w: Place
  readonly y: Place
  /** Independent of each other: what threads share. */
  readonly outer: readonly Axis[]
  /** Tiled. */
  readonly rows: Axis
  /** Columns lie side by side in w and y. */
  readonly columns: number
  /** Summed in registers, outermost first. With `packed`, strides in w count rows of one block. */
  readonly reduce: readonly Axis[]
  /** Summed through memory, before `reduce`: keeps what is read in cache and sums short. */
  readonly sums: readonly Axis[]
  /** w is stored as [block of columns][reduce...][columns of the block]. */
  readonly packed: boolean
  /** Whether a tile of rows meets all columns before the next does: for a w that fits the cache, whole. */
  readonly rowsFirst?: boolean
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

/**
 * The tile with the least predicted cycles for `rows` x `columns`: accumulators, one row of weights and one splat must
 * fit the registers (with unfused multiply-add one more for the product). A step of the sum takes as long as its
 * multiply-adds (two a cycle), its loads (two a cycle) or the latency of one multiply-add, whichever is longest.
 */
export function chooseTile(features: TargetFeatures, rows: number, columns: number): Tile {
  const { lanes, registers, fused } = features
  let best: Tile & { cost: number } = { rows: 1, vectors: 1, cost: Infinity }
  for (const vectors of [2, 1, 3]) {
    const spare = registers - vectors - (fused ? 1 : 3)
    const most = Math.max(1, Math.min(12, Math.floor(spare / vectors)))
    const vectorsIn = Math.ceil(columns / lanes)
    let cost = 0
    for (const [width, blocks] of balancedBlocks(vectorsIn, vectors))
      for (const [size, tiles] of balanced(rows, most)) {
        const products = size * width * (fused ? 1 : 2)
        cost += blocks * tiles * Math.max(products / 2, (size + width) / 2, 4)
      }
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

/** Floats of a packed w of `depth` rows and `columns` columns. */
export const packedLength = (depth: number, columns: number, lanes: number): number =>
  depth * Math.ceil(columns / lanes) * lanes

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

type Key = 'x' | 'w' | 'y' | 'channel'

/** Offset of a point: index names and their axes. */
const along = (axes: readonly Axis[], names: readonly string[], key: Key): Affine =>
  affine(0, Object.fromEntries(axes.map((axis, i) => [names[i]!, axis[key] ?? 0])))

const loopsOf = (axes: readonly Axis[], names: readonly string[], body: Statements): Statements =>
  axes.reduceRight<Statements>((inner, axis, i) => loop(names[i]!, 0, axis.extent, 1, inner), body)

/** A block of columns: `count` of them from column `start` on, `many` blocks side by side, numbered by `index`. */
interface Block {
  readonly vectors: number
  readonly count: number
  readonly column: Affine
  readonly many: number
  readonly index: string
}

const indexed = (prefix: string, axes: readonly Axis[]) => axes.map((_, i) => `${prefix}${i}`)

/** Kernels of a contraction: most of the rows in chunks that fit the cache, and the rest. */
export function contractionKernels(
  shape: ContractionShape,
  tile: Tile,
  features: TargetFeatures,
  epilogue: Epilogue,
): Kernel[] {
  const depth = shape.reduce.reduce((product, axis) => product * axis.extent, 1)
  const total = shape.rows.extent
  // about 48 KB of x a chunk; with sums, a few tiles share each pass over w
  const target = shape.sums.length > 0 ? 4 * tile.rows : Math.max(tile.rows, Math.floor(12288 / Math.max(depth, 1)))
  const chunk = shape.rowsFirst ? total : Math.min(total, target - (target % tile.rows))
  const full = Math.floor(total / chunk)
  const parts = [
    { first: 0, chunk, many: full },
    { first: full * chunk, chunk: total - full * chunk, many: 1 },
  ].filter((part) => part.chunk > 0)
  return parts.map((part) => chunkKernel(shape, tile, features, epilogue, part))
}

function chunkKernel(
  shape: ContractionShape,
  tile: Tile,
  features: TargetFeatures,
  epilogue: Epilogue,
  part: { first: number; chunk: number; many: number },
): Kernel {
  const { lanes } = features
  const { x, w, y, outer, rows, sums, columns } = shape
  const outerNames = indexed('i', outer)
  const name = namer()
  const width = tile.vectors * lanes
  const blocks = columnBlocks(columns, width, lanes)
  const firstRow = affine(part.first, part.many > 1 ? { rows: part.chunk } : {})
  const tilesOf = (code: (rows: { size: number; row: Affine }) => Statements): Statements[] => {
    let start = 0
    return balanced(part.chunk, tile.rows).map(([size, many]) => {
      const index = name('t')
      const row = addAffine(shiftAffine(firstRow, start), affine(0, many > 1 ? { [index]: size } : {}))
      start += size * many
      return loopIf(index, many, code({ size, row }))
    })
  }
  const blocksOf = (code: (block: Block) => Statements): Statements[] =>
    blocks.map((block) => loopIf(block.index, block.many, code(block)))
  const tileOf = (rows: { size: number; row: Affine }, block: Block) =>
    tileCode(shape, rows, block, { lanes, outerNames, epilogue, name })
  const body = shape.rowsFirst
    ? tilesOf((rows) => blocksOf((block) => tileOf(rows, block)))
    : blocksOf((block) => tilesOf((rows) => tileOf(rows, block)))
  const summed: Statements =
    sums.length === 0
      ? body
      : [clearRows(shape, part, firstRow, outerNames, lanes), loopsOf(sums, indexed('s', sums), body)]
  return kernel({
    name: shape.name,
    buffers: [
      buffer(x.buffer, 'f32', x.length + slack, 'read'),
      buffer(w.buffer, 'f32', w.length + slack, 'read'),
      buffer(y.buffer, 'f32', y.length + slack, sums.length > 0 ? 'update' : 'write'),
      ...epilogue.buffers,
    ],
    axes: [
      ...outer.map((axis, i) => ({ index: outerNames[i]!, extent: axis.extent })),
      ...(part.many > 1 ? [{ index: 'rows', extent: part.many }] : []),
    ],
    body: summed.length > 0 && rows.extent > 0 ? summed : [],
  })
}

const loopIf = (index: string, many: number, body: Statements): Statements =>
  many > 1 ? loop(index, 0, many, 1, body) : body

function columnBlocks(columns: number, width: number, lanes: number): Block[] {
  const full = Math.floor(columns / width)
  const rest = columns - full * width
  const blocks: Block[] = []
  if (full > 0)
    blocks.push({
      vectors: width / lanes,
      count: width,
      column: affine(0, full > 1 ? { block: width } : {}),
      many: full,
      index: 'block',
    })
  if (rest > 0)
    blocks.push({
      vectors: Math.ceil(rest / lanes),
      count: rest,
      column: affine(full * width),
      many: 1,
      index: 'block',
    })
  return blocks
}

/** Zeros in the rows that sums will be added to. */
function clearRows(
  shape: ContractionShape,
  part: { chunk: number },
  firstRow: Affine,
  outerNames: readonly string[],
  lanes: 1 | 4,
): Statements {
  const { y, outer, rows, columns } = shape
  const base = addAffine(affine(y.offset), along(outer, outerNames, 'y'), scaleAffine(firstRow, rows.y ?? 0))
  const row = addAffine(base, affine(0, { z: rows.y ?? 0 }))
  const whole = columns - (columns % lanes)
  return loop('z', 0, part.chunk, 1, [
    loop('zc', 0, whole, lanes, [store(y.buffer, addAffine(row, affine(0, { zc: 1 })), f32(0, lanes))]),
    whole < columns ? [store(y.buffer, shiftAffine(row, whole), f32(0, lanes), columns - whole)] : [],
  ])
}

interface TileContext {
  readonly lanes: 1 | 4
  readonly outerNames: readonly string[]
  readonly epilogue: Epilogue
  readonly name: (prefix: string) => string
}

function tileCode(
  shape: ContractionShape,
  rowsOf: { size: number; row: Affine },
  block: Block,
  { lanes, outerNames, epilogue, name }: TileContext,
): Statements {
  const { x, w, y, outer, rows, reduce, sums, packed } = shape
  const { size, row } = rowsOf
  const depth = reduce.reduce((product, axis) => product * axis.extent, 1)
  const sumNames = indexed('s', sums)
  const yAt = addAffine(affine(y.offset), along(outer, outerNames, 'y'), scaleAffine(row, rows.y ?? 0), block.column)
  const xAt = addAffine(
    affine(x.offset),
    along(outer, outerNames, 'x'),
    scaleAffine(row, rows.x ?? 0),
    along(sums, sumNames, 'x'),
  )
  const wAt = addAffine(
    affine(w.offset),
    along(outer, outerNames, 'w'),
    scaleAffine(block.column, packed ? depth : 1),
    along(sums, sumNames, 'w'),
  )
  const scale = packed ? block.vectors * lanes : 1
  const cells = Array.from({ length: size }, (_, i) =>
    Array.from({ length: block.vectors }, (_, v) => ({
      at: shiftAffine(yAt, i * (rows.y ?? 0) + v * lanes),
      count: Math.min(lanes, block.count - v * lanes),
    })),
  )
  const accumulators = cells.map((line) =>
    line.map(({ at }) => variable(name('acc'), sums.length > 0 ? load(y.buffer, at, lanes) : f32(0, lanes))),
  )
  const step = (k: Affine, kw: Affine): Statements => {
    const weights = cells[0]!.map((_, v) =>
      define(name('w'), load(w.buffer, addAffine(wAt, kw, affine(v * lanes)), lanes)),
    )
    const products = accumulators.map((line, i) => {
      const value = splat(load(x.buffer, addAffine(shiftAffine(xAt, i * (rows.x ?? 0)), k)), lanes)
      const shared = define(name('x'), value)
      return [
        shared,
        ...line.map((acc, v): Statement => set(acc.name, multiplyAdd(read(shared), read(weights[v]!), read(acc)))),
      ]
    })
    return [weights, products]
  }
  const loops = reduceLoops(reduce, scale, name, size * block.vectors, step)
  const stores = cells.map((line, i) =>
    line.map(({ at, count }, v): Statements => {
      const { bind, statements } = binder(() => name('f'))
      const channel = addAffine(along(outer, outerNames, 'channel'), shiftAffine(block.column, v * lanes))
      const value = epilogue.apply(read(accumulators[i]![v]!), at, channel, bind)
      return [statements, store(y.buffer, at, value, count)]
    }),
  )
  return [...accumulators, loops, stores]
}

/** Loops over `reduce`; a short innermost one is unrolled. */
function reduceLoops(
  reduce: readonly Axis[],
  scale: number,
  name: (prefix: string) => string,
  products: number,
  step: (k: Affine, kw: Affine) => Statements,
): Statements {
  if (reduce.some((axis) => axis.extent === 0)) return []
  const names = reduce.map(() => name('k'))
  const inner = reduce.at(-1)
  const unrolled = inner !== undefined && inner.extent <= 8 && inner.extent * products <= 96
  const looped = unrolled ? reduce.slice(0, -1) : reduce
  const k = along(looped, names, 'x')
  const kw = scaleAffine(along(looped, names, 'w'), scale)
  const body: Statements = unrolled
    ? Array.from({ length: inner.extent }, (_, i) =>
        step(shiftAffine(k, i * (inner.x ?? 0)), shiftAffine(kw, i * (inner.w ?? 0) * scale)),
      )
    : step(k, kw)
  return loopsOf(looped, names, body)
}
