import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type Idx, parseIdx, readIdx } from '../../src/data/idx.ts'

/** An IDX file of given type code, shape and data bytes. */
function idx(code: number, shape: number[], data: number[]): Uint8Array {
  const extents = shape.flatMap((extent) => [extent >>> 24, (extent >> 16) & 255, (extent >> 8) & 255, extent & 255])
  return Uint8Array.from([0, 0, code, shape.length, ...extents, ...data])
}

describe('parseIdx', () => {
  const cases: [number, Idx['type'], number[], number[]][] = [
    [8, 'ubyte', [200, 7], [200, 7]],
    [9, 'byte', [200, 7], [-56, 7]],
    [11, 'short', [255, 254, 1, 0], [-2, 256]],
    [12, 'int', [255, 255, 255, 255, 0, 1, 0, 0], [-1, 65536]],
    [13, 'float', [0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0], [1, -2]],
    [14, 'double', [0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0], [1.5, -2]],
  ]
  test.each(cases)('type %i is %s, big endian', (code, type, bytes, values) => {
    const parsed = parseIdx(idx(code, [1, 2], bytes))
    expect(parsed.type).toBe(type)
    expect(parsed.shape).toEqual([1, 2])
    expect([...parsed.data]).toEqual(values)
  })

  test('reads a view that starts inside its buffer', () => {
    const file = idx(11, [2], [0, 5, 0, 6])
    const padded = new Uint8Array(file.length + 3)
    padded.set(file, 3)
    expect([...parseIdx(padded.subarray(3)).data]).toEqual([5, 6])
  })

  test.each([
    ['truncated', idx(8, [2, 3], [1, 2, 3, 4, 5]), /truncated: \[2, 3\] of type ubyte takes 18 bytes.*has 17\. Fetch/],
    ['oversized', idx(8, [2, 3], [1, 2, 3, 4, 5, 6, 7]), /oversized: \[2, 3\].* 18 bytes.*has 19\./],
    ['unknown type', idx(10, [1], [1]), /unknown type code 10\. Known codes are 8 ubyte/],
    ['no magic', Uint8Array.from([80, 75, 3, 4, 0]), /starts with bytes \[80, 75, 3, 4\]/],
    ['empty', new Uint8Array(0), /starts with bytes \[\]/],
    ['header cut short', Uint8Array.from([0, 0, 8, 3, 0, 0]), /has 6 bytes, too few for a header of 3 axes/],
    ['no axes', Uint8Array.from([0, 0, 8, 0]), /header of 0 axes/],
  ])('refuses a file that is %s', (_, file, message) => {
    expect(() => parseIdx(file, 'f')).toThrow(message)
  })

  test('a huge header is refused before memory is taken', () => {
    expect(() => parseIdx(idx(14, [0xffffffff, 0xffffffff, 0xffffffff], []))).toThrow(/truncated/)
  })
})

describe('readIdx', () => {
  const file = idx(8, [300], Array(300).fill(9))

  test('reads plain and gzip files alike', async () => {
    expect(await readIdx(gzipSync(file))).toEqual(await readIdx(file))
  })

  test('names the file when its gzip data are cut short', async () => {
    const cut = gzipSync(file).subarray(0, -6)
    await expect(readIdx(cut, 'train.gz')).rejects.toThrow(/readIdx: train\.gz is damaged or cut short: its gzip data/)
  })
})
