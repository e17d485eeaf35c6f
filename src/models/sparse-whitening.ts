// Whitening of natural images (Olshausen & Field 1996, methods): their amplitude falls as 1/f, so the filter
// R(f) = f exp(-(f / f0)^4) makes all frequencies up to f0 equally strong and removes the noisy highest ones.
import { compile } from '../compile.ts'
import { matmul } from '../graph/conv.ts'
import { add, mul, sub } from '../graph/map.ts'
import { type Tensor, tensor } from '../graph/tensor.ts'

/** A grey picture, row by row. */
export interface Grey {
  readonly height: number
  readonly width: number
  readonly values: Float32Array
}

/** cos and sin of 2 pi jk / n, [n, n]: the discrete Fourier transform of one axis as matrix products. */
function waves(n: number): { c: Tensor; s: Tensor } {
  const of = (wave: (angle: number) => number) =>
    tensor(
      Float32Array.from({ length: n * n }, (_, i) => wave((2 * Math.PI * ((Math.floor(i / n) * (i % n)) % n)) / n)),
      [n, n],
    )
  return { c: of(Math.cos), s: of(Math.sin) }
}

/** R at every frequency of the transform, [height, width]; f in cycles a picture of the smaller edge. */
function response(height: number, width: number, cutoff: number): Float32Array {
  const edge = Math.min(height, width)
  const cycles = (k: number, n: number) => (Math.min(k, n - k) * edge) / n
  return Float32Array.from({ length: height * width }, (_, i) => {
    const f = Math.hypot(cycles(Math.floor(i / width), height), cycles(i % width, width))
    return f * Math.exp(-((f / (cutoff * edge)) ** 4))
  })
}

/** Mean 0, then scaled to a variance. */
function standardized(values: Float32Array, variance: number): Float32Array {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length
  const square = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length
  const scale = Math.sqrt(variance / square)
  return values.map((v) => (v - mean) * scale)
}

/** The filter f exp(-(f / f0)^4) of Olshausen & Field (1996). */
export interface WhitenOptions {
  /** f0 by the smaller edge. Default 0.4: the paper's 200 cycles in 512 pixels. */
  readonly cutoff?: number
  /** Of the result. Default 0.1. */
  readonly variance?: number
}

/** Pictures of one size through R, borders joined, each with a given variance. */
export async function whiten(pictures: readonly Grey[], options: WhitenOptions = {}): Promise<Grey[]> {
  const { cutoff = 0.4, variance = 0.1 } = options
  const { height, width } = pictures[0]!
  const [rows, columns] = [waves(height), waves(width)]
  const filter = tensor(response(height, width, cutoff), [height, width])
  const program = compile(
    (x) => {
      // the transform of a real picture, re - i im: e^(-i a) = cos a - i sin a along both axes
      const [byCos, bySin] = [matmul(rows.c, x), matmul(rows.s, x)]
      const re = mul(filter, sub(matmul(byCos, columns.c), matmul(bySin, columns.s)))
      const im = mul(filter, add(matmul(bySin, columns.c), matmul(byCos, columns.s)))
      // and back: the real part of the sum of (re - i im) e^(i a), over rows, then over columns
      const cosine = add(matmul(rows.c, re), matmul(rows.s, im))
      const sine = sub(matmul(rows.c, im), matmul(rows.s, re))
      return add(matmul(cosine, columns.c), matmul(sine, columns.s))
    },
    [[height, width]],
  )
  const results: Grey[] = []
  for (const { values } of pictures) {
    const filtered = await program(standardized(values, 1))
    results.push({ height, width, values: standardized(filtered, variance) })
  }
  return results
}
