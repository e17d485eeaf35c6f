import { forEachIndex, sizeOf, stridesOf } from '../base/shape.ts'
import { type ConvSpec, inputShape, kernelShape } from '../conv/spec.ts'
import { type Border, regionsOf } from './borders.ts'
import type { Place } from './contraction.ts'
import { phaseShape, type phases } from './phases.ts'
import type { Axis } from './tiles.ts'

export interface DepthwiseShape {
  readonly name: string
  readonly x: Place
  readonly w: Place
  readonly y: Place
  readonly channels: number
  /** Batch, all spatial axes but the last, and joined phases. */
  readonly outer: readonly Axis[]
  /** Outputs along the last axis: x = columns between two outputs, y = elements. */
  readonly row: { readonly extent: number; readonly columns: number; readonly y: number }
  /** Elements of x between two columns. */
  readonly column: number
  /**
   * Columns that exist, counted from the first output's first tap: others are zero and are left out, or are one of the
   * existing columns, `sources` says which.
   */
  readonly columns: { readonly from: number; readonly to: number; readonly sources?: readonly number[] }
  /** Taps of all axes but the last. */
  readonly outerTaps: readonly Taps[]
  /** Taps of the last axis: `column` columns of x and `w` elements of w apart. */
  readonly taps: { readonly extent: number; readonly column: number; readonly w: number }
}

/** Taps along one axis: `x` apart in the input, or where `places` says. */
interface Taps extends Axis {
  readonly places?: readonly number[]
}

/** All combinations of axes, as offsets. */
export function combinations(axes: readonly Taps[]): { x: number; w: number }[] {
  const list: { x: number; w: number }[] = []
  forEachIndex(
    axes.map((axis) => axis.extent),
    (index) => {
      const sum = (term: (axis: Taps, at: number) => number) =>
        index.reduce((total, at, i) => total + term(axes[i]!, at), 0)
      list.push({ x: sum(({ x, places }, at) => places?.[at] ?? at * x!), w: sum(({ w }, at) => at * w!) })
    },
  )
  return list
}

/** A depthwise convolution over its unpadded input, in whichever direction. Arrays: one entry per spatial axis. */
interface Dense extends Pick<ConvSpec, 'batch' | 'kernel' | 'stride' | 'dilation' | 'padLow' | 'sources'> {
  readonly channels: number
  readonly input: readonly number[]
  readonly output: readonly number[]
  /** Strides of w along the taps, and where the first lies. */
  readonly weights: readonly number[]
  readonly firstWeight: number
}

export const forwards = (spec: ConvSpec): Dense => ({
  ...spec,
  channels: spec.inChannels,
  weights: stridesOf(kernelShape(spec)),
  firstWeight: 0,
})

/** The gradient by input with stride 1: the taps backwards over the gradient. */
export function backwards(spec: ConvSpec): Dense {
  const ws = stridesOf(kernelShape(spec))
  return {
    ...spec,
    channels: spec.inChannels,
    input: spec.output,
    output: spec.input,
    padLow: spec.padLow.map((low, i) => (spec.kernel[i]! - 1) * spec.dilation[i]! - low),
    weights: ws.map((w) => -w),
    firstWeight: spec.kernel.reduce((sum, k, i) => sum + (k - 1) * ws[i]!, 0),
  }
}

/** One shape for the inside and one for each border of all axes but the last. */
export function denseShapes(dense: Dense): DepthwiseShape[] {
  const { batch, channels, input, output, stride, dilation, padLow, kernel, weights, firstWeight, sources } = dense
  const xs = stridesOf([batch, ...input, channels])
  const ys = stridesOf([batch, ...output, channels])
  const last = input.length - 1
  return regionsOf(dense, last).map((region) => {
    const sum = (term: (border: Border, axis: number) => number) =>
      region.reduce((total, border, axis) => total + term(border, axis), 0)
    const firstRow = sum(({ first, from }, i) => (first * stride[i]! - padLow[i]! + from * dilation[i]!) * xs[i + 1]!)
    return {
      name: 'depthwise',
      x: { buffer: 'a', length: sizeOf([batch, ...input, channels]), offset: firstRow - padLow[last]! * xs[last + 1]! },
      w: {
        buffer: 'b',
        length: sizeOf(kernel) * channels,
        offset: firstWeight + sum(({ from }, i) => from * weights[i]!),
      },
      y: {
        buffer: 'y',
        length: sizeOf([batch, ...output, channels]),
        offset: sum(({ first }, i) => first * ys[i + 1]!),
      },
      channels,
      outer: [
        { extent: batch, x: xs[0]!, y: ys[0]! },
        ...region.map(({ count }, i) => ({ extent: count, x: stride[i]! * xs[i + 1]!, y: ys[i + 1]! })),
      ],
      row: { extent: output[last]!, columns: stride[last]!, y: ys[last + 1]! },
      column: xs[last + 1]!,
      columns: { from: padLow[last]!, to: padLow[last]! + input[last]!, sources: sources?.[last] },
      outerTaps: region.map(({ from, to, places }, i) => ({
        extent: to - from,
        x: dilation[i]! * xs[i + 1]!,
        w: weights[i]!,
        places: places?.map((place) => place * xs[i + 1]!),
      })),
      taps: { extent: kernel[last]!, column: dilation[last]!, w: weights[last]! },
    }
  })
}

export function phaseShapeOf(spec: ConvSpec, phase: ReturnType<typeof phases>[number]): DepthwiseShape {
  const shape = phaseShape(spec, phase)
  const last = spec.rank - 1
  const empty = phase.taps.some((n) => n === 0)
  const xs = stridesOf(inputShape(spec))
  const gs = spec.outChannels
  const step = shape.taps[last]!
  return {
    name: 'depthwisePhase',
    x: { buffer: 'a', length: shape.gradientLength, offset: shape.gradientOffset },
    w: { buffer: 'b', length: sizeOf(kernelShape(spec)), offset: shape.kernelOffset },
    y: { buffer: 'y', length: sizeOf(inputShape(spec)), offset: shape.inputOffset },
    channels: spec.inChannels,
    outer: [...shape.allPositions.slice(0, -1), ...shape.runs],
    row: { extent: phase.counts[last]!, columns: 1, y: spec.stride[last]! * xs[last + 1]! },
    column: gs,
    columns: { from: -Infinity, to: Infinity },
    outerTaps: empty ? [] : shape.taps.slice(0, -1),
    taps: { extent: empty ? 0 : step.extent, column: step.x! / gs, w: step.w! },
  }
}
