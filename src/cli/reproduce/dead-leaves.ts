import { randomSource } from '../../base/random.ts'
import type { Grey } from '../../models/sparse-whitening.ts'

/**
 * A picture of discs that cover each other, radii falling as 1 / r^3: the dead leaves model, whose statistics are much
 * like those of natural images (Lee, Mumford & Huang 2001). Drawn four times as large and averaged.
 */
export function deadLeaves(size: number, seed: number): Grey {
  const fine = 4
  const edge = size * fine
  const random = randomSource(seed)
  const values = new Float32Array(edge * edge).fill(-1)
  const [least, most] = [2 * fine, edge / 3]
  const spread = least ** -2 - most ** -2
  let free = edge * edge
  // from the front to the back: what is covered stays
  while (free > 0.002 * edge * edge) {
    const radius = (most ** -2 + spread * random.next()) ** -0.5
    const [x, y] = [(random.next() * 1.2 - 0.1) * edge, (random.next() * 1.2 - 0.1) * edge]
    const grey = random.next()
    for (let row = Math.max(0, Math.ceil(y - radius)); row < Math.min(edge, y + radius); row++) {
      const half = Math.sqrt(Math.max(0, radius ** 2 - (row - y) ** 2))
      for (let column = Math.max(0, Math.ceil(x - half)); column < Math.min(edge, x + half); column++) {
        const i = row * edge + column
        if (values[i]! >= 0) continue
        values[i] = grey
        free--
      }
    }
  }
  const mean = (top: number, left: number) => {
    let sum = 0
    for (let y = top; y < top + fine; y++)
      for (let x = left; x < left + fine; x++) sum += Math.max(0, values[y * edge + x]!)
    return sum / fine ** 2
  }
  const small = Float32Array.from({ length: size * size }, (_, i) =>
    mean(Math.floor(i / size) * fine, (i % size) * fine),
  )
  return { height: size, width: size, values: small }
}
