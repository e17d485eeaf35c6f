// What a value is in whole numbers: real = (whole - zero point) * scale. Convolutions and products of such values are
// computed on the whole numbers less their zero point, exactly.
import { sizeOf } from '../../base/shape.ts'
import { type ElementType, type Fixed, fixed } from './elements.ts'
import { isFixed, type Live, type Value } from './value.ts'

/** A real value that stands for whole numbers of 8 bits. */
export interface Quantized {
  /** Whole numbers less their zero point. */
  readonly centred: Value
  /** One number, or one for each place of `axis`. */
  readonly scale: Fixed
  readonly axis: number
}

/** Of a dequantised value: what it was made of. */
export const quantizedOf = new WeakMap<Value, Quantized>()

/** Of a value of whole numbers: the same less a zero point. */
export const centredOf = new WeakMap<Value, { readonly centred: Live; readonly zero: Value | undefined }>()

const isZero = (value: Value | undefined): boolean =>
  value === undefined || (isFixed(value) && value.data.every((v) => v === 0))

const isSingle = (value: Value | undefined): value is Fixed =>
  value !== undefined && isFixed(value) && sizeOf(value.shape) === 1

/** Whether two zero points are the same. */
export const sameZero = (a: Value | undefined, b: Value | undefined): boolean =>
  a === b || (isZero(a) && isZero(b)) || (isSingle(a) && isSingle(b) && a.data[0] === b.data[0])

export const isByte = (type: ElementType): boolean => type === 'int8' || type === 'uint8'

/** How scales and zero points lie along a known tensor: one in all, or one for each place or block of an axis. */
interface Laid {
  readonly axis: number
  /** Neighbours along the axis that share one. */
  readonly block: number
}

/** Number of the scale that element i takes. */
function scaleAt(shape: readonly number[], scales: readonly number[], { axis, block }: Laid): (i: number) => number {
  if (sizeOf(scales) === 1) return () => 0
  const inner = sizeOf(shape.slice(axis + 1))
  const n = shape[axis]
  if (scales.length < 2) return (i) => Math.floor(i / inner) % n
  const blocks = scales[axis]
  return (i) => {
    const row = Math.floor(i / inner)
    return (Math.floor(row / n) * blocks + Math.floor((row % n) / block)) * inner + (i % inner)
  }
}

/** Known whole numbers less their zero point. */
export function centredFixed(value: Fixed, zero: Fixed | undefined, laid: Laid): Fixed {
  if (isZero(zero) || !zero) return value
  const at = scaleAt(value.shape, zero.shape, laid)
  return fixed(
    'int16',
    value.shape,
    Array.from(value.data, (v, i) => v - zero.data[at(i)]),
  )
}

/** Known whole numbers, less their zero point already, times their scale. */
export function scaledFixed(centred: Fixed, scale: Fixed, laid: Laid): Fixed {
  const at = scaleAt(centred.shape, scale.shape, laid)
  const data = new Float32Array(centred.data.length)
  for (let i = 0; i < data.length; i++) data[i] = centred.data[i] * scale.data[at(i)]
  return { type: scale.type, shape: centred.shape, data }
}

/** Operands of a convolution or product in whole numbers, and what a unit of its sums is worth. */
export interface WholeOperands {
  readonly x: Value
  readonly w: Value
  /** One number, or one for each output channel. */
  readonly unit: Fixed
}

/**
 * The operands in whole numbers, if both stand for such.
 * @param output the axis of w whose places are output channels
 */
export function wholeOperands(x: Value, w: Value, output: number): WholeOperands | undefined {
  const [a, b] = [quantizedOf.get(x), quantizedOf.get(w)]
  if (!a || !b || sizeOf(a.scale.shape) !== 1) return undefined
  const perChannel = sizeOf(b.scale.shape) > 1
  if (perChannel && b.axis !== output) return undefined
  const units = Array.from(b.scale.data, (scale) => Math.fround(scale * a.scale.data[0]))
  return { x: a.centred, w: b.centred, unit: fixed('float32', perChannel ? [units.length] : [], units) }
}
