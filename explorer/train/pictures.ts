// Labelled pictures to learn: handwritten digits from a small file, or shapes that are drawn here.
import { chance } from './chance.ts'

export interface Pictures {
  readonly classes: readonly string[]
  /** Edge in pixels. */
  readonly size: number
  /** Brightness 0 to 1, [N, size, size, 1] row-major. */
  readonly x: Float32Array
  /** Class numbers [N]. */
  readonly y: Float32Array
}

export interface Split {
  readonly train: Pictures
  readonly heldOut: Pictures
}

const digitSize = 28
/** Of the file, the last so many are held out. */
const heldOutDigits = 1000
const digitNames = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']

/** Unzips, but no more than `most` bytes. */
async function unzipped(bytes: ArrayBuffer, most: number): Promise<Uint8Array> {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')).getReader()
  const parts: Uint8Array[] = []
  let total = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    total += value.length
    if (total > most) throw new Error(`the file of digits holds more than ${most} bytes`)
    parts.push(value)
  }
  const all = new Uint8Array(total)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** The digits of the file that digits.node.ts makes: gzip of all labels, a byte each, then all pictures. */
export async function digits(file: ArrayBuffer): Promise<Split> {
  const pixels = digitSize ** 2
  const bytes = await unzipped(file, 20_000 * (pixels + 1))
  const count = bytes.length / (pixels + 1)
  if (!Number.isInteger(count) || count <= heldOutDigits)
    throw new Error(`the file of digits has ${bytes.length} bytes, which isn't whole pictures: load the page again`)
  const part = (from: number, to: number): Pictures => ({
    classes: digitNames,
    size: digitSize,
    x: Float32Array.from(bytes.subarray(count + from * pixels, count + to * pixels), (v) => v / 255),
    y: Float32Array.from(bytes.subarray(from, to)),
  })
  const cut = count - heldOutDigits
  return { train: part(0, cut), heldOut: part(cut, count) }
}

const shapeSize = 20
type Distance = (x: number, y: number, radius: number) => number

/** Distance of a place to each shape's stroke, around 0. */
const strokes: Readonly<Record<string, Distance>> = {
  '—': (x, y, r) => Math.hypot(Math.max(0, Math.abs(x) - r), y),
  '|': (x, y, r) => Math.hypot(x, Math.max(0, Math.abs(y) - r)),
  '/': (x, y, r) => Math.hypot((x + y) / Math.SQRT2, Math.max(0, Math.abs(x - y) / Math.SQRT2 - r)),
  '\\': (x, y, r) => Math.hypot((x - y) / Math.SQRT2, Math.max(0, Math.abs(x + y) / Math.SQRT2 - r)),
  '○': (x, y, r) => Math.abs(Math.hypot(x, y) - r),
  '□': (x, y, r) => Math.abs(Math.max(Math.abs(x), Math.abs(y)) - r * 0.9),
}
export const shapeNames: readonly string[] = ['—', '|', '/', '\\', '○', '□']

/** `count` shapes of any place, size and thickness in noise; a seed determines them. */
function drawnShapes(count: number, seed: number): Pictures {
  const random = chance(seed)
  const between = (low: number, high: number) => low + (high - low) * random()
  const x = new Float32Array(count * shapeSize ** 2)
  const y = new Float32Array(count)
  for (let n = 0; n < count; n++) {
    const kind = n % shapeNames.length
    const radius = between(4, 7)
    const [left, top] = [0, 0].map(() => (shapeSize - 1) / 2 + between(-1, 1) * (shapeSize / 2 - radius - 1))
    const thick = between(0.4, 1.2)
    const noise = between(0.1, 0.45)
    const distance = strokes[shapeNames[kind]!]!
    for (let i = 0; i < shapeSize ** 2; i++) {
      const away = distance((i % shapeSize) - left!, Math.floor(i / shapeSize) - top!, radius)
      const ink = Math.min(1, Math.max(0, thick + 0.5 - away))
      x[n * shapeSize ** 2 + i] = Math.min(1, ink * between(0.75, 1) + noise * random())
    }
    y[n] = kind
  }
  return { classes: shapeNames, size: shapeSize, x, y }
}

/** 3,000 shapes to learn and 600 others. */
export const shapes = (): Split => ({ train: drawnShapes(3000, 1), heldOut: drawnShapes(600, 2) })
