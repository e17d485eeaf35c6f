import { fail } from '../base/errors.ts'
import { type Shape, showShape, sizeOf } from '../base/shape.ts'

// The format (github.com/huggingface/safetensors): length of the header as 8 bytes little endian, the header as JSON
// {name: {dtype, shape, data_offsets: [begin, end]}, __metadata__: {key: text}}, then all data without gaps.

export type SafeData = Float32Array | Float64Array | Int32Array | Uint8Array

/** One tensor of a safetensors file. */
export interface SafeTensor {
  /** The file's type of elements: 'F32', 'I64' and so on. */
  readonly dtype: string
  readonly shape: Shape
  /** F16 and BF16 become Float32Array, I64 becomes Float64Array. */
  readonly data: SafeData
}

/** A safetensors file: its tensors and its texts, by name. */
export interface SafeFile {
  readonly tensors: ReadonlyMap<string, SafeTensor>
  readonly metadata: ReadonlyMap<string, string>
}

/** Longest header that readers of the format accept, bytes. */
const longestHeader = 100_000_000

const bits = new DataView(new ArrayBuffer(4))

/** The number whose upper 16 float32 bits are given. */
function fromBrain(half: number): number {
  bits.setUint32(0, half * 65536)
  return bits.getFloat32(0)
}

/** IEEE 754 half precision: 1 sign, 5 exponent, 10 fraction bits. */
function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 31
  const fraction = half & 1023
  if (exponent === 31) return fraction ? NaN : sign * Infinity
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : (fraction / 1024) * 2 ** -14)
}

function fromLong(value: bigint): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) fail('readSafetensors', `the integer ${value} is too large`, 'Store it as F64')
  return number
}

interface Reader {
  readonly bytes: number
  read(buffer: ArrayBuffer): SafeData
}

const readers = new Map<string, Reader>([
  ['F32', { bytes: 4, read: (buffer) => new Float32Array(buffer) }],
  ['F64', { bytes: 8, read: (buffer) => new Float64Array(buffer) }],
  ['F16', { bytes: 2, read: (buffer) => Float32Array.from(new Uint16Array(buffer), fromHalf) }],
  ['BF16', { bytes: 2, read: (buffer) => Float32Array.from(new Uint16Array(buffer), fromBrain) }],
  ['I32', { bytes: 4, read: (buffer) => new Int32Array(buffer) }],
  ['I64', { bytes: 8, read: (buffer) => Float64Array.from(Array.from(new BigInt64Array(buffer), fromLong)) }],
  ['U8', { bytes: 1, read: (buffer) => new Uint8Array(buffer) }],
])

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0)

const remedy = 'The file is damaged; get it again'

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; start: number } {
  const bad = (problem: string) => fail('readSafetensors', problem, remedy)
  if (bytes.length < 8) bad(`${bytes.length} bytes are too few for a header`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getBigUint64(0, true)
  if (length > longestHeader) bad(`the header's length is ${length} bytes, more than ${longestHeader}`)
  const start = 8 + Number(length)
  if (start > bytes.length) bad(`the header ends at byte ${start}, the file at ${bytes.length}`)
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)))
  } catch {
    bad("the header isn't JSON")
  }
  if (!isRecord(header)) bad("the header isn't a record")
  return { header: header as Record<string, unknown>, start }
}

interface Entry {
  readonly name: string
  readonly dtype: string
  readonly reader: Reader
  readonly shape: Shape
  readonly begin: number
  readonly end: number
}

function readEntry(name: string, value: unknown): Entry {
  const bad = (problem: string) => fail('readSafetensors', `tensor '${name}' ${problem}`, remedy)
  if (!isRecord(value)) return bad("isn't described by a record")
  const { dtype, shape, data_offsets: offsets } = value
  const reader = readers.get(String(dtype))
  if (!reader)
    return fail(
      'readSafetensors',
      `tensor '${name}' has data type ${String(dtype)}`,
      `Convert it to one of ${[...readers.keys()].join(', ')}`,
    )
  if (!isCounts(shape)) return bad("has a shape that isn't a list of whole numbers")
  if (!isCounts(offsets) || offsets.length !== 2) return bad("has data_offsets that aren't [begin, end]")
  const [begin, end] = offsets as [number, number]
  const size = sizeOf(shape) * reader.bytes
  if (end - begin !== size) bad(`of shape ${showShape(shape)} needs ${size} bytes, but has ${end - begin}`)
  return { name, dtype: String(dtype), reader, shape, begin, end }
}

function readMetadata(value: unknown): Map<string, string> {
  const entries = value === undefined ? [] : isRecord(value) ? Object.entries(value) : undefined
  if (!entries?.every(([, text]) => typeof text === 'string'))
    return fail('readSafetensors', "__metadata__ isn't a record of texts", remedy)
  return new Map(entries as [string, string][])
}

/** Reads a safetensors file. Every length and offset is checked before use. */
export function readSafetensors(bytes: Uint8Array): SafeFile {
  const { header, start } = readHeader(bytes)
  const { __metadata__, ...rest } = header
  const entries = Object.entries(rest).map(([name, value]) => readEntry(name, value))
  let at = 0
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at)
      fail(
        'readSafetensors',
        `tensor '${name}' starts at byte ${begin} of the data, the one before ends at ${at}`,
        remedy,
      )
    at = end
  }
  if (start + at !== bytes.length)
    fail('readSafetensors', `tensors take ${at} bytes, but the file has ${bytes.length - start} of data`, remedy)
  const tensors = entries.map(({ name, dtype, reader, shape, begin, end }): [string, SafeTensor] => {
    const { buffer } = Uint8Array.from(bytes.subarray(start + begin, start + end))
    return [name, { dtype, shape, data: reader.read(buffer) }]
  })
  return { tensors: new Map(tensors), metadata: readMetadata(__metadata__) }
}
