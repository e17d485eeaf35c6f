import { FoveaError, fail } from '../base/errors.ts'
import type { Image } from './image.ts'
import { decodeJpeg, isJpeg, jpegSize } from './jpeg.ts'
import { decodePng, isPng, pngSize } from './png.ts'

/** Limits of reading a picture. */
export interface DecodeOptions {
  /** Larger pictures are refused before memory is taken for them. Pixels, 2^25 (33.5 million) if left out. */
  maxPixels?: number
  /** What to call the picture in errors. */
  name?: string
}

/** Decodes a PNG or JPEG file. Fails on other formats, on damaged files and on pictures of too many pixels. */
export async function decodeImage(bytes: Uint8Array, options: DecodeOptions = {}): Promise<Image> {
  const { maxPixels = 2 ** 25, name = 'the image' } = options
  const png = isPng(bytes)
  if (!png && !isJpeg(bytes))
    fail('decodeImage', `${name} (${bytes.length} bytes) is neither PNG nor JPEG`, 'Convert it to PNG or JPEG')
  const size = png ? pngSize(bytes) : jpegSize(bytes)
  const format = png ? 'PNG' : 'JPEG'
  if (!size || size.width === 0 || size.height === 0)
    return fail('decodeImage', `${name} starts like a ${format} but has no size`, 'It is damaged or cut short')
  if (size.width * size.height > maxPixels)
    fail(
      'decodeImage',
      `${name} has ${size.width}x${size.height} pixels, more than ${maxPixels}`,
      'Make it smaller or set maxPixels',
    )
  try {
    return png ? await decodePng(bytes) : decodeJpeg(bytes, maxPixels)
  } catch (error) {
    if (error instanceof FoveaError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    return fail('decodeImage', `${name} is a ${format} that can't be decoded (${reason})`, 'It is damaged or cut short')
  }
}

/** Reads and decodes a PNG or JPEG file from the disk (Node only). */
export async function readImage(path: string, options: DecodeOptions = {}): Promise<Image> {
  const { readFile } = await import('node:fs/promises')
  const bytes = await readFile(path).catch((error: Error) =>
    fail('readImage', `${path} can't be read (${error.message})`, 'Give the path of a PNG or JPEG file'),
  )
  return decodeImage(bytes, { name: path, ...options })
}
