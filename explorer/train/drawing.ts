// What is drawn by hand becomes a picture like those that were learned.

/** Points of ink for each pixel and axis: strokes are drawn finer than pictures are. */
export const fine = 4

/** A drawing of side x side points, 0 or 1. */
export interface Ink {
  readonly side: number
  readonly points: Uint8Array
}

export const blank = (size: number): Ink => ({ side: size * fine, points: new Uint8Array((size * fine) ** 2) })

/** A round pen along a line; places in points. */
export function stroke(ink: Ink, from: readonly [number, number], to: readonly [number, number], radius: number): Ink {
  const { side } = ink
  const points = ink.points.slice()
  const [ux, uy] = [to[0] - from[0], to[1] - from[1]]
  const length = ux * ux + uy * uy
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - from[0]) * ux + (y - from[1]) * uy) / length))
      if (Math.hypot(x - from[0] - t * ux, y - from[1] - t * uy) <= radius) points[y * side + x] = 1
    }
  return { side, points }
}

/** The same place and size, [size, size]. */
export function pixelsOf({ side, points }: Ink): Float32Array {
  const size = side / fine
  const pixels = new Float32Array(size * size)
  points.forEach((point, i) => {
    const [x, y] = [Math.floor((i % side) / fine), Math.floor(Math.floor(i / side) / fine)]
    pixels[y * size + x]! += point / fine ** 2
  })
  return pixels
}

/**
 * As MNIST's digits are: the larger edge of the ink 20 of 28 pixels, its centre of mass in the middle (LeCun et al.
 * 1998, section III A).
 */
export function centred(ink: Ink): Float32Array {
  const { side, points } = ink
  const size = side / fine
  const inked = [...points.keys()].filter((i) => points[i] === 1)
  if (inked.length === 0) return new Float32Array(size * size)
  const xs = inked.map((i) => i % side)
  const ys = inked.map((i) => Math.floor(i / side))
  const mean = (list: readonly number[]) => list.reduce((sum, v) => sum + v, 0) / list.length
  const extent = (list: readonly number[]) => Math.max(...list) - Math.min(...list) + 1
  const [cx, cy] = [mean(xs), mean(ys)]
  const scale = Math.max(extent(xs), extent(ys)) / (size * (20 / 28))
  const at = (x: number, y: number) => {
    const [column, row] = [Math.round(x), Math.round(y)]
    return column >= 0 && column < side && row >= 0 && row < side ? points[row * side + column]! : 0
  }
  const pixels = new Float32Array(size * size)
  const samples = fine ** 2
  for (let i = 0; i < pixels.length; i++)
    for (let s = 0; s < samples; s++) {
      const u = (i % size) + ((s % fine) + 0.5) / fine - size / 2
      const v = Math.floor(i / size) + (Math.floor(s / fine) + 0.5) / fine - size / 2
      pixels[i]! += at(cx + u * scale, cy + v * scale) / samples
    }
  return pixels
}
