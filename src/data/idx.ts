import { fail } from '../base/errors.ts'
import { showShape } from '../base/shape.ts'
import { inflate } from './inflate.ts'

const types = {
  8: { name: 'ubyte', bytes: 1, Values: Uint8Array, get: 'getUint8' },
  9: { name: 'byte', bytes: 1, Values: Int8Array, get: 'getInt8' },
  11: { name: 'short', bytes: 2, Values: Int16Array, get: 'getInt16' },
  12: { name: 'int', bytes: 4, Values: Int32Array, get: 'getInt32' },
  13: { name: 'float', bytes: 4, Values: Float32Array, get: 'getFloat32' },
  14: { name: 'double', bytes: 8, Values: Float64Array, get: 'getFloat64' },
} as const

type IdxType = (typeof types)[keyof typeof types]

/** What an IDX file holds: an array of numbers and its shape. Bytes are a view of the file, other types a copy. */
export interface Idx {
  readonly type: IdxType['name']
  readonly shape: readonly number[]
  readonly data: Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array
}

/** No IDX file may decompress to more than this many bytes. */
const mostBytes = 2 ** 31

/**
 * Parses an IDX file, the format of MNIST: two zero bytes, a type, the number of axes, the extent of each axis as a
 * big-endian 32-bit integer, then the numbers, big endian too (LeCun, Cortes, Burges, "The MNIST database").
 * Fails on an unknown type and on a file that is shorter or longer than its header says.
 */
export function parseIdx(bytes: Uint8Array, what = 'file'): Idx {
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0)
    fail(
      'parseIdx',
      `${what} starts with bytes [${bytes.slice(0, 4).join(', ')}], but an IDX file starts with 0, 0, type, axes`,
      'Give an IDX file, such as train-images-idx3-ubyte',
    )
  const type = types[bytes[2] as keyof typeof types] as IdxType | undefined
  if (!type)
    return fail(
      'parseIdx',
      `${what} has the unknown type code ${bytes[2]}`,
      'Known codes are 8 ubyte, 9 byte, 11 short, 12 int, 13 float and 14 double',
    )
  const axes = bytes[3]
  const header = 4 + 4 * axes
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (axes === 0 || bytes.length < header)
    fail(
      'parseIdx',
      `${what} has ${bytes.length} bytes, too few for a header of ${axes} axes`,
      'The file is cut short or not IDX: fetch it again',
    )
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis))
  const count = shape.reduce((product, extent) => product * extent, 1)
  const expected = header + count * type.bytes
  if (bytes.length !== expected)
    fail(
      'parseIdx',
      `${what} is ${bytes.length < expected ? 'truncated' : 'oversized'}: ${showShape(shape)} of type ${type.name} ` +
        `takes ${expected} bytes with the header, the file has ${bytes.length}`,
      'Fetch it again',
    )
  if (type.name === 'ubyte') return { type: type.name, shape, data: bytes.subarray(header) }
  const data = new type.Values(count)
  for (let i = 0; i < count; i++) data[i] = view[type.get](header + i * type.bytes)
  return { type: type.name, shape, data }
}

/** Parses an IDX file that may be compressed with gzip (told by its first two bytes). */
export async function readIdx(bytes: Uint8Array, what = 'file'): Promise<Idx> {
  const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b
  return parseIdx(zipped ? await inflate('readIdx', what, bytes, 'gzip', mostBytes) : bytes, what)
}
