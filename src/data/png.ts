import { convertIndexedToRgb, type DecodedPng, decode, encode } from 'fast-png'
import { checkImage, type Image } from './image.ts'
import { inflate, joined } from './inflate.ts'

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

export const isPng = (bytes: Uint8Array): boolean => signature.every((byte, i) => bytes[i] === byte)

/** Width and height from the header, the first chunk (W3C, PNG specification, 11.2.1); undefined without one. */
export function pngSize(bytes: Uint8Array): { width: number; height: number } | undefined {
  if (bytes.length < 33 || chunkType(bytes, 8) !== 'IHDR') return undefined
  return { width: word(bytes, 16), height: word(bytes, 20) }
}

const word = (bytes: Uint8Array, at: number) =>
  ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0
const chunkType = (bytes: Uint8Array, at: number) => String.fromCharCode(...bytes.subarray(at + 4, at + 8))

/** The chunks that make the picture, joined to a PNG of their own, without comments, profiles and what isn't known. */
function essential(bytes: Uint8Array): { png: Uint8Array; pixels: Uint8Array } {
  const kept = [bytes.subarray(0, 8)]
  const pixels: Uint8Array[] = []
  for (let at = 8; at + 12 <= bytes.length; ) {
    const type = chunkType(bytes, at)
    const end = at + 12 + word(bytes, at)
    if (type === 'IHDR' && at > 8) throw new Error('it has two headers')
    if (end > bytes.length) throw new Error(`its chunk ${type} is cut short`)
    if (['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND'].includes(type)) kept.push(bytes.subarray(at, end))
    if (type === 'IDAT') pixels.push(bytes.subarray(at + 8, end - 4))
    at = end
  }
  return { png: joined(kept), pixels: joined(pixels) }
}

/** Deflate can't enlarge by more than this factor (Deutsch, RFC 1951: 258 bytes from 2 bits). */
const mostExpansion = 1032
const harmlessBytes = 2 ** 26
/** Values of a pixel by the colour type (W3C, PNG specification, 11.2.1). */
const valuesOfType: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }

/**
 * Decodes a PNG whose size was checked, to 8 bits: palettes become RGB (with alpha if the palette has it), 16 bits are
 * rounded. A colour declared transparent in a picture without alpha stays opaque. Throws the codec's own errors.
 */
export async function decodePng(bytes: Uint8Array): Promise<Image> {
  const { png, pixels } = essential(bytes)
  const [depth, interlaced] = [bytes[24], bytes[28] !== 0]
  if (interlaced && depth < 8) throw new Error(`interlaced pictures of ${depth} bits are not supported`)
  const { width, height } = pngSize(bytes)!
  // before memory is taken for a size that the file only claims
  if (pixels.length * mostExpansion < (width * height * depth * (valuesOfType[bytes[25]] ?? 1)) / 8)
    throw new Error(`its ${pixels.length} bytes of pixels can't be those of ${width}x${height}`)
  if (pixels.length * mostExpansion > harmlessBytes) {
    // At most 4 channels of 16 bits and a filter byte a line; interlacing has under 2 lines for each, plus 8.
    await inflate('decodeImage', 'the PNG image', pixels, 'deflate', height * (8 * width + 2) + 8)
  }
  const decoded = decode(png, { checkCrc: true })
  const data = toBytes(decoded)
  return { width, height, channels: data.length / (width * height), data }
}

/** The values as 0..255. */
function toBytes(png: DecodedPng): Uint8Array {
  const { data, depth, width, height } = png
  if (png.palette) return convertIndexedToRgb(png)
  if (depth === 16) return Uint8Array.from(data, (value) => Math.round(value / 257))
  if (depth === 8) return new Uint8Array(data)
  // Only grey pictures have fewer bits: several pixels a byte, the first in the highest bits, each line padded.
  const line = Math.ceil((width * depth) / 8)
  const most = 2 ** depth - 1
  return Uint8Array.from({ length: width * height }, (_, pixel) => {
    const bit = (pixel % width) * depth
    const byte = data[Math.floor(pixel / width) * line + (bit >> 3)]
    return (((byte >> (8 - depth - (bit & 7))) & most) * 255) / most
  })
}

/** A PNG file of the picture, without loss. */
export function encodePng(image: Image): Uint8Array {
  checkImage('encodePng', image)
  const { width, height, channels, data } = image
  return encode({ width, height, channels, data, depth: 8 })
}
