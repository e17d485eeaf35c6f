import { readFileSync } from 'node:fs'
import { deflateSync } from 'node:zlib'
import { encode } from 'fast-png'
import { describe, expect, test } from 'vitest'
import type { Image } from '../../src/data/image.ts'
import { decodeImage, readImage } from '../../src/data/images.ts'
import { encodeJpeg } from '../../src/data/jpeg.ts'
import { encodePng } from '../../src/data/png.ts'

/** A smooth picture with a different slope in each channel. */
function picture(width: number, height: number, channels: number): Image {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => {
    const pixel = Math.floor(i / channels)
    return (40 * (i % channels) + 5 * (pixel % width) + 3 * Math.floor(pixel / width)) & 255
  })
  return { width, height, channels, data }
}

function crc32(bytes: Uint8Array): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}

/** A PNG built chunk by chunk, so that it can be as odd as a test needs. */
function png(...chunks: [string, Uint8Array][]): Uint8Array {
  const parts = [Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')]
  for (const [type, data] of [...chunks, ['IEND', new Uint8Array(0)] as const]) {
    const chunk = Buffer.alloc(12 + data.length)
    chunk.writeUInt32BE(data.length)
    chunk.write(type, 4, 'latin1')
    chunk.set(data, 8)
    chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), 8 + data.length)
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

function header(width: number, height: number, depth: number, colour: number, interlace = 0): [string, Uint8Array] {
  const data = Buffer.alloc(13)
  data.writeUInt32BE(width)
  data.writeUInt32BE(height, 4)
  data.set([depth, colour, 0, 0, interlace], 8)
  return ['IHDR', data]
}
const pixels = (...bytes: number[]): [string, Uint8Array] => ['IDAT', deflateSync(Uint8Array.from(bytes))]

describe('PNG', () => {
  test.each([1, 2, 3, 4])('with %i channels comes back as it was', async (channels) => {
    const image = picture(7, 5, channels)
    expect(await decodeImage(encodePng(image))).toEqual(image)
  })

  test('16 bits are rounded to 8', async () => {
    const file = encode({
      width: 3,
      height: 1,
      channels: 1,
      depth: 16,
      data: Uint16Array.of(0, 128 * 257 + 129, 65535),
    })
    expect([...(await decodeImage(file)).data]).toEqual([0, 129, 255])
  })

  test('palettes become colours, with alpha where the palette has it', async () => {
    const palette: [string, Uint8Array] = ['PLTE', Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9)]
    const indices = pixels(0, 0b00_01_10_00, 0, 0b10_00_00_00)
    const plain = await decodeImage(png(header(3, 2, 2, 3), palette, indices))
    expect(plain).toMatchObject({ width: 3, height: 2, channels: 3 })
    expect([...plain.data]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 7, 8, 9, 1, 2, 3, 1, 2, 3])
    const alpha = await decodeImage(png(header(1, 1, 8, 3), palette, ['tRNS', Uint8Array.of(0, 50)], pixels(0, 1)))
    expect([alpha.channels, ...alpha.data]).toEqual([4, 4, 5, 6, 50])
    await expect(decodeImage(png(header(1, 1, 8, 3), palette, pixels(0, 3)))).rejects.toThrow(/can't be decoded/)
  })

  test('grey of 1, 2 and 4 bits is spread over 0..255', async () => {
    const grey = async (depth: number, ...bytes: number[]) =>
      (await decodeImage(png(header(3, 2, depth, 0), pixels(...bytes)))).data
    expect([...(await grey(1, 0, 0b10100000, 0, 0b01000000))]).toEqual([255, 0, 255, 0, 255, 0])
    expect([...(await grey(2, 0, 0b00011000, 0, 0b11000100))]).toEqual([0, 85, 170, 255, 0, 85])
    expect([...(await grey(4, 0, 0x0f, 0x10, 0, 0x12, 0x30))]).toEqual([0, 255, 17, 17, 34, 51])
  })

  test.each<[string, Uint8Array, RegExp]>([
    ['no header', png(), /starts like a PNG but has no size/],
    ['no width', png(header(0, 4, 8, 0), pixels(0)), /has no size/],
    ['too many pixels', png(header(100_000, 100_000, 8, 0), pixels(0)), /100000x100000 pixels, more than 33554432\. /],
    ['a second header', png(header(1, 1, 8, 0), header(30_000, 30_000, 8, 0), pixels(0, 0)), /it has two headers/],
    ['too few pixels', png(header(4, 4, 8, 0), pixels(0, 1, 2, 3, 4)), /can't be decoded/],
    [
      'a bomb',
      png(header(4, 4, 8, 0), ['IDAT', deflateSync(new Uint8Array(2 ** 27))]),
      /decompresses to more than the/,
    ],
    ['small interlaced pixels', png(header(1, 1, 1, 0, 1), pixels(0, 0)), /interlaced pictures of 1 bits/],
    ['text only', png(header(2, 2, 8, 0), ['tEXt', Uint8Array.of(65, 0, 66)]), /can't be decoded/],
  ])('refuses a file with %s', async (_, file, message) => {
    await expect(decodeImage(file)).rejects.toThrow(message)
  })

  test('refuses a damaged file, and one cut short anywhere', async () => {
    const file = encodePng(picture(7, 5, 3))
    const damaged = file.slice()
    damaged[60] ^= 1
    await expect(decodeImage(damaged, { name: 'x.png' })).rejects.toThrow(/x\.png is a PNG that can't be decoded \(/)
    for (let end = 8; end < file.length; end++)
      await expect(decodeImage(file.subarray(0, end)), `${end} bytes`).rejects.toThrow(/^decodeImage: the image /)
  })

  test('comments and colour profiles are passed over unread', async () => {
    const noise = [
      ['iCCP', Uint8Array.of(1, 2, 3)] as [string, Uint8Array],
      ['zTXt', Uint8Array.of(9)] as [string, Uint8Array],
    ]
    expect([...(await decodeImage(png(header(1, 1, 8, 0), ...noise, pixels(0, 77)))).data]).toEqual([77])
  })
})

/** 5x3 grey pixels of 0, 17, 34 .. 238 as a JPEG, made with Pillow 9.4 (quality 95, optimised). */
const greyJpeg = Buffer.from(
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDA' +
    'sKDAkKCgr/wAALCAADAAUBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACP/EACAQAAACCwAAAAAAAAAAAAAAAAAJAQIDBggXKEJEUWL/2gAI' +
    'AQEAAD8AckIpV5ecs1KTnUsx2mk9j//Z',
  'base64',
)

describe('JPEG', () => {
  test('grey has one channel', async () => {
    const image = await decodeImage(greyJpeg)
    expect(image).toMatchObject({ width: 5, height: 3, channels: 1 })
    for (const [i, value] of image.data.entries()) expect(Math.abs(value - 17 * i)).toBeLessThan(3)
  })

  test('colour comes back within what its loss allows', async () => {
    const image = picture(20, 13, 3)
    const back = await decodeImage(encodeJpeg(image, 100))
    expect(back).toMatchObject({ width: 20, height: 13, channels: 3 })
    expect(Math.max(...back.data.map((value, i) => Math.abs(value - image.data[i])))).toBeLessThan(6)
    expect(encodeJpeg(image, 20).length).toBeLessThan(encodeJpeg(image, 100).length)
  })

  test('refuses too many pixels, and a file cut short anywhere', async () => {
    await expect(decodeImage(greyJpeg, { maxPixels: 14 })).rejects.toThrow(/5x3 pixels, more than 14\. Make it smaller/)
    for (let end = 3; end < greyJpeg.length; end++)
      await expect(decodeImage(greyJpeg.subarray(0, end)), `${end} bytes`).rejects.toThrow(/^decodeImage: the image /)
  })

  test('a header that claims a huge picture is refused at once', async () => {
    const huge = Buffer.from(greyJpeg)
    huge.writeUInt32BE(0xffffffff, huge.indexOf(Buffer.of(0xff, 0xc0)) + 5)
    await expect(decodeImage(huge)).rejects.toThrow(/65535x65535 pixels/)
  })
})

describe('other files', () => {
  test('refuses other formats by name', async () => {
    await expect(decodeImage(Buffer.from('GIF89a'), { name: 'a.gif' })).rejects.toThrow(
      /a\.gif \(6 bytes\) is neither PNG nor JPEG\. Convert it/,
    )
    await expect(decodeImage(new Uint8Array(0))).rejects.toThrow(/the image \(0 bytes\)/)
  })

  test('readImage names the file it could not read', async () => {
    await expect(readImage('/no/such.png')).rejects.toThrow(/readImage: \/no\/such\.png can't be read \(ENOENT/)
    const self = 'test/data/images.test.ts'
    await expect(readImage(self)).rejects.toThrow(`${self} (${readFileSync(self).length} bytes) is neither`)
  })

  test('encoders refuse what is no picture', () => {
    const odd = { width: 2, height: 2, channels: 3, data: new Uint8Array(11) }
    expect(() => encodePng(odd)).toThrow(/encodePng: 11 bytes are not a picture of height 2, width 2 and 3 channels/)
    expect(() => encodeJpeg(odd)).toThrow(/encodeJpeg: 11 bytes/)
    expect(() => encodeJpeg(picture(2, 2, 3), 0)).toThrow(/encodeJpeg: quality is 0/)
  })
})
