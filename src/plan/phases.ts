import { sizeOf, stridesOf } from '../base/shape.ts'
import { type ConvSpec, inputShape, kernelShape } from '../conv/spec.ts'
import { type Axis, mergeAxes } from './contraction.ts'

/**
 * The gradient by input of a convolution with stride s falls apart into s phases along each axis: inputs q = first + s*t
 * meet only the taps k with d*k = first + padLow (mod s), each at output position (q + padLow - d*k) / s. So each phase
 * is an ordinary convolution of the gradient with stride 1, some of the taps, and dilation d / gcd(d, s).
 */
export interface Phase {
  /** First input of the phase, per axis. */
  readonly first: readonly number[]
  /** Inputs of the phase along each axis. */
  readonly counts: readonly number[]
  /** Taps that meet it, per axis; may be 0. */
  readonly taps: readonly number[]
  /** First such tap, and distance between them. */
  readonly firstTap: readonly number[]
  readonly tapStep: readonly number[]
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

function axisPhase(spec: ConvSpec, axis: number, first: number) {
  const [s, d, k] = [spec.stride[axis]!, spec.dilation[axis]!, spec.kernel[axis]!]
  const tapStep = s / gcd(s, d)
  let firstTap = 0
  while (firstTap < k && firstTap < tapStep && (first + spec.padLow[axis]! - d * firstTap) % s !== 0) firstTap++
  const meets = firstTap < k && firstTap < tapStep
  return {
    first,
    count: Math.ceil((spec.input[axis]! - first) / s),
    taps: meets ? Math.floor((k - 1 - firstTap) / tapStep) + 1 : 0,
    firstTap,
    tapStep,
  }
}

/** All phases, the last axis fastest. */
export function phases(spec: ConvSpec): Phase[] {
  let list: Phase[] = [{ first: [], counts: [], taps: [], firstTap: [], tapStep: [] }]
  for (let axis = 0; axis < spec.rank; axis++) {
    const along = Array.from({ length: Math.min(spec.stride[axis]!, spec.input[axis]!) }, (_, first) =>
      axisPhase(spec, axis, first),
    )
    list = list.flatMap((phase) =>
      along.map((part) => ({
        first: [...phase.first, part.first],
        counts: [...phase.counts, part.count],
        taps: [...phase.taps, part.taps],
        firstTap: [...phase.firstTap, part.firstTap],
        tapStep: [...phase.tapStep, part.tapStep],
      })),
    )
  }
  return list
}

/** Output position of the last tap at the phase's first input: the lowest one it reads. */
const lowest = (spec: ConvSpec, phase: Phase, axis: number): number => {
  const tap = phase.firstTap[axis]! + (phase.taps[axis]! - 1) * phase.tapStep[axis]!
  return (phase.first[axis]! + spec.padLow[axis]! - spec.dilation[axis]! * tap) / spec.stride[axis]!
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
      const from = lowest(spec, phase, axis)
      const to = from + (phase.taps[axis]! - 1) * reach(spec, phase, axis) + phase.counts[axis]! - 1
      low[axis] = Math.max(low[axis]!, -from)
      high[axis] = Math.max(high[axis]!, to - (spec.output[axis]! - 1))
    }
  return { low, high }
}

/** Loops and offsets of one phase: x = the padded gradient, y = the gradient by input, w = the kernel. */
export function phaseShape(spec: ConvSpec, phase: Phase) {
  const { low, high } = gradientPadding(spec)
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
  return {
    positions: mergeAxes(positions),
    allPositions: positions,
    taps,
    gradientLength: sizeOf(padded),
    gradientOffset: empty ? 0 : sum((axis) => (lowest(spec, phase, axis) + low[axis]!) * gs[axis + 1]!),
    inputOffset: sum((axis) => phase.first[axis]! * xs[axis + 1]!),
    kernelOffset: empty ? 0 : sum((axis) => last(axis) * ws[axis]!),
  }
}
