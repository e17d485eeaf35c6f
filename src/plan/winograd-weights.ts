import {
  addAffine,
  affine,
  buffer,
  define,
  extract,
  kernel,
  load,
  loop,
  read,
  type Statements,
  store,
} from '../kernel/builder.ts'
import type { Affine, Expr, Kernel, Lanes, TargetFeatures } from '../kernel/ir.ts'
import { binder } from '../kernel/math.ts'
import { packedLength } from './contraction.ts'
import { namer } from './names.ts'
import { slack } from './types.ts'
import { constants, linear } from './winograd-linear.ts'
import type { Tiling } from './winograd-shape.ts'

/** Where a block of columns lies: its first column, its first float in one point's packed weights, and its width. */
interface Block {
  readonly column: Affine
  readonly at: Affine
  readonly count: number
  readonly width: number
}

/**
 * G w G^T of every channel read and made, laid out as the products read it: [point][block of columns][channel read]
 * [columns of the block]. Vectors lie along whichever channels are neighbours in b.
 */
export function weightKernels(t: Tiling, width: number, features: TargetFeatures): Kernel[] {
  const { lanes } = features
  const { inChannels, outChannels, weights } = t
  const total = packedLength(inChannels, outChannels, lanes)
  const full = Math.floor(outChannels / width)
  const rest = outChannels - full * width
  const blocks = (column: (block: Block) => Statements): Statements => {
    const whole = {
      column: affine(0, { block: width }),
      at: affine(0, { block: width * inChannels }),
      count: width,
      width,
    }
    const last = {
      column: affine(full * width),
      at: affine(full * width * inChannels),
      count: rest,
      width: Math.ceil(rest / lanes) * lanes,
    }
    return [loop('block', 0, full, 1, column(whole)), rest > 0 ? column(last) : []]
  }
  const make = (axis: { extent: number; scale: number; first: number }, body: Statements, head: Statements): Kernel =>
    kernel({
      name: 'winogradWeights',
      buffers: [
        buffer('b', 'f32', t.transform.taps ** 2 * inChannels * outChannels + slack, 'read'),
        buffer('packed', 'f32', t.transform.size ** 2 * total, 'write'),
      ],
      axes: [{ index: 'in', extent: axis.extent }],
      body: [head, body],
    })
  if (weights.out === 1) {
    const code = transformer(t, total, lanes)
    const body = blocks(({ column, at, width }) =>
      Array.from({ length: width / lanes }, (_, v) => {
        const from = addAffine(affine(v * lanes, { in: weights.in }), column)
        const to = addAffine(affine(v * lanes, { in: width }), at)
        return code.put(from, (place, value) => [store('packed', addAffine(to, place), value)])
      }),
    )
    return [make({ extent: inChannels, scale: 1, first: 0 }, body, code.constants.statements())]
  }
  const whole = Math.floor(inChannels / lanes)
  const parts = [
    { extent: whole, scale: lanes, first: 0, count: lanes },
    { extent: Math.min(1, inChannels % lanes), scale: 0, first: whole * lanes, count: inChannels % lanes },
  ].filter((axis) => axis.extent > 0)
  return parts.map((axis) => {
    const code = transformer(t, total, lanes)
    const channel = affine(axis.first, { in: axis.scale })
    const body = blocks(({ column, at, count, width }) =>
      loop('column', 0, count, 1, [
        code.put(addAffine(channel, scaled(column, weights.out), affine(0, { column: weights.out })), (place, value) =>
          Array.from({ length: axis.count }, (_, lane) => {
            const to = addAffine(at, affine(lane * width, { column: 1 }), scaled(channel, width), place)
            return store('packed', to, lanes === 1 ? value : extract(value, lane))
          }),
        ),
      ]),
    )
    return make(axis, body, code.constants.statements())
  })
}

const scaled = (form: Affine, n: number): Affine => ({
  offset: form.offset * n,
  terms: form.terms.map((term) => ({ index: term.index, scale: term.scale * n })),
})

/** Straight-line code for one vector of pairs of channels; `put` gets each point's place and value. */
function transformer(t: Tiling, total: number, lanes: Lanes) {
  const { size, taps, kernelTransform } = t.transform
  const name = namer()
  const known = constants(name, lanes)
  const range = Array.from({ length: taps }, (_, i) => i)
  return {
    constants: known,
    put(from: Affine, put: (place: Affine, value: Expr) => Statements): Statements {
      const { bind, statements } = binder(() => name('t'))
      const loads = range.map((i) =>
        range.map((j) => {
          const at = affine(t.weights.offset + i * t.weights.taps[0] + j * t.weights.taps[1])
          return define(name('g'), load('b', addAffine(from, at), lanes))
        }),
      )
      const columns = range.map((j) =>
        linear(
          kernelTransform,
          loads.map((row) => read(row[j]!)),
          bind,
          known,
        ),
      )
      const values = Array.from({ length: size }, (_, i) =>
        linear(
          kernelTransform,
          columns.map((column) => column[i]!),
          bind,
          known,
        ),
      )
      const stores = values.flatMap((row, i) => row.map((value, j) => put(affine((i * size + j) * total), value)))
      return [loads.flat(), statements, stores]
    },
  }
}
