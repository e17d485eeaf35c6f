// Rules of layers with windows: convolutions and pools.
import type { Padding } from '../../conv/padding.ts'
import type { PerAxis } from '../../conv/spec.ts'
import type { Add, Ceiling, Multiply, Quotient, Remainder, Subtract } from './numbers.ts'
import type {
  At,
  BadCount,
  BadGroups,
  Joined,
  PaddingAt,
  PaddingSum,
  Parts,
  RankOf,
  ShapeRule,
  Unless,
} from './rule.ts'

/**
 * `Then`, but nothing for `any`, with which TypeScript compares functions: so conv1d, conv2d and conv3d can stand for
 * each other, in a list of them for example.
 */
type Given<K, Then> = 0 extends 1 & K ? never : Then

/** Literal options of a window that no layer takes. */
type BadWindow<Name extends string, Window extends string, Rank, K, S, D> =
  | BadList<Name, Window, K, Rank>
  | BadList<Name, 'stride', S, Rank>
  | BadList<Name, 'dilation', D, Rank>

type BadList<Name extends string, What extends string, V, Rank> = V extends readonly number[]
  ? number extends V['length']
    ? never
    : V['length'] extends Rank
      ? BadCount<Name, What, V[number]>
      : `${Name}: ${What} has ${V['length']} entries for ${Rank & number} spatial axes. Give one number, or one each`
  : V extends number
    ? BadCount<Name, What, V>
    : never

/** Padding before one axis. */
type PaddingLow<P, Reach extends number> = P extends 'full' | 'causal'
  ? Reach
  : P extends 'valid'
    ? 0
    : P extends number
      ? P
      : P extends readonly [infer Low extends number, number]
        ? Low
        : number

type Reach<K extends number, D extends number> = Subtract<K, 1> extends infer N extends number ? Multiply<D, N> : number

type Same = 'same' | 'sameLower'

/** floor((size + padding - d(k-1) - 1) / s) + 1, ceil(size / s) for 'same'; undefined: the kernel is too large. */
type WindowSize<N extends number, K extends number, S extends number, P, D extends number, Ceil> = P extends Same
  ? Ceiling<N, S>
  : Subtract<Add<N, PaddingSum<P, Reach<K, D>>>, Add<Reach<K, D>, 1>> extends infer Span
    ? Span extends number
      ? Ceil extends false
        ? Add<Quotient<Span, S>, 1>
        : RoundedUp<Add<Quotient<Span, S>, 1>, Remainder<Span, S>, S, Add<N, PaddingLow<P, Reach<K, D>>>>
      : undefined
    : never

/** With ceilMode: one more window if something is left and it starts before the end of the input. */
type RoundedUp<Count extends number, Left, S extends number, End extends number> = number extends Count | End
  ? number
  : Left extends 0
    ? Count
    : Subtract<End, Multiply<Count, S>> extends 0 | undefined
      ? Count
      : Add<Count, 1>

/** The sizes after a window over every axis; a text if it doesn't fit one. */
type WindowSizes<
  Name extends string,
  In,
  K,
  S,
  P,
  D,
  Ceil = false,
  Done extends readonly number[] = readonly [],
> = In extends readonly [infer N extends number, ...infer Rest]
  ? WindowSize<
      N,
      At<K, `${Done['length']}`> & number,
      At<S, `${Done['length']}`> & number,
      PaddingAt<P, `${Done['length']}`>,
      At<D, `${Done['length']}`> & number,
      Ceil
    > extends infer O
    ? O extends number
      ? WindowSizes<Name, Rest, K, S, P, D, Ceil, readonly [...Done, O]>
      : TooLarge<Name, N, K, P, D, `${Done['length']}`>
    : never
  : Done

type TooLarge<
  Name extends string,
  N extends number,
  K,
  P,
  D,
  Axis extends string,
> = `${Name}: kernel ${At<K, Axis> & number}${Dilated<At<D, Axis>>} is larger than the padded input ${Add<
  N,
  PaddingSum<PaddingAt<P, Axis>, Reach<At<K, Axis> & number, At<D, Axis> & number>>
>} on spatial axis ${Axis}. Use more padding, padding 'same', or a smaller kernel`

type Dilated<D> = D extends 1 ? '' : ` with dilation ${D & number}`

/** s(i-1) + d(k-1) + 1 + outputPadding - padding; i s + outputPadding for 'same'; undefined: nothing is left. */
type TransposedSize<
  N extends number,
  K extends number,
  S extends number,
  P,
  D extends number,
  Extra extends number,
> = P extends Same
  ? Add<Multiply<N, S>, Extra>
  : Subtract<N, 1> extends infer Less extends number
    ? Subtract<Add<Add<Add<Multiply<Less, S>, Reach<K, D>>, 1>, Extra>, PaddingSum<P, Reach<K, D>>> extends infer O
      ? O extends 0
        ? undefined
        : O
      : never
    : number

type TransposedSizes<
  Name extends string,
  In,
  K,
  S,
  P,
  D,
  Extra,
  Done extends readonly number[] = readonly [],
> = In extends readonly [infer N extends number, ...infer Rest]
  ? TransposedSize<
      N,
      At<K, `${Done['length']}`> & number,
      At<S, `${Done['length']}`> & number,
      PaddingAt<P, `${Done['length']}`>,
      At<D, `${Done['length']}`> & number,
      At<Extra, `${Done['length']}`> & number
    > extends infer O
    ? O extends number
      ? TransposedSizes<Name, Rest, K, S, P, D, Extra, readonly [...Done, O]>
      : `${Name}: padding leaves nothing of the output on spatial axis ${Done['length']}. Use less, or padding 'same'`
    : never
  : Done

/** Shape rule of the convolution layers. */
export interface Conv<
  Rank extends RankOf,
  Filters extends number,
  Kernel extends PerAxis,
  Stride extends PerAxis = 1,
  Pads extends Padding = 'valid',
  Dilation extends PerAxis = 1,
  Groups extends number = 1,
> extends ShapeRule {
  readonly after: Given<
    Kernel,
    AfterConv<
      `conv${Rank}d`,
      Parts<`conv${Rank}d`, Rank, this['before']>,
      Rank,
      Filters,
      Kernel,
      Stride,
      Pads,
      Dilation,
      Groups
    >
  >
}

type AfterConv<Name extends string, Of, Rank, F extends number, K, S, P, D, G extends number> = Of extends [
  infer Spatial,
  infer C extends number,
]
  ? Unless<
      BadWindow<Name, 'kernelSize', Rank, K, S, D> | BadGroups<Name, C, F, G>,
      Joined<WindowSizes<Name, Spatial, K, S, P, D>, F>
    >
  : Of

/** Shape rule of the transposed convolution layers. */
export interface ConvTranspose<
  Rank extends RankOf,
  Filters extends number,
  Kernel extends PerAxis,
  Stride extends PerAxis = 1,
  Pads extends Padding = 'valid',
  Dilation extends PerAxis = 1,
  Groups extends number = 1,
  Extra extends PerAxis = 0,
> extends ShapeRule {
  readonly after: Given<
    Kernel,
    AfterTransposed<
      `convTranspose${Rank}d`,
      Parts<`convTranspose${Rank}d`, Rank, this['before']>,
      Rank,
      Filters,
      Kernel,
      Stride,
      Pads,
      Dilation,
      Groups,
      Extra
    >
  >
}

type AfterTransposed<
  Name extends string,
  Of,
  Rank,
  F extends number,
  K,
  S,
  P,
  D,
  G extends number,
  Extra,
> = Of extends [infer Spatial, infer C extends number]
  ? Unless<
      BadWindow<Name, 'kernelSize', Rank, K, S, D> | BadGroups<Name, C, F, G>,
      Joined<TransposedSizes<Name, Spatial, K, S, P, D, Extra>, F>
    >
  : Of

/** Shape rule of the depthwise convolution layers. */
export interface Depthwise<
  Rank extends RankOf,
  Kernel extends PerAxis,
  Stride extends PerAxis = 1,
  Pads extends Padding = 'valid',
  Dilation extends PerAxis = 1,
  Multiplier extends number = 1,
> extends ShapeRule {
  readonly after: Given<
    Kernel,
    AfterDepthwise<
      `depthwiseConv${Rank}d`,
      Parts<`depthwiseConv${Rank}d`, Rank, this['before']>,
      Rank,
      Kernel,
      Stride,
      Pads,
      Dilation,
      Multiplier
    >
  >
}

type AfterDepthwise<Name extends string, Of, Rank, K, S, P, D, M extends number> = Of extends [
  infer Spatial,
  infer C extends number,
]
  ? Unless<
      BadWindow<Name, 'kernelSize', Rank, K, S, D> | BadCount<Name, 'multiplier', M>,
      Joined<WindowSizes<Name, Spatial, K, S, P, D>, Multiply<C, M>>
    >
  : Of

/** Shape rule of the separable convolution layers. */
export interface Separable<
  Rank extends RankOf,
  Filters extends number,
  Kernel extends PerAxis,
  Stride extends PerAxis = 1,
  Pads extends Padding = 'valid',
  Dilation extends PerAxis = 1,
> extends ShapeRule {
  readonly after: Given<
    Kernel,
    AfterConv<
      `separableConv${Rank}d`,
      Parts<`separableConv${Rank}d`, Rank, this['before']>,
      Rank,
      Filters,
      Kernel,
      Stride,
      Pads,
      Dilation,
      1
    >
  >
}

/** A pool's window; its stride is the window unless given. */
export interface Pooling<
  Name extends string,
  Rank extends RankOf,
  Window extends PerAxis,
  Stride extends PerAxis = Window,
  Pads extends Padding = 'valid',
  Dilation extends PerAxis = 1,
  Ceil extends boolean = false,
> extends ShapeRule {
  readonly after: Given<
    Window,
    AfterPool<Name, Parts<Name, Rank, this['before']>, Rank, Window, Stride, Pads, Dilation, Ceil>
  >
}

type AfterPool<Name extends string, Of, Rank, K, S, P, D, Ceil> = Of extends [infer Spatial, infer C extends number]
  ? Unless<BadWindow<Name, 'window', Rank, K, S, D>, Joined<WindowSizes<Name, Spatial, K, S, P, D, Ceil>, C>>
  : Of
