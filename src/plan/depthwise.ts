import { sizeOf } from '../base/shape.ts'
import type { Contraction, ConvSpec } from '../conv/spec.ts'
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
  store,
  variable,
} from '../kernel/builder.ts'
import type { Affine, Expr, Kernel, Lanes, Statement, TargetFeatures } from '../kernel/ir.ts'
import { binder } from '../kernel/math.ts'
import { channelVectors } from './channels.ts'
import { depthwiseKernelGradients } from './depthwise-gradient.ts'
import { backwards, combinations, type DepthwiseShape, denseShapes, forwards, phaseShapeOf } from './depthwise-shape.ts'
import { type Namer, namer } from './names.ts'
import { phases } from './phases.ts'
import { balanced } from './tiles.ts'
import { type Algorithm, allPoints, type Epilogue, slack } from './types.ts'

/** Weights of all taps stay in registers up to this many. */
const keptTaps = 9
/** Taps of one row that are written out side by side. */
const unrolledTaps = 8
/** The gradient of the kernel writes out as many taps as this: of many more an engine takes no function. */
const writtenTaps = 4096
/** Vectors of channels that lie in one line of the cache: all are used before the next columns are met. */
const lineVectors = 4

/** One channel in, one out: vectors of channels, taps unrolled, several outputs along the last axis at once. */
export const depthwise: Algorithm = {
  name: 'depthwise',
  plan(contraction, spec) {
    if (spec.groups !== spec.inChannels || spec.outChannels !== spec.inChannels)
      return { algorithm: 'depthwise', refused: `${spec.groups} groups of ${spec.inChannels} channels mix channels` }
    if (contraction === 'kernelGradient' && sizeOf(spec.kernel) > writtenTaps)
      return { algorithm: 'depthwise', refused: `more than ${writtenTaps} taps` }
    return Object.freeze({
      algorithm: 'depthwise',
      contraction,
      spec,
      tile: { rows: contraction === 'kernelGradient' ? 1 : tileOf(spec), vectors: 1 },
      scratch: {},
      fusable: contraction !== 'kernelGradient',
      padsItself: readsPlain(contraction, spec),
      why: `each channel by itself, ${sizeOf(spec.kernel)} taps`,
    })
  },
  calls(plan, features, epilogue) {
    const { spec, contraction } = plan
    if (contraction === 'kernelGradient') return allPoints(depthwiseKernelGradients(spec, features))
    const shapes = () => {
      if (contraction === 'output') return denseShapes(forwards(spec))
      if (readsPlain(contraction, spec)) return denseShapes(backwards(spec))
      return phases(spec).map((phase) => phaseShapeOf(spec, phase))
    }
    return allPoints(shapes().map((shape) => depthwiseKernel(shape, features, epilogue)))
  },
}

const tileOf = (spec: ConvSpec): number => (sizeOf(spec.kernel) <= keptTaps ? 4 : 6)

/** Whether borders that aren't zeros needn't be there: they are read from where they come from. */
export const readsBorders = (spec: ConvSpec): boolean =>
  spec.groups === spec.inChannels && sizeOf(spec.kernel) <= keptTaps && readsPlain('output', spec)

/** Whether it is one convolution, not one for each phase of a stride, whose borders can be written out. */
const readsPlain = (contraction: Contraction, { stride, kernel }: ConvSpec): boolean =>
  (contraction === 'output' || (contraction === 'inputGradient' && stride.every((s) => s === 1))) &&
  kernel.at(-1)! <= unrolledTaps

function depthwiseKernel(shape: DepthwiseShape, features: TargetFeatures, epilogue: Epilogue): Kernel {
  const { lanes } = features
  const { x, w, y, outer, channels } = shape
  const name = namer()
  const axes = outer.map((axis, i) => ({ ...axis, index: `i${i}` })).filter((axis) => axis.extent > 1)
  const base = (key: 'x' | 'w' | 'y') => affine(0, Object.fromEntries(axes.map((axis) => [axis.index, axis[key] ?? 0])))
  const kept = tapCount(shape) <= keptTaps
  const body = lines(channels, lanes, (vectors) =>
    rowTiles(shape, kept ? 4 : 6, name, (start, size, at) =>
      vectors((channel, count) => {
        const weight = (at: Affine) => load(w.buffer, addAffine(channel, base('w'), shiftAffine(at, w.offset)), lanes)
        const { definitions, known } = kept ? keptWeights(shape, name, weight) : noWeights
        const xAt = addAffine(affine(x.offset), base('x'), channel, scaleAffine(at, shape.row.columns * shape.column))
        const yAt = addAffine(affine(y.offset), base('y'), channel, scaleAffine(at, shape.row.y))
        const place = { start, size, xAt, yAt, channel, count, lanes, kept }
        return [definitions, tileCode(shape, place, epilogue, name, (k) => known.get(k.offset) ?? weight(k))]
      }),
    ),
  )
  return kernel({
    name: shape.name,
    buffers: [
      buffer(x.buffer, 'f32', x.length + slack, 'read'),
      buffer(w.buffer, 'f32', w.length + slack, 'read'),
      buffer(y.buffer, 'f32', y.length + slack, 'write'),
      ...epilogue.buffers,
    ],
    axes: axes.map(({ index, extent }) => ({ index, extent })),
    body,
  })
}

/** A loop over lines of channels, whose `body` places the loop over a line's vectors. */
function lines(
  channels: number,
  lanes: Lanes,
  body: (vectors: (code: (channel: Affine, count: number) => Statements) => Statements) => Statements,
): Statements {
  const line = lineVectors * lanes
  const whole = channels - (channels % line)
  const part = (first: Affine, many: number) =>
    body((code) => channelVectors(many, lanes, 'v', (v, count) => code(addAffine(first, v), count)))
  return [
    whole > line ? loop('c', 0, whole, line, part(affine(0, { c: 1 }), line)) : [],
    whole === line ? part(affine(0), line) : [],
    whole < channels ? part(affine(whole), channels - whole) : [],
  ]
}

/**
 * A row in tiles of at most `most` outputs, as equal as can be: neighbours of one size that meet no border are a loop.
 * @param code gets a tile's first output if it isn't in a loop, its size, and its first output as it is in the loop
 */
function rowTiles(
  { row, taps, columns }: DepthwiseShape,
  most: number,
  name: Namer,
  code: (start: number | undefined, size: number, at: Affine) => Statements,
): Statements[] {
  const sizes = balanced(row.extent, most).flatMap(([size, many]) => Array.from({ length: many }, () => size))
  const inside = (start: number, size: number) =>
    start * row.columns >= columns.from &&
    (start + size - 1) * row.columns + (taps.extent - 1) * taps.column < columns.to
  const runs: { start: number; size: number; many: number; looped: boolean }[] = []
  let start = 0
  for (const size of sizes) {
    const last = runs.at(-1)
    const looped = inside(start, size)
    if (looped && last?.looped && last.size === size) last.many++
    else runs.push({ start, size, many: 1, looped })
    start += size
  }
  return runs.map(({ start, size, many, looped }) => {
    const index = name('t')
    const body = code(looped ? undefined : start, size, affine(start, many > 1 ? { [index]: size } : {}))
    return many > 1 ? loop(index, 0, many, 1, body) : body
  })
}

const tapCount = ({ outerTaps, taps }: DepthwiseShape): number =>
  outerTaps.reduce((count, axis) => count * axis.extent, taps.extent)

const noWeights = { definitions: [] as Statements, known: new Map<number, Expr>() }

/** All weights of a channel vector in registers, found by their place. */
function keptWeights(shape: DepthwiseShape, name: Namer, weight: (at: Affine) => Expr) {
  const known = new Map<number, Expr>()
  const definitions: Statement[] = []
  for (const o of combinations(shape.outerTaps))
    for (let k = 0; k < shape.taps.extent; k++) {
      const at = o.w + k * shape.taps.w
      const definition = define(name('w'), weight(affine(at)))
      definitions.push(definition)
      known.set(at, read(definition))
    }
  return { definitions, known }
}

interface TilePlace {
  /** The first output of a tile that meets a border. */
  readonly start: number | undefined
  readonly size: number
  readonly xAt: Affine
  readonly yAt: Affine
  readonly channel: Affine
  readonly count: number
  readonly lanes: 1 | 4
  /** Whether taps are few enough to be written out. */
  readonly kept: boolean
}

/** `size` outputs side by side: each column of x is loaded once for all of them that need it. */
function tileCode(
  shape: DepthwiseShape,
  { start, size, xAt, yAt, channel, count, lanes, kept }: TilePlace,
  epilogue: Epilogue,
  name: Namer,
  weight: (at: Affine) => Expr,
): Statements {
  const { outerTaps, taps, row, column } = shape
  const { from, to, sources } = shape.columns
  /** The column that is read for the one at `at`; undefined: it is zero. */
  const columnFor = (at: number) => {
    if (start === undefined) return at
    const absolute = start * row.columns + at
    if (sources) return at + from + sources[absolute]! - absolute
    return absolute >= from && absolute < to ? at : undefined
  }
  const sums = Array.from({ length: size }, () => variable(name('acc'), f32(0, lanes)))
  const rowOfTaps = (x: Affine, w: Affine, first: number, many: number): Statements => {
    const columns = new Map<number, { sum: (typeof sums)[number]; tap: number }[]>()
    sums.forEach((sum, i) => {
      for (let tap = first; tap < first + many; tap++) {
        const at = i * row.columns + tap * taps.column
        if (columnFor(at) !== undefined) columns.set(at, [...(columns.get(at) ?? []), { sum, tap }])
      }
    })
    return [...columns]
      .sort((a, b) => a[0] - b[0])
      .map(([at, uses]) => {
        const from = affine(columnFor(at)! * column)
        const value = define(name('x'), load(shape.x.buffer, addAffine(xAt, x, from), lanes))
        const products = uses.map(({ sum, tap }) =>
          set(sum.name, multiplyAdd(read(value), weight(shiftAffine(w, tap * taps.w)), read(sum))),
        )
        return [value, products]
      })
  }
  const steps = kept
    ? combinations(outerTaps).map((o) => rowOfTaps(affine(o.x), affine(o.w), 0, taps.extent))
    : loopedTaps(shape, name, rowOfTaps)
  const stores = sums.map((sum, i): Statements => {
    const { bind, statements } = binder(() => name('f'))
    const at = shiftAffine(yAt, i * row.y)
    return [statements, store(shape.y.buffer, at, epilogue.apply(read(sum), at, channel, bind), count)]
  })
  return [sums, steps, stores]
}

/** Many taps: loops over all axes, the last in pieces. */
function loopedTaps(
  shape: DepthwiseShape,
  name: Namer,
  rowOfTaps: (x: Affine, w: Affine, first: number, many: number) => Statements,
): Statements {
  const { outerTaps, taps, column } = shape
  if (tapCount(shape) === 0) return []
  const names = outerTaps.map(() => name('k'))
  const along = (key: 'x' | 'w') =>
    affine(0, Object.fromEntries(outerTaps.map((axis, i) => [names[i]!, axis[key] ?? 0])))
  const pieces = Math.floor(taps.extent / unrolledTaps)
  const index = name('k')
  const piece = (x: number, w: number): [Affine, Affine] => [
    addAffine(along('x'), affine(0, { [index]: x * unrolledTaps })),
    addAffine(along('w'), affine(0, { [index]: w * unrolledTaps })),
  ]
  const row: Statements = [
    pieces > 1
      ? loop(index, 0, pieces, 1, rowOfTaps(...piece(taps.column * column, taps.w), 0, unrolledTaps))
      : rowOfTaps(along('x'), along('w'), 0, pieces * unrolledTaps),
    rowOfTaps(along('x'), along('w'), pieces * unrolledTaps, taps.extent - pieces * unrolledTaps),
  ]
  return outerTaps.reduceRight<Statements>((inner, axis, i) => loop(names[i]!, 0, axis.extent, 1, inner), row)
}
