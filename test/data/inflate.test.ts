import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { inflate } from '../../src/data/inflate.ts'

const zeros = gzipSync(new Uint8Array(1_000_000))

test('decompresses up to the limit', async () => {
  const result = await inflate('test', 'it', zeros, 'gzip', 1_000_000)
  expect(result.length).toBe(1_000_000)
})

test('stops above the limit', async () => {
  await expect(inflate('test', 'it', zeros, 'gzip', 999_999)).rejects.toThrow(
    /test: it decompresses to more than the 999999 bytes allowed/,
  )
})
