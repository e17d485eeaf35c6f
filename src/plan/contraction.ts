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
import type { Affine, Element, Expr, Kernel, Lanes, Statement, TargetFeatures } from '../kernel/ir.ts'
import { binder } from '../kernel/math.ts'
import { namer } from './names.ts'
import { type Axis, balanced, type Columns, columnParts, joinRows, type Rows, type Tile } from './tiles.ts'
import { type Epilogue, type PlanFeatures, slack } from './types.ts'

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
  /** Whether results are added to what y holds. */
  readonly adds?: boolean
  /** w is stored as [block of columns][reduce...][columns of the block]. */
  readonly packed: boolean
  /** Rows of a packed block and the first that is met, where `reduce` doesn't meet all of them. */
  readonly block?: { readonly depth: number; readonly first: number }
  /** Whether a tile of rows meets all columns before the next does: for a w that fits the cache, whole. */
  readonly rowsFirst?: boolean
  /** What numbers x and w hold and how they are summed up; not with `sums`. Default: f32. */
  readonly arithmetic?: Arithmetic
}

export interface Arithmetic {
  readonly element: Element
  zero(value: 0, lanes: Lanes): Expr
  /** x * w + sum. */
  madd(x: Expr, w: Expr, sum: Expr): Expr
  /** The sum as it goes into y. */
  result(sum: Expr): Expr
}

const singles: Arithmetic = { element: 'f32', zero: f32, madd: multiplyAdd, result: (sum) => sum }

/** Floats of a packed w of `depth` rows and `columns` columns. */
export const packedLength = (depth: number, columns: number, lanes: number): number =>
  depth * Math.ceil(columns / lanes) * lanes

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
  given: ContractionShape,
  tile: Tile,
  features: PlanFeatures,
  epilogue: Epilogue,
): Kernel[] {
  const { rows, joined, outer } = joinRows(given, tile.rows)
  const shape = { ...given, rows, outer }
  const depth = shape.reduce.reduce((product, axis) => product * axis.extent, 1)
  const total = rows.extent
  // about 48 KB of x a chunk; with sums, a few tiles share each pass over w
  const target = shape.sums.length > 0 ? 4 * tile.rows : Math.max(tile.rows, Math.floor(12288 / Math.max(depth, 1)))
  const even = shape.rowsFirst ? total : Math.min(total, target - (target % tile.rows))
  const chunk = joined > 1 ? joined * rows.every : even
  const full = Math.floor(total / chunk)
  const parts = [
    { first: 0, chunk, many: full },
    { first: full * chunk, chunk: total - full * chunk, many: 1 },
  ].filter((part) => part.chunk > 0)
  const points = shape.outer.reduce((product, axis) => product * axis.extent, full)
  const width = tile.vectors * features.lanes
  return columnParts(shape, { width, depth, points, cache: features.cache }).flatMap((columns) =>
    parts.map((part) => chunkKernel(shape, tile, features, epilogue, { ...part, columns })),
  )
}

interface Part {
  readonly first: number
  readonly chunk: number
  readonly many: number
  readonly columns: Columns
}

/** Rows of a tile: where they lie, relative to the outer loops' point, in x and y. */
interface TileRows {
  readonly x: readonly Affine[]
  readonly y: readonly Affine[]
}

type JoinedShape = ContractionShape & { readonly rows: Rows }

/** Code for all tiles of a chunk's rows: tiles of one size are a loop, unless their rows run over two axes. */
function tileLoops(
  { rows }: JoinedShape,
  { first, chunk, many }: Part,
  tile: Tile,
  index: () => string,
  code: (rows: TileRows) => Statements,
): Statements[] {
  const place = (row: number, key: 'x' | 'y', start: Affine): Affine =>
    shiftAffine(start, (row % rows.every) * (rows[key] ?? 0) + Math.floor(row / rows.every) * rows.next[key])
  const step = (key: 'x' | 'y') =>
    rows.every < rows.extent ? (chunk / rows.every) * rows.next[key] : chunk * (rows[key] ?? 0)
  const start = (key: 'x' | 'y') => place(first, key, affine(0, many > 1 ? { rows: step(key) } : {}))
  let row = 0
  return balanced(chunk, tile.rows).flatMap(([size, tiles]) => {
    const looped = tiles > 1 && rows.every === rows.extent
    const at = looped ? index() : ''
    return Array.from({ length: looped ? 1 : tiles }, () => {
      const along = (key: 'x' | 'y') =>
        Array.from({ length: size }, (_, i) =>
          addAffine(place(row + i, key, start(key)), affine(0, looped ? { [at]: size * (rows[key] ?? 0) } : {})),
        )
      const body = code({ x: along('x'), y: along('y') })
      row += looped ? size * tiles : size
      return loopIf(at, looped ? tiles : 1, body)
    })
  })
}

function chunkKernel(shape: JoinedShape, tile: Tile, features: TargetFeatures, epilogue: Epilogue, part: Part): Kernel {
  const { lanes } = features
  const { x, w, y, outer, rows, sums, arithmetic = singles } = shape
  const outerNames = indexed('i', outer)
  const name = namer()
  const blocks = columnBlocks(part.columns, tile.vectors * lanes, lanes)
  const tilesOf = (code: (rows: TileRows) => Statements) => tileLoops(shape, part, tile, () => name('t'), code)
  const blocksOf = (code: (block: Block) => Statements): Statements[] =>
    blocks.map((block) => loopIf(block.index, block.many, code(block)))
  const tileOf = (rowsOf: TileRows, block: Block) =>
    tileCode(shape, rowsOf, block, { lanes, outerNames, epilogue, name })
  const body = shape.rowsFirst
    ? tilesOf((rowsOf) => blocksOf((block) => tileOf(rowsOf, block)))
    : blocksOf((block) => tilesOf((rowsOf) => tileOf(rowsOf, block)))
  const summed: Statements =
    sums.length === 0 ? body : [clearRows(shape, part, outerNames, lanes), loopsOf(sums, indexed('s', sums), body)]
  return kernel({
    name: shape.name,
    buffers: [
      buffer(x.buffer, arithmetic.element, x.length + slack, 'read'),
      buffer(w.buffer, arithmetic.element, w.length + slack, 'read'),
      buffer(y.buffer, 'f32', y.length + slack, sums.length > 0 || shape.adds ? 'update' : 'write'),
      ...epilogue.buffers,
    ],
    axes: [
      ...(part.columns.many > 1 ? [{ index: 'columns', extent: part.columns.many }] : []),
      ...outer.map((axis, i) => ({ index: outerNames[i]!, extent: axis.extent })),
      ...(part.many > 1 ? [{ index: 'rows', extent: part.many }] : []),
    ],
    body: summed.length > 0 && rows.extent > 0 ? summed : [],
  })
}

const loopIf = (index: string, many: number, body: Statements): Statements =>
  many > 1 ? loop(index, 0, many, 1, body) : body

function columnBlocks({ first, columns, many }: Columns, width: number, lanes: number): Block[] {
  const full = Math.floor(columns / width)
  const rest = columns - full * width
  const start = affine(first, many > 1 ? { columns } : {})
  const blocks: Block[] = []
  if (full > 0)
    blocks.push({
      vectors: width / lanes,
      count: width,
      column: addAffine(start, affine(0, full > 1 ? { block: width } : {})),
      many: full,
      index: 'block',
    })
  if (rest > 0)
    blocks.push({
      vectors: Math.ceil(rest / lanes),
      count: rest,
      column: shiftAffine(start, full * width),
      many: 1,
      index: 'block',
    })
  return blocks
}

/** Zeros in the rows that sums will be added to. */
function clearRows(
  shape: ContractionShape,
  { first, chunk, many }: Part,
  outerNames: readonly string[],
  lanes: 1 | 4,
): Statements {
  const { y, outer, rows, columns } = shape
  const firstRow = affine(first, many > 1 ? { rows: chunk } : {})
  const base = addAffine(affine(y.offset), along(outer, outerNames, 'y'), scaleAffine(firstRow, rows.y ?? 0))
  const row = addAffine(base, affine(0, { z: rows.y ?? 0 }))
  const whole = columns - (columns % lanes)
  return loop('z', 0, chunk, 1, [
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
  rowsOf: TileRows,
  block: Block,
  { lanes, outerNames, epilogue, name }: TileContext,
): Statements {
  const { x, w, y, outer, reduce, sums, packed, arithmetic = singles } = shape
  const { element, zero, madd, result } = arithmetic
  const { depth, first } = shape.block ?? { depth: reduce.reduce((n, axis) => n * axis.extent, 1), first: 0 }
  const scale = packed ? block.vectors * lanes : 1
  const sumNames = indexed('s', sums)
  const yAt = addAffine(affine(y.offset), along(outer, outerNames, 'y'), block.column)
  const xAt = addAffine(affine(x.offset), along(outer, outerNames, 'x'), along(sums, sumNames, 'x'))
  const wAt = addAffine(
    affine(w.offset),
    along(outer, outerNames, 'w'),
    scaleAffine(block.column, packed ? depth : 1),
    along(sums, sumNames, 'w'),
    affine(first * scale),
  )
  const cells = rowsOf.y.map((row) =>
    Array.from({ length: block.vectors }, (_, v) => ({
      at: shiftAffine(addAffine(yAt, row), v * lanes),
      count: Math.min(lanes, block.count - v * lanes),
    })),
  )
  const accumulators = cells.map((line) =>
    line.map(({ at }) =>
      variable(name('acc'), sums.length > 0 || shape.adds ? load(y.buffer, at, lanes) : zero(0, lanes)),
    ),
  )
  const step = (k: Affine, kw: Affine): Statements => {
    const weights = cells[0]!.map((_, v) =>
      define(name('w'), load(w.buffer, addAffine(wAt, kw, affine(v * lanes)), lanes, element)),
    )
    const products = accumulators.map((line, i) => {
      const value = splat(load(x.buffer, addAffine(xAt, rowsOf.x[i]!, k), 1, element), lanes)
      const shared = define(name('x'), value)
      return [
        shared,
        ...line.map((acc, v): Statement => set(acc.name, madd(read(shared), read(weights[v]!), read(acc)))),
      ]
    })
    return [weights, products]
  }
  const loops = reduceLoops(reduce, scale, name, cells.length * block.vectors, step)
  const stores = cells.map((line, i) =>
    line.map(({ at, count }, v): Statements => {
      const { bind, statements } = binder(() => name('f'))
      const channel = addAffine(along(outer, outerNames, 'channel'), shiftAffine(block.column, v * lanes))
      const value = epilogue.apply(result(read(accumulators[i]![v]!)), at, channel, bind)
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
