import type { ConvSpec } from '../conv/spec.ts'

/** A convolution over its unpadded input. */
export type Unpadded = Pick<ConvSpec, 'input' | 'output' | 'kernel' | 'stride' | 'dilation' | 'padLow' | 'sources'>

/** Neighbouring outputs along one axis that meet the same taps: those inside [from, to). */
export interface Border {
  readonly first: number
  readonly count: number
  readonly from: number
  readonly to: number
  /** Where these taps of the first output lie, counted from where its first tap would without a border. */
  readonly places?: readonly number[]
}

/** Neighbouring outputs whose taps lie at the same distances from them. */
function placed({ output, kernel, stride, dilation, padLow }: Unpadded, axis: number, source: readonly number[]) {
  const list: Required<Border>[] = []
  const [k, s, d, low] = [kernel[axis]!, stride[axis]!, dilation[axis]!, padLow[axis]!]
  for (let p = 0; p < output[axis]!; p++) {
    const places = Array.from({ length: k }, (_, tap) => source[p * s + tap * d]! - p * s + low)
    const last = list.at(-1)
    if (last && `${last.places}` === `${places}`) list[list.length - 1] = { ...last, count: last.count + 1 }
    else list.push({ first: p, count: 1, from: 0, to: k, places })
  }
  return list
}

function borders(unpadded: Unpadded, axis: number): Border[] {
  const { input, output, kernel, stride, dilation, padLow, sources } = unpadded
  if (sources?.[axis]) return placed(unpadded, axis, sources[axis])
  const list: Border[] = []
  for (let p = 0; p < output[axis]!; p++) {
    const start = p * stride[axis]! - padLow[axis]!
    const from = Math.min(kernel[axis]!, Math.max(0, Math.ceil(-start / dilation[axis]!)))
    const to = Math.max(from, Math.min(kernel[axis]!, Math.ceil((input[axis]! - start) / dilation[axis]!)))
    const last = list.at(-1)
    if (last?.from === from && last.to === to) list[list.length - 1] = { ...last, count: last.count + 1 }
    else list.push({ first: p, count: 1, from, to })
  }
  return list
}

/** The outputs cut by which taps they meet along the first `axes` axes: a border of each for every part. */
export function regionsOf(unpadded: Unpadded, axes: number): Border[][] {
  let regions: Border[][] = [[]]
  for (let axis = 0; axis < axes; axis++)
    regions = regions.flatMap((region) => borders(unpadded, axis).map((border) => [...region, border]))
  return regions
}
