import { photoUrls } from '../photo/photos.ts'
import { brightness, fetchPicture, type Picture, pixelsOf, readPicture } from '../shared/picture.ts'
import type { Summary } from './protocol.ts'
import samplesUrl from './samples.bin?url'
import { sampleCount } from './state.ts'

type Form = NonNullable<Summary['picture']>

const sampleSize = 28

let samples: Promise<Uint8Array> | undefined

async function fetchSamples(): Promise<Uint8Array> {
  const answer = await fetch(samplesUrl)
  if (!answer.ok) throw new Error(`the sample digits aren't there (${answer.status}): load the page again`)
  return new Uint8Array(await answer.arrayBuffer())
}

export const takesDigits = ({ height, width, channels }: Form) =>
  height === sampleSize && width === sampleSize && channels === 1

/** A sample digit and its class. */
async function digit(index: number): Promise<{ values: Float32Array; label: number }> {
  samples ??= fetchSamples()
  const bytes = await samples
  const from = sampleCount + index * sampleSize ** 2
  return {
    values: Float32Array.from(bytes.subarray(from, from + sampleSize ** 2), (v) => v / 255),
    label: bytes[index]!,
  }
}

/** A picture stretched to what a model takes, [H, W, C] in 0..1. */
async function fitted(picture: Picture, { height, width, channels }: Form): Promise<Float32Array> {
  const bytes = new Uint8ClampedArray(picture.width * picture.height * 4)
  for (let i = 0; i < picture.width * picture.height; i++) {
    for (let c = 0; c < 3; c++) bytes[4 * i + c] = 255 * picture.data[3 * i + c]!
    bytes[4 * i + 3] = 255
  }
  const bitmap = await createImageBitmap(new ImageData(bytes, picture.width, picture.height))
  const small = pixelsOf(bitmap, width, height)
  bitmap.close()
  return channels === 1 ? brightness(small) : small.data
}

/** What is shown to the model: a file of the reader, a sample digit, or a photo. */
export async function pictureFor(
  form: Form,
  index: number,
  own: Blob | null,
): Promise<{ readonly values: Float32Array; readonly label?: number }> {
  const longest = Math.max(form.height, form.width, 64)
  if (own) return { values: await fitted(await readPicture(own, longest), form) }
  if (takesDigits(form)) return digit(index)
  const urls = Object.values(photoUrls)
  return { values: await fitted(await fetchPicture(urls[index % urls.length]!, longest), form) }
}
