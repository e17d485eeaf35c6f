// The fully connected conditional random field of DeepLab v1 and v2 (section 3.3 / 4.3 there): P. Krahenbuhl & V.
// Koltun, "Efficient inference in fully connected CRFs with Gaussian edge potentials", NIPS 2011.
//   E(x) = sum_i theta_i(x_i) + sum_ij theta_ij(x_i, x_j),  theta_i = -log P(x_i),
//   theta_ij = [x_i != x_j] (w1 exp(-|p|^2 / 2 sa^2 - |I|^2 / 2 sb^2) + w2 exp(-|p|^2 / 2 sg^2))
// with p the difference of places in pixels and I that of colours, 0 to 255.
import { fail } from '../base/errors.ts'
import { PermutohedralLattice } from './crf-lattice.ts'

/** Kernels and steps of the fully connected random field (Krähenbühl & Koltun 2011), on pictures of 0 to 255. */
export interface RandomFieldOptions {
  /** Weight of the appearance kernel. Default 4. */
  readonly w1?: number
  /** Its deviation in pixels. Default 67. */
  readonly alpha?: number
  /** Its deviation in colour, of 255. Default 3. */
  readonly beta?: number
  /** Weight of the smoothness kernel. Default 3. */
  readonly w2?: number
  /** Its deviation in pixels. Default 1. */
  readonly gamma?: number
  /** Default 10. */
  readonly iterations?: number
  /** 'exact' sums over all pairs: for small pictures. Default 'lattice'. */
  readonly filter?: 'exact' | 'lattice'
  /** Kernels brought to D^-1/2 K D^-1/2, D the sums of K's rows, as in the authors' program. Default true. */
  readonly normalise?: boolean
}

/** A picture, and what a network makes of its pixels. */
export interface Unary {
  readonly height: number
  readonly width: number
  /** [H, W, 3], 0 to 255. */
  readonly colours: ArrayLike<number>
  /** [H, W, classes]: log P of each class, up to a constant a pixel (logits will do). */
  readonly logits: Float32Array
}

/** Sums over all other pixels with a Gaussian's weights; of several values a pixel, [pixels, channels]. */
export type Filter = (values: Float32Array, channels: number) => Float32Array

/** Largest number of pixels of which all pairs are summed. */
const mostExact = 64 ** 2

/** Every pair: the definition. `features` are [pixels, dimensions], in deviations. */
export function exactFilter(features: Float32Array, dimensions: number): Filter {
  const n = features.length / dimensions
  if (n > mostExact) fail('randomField', `${n} pixels are too many for filter 'exact'`, "Use filter 'lattice'")
  return (values, channels) => {
    const result = new Float32Array(values.length)
    for (let i = 0; i < n; i++)
      for (let j = 0; j < i; j++) {
        let apart = 0
        for (let d = 0; d < dimensions; d++)
          apart += (features[i * dimensions + d]! - features[j * dimensions + d]!) ** 2
        if (apart > 60) continue
        const weight = Math.exp(-apart / 2)
        for (let c = 0; c < channels; c++) {
          result[i * channels + c]! += weight * values[j * channels + c]!
          result[j * channels + c]! += weight * values[i * channels + c]!
        }
      }
    return result
  }
}

/** On the permutohedral lattice: time in proportion to the pixels. */
export function latticeFilter(features: Float32Array, dimensions: number): Filter {
  const lattice = new PermutohedralLattice(features, dimensions)
  return (values, channels) => lattice.filter(values, channels)
}

/** Coordinates of every pixel in deviations: places, and colours if there is a `beta`. */
export function featuresOf({ height, width, colours }: Unary, place: number, beta?: number): Float32Array {
  const dimensions = beta === undefined ? 2 : 5
  const features = new Float32Array(height * width * dimensions)
  for (let i = 0; i < height * width; i++) {
    features[i * dimensions] = (i % width) / place
    features[i * dimensions + 1] = Math.floor(i / width) / place
    if (beta !== undefined) for (let k = 0; k < 3; k++) features[i * dimensions + 2 + k] = colours[i * 3 + k]! / beta
  }
  return features
}

/** Each row of [pixels, classes] as probabilities. */
export function softmaxRows(logits: Float32Array, classes: number): Float32Array {
  const result = new Float32Array(logits.length)
  for (let from = 0; from < logits.length; from += classes) {
    let most = -Infinity
    for (let c = 0; c < classes; c++) most = Math.max(most, logits[from + c]!)
    let sum = 0
    for (let c = 0; c < classes; c++) {
      result[from + c] = Math.exp(logits[from + c]! - most)
      sum += result[from + c]!
    }
    for (let c = 0; c < classes; c++) result[from + c]! /= sum
  }
  return result
}

/** A pixel whose row of K sums to less has no neighbours: it keeps what the network says. */
const alone = 1e-2

/** D^-1/2 K D^-1/2. */
function normalised(filter: Filter, n: number): Filter {
  const scale = filter(new Float32Array(n).fill(1), 1).map((sum) => (sum > alone ? 1 / Math.sqrt(sum) : 0))
  return (values, channels) => {
    const scaled = (list: Float32Array) => list.map((v, i) => v * scale[Math.floor(i / channels)]!)
    return scaled(filter(scaled(values), channels))
  }
}

/** The field of a picture: the mean field's steps, one by one. */
export class RandomField {
  readonly #classes: number
  readonly #logits: Float32Array
  readonly #kernels: readonly { readonly weight: number; readonly filter: Filter }[]
  readonly #iterations: number

  constructor(unary: Unary, options: RandomFieldOptions = {}) {
    const { height, width, colours, logits } = unary
    const { w1 = 4, alpha = 67, beta = 3, w2 = 3, gamma = 1, iterations = 10, filter = 'lattice' } = options
    const { normalise = true } = options
    const n = height * width
    if (colours.length !== 3 * n || logits.length % n !== 0 || logits.length === 0)
      fail(
        'randomField',
        `${colours.length} colours and ${logits.length} logits for ${height}x${width} pixels`,
        'Give 3 colours and a number for each class for every pixel',
      )
    for (const [name, value] of Object.entries({ alpha, beta, gamma }))
      if (!(value > 0)) fail('randomField', `${name} is ${value}`, 'Give a deviation > 0')
    this.#classes = logits.length / n
    this.#logits = logits
    this.#iterations = iterations
    const kernel = (features: Float32Array, dimensions: number) => {
      const plain = (filter === 'exact' ? exactFilter : latticeFilter)(features, dimensions)
      return normalise ? normalised(plain, n) : plain
    }
    this.#kernels = [
      { weight: w1, filter: kernel(featuresOf(unary, alpha, beta), 5) },
      { weight: w2, filter: kernel(featuresOf(unary, gamma), 2) },
    ]
  }

  /** Q before any step: softmax of the logits. */
  start(): Float32Array {
    return softmaxRows(this.#logits, this.#classes)
  }

  /**
   * One step of the mean field (algorithm 1): messages, compatibility [l != l'], update. Since the classes' Q sum to 1,
   * "all other classes" differs from minus "the own class" by what all classes share, which softmax drops.
   */
  step(q: Float32Array): Float32Array {
    const next = this.#logits.slice()
    for (const { weight, filter } of this.#kernels) {
      const messages = filter(q, this.#classes)
      for (let i = 0; i < next.length; i++) next[i]! += weight * messages[i]!
    }
    return softmaxRows(next, this.#classes)
  }

  /** Q [H, W, classes] after all steps. */
  infer(): Float32Array {
    let q = this.start()
    for (let i = 0; i < this.#iterations; i++) q = this.step(q)
    return q
  }

  /**
   * What the mean field makes smaller: the Kullback-Leibler divergence of Q from the field, up to a constant:
   * sum Q log Q - sum Q log P - 1/2 sum_ij k(i, j) sum_l Q_i(l) Q_j(l).
   */
  divergence(q: Float32Array): number {
    let total = 0
    q.forEach((v, i) => {
      total += v * (Math.log(Math.max(v, 1e-30)) - this.#logits[i]!)
    })
    for (const { weight, filter } of this.#kernels) {
      const messages = filter(q, this.#classes)
      messages.forEach((v, i) => {
        total -= (weight * v * q[i]!) / 2
      })
    }
    return total
  }
}

/** Q [H, W, classes] of a picture and what a network makes of it, by the mean field. */
export const randomField = (unary: Unary, options?: RandomFieldOptions): Float32Array =>
  new RandomField(unary, options).infer()
