// B. A. Olshausen & D. J. Field, "Emergence of simple-cell receptive field properties by learning a sparse code for
// natural images", Nature 381, 1996. Symbols are the paper's: I (patches), phi (basis functions), a (coefficients), E,
// S, lambda, sigma, eta. The factor 2 of the squared error's derivative is in lambda and eta, as in the paper.
import { fail } from '../base/errors.ts'
import { randomSource } from '../base/random.ts'
import { compile } from '../compile.ts'
import { matmul } from '../graph/conv.ts'
import { abs, add, div, exp, log1p, maximum, mul, neg, pow, relu, sign, sqrt, sub } from '../graph/map.ts'
import { mean, sum } from '../graph/reduce.ts'
import { transpose } from '../graph/reshape.ts'
import { type Tensor, type Update, update, Variable } from '../graph/tensor.ts'

/** S of equation 4, S' of equation 5, and the largest |S''|. */
interface Penalty {
  value(x: Tensor): Tensor
  slope(x: Tensor): Tensor
  readonly bend: number
}

/** The paper's three choices of S: -exp(-x^2), log(1 + x^2), |x|. */
const penalties = {
  exp: {
    value: (x: Tensor) => neg(exp(neg(mul(x, x)))),
    slope: (x: Tensor) => mul(mul(2, x), exp(neg(mul(x, x)))),
    bend: 2,
  },
  log: {
    value: (x: Tensor) => log1p(mul(x, x)),
    slope: (x: Tensor) => div(mul(2, x), add(1, mul(x, x))),
    bend: 2,
  },
  abs: { value: abs, slope: sign, bend: 0 },
} satisfies Record<string, Penalty>

/** Constants of sparse coding of patches (Olshausen & Field 1996). */
export interface SparseCodingOptions {
  /** Pixels of a patch. */
  readonly pixels: number
  /** Basis functions. */
  readonly functions: number
  /** Weight of the sparseness beside the squared error. */
  readonly lambda: number
  /** Scale of the coefficients in S(a / sigma). Default 1. */
  readonly sigma?: number
  /** S. 'ista' and 'fista' are for 'abs' alone. Default 'abs'. */
  readonly sparseness?: keyof typeof penalties
  /**
   * How the coefficients are found. 'descent': equation 5 in steps. 'ista': steps of the squared error and soft
   * thresholds in turn (Daubechies, Defrise & De Mol 2004); 'fista': with momentum (Beck & Teboulle 2009).
   */
  readonly inference?: 'descent' | 'ista' | 'fista'
  /** Steps of the inference. */
  readonly steps: number
  /**
   * What keeps phi from growing and a from shrinking. A number: the length of phi adapts so that each coefficient has
   * this variance (the paper's gain control). Left out: each phi has length 1.
   */
  readonly variance?: number
  /** Default 1. */
  readonly seed?: number
}

/** The setting of the specification for small patches: |a|, length 1. */
export const absPreset = (edge: number): SparseCodingOptions => ({
  pixels: edge ** 2,
  functions: edge ** 2,
  lambda: 0.1,
  inference: 'fista',
  steps: 40,
})

/**
 * The paper's: 192 functions of 16x16, S = log(1 + x^2), sigma^2 = variance of the images, lambda / sigma = 0.14 with
 * the whole squared error in E, which is 0.07 with half of it (as in the authors' program, sparsenet).
 */
export const paperPreset = (imageVariance: number): SparseCodingOptions => ({
  pixels: 256,
  functions: 192,
  lambda: 0.07 * Math.sqrt(imageVariance),
  sigma: Math.sqrt(imageVariance),
  sparseness: 'log',
  inference: 'descent',
  steps: 60,
  variance: imageVariance,
})

/** Length of each column of [rows, columns], as [columns]. */
const lengths = (x: Tensor) => sqrt(maximum(sum(mul(x, x), [0]), 1e-12))

/** How fast the running variances of the coefficients follow, and phi's lengths them (sparsenet: 0.001, 0.02). */
const follow = 0.01
const adapt = 0.02
/** C is squared so often for a bound of its largest eigenvalue. */
const squarings = 3

/**
 * An upper bound of the largest eigenvalue of a symmetric, positive C: the Frobenius norm of C^8, its eighth root. With
 * n eigenvalues it's at most n^(1/16) times too large.
 */
function largestEigenvalue(c: Tensor): Tensor {
  const norm = (x: Tensor) => sqrt(sum(mul(x, x)))
  const scale = norm(c)
  let power = div(c, scale)
  for (let i = 0; i < squarings; i++) power = matmul(power, power)
  return mul(scale, pow(norm(power), 2 ** -squarings))
}

/** What inference works with: C = phi^T phi, b = phi^T I, a bound of the largest eigenvalue of C. */
interface Problem {
  readonly c: Tensor
  readonly b: Tensor
  readonly largest: Tensor
}

export interface Coded {
  /** [N, functions]. */
  readonly a: Float32Array
  /** Mean squared error of the patches by their mean square. */
  readonly error: number
}

/** Basis functions phi [pixels, functions], and what they learn. */
export class SparseCoding {
  readonly options: Required<Omit<SparseCodingOptions, 'variance'>> & Pick<SparseCodingOptions, 'variance'>
  readonly phi: Variable
  /** Running mean of a^2 of each function. */
  readonly #spread: Variable
  readonly #programs = new Map<string, unknown>()

  constructor(options: SparseCodingOptions) {
    const all = { sigma: 1, sparseness: 'abs', inference: 'descent', seed: 1, ...options } as const
    if (all.inference !== 'descent' && all.sparseness !== 'abs')
      fail(
        'sparseCoding',
        `${all.inference} with S = ${all.sparseness}`,
        "Use sparseness 'abs', or inference 'descent'",
      )
    const { pixels, functions, variance, seed } = all
    this.options = all
    const random = randomSource(seed)
    const columns = Array.from({ length: functions }, () =>
      Float64Array.from({ length: pixels }, () => random.normal()),
    )
    const norms = columns.map((column) => Math.hypot(...column))
    const values = Float32Array.from({ length: pixels * functions }, (_, i) => {
      const k = i % functions
      return columns[k]![Math.floor(i / functions)]! / norms[k]!
    })
    this.phi = new Variable(values, [pixels, functions], 'phi')
    this.#spread = new Variable(new Float32Array(functions).fill(variance ?? 1), [functions], 'spread')
  }

  /** Basis function k, its pixels row by row. */
  function(k: number): Float64Array {
    const { pixels, functions } = this.options
    const values = this.phi.read()
    return Float64Array.from({ length: pixels }, (_, p) => values[p * functions + k]!)
  }

  #problem(x: Tensor): Problem {
    const phi = this.phi.value
    const c = matmul(transpose(phi, [1, 0]), phi)
    return { c, b: matmul(x, phi), largest: largestEigenvalue(c) }
  }

  /** Coefficients [N, functions] of patches [N, pixels]. */
  #infer(problem: Problem): Tensor {
    return this.options.inference === 'descent' ? this.#descend(problem) : this.#threshold(problem)
  }

  /** Equation 5 in steps that its steepest bend allows, from b / |phi|^2. */
  #descend({ c, b, largest }: Problem): Tensor {
    const { lambda, sigma, sparseness, steps } = this.options
    const { slope, bend } = penalties[sparseness]
    const step = div(1, add(largest, (lambda * bend) / sigma ** 2))
    const squares = lengths(this.phi.value)
    let a = div(b, mul(squares, squares))
    for (let i = 0; i < steps; i++) {
      const pull = sub(sub(b, matmul(a, c)), mul(lambda / sigma, slope(mul(a, 1 / sigma))))
      a = add(a, mul(step, pull))
    }
    return a
  }

  /** |x| by soft thresholds: a = shrink(z + (b - C z) / L, lambda / (sigma L)); FISTA's z runs ahead of a. */
  #threshold({ c, b, largest }: Problem): Tensor {
    const { lambda, sigma, steps, inference } = this.options
    const step = div(1, largest)
    const threshold = mul(lambda / sigma, step)
    const shrink = (v: Tensor) => sub(relu(sub(v, threshold)), relu(sub(neg(v), threshold)))
    let a = shrink(mul(step, b))
    let z = a
    let t = 1
    for (let i = 1; i < steps; i++) {
      const next = shrink(add(z, mul(step, sub(b, matmul(z, c)))))
      const after = (1 + Math.sqrt(1 + 4 * t * t)) / 2
      z = inference === 'ista' ? next : add(next, mul((t - 1) / after, sub(next, a)))
      t = after
      a = next
    }
    return a
  }

  /** Equation 6, then the lengths of phi. */
  #learned(x: Tensor, a: Tensor, residual: Tensor, eta: Tensor): Update[] {
    const { variance } = this.options
    const moved = add(this.phi.value, mul(mul(eta, 1 / x.shape[0]!), matmul(transpose(residual, [1, 0]), a)))
    if (variance === undefined) return [update(this.phi, div(moved, lengths(moved)))]
    const spread = add(mul(1 - follow, this.#spread.value), mul(follow, mean(mul(a, a), [0])))
    const gain = pow(mul(spread, 1 / variance), adapt)
    const length = mul(lengths(this.phi.value), gain)
    return [update(this.phi, mul(moved, div(length, lengths(moved)))), update(this.#spread, spread)]
  }

  /** A program for each size of batch. */
  #program<P>(key: string, make: () => P): P {
    const program = (this.#programs.get(key) as P | undefined) ?? make()
    this.#programs.set(key, program)
    return program
  }

  /**
   * One update of phi.
   * @param patches [N, pixels]
   * @param eta rate
   * @returns E of equation 2 (half the squared error, see above) of a patch on average, and error as in `Coded`
   */
  async learn(patches: Float32Array, eta: number): Promise<{ energy: number; error: number }> {
    const { pixels, lambda, sigma, sparseness } = this.options
    const count = patches.length / pixels
    const program = this.#program(`learn ${count}`, () =>
      compile(
        (x: Tensor, rate: Tensor) => {
          const a = this.#infer(this.#problem(x))
          const residual = sub(x, matmul(a, transpose(this.phi.value, [1, 0])))
          const squared = sum(mul(residual, residual))
          const cost = mul(lambda, sum(penalties[sparseness].value(mul(a, 1 / sigma))))
          return {
            energy: mul(add(mul(0.5, squared), cost), 1 / count),
            error: div(squared, sum(mul(x, x))),
            updates: this.#learned(x, a, residual, rate),
          }
        },
        [[count, pixels], []],
      ),
    )
    const { energy, error } = await program(patches, eta)
    return { energy: energy[0]!, error: error[0]! }
  }

  /** Coefficients of patches [N, pixels]. */
  async code(patches: Float32Array): Promise<Coded> {
    const { pixels } = this.options
    const count = patches.length / pixels
    const program = this.#program(`code ${count}`, () =>
      compile(
        (x: Tensor) => {
          const a = this.#infer(this.#problem(x))
          const residual = sub(x, matmul(a, transpose(this.phi.value, [1, 0])))
          return { a, error: div(sum(mul(residual, residual)), sum(mul(x, x))) }
        },
        [[count, pixels]],
      ),
    )
    const { a, error } = await program(patches)
    return { a, error: error[0]! }
  }
}
