import { encodePng, type Image } from '../../data/index.ts'
import type { Model } from '../../nn/index.ts'
import type { ReportFile } from './report.ts'
import { firstScenes, largest, type Scenes } from './segmentation.ts'

/** Colours of classes: CamVid's eleven in its own, then void. */
const palette = [
  [128, 128, 128],
  [128, 0, 0],
  [192, 192, 128],
  [128, 64, 128],
  [60, 40, 222],
  [128, 128, 0],
  [192, 128, 128],
  [64, 64, 128],
  [64, 0, 128],
  [64, 64, 0],
  [0, 128, 192],
  [0, 0, 0],
] as const

const gap = 4

/** Tiles of equal size, [row][column], side by side on white; `enlarged` pixels for each. */
export function tiles(rows: readonly (readonly Uint8Array[])[], height: number, width: number, enlarged = 1): Image {
  const [tall, wide] = [height * enlarged, width * enlarged]
  const columns = Math.max(...rows.map((row) => row.length))
  const image = { width: columns * (wide + gap) + gap, height: rows.length * (tall + gap) + gap, channels: 3 }
  const data = new Uint8Array(image.width * image.height * 3).fill(255)
  rows.forEach((row, r) => {
    row.forEach((tile, c) => {
      for (let i = 0; i < tall * wide; i++) {
        const [y, x] = [Math.floor(i / wide), i % wide]
        const from = (Math.floor(y / enlarged) * width + Math.floor(x / enlarged)) * 3
        const to = ((gap + r * (tall + gap) + y) * image.width + gap + c * (wide + gap) + x) * 3
        data.set(tile.subarray(from, from + 3), to)
      }
    })
  })
  return { ...image, data }
}

/** Every pixel's class in its colour. */
export const classColours = (labels: ArrayLike<number>): Uint8Array =>
  Uint8Array.from({ length: labels.length * 3 }, (_, i) => {
    const label = Math.min(labels[Math.floor(i / 3)]!, palette.length - 1)
    return palette[label]![i % 3]!
  })

/** A picture of values 0 to 1 as bytes. */
export const pictureBytes = (values: Float32Array): Uint8Array =>
  Uint8Array.from(values, (v) => Math.round(255 * Math.min(1, Math.max(0, v))))

/** Classes of some pixels by other means than a model alone: [count, H, W]. */
export type Named = readonly [caption: string, from: Model | Uint8Array]

/** A PNG with a row for each of the first scenes: picture, truth, and what each network says. */
export async function sceneFile(
  name: string,
  all: Scenes,
  count: number,
  named: readonly Named[],
): Promise<ReportFile> {
  const scenes = firstScenes(all, count)
  const { height, width, pictures, labels, classes } = scenes
  const size = height * width
  const answers = await Promise.all(
    named.map(async ([, from]) =>
      from instanceof Uint8Array ? from : largest(await from.predict(pictures), classes.length),
    ),
  )
  const rows = Array.from({ length: labels.length / size }, (_, n) => [
    pictureBytes(pictures.subarray(n * size * 3, (n + 1) * size * 3)),
    ...[labels, ...answers].map((list) => classColours(list.subarray(n * size, (n + 1) * size))),
  ])
  const caption = `from the left: picture, truth${named.map(([text]) => `, ${text}`).join('')}`
  return { name, caption, content: encodePng(tiles(rows, height, width, height < 80 ? 2 : 1)) }
}
