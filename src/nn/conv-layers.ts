import { checkCount, fail } from '../base/errors.ts'
import { type Shape, sizeOf } from '../base/shape.ts'
import type { Padding } from '../conv/padding.ts'
import type { ConvOptions, ConvTransposeOptions, PerAxis } from '../conv/spec.ts'
import { type BorderOptions, conv, convTranspose } from '../graph/conv.ts'
import type { Tensor } from '../graph/tensor.ts'
import { checkNames, checkRank, perAxis } from './checks.ts'
import type { Fans } from './initializers.ts'
import { type Layer, unary } from './layer.ts'
import { checkWeights, type WeightOptions, weightNames, withWeights } from './linear.ts'
import type { RankOf } from './types/rule.ts'
import type { Conv, ConvTranspose, Depthwise, Separable } from './types/windows.ts'

/** Options of a convolution layer: how the kernel moves, borders, bias, activation and first weights. */
export interface ConvLayerOptions extends ConvOptions, BorderOptions, WeightOptions {}
/** Options of a transposed convolution layer; those of a convolution layer and `outputPadding`. */
export interface ConvTransposeLayerOptions extends ConvTransposeOptions, BorderOptions, WeightOptions {}
/** Options of a depthwise layer; its groups are its input channels. */
export interface DepthwiseLayerOptions extends Omit<ConvLayerOptions, 'groups'> {
  /** Output channels per input channel. Default 1. */
  readonly multiplier?: number
}

/** Options with the literal types of those that decide a layer's shape. */
type Literal<O, Stride, Pads, Dilation> = O & {
  readonly stride?: Stride
  readonly padding?: Pads
  readonly dilation?: Dilation
}

type ConvFactory<Rank extends RankOf> = <
  const Filters extends number,
  const Kernel extends PerAxis,
  const Stride extends PerAxis = 1,
  const Pads extends Padding = 'valid',
  const Dilation extends PerAxis = 1,
  const Groups extends number = 1,
>(
  filters: Filters,
  kernelSize: Kernel,
  options?: Literal<ConvLayerOptions, Stride, Pads, Dilation> & { readonly groups?: Groups },
) => Layer<Conv<Rank, Filters, Kernel, Stride, Pads, Dilation, Groups>>

type ConvTransposeFactory<Rank extends RankOf> = <
  const Filters extends number,
  const Kernel extends PerAxis,
  const Stride extends PerAxis = 1,
  const Pads extends Padding = 'valid',
  const Dilation extends PerAxis = 1,
  const Groups extends number = 1,
  const Extra extends PerAxis = 0,
>(
  filters: Filters,
  kernelSize: Kernel,
  options?: Literal<ConvTransposeLayerOptions, Stride, Pads, Dilation> & {
    readonly groups?: Groups
    readonly outputPadding?: Extra
  },
) => Layer<ConvTranspose<Rank, Filters, Kernel, Stride, Pads, Dilation, Groups, Extra>>

type DepthwiseFactory<Rank extends RankOf> = <
  const Kernel extends PerAxis,
  const Stride extends PerAxis = 1,
  const Pads extends Padding = 'valid',
  const Dilation extends PerAxis = 1,
  const Multiplier extends number = 1,
>(
  kernelSize: Kernel,
  options?: Literal<DepthwiseLayerOptions, Stride, Pads, Dilation> & { readonly multiplier?: Multiplier },
) => Layer<Depthwise<Rank, Kernel, Stride, Pads, Dilation, Multiplier>>

type SeparableFactory<Rank extends RankOf> = <
  const Filters extends number,
  const Kernel extends PerAxis,
  const Stride extends PerAxis = 1,
  const Pads extends Padding = 'valid',
  const Dilation extends PerAxis = 1,
>(
  filters: Filters,
  kernelSize: Kernel,
  options?: Literal<DepthwiseLayerOptions, Stride, Pads, Dilation>,
) => Layer<Separable<Rank, Filters, Kernel, Stride, Pads, Dilation>>

const borderNames = ['stride', 'padding', 'paddingMode', 'paddingValue', 'dilation']

function checkGroups(kind: string, filters: number, groups = 1): number {
  if (filters % checkCount(kind, 'groups', groups, 1) !== 0)
    fail(kind, `${groups} groups don't divide ${filters} filters`, 'Use a number of groups that divides them')
  return groups
}

/* @__NO_SIDE_EFFECTS__ */
function convOf<Rank extends RankOf>(rank: Rank): ConvFactory<Rank> {
  const kind = `conv${rank}d`
  return (filters, kernelSize, options = {}) => {
    checkCount(kind, 'filters', filters, 1)
    const size = perAxis(kind, 'kernelSize', kernelSize, rank)
    const groups = checkGroups(kind, filters, options.groups)
    checkNames(kind, options, [...borderNames, 'groups', ...weightNames])
    checkWeights(kind, options)
    return unary(kind, [filters, kernelSize, options], (shape, context) => {
      checkRank(kind, shape, rank)
      const within = Math.max(1, Math.floor(shape[rank]! / groups))
      const fans = { fanIn: sizeOf(size) * within, fanOut: sizeOf(size) * filters }
      return withWeights(context, options, {
        kernels: [{ name: 'weight', shape: [...size, within, filters], fans }],
        channels: filters,
        compute: (x, [kernel]) => conv(x, kernel!, options),
      })
    })
  }
}

/* @__NO_SIDE_EFFECTS__ */
function convTransposeOf<Rank extends RankOf>(rank: Rank): ConvTransposeFactory<Rank> {
  const kind = `convTranspose${rank}d`
  return (filters, kernelSize, options = {}) => {
    checkCount(kind, 'filters', filters, 1)
    const size = perAxis(kind, 'kernelSize', kernelSize, rank)
    const groups = checkGroups(kind, filters, options.groups)
    checkNames(kind, options, [...borderNames, 'groups', 'outputPadding', ...weightNames])
    checkWeights(kind, options)
    return unary(kind, [filters, kernelSize, options], (shape, context) => {
      checkRank(kind, shape, rank)
      const within = filters / groups
      const inputs = shape[rank]!
      const fans = { fanIn: (sizeOf(size) * inputs) / groups, fanOut: sizeOf(size) * filters }
      return withWeights(context, options, {
        kernels: [{ name: 'weight', shape: [...size, within, inputs], fans }],
        channels: filters,
        compute: (x, [kernel]) => convTranspose(x, kernel!, options),
      })
    })
  }
}

interface ChannelKernels {
  kernel: { name: string; shape: Shape; fans: Fans }
  compute(x: Tensor, kernel: Tensor): Tensor
}

function depthwise(
  size: readonly number[],
  channels: number,
  name: string,
  options: DepthwiseLayerOptions,
): ChannelKernels {
  const { multiplier = 1 } = options
  const shape = [...size, 1, channels * multiplier]
  const fans = { fanIn: sizeOf(size), fanOut: sizeOf(size) * multiplier }
  const compute = (x: Tensor, kernel: Tensor) => conv(x, kernel, { ...options, groups: channels })
  return { kernel: { name, shape, fans }, compute }
}

/* @__NO_SIDE_EFFECTS__ */
function depthwiseOf<Rank extends RankOf>(rank: Rank): DepthwiseFactory<Rank> {
  const kind = `depthwiseConv${rank}d`
  return (kernelSize, options = {}) => {
    const size = perAxis(kind, 'kernelSize', kernelSize, rank)
    checkNames(kind, options, [...borderNames, 'multiplier', ...weightNames])
    const multiplier = checkCount(kind, 'multiplier', options.multiplier ?? 1, 1)
    checkWeights(kind, options)
    return unary(kind, [kernelSize, options], (shape, context) => {
      checkRank(kind, shape, rank)
      const { kernel, compute } = depthwise(size, shape[rank]!, 'weight', options)
      return withWeights(context, options, {
        kernels: [kernel],
        channels: shape[rank]! * multiplier,
        compute: (x, [w]) => compute(x, w!),
      })
    })
  }
}

/* @__NO_SIDE_EFFECTS__ */
function separableOf<Rank extends RankOf>(rank: Rank): SeparableFactory<Rank> {
  const kind = `separableConv${rank}d`
  return (filters, kernelSize, options = {}) => {
    checkCount(kind, 'filters', filters, 1)
    const size = perAxis(kind, 'kernelSize', kernelSize, rank)
    checkNames(kind, options, [...borderNames, 'multiplier', ...weightNames])
    const multiplier = checkCount(kind, 'multiplier', options.multiplier ?? 1, 1)
    checkWeights(kind, options)
    return unary(kind, [filters, kernelSize, options], (shape, context) => {
      checkRank(kind, shape, rank)
      const { kernel, compute } = depthwise(size, shape[rank]!, 'depthwise', options)
      const inner = shape[rank]! * multiplier
      const pointwise = {
        name: 'pointwise',
        shape: [...size.map(() => 1), inner, filters],
        fans: { fanIn: inner, fanOut: filters },
      }
      return withWeights(context, options, {
        kernels: [kernel, pointwise],
        channels: filters,
        compute: (x, [w, p]) => conv(compute(x, w!), p!),
      })
    })
  }
}

/** Convolution along time: [N, T, C] to [N, T', filters]. Weight [k, C / groups, filters]. */
export const conv1d = convOf(1)
/** Convolution of images: [N, H, W, C] to [N, H', W', filters]. Weight [kh, kw, C / groups, filters]. */
export const conv2d = convOf(2)
/** Convolution of volumes: [N, D, H, W, C] to [N, D', H', W', filters]. Weight [kd, kh, kw, C / groups, filters]. */
export const conv3d = convOf(3)

/** Transposed convolution (adjoint of conv1d), which widens: weight [k, filters / groups, C]. */
export const convTranspose1d = convTransposeOf(1)
/** Transposed convolution (adjoint of conv2d), which widens: weight [kh, kw, filters / groups, C]. */
export const convTranspose2d = convTransposeOf(2)
/** Transposed convolution (adjoint of conv3d), which widens: weight [kd, kh, kw, filters / groups, C]. */
export const convTranspose3d = convTransposeOf(3)

/** Each channel with `multiplier` kernels of its own: [N, T, C] to [N, T', C * multiplier]. */
export const depthwiseConv1d = depthwiseOf(1)
/** Each channel with `multiplier` kernels of its own: [N, H, W, C] to [N, H', W', C * multiplier]. */
export const depthwiseConv2d = depthwiseOf(2)
/** Each channel with `multiplier` kernels of its own: [N, D, H, W, C] to [N, D', H', W', C * multiplier]. */
export const depthwiseConv3d = depthwiseOf(3)

/** Depthwise, then pointwise convolution, nothing between; one bias and activation at the end (Chollet 2017). */
export const separableConv1d = separableOf(1)
/** Depthwise, then pointwise convolution, nothing between; one bias and activation at the end (Chollet 2017). */
export const separableConv2d = separableOf(2)
/** Depthwise, then pointwise convolution, nothing between; one bias and activation at the end (Chollet 2017). */
export const separableConv3d = separableOf(3)
