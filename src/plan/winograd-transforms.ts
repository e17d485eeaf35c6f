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
import { type Band, columnsRead, type Group, type Scratch, type Side, type Tiling } from './winograd-shape.ts'

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

/**
 * The points of a group: chunks of images and rows, then what is independent inside a chunk. Each axis of images is cut
 * in those outside of a chunk and those inside.
 */
function pointsOf(
  t: Tiling,
  band: Band,
  group: Group,
  channels: number,
  part: number,
  [height, width]: readonly [number, number],
) {
  const parts = channels / part
  const row = t.step * t.dilation[0] * width * channels
  const steps = [height * width * channels, width * channels, channels]
  let inside = t.samples
  const chunks: Point[] = []
  const images: Point[] = []
  for (const axis of [2, 1, 0]) {
    const before = t.samples / inside
    const extent = Math.min(inside, t.images[axis]!)
    inside /= extent
    const at = steps[axis]!
    images.unshift({
      index: `n${axis}`,
      extent,
      at,
      tile: before * band.rows * t.tiles[1],
      strip: before * band.rows * parts,
    })
    chunks.unshift({ index: `chunk${axis}`, extent: t.images[axis]! / extent, at: extent * at })
  }
  const axes = [
    ...chunks,
    { index: 'band', extent: band.many, at: band.rows * row },
    ...images,
    { index: 'row', extent: group.count, at: row, tile: t.tiles[1], strip: parts },
    { index: 'part', extent: parts, at: 0, strip: 1, channel: 1 },
  ].filter((axis) => axis.extent > 1)
  const along = (key: 'at' | 'tile' | 'strip' | 'channel', scale: number) =>
    affine(0, Object.fromEntries(axes.map((axis: Point) => [axis.index, (axis[key] ?? 0) * scale])))
  return {
    axes: axes.map(({ index, extent }) => ({ index, extent })),
    along,
    /** Offsets of the group's first row in a chunk's tiles and strips. */
    tile: group.first * t.tiles[1],
    strip: group.first * parts,
  }
}

/** An axis of points: how far its neighbours lie apart in the map, and in tiles, strips and parts of channels. */
interface Point {
  readonly index: string
  readonly extent: number
  readonly at: number
  readonly tile?: number
  readonly strip?: number
  readonly channel?: number
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

/** The rows of an image from a group's first on. */
const mapWalk = (
  buffer: string,
  points: ReturnType<typeof pointsOf>,
  t: Tiling,
  [row, column]: readonly [number, number],
  { width, channels, part }: { width: number; channels: number; part: number },
): Walk => {
  const [y, x] = [row * t.dilation[0] + t.first[0], column * t.dilation[1] + t.first[1]]
  return {
    buffer,
    base: addAffine(affine((y * width + x) * channels), points.along('at', 1), points.along('channel', part)),
    step: t.dilation[0] * width * channels,
    scales: { x: t.dilation[1] * channels },
  }
}

/**
 * M d M^T of the rows of tiles of one group of one side: columns first, over whole rows of the map, into a strip
 * [size][columns][channels]; then rows of the strip into the target [point][tile][channel].
 */
export function inputKernel(
  t: Tiling,
  side: Side,
  band: Band,
  group: Group,
  scratch: Scratch,
  features: TargetFeatures,
): Kernel {
  const { size } = t.transform
  const { matrix, map, channels, part, extent, low, source, target, strips } = side
  const points = pointsOf(t, band, group, channels, part, map)
  const columns = columnsRead(t, side)
  const walk = walks(t, points, part, { buffer: strips, columns }, { ...side, buffer: target })
  const from = Math.min(columns, Math.max(0, low[1]))
  const to = Math.max(from, Math.min(columns, extent[1] + low[1]))
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
  const x = mapWalk(source, points, t, first, { width: map[1], channels, part })
  const code = [
    zeros(0, from),
    pass(matrix, [['x', from, to]], group.range, x, walk.columns),
    zeros(to, columns),
    pass(matrix, tilesOf(t), [0, size], walk.rows, walk.points),
  ]
  return kernel({
    name: 'winogradInput',
    buffers: [
      buffer(source, 'f32', sizeOf([t.images[0], ...map, channels]) + slack, 'read'),
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
  scratch: Scratch,
  features: TargetFeatures,
  epilogue: Epilogue,
): Kernel {
  const { size, outputTransform } = t.transform
  const { step, map, output, outChannels: channels, outputPart: part } = t
  const points = pointsOf(t, band, group, channels, part, map)
  const walk = walks(
    t,
    points,
    part,
    { buffer: 'inputs', columns: t.tiles[1] * step },
    { buffer: 'products', pitch: t.productPitch, row: channels },
  )
  const { known, pass } = passes(features, part)
  const y = mapWalk('y', points, t, [(band.first + group.first) * step, 0], { width: map[1], channels, part })
  const made = outputTransform.slice(0, group.range[1])
  const code = [
    pass(outputTransform, tilesOf(t), [0, size], walk.points, walk.rows),
    pass(made, [['x', 0, output[1]]], [0, size], walk.columns, y, (value, at, channel, bind) =>
      epilogue.apply(value, at, addAffine(points.along('channel', part), channel), bind),
    ),
  ]
  return kernel({
    name: 'winogradOutput',
    buffers: [
      buffer('products', 'f32', scratch.products! + slack, 'read'),
      buffer('inputs', 'f32', scratch.inputs! + slack, 'update'),
      buffer('y', 'f32', sizeOf([t.images[0], ...map, channels]), 'write'),
      ...epilogue.buffers,
    ],
    axes: points.axes,
    body: [known.statements(), code],
  })
}
