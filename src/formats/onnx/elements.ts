import { fail } from '../../base/errors.ts'
import { type Shape, showShape } from '../../base/shape.ts'

/** Element types of ONNX tensors by their number in TensorProto.DataType. */
const types = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  16: 'bfloat16',
} as const

/** Types of the elements of ONNX tensors: 'float32', 'uint8', 'int64' and so on. */
export type ElementType = (typeof types)[keyof typeof types]

/** Arrays of numbers in which values are kept: the smallest that hold their type; 32 bits and more as float64. */
export type Data = Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array

/** Values known when a program is made, row-major. */
export interface Fixed {
  readonly type: ElementType
  readonly shape: Shape
  readonly data: Data
}

/** No tensor of a file may have more elements: 512 MB of float32. */
const mostElements = 2 ** 27

export function elementType(where: string, code: number | undefined): ElementType {
  const type = Object.hasOwn(types, code ?? 0) ? types[code as keyof typeof types] : undefined
  return type ?? fail('loadOnnx', `${where} has element type ${code}`, 'Use numbers of 8 bits or more')
}

export const elementCode = (type: ElementType): number =>
  Number(Object.entries(types).find(([, name]) => name === type)![0])

export const isFloat = (type: ElementType): boolean => type.includes('float')
export const isInteger = (type: ElementType): boolean => type.includes('int')

const bits = (type: ElementType) => (type === 'bool' ? 8 : Number(/\d+/.exec(type)?.[0]))
export const bytesOf = (type: ElementType): number => bits(type) / 8

/** Smallest and largest value of a type of whole numbers. */
export function rangeOf(type: ElementType): [number, number] {
  if (type === 'bool') return [0, 1]
  const n = bits(type)
  return type.startsWith('u') ? [0, 2 ** n - 1] : [-(2 ** (n - 1)), 2 ** (n - 1) - 1]
}

/** The value as its type holds it: whole numbers wrap around, floats are rounded. */
export function asType(type: ElementType, value: number): number {
  if (type === 'float64') return value
  if (type === 'bool') return value === 0 ? 0 : 1
  if (type === 'float16') return fromHalf(toHalf(value))
  if (isFloat(type)) return Math.fround(value)
  const whole = Math.trunc(value)
  const [low, high] = rangeOf(type)
  if (whole >= low && whole <= high) return whole
  if (Number.isNaN(whole)) return 0
  if (bits(type) === 64 || !Number.isFinite(whole)) return whole < low ? low : high
  const span = high - low + 1
  return ((((whole - low) % span) + span) % span) + low
}

const storages: Partial<Record<ElementType, new (count: number) => Data>> = {
  float32: Float32Array,
  float16: Float32Array,
  bfloat16: Float32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
}

/** Storage for `count` values of a type. */
export const storageOf = (type: ElementType, count: number): Data => new (storages[type] ?? Float64Array)(count)

/** Number of elements; an error if it isn't one that a tensor of a file may have. */
export function countOf(where: string, shape: Shape): number {
  let count = 1
  for (const n of shape) {
    if (!Number.isSafeInteger(n) || n < 0) fail('loadOnnx', `${where} has shape ${showShape(shape)}`, 'Check the file')
    count *= n
    if (count > mostElements)
      fail('loadOnnx', `${where} of shape ${showShape(shape)} has more than ${mostElements} elements`, 'Split it')
  }
  return count
}

export function fixed(type: ElementType, shape: Shape, values: ArrayLike<number>): Fixed {
  const data = storageOf(type, values.length)
  for (let i = 0; i < values.length; i++) data[i] = asType(type, values[i])
  return { type, shape, data }
}

/** One value everywhere. */
export function everywhere(type: ElementType, shape: Shape, value: number): Fixed {
  return { type, shape, data: storageOf(type, countOf('a constant', shape)).fill(asType(type, value)) }
}

/** A vector of whole numbers. */
export const integers = (values: readonly number[]): Fixed => fixed('int64', [values.length], values)

/** IEEE 754 binary16 of 16 bits. */
export function fromHalf(half: number): number {
  const exponent = (half >> 10) & 31
  const fraction = half & 1023
  const sign = half & 0x8000 ? -1 : 1
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
}

/** The nearest binary16, ties to even. */
export function toHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (size >= 65520) return sign | 0x7c00
  const exponent = Math.max(Math.floor(Math.log2(size || 1e-9)), -14)
  const unit = 2 ** (exponent - 10)
  const scaled = size / unit
  const low = Math.floor(scaled)
  const rest = scaled - low
  const rounded = rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low
  return sign | (exponent === -14 ? rounded : ((exponent + 14) << 10) + rounded)
}
