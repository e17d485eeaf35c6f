import { stridesOf } from '../base/shape.ts'
import {
  addAffine,
  affine,
  buffer,
  f32,
  kernel,
  load,
  loop,
  type Statements,
  scaleAffine,
  shiftAffine,
  store,
} from '../kernel/builder.ts'
import type { Affine, Kernel, Lanes } from '../kernel/ir.ts'
import type { Place } from './contraction.ts'
import { slack } from './types.ts'

/** Weights laid out as tiles read them: [outer...][block of columns][depth...][columns of the block]. */
export interface Packing {
  readonly source: Place
  readonly target: Place
  /** Groups, and phases of a stride. */
  readonly outer: readonly { readonly extent: number; readonly source: number; readonly target: number }[]
  /** Axes of the sum in the order of the tile's loops. */
  readonly depth: readonly { readonly extent: number; readonly source: number }[]
  readonly columns: number
  readonly columnStride: number
  /** Columns of a block. */
  readonly width: number
  readonly lanes: Lanes
}

/** One kernel for the blocks of full width, one for a narrower last block. */
export function packKernels(packing: Packing): Kernel[] {
  const { source, target, depth, columns, width, lanes } = packing
  const total = depth.reduce((product, axis) => product * axis.extent, 1)
  const full = Math.floor(columns / width)
  const parts = [
    { count: width, column: affine(0, full > 1 ? { block: width } : {}), many: full },
    { count: columns - full * width, column: affine(full * width), many: 1 },
  ]
  const outer = packing.outer.map((axis, i) => ({ ...axis, index: `i${i}` })).filter((axis) => axis.extent > 1)
  const along = (key: 'source' | 'target') =>
    affine(0, Object.fromEntries(outer.map((axis) => [axis.index, axis[key]])))
  return parts
    .filter(({ count, many }) => count > 0 && many > 0)
    .map(({ count, column, many }) => {
      const from = addAffine(affine(source.offset), along('source'), scaleAffine(column, packing.columnStride))
      const to = addAffine(affine(target.offset), along('target'), scaleAffine(column, total))
      const axes = outer.map(({ index, extent }) => ({ index, extent }))
      return kernel({
        name: 'pack',
        buffers: [
          buffer(source.buffer, 'f32', source.length + slack, 'read'),
          buffer(target.buffer, 'f32', target.length, 'write'),
        ],
        axes: many > 1 ? [...axes, { index: 'block', extent: many }] : axes,
        body: blockCode(packing, count, from, to, lanes),
      })
    })
}

/** Copies one block of `count` columns, filled up with zeros to whole vectors. */
function blockCode(
  { source, target, depth, columnStride }: Packing,
  count: number,
  from: Affine,
  to: Affine,
  lanes: Lanes,
) {
  const padded = Math.ceil(count / lanes) * lanes
  const names = depth.map((_, i) => `k${i}`)
  const targets = stridesOf([...depth.map((axis) => axis.extent), padded])
  const fromHere = addAffine(from, affine(0, Object.fromEntries(depth.map((axis, i) => [names[i]!, axis.source]))))
  const toHere = addAffine(to, affine(0, Object.fromEntries(names.map((name, i) => [name, targets[i]!]))))
  const step = columnStride === 1 ? lanes : 1
  const cells: Statements[] = []
  for (let lane = 0; lane < padded; lane += step) {
    const value =
      lane < count
        ? load(source.buffer, shiftAffine(fromHere, lane * columnStride), columnStride === 1 ? lanes : 1)
        : f32(0)
    cells.push([store(target.buffer, shiftAffine(toHere, lane), value)])
  }
  return depth.reduceRight<Statements>((inner, axis, i) => loop(names[i]!, 0, axis.extent, 1, inner), cells)
}
