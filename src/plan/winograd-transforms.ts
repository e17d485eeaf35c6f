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
import { type Namer, namer } from './names.ts'
import { type Epilogue, slack } from './types.ts'
import { type Constants, constants, linear } from './winograd-linear.ts'
import {
  type Band,
  columnsRead,
  type Group,
  inputStrip,
  outputStrip,
  rowsMade,
  rowsRead,
  scratchOf,
  type Tiling,
} from './winograd-shape.ts'

/** One step of a transform: a column or row of values in, its product with a matrix out. */
interface Pass {
  readonly name: Namer
  readonly constants: Constants
  readonly features: TargetFeatures
}

/** values[from..to) = loads; results = matrix * values, stored by `put`. Values outside are zero. */
function pass(
  { name, constants, features }: Pass,
  matrix: readonly (readonly number[])[],
  [from, to]: readonly [number, number],
  place: (i: number) => { buffer: string; at: Affine },
  put: (i: number, value: Expr, bind: (value: Expr) => Expr) => Statements,
): Statements {
  const values = matrix[0]!.map((_, i) => {
    if (i < from || i >= to) return undefined
    const { buffer, at } = place(i)
    return define(name('d'), load(buffer, at, features.lanes))
  })
  const { bind, statements } = binder(() => name('t'))
  const results = linear(
    matrix,
    values.map((value) => value && read(value)),
    bind,
    constants,
  )
  const stores = results.map((value, i) => {
    const epilogue = binder(() => name('f'))
    const code = put(i, value, epilogue.bind)
    return [epilogue.statements, code]
  })
  return [values.flatMap((value) => (value ? [value] : [])), statements, stores]
}

/** The points of a group: chunks of samples and rows, then what is independent inside a chunk. */
function pointsOf(t: Tiling, band: Band, group: Group, parts: number, sizes: { sample: number; row: number }) {
  const sample = sizes.sample
  const axes = [
    { index: 'chunk', extent: t.batch / t.samples, at: t.samples * sample, tile: 0, strip: 0, channel: 0 },
    { index: 'band', extent: band.many, at: band.rows * sizes.row, tile: 0, strip: 0, channel: 0 },
    { index: 'n', extent: t.samples, at: sample, tile: band.rows * t.tiles[1], strip: band.rows * parts, channel: 0 },
    { index: 'row', extent: group.count, at: sizes.row, tile: t.tiles[1], strip: parts, channel: 0 },
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

/**
 * B^T d B of the rows of tiles of one group: columns first, over whole rows of the input, into a strip
 * [size][columns][channels]; then rows of the strip into inputs[point][tile][channel].
 */
export function inputKernel(t: Tiling, band: Band, group: Group, features: TargetFeatures): Kernel {
  const { size, outputs, inputTransform } = t.transform
  const [height, width] = t.input
  const channels = t.inChannels
  const part = t.inputPart
  const parts = channels / part
  const name = namer()
  const context = { name, constants: constants(name, features.lanes), features }
  const points = pointsOf(t, band, group, parts, {
    sample: height * width * channels,
    row: outputs * width * channels,
  })
  const columns = columnsRead(t)
  const strip = addAffine(affine(points.strip * inputStrip(t)), points.along('strip', inputStrip(t)))
  const first = (band.first + group.first) * outputs - t.low[0]
  const x = addAffine(
    affine((first * width - t.low[1]) * channels),
    points.along('at', 1),
    points.along('channel', part),
  )
  const [from, to] = [Math.min(columns, Math.max(0, t.low[1])), Math.max(0, Math.min(columns, width + t.low[1]))]
  const zeros = (begin: number, end: number): Statements =>
    loop('i', 0, size, 1, [
      loop('x', begin, end, 1, [
        channelVectors(part, features.lanes, 'c', (c, count) => [
          store(
            'products',
            addAffine(strip, affine(0, { i: columns * part, x: part }), c),
            context.constants.of(0),
            count,
          ),
        ]),
      ]),
    ])
  const vertical = loop('x', from, Math.max(from, to), 1, [
    channelVectors(part, features.lanes, 'c', (c, count) =>
      pass(
        context,
        inputTransform,
        rowsRead(t, band.first + group.first),
        (i) => ({ buffer: 'a', at: addAffine(x, affine(i * width * channels, { x: channels }), c) }),
        (i, value) => [store('products', addAffine(strip, affine(i * columns * part, { x: part }), c), value, count)],
      ),
    ),
  ])
  const inputs = addAffine(
    affine(points.tile * channels),
    points.along('tile', channels),
    points.along('channel', part),
  )
  const horizontal = loop('i', 0, size, 1, [
    loop('tile', 0, t.tiles[1], 1, [
      channelVectors(part, features.lanes, 'c', (c, count) =>
        pass(
          context,
          inputTransform,
          [0, size],
          (j) => ({
            buffer: 'products',
            at: addAffine(strip, affine(j * part, { i: columns * part, tile: outputs * part }), c),
          }),
          (j, value) => {
            const at = addAffine(inputs, affine(j * t.inputPitch, { i: size * t.inputPitch, tile: channels }), c)
            return [store('inputs', at, value, count)]
          },
        ),
      ),
    ]),
  ])
  const code = [zeros(0, from), vertical, zeros(Math.max(from, to), columns), horizontal]
  return kernel({
    name: 'winogradInput',
    buffers: [
      buffer('a', 'f32', sizeOf([t.batch, height, width, channels]) + slack, 'read'),
      buffer('inputs', 'f32', scratchOf(t, features.lanes).inputs, 'write'),
      buffer('products', 'f32', scratchOf(t, features.lanes).products + slack, 'update'),
    ],
    axes: points.axes,
    body: [context.constants.statements(), code],
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
  const { size, outputs, outputTransform } = t.transform
  const [height, width] = t.output
  const channels = t.outChannels
  const part = t.outputPart
  const parts = channels / part
  const name = namer()
  const context = { name, constants: constants(name, features.lanes), features }
  const points = pointsOf(t, band, group, parts, {
    sample: height * width * channels,
    row: outputs * width * channels,
  })
  const columns = t.tiles[1] * outputs
  const strip = addAffine(affine(points.strip * outputStrip(t)), points.along('strip', outputStrip(t)))
  const products = addAffine(
    affine(points.tile * channels),
    points.along('tile', channels),
    points.along('channel', part),
  )
  const horizontal = loop('i', 0, size, 1, [
    loop('tile', 0, t.tiles[1], 1, [
      channelVectors(part, features.lanes, 'c', (c, count) =>
        pass(
          context,
          outputTransform,
          [0, size],
          (j) => ({
            buffer: 'products',
            at: addAffine(products, affine(j * t.productPitch, { i: size * t.productPitch, tile: channels }), c),
          }),
          (j, value) => {
            const at = addAffine(strip, affine(j * part, { i: columns * part, tile: outputs * part }), c)
            return [store('inputs', at, value, count)]
          },
        ),
      ),
    ]),
  ])
  const y = addAffine(
    affine((band.first + group.first) * outputs * width * channels),
    points.along('at', 1),
    points.along('channel', part),
  )
  const [, made] = rowsMade(t, band.first + group.first)
  const vertical = loop('x', 0, width, 1, [
    channelVectors(part, features.lanes, 'c', (c, count) =>
      pass(
        context,
        outputTransform.slice(0, made),
        [0, size],
        (i) => ({ buffer: 'inputs', at: addAffine(strip, affine(i * columns * part, { x: part }), c) }),
        (i, value, bind) => {
          const at = addAffine(y, affine(i * width * channels, { x: channels }), c)
          const result = epilogue.apply(value, at, addAffine(points.along('channel', part), c), bind)
          return [store('y', at, result, count)]
        },
      ),
    ),
  ])
  return kernel({
    name: 'winogradOutput',
    buffers: [
      buffer('products', 'f32', scratchOf(t, features.lanes).products + slack, 'read'),
      buffer('inputs', 'f32', scratchOf(t, features.lanes).inputs + slack, 'update'),
      buffer('y', 'f32', sizeOf([t.batch, height, width, channels]), 'write'),
      ...epilogue.buffers,
    ],
    axes: points.axes,
    body: [context.constants.statements(), horizontal, vertical],
  })
}
