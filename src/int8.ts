// The door to exact arithmetic on whole numbers: convolutions of int8 and uint8 values.
import { type ConvOptions, convSpec } from './conv/spec.ts'
import { contract } from './graph/conv.ts'
import type { Tensor } from './graph/tensor.ts'
import { int8 } from './plan/int8.ts'

/**
 * A convolution of whole numbers, summed exactly: the fast one for int8 inference. Its operands hold whole numbers from
 * -255 to 255 (int8 or uint8 values less their zero point) as float32; other values give wrong results. Sums beyond
 * 2^24 are rounded to float32 where they are stored.
 * @param x [N, spatial..., C]
 * @param w [kernel..., C / groups, O]
 * @returns [N, spatial..., O]
 */
export function convInteger(x: Tensor, w: Tensor, options: ConvOptions = {}): Tensor {
  return contract('output', { ...convSpec(x.shape, w.shape, options), algorithm: int8 }, x, w)
}

/** Whether x is such a convolution. */
export const isConvInteger = ({ operation }: Tensor): boolean =>
  operation.kind === 'contract' && operation.spec.algorithm === int8
