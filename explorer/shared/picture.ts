/** A picture: red, green and blue in 0..1, [height, width, 3]. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly data: Float32Array
}

/** A file that isn't a picture we show: rule, values and remedy. */
export class PictureError extends Error {}

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
  for (let from = 0, to = 0; to < data.length; from += 4, to += 3) {
    data[to] = bytes[from]! / 255
    data[to + 1] = bytes[from + 1]! / 255
    data[to + 2] = bytes[from + 2]! / 255
  }
  return { width, height, data }
}

/** Decodes a file of the user. The longer side becomes `longest` px where it is longer. */
export async function readPicture(file: Blob, longest: number): Promise<Picture> {
  // only who opens a file needs to know what files look like
  const { checkPicture } = await import('./picture-file.ts')
  await checkPicture(file)
  return decode(file, longest)
}

/** A picture of the site itself. */
export async function fetchPicture(url: string, longest: number): Promise<Picture> {
  const answer = await fetch(url)
  if (!answer.ok) throw new PictureError(`picture: ${url} isn't there (${answer.status}). Load the page again.`)
  return decode(await answer.blob(), longest)
}

async function decode(file: Blob, longest: number): Promise<Picture> {
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

/** Brightness as television has it (ITU-R BT.601) of the values as they are stored, [height, width]. */
export function brightness({ width, height, data }: Picture): Float32Array {
  const grey = new Float32Array(width * height)
  for (let i = 0; i < grey.length; i++)
    grey[i] = 0.299 * data[3 * i]! + 0.587 * data[3 * i + 1]! + 0.114 * data[3 * i + 2]!
  return grey
}
