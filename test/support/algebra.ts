import { expect } from 'vitest'
import type { RandomSource } from '../../src/base/random.ts'
import type { Shape } from '../../src/base/shape.ts'
import { inputGradient, output } from '../../src/conv/reference.ts'
import {
  type ConvOptions,
  type ConvTransposeOptions,
  convSpec,
  convTransposeSpec,
  inputShape,
  outputShape,
} from '../../src/conv/spec.ts'
import { integers, plain, reader, tensor } from './tensors.ts'

/** An array with its shape: tests of identities read as algebra. */
export interface Tensor {
  shape: Shape
  data: Float64Array
}
/** A maker of tensors of small random whole numbers. */
export const drawFrom =
  (random: RandomSource) =>
  (...shape: number[]): Tensor => ({ shape, data: integers(random, shape) })
export const make = (shape: Shape, value: (...index: number[]) => number): Tensor => ({
  shape,
  data: tensor(shape, value),
})
/** Reader of elements, 0 outside. */
export const at = ({ data, shape }: Tensor) => reader(data, shape)

export function conv(x: Tensor, w: Tensor, options: ConvOptions = {}): Tensor {
  const spec = convSpec(x.shape, w.shape, options)
  return { shape: outputShape(spec), data: output(spec, x.data, w.data) }
}
export function convTranspose(x: Tensor, w: Tensor, options: ConvTransposeOptions = {}): Tensor {
  const spec = convTransposeSpec(x.shape, w.shape, options)
  return { shape: inputShape(spec), data: inputGradient(spec, x.data, w.data) }
}
export function expectSame(a: Tensor, b: Tensor): void {
  expect(a.shape).toEqual(b.shape)
  expect(plain(a.data)).toEqual(plain(b.data))
}
