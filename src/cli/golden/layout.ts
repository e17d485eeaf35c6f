import { stridesOf } from '../../base/shape.ts'
import type { Stored } from './folder.ts'

/** How axes stand in the files: 'channels' is [N, C, spatial...], 'kernel' [O, C, k...], 'plain' as here. */
export type Layout = 'plain' | 'channels' | 'kernel'

/** For each of our axes, which of the file's it is. */
export function axesOf(layout: Layout, rank: number): number[] {
  const axes = Array.from({ length: rank }, (_, axis) => axis)
  if (layout === 'channels') return rank < 2 ? axes : [0, ...axes.slice(2), 1]
  if (layout === 'kernel') return [...axes.slice(2), 1, 0]
  return axes
}

/** A stored tensor as fovea lays it out: channels last, kernels [k..., C, O]. */
export function arrange({ shape, data }: Stored, layout: Layout): Stored {
  const axes = axesOf(layout, shape.length)
  const strides = stridesOf(shape)
  const sizes = axes.map((axis) => shape[axis]!)
  const result = new Float32Array(data.length)
  const index = new Array<number>(axes.length).fill(0)
  for (let i = 0; i < result.length; i++) {
    result[i] = data[axes.reduce((offset, axis, k) => offset + index[k]! * strides[axis]!, 0)]!
    for (let k = axes.length - 1; k >= 0; k--) {
      if (++index[k]! < sizes[k]!) break
      index[k] = 0
    }
  }
  return { shape: sizes, data: result }
}
