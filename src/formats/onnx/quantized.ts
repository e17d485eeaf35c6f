import { add, div, max, maximum, minimum, mul, neg, round, sub, type Tensor } from '../../graph/index.ts'
import { type ElementType, elementType, rangeOf } from './elements.ts'
import { elementwise } from './elementwise.ts'
import { pick } from './moves.ts'
import type { Ops, Use } from './node.ts'
import { matmul } from './products.ts'
import { arranged, asLive, channelsLast, lastOrder, like, live, reshaped, type Value } from './value.ts'
import { convolved } from './windows.ts'

/** Rounded, moved by the zero point and kept within the type's range. */
function saturated(x: Tensor, zero: Tensor | number, type: ElementType): Tensor {
  const [low, high] = rangeOf(type)
  return minimum(maximum(add(round(x), zero), low), high)
}

/** Scale or zero point i, laid along the axis or the blocks that it's for. */
function spread(use: Use, i: number): Value {
  const x = use.shape(0)
  const value = use.input(i)
  if (value.shape.length === 0 || (value.shape.length === 1 && value.shape[0] === 1)) return value
  const axis = use.axis(use.int('axis', 1), x.length)
  if (value.shape.length === 1) {
    const shape = x.map((_, a) => (a === axis ? value.shape[0] : 1))
    return reshaped(value, shape)
  }
  const block = use.int('block_size', 0)
  const indices = Array.from({ length: x[axis] }, (_, k) => Math.floor(k / block))
  if (block < 1 || indices.some((k) => k >= value.shape[axis]))
    use.fail(`blocks of ${block} with [${value.shape}] scales for [${x}]`, 'Check the model')
  return pick(value, axis, indices)
}

function scalesOf(use: Use): Value[] {
  return [spread(use, 1), ...(use.has(2) ? [spread(use, 2)] : [])]
}

function quantizeLinear(use: Use): Value {
  const named = use.int('output_dtype', 0)
  const type = use.has(2) ? use.type(2) : named ? elementType(use.node.title, named) : 'uint8'
  const compute = (...[x, scale, zero]: Tensor[]) => saturated(div(x, scale), zero ?? 0, type)
  return elementwise([use.input(0), ...scalesOf(use)], compute, type)
}

function dequantizeLinear(use: Use): Value {
  const compute = (...[x, scale, zero]: Tensor[]) => mul(zero ? sub(x, zero) : x, scale)
  return elementwise([use.input(0), ...scalesOf(use)], compute, use.type(1))
}

/** A vector for the channels, or one number. */
const perChannel = (use: Use, i: number): Tensor => arranged(use.input(i), use.shape(i).length === 1 ? [0] : [])

/** The kernel minus its zero point, which is 0 or one per output channel. */
function qLinearConv(use: Use): Value {
  const x = sub(channelsLast(use.input(0)), perChannel(use, 2))
  const weight = use.input(3)
  const order = [...weight.shape.slice(2).map((_, i) => i + 2), 1, 0]
  const w = sub(arranged(weight, order), perChannel(use, 5))
  const sums = convolved(use, x, weight, w)
  const biased = use.has(8) ? add(sums, perChannel(use, 8)) : sums
  const scale = div(mul(perChannel(use, 1), perChannel(use, 4)), perChannel(use, 6))
  const y = saturated(mul(biased, scale), perChannel(use, 7), use.type(7))
  return live(use.type(7), y, lastOrder(y.shape.length))
}

/** x minus its zero point, as a value. */
const centred = (use: Use, x: number, zero: number): Value =>
  use.has(zero) ? elementwise([use.input(x), use.input(zero)], sub) : use.input(x)

function qLinearMatMul(use: Use): Value {
  const sums = asLive(matmul(use, centred(use, 0, 2), centred(use, 3, 5)))
  const scale = div(mul(perChannel(use, 1), perChannel(use, 4)), perChannel(use, 6))
  return { ...like(sums, saturated(mul(sums.tensor, scale), perChannel(use, 7), use.type(7))), type: use.type(7) }
}

/** Quantised to uint8 with the scale and zero point that just hold all values and 0. */
function dynamicQuantizeLinear(use: Use): readonly Value[] {
  const x = asLive(use.input(0))
  const axes = x.shape.map((_, i) => i)
  const high = maximum(max(x.tensor, axes), 0)
  const low = minimum(neg(max(neg(x.tensor), axes)), 0)
  const scale = div(sub(high, low), 255)
  const zero = minimum(maximum(round(neg(div(low, scale))), 0), 255)
  const y = { ...like(x, saturated(div(x.tensor, scale), zero, 'uint8')), type: 'uint8' as const }
  return [y, live('float32', scale), live('uint8', zero)]
}

/** Operations on whole numbers that stand for real ones: computed in float32, exact below 2^24. */
export const quantizedOps: Ops = {
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: dynamicQuantizeLinear,
  MatMulInteger: (use) => ({ ...asLive(matmul(use, centred(use, 0, 2), centred(use, 1, 3))), type: 'int32' }),
  QLinearConv: qLinearConv,
  QLinearMatMul: qLinearMatMul,
  QuantizeLinear: quantizeLinear,
}
