/** A picture: red, green and blue in 0..1, [height, width, 3]. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly data: Float32Array
}

/** A file that isn't a picture we show: rule, values and remedy. */
export class PictureError extends Error {}

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

/** Width and height that keep the proportions, with the longer side at most `longest` and both at least 16. */
export function fitted(width: number, height: number, longest: number): { width: number; height: number } {
  const scale = Math.min(1, longest / Math.max(width, height))
  const side = (length: number) => Math.max(Math.round(length * scale), 16)
  return { width: side(width), height: side(height) }
}

/** The picture in `source`, drawn `width` by `height`. */
export function pixelsOf(source: CanvasImageSource, width: number, height: number): Picture {
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!
  context.imageSmoothingQuality = 'high'
  // what is transparent is white
  context.fillStyle = '#fff'
  context.fillRect(0, 0, width, height)
  context.drawImage(source, 0, 0, width, height)
  const bytes = context.getImageData(0, 0, width, height).data
  const data = new Float32Array(width * height * 3)
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) data[3 * i + c] = bytes[4 * i + c]! / 255
  return { width, height, data }
}

/** Decodes a file of the user. The longer side becomes `longest` px where it is longer. */
export async function readPicture(file: Blob, longest: number): Promise<Picture> {
  await checkPicture(file)
  let bitmap: ImageBitmap
  try {
    bitmap = await createImageBitmap(file)
  } catch {
    throw new PictureError("picture: the file is damaged, the browser can't decode it. Choose another.")
  }
  const { width, height } = fitted(bitmap.width, bitmap.height, longest)
  const picture = pixelsOf(bitmap, width, height)
  bitmap.close()
  return picture
}

/** A picture of the site itself. */
export async function fetchPicture(url: string, longest: number): Promise<Picture> {
  const answer = await fetch(url)
  if (!answer.ok) throw new PictureError(`picture: ${url} isn't there (${answer.status}). Load the page again.`)
  return readPicture(await answer.blob(), longest)
}

/** Brightness as television has it (ITU-R BT.601) of the values as they are stored, [height, width]. */
export function brightness({ width, height, data }: Picture): Float32Array {
  const grey = new Float32Array(width * height)
  for (let i = 0; i < grey.length; i++)
    grey[i] = 0.299 * data[3 * i]! + 0.587 * data[3 * i + 1]! + 0.114 * data[3 * i + 2]!
  return grey
}
