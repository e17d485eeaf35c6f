import { checkCount, fail } from '../base/errors.ts'
import { type Shape, sameShape, showShape, sizeOf } from '../base/shape.ts'
import { add, div, mul, pow, sqrt, sub } from '../graph/map.ts'
import { mean } from '../graph/reduce.ts'
import { resample } from '../graph/resample.ts'
import { reshape } from '../graph/reshape.ts'
import { Tensor, update, type Variable } from '../graph/tensor.ts'
import { checkNames, checkRange } from './checks.ts'
import { type Dual, dual, type Layer, type RunContext, unary, weight } from './layer.ts'
import type { Grouped, Kept, LastAxes } from './types/shapes.ts'

/** Scale and shift after normalising, each broadcast to x; left out = 1 and 0. */
export interface AffineTensors {
  readonly weight?: Tensor
  readonly bias?: Tensor
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number
}

const epsOf = (operation: string, eps = 1e-5) => checkRange(operation, 'eps', eps, 0)

/** Mean over `axes` and the mean of squares around it (biased variance), axes kept. */
export function moments(x: Tensor, axes: readonly number[]): { mean: Tensor; variance: Tensor } {
  const centre = mean(x, axes, { keepAxes: true })
  return { mean: centre, variance: mean(pow(sub(x, centre), 2), axes, { keepAxes: true }) }
}

function standardized(x: Tensor, axes: readonly number[], eps: number): Tensor {
  const { mean, variance } = moments(x, axes)
  return mul(sub(x, mean), inverseDeviation(variance, eps))
}

const scaled = (x: Tensor, { weight: scale, bias }: AffineTensors) => {
  const y = scale ? mul(x, scale) : x
  return bias ? add(y, bias) : y
}

const inverseDeviation = (variance: Tensor, eps: number) => div(1, sqrt(add(variance, eps)))

const outerAxes = (x: Tensor) => x.shape.slice(1).map((_, axis) => axis)

/** With given statistics [C]: (x - mean) / sqrt(variance + eps) * weight + bias, as one scale and shift per channel. */
export function normalizeWith(x: Tensor, centre: Tensor, variance: Tensor, options: AffineTensors = {}): Tensor {
  const scale = mul(inverseDeviation(variance, epsOf('normalizeWith', options.eps)), options.weight ?? 1)
  return add(mul(x, scale), sub(options.bias ?? 0, mul(centre, scale)))
}

/** With the statistics of the batch, which are returned too, [C]; the variance is the biased one. */
export function normalizeBatch(x: Tensor, options: AffineTensors = {}): { y: Tensor; mean: Tensor; variance: Tensor } {
  const batch = moments(x, outerAxes(x))
  const channels = [x.shape.at(-1)!]
  const scale = mul(inverseDeviation(batch.variance, epsOf('normalizeBatch', options.eps)), options.weight ?? 1)
  const y = add(mul(sub(x, batch.mean), scale), options.bias ?? 0)
  return { y, mean: reshape(batch.mean, channels), variance: reshape(batch.variance, channels) }
}

/** Options of `batchNorm`, by PyTorch's names. */
export interface BatchNormOptions {
  /** Weight of the new value in the running statistics, as in PyTorch. Default 0.1. */
  readonly momentum?: number
  /** Default 1e-5. */
  readonly eps?: number
  /** A learned scale and shift per channel. Default true. */
  readonly affine?: boolean
}

/** `variable` moves to `value` by `momentum`; a second use in one program goes on from the first's result. */
function moveTo(run: RunContext, variable: Variable, value: Tensor, momentum: number): void {
  const at = run.updates.findIndex((entry) => entry.variable === variable)
  const old = run.updates[at]?.value ?? variable.value
  const moved = update(variable, add(mul(old, 1 - momentum), mul(value, momentum)))
  if (at < 0) run.updates.push(moved)
  else run.updates[at] = moved
}

/**
 * Batch normalisation per channel (Ioffe & Szegedy 2015). Training uses the batch's mean and biased variance and moves
 * the running ones (unbiased variance); otherwise the running ones are used.
 */
export function batchNorm(options: BatchNormOptions = {}): Layer<Kept> {
  checkNames('batchNorm', options, ['momentum', 'eps', 'affine'])
  const momentum = checkRange('batchNorm', 'momentum', options.momentum ?? 0.1, 0, 1)
  const eps = epsOf('batchNorm', options.eps)
  return unary('batchNorm', [options], (shape, context) => {
    const channels = [shape.at(-1)!]
    const affine = affineWeights(options.affine, channels, context)
    const runningMean = weight(context, 'runningMean', channels, 'zeros')
    const runningVariance = weight(context, 'runningVariance', channels, 'ones')
    return {
      parameters: affine.parameters,
      state: [runningMean, runningVariance],
      apply(x, run) {
        const values = { ...affine.values, eps }
        if (!run.training) return normalizeWith(x, runningMean.value, runningVariance.value, values)
        const count = sizeOf(x.shape) / channels[0]!
        if (count === 1) fail('batchNorm', 'one value per channel has no variance', 'Train on a larger batch')
        const batch = normalizeBatch(x, values)
        moveTo(run, runningMean, batch.mean, momentum)
        moveTo(run, runningVariance, mul(batch.variance, count / (count - 1)), momentum)
        return batch.y
      },
    }
  })
}

function affineWeights(affine: boolean | undefined, shape: Shape, context: Parameters<typeof weight>[0]) {
  if (affine === false) return { parameters: [], values: {} }
  const scale = weight(context, 'weight', shape, 'ones')
  const bias = weight(context, 'bias', shape, 'zeros')
  return { parameters: [scale, bias], values: { weight: scale.value, bias: bias.value } }
}

/** Options of `layerNorm`, `groupNorm` and `instanceNorm`. */
export interface NormOptions {
  /** Default 1e-5. */
  readonly eps?: number
  /** A learned scale and shift. Default true; for instanceNorm false, as in PyTorch. */
  readonly affine?: boolean
}

/** Without a tensor in front it makes a layer with weights of its own; with one it computes at once with given ones. */
interface Norm<A extends readonly unknown[], Rule> {
  (...options: [...A, NormOptions?]): Layer<Rule>
  (x: Tensor, ...options: [...A, AffineTensors?]): Tensor
}

interface NormRule<A extends readonly unknown[]> {
  /** How many values stand before the options. */
  readonly count: number
  readonly affine: boolean
  weightShape(sample: Shape, values: A): Shape
  standardize(x: Tensor, values: A, eps: number): Tensor
}

function normOf<A extends readonly unknown[]>(kind: string, rule: NormRule<A>): Norm<A, Kept> {
  const compute = (x: Tensor, values: A, options: AffineTensors) =>
    scaled(rule.standardize(x, values, epsOf(kind, options.eps)), options)
  const norm = (...given: readonly unknown[]) => {
    const x = given[0] instanceof Tensor ? given[0] : undefined
    const start = x ? 1 : 0
    const values = given.slice(start, start + rule.count) as unknown as A
    const options = given[start + rule.count] ?? {}
    if (x) return compute(x, values, options)
    checkNames(kind, options, ['eps', 'affine'])
    const { eps, affine = rule.affine }: NormOptions = options
    return unary(kind, given, (shape, context) => {
      const { parameters, values: tensors } = affineWeights(affine, rule.weightShape(shape, values), context)
      return { parameters, apply: (y) => compute(y, values, { ...tensors, ...(eps === undefined ? {} : { eps }) }) }
    })
  }
  return norm as Norm<A, Kept>
}

interface LayerNorm {
  <const Sizes extends number | Shape>(normalizedShape: Sizes, options?: NormOptions): Layer<LastAxes<Sizes>>
  (x: Tensor, normalizedShape: number | Shape, options?: AffineTensors): Tensor
}

interface GroupNorm {
  <const Groups extends number>(groups: Groups, options?: NormOptions): Layer<Grouped<Groups>>
  (x: Tensor, groups: number, options?: AffineTensors): Tensor
}

/** Normalises over the last axes, which have sizes `normalizedShape` (Ba et al. 2016). */
export const layerNorm: LayerNorm = normOf<[normalizedShape: number | Shape]>('layerNorm', {
  count: 1,
  affine: true,
  weightShape: (_, [size]) => (typeof size === 'number' ? [size] : size),
  standardize(x, [size], eps) {
    const sizes = typeof size === 'number' ? [size] : size
    const first = x.shape.length - sizes.length
    if (sizes.length === 0 || first < 1 || !sameShape(x.shape.slice(first), sizes))
      fail(
        'layerNorm',
        `normalizedShape ${showShape(sizes)} of an input of shape ${showShape(x.shape)}`,
        'Give the sizes of its last axes',
      )
    const axes = sizes.map((_, i) => first + i)
    return standardized(x, axes, eps)
  },
})

function standardizeGroups(kind: string, x: Tensor, groups: number, eps: number): Tensor {
  const channels = x.shape.at(-1)!
  checkCount(kind, 'groups', groups, 1)
  if (channels % groups !== 0)
    fail(kind, `${groups} groups don't divide ${channels} channels`, 'Use a number of groups that divides them')
  const split = reshape(x, [x.shape[0]!, -1, groups, channels / groups])
  return reshape(standardized(split, [1, 3], eps), x.shape)
}

const channelsOf = (sample: Shape): Shape => sample.slice(-1)

/** Normalises each sample over its positions and each of `groups` groups of channels (Wu & He 2018). */
export const groupNorm: GroupNorm = normOf<[groups: number]>('groupNorm', {
  count: 1,
  affine: true,
  weightShape: channelsOf,
  standardize: (x, [groups], eps) => standardizeGroups('groupNorm', x, groups, eps),
})

/** Normalises each channel of each sample over its positions (Ulyanov et al. 2016). */
export const instanceNorm = normOf<[]>('instanceNorm', {
  count: 0,
  affine: false,
  weightShape: channelsOf,
  standardize: (x, _, eps) => standardizeGroups('instanceNorm', x, x.shape.at(-1)!, eps),
})

/** Constants of `localResponseNorm`. */
export interface LocalResponseNormOptions {
  /** Default 1e-4. */
  readonly alpha?: number
  /** Default 0.75. */
  readonly beta?: number
  /** Default 1. */
  readonly k?: number
}

/**
 * x / (k + alpha * mean of squares over `size` neighbouring channels)^beta, as in PyTorch: channels outside count as
 * 0 (Krizhevsky et al. 2012, whose alpha is PyTorch's divided by size).
 */
export const localResponseNorm: Dual<[size: number, options?: LocalResponseNormOptions], Kept> = dual(
  'localResponseNorm',
  (x: Tensor, size: number, options: LocalResponseNormOptions = {}) => {
    checkCount('localResponseNorm', 'size', size, 1)
    checkNames('localResponseNorm', options, ['alpha', 'beta', 'k'])
    const { alpha = 1e-4, beta = 0.75, k = 1 } = options
    for (const [name, value] of Object.entries({ alpha, beta, k })) checkRange('localResponseNorm', name, value)
    const channels = x.shape.at(-1)!
    const before = Math.floor(size / 2)
    const rows = Array.from({ length: channels }, (_, c) =>
      Array.from({ length: size }, (_, i): [number, number] => [c - before + i, 1 / size]).filter(
        ([index]) => index >= 0 && index < channels,
      ),
    )
    const squares = resample(pow(x, 2), x.shape.length - 1, { inputSize: channels, rows })
    return mul(x, pow(add(mul(squares, alpha), k), -beta))
  },
)

/** x * scale + offset with fixed numbers: brings pixels to the range that a network was made for. */
export const rescaling: Dual<[scale: number, offset?: number], Kept> = dual(
  'rescaling',
  (x: Tensor, scale: number, offset: number = 0) => {
    for (const [name, value] of Object.entries({ scale, offset })) checkRange('rescaling', name, value)
    return add(mul(x, scale), offset)
  },
)
