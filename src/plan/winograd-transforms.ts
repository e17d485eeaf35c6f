import { sizeOf } from '../base/shape.ts'
import {
  addAffine,
  affine,
  buffer,
  define,
  kernel,
  load,
  loop,
  read,
  type Statements,
  store,
} from '../kernel/builder.ts'
import type { Affine, Expr, Kernel, TargetFeatures } from '../kernel/ir.ts'
import { binder } from '../kernel/math.ts'
import { channelVectors } from './channels.ts'
import { namer } from './names.ts'
import { type Epilogue, slack } from './types.ts'
import { constants, linear } from './winograd-linear.ts'
import { type Band, columnsRead, type Group, type Side, scratchOf, type Tiling } from './winograd-shape.ts'

/** Where vectors lie: number `i` of a column or row at base + i * step, further ones along the loops' indices. */
interface Walk {
  readonly buffer: string
  readonly base: Affine
  readonly step: number
  readonly scales: Readonly<Record<string, number>>
}

type Put = (value: Expr, at: Affine, channel: Affine, bind: (value: Expr) => Expr) => Expr

/** Makes the loops of a transform's passes: vectors of `part` channels innermost. */
function passes({ lanes }: TargetFeatures, part: number) {
  const name = namer()
  const known = constants(name, lanes)
  const vectors = (loops: readonly Loop[], code: (c: Affine, count: number) => Statements): Statements =>
    loops.reduceRight<Statements>(
      (body, [index, from, to]) => loop(index, from, to, 1, body),
      channelVectors(part, lanes, 'c', code),
    )
  return {
    vectors,
    known,
    /** to[0..] = matrix * from[0..], as far as from's are in `range`: the others are zero. */
    pass: (
      matrix: readonly (readonly number[])[],
      loops: readonly Loop[],
      [first, end]: readonly [number, number],
      from: Walk,
      to: Walk,
      put: Put = (value) => value,
    ): Statements =>
      vectors(loops, (c, count) => {
        const at = (walk: Walk, i: number) => addAffine(walk.base, affine(i * walk.step, walk.scales), c)
        const values = matrix[0]!.map((_, i) =>
          i < first || i >= end ? undefined : define(name('d'), load(from.buffer, at(from, i), lanes)),
        )
        const { bind, statements } = binder(() => name('t'))
        const results = linear(
          matrix,
          values.map((value) => value && read(value)),
          bind,
          known,
        )
        const stores = results.map((value, i) => {
          const last = binder(() => name('f'))
          const stored = store(to.buffer, at(to, i), put(value, at(to, i), c, last.bind), count)
          return [last.statements, stored]
        })
        return [values.flatMap((value) => (value ? [value] : [])), statements, stores]
      }),
  }
}

type Loop = readonly [index: string, from: number, to: number]

/** The points of a group: chunks of samples and rows, then what is independent inside a chunk. */
function pointsOf(
  t: Tiling,
  band: Band,
  group: Group,
  channels: number,
  part: number,
  [height, width]: readonly [number, number],
) {
  const parts = channels / part
  const sample = height * width * channels
  const row = t.step * width * channels
  const axes = [
    { index: 'chunk', extent: t.batch / t.samples, at: t.samples * sample, tile: 0, strip: 0, channel: 0 },
    { index: 'band', extent: band.many, at: band.rows * row, tile: 0, strip: 0, channel: 0 },
    { index: 'n', extent: t.samples, at: sample, tile: band.rows * t.tiles[1], strip: band.rows * parts, channel: 0 },
    { index: 'row', extent: group.count, at: row, tile: t.tiles[1], strip: parts, channel: 0 },
    { index: 'part', extent: parts, at: 0, tile: 0, strip: 1, channel: 1 },
  ].filter((axis) => axis.extent > 1)
  const along = (key: 'at' | 'tile' | 'strip' | 'channel', scale: number) =>
    affine(0, Object.fromEntries(axes.map((axis) => [axis.index, axis[key] * scale])))
  return {
    axes: axes.map(({ index, extent }) => ({ index, extent })),
    along,
    /** Offsets of the group's first row in a chunk's tiles and strips. */
    tile: group.first * t.tiles[1],
    strip: group.first * parts,
  }
}

/** Loops over what a strip's other passes hold: its rows, and tiles along them. */
const tilesOf = ({ transform, tiles }: Tiling): Loop[] => [
  ['i', 0, transform.size],
  ['tile', 0, tiles[1]],
]

/** The strip of a point, as columns of the map and as rows of tiles, and what lies at the tiles' points. */
function walks(
  t: Tiling,
  points: ReturnType<typeof pointsOf>,
  part: number,
  strip: { buffer: string; columns: number },
  target: { buffer: string; pitch: number; row: number },
) {
  const line = strip.columns * part
  const floats = t.transform.size * line
  const base = addAffine(affine(points.strip * floats), points.along('strip', floats))
  const { pitch, row } = target
  return {
    columns: { buffer: strip.buffer, base, step: line, scales: { x: part } },
    rows: { buffer: strip.buffer, base, step: part, scales: { i: line, tile: t.step * part } },
    points: {
      buffer: target.buffer,
      base: addAffine(affine(points.tile * row), points.along('tile', row), points.along('channel', part)),
      step: pitch,
      scales: { i: t.transform.size * pitch, tile: row },
    },
  }
}

/** The rows of a map from a group's first on. */
const mapWalk = (
  buffer: string,
  points: ReturnType<typeof pointsOf>,
  [row, column]: readonly [number, number],
  { width, channels, part }: { width: number; channels: number; part: number },
): Walk => ({
  buffer,
  base: addAffine(affine((row * width + column) * channels), points.along('at', 1), points.along('channel', part)),
  step: width * channels,
  scales: { x: channels },
})

/**
 * M d M^T of the rows of tiles of one group of one side: columns first, over whole rows of the map, into a strip
 * [size][columns][channels]; then rows of the strip into the target [point][tile][channel].
 */
export function inputKernel(t: Tiling, side: Side, band: Band, group: Group, features: TargetFeatures): Kernel {
  const { size } = t.transform
  const { matrix, channels, part, extent, low, source, target, strips } = side
  const [height, width] = extent
  const points = pointsOf(t, band, group, channels, part, extent)
  const columns = columnsRead(t, side)
  const walk = walks(t, points, part, { buffer: strips, columns }, { ...side, buffer: target })
  const from = Math.min(columns, Math.max(0, low[1]))
  const to = Math.max(from, Math.min(columns, width + low[1]))
  const { vectors, known, pass } = passes(features, part)
  const zeros = (begin: number, end: number): Statements => {
    const { base, step, scales } = walk.columns
    const loops: Loop[] = [
      ['i', 0, size],
      ['x', begin, end],
    ]
    return vectors(loops, (c, count) => [
      store(strips, addAffine(base, affine(0, { ...scales, i: step }), c), known.of(0), count),
    ])
  }
  const first: [number, number] = [(band.first + group.first) * t.step - low[0], -low[1]]
  const x = mapWalk(source, points, first, { width, channels, part })
  const code = [
    zeros(0, from),
    pass(matrix, [['x', from, to]], group.range, x, walk.columns),
    zeros(to, columns),
    pass(matrix, tilesOf(t), [0, size], walk.rows, walk.points),
  ]
  const scratch = scratchOf(t, features.lanes)
  return kernel({
    name: 'winogradInput',
    buffers: [
      buffer(source, 'f32', sizeOf([t.batch, height, width, channels]) + slack, 'read'),
      buffer(target, 'f32', scratch[target]!, 'write'),
      buffer(strips, 'f32', scratch[strips]! + slack, 'update'),
    ],
    axes: points.axes,
    body: [known.statements(), code],
  })
}

/**
 * A^T m A of the rows of tiles of one group: rows of a tile first, into a strip [size][columns][channels]; then its
 * columns, as far as they exist, through the epilogue into y.
 */
export function outputKernel(
  t: Tiling,
  band: Band,
  group: Group,
  features: TargetFeatures,
  epilogue: Epilogue,
): Kernel {
  const { size, outputTransform } = t.transform
  const { step, output, outChannels: channels, outputPart: part } = t
  const [height, width] = output
  const points = pointsOf(t, band, group, channels, part, output)
  const walk = walks(
    t,
    points,
    part,
    { buffer: 'inputs', columns: t.tiles[1] * step },
    { buffer: 'products', pitch: t.productPitch, row: channels },
  )
  const { known, pass } = passes(features, part)
  const y = mapWalk('y', points, [(band.first + group.first) * step, 0], { width, channels, part })
  const made = outputTransform.slice(0, group.range[1])
  const code = [
    pass(outputTransform, tilesOf(t), [0, size], walk.points, walk.rows),
    pass(made, [['x', 0, width]], [0, size], walk.columns, y, (value, at, channel, bind) =>
      epilogue.apply(value, at, addAffine(points.along('channel', part), channel), bind),
    ),
  ]
  const scratch = scratchOf(t, features.lanes)
  return kernel({
    name: 'winogradOutput',
    buffers: [
      buffer('products', 'f32', scratch.products! + slack, 'read'),
      buffer('inputs', 'f32', scratch.inputs! + slack, 'update'),
      buffer('y', 'f32', sizeOf([t.batch, height, width, channels]), 'write'),
      ...epilogue.buffers,
    ],
    axes: points.axes,
    body: [known.statements(), code],
  })
}
