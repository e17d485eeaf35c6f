import { decode, encode } from 'jpeg-js'
import { fail } from '../base/errors.ts'
import { checkImage, type Image, withChannels } from './image.ts'

/** Memory that decoding one JPEG may take, in megabytes. */
const mostMegabytes = 1024

export const isJpeg = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff

/** Size and number of components from the frame header (ITU-T T.81, B.2.2), undefined where there is none. */
export function jpegSize(bytes: Uint8Array): { width: number; height: number; components: number } | undefined {
  const word = (at: number) => bytes[at] * 256 + bytes[at + 1]
  let at = 2
  while (at + 10 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1]
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (isFrame) return { height: word(at + 5), width: word(at + 7), components: bytes[at + 9] }
    // A marker may be preceded by any number of fill bytes.
    at += marker === 0xff ? 1 : 2 + word(at + 2)
  }
  return undefined
}

/** Decodes a JPEG whose size was checked: grey to 1 channel, colour to 3. Throws the codec's own errors. */
export function decodeJpeg(bytes: Uint8Array, maxPixels: number): Image {
  const { width, height, data } = decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    tolerantDecoding: false,
    maxResolutionInMP: maxPixels / 1e6,
    maxMemoryUsageInMB: mostMegabytes,
  })
  const image = { width, height, channels: 3, data }
  return jpegSize(bytes)?.components === 1 ? withChannels(image, 1) : image
}

/** A JPEG file of the picture; `quality` from 1 to 100. Alpha lies over white. Node only; a page has canvas.toBlob. */
export function encodeJpeg(image: Image, quality = 90): Uint8Array {
  checkImage('encodeJpeg', image)
  if (!(quality >= 1 && quality <= 100)) fail('encodeJpeg', `quality is ${quality}`, 'Give a number from 1 to 100')
  const { width, height, data } = withChannels(withChannels(image, 3), 4)
  return new Uint8Array(encode({ width, height, data }, quality).data)
}
