// Convolutional sparse coding (Zeiler, Krishnan, Taylor & Fergus, "Deconvolutional networks", CVPR 2010; Kavukcuoglu et
// al. 2010): a whole image is a sum of kernels laid at every place, I = sum_k a_k * phi_k. The image is a transposed
// convolution of the maps a, and what C = phi^T phi does in `sparse-coding.ts` is a convolution after it.
import { randomSource } from '../base/random.ts'
import { compile, type Program } from '../compile.ts'
import { conv, convTranspose, matmul } from '../graph/conv.ts'
import { gradient } from '../graph/gradient.ts'
import { abs, add, div, maximum, mul, neg, relu, sqrt, sub } from '../graph/map.ts'
import { max, sum } from '../graph/reduce.ts'
import { reshape } from '../graph/reshape.ts'
import { fill, type Tensor, tensor, type Update, update, Variable } from '../graph/tensor.ts'

/** Constants of convolutional sparse coding. */
export interface SparseConvOptions {
  /** Edge of the kernels. */
  readonly kernelSize: number
  /** Kernels. */
  readonly functions: number
  /** Weight of the sparseness beside the squared error. */
  readonly lambda: number
  /** FISTA steps of the inference. */
  readonly steps: number
  /** Default 1. */
  readonly seed?: number
}

const squares = (x: Tensor) => sum(mul(x, x))
/** Each kernel [k, k, 1, functions] brought to length 1. */
const unit = (phi: Tensor) => div(phi, sqrt(maximum(sum(mul(phi, phi), [0, 1, 2], { keepAxes: true }), 1e-12)))

/** The largest of so many times as many frequencies as the kernel has pixels, a little more for those between. */
const finer = 4
const caution = 1.05

/**
 * A bound of the largest eigenvalue of "show, then see": at each frequency it is the sum of the kernels' powers.
 * @param phi [k, k, 1, functions]
 */
function largestEigenvalue(phi: Tensor): Tensor {
  const [k, , , functions] = phi.shape as [number, number, number, number]
  const edge = finer * k
  // one half of the plane: the other has the same powers
  const frequencies = edge * (edge / 2 + 1)
  const wave = (of: (angle: number) => number) =>
    tensor(
      Float32Array.from({ length: frequencies * k * k }, (_, i) => {
        const [f, p] = [Math.floor(i / (k * k)), i % (k * k)]
        const turns = (Math.floor(f / edge) * Math.floor(p / k) + (f % edge) * (p % k)) / edge
        return of(2 * Math.PI * turns)
      }),
      [frequencies, k * k],
    )
  const columns = reshape(phi, [k * k, functions])
  const part = (of: (angle: number) => number) => {
    const amplitudes = matmul(wave(of), columns)
    return mul(amplitudes, amplitudes)
  }
  return mul(caution, max(sum(add(part(Math.cos), part(Math.sin)), [1])))
}

type Shapes = readonly [readonly number[], readonly number[]]

/** Kernels phi [k, k, 1, functions], each of length 1, and what they learn from whole images. */
export class SparseConvCoding {
  readonly options: SparseConvOptions
  readonly phi: Variable
  readonly #programs = new Map<
    string,
    Program<Shapes, { a: Tensor; energy: Tensor; error: Tensor; updates: Update[] }>
  >()

  constructor(options: SparseConvOptions) {
    const { kernelSize, functions, seed = 1 } = options
    this.options = options
    const random = randomSource(seed)
    const values = Float32Array.from({ length: kernelSize ** 2 * functions }, () => random.normal() / kernelSize)
    this.phi = new Variable(values, [kernelSize, kernelSize, 1, functions], 'phi')
  }

  /** Kernel k, its pixels row by row. */
  function(k: number): Float64Array {
    const { functions } = this.options
    return Float64Array.from(this.phi.read().filter((_, i) => i % functions === k))
  }

  /** The image [N, H, W, 1] that maps [N, H', W', functions] stand for, and back. */
  #show = (a: Tensor, phi: Tensor) => convTranspose(a, phi)
  #see = (image: Tensor, phi: Tensor) => conv(image, phi)

  /** Maps by FISTA (Beck & Teboulle 2009). */
  #infer(x: Tensor, phi: Tensor): Tensor {
    const { lambda, steps } = this.options
    const step = div(1, largestEigenvalue(phi))
    const shrink = (v: Tensor) => sub(relu(sub(v, mul(lambda, step))), relu(sub(neg(v), mul(lambda, step))))
    let a = shrink(mul(step, this.#see(x, phi)))
    let z = a
    let t = 1
    for (let i = 1; i < steps; i++) {
      const next = shrink(add(z, mul(step, this.#see(sub(x, this.#show(z, phi)), phi))))
      const after = (1 + Math.sqrt(1 + 4 * t * t)) / 2
      z = add(next, mul((t - 1) / after, sub(next, a)))
      t = after
      a = next
    }
    return a
  }

  /** Inference and one update of phi, as one program for each shape of images. */
  #program(shape: readonly number[]) {
    const key = shape.join()
    const { lambda } = this.options
    const n = shape[0]!
    const make = () =>
      compile(
        (x: Tensor, eta: Tensor) => {
          const unitPhi = unit(this.phi.value)
          const a = this.#infer(x, unitPhi)
          const residual = sub(x, this.#show(a, unitPhi))
          const squared = squares(residual)
          const energy = mul(1 / n, add(mul(0.5, squared), mul(lambda, sum(abs(a)))))
          // equation 6, eta <a (I - I^)>: the show's derivative by its kernels, the maps held fixed
          const kernels = fill(this.phi.shape, 0)
          const [learned] = gradient(mul(1 / n, sum(mul(residual, this.#show(a, kernels)))), [kernels])
          const moved = unit(add(unitPhi, mul(eta, learned!)))
          return { a, energy, error: div(squared, squares(x)), updates: [update(this.phi, moved)] }
        },
        [shape, []],
      )
    const program = this.#programs.get(key) ?? make()
    this.#programs.set(key, program)
    return program
  }

  /**
   * Finds the maps of images, and moves phi by `eta`; 0 leaves it as it is.
   * @param images [N, H, W, 1]
   * @returns a [N, H - k + 1, W - k + 1, functions], E of an image on average, squared error by the images' squares
   */
  async learn(images: Float32Array, shape: readonly number[], eta: number) {
    const { a, energy, error } = await this.#program(shape)(images, eta)
    return { a, energy: energy[0]!, error: error[0]! }
  }
}
