import { PictureError } from './picture.ts'

const mostBytes = 40e6
const mostPixels = 50e6

/** Width and height as the first bytes of a PNG, GIF, JPEG or WebP file say; undefined where they say nothing. */
export function headerSize(bytes: Uint8Array): { width: number; height: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const starts = (at: number, text: string) => [...text].every((c, i) => bytes[at + i] === c.charCodeAt(0))
  if (bytes.length < 32) return undefined
  if (starts(1, 'PNG') && starts(12, 'IHDR')) return { width: view.getUint32(16), height: view.getUint32(20) }
  if (starts(0, 'GIF8')) return { width: view.getUint16(6, true), height: view.getUint16(8, true) }
  if (starts(0, 'RIFF') && starts(8, 'WEBP')) return webpSize(view, starts)
  if (view.getUint16(0) === 0xffd8) return jpegSize(view)
  return undefined
}

function webpSize(view: DataView, starts: (at: number, text: string) => boolean) {
  if (starts(12, 'VP8 ')) return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff }
  if (starts(12, 'VP8L')) {
    const bits = view.getUint32(21, true)
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
  }
  const three = (at: number) => (view.getUint32(at, true) & 0xffffff) + 1
  return starts(12, 'VP8X') ? { width: three(24), height: three(27) } : undefined
}

/** Walks the segments up to the start of a frame (SOF0 to SOF15 without the tables among them). */
function jpegSize(view: DataView) {
  for (let at = 2; at + 9 < view.byteLength; ) {
    if (view.getUint8(at) !== 0xff) return undefined
    const marker = view.getUint8(at + 1)
    if (marker === 0xff) {
      at++
      continue
    }
    const frame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (frame) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) }
    at += 2 + view.getUint16(at + 2)
  }
  return undefined
}

/** Throws where a file isn't a picture, or too large a one: before anything is decoded. */
export async function checkPicture(file: Blob): Promise<void> {
  if (file.size > mostBytes)
    throw new PictureError(
      `picture: the file has ${Math.round(file.size / 1e6)} MB, at most 40 are read. Make it smaller.`,
    )
  const size = headerSize(new Uint8Array(await file.slice(0, 1 << 18).arrayBuffer()))
  if (!size || size.width < 1 || size.height < 1)
    throw new PictureError('picture: this file is no PNG, JPEG, WebP or GIF. Choose one that is.')
  const pixels = size.width * size.height
  if (pixels > mostPixels)
    throw new PictureError(
      `picture: ${size.width}×${size.height} is ${Math.round(pixels / 1e6)} megapixels, at most 50 are read. Make it smaller.`,
    )
}
