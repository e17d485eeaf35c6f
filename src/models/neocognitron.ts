// K. Fukushima, "Neocognitron: a self-organizing neural network model for a mechanism of pattern recognition unaffected
// by shift in position", 1980 (first in Japanese, 1979). Symbols are the paper's: u_S, u_C, v, a, b, c, d, r, q, alpha.
import { fail } from '../base/errors.ts'
import { compile, type Program } from '../compile.ts'
import { conv } from '../graph/conv.ts'
import { gradient } from '../graph/gradient.ts'
import { add, div, mul, relu, sqrt, sub } from '../graph/map.ts'
import { mean, sum } from '../graph/reduce.ts'
import { type Tensor, tensor, update, Variable } from '../graph/tensor.ts'

/** Constants of the Neocognitron, by Fukushima's letters (1980); lists have one number per module. */
export interface NeocognitronOptions {
  /** Selectivity of the S-cells of each module. */
  readonly r: readonly number[]
  /** Speed of reinforcement of each module. */
  readonly q: readonly number[]
  /** Saturation of the C-cells. */
  readonly alpha: number
  /** First weights of each module. */
  readonly a0: readonly number[]
  /** c falls with the distance |v| as gamma^|v|, in each module. */
  readonly gamma: readonly number[]
  /** d falls as delta^|v|; 0: only the middle counts, no blur. */
  readonly delta: number
  /** Sum of d. */
  readonly dbar: number
  /** Module after module, or all at once as in the paper. */
  readonly staged: boolean
  /** Presentations of each stimulus (in each stage). */
  readonly presentations: number
}

/** The setting that tells five digits apart whatever their place, found by trials on the same glyphs. */
export const staged: NeocognitronOptions = {
  r: [8, 1, 0.5],
  q: [4, 16, 16],
  alpha: 0.5,
  a0: [0.03, 0.005, 0.002],
  gamma: [0.9, 0.9, 0.9],
  delta: 1,
  dbar: 4,
  staged: true,
  presentations: 8,
}

/** The paper's r, q, alpha and 20 presentations; it gives no numbers for a0, gamma, delta and dbar: those are ours. */
export const paper: NeocognitronOptions = {
  ...staged,
  r: [4, 1.5, 1.5],
  q: [1, 16, 16],
  staged: false,
  presentations: 20,
}

/** Planes of each layer. */
export const planes = 24

/** Edges of the layers of a module, and of the windows through which its cells look. */
interface Module {
  readonly before: number
  readonly inputs: number
  readonly s: number
  readonly c: number
  readonly window: number
  readonly pool: number
  /** Edge of an S-column. */
  readonly column: number
}

/** The three modules, from the retina on: edges of their layers and windows, in cells. */
export const modules: readonly Module[] = [
  { before: 16, inputs: 1, s: 16, c: 10, window: 5, pool: 5, column: 5 },
  { before: 10, inputs: planes, s: 8, c: 6, window: 5, pool: 5, column: 5 },
  { before: 6, inputs: planes, s: 2, c: 1, window: 5, pool: 2, column: 2 },
]

/** Edge of the input in receptors: pictures are 16 x 16. */
export const retina = 16

/** Cells of U0, US1, UC1, US2, UC2, US3, UC3. */
export const cellCounts: readonly number[] = [
  retina ** 2,
  ...modules.flatMap(({ s, c }) => [s * s * planes, c * c * planes]),
]

/** Modifiable synapses: a and b of all modules. */
export const synapses: number = modules.reduce(
  (total, { inputs, window }) => total + (window * window * inputs + 1) * planes,
  0,
)

/** base^|v| over a window, scaled to a sum; base 0, the limit: the middle only (of a 2x2 window: all four). */
function decreasing(size: number, base: number, total: number): number[] {
  const middle = (size - 1) / 2
  const distances = Array.from({ length: size * size }, (_, i) =>
    Math.hypot((i % size) - middle, Math.floor(i / size) - middle),
  )
  const least = Math.min(...distances)
  const values = distances.map((distance) => base ** (distance - least))
  const sum = values.reduce((a, b) => a + b, 0)
  return values.map((v) => (v * total) / sum)
}

/** Padding (< 0: cropping) on each side with which grids of unit spacing have one centre. */
const margin = (before: number, after: number, window: number): number => (after + window - 1 - before) / 2

/** First a, [5, 5, K', K]: weakly selective of orientation; preferred angle and input plane differ between planes. */
function firstWeights({ inputs, window }: Module, a0: number): Float32Array {
  const values = new Float32Array(window * window * inputs * planes)
  const middle = (window - 1) / 2
  for (let i = 0; i < values.length; i++) {
    const k = i % planes
    const from = Math.floor(i / planes) % inputs
    const place = Math.floor(i / planes / inputs)
    const angle = (Math.PI * k) / planes
    const [x, y] = [(place % window) - middle, Math.floor(place / window) - middle]
    const across = x * Math.sin(angle) - y * Math.cos(angle)
    const apart = Math.abs(from / inputs - k / planes)
    const other = inputs === 1 ? 0 : 4 * Math.min(apart, 1 - apart)
    values[i] = a0 * Math.exp(-(across ** 2) - other ** 2)
  }
  return values
}

/** A module's fixed weights c and d, its modifiable a and b, and what its cells compute. */
class ModuleCells {
  readonly shape: Module
  readonly a: Variable
  readonly b: Variable
  readonly #r: number
  readonly #q: number
  readonly #alpha: number
  /** [5, 5, K', 1]: the sum over places and planes is 1. */
  readonly #c: Tensor
  /** [5, 5, 1, K]. */
  readonly #d: Tensor

  constructor(index: number, { r, q, alpha, a0, gamma, delta, dbar }: NeocognitronOptions) {
    const shape = modules[index]!
    const { window, inputs, pool } = shape
    this.shape = shape
    this.#r = r[index]!
    this.#q = q[index]!
    this.#alpha = alpha
    this.a = new Variable(firstWeights(shape, a0[index]!), [window, window, inputs, planes], `module${index + 1}.a`)
    this.b = new Variable(new Float32Array(planes), [planes], `module${index + 1}.b`)
    const spread = (values: readonly number[], count: number) => values.flatMap((v) => new Array<number>(count).fill(v))
    this.#c = tensor(spread(decreasing(window, gamma[index]!, 1 / inputs), inputs), [window, window, inputs, 1])
    this.#d = tensor(spread(decreasing(pool, delta, dbar), planes), [pool, pool, 1, planes])
  }

  #look(x: Tensor, kernel: Tensor): Tensor {
    const side = margin(this.shape.before, this.shape.s, this.shape.window)
    return conv(x, kernel, { padding: side })
  }

  /** v_C: root of the mean square of what an S-cell sees. [N, s, s, 1] */
  inhibition(u: Tensor): Tensor {
    return sqrt(this.#look(mul(u, u), this.#c))
  }

  /** u_S = r phi[(1 + sum a u) / (1 + 2 r / (1 + r) b v) - 1]: [N, s, s, K] */
  simple(u: Tensor): Tensor {
    const excitation = add(1, this.#look(u, this.a.value))
    const inhibition = add(1, mul(mul(this.inhibition(u), this.b.value), (2 * this.#r) / (1 + this.#r)))
    return mul(relu(sub(div(excitation, inhibition), 1)), this.#r)
  }

  /** u_C = psi[(1 + sum d u_S) / (1 + v_S) - 1] with psi[x] = x / (alpha + x) for x > 0: [N, c, c, K] */
  complex(s: Tensor): Tensor {
    const side = margin(this.shape.s, this.shape.c, this.shape.pool)
    const blurred = conv(s, this.#d, { padding: side, groups: planes })
    const inhibition = mean(blurred, [3], { keepAxes: true })
    const x = relu(sub(div(add(1, blurred), add(1, inhibition)), 1))
    return div(x, add(x, this.#alpha))
  }

  /**
   * What representatives learn: da(v, k', k) = q c(v) u(k', n + v), db(k) = q / 2 v(n), n the place of plane k's
   * representative. The sum over v of a u at these places has just this derivative by a.
   * @param chosen [1, s, s, K], 1 where a representative is
   */
  reinforce(u: Tensor, chosen: Tensor) {
    const seen = gradient(sum(mul(this.#look(u, this.a.value), chosen)), [this.a.value])[0]!
    const learned = mul(mul(seen, this.#c), this.#q)
    const inhibited = mul(sum(mul(chosen, this.inhibition(u)), [0, 1, 2]), this.#q / 2)
    return [update(this.a, add(this.a.value, learned)), update(this.b, add(this.b.value, inhibited))]
  }
}

/** Of the S-layer's responses [s, s, K] to one stimulus, the representatives: 1 where a plane has one. */
export function representatives(responses: Float32Array, s: number, column: number): Float32Array {
  const best = new Map<number, number>()
  for (let y = 0; y + column <= s; y++)
    for (let x = 0; x + column <= s; x++) {
      const candidate = largestOf(responses, s, x, y, column)
      if (candidate < 0) continue
      const k = candidate % planes
      const other = best.get(k)
      if (other === undefined || responses[candidate]! > responses[other]!) best.set(k, candidate)
    }
  const chosen = new Float32Array(responses.length)
  for (const i of best.values()) chosen[i] = 1
  return chosen
}

/** The first cell of an S-column with the largest response > 0, planes in the outer loop; -1: all are silent. */
function largestOf(responses: Float32Array, s: number, left: number, top: number, column: number): number {
  let [largest, found] = [0, -1]
  for (let k = 0; k < planes; k++)
    for (let y = top; y < top + column; y++)
      for (let x = left; x < left + column; x++) {
        const i = (y * s + x) * planes + k
        if (responses[i]! > largest) [largest, found] = [responses[i]!, i]
      }
  return found
}

type Values = ArrayLike<number>

/** Every layer's responses to stimuli: of each module its input u, S and C. */
interface Layers {
  readonly u: Tensor
  readonly s: Tensor
  readonly c: Tensor
}

/** A neocognitron for pictures of 16x16. */
export class Neocognitron {
  readonly options: NeocognitronOptions
  readonly modules: readonly ModuleCells[]
  readonly #programs = new Map<number, Program<readonly [readonly number[]], Layers[]>>()

  constructor(options: NeocognitronOptions = staged) {
    this.options = options
    this.modules = modules.map((_, i) => new ModuleCells(i, options))
  }

  /** All layers for x [N, 16, 16, 1]. */
  layers(x: Tensor): Layers[] {
    let u = x
    return this.modules.map((cells) => {
      const s = cells.simple(u)
      const layer = { u, s, c: cells.complex(s) }
      u = layer.c
      return layer
    })
  }

  /** Responses of all layers to N pictures of 16x16, row-major. */
  async respond(x: Values): Promise<{ u: Float32Array; s: Float32Array; c: Float32Array }[]> {
    const count = x.length / retina ** 2
    if (!Number.isInteger(count) || count < 1)
      fail('neocognitron', `${x.length} values aren't pictures of ${retina}x${retina}`, 'Give whole pictures')
    const shape: readonly number[] = [count, retina, retina, 1]
    const program = this.#programs.get(count) ?? compile((input) => this.layers(input), [shape] as const)
    this.#programs.set(count, program)
    return program(x)
  }

  /** Shows the stimuli in turn, without labels; returns when it has learned. */
  async learn(stimuli: readonly Values[]): Promise<void> {
    const { presentations } = this.options
    const programs = this.modules.map((cells) => {
      const { before, inputs, s } = cells.shape
      return compile(
        (u, chosen) => cells.reinforce(u, chosen),
        [
          [1, before, before, inputs],
          [1, s, s, planes],
        ],
        // a sum of what isn't negative isn't negative: weights only grow
        { precision: 'direct' },
      )
    })
    const stages = this.options.staged ? [[0], [1], [2]] : [[0, 1, 2]]
    for (const stage of stages)
      for (let i = 0; i < presentations * stimuli.length; i++) {
        const layers = await this.respond(stimuli[i % stimuli.length]!)
        for (const l of stage) {
          const { s, column } = modules[l]!
          await programs[l]!(layers[l]!.u, representatives(layers[l]!.s, s, column))
        }
      }
  }

  /** The strongest cell of the last layer for each of N pictures; -1: all are silent. */
  async winners(x: Values): Promise<number[]> {
    const last = (await this.respond(x)).at(-1)!.c
    return Array.from({ length: last.length / planes }, (_, n) => {
      const cells = last.subarray(n * planes, (n + 1) * planes)
      const largest = Math.max(...cells)
      return largest > 0 ? cells.indexOf(largest) : -1
    })
  }
}
