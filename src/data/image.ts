import { fail } from '../base/errors.ts'

/** A picture of 8 bits a value: `data` is `[height, width, channels]`; 1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha. */
export interface Image {
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly data: Uint8Array
}

/** Refuses what isn't a picture: data of another length, sizes that aren't whole numbers, more than 4 channels. */
export function checkImage(operation: string, image: Image): void {
  const { width, height, channels, data } = image
  const whole = [width, height, channels].every((extent) => Number.isInteger(extent) && extent > 0)
  if (!whole || channels > 4 || data.length !== width * height * channels)
    fail(
      operation,
      `${data.length} bytes are not a picture of height ${height}, width ${width} and ${channels} channels`,
      'Give height * width * channels bytes and 1 to 4 channels',
    )
}

/**
 * The picture with another number of channels: grey from RGB is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), RGB from
 * grey repeats it, and where alpha is dropped the picture is laid over white.
 */
export function withChannels(image: Image, channels: 1 | 3 | 4): Image {
  checkImage('withChannels', image)
  if (channels !== 1 && channels !== 3 && channels !== 4)
    fail('withChannels', `channels is ${channels}`, 'Use 1 (grey), 3 (RGB) or 4 (RGB and alpha)')
  if (image.channels === channels) return image
  const { width, height, channels: from, data: source } = image
  const data = new Uint8Array(width * height * channels)
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * from
    const alpha = from === 2 || from === 4 ? source[at + from - 1] : 255
    const over = channels === 4 ? 1 : alpha / 255
    const colour = (channel: number) => source[at + (from < 3 ? 0 : channel)] * over + 255 * (1 - over)
    const to = pixel * channels
    if (channels === 1) {
      const grey = from < 3 ? colour(0) : 0.299 * colour(0) + 0.587 * colour(1) + 0.114 * colour(2)
      data[to] = Math.round(grey)
    } else {
      for (let channel = 0; channel < 3; channel++) data[to + channel] = Math.round(colour(channel))
      if (channels === 4) data[to + 3] = alpha
    }
  }
  return { width, height, channels, data }
}

/** For each output place along one axis: the first input place it uses, and the weights from there on. */
function axisTaps(from: number, to: number): { start: number; weights: number[] }[] {
  const ratio = from / to
  return Array.from({ length: to }, (_, place) => {
    // Shrinking averages what the output pixel covers; enlarging interpolates between the two nearest pixel centres.
    const centre = (place + 0.5) * ratio
    const low = ratio > 1 ? place * ratio : centre - 0.5
    const high = ratio > 1 ? low + ratio : centre + 0.5
    const start = Math.max(0, Math.floor(low))
    const end = Math.min(from, Math.ceil(high))
    const weights = Array.from(
      { length: Math.max(1, end - start) },
      (_, i) => Math.min(high, start + i + 1) - Math.max(low, start + i),
    )
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    return { start, weights: weights.map((weight) => weight / total) }
  })
}

/**
 * The picture at another size, each axis on its own: enlarged by linear interpolation between pixel centres, shrunk by
 * averaging the area that each new pixel covers.
 */
export function resize(image: Image, width: number, height: number): Image {
  checkImage('resize', image)
  if (!Number.isSafeInteger(width) || !Number.isSafeInteger(height) || width < 1 || height < 1)
    fail('resize', `size is ${width}x${height}`, 'Give width and height in whole pixels, at least 1')
  if (width === image.width && height === image.height) return image
  const { channels } = image
  const wide = new Float32Array(image.height * width * channels)
  for (const [column, { start, weights }] of axisTaps(image.width, width).entries())
    for (let row = 0; row < image.height; row++)
      for (const [i, weight] of weights.entries()) {
        const from = (row * image.width + start + i) * channels
        const to = (row * width + column) * channels
        for (let channel = 0; channel < channels; channel++) wide[to + channel] += weight * image.data[from + channel]
      }
  const sums = new Float32Array(height * width * channels)
  const line = width * channels
  for (const [row, { start, weights }] of axisTaps(image.height, height).entries())
    for (const [i, weight] of weights.entries())
      for (let x = 0; x < line; x++) sums[row * line + x] += weight * wide[(start + i) * line + x]
  return { width, height, channels, data: Uint8Array.from(sums, (value) => Math.round(value)) }
}
