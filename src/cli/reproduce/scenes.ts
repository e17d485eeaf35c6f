// Drawn scenes whose classes can't be told from a pixel's near neighbours: one needs what lies far away, one needs
// several scales at once. Ours; nobody's pictures are needed.
import { randomSource } from '../../base/random.ts'
import type { Scenes } from './segmentation.ts'

type Random = ReturnType<typeof randomSource>
type Colour = readonly [number, number, number]

/** A canvas of grey noise, and the labels of its pixels. */
class Canvas {
  readonly x: Float32Array
  readonly y: Float32Array
  readonly edge: number

  constructor(edge: number, random: Random, noise: number) {
    this.edge = edge
    this.x = Float32Array.from({ length: edge * edge * 3 }, () => 0.5 + noise * random.normal())
    this.y = new Float32Array(edge * edge)
  }

  /** Pixels within `radius` of (cx, cy) take `colour(x, y)` and, if it isn't undefined, `label`. */
  disc(cx: number, cy: number, radius: number, colour: (x: number, y: number) => Colour, label?: number): void {
    for (let y = Math.max(0, Math.ceil(cy - radius)); y <= Math.min(this.edge - 1, cy + radius); y++)
      for (let x = Math.max(0, Math.ceil(cx - radius)); x <= Math.min(this.edge - 1, cx + radius); x++) {
        if (Math.hypot(x - cx, y - cy) > radius) continue
        const at = y * this.edge + x
        const values = colour(x, y)
        for (let k = 0; k < 3; k++) this.x[at * 3 + k]! += values[k]! - 0.5
        if (label !== undefined) this.y[at] = label
      }
  }
}

function scenesOf(
  count: number,
  edge: number,
  classes: readonly string[],
  seed: number,
  draw: (canvas: Canvas, random: Random) => void,
  noise: number,
): Scenes {
  const pictures = new Float32Array(count * edge * edge * 3)
  const labels = new Float32Array(count * edge * edge)
  for (let n = 0; n < count; n++) {
    const random = randomSource(seed, n)
    const canvas = new Canvas(edge, random, noise)
    draw(canvas, random)
    pictures.set(canvas.x, n * edge * edge * 3)
    labels.set(canvas.y, n * edge * edge)
  }
  return { height: edge, width: edge, pictures, labels, classes }
}

const within = (random: Random, low: number, high: number) => low + (high - low) * random.next()

/** Colours of markers and discs of the task with a far cue. */
const inks: readonly Colour[] = [
  [0.9, 0.2, 0.2],
  [0.2, 0.3, 0.9],
]
const greens: readonly Colour[] = [
  [0.2, 0.7, 0.3],
  [0.85, 0.75, 0.2],
]

/**
 * One green or yellow disc, and a small marker far from it: 26 to 30 pixels from middle to middle in pictures of 64x64.
 * The disc's class is its colour and the marker's (red or blue); with the two markers and the ground there are 7. Who
 * sees no further than the disc can only guess which of two it is: a mean IoU of (3 + 4 / 3) / 7 = 62% by chance.
 */
export const farCue = (count: number, seed: number, edge = 64): Scenes =>
  scenesOf(
    count,
    edge,
    ['ground', 'red', 'blue', 'green by red', 'green by blue', 'yellow by red', 'yellow by blue'],
    seed,
    (canvas, random) => {
      const unit = edge / 64
      const angle = within(random, 0, 2 * Math.PI)
      const far = within(random, 26, 30) * unit
      const [dx, dy] = [(far * Math.cos(angle)) / 2, (far * Math.sin(angle)) / 2]
      const middle = (edge - 1) / 2
      const [mx, my] = [middle + within(random, -6, 6) * unit, middle + within(random, -6, 6) * unit]
      const [body, mark] = [random.integer(2), random.integer(2)]
      canvas.disc(mx - dx, my - dy, within(random, 6, 9) * unit, () => greens[body]!, 3 + 2 * body + mark)
      canvas.disc(mx + dx, my + dy, 2.5 * unit, () => inks[mark]!, 1 + mark)
    },
    0.05,
  )

/**
 * Radii of the discs of the task of scales: their texture is the same. From the middle of the second an edge is 36
 * pixels away, and none is near in the third: the encoder alone sees 31 pixels each way, with one rate of 4 it sees 47.
 */
const radii = [5, 36, 62] as const

/**
 * 160x160: striped discs of three sizes on noise, the same stripes in all. The class of a pixel is the size of the disc
 * that it belongs to, so the middle of a large one needs a wide view, and small ones beside each other a narrow one.
 * Half of the pictures have a large disc, the others a medium one in its place.
 */
export const threeScales = (count: number, seed: number): Scenes =>
  scenesOf(
    count,
    160,
    ['ground', 'small', 'medium', 'large'],
    seed,
    (canvas, random) => {
      const last = canvas.edge - 1
      const placed: [number, number, number][] = []
      const wanted = [1 + random.integer(2), 1, 0, 0, 0, 0, 0]
      for (const scale of wanted)
        for (let attempt = 0; attempt < 40; attempt++) {
          const radius = radii[scale]! * within(random, 0.85, 1.15)
          const [x, y] = [within(random, radius, last - radius), within(random, radius, last - radius)]
          if (placed.some(([px, py, pr]) => Math.hypot(px - x, py - y) < pr + radius + 2)) continue
          placed.push([x, y, radius])
          const angle = within(random, 0, Math.PI)
          const phase = within(random, 0, 2 * Math.PI)
          const stripes = (px: number, py: number): Colour => {
            const v = 0.5 + 0.3 * Math.cos(1.6 * (px * Math.cos(angle) + py * Math.sin(angle)) + phase)
            return [v, v, v]
          }
          canvas.disc(x, y, radius, stripes, scale + 1)
          break
        }
    },
    0.08,
  )
