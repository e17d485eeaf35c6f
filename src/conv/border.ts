import { forEachIndex, type Shape, sizeOf, stridesOf } from '../base/shape.ts'
import { type PaddingMode, sourceIndex } from './padding.ts'

/** What stands before and behind each axis of an array. */
export interface Border {
  readonly low: Shape
  readonly high: Shape
  readonly mode: PaddingMode
  /** The value of mode 'constant'. Default 0. */
  readonly value?: number
}

/** Where each element of a padded axis comes from: indices in [0, size), or -1 for the fill value. */
export const borderMap = (mode: PaddingMode, size: number, low: number, high: number): number[] =>
  Array.from({ length: low + size + high }, (_, i) => sourceIndex(mode, i - low, size))

/** Sizes of an array inside its border: low + size + high of each axis. */
export const borderedShape = (shape: Shape, { low, high }: Border): number[] =>
  shape.map((size, axis) => low[axis]! + size + high[axis]!)

/** Calls `visit` with the flat index of each element of the padded array and of its source, or -1. */
function forEachSource(shape: Shape, border: Border, visit: (padded: number, source: number) => void): void {
  const maps = shape.map((size, axis) => borderMap(border.mode, size, border.low[axis]!, border.high[axis]!))
  const strides = stridesOf(shape)
  let flat = 0
  forEachIndex(borderedShape(shape, border), (at) => {
    const sources = at.map((i, axis) => maps[axis]![i]!)
    const source = sources.includes(-1) ? -1 : sources.reduce((sum, i, axis) => sum + i * strides[axis]!, 0)
    visit(flat++, source)
  })
}

/** x of `shape` with its border, in float64: the definition of padding. */
export function withBorder(x: ArrayLike<number>, shape: Shape, border: Border): Float64Array {
  const fill = border.mode === 'constant' ? (border.value ?? 0) : 0
  const y = new Float64Array(sizeOf(borderedShape(shape, border)))
  forEachSource(shape, border, (padded, source) => {
    y[padded] = source < 0 ? fill : x[source]!
  })
  return y
}

/** What flows back to x of `shape` from g, the derivative by the array with its border: copies add up. */
export function borderGradient(g: ArrayLike<number>, shape: Shape, border: Border): Float64Array {
  const dx = new Float64Array(sizeOf(shape))
  forEachSource(shape, border, (padded, source) => {
    if (source >= 0) dx[source]! += g[padded]!
  })
  return dx
}
