import { add, div, equal, max, maximum, minimum, mul, neg, round, sub, type Tensor, where } from '../../graph/index.ts'
import { convInteger } from '../../int8.ts'
import { type ElementType, elementType } from './elements.ts'
import { elementwise } from './elementwise.ts'
import { centredFixed, centredOf, isByte, quantizedOf, sameZero, scaledFixed } from './integers.ts'
import { pick } from './moves.ts'
import type { Ops, Use } from './node.ts'
import { matmul } from './products.ts'
import { centred, scaledDown } from './requantize.ts'
import {
  arranged,
  asLive,
  channelsLast,
  isFixed,
  type Live,
  lastOrder,
  like,
  live,
  reshaped,
  type Value,
} from './value.ts'
import { convolved, kernelOf } from './windows.ts'

/** Whole numbers of `type`, remembered without their zero point too: that is what most users want. */
function withZero(value: Live, zero: Value | undefined, type: ElementType, spread = zero): Live {
  const whole = spread ? elementwise([value, spread], add, type) : { ...value, type }
  centredOf.set(whole, { centred: value, zero })
  return whole
}

/** Input i, whole numbers, less the zero point that is input `zero`, laid as `spread`. */
function withoutZero(use: Use, i: number, zero: number, spread: Value | undefined = use.inputs[zero]): Value {
  const value = use.input(i)
  const known = centredOf.get(value)
  if (known && sameZero(known.zero, use.inputs[zero])) return known.centred
  return spread ? elementwise([value, spread], sub) : value
}

interface Laid {
  readonly axis: number
  readonly block: number
}

const laidOf = (use: Use): Laid => {
  const rank = use.shape(0).length
  const single = use.shape(1).reduce((a, b) => a * b, 1) === 1
  return { axis: single ? 0 : use.axis(use.int('axis', 1), rank), block: use.int('block_size', 0) }
}

/** Scale or zero point i, laid along the axis or the blocks that it's for. */
function spread(use: Use, i: number, { axis, block }: Laid): Value {
  const x = use.shape(0)
  const value = use.input(i)
  if (value.shape.length === 0 || (value.shape.length === 1 && value.shape[0] === 1)) return reshaped(value, [])
  if (value.shape.length === 1) {
    if (value.shape[0] !== x[axis]) use.fail(`${value.shape[0]} scales for ${x[axis]} places`, 'Check the model')
    return reshaped(
      value,
      x.map((_, a) => (a === axis ? value.shape[0] : 1)),
    )
  }
  const indices = Array.from({ length: x[axis] }, (_, k) => Math.floor(k / block))
  if (block < 1 || value.shape.length !== x.length || indices.some((k) => k >= value.shape[axis]))
    use.fail(`blocks of ${block} with [${value.shape}] scales for [${x}]`, 'Check the model')
  return pick(value, axis, indices)
}

const zeroOf = (use: Use, laid: Laid) => (use.has(2) ? spread(use, 2, laid) : undefined)

function quantizeLinear(use: Use): Value {
  const named = use.int('output_dtype', 0)
  const type = use.has(2) ? use.type(2) : named ? elementType(use.node.title, named) : 'uint8'
  const laid = laidOf(use)
  const zero = zeroOf(use, laid)
  const compute = (...[x, scale, z]: Tensor[]) => centred(scaledDown(x, scale), z ?? 0, type)
  const values = [use.input(0), spread(use, 1, laid), ...(zero ? [zero] : [])]
  return withZero(elementwise(values, compute, 'float32'), use.inputs[2], type, zero)
}

function dequantizeLinear(use: Use): Value {
  const laid = laidOf(use)
  const [value, scale, zero] = [use.input(0), use.input(1), use.inputs[2]]
  const named = use.int('output_dtype', 0)
  const type = named ? elementType(use.node.title, named) : scale.type
  const spreadScale = spread(use, 1, laid)
  const isKnown = isFixed(value) && isFixed(scale) && (!zero || isFixed(zero))
  const whole = isKnown
    ? centredFixed(value, zero as typeof value | undefined, laid)
    : withoutZero(use, 0, 2, zeroOf(use, laid))
  const real = isKnown
    ? { ...scaledFixed(whole as typeof value, scale, laid), type }
    : elementwise([whole, spreadScale], mul, type)
  if (isByte(value.type) && isFixed(scale) && scale.shape.length < 2)
    quantizedOf.set(real, { centred: whole, scale, axis: laid.axis })
  return real
}

/** A vector for the channels, or one number. */
const perChannel = (use: Use, i: number): Tensor => arranged(use.input(i), use.shape(i).length === 1 ? [0] : [])

/** Zero points along the axis of a kernel that counts output channels. */
function kernelLessZero(use: Use, i: number, zero: number): Value {
  const weight = use.input(i)
  if (!use.has(zero)) return weight
  const z = use.input(zero)
  if (isFixed(weight) && isFixed(z)) return use.once(1, () => centredFixed(weight, z, { axis: 0, block: 0 }), 'kernel')
  const wide = z.shape.length === 1 ? reshaped(z, [z.shape[0], ...weight.shape.slice(1).map(() => 1)]) : z
  return elementwise([weight, wide], sub)
}

function wholeConv(use: Use, [x, xZero, w, wZero]: readonly [number, number, number, number]): Tensor {
  const kernel = kernelLessZero(use, w, wZero)
  return convolved(use, channelsLast(withoutZero(use, x, xZero)), use.input(w), kernelOf(kernel), convInteger)
}

/** Sums times what they are worth in units of the result. */
function requantized(use: Use, sums: Tensor): Tensor {
  const unit = div(mul(perChannel(use, 1), perChannel(use, 4)), perChannel(use, 6))
  const zero = perChannel(use, 7)
  return centred(mul(sums, unit), zero, use.type(7))
}

function qLinearConv(use: Use): Value {
  const sums = wholeConv(use, [0, 2, 3, 5])
  const y = requantized(use, use.has(8) ? add(sums, perChannel(use, 8)) : sums)
  return withZero(live('float32', y, lastOrder(y.shape.length)), use.input(7), use.type(7))
}

/** A vector of zero points of a's rows as a column. */
function rowZeros(use: Use, i: number): Value | undefined {
  const zero = use.inputs[i]
  return zero?.shape.length === 1 && zero.shape[0] > 1 ? reshaped(zero, [zero.shape[0], 1]) : zero
}

function wholeProduct(use: Use, [a, aZero, b, bZero]: readonly [number, number, number, number]): Live {
  const known = [use.inputs[b], use.inputs[bZero]].every((value) => value === undefined || isFixed(value))
  const right = known ? use.once(b, () => fixedLessZero(use, b, bZero), 'kernel') : withoutZero(use, b, bZero)
  return asLive(matmul(use, withoutZero(use, a, aZero, rowZeros(use, aZero)), right, convInteger))
}

/** A known matrix less the zero points of its columns. */
function fixedLessZero(use: Use, i: number, zero: number): Value {
  const [value, z] = [use.fixed(i), use.has(zero) ? use.fixed(zero) : undefined]
  return z && z.shape.length > 1
    ? withoutZero(use, i, zero)
    : centredFixed(value, z, { axis: value.shape.length - 1, block: 0 })
}

function qLinearMatMul(use: Use): Value {
  const sums = wholeProduct(use, [0, 2, 3, 5])
  return withZero({ ...like(sums, requantized(use, plainSums(sums))), type: 'float32' }, use.input(7), use.type(7))
}

const plainSums = (sums: Live): Tensor => sums.tensor

/** Quantised to uint8 with the scale and zero point that just hold all values and 0. */
function dynamicQuantizeLinear(use: Use): readonly Value[] {
  const x = asLive(use.input(0))
  const axes = x.shape.map((_, i) => i)
  const high = maximum(max(x.tensor, axes), 0)
  const low = minimum(neg(max(neg(x.tensor), axes)), 0)
  const scale = div(sub(high, low), 255)
  // of zeros alone the scale is 0
  const divisor = where(equal(scale, 0), 1, scale)
  const zero = minimum(maximum(round(neg(div(low, divisor))), 0), 255)
  const y = like(x, centred(div(x.tensor, divisor), zero, 'uint8'))
  const point = live('uint8', zero)
  return [withZero({ ...y, type: 'float32' }, point, 'uint8'), live('float32', scale), point]
}

/** Operations on whole numbers that stand for real ones; sums are exact in 32 bits, values beyond 2^24 rounded. */
export const quantizedOps: Ops = {
  ConvInteger: (use) => {
    const y = wholeConv(use, [0, 2, 1, 3])
    return live('int32', y, lastOrder(y.shape.length))
  },
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: dynamicQuantizeLinear,
  MatMulInteger: (use) => ({ ...wholeProduct(use, [0, 2, 1, 3]), type: 'int32' }),
  QLinearConv: qLinearConv,
  QLinearMatMul: qLinearMatMul,
  QuantizeLinear: quantizeLinear,
}
