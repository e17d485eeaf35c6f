import { FoveaError } from '../../src/base/errors.ts'
import type { RandomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import { multiplyAccumulates } from '../../src/conv/facts.ts'
import { type PaddingStrategy, strategyPadding } from '../../src/conv/padding.ts'
import {
  type ConvSpec,
  convSpec,
  convTransposeSpec,
  dilatedExtent,
  inputShape,
  outputShape,
} from '../../src/conv/spec.ts'

export interface SpecLimits {
  /** Most spatial axes. Default 4. */
  readonly maxRank?: number
  /** Most input and most output channels. Default 40. */
  readonly maxChannels?: number
  /** Most multiply-accumulates, and most elements of x and of y. Default 50,000. */
  readonly maxWork?: number
  /** Only rank 2, kernels 3x3 and 5x5, stride, dilation and groups 1. */
  readonly plain?: boolean
}

/**
 * A spec as independent numbers. `slack` is what the last window of an axis leaves over at the end: below the stride
 * for a convolution, up to the outputPadding for a transposed one.
 */
interface Draft {
  batch: number
  groups: number
  inPerGroup: number
  outPerGroup: number
  kernel: number[]
  stride: number[]
  dilation: number[]
  padLow: number[]
  padHigh: number[]
  output: number[]
  slack: number[]
}

/** Repeats are weights. Tails of blocks of 4 and 8 (3, 5, 7, 9, 17...) are as frequent as whole blocks. */
const channelCounts = [1, 1, 2, 3, 3, 4, 5, 6, 7, 8, 8, 9, 11, 12, 13, 15, 16, 16, 17, 20, 23, 24, 25, 31, 32, 33, 40]
const kernels = [1, 1, 2, 3, 3, 3, 3, 4, 5, 5, 6, 7, 11]
const strides = [1, 1, 1, 1, 2, 2, 2, 3, 4, 5, 7]
const dilations = [1, 1, 1, 1, 1, 2, 2, 3, 5]
const outputs = [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17, 21]
const strategies: PaddingStrategy[] = ['valid', 'same', 'same', 'sameLower', 'full', 'causal']

const pick = <T>(random: RandomSource, list: readonly T[]): T => list[random.integer(list.length)]
const pickUpTo = (random: RandomSource, list: readonly number[], most: number): number =>
  pick(
    random,
    list.filter((n) => n <= Math.max(most, 1)),
  )

/** Channels as [groups, inPerGroup, outPerGroup], of each kind of convolution. */
function randomChannels(random: RandomSource, most: number): [number, number, number] {
  const count = (limit: number) => pickUpTo(random, channelCounts, limit)
  switch (random.integer(10)) {
    case 0:
      return [1, 1, count(most)]
    case 1:
      return [1, count(most), 1]
    case 2:
    case 3:
      return [count(most), 1, 1]
    case 4: {
      const multiplier = Math.min(2 + random.integer(3), most)
      return [count(most / multiplier), 1, multiplier]
    }
    case 5:
    case 6: {
      const groups = Math.min(2 + random.integer(4), most)
      return [groups, count(most / groups), count(most / groups)]
    }
    default:
      return [1, count(most), count(most)]
  }
}

/** One value for all axes (half of the time) or one per axis. */
function perAxis(random: RandomSource, rank: number, value: () => number): number[] {
  const common = random.integer(2) === 0 ? value() : undefined
  return Array.from({ length: rank }, () => common ?? value())
}

/** Padding as numbers: none, even or uneven, more than the kernel reaches, and cropping. */
function randomPadding(random: RandomSource, rank: number, reach: number[]): [number[], number[]] {
  const kind = random.integer(4)
  const one = (axis: number) => {
    if (kind === 0) return 0
    if (kind === 1) return Math.ceil(reach[axis] / 2)
    if (kind === 2) return random.integer(reach[axis] + 3)
    return random.integer(6) - 3
  }
  const low = reach.map((_, axis) => one(axis))
  return [low, kind < 2 ? low : Array.from({ length: rank }, (_, axis) => one(axis))]
}

function randomDraft(random: RandomSource, limits: Required<SpecLimits>): Draft {
  const { maxRank, maxChannels, maxWork, plain } = limits
  const rank = plain ? 2 : pickUpTo(random, [1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 4], maxRank)
  const count = () => pickUpTo(random, channelCounts, Math.min(maxChannels, Math.sqrt(maxWork / 25)))
  const [groups, inPerGroup, outPerGroup] = plain ? [1, count(), count()] : randomChannels(random, maxChannels)
  const extent = pick(random, [3, 3, 3, 5])
  const kernel = plain ? [extent, extent] : perAxis(random, rank, () => pick(random, kernels))
  const work = () => sizeOf(kernel) * groups * inPerGroup * outPerGroup
  // A share of the work goes to the kernel, the rest to positions: small kernels get large images and the reverse.
  const share = maxWork ** (0.3 + 0.7 * random.next())
  while (!plain && work() > share && sizeOf(kernel) > 1) {
    const largest = kernel.indexOf(Math.max(...kernel))
    kernel[largest]--
  }
  let positions = maxWork / work()
  const output = kernel.map(() => {
    const extent = pickUpTo(random, outputs, positions)
    positions /= extent
    return extent
  })
  if (random.integer(2) === 0) output.reverse()
  const stride = plain ? [1, 1] : perAxis(random, rank, () => pick(random, strides))
  const dilation = plain ? [1, 1] : perAxis(random, rank, () => pick(random, dilations))
  const reach = kernel.map((k, axis) => dilatedExtent(k, dilation[axis]) - 1)
  const [padLow, padHigh] = randomPadding(random, rank, reach)
  const batch = pickUpTo(random, [1, 1, 1, 2, 3, 5], positions)
  const slack = stride.map((s) => random.integer(s))
  return { batch, groups, inPerGroup, outPerGroup, kernel, stride, dilation, padLow, padHigh, output, slack }
}

const inputOf = (draft: Draft): number[] =>
  draft.output.map((n, axis) => {
    const extent = dilatedExtent(draft.kernel[axis], draft.dilation[axis])
    return draft.stride[axis] * (n - 1) + extent - draft.padLow[axis] - draft.padHigh[axis] + draft.slack[axis]
  })

const pairsOf = (draft: Draft) => draft.padLow.map((low, axis): [number, number] => [low, draft.padHigh[axis]])

/** The spec through the library's doors: convSpec or convTransposeSpec, padding as numbers or by strategy. */
function specOf(random: RandomSource, draft: Draft): ConvSpec {
  const { batch, groups, inPerGroup, outPerGroup, kernel, stride, dilation, output } = draft
  const shape = [...kernel, inPerGroup, groups * outPerGroup]
  const strategy = random.integer(3) === 0 ? pick(random, strategies) : undefined
  const padding = strategy ?? pairsOf(draft)
  if (random.integer(3) === 0) {
    const outputPadding = stride.map((s, axis) => random.integer(Math.max(s, dilation[axis])))
    const options = { stride, dilation, groups, padding, outputPadding }
    return convTransposeSpec([batch, ...output, groups * outPerGroup], shape, options)
  }
  const pads = output.map((n, axis) =>
    strategyPadding(strategy ?? 'valid', n * stride[axis], kernel[axis], stride[axis], dilation[axis]),
  )
  const drawn = strategy ? { ...draft, padLow: pads.map((p) => p[0]), padHigh: pads.map((p) => p[1]) } : draft
  const input = inputOf(drawn).map((n) => Math.max(n, 1))
  return convSpec([batch, ...input, groups * inPerGroup], shape, { stride, dilation, groups, padding })
}

const workOf = (spec: ConvSpec): number =>
  Math.max(multiplyAccumulates(spec), sizeOf(inputShape(spec)), sizeOf(outputShape(spec)))

/** A valid spec, all options together, with tails, each rank and each kind of grouping all frequent. */
export function randomSpec(random: RandomSource, limits: SpecLimits = {}): ConvSpec {
  const { maxWork = 50_000 } = limits
  for (;;) {
    const draft = randomDraft(random, { maxRank: 4, maxChannels: 40, plain: false, ...limits, maxWork })
    try {
      const spec = specOf(random, draft)
      if (workOf(spec) <= maxWork) return spec
    } catch (error) {
      // A draft that isn't a convolution (cropped to nothing, say) is drawn again.
      if (!(error instanceof FoveaError)) throw error
    }
  }
}

function draftOf(spec: ConvSpec): Draft {
  const { batch, groups } = spec
  const draft = {
    batch,
    groups,
    inPerGroup: spec.inChannels / groups,
    outPerGroup: spec.outChannels / groups,
    kernel: [...spec.kernel],
    stride: [...spec.stride],
    dilation: [...spec.dilation],
    padLow: [...spec.padLow],
    padHigh: [...spec.padHigh],
    output: [...spec.output],
    slack: spec.output.map(() => 0),
  }
  return { ...draft, slack: inputOf(draft).map((n, axis) => spec.input[axis] - n) }
}

/** The spec of a draft, or nothing where its input would be empty. */
function specOfDraft(draft: Draft): ConvSpec | undefined {
  const { batch, groups, inPerGroup, outPerGroup, slack: _, ...axes } = draft
  const input = inputOf(draft)
  if (input.some((n) => n < 1)) return undefined
  const channels = { inChannels: groups * inPerGroup, outChannels: groups * outPerGroup }
  return Object.freeze({ rank: input.length, batch, ...channels, groups, input, ...axes })
}

/** Smaller values of one number, smallest first. */
function smaller(value: number, least: number): number[] {
  const sign = Math.sign(value)
  const size = Math.abs(value)
  return [...new Set([least, Math.max(least, Math.floor(size / 2)), size - 1])]
    .filter((n) => n < size && n >= least)
    .map((n) => n * sign + 0)
}

/** Every draft with one axis less, then every draft with one number smaller. */
function* reductions(draft: Draft): Generator<Draft> {
  const lists = ['output', 'kernel', 'stride', 'dilation', 'padLow', 'padHigh', 'slack'] as const
  if (draft.kernel.length > 1)
    for (const gone of draft.kernel.keys()) {
      const less = { ...draft }
      for (const name of lists) less[name] = draft[name].filter((_, axis) => axis !== gone)
      yield less
    }
  // all outputs from one group's inputs
  if (draft.groups > 1) yield { ...draft, groups: 1, outPerGroup: draft.groups * draft.outPerGroup }
  for (const name of ['batch', 'groups', 'inPerGroup', 'outPerGroup'] as const)
    for (const value of smaller(draft[name], 1)) yield { ...draft, [name]: value }
  for (const name of lists) {
    const least = name === 'padLow' || name === 'padHigh' || name === 'slack' ? 0 : 1
    for (const axis of draft.kernel.keys())
      for (const value of smaller(draft[name][axis], least)) yield { ...draft, [name]: draft[name].with(axis, value) }
  }
}

/**
 * The smallest spec near `spec` for which `fails` still answers true: one number or axis at a time is made smaller
 * until none can be. `fails(spec)` must be true.
 */
export async function shrinkSpec(
  spec: ConvSpec,
  fails: (candidate: ConvSpec) => boolean | Promise<boolean>,
): Promise<ConvSpec> {
  for (const draft of reductions(draftOf(spec))) {
    const candidate = specOfDraft(draft)
    if (candidate && (await fails(candidate))) return shrinkSpec(candidate, fails)
  }
  return spec
}
