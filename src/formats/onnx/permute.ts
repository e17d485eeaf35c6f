import { stridesOf } from '../../base/shape.ts'
import type { Fixed } from './elements.ts'

export const permuted = <T>(list: readonly T[], order: readonly number[]): T[] => order.map((axis) => list[axis])

interface Axis {
  size: number
  /** Step in the source, in elements. */
  readonly from: number
  /** Step in the result. */
  readonly to: number
}

/** Axes of the result; those of size 1 are left out and those that stay neighbours are one. */
function axesOf(shape: readonly number[], strides: readonly number[], order: readonly number[]): Axis[] {
  const to = stridesOf(permuted(shape, order))
  const axes: Axis[] = []
  for (const [i, axis] of order.entries()) {
    const before = axes.at(-1)
    const size = shape[axis]
    if (size === 1) continue
    if (before?.from === strides[axis] * size) {
      axes[axes.length - 1] = { size: before.size * size, from: strides[axis], to: to[i] }
    } else axes.push({ size, from: strides[axis], to: to[i] })
  }
  return axes
}

/** Elements of a square that is read along one axis and written along another, so that both stay in the cache. */
const block = 32

/** The values of a fixed tensor with its axes in another order. */
export function permuteFixed(value: Fixed, order: readonly number[]): Fixed {
  const shape = permuted(value.shape, order)
  const axes = axesOf(value.shape, stridesOf(value.shape), order)
  if (axes.length < 2) return { ...value, shape }
  const source = value.data
  const data = source.slice()
  const inner = axes.pop()!
  const near = axes.findIndex((axis) => axis.from === 1)
  const across = near < 0 ? { size: 1, from: 0, to: 0 } : axes.splice(near, 1)[0]
  const square = (from: number, to: number) => {
    for (let i0 = 0; i0 < across.size; i0 += block)
      for (let j0 = 0; j0 < inner.size; j0 += block)
        for (let i = i0; i < Math.min(i0 + block, across.size); i++)
          for (let j = j0; j < Math.min(j0 + block, inner.size); j++)
            data[to + i * across.to + j] = source[from + i * across.from + j * inner.from]
  }
  const visit = (depth: number, from: number, to: number) => {
    const axis = axes[depth]
    if (!axis) square(from, to)
    else for (let i = 0; i < axis.size; i++) visit(depth + 1, from + i * axis.from, to + i * axis.to)
  }
  visit(0, 0, 0)
  return { type: value.type, shape, data }
}
