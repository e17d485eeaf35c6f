import { describe, expect, test } from 'vitest'
import { readSafetensors } from '../../src/nn/safetensors.ts'
import { writeSafetensors } from '../../src/nn/write-safetensors.ts'

type Header = Record<string, unknown>

/** A file with a given header (text or record) and data. */
function file(header: Header | string, data: Uint8Array = new Uint8Array(), length?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + text.length + data.length)
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true)
  bytes.set(text, 8)
  bytes.set(data, 8 + text.length)
  return bytes
}

const entry = (dtype: string, shape: unknown, begin: unknown, end: unknown) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
})
const bytesOf = (values: ArrayBufferView) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

describe('writing and reading', () => {
  test('tensors, their order and metadata come back; the data is aligned', () => {
    const tensors = [
      ['b', { shape: [2, 2], data: Float32Array.of(1, -2, 3.5, NaN) }],
      ['a.weight', { shape: [], data: Float32Array.of(7) }],
      ['__proto__', { shape: [0, 3], data: new Float32Array() }],
    ] as const
    const bytes = writeSafetensors(tensors, { note: 'grün' })
    expect(new DataView(bytes.buffer).getBigUint64(0, true) % 8n).toBe(0n)
    const { tensors: read, metadata } = readSafetensors(bytes)
    expect([...read].map(([name, { shape, data }]) => [name, { shape, data }])).toEqual(tensors)
    expect([...metadata]).toEqual([['note', 'grün']])
    expect(({} as { shape?: unknown }).shape).toBeUndefined()
  })

  test('a view into a larger buffer, data not aligned', () => {
    const inner = file({ x: entry('F32', [1], 0, 4) }, bytesOf(Float32Array.of(2.5)))
    const outer = new Uint8Array(inner.length + 3)
    outer.set(inner, 3)
    expect([...readSafetensors(outer.subarray(3)).tensors.get('x')!.data]).toEqual([2.5])
  })

  test.each([
    ['F64', Float64Array.of(1.1, -2), [1.1, -2]],
    ['I32', Int32Array.of(-5, 2 ** 31 - 1), [-5, 2 ** 31 - 1]],
    ['I64', BigInt64Array.of(-5n, 2n ** 40n), [-5, 2 ** 40]],
    ['U8', Uint8Array.of(0, 255), [0, 255]],
    // 1, -2, largest, smallest subnormal, infinity, -0
    ['F16', Uint16Array.of(0x3c00, 0xc000, 0x7bff, 1, 0x7c00, 0x8000), [1, -2, 65504, 2 ** -24, Infinity, -0]],
    ['BF16', Uint16Array.of(0x3f80, 0xc040, 0xff80), [1, -3, -Infinity]],
  ] as const)('%s', (dtype, values, expected) => {
    const bytes = file({ x: entry(dtype, [values.length], 0, values.byteLength) }, bytesOf(values))
    expect([...readSafetensors(bytes).tensors.get('x')!.data]).toEqual(expected)
  })

  test('F16 not-a-number', () => {
    const bytes = file({ x: entry('F16', [1], 0, 2) }, bytesOf(Uint16Array.of(0x7e00)))
    expect(readSafetensors(bytes).tensors.get('x')!.data[0]).toBeNaN()
  })
})

describe('damaged files', () => {
  const four = new Uint8Array(4)
  const eight = new Uint8Array(8)
  test.each<[string, Uint8Array]>([
    ['3 bytes are too few for a header', new Uint8Array(3)],
    ["the header's length is 18446744073709551615 bytes, more than 100000000", file('{}', four, 2n ** 64n - 1n)],
    ['the header ends at byte 108, the file at 10', file('{}', new Uint8Array(), 100n)],
    ["the header isn't JSON", file('{"x": ')],
    ["the header isn't JSON", file('', Uint8Array.of(123, 255, 125), 3n)],
    ["the header isn't a record", file('[1]')],
    ["the header isn't a record", file('null')],
    ["tensor 'x' isn't described by a record", file({ x: 5 })],
    ["tensor '__proto__' isn't described by a record", file('{"__proto__": 5}')],
    ["tensor 'x' has data type F8. Convert it to one of F32", file({ x: entry('F8', [4], 0, 4) }, four)],
    ["tensor 'x' has data type toString", file({ x: entry('toString', [4], 0, 4) }, four)],
    ["tensor 'x' has a shape that isn't a list of whole numbers", file({ x: entry('F32', [-1], 0, 4) }, four)],
    ["tensor 'x' has a shape that isn't a list of whole numbers", file({ x: entry('F32', [0.5], 0, 2) }, four)],
    ["tensor 'x' has a shape that isn't a list of whole numbers", file({ x: entry('F32', '1', 0, 4) }, four)],
    ["tensor 'x' has data_offsets that aren't [begin, end]", file({ x: entry('F32', [1], '0', 4) }, four)],
    ["tensor 'x' has data_offsets that aren't [begin, end]", file({ x: { dtype: 'F32', shape: [1] } }, four)],
    ["tensor 'x' of shape [2] needs 8 bytes, but has 4", file({ x: entry('F32', [2], 0, 4) }, four)],
    ["tensor 'x' of shape [1] needs 4 bytes, but has -4", file({ x: entry('F32', [1], 4, 0) }, four)],
    [
      "tensor 'x' of shape [100000000, 100000000, 100000000] needs",
      file({ x: entry('U8', [1e8, 1e8, 1e8], 0, 4) }, four),
    ],
    ["tensor 'x' starts at byte 4 of the data, the one before ends at 0", file({ x: entry('F32', [1], 4, 8) }, eight)],
    [
      "tensor 'y' starts at byte 0 of the data, the one before ends at 4",
      file({ x: entry('F32', [1], 0, 4), y: entry('F32', [1], 0, 4) }, four),
    ],
    ['tensors take 4 bytes, but the file has 8 of data', file({ x: entry('F32', [1], 0, 4) }, eight)],
    ['tensors take 8 bytes, but the file has 4 of data', file({ x: entry('F32', [2], 0, 8) }, four)],
    ["__metadata__ isn't a record of texts", file({ __metadata__: { a: 1 } })],
    ["__metadata__ isn't a record of texts", file({ __metadata__: ['a'] })],
    [
      'the integer 9007199254740993 is too large',
      file({ x: entry('I64', [1], 0, 8) }, bytesOf(BigInt64Array.of(2n ** 53n + 1n))),
    ],
  ])('%s', (message, bytes) => {
    expect(() => readSafetensors(bytes)).toThrow(`readSafetensors: ${message}`)
  })

  test('a whole file cut at any byte', () => {
    const bytes = writeSafetensors([['x', { shape: [3], data: Float32Array.of(1, 2, 3) }]])
    for (let n = 0; n < bytes.length; n++)
      expect(() => readSafetensors(bytes.subarray(0, n))).toThrow('readSafetensors:')
  })
})
