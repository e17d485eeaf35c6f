import { sizeOf, stridesOf } from '../base/shape.ts'
import { type ConvSpec, inputShape, kernelShape } from '../conv/spec.ts'
import type { Unpadded } from './borders.ts'
import { type Axis, mergeAxes } from './tiles.ts'

/**
 * The gradient by input of a convolution with stride s falls apart into s phases along each axis: inputs
 * q = first + s*t meet only the taps k with d*k = first + padLow (mod s), each at output position
 * (q + padLow - d*k) / s. So each phase is an ordinary convolution of the gradient with stride 1, some of the taps, and
 * dilation d / gcd(d, s). Neighbouring phases that differ only by constant steps (as all do where windows don't
 * overlap) are one: `many` of them, the numbers below being those of the first.
 */
export interface Phase {
  readonly many: readonly number[]
  /** From one of the `many` to the next: the first tap, and the lowest output position read. */
  readonly firstTapStep: readonly number[]
  readonly lowestStep: readonly number[]
  /** First input of the phase, per axis. */
  readonly first: readonly number[]
  /** Inputs of the phase along each axis. */
  readonly counts: readonly number[]
  /** Taps that meet it, per axis; may be 0. */
  readonly taps: readonly number[]
  /** First such tap, and distance between them. */
  readonly firstTap: readonly number[]
  readonly tapStep: readonly number[]
  /** Output position of the last tap at the phase's first input: the lowest one it reads. */
  readonly lowest: readonly number[]
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

/** A phase along one axis. */
interface AxisPhase {
  readonly first: number
  readonly count: number
  readonly taps: number
  readonly firstTap: number
  readonly tapStep: number
  /** Output position of the last tap at the first input: the lowest one that is read. */
  readonly lowest: number
  readonly many: number
  readonly firstTapStep: number
  readonly lowestStep: number
}

function axisPhase(spec: ConvSpec, axis: number, first: number): AxisPhase {
  const [s, d, k] = [spec.stride[axis]!, spec.dilation[axis]!, spec.kernel[axis]!]
  const start = first + spec.padLow[axis]!
  const tapStep = s / gcd(s, d)
  let firstTap = 0
  while (firstTap < k && firstTap < tapStep && (start - d * firstTap) % s !== 0) firstTap++
  const meets = firstTap < k && firstTap < tapStep
  const taps = meets ? Math.floor((k - 1 - firstTap) / tapStep) + 1 : 0
  return {
    first,
    count: Math.ceil((spec.input[axis]! - first) / s),
    taps,
    firstTap: meets ? firstTap : 0,
    tapStep,
    lowest: meets ? (start - d * (firstTap + (taps - 1) * tapStep)) / s : 0,
    many: 1,
    firstTapStep: 0,
    lowestStep: 0,
  }
}

/** Phases along one axis, neighbours that differ by constant steps joined. */
function axisPhases(spec: ConvSpec, axis: number): AxisPhase[] {
  const joined: AxisPhase[] = []
  for (let first = 0; first < Math.min(spec.stride[axis]!, spec.input[axis]!); first++) {
    const next = axisPhase(spec, axis, first)
    const last = joined.at(-1)
    const firstTapStep = last ? (next.firstTap - last.firstTap) / last.many : 0
    const lowestStep = last ? (next.lowest - last.lowest) / last.many : 0
    const alike = last && last.count === next.count && last.taps === next.taps
    const even = last && (last.many === 1 || (last.firstTapStep === firstTapStep && last.lowestStep === lowestStep))
    if (alike && even) joined[joined.length - 1] = { ...last, many: last.many + 1, firstTapStep, lowestStep }
    else joined.push(next)
  }
  return joined
}

/** All phases, the last axis fastest. */
export function phases(spec: ConvSpec): Phase[] {
  let list: AxisPhase[][] = [[]]
  for (let axis = 0; axis < spec.rank; axis++) {
    const along = axisPhases(spec, axis)
    list = list.flatMap((phase) => along.map((part) => [...phase, part]))
  }
  return list.map((parts) => ({
    many: parts.map((part) => part.many),
    firstTapStep: parts.map((part) => part.firstTapStep),
    lowestStep: parts.map((part) => part.lowestStep),
    first: parts.map((part) => part.first),
    counts: parts.map((part) => part.count),
    taps: parts.map((part) => part.taps),
    firstTap: parts.map((part) => part.firstTap),
    tapStep: parts.map((part) => part.tapStep),
    lowest: parts.map((part) => part.lowest),
  }))
}

/** Distance in output positions between neighbouring taps of a phase. */
const reach = (spec: ConvSpec, phase: Phase, axis: number): number =>
  (phase.tapStep[axis]! * spec.dilation[axis]!) / spec.stride[axis]!

/** Zeros that the gradient of the output needs on each side so that every phase reads inside it, per axis. */
export function gradientPadding(spec: ConvSpec): { low: number[]; high: number[] } {
  const low = spec.input.map(() => 0)
  const high = spec.input.map(() => 0)
  for (const phase of phases(spec))
    for (let axis = 0; axis < spec.rank; axis++) {
      if (phase.taps[axis] === 0) continue
      const span = (phase.taps[axis]! - 1) * reach(spec, phase, axis) + phase.counts[axis]! - 1
      const others = (phase.many[axis]! - 1) * phase.lowestStep[axis]!
      low[axis] = Math.max(low[axis]!, -Math.min(phase.lowest[axis]!, phase.lowest[axis]! + others))
      const to = Math.max(phase.lowest[axis]!, phase.lowest[axis]! + others) + span
      high[axis] = Math.max(high[axis]!, to - (spec.output[axis]! - 1))
    }
  return { low, high }
}

/** A phase as a convolution of the gradient without its padding. */
export const unpaddedPhase = (spec: ConvSpec, phase: Phase): Unpadded => ({
  input: spec.output,
  output: phase.counts,
  kernel: phase.taps,
  stride: spec.stride.map(() => 1),
  dilation: spec.stride.map((_, axis) => reach(spec, phase, axis)),
  padLow: phase.lowest.map((lowest) => -lowest),
})

/**
 * Loops and offsets of one phase: x = the gradient, padded by `gradientPadding` unless something else is given, y = the
 * gradient by input, w = the kernel.
 */
export function phaseShape(spec: ConvSpec, phase: Phase, padding = gradientPadding(spec)) {
  const { low, high } = padding
  const padded = [spec.batch, ...spec.output.map((n, axis) => n + low[axis]! + high[axis]!), spec.outChannels]
  const gs = stridesOf(padded)
  const xs = stridesOf(inputShape(spec))
  const ws = stridesOf(kernelShape(spec))
  const empty = phase.taps.some((n) => n === 0)
  const last = (axis: number) => phase.firstTap[axis]! + (phase.taps[axis]! - 1) * phase.tapStep[axis]!
  const sum = (term: (axis: number) => number) => spec.input.reduce((total, _, axis) => total + term(axis), 0)
  const positions: Axis[] = [
    { extent: spec.batch, x: gs[0]!, y: xs[0]! },
    ...phase.counts.map((extent, axis) => ({ extent, x: gs[axis + 1]!, y: spec.stride[axis]! * xs[axis + 1]! })),
  ]
  // taps run backwards through the kernel, so that they run forwards through the gradient
  const taps: Axis[] = phase.taps.map((extent, axis) => ({
    extent,
    x: reach(spec, phase, axis) * gs[axis + 1]!,
    w: -phase.tapStep[axis]! * ws[axis]!,
  }))
  const runs: Axis[] = phase.many.map((extent, axis) => ({
    extent,
    x: empty ? 0 : phase.lowestStep[axis]! * gs[axis + 1]!,
    w: empty ? 0 : phase.firstTapStep[axis]! * ws[axis]!,
    y: xs[axis + 1]!,
  }))
  return {
    /** The joined phases; w = from one's first tap to the next's. */
    runs: runs.filter((run) => run.extent > 1),
    positions: mergeAxes(positions),
    allPositions: positions,
    taps,
    gradientLength: sizeOf(padded),
    gradientOffset: empty ? 0 : sum((axis) => (phase.lowest[axis]! + low[axis]!) * gs[axis + 1]!),
    inputOffset: sum((axis) => phase.first[axis]! * xs[axis + 1]!),
    kernelOffset: empty ? 0 : sum((axis) => last(axis) * ws[axis]!),
  }
}
