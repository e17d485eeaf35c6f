// What only explanations need of plans: a page that doesn't ask for them loads none of it.
import type { CookToom } from './cook-toom.ts'
import type { Plan } from './types.ts'
import { stepOf, winograd } from './winograd.ts'
import { type Tiling, tileCount, tilings } from './winograd-shape.ts'

/**
 * How much more than by the plain sum a rounding error can grow, along one axis: the largest, over outputs, of
 * sum |A||G||B| over the taps' number. In two dimensions it is the square.
 */
export function amplification({ outputTransform, kernelTransform, inputTransform, taps }: CookToom): number {
  const size = (row: readonly number[]) => row.reduce((sum, factor) => sum + Math.abs(factor), 0)
  const growth = outputTransform.map((row) =>
    row.reduce((sum, factor, p) => sum + Math.abs(factor) * size(kernelTransform[p]!) * size(inputTransform[p]!), 0),
  )
  return Math.max(...growth) / taps
}

/** Operations that a value passes at most, each rounding once: both passes of each transform, and the sum. */
export const roundings = ({ size, taps }: CookToom, channels: number): number =>
  2 * (taps + 1) + 2 * (size + 1) + (channels + 1) + 2 * (size + 1)

const tilesOf = (all: readonly Tiling[]): number => all.reduce((sum, t) => sum + tileCount(t), 0)

/**
 * The largest rounding error that a plan of this kind can have: `size` * max |a| * max |b| (to first order; it is met
 * only if every rounding errs the same way).
 */
export function winogradError(plan: Plan): number | undefined {
  const { contraction, spec, algorithm } = plan
  if (!algorithm.startsWith(winograd.name)) return undefined
  const all = tilings(contraction, spec, stepOf(plan))
  const t = all[0]!.transform
  const [input, output] = [spec.inChannels / spec.groups, spec.outChannels / spec.groups]
  const sums = { output: input, inputGradient: output, kernelGradient: tilesOf(all) }
  const terms = sums[contraction]
  return roundings(t, terms) * 2 ** -24 * amplification(t) ** 2 * t.taps ** 2 * terms
}

/** Tiles and growth of errors of a plan of this kind, in words. */
function describeWinograd(plan: Plan): string {
  const all = tilings(plan.contraction, plan.spec, stepOf(plan))
  const { transform, tiles, samples, rows } = all[0]!
  const { size } = transform
  const growth = Math.round(amplification(transform) ** 2)
  return (
    `${tilesOf(all)} tiles of ${size}x${size}, ${samples * rows * tiles[1]} at a time, ` +
    `rounding errors grow at most ${growth} times`
  )
}

/** Why a plan suits its shape. */
export const whyOf = (plan: Plan): string => {
  if (plan.algorithm.startsWith(winograd.name)) return `${describeWinograd(plan)}, ${plan.why}`
  return plan.spec.sources ? `${plan.why}, the border read from where it comes` : plan.why
}

/** A plan in one line. */
export const printPlan = (plan: Plan): string => {
  const floats = Object.values(plan.scratch).reduce((sum, n) => sum + n, 0)
  return `${plan.algorithm} ${plan.contraction}: ${whyOf(plan)}; scratch ${floats * 4} bytes`
}
