import { fail } from '../base/errors.ts'
import { type Shape, sameShape, showShape, sizeOf } from '../base/shape.ts'
import { checkAxes, Tensor } from './tensor.ts'

/** The same elements, row-major, in another shape; one size may be -1 and is worked out. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = sizeOf(shape.filter((n) => n !== -1))
  const free = shape.filter((n) => n === -1).length
  const result = shape.map((n) => (n === -1 ? sizeOf(x.shape) / known : n))
  if (free > 1 || sizeOf(result) !== sizeOf(x.shape) || result.some((n) => !Number.isInteger(n) || n < 1))
    fail(
      'reshape',
      `${showShape(x.shape)} (${sizeOf(x.shape)} elements) can't become ${showShape(shape)}`,
      'Give a shape with as many elements; one size may be -1',
    )
  if (sameShape(result, x.shape)) return x
  const source = x.operation.kind === 'reshape' ? x.inputs[0]! : x
  if (sameShape(result, source.shape)) return source
  if (source.operation.kind === 'fill') return new Tensor(source.operation, [], result)
  return new Tensor({ kind: 'reshape' }, [source], result)
}

/** Axes in another order: result axis i is axis order[i] of x. */
export function transpose(x: Tensor, order: readonly number[]): Tensor {
  const axes = checkAxes('transpose', order, x.shape.length)
  if (axes.length !== x.shape.length)
    fail('transpose', `order ${order.join(', ')} for ${x.shape.length} axes`, 'Name every axis once')
  if (axes.every((axis, i) => axis === i)) return x
  return new Tensor(
    { kind: 'transpose', order: axes },
    [x],
    axes.map((axis) => x.shape[axis]!),
  )
}

export function transposeDerivative(order: readonly number[], g: Tensor): Tensor {
  const inverse = order.map((_, axis) => order.indexOf(axis))
  return transpose(g, inverse)
}
