/** Sizes of a tensor's axes, outermost first. */
export type Shape = readonly number[]

/** Number of elements. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, extent) => product * extent, 1)

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis]!
  }
  return strides
}

/** Strides of an operand in the iteration over `shape` that it broadcasts to: 0 along repeated axes. */
export function broadcastStrides(operand: Shape, shape: Shape): number[] {
  const strides = stridesOf(operand)
  const extra = shape.length - operand.length
  return shape.map((_, axis) => (axis < extra || operand[axis - extra] === 1 ? 0 : strides[axis - extra]!))
}

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i])

export const showShape = (shape: Shape): string => `[${shape.join(', ')}]`

/** Calls `visit` with every index of a box in row-major order; the array passed is reused. */
export function forEachIndex(shape: Shape, visit: (index: readonly number[]) => void): void {
  const index = new Array<number>(shape.length).fill(0)
  const total = sizeOf(shape)
  for (let step = 0; step < total; step++) {
    visit(index)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis]! < shape[axis]!) break
      index[axis] = 0
    }
  }
}
