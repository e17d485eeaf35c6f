// A. Adams, J. Baek & M. A. Davis, "Fast high-dimensional filtering using the permutohedral lattice", 2010. Points are
// put in the simplices of a lattice of d dimensions (drawn in d + 1, where coordinates sum to 0), values are spread to
// the simplices' corners, blurred along the lattice's d + 1 directions, and collected again.

/** Bits of one coordinate in a corner's key. */
const range = 2 ** 15

/** A Gaussian filter of deviation 1 over points that lie anywhere. */
export class PermutohedralLattice {
  readonly #n: number
  readonly #d: number
  /** Corner and weight of each point's d + 1 corners. */
  readonly #corners: Int32Array
  readonly #weights: Float32Array
  /** For each direction, the corners before and after each corner; -1 where there is none. */
  readonly #before: Int32Array[]
  readonly #after: Int32Array[]
  readonly #count: number
  readonly #own: Float32Array
  /** Collected is a share a cell of a volume of 1; a Gaussian with a peak of 1 has the volume (2 pi)^(d/2). */
  readonly #peak: number

  /** @param features [points, d], in deviations */
  constructor(features: Float32Array, d: number) {
    const n = features.length / d
    this.#n = n
    this.#d = d
    this.#corners = new Int32Array(n * (d + 1))
    this.#weights = new Float32Array(n * (d + 1))
    const keys = new Map<string, number>()
    const list: Int32Array[] = []
    const position = new Float64Array(d + 1)
    for (let i = 0; i < n; i++) {
      this.#elevate(features.subarray(i * d, (i + 1) * d), position)
      this.#place(i, position, keys, list)
    }
    this.#count = list.length
    this.#before = []
    this.#after = []
    for (let axis = 0; axis <= d; axis++) {
      this.#before.push(this.#neighbours(list, keys, axis, 1))
      this.#after.push(this.#neighbours(list, keys, axis, -1))
    }
    this.#own = Float32Array.from({ length: n }, (_, i) => this.#ownShare(i))
    this.#peak = ((4 * Math.PI) / 3) ** (d / 2) * Math.sqrt(d + 1)
  }

  /** Into the hyperplane of d + 1 dimensions, scaled so that spreading, blurring and collecting have deviation 1. */
  #elevate(feature: Float32Array, position: Float64Array): void {
    const d = this.#d
    const inverse = Math.sqrt(2 / 3) * (d + 1)
    let sum = 0
    for (let k = d; k > 0; k--) {
      const v = (feature[k - 1]! * inverse) / Math.sqrt(k * (k + 1))
      position[k] = sum - k * v
      sum += v
    }
    position[0] = sum
  }

  /** The corners of the simplex that a point lies in, and its barycentric coordinates. */
  #place(point: number, position: Float64Array, keys: Map<string, number>, list: Int32Array[]): void {
    const d = this.#d
    const base = new Int32Array(d + 1)
    let sum = 0
    for (let k = 0; k <= d; k++) {
      base[k] = Math.round(position[k]! / (d + 1)) * (d + 1)
      sum += base[k]! / (d + 1)
    }
    // the order of what was rounded away
    const rank = new Int32Array(d + 1)
    for (let k = 0; k <= d; k++)
      for (let m = k + 1; m <= d; m++) rank[position[k]! - base[k]! < position[m]! - base[m]! ? k : m]! += 1
    // rounding each may have left the hyperplane: those rounded most go back
    for (let k = 0; k <= d; k++) {
      rank[k]! += sum
      if (rank[k]! < 0) {
        rank[k]! += d + 1
        base[k]! += d + 1
      } else if (rank[k]! > d) {
        rank[k]! -= d + 1
        base[k]! -= d + 1
      }
    }
    const barycentric = new Float64Array(d + 2)
    for (let k = 0; k <= d; k++) {
      const v = (position[k]! - base[k]!) / (d + 1)
      barycentric[d - rank[k]!]! += v
      barycentric[d + 1 - rank[k]!]! -= v
    }
    barycentric[0]! += 1 + barycentric[d + 1]!
    for (let remainder = 0; remainder <= d; remainder++) {
      const corner = Int32Array.from(base, (v, k) => v + remainder - (rank[k]! > d - remainder ? d + 1 : 0))
      this.#corners[point * (d + 1) + remainder] = numberOf(corner, keys, list)
      this.#weights[point * (d + 1) + remainder] = barycentric[remainder]!
    }
  }

  #neighbours(list: readonly Int32Array[], keys: ReadonlyMap<string, number>, axis: number, sign: number): Int32Array {
    return Int32Array.from(list, (corner) => {
      const other = corner.map((v, k) => v + sign * (k === axis ? -this.#d : 1))
      return keys.get(keyOf(other)) ?? -1
    })
  }

  /** For each point the sum over all others of exp(-distance^2 / 2) times their values [points, channels], about. */
  filter(values: Float32Array, channels: number): Float32Array {
    const result = this.#collect(this.#blur(this.#spread(values, channels), channels), channels)
    for (let i = 0; i < result.length; i++)
      result[i] = this.#peak * (result[i]! - this.#own[Math.floor(i / channels)]! * values[i]!)
    return result
  }

  /**
   * What spreading, blurring and collecting give a point of its own value. Two corners of its simplex are r steps along
   * r directions apart, or d + 1 - r steps back along the others.
   */
  #ownShare(point: number): number {
    const d1 = this.#d + 1
    const between = (r: number) =>
      r === 0 ? 2 ** -d1 + 2 * 4 ** -d1 : 2 ** (r - d1) * 4 ** -r + 2 ** -r * 4 ** (r - d1)
    let sum = 0
    for (let a = 0; a < d1; a++)
      for (let b = 0; b < d1; b++)
        sum += this.#weights[point * d1 + a]! * this.#weights[point * d1 + b]! * between(Math.abs(a - b))
    return sum
  }

  #spread(values: Float32Array, channels: number): Float32Array {
    const d1 = this.#d + 1
    const cells = new Float32Array(this.#count * channels)
    for (let k = 0; k < this.#n * d1; k++) {
      const [to, weight] = [this.#corners[k]! * channels, this.#weights[k]!]
      const from = Math.floor(k / d1) * channels
      for (let c = 0; c < channels; c++) cells[to + c]! += weight * values[from + c]!
    }
    return cells
  }

  /** [1 2 1] / 4 along each direction. */
  #blur(cells: Float32Array, channels: number): Float32Array {
    let from = cells
    for (let axis = 0; axis <= this.#d; axis++) {
      const to = new Float32Array(from.length)
      const [before, after] = [this.#before[axis]!, this.#after[axis]!]
      for (let cell = 0; cell < this.#count; cell++) {
        const [b, a] = [before[cell]! * channels, after[cell]! * channels]
        for (let c = 0; c < channels; c++) {
          const sides = (b < 0 ? 0 : from[b + c]!) + (a < 0 ? 0 : from[a + c]!)
          to[cell * channels + c] = from[cell * channels + c]! / 2 + sides / 4
        }
      }
      from = to
    }
    return from
  }

  #collect(cells: Float32Array, channels: number): Float32Array {
    const d1 = this.#d + 1
    const result = new Float32Array(this.#n * channels)
    for (let k = 0; k < this.#n * d1; k++) {
      const [from, weight] = [this.#corners[k]! * channels, this.#weights[k]!]
      const to = Math.floor(k / d1) * channels
      for (let c = 0; c < channels; c++) result[to + c]! += weight * cells[from + c]!
    }
    return result
  }
}

const keyOf = (corner: Int32Array): string => String.fromCharCode(...corner.map((v) => v + range))

function numberOf(corner: Int32Array, keys: Map<string, number>, list: Int32Array[]): number {
  const key = keyOf(corner)
  const known = keys.get(key)
  if (known !== undefined) return known
  keys.set(key, list.length)
  list.push(corner)
  return list.length - 1
}
