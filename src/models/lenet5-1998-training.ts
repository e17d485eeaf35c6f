// How LeNet-5 was trained: the stochastic diagonal Levenberg-Marquardt method. LeCun, Bottou, Bengio, Haffner, 1998,
// appendix C; equation numbers are that paper's. One example at a time, each weight with a step of its own,
// epsilon_k = eta / (mu + h_kk), where h_kk is the curvature of the error by that weight (equations 19 to 22).
import { fail } from '../base/errors.ts'
import { shuffledIndices } from '../base/shuffle.ts'
import { compile } from '../compile.ts'
import { contract } from '../graph/conv.ts'
import { add, div, mul, sub } from '../graph/map.ts'
import { padConstant } from '../graph/pad.ts'
import { sumTo } from '../graph/reduce.ts'
import { resample } from '../graph/resample.ts'
import { reshape } from '../graph/reshape.ts'
import { fill, type Tensor, topological, update, Variable } from '../graph/tensor.ts'
import type { Callback, DataSource, Model, Optimizer, Schedule } from '../nn/index.ts'

const squared = (x: Tensor) => mul(x, x)

/** A linear map of an axis with every entry squared, transposed. */
function squaredAdjoint(g: Tensor, node: Tensor): Tensor {
  if (node.operation.kind !== 'resample') return g
  const { axis, table } = node.operation
  const rows: [number, number][][] = Array.from({ length: table.inputSize }, () => [])
  for (const [i, row] of table.rows.entries()) for (const [from, w] of row) rows[from]!.push([i, w * w])
  return resample(g, axis, { inputSize: table.rows.length, rows })
}

/** For each input of an elementwise node: g times the square of the node's derivative by it. */
function squaredPartials(node: Tensor, fn: string, g: Tensor): Tensor[] {
  const [a, b] = node.inputs
  if (fn === 'add' || fn === 'sub') return [g, g]
  if (fn === 'mul') return [mul(g, squared(b!)), mul(g, squared(a!))]
  if (fn === 'tanh') return [mul(g, squared(sub(1, squared(node))))]
  return fail('curvatures', `'${fn}' has no rule`, 'Use add, sub, mul and tanh')
}

/**
 * What the second derivatives by a node's outputs make of those by its inputs, without the terms of f'': the sum over
 * outputs of (d output / d input)^2 g. Equation 20 is this for a unit's sum, 22 for its squashing function; through
 * shared weights it adds up over the connections (19).
 */
function before(node: Tensor, g: Tensor): Tensor[] {
  const { operation, inputs } = node
  switch (operation.kind) {
    case 'contract': {
      const { spec, contraction } = operation
      if (contraction !== 'output') break
      const [x, w] = inputs as [Tensor, Tensor]
      return [contract('inputGradient', spec, g, squared(w)), contract('kernelGradient', spec, squared(x), g)]
    }
    case 'map':
      return squaredPartials(node, operation.fn, g).map((d, i) => sumTo(d, inputs[i]!.shape))
    case 'reshape':
      return [reshape(g, inputs[0]!.shape)]
    case 'resample':
      return [squaredAdjoint(g, node)]
    case 'pad':
      return [
        padConstant(
          g,
          operation.low.map((n) => -n),
          operation.high.map((n) => -n),
        ),
      ]
    case 'placeholder':
    case 'constant':
    case 'fill':
    case 'variable':
      return []
  }
  return fail('curvatures', `operation '${operation.kind}' has no rule`, 'Give a network of the paper')
}

/**
 * Curvatures h_kk of `of`: the Gauss-Newton approximation's diagonal, terms off it left out at every layer.
 * @param y a node whose elements' second derivatives are `g`, of the same shape
 */
export function curvatures(y: Tensor, g: Tensor, of: readonly Tensor[]): Tensor[] {
  const found = new Map<Tensor, Tensor>([[y, g]])
  for (const node of topological([y]).reverse()) {
    const own = found.get(node)
    if (!own) continue
    before(node, own).forEach((d, i) => {
      const input = node.inputs[i]!
      const sum = found.get(input)
      found.set(input, sum ? add(sum, d) : d)
    })
  }
  return of.map((node) => found.get(node) ?? fill(node.shape, 0))
}

/** Section III B: eta is 0.0005 in the first two passes, 0.0002 in the next three, then three, four, and the rest. */
const passes: readonly (readonly [count: number, eta: number])[] = [
  [2, 0.0005],
  [3, 0.0002],
  [3, 0.0001],
  [4, 0.00005],
  [Number.POSITIVE_INFINITY, 0.00001],
]
const firstEta = passes[0]![1]

function etaOf(epoch: number): number {
  let end = 0
  return passes.find(([count]) => {
    end += count
    return epoch < end
  })![1]
}

/** The paper's rates of its twenty passes. */
export const publishedRates: Schedule = {
  config: { name: 'multiStepDecay', rates: passes.map(([count, eta]) => `${count} x ${eta}`) },
  factor: ({ epoch }) => etaOf(epoch) / firstEta,
}

/** Keeps the steps of weights with little curvature from being too large (section III B). */
const mu = 0.02
/** Samples that the curvatures are averaged over before each pass. */
const sampled = 500

export interface LevenbergMarquardt {
  readonly optimizer: Optimizer
  /** Measures the curvatures before each pass. */
  readonly callback: Callback
  /** The steps of all weights at rate eta. */
  steps(eta: number): Float32Array
}

/**
 * The stochastic diagonal Levenberg-Marquardt method for a network whose last layer has radial basis units: to be given
 * to `fit` with batches of one, `publishedRates` and `mapCriterion`.
 */
export function levenbergMarquardt(model: Model, data: DataSource): LevenbergMarquardt {
  const h = model.parameters.map(({ shape, name }) => new Variable(undefined, shape, `curvature.${name}`))
  const learningRate = new Variable([firstEta], [], 'optimizer.learningRate')
  const optimizer: Optimizer = {
    name: 'levenbergMarquardt',
    config: { name: 'levenbergMarquardt', learningRate: firstEta, mu },
    learningRate: firstEta,
    create: (parameters) => ({
      variables: [learningRate, ...h],
      learningRate,
      update: (gradients) =>
        parameters.map((p, i) => {
          const step = div(learningRate.value, add(h[i]!.value, mu)) // equation 21
          return update(p, sub(p.value, mul(step, gradients[i]!)))
        }),
    }),
  }
  const measure = measurement(model, h)
  const before = async (epoch: number) => {
    const { x } = await data.batch(shuffledIndices(data.length, model.seed, epoch).slice(0, sampled), epoch)
    await measure(x)
  }
  return {
    optimizer,
    callback: {
      begin: ({ doneSteps, stepsPerEpoch }) => before(Math.floor(doneSteps / stepsPerEpoch)),
      epoch: ({ epoch }) => before(epoch),
    },
    steps: (eta) =>
      Float32Array.from(
        h.flatMap((variable) => [...variable.read()]),
        (value) => eta / (mu + value),
      ),
  }
}

/** A program that puts the mean curvatures over 500 samples into variables. */
function measurement(model: Model, h: readonly Variable[]) {
  return compile(
    (x) => {
      // the network up to the output units; the error by each of these inputs has the second derivative 2
      const features = model.trace(x, model.context(false)).at(-2)!
      const found = curvatures(
        features,
        fill(features.shape, 2),
        model.parameters.map((p) => p.value),
      )
      return found.map((curvature, i) => update(h[i]!, div(curvature, sampled)))
    },
    [[sampled, ...model.inputShape]],
  )
}
