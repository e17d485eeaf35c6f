import type { ConvSpec } from '../conv/spec.ts'

/** A convolution over its unpadded input. */
export type Unpadded = Pick<ConvSpec, 'input' | 'output' | 'kernel' | 'stride' | 'dilation' | 'padLow'>

/** Neighbouring outputs along one axis that meet the same taps: those inside [from, to). */
export interface Border {
  readonly first: number
  readonly count: number
  readonly from: number
  readonly to: number
}

function borders({ input, output, kernel, stride, dilation, padLow }: Unpadded, axis: number): Border[] {
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
