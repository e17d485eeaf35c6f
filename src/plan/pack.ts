import { addAffine, affine, buffer, f32, kernel, load, loop, type Statements, store } from '../kernel/builder.ts'
import type { Kernel, Lanes } from '../kernel/ir.ts'
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

export function packKernel(packing: Packing): Kernel {
  const { source, target, depth, columns, width, lanes } = packing
  const outer = packing.outer.map((axis, i) => ({ ...axis, index: `i${i}` })).filter((axis) => axis.extent > 1)
  const along = (key: 'source' | 'target') =>
    affine(0, Object.fromEntries(outer.map((axis) => [axis.index, axis[key]])))
  const total = depth.reduce((product, axis) => product * axis.extent, 1)
  const full = Math.floor(columns / width)
  const rest = columns - full * width
  const body: Statements[] = []
  if (full > 0) {
    const one = blockCode(packing, width, affine(0, { block: width }), affine(0, { block: width * total }))
    body.push(loop('block', 0, full, 1, one))
  }
  if (rest > 0) body.push(blockCode(packing, rest, affine(full * width), affine(full * width * total)))
  return kernel({
    name: 'pack',
    buffers: [
      buffer(source.buffer, 'f32', source.length + slack, 'read'),
      buffer(target.buffer, 'f32', target.length, 'write'),
    ],
    axes: outer.map(({ index, extent }) => ({ index, extent })),
    body,
  })

  function blockCode(
    { columnStride }: Packing,
    count: number,
    column: ReturnType<typeof affine>,
    block: ReturnType<typeof affine>,
  ): Statements {
    const padded = Math.ceil(count / lanes) * lanes
    const names = depth.map((_, i) => `k${i}`)
    const from = addAffine(
      affine(source.offset),
      along('source'),
      affine(0, Object.fromEntries(depth.map((axis, i) => [names[i]!, axis.source]))),
      affine(
        column.offset * columnStride,
        Object.fromEntries(column.terms.map((t) => [t.index, t.scale * columnStride])),
      ),
    )
    let step = padded
    const strides = depth.map(() => 0)
    for (let i = depth.length - 1; i >= 0; i--) {
      strides[i] = step
      step *= depth[i]!.extent
    }
    const to = addAffine(
      affine(target.offset),
      along('target'),
      affine(0, Object.fromEntries(names.map((name, i) => [name, strides[i]!]))),
      block,
    )
    const cells: Statements[] = []
    if (columnStride === 1)
      for (let lane = 0; lane < padded; lane += lanes)
        cells.push([
          store(target.buffer, addAffine(to, affine(lane)), load(source.buffer, addAffine(from, affine(lane)), lanes)),
        ])
    else
      for (let lane = 0; lane < padded; lane++) {
        const value = lane < count ? load(source.buffer, addAffine(from, affine(lane * columnStride))) : f32(0)
        cells.push([store(target.buffer, addAffine(to, affine(lane)), value)])
      }
    return depth.reduceRight<Statements>((inner, axis, i) => loop(names[i]!, 0, axis.extent, 1, inner), cells)
  }
}
