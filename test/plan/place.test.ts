import { expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { type Lifetime, placeBuffers } from '../../src/plan/place.ts'

/** Vector loads may touch this much after a buffer. */
const after = 16

test('buffers that live at once never overlap, whatever their sizes and lifetimes', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomSource(seed)
    const buffers = Array.from({ length: 1 + random.integer(60) }, (): Lifetime => {
      const first = random.integer(30) - 1
      return { bytes: 4 * (1 + random.integer(2 ** random.integer(14))), first, last: first + random.integer(8) }
    })
    const { offsets, bytes } = placeBuffers(buffers)
    expect(offsets.length).toBe(buffers.length)
    for (const [i, a] of buffers.entries()) {
      expect(offsets[i]! % 64).toBe(0)
      expect(offsets[i]! + a.bytes + after).toBeLessThanOrEqual(bytes)
      for (const [j, b] of buffers.entries()) {
        if (i === j || a.last < b.first || b.last < a.first) continue
        const apart = offsets[i]! + a.bytes + after <= offsets[j]! || offsets[j]! + b.bytes + after <= offsets[i]!
        if (!apart) expect.fail(`seed ${seed}: buffers ${i} and ${j} overlap`)
      }
    }
  }
})

test('memory is used again: a chain of equal buffers needs two, one after another only one', () => {
  const chain = Array.from({ length: 20 }, (_, i) => ({ bytes: 1000, first: i, last: i + 1 }))
  const single = placeBuffers([{ bytes: 1000, first: 0, last: 1 }]).bytes
  expect(placeBuffers(chain).bytes).toBe(2 * single)
  expect(placeBuffers(chain.map((b) => ({ ...b, last: b.first }))).bytes).toBe(single)
})

test('a small buffer goes into a gap between large ones', () => {
  const { bytes } = placeBuffers([
    { bytes: 4000, first: 0, last: 3 },
    { bytes: 4000, first: 0, last: 1 },
    { bytes: 2000, first: 2, last: 3 },
  ])
  expect(bytes).toBe(2 * placeBuffers([{ bytes: 4000, first: 0, last: 0 }]).bytes)
})

test('nothing needs nothing', () => {
  expect(placeBuffers([])).toEqual({ offsets: [], bytes: 0 })
})
