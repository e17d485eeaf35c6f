import { fail } from '../../base/errors.ts'
import { showShape } from '../../base/shape.ts'
import {
  asType,
  bytesOf,
  countOf,
  type ElementType,
  elementCode,
  elementType,
  type Fixed,
  fromHalf,
  storageOf,
  toHalf,
} from './elements.ts'
import type { MessageDraft, TensorMessage, tensorTable } from './proto.ts'

/** Gives bytes of a file beside the model: `length` of them from `offset`, or all that follow. */
export type External = (location: string, offset: number, length: number | undefined) => Uint8Array

const readers: Record<ElementType, (view: DataView, at: number) => number> = {
  float32: (view, at) => view.getFloat32(at, true),
  float64: (view, at) => view.getFloat64(at, true),
  float16: (view, at) => fromHalf(view.getUint16(at, true)),
  bfloat16: (view, at) => bfloat(view.getUint16(at, true)),
  uint8: (view, at) => view.getUint8(at),
  int8: (view, at) => view.getInt8(at),
  bool: (view, at) => (view.getUint8(at) === 0 ? 0 : 1),
  uint16: (view, at) => view.getUint16(at, true),
  int16: (view, at) => view.getInt16(at, true),
  uint32: (view, at) => view.getUint32(at, true),
  int32: (view, at) => view.getInt32(at, true),
  uint64: (view, at) => Number(view.getBigUint64(at, true)),
  int64: (view, at) => Number(view.getBigInt64(at, true)),
}

function bfloat(upper: number): number {
  const view = new DataView(new ArrayBuffer(4))
  view.setUint16(0, upper)
  return view.getFloat32(0)
}

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

function fromBytes(where: string, type: ElementType, bytes: Uint8Array, count: number): Fixed['data'] {
  const size = bytesOf(type)
  if (bytes.length !== count * size)
    fail('loadOnnx', `${where} has ${bytes.length} bytes for ${count} values of ${type}`, 'The file is damaged')
  const data = storageOf(type, count)
  if (type === 'float32' && littleEndian) {
    new Uint8Array(data.buffer).set(bytes)
    return data
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const read = readers[type]
  for (let i = 0; i < count; i++) data[i] = read(view, i * size)
  return data
}

function listOf(tensor: TensorMessage, type: ElementType): readonly number[] {
  if (type === 'float32') return tensor.floatData
  if (type === 'float64') return tensor.doubleData
  if (type === 'int64') return tensor.int64Data
  if (type === 'uint64' || type === 'uint32') return tensor.uint64Data
  return tensor.int32Data
}

function externalBytes(where: string, tensor: TensorMessage, bytes: number, external: External | undefined) {
  if (!external)
    return fail('loadOnnx', `${where} lies in another file`, "Give the model's path, or option externalData")
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value ?? '']))
  const location = entries.get('location')
  if (!location) return fail('loadOnnx', `${where} lies in another file that isn't named`, 'Check the model')
  const offset = Number(entries.get('offset') ?? 0)
  const length = Number(entries.get('length') ?? bytes)
  if (!Number.isSafeInteger(offset) || offset < 0 || length !== bytes)
    fail(
      'loadOnnx',
      `${where} of ${bytes} bytes has offset ${offset} and length ${length} in '${location}'`,
      'Check it',
    )
  return external(location, offset, length)
}

/** The values of a tensor message; nothing is allocated before its size is known to be right. */
export function readTensor(tensor: TensorMessage, where: string, external?: External): Fixed {
  const type = elementType(where, tensor.dataType)
  const shape = tensor.dims
  const count = countOf(where, shape)
  if (tensor.segment) fail('loadOnnx', `${where} is stored in segments`, 'Save it in one piece')
  if (tensor.dataLocation === 1) {
    const bytes = externalBytes(where, tensor, count * bytesOf(type), external)
    return { type, shape, data: fromBytes(where, type, bytes, count) }
  }
  if (tensor.rawData) return { type, shape, data: fromBytes(where, type, tensor.rawData, count) }
  const list = listOf(tensor, type)
  if (list.length !== count)
    fail('loadOnnx', `${where} has ${list.length} values for shape ${showShape(shape)}`, 'The file is damaged')
  const data = storageOf(type, count)
  const convert = type === 'float16' ? fromHalf : type === 'bfloat16' ? bfloat : (v: number) => asType(type, v)
  list.forEach((value, i) => {
    data[i] = convert(value)
  })
  return { type, shape, data }
}

/** A tensor of float32, float16 or whole numbers as a message. */
export function tensorMessage(name: string, value: Fixed): MessageDraft<typeof tensorTable> {
  const { type, shape, data } = value
  const message = { name, dims: shape, dataType: elementCode(type) }
  if (type === 'int64') return { ...message, int64Data: [...data] }
  if (type === 'float64') return { ...message, doubleData: [...data] }
  if (type === 'uint32' || type === 'uint64') return { ...message, uint64Data: [...data] }
  if (bytesOf(type) === 1) return { ...message, rawData: Uint8Array.from(data) }
  if (type === 'float16') return { ...message, int32Data: Array.from(data, toHalf) }
  if (type === 'bfloat16') return fail('saveOnnx', `tensor '${name}' is of type bfloat16`, 'Use float32')
  if (type !== 'float32') return { ...message, int32Data: [...data] }
  const raw = new Uint8Array(4 * data.length)
  const view = new DataView(raw.buffer)
  data.forEach((v, i) => {
    view.setFloat32(4 * i, v, true)
  })
  return { ...message, rawData: raw }
}
