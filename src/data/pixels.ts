import { fail } from '../base/errors.ts'
import { type Shape, showShape, sizeOf } from '../base/shape.ts'
import { checkImage, type Image, withChannels } from './image.ts'

/** What a page has pictures in. */
export type PixelSource =
  | ImageData
  | ImageBitmap
  | HTMLImageElement
  | HTMLVideoElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | VideoFrame

/** What shape pixels of a page are brought to. */
export interface FromPixelsOptions {
  /** `[height, width, channels]` (1 grey, 3 RGB or 4 with alpha) that it's brought to. Default: its own size, RGB. */
  readonly shape?: Shape
}

/** Values of one picture, row-major [H, W, C], from 0 to 1: what `tensor(data, shape)` and `predict(data)` take. */
export interface Pixels {
  readonly data: Float32Array
  readonly shape: Shape
}

/** The size in which it is shown. */
function sizeOfSource(source: Exclude<PixelSource, ImageData>): [width: number, height: number] {
  if ('displayWidth' in source) return [source.displayWidth, source.displayHeight]
  if ('videoWidth' in source) return [source.videoWidth, source.videoHeight]
  if ('naturalWidth' in source) return [source.naturalWidth, source.naturalHeight]
  return [source.width, source.height]
}

function context(width: number, height: number): OffscreenCanvasRenderingContext2D {
  return new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!
}

/** The pixels of a source as ImageData of a size; the browser scales, and smooths while it does. */
function imageDataOf(source: PixelSource, size: readonly [width: number, height: number] | undefined): ImageData {
  const own = 'data' in source ? undefined : sizeOfSource(source)
  if (own?.some((n) => n < 1))
    fail('fromPixels', `the source is ${own.join('x')} pixels: it isn't loaded`, 'Wait until it has loaded or plays')
  if ('data' in source) {
    if (!size || (size[0] === source.width && size[1] === source.height)) return source
    const whole = context(source.width, source.height)
    whole.putImageData(source, 0, 0)
    return imageDataOf(whole.canvas, size)
  }
  const [width, height] = size ?? own!
  const drawing = context(width, height)
  drawing.drawImage(source, 0, 0, width, height)
  return drawing.getImageData(0, 0, width, height)
}

/**
 * Values of what a page shows: an ImageData, a canvas, a picture, a frame of a video, an ImageBitmap. Where alpha is
 * dropped the picture is laid over white. Pages and workers only.
 * @returns [H, W, C] from 0 to 1
 */
export function fromPixels(source: PixelSource, options: FromPixelsOptions = {}): Pixels {
  const { shape } = options
  const [height, width, channels = 3] = shape ?? []
  if (shape && (shape.length !== 3 || ![1, 3, 4].includes(channels)))
    fail('fromPixels', `shape ${showShape(shape)}`, 'Give [height, width, channels] with 1, 3 or 4 channels')
  const { data, ...size } = pick(imageDataOf(source, shape && [width!, height!]))
  const image: Image = { ...size, channels: 4, data: new Uint8Array(data.buffer, data.byteOffset, data.length) }
  const bytes = withChannels(image, channels as 1 | 3 | 4).data
  return { data: Float32Array.from(bytes, (value) => value / 255), shape: [size.height, size.width, channels] }
}

const pick = ({ width, height, data }: ImageData) => ({ width, height, data })

/**
 * Values as ImageData: for `context.putImageData` or `createImageBitmap`. Below 0 and above 1 they are clipped.
 * @param values row-major [H, W, C]: grey, grey and alpha, RGB or RGB and alpha
 */
export function toImageData(values: ArrayLike<number>, shape: Shape): ImageData {
  const [height, width, channels] = shape
  if (shape.length !== 3 || values.length !== sizeOf(shape))
    fail('toImageData', `${values.length} values as ${showShape(shape)}`, 'Give [height, width, channels]')
  // rounds, and clips at both ends
  const bytes = Uint8ClampedArray.from(values as ArrayLike<number>, (value) => value * 255)
  const image: Image = { width: width!, height: height!, channels: channels!, data: new Uint8Array(bytes.buffer) }
  checkImage('toImageData', image)
  const pixels = new Uint8ClampedArray(withChannels(image, 4).data)
  return new ImageData(pixels, width!, height!)
}
