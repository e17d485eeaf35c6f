import {
  addAffine,
  affine,
  buffer,
  define,
  extract,
  kernel,
  load,
  local,
  loop,
  type Statements,
  scaleAffine,
  store,
} from '../kernel/builder.ts'
import type { Affine, Expr, Kernel, Lanes, TargetFeatures } from '../kernel/ir.ts'
import { binder } from '../kernel/math.ts'
import { channelVectors } from './channels.ts'
import type { CookToom } from './cook-toom.ts'
import { namer } from './names.ts'
import { slack } from './types.ts'
import { constants, linear } from './winograd-linear.ts'
import { groupOf, groupPitch, type Scratch, type Tiling, weightPitch } from './winograd-shape.ts'

/** Blocks of columns of one width: their first column, their first float in a point's packed weights, and how many. */
interface Blocks {
  readonly column: Affine
  readonly at: Affine
  readonly count: number
  readonly width: number
  readonly many: number
}

/**
 * G w G^T of every channel read and made, laid out as the products read it: [point][block of columns][channel read]
 * [columns of the block]. Vectors lie along whichever channels are neighbours in b. What a block's lines of the cache
 * hold is written at once.
 */
export function weightKernels(t: Tiling, width: number, scratch: Scratch, { lanes }: TargetFeatures): Kernel[] {
  const { inChannels, outChannels } = groupOf(t)
  const group = groupAt(t, groupPitch(t, lanes))
  const full = Math.floor(outChannels / width)
  const rest = outChannels - full * width
  const all: Blocks[] = [
    {
      column: affine(0, { block: width }),
      at: addAffine(affine(0, { block: width * inChannels }), group),
      count: width,
      width,
      many: full,
    },
    {
      column: affine(full * width),
      at: addAffine(affine(full * width * inChannels), group),
      count: rest,
      width: Math.ceil(rest / lanes) * lanes,
      many: 1,
    },
  ]
  return all
    .filter(({ count, many }) => count > 0 && many > 0)
    .map((blocks) => {
      const { kernelTransform } = t.transform
      const { offset, taps } = t.weights
      const code = transformer(kernelTransform, lanes, 'b', offset, taps, pointSteps(t, lanes))
      const body = t.weights.out === 1 ? alongColumns(t, blocks, code, lanes) : alongDepth(t, blocks, code, lanes)
      return kernel({
        name: 'winogradWeights',
        buffers: [
          buffer('b', 'f32', t.transform.taps ** 2 * inChannels * t.outChannels + slack, 'read'),
          buffer('packed', 'f32', scratch.packed!, 'write'),
        ],
        axes: [...groupAxis(t), { index: 'block', extent: blocks.many }],
        body: [code.constants.statements(), body],
      })
    })
}

/** Kernels know the group's number only where there are several. */
const groupAxis = ({ groups }: Tiling) => (groups > 1 ? [{ index: 'group', extent: groups }] : [])
const groupAt = ({ groups }: Tiling, stride: number): Affine => affine(0, groups > 1 ? { group: stride } : {})

/** Channels made are neighbours in b: vectors of a block's columns. */
const alongColumns = (t: Tiling, { column, at, width }: Blocks, code: Transformer, lanes: Lanes): Statements =>
  loop('in', 0, groupOf(t).inChannels, 1, [
    Array.from({ length: width / lanes }, (_, v) => {
      const from = addAffine(affine(v * lanes, { in: t.weights.in }), column, groupAt(t, t.weights.group))
      const to = addAffine(affine(v * lanes, { in: width }), at)
      return code.put(from, (place, value) => [store('packed', addAffine(to, place), value)])
    }),
  ])

/** Channels read are neighbours in b: vectors of them, stored lane by lane. */
const alongDepth = (t: Tiling, { column, at, count, width }: Blocks, code: Transformer, lanes: Lanes): Statements =>
  channelVectors(groupOf(t).inChannels, lanes, 'in', (channel, lanesIn) =>
    loop('column', 0, count, 1, [
      code.put(
        addAffine(
          channel,
          scaleAffine(column, t.weights.out),
          affine(0, { column: t.weights.out }),
          groupAt(t, t.weights.group),
        ),
        (place, value) =>
          Array.from({ length: lanesIn }, (_, lane) => {
            const to = addAffine(at, affine(lane * width, { column: 1 }), scaleAffine(channel, width), place)
            return store('packed', to, lanes === 1 ? value : extract(value, lane))
          }),
      ),
    ]),
  )

/**
 * A^T m A of the sums of products [point][channel of a][channel of b], made by the gradient of the kernel. Vectors of
 * the latter.
 */
export function kernelGradientKernel(t: Tiling, { lanes }: TargetFeatures): Kernel {
  const { outputTransform, size, outputs } = t.transform
  const code = transformer(outputTransform, lanes, 'packed', 0, pointSteps(t, lanes), t.weights.taps)
  const { inChannels, outChannels: made } = groupOf(t)
  const body = channelVectors(made, lanes, 'out', (channel, count) => {
    const from = addAffine(affine(0, { in: made }), channel, groupAt(t, groupPitch(t, lanes)))
    const to = addAffine(affine(0, { in: t.outChannels }), channel, groupAt(t, t.weights.group))
    return code.put(from, (place, value) => [store('y', addAffine(to, place), value, count)])
  })
  return kernel({
    name: 'winogradKernelGradient',
    buffers: [
      buffer('packed', 'f32', size ** 2 * weightPitch(t, lanes) + slack, 'read'),
      buffer('y', 'f32', outputs ** 2 * inChannels * t.outChannels, 'write'),
    ],
    axes: [...groupAxis(t), { index: 'in', extent: inChannels }],
    body: [code.constants.statements(), body],
  })
}

type Transformer = ReturnType<typeof transformer>

/** From a tile's point to the one below and the one beside it, in weights as the products read them. */
const pointSteps = (t: Tiling, lanes: Lanes): Steps => {
  const pitch = weightPitch(t, lanes)
  return [t.transform.size * pitch, pitch]
}

type Steps = readonly [number, number]

/**
 * M g M^T as straight-line code for one vector of pairs of channels: g[i][j] lies in `source` at `offset` +
 * `read` * [i, j]; `put` gets each result's place, `write` * [i, j], and value.
 */
function transformer(
  matrix: CookToom['kernelTransform'],
  lanes: Lanes,
  source: string,
  offset: number,
  read: Steps,
  write: Steps,
) {
  const name = namer()
  const known = constants(name, lanes)
  const range = Array.from(matrix[0]!, (_, i) => i)
  return {
    constants: known,
    put(from: Affine, put: (place: Affine, value: Expr) => Statements): Statements {
      const { bind, statements } = binder(() => name('t'))
      const times = (values: readonly Expr[]) => linear(matrix, values, bind, known)
      const loads = range.map((i) =>
        range.map((j) => {
          const at = affine(offset + i * read[0] + j * read[1])
          return define(name('g'), load(source, addAffine(from, at), lanes))
        }),
      )
      const columns = range.map((j) => times(loads.map((row) => local(row[j]!.name, 'f32', lanes))))
      const stores = matrix.map((_, i) =>
        times(columns.map((column) => column[i]!)).map((value, j) => put(affine(i * write[0] + j * write[1]), value)),
      )
      return [loads.flat(), statements, stores]
    },
  }
}
