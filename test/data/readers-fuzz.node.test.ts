// Changed by chance: readers of pictures and arrays answer with what the file says or with an error of ours.
// `npm run fuzz -- --readers --seconds 600` goes on for as long as wanted.
import { crc32, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { decodeImage, encodeJpeg, encodePng, type Idx, type Image, readIdx } from '../../src/data/index.ts'
import { changeBytes, fuzzReader, timeout } from '../support/fuzz-reader.ts'

const source = randomSource(7)
const noise = (count: number) => Uint8Array.from({ length: count }, () => source.integer(256))
const picture = (width: number, height: number, channels: number): Image => {
  const data = noise(width * height * channels).map((value, i) => (value >> 4) + ((i * 7) & 127))
  return { width, height, channels, data }
}
const pictures = [picture(9, 7, 1), picture(16, 16, 3), picture(5, 11, 4)]

/** An IDX file of `code` and shape with values by chance. */
function idxFile(code: number, width: number, shape: readonly number[]): Uint8Array {
  const count = shape.reduce((product, n) => product * n, 1)
  const bytes = new Uint8Array(4 + 4 * shape.length + count * width)
  bytes.set([0, 0, code, shape.length])
  for (const [axis, n] of shape.entries()) new DataView(bytes.buffer).setUint32(4 + 4 * axis, n)
  bytes.set(noise(count * width), 4 + 4 * shape.length)
  return bytes
}

/** The sums of chunks put right, so that what is changed in them gets past the check. */
function withSums(png: Uint8Array): Uint8Array {
  const view = new DataView(png.buffer)
  for (let at = 8; at + 12 <= png.length; ) {
    const end = at + 8 + view.getUint32(at)
    if (end + 4 > png.length) break
    view.setUint32(end, crc32(png.subarray(at + 4, end)))
    at = end + 4
  }
  return png
}

function checkPicture({ width, height, channels, data }: Image): void {
  expect(data.length).toBe(width * height * channels)
  expect(channels).toBeGreaterThan(0)
}

describe('files changed by chance', { timeout }, () => {
  test('IDX', () => {
    const files = [idxFile(8, 1, [6, 5, 4]), idxFile(13, 4, [3, 7]), idxFile(14, 8, [5]), idxFile(11, 2, [2, 3])]
    return fuzzReader<Idx>('IDX', /^(parseIdx|readIdx): /, (random) => {
      const plain = changeBytes(files[random.integer(files.length)]!, random, 24)
      const zipped = random.integer(4) === 0
      const file = zipped ? changeBytes(gzipSync(plain), random) : plain
      return {
        size: file.length,
        read: () => readIdx(file),
        check({ shape, data }) {
          const count = shape.reduce((product, n) => product * n, 1)
          expect(data.length).toBe(count)
          if (!zipped) expect(file.length).toBe(4 + 4 * shape.length + count * data.BYTES_PER_ELEMENT)
        },
      }
    })
  })

  test('PNG', () => {
    const files = pictures.map(encodePng)
    return fuzzReader<Image>('PNG', /^decodeImage: /, (random) => {
      const which = random.integer(files.length)
      const summed = random.integer(2) === 0
      const changed = changeBytes(files[which]!, random)
      const file = summed ? withSums(changed) : changed
      return {
        size: file.length,
        read: () => decodeImage(file),
        check(image) {
          checkPicture(image)
          // every chunk has a sum: with those of the file only what it shows can come out
          if (!summed) expect(image).toEqual(pictures[which])
        },
      }
    })
  })

  test('a PNG that only claims to be large takes no memory', async () => {
    const file = encodePng(pictures[1]!)
    new DataView(file.buffer, file.byteOffset).setUint32(16, 5000)
    new DataView(file.buffer, file.byteOffset).setUint32(20, 5000)
    await expect(decodeImage(withSums(file.slice()))).rejects.toThrow(/bytes of pixels can't be those of 5000x5000/)
  })

  test('JPEG', () => {
    const files = pictures.slice(0, 2).map((image) => encodeJpeg(image))
    return fuzzReader<Image>('JPEG', /^decodeImage: /, (random) => {
      const file = changeBytes(files[random.integer(files.length)]!, random)
      return { size: file.length, read: () => decodeImage(file), check: checkPicture }
    })
  })
})
