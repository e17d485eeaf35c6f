// Rules of the other layers.
import type { Shape } from '../../base/shape.ts'
import type { PerAxis } from '../../conv/spec.ts'
import type { Add, Quotient, Remainder, Volume } from './numbers.ts'
import type {
  AxisSizes,
  BadCount,
  Divides,
  Follow,
  Followed,
  Open,
  PaddingAt,
  PaddingSum,
  Parts,
  RankOf,
  ShapeRule,
  Show,
  Unless,
} from './rule.ts'

/** A shape is kept. */
export interface Kept extends ShapeRule {
  readonly after: this['before']
}

/** The last axis gets `Units`. */
export interface Dense<Units extends number> extends ShapeRule {
  readonly after: Unless<BadCount<'dense', 'units', Units>, AfterDense<this['before'], Units>>
}

type AfterDense<S, Units extends number> = S extends readonly []
  ? 'dense: the input has one number a sample and no axis. Reshape it to [1]'
  : S extends readonly [...infer Outer extends readonly number[], number]
    ? readonly [...Outer, Units]
    : Shape

/** Shape rule of `flatten`: all axes become one. */
export interface Flatten extends ShapeRule {
  readonly after: readonly [Volume<this['before']>]
}

/** Over all positions: [C], or [1..., C] with `keepAxes`. */
export interface Global<Keep extends boolean = false> extends ShapeRule {
  readonly after: AfterGlobal<this['before'], Keep>
}

type AfterGlobal<S, Keep> = S extends readonly [...infer Spatial, infer C extends number]
  ? Keep extends true
    ? readonly [...{ [Axis in keyof Spatial]: 1 }, C]
    : readonly [C]
  : Shape

/** One sample's shape becomes `To`, in which one size may be -1. */
export interface Reshaped<To extends Shape> extends ShapeRule {
  readonly after: AfterReshape<this['before'], To>
}

type AfterReshape<S, To extends Shape> =
  Open<To> extends true
    ? Shape
    : -1 extends To[number]
      ? Filled<Volume<S>, Volume<Without<To>>, To>
      : number extends Volume<S> | Volume<To>
        ? To
        : Volume<S> extends Volume<To>
          ? To
          : `reshape: ${Show<S>} has ${Volume<S>} elements, ${Show<To>} ${Volume<To>}. Give sizes with the same product`

type Without<To, Done extends readonly number[] = []> = To extends readonly [infer N extends number, ...infer Rest]
  ? Without<Rest, N extends -1 ? Done : [...Done, N]>
  : Done

type Filled<All extends number, Others extends number, To extends Shape> =
  Remainder<All, Others> extends infer R
    ? number extends R
      ? { readonly [Axis in keyof To]: To[Axis] extends -1 ? number : To[Axis] }
      : R extends 0
        ? { readonly [Axis in keyof To]: To[Axis] extends -1 ? Quotient<All, Others> : To[Axis] }
        : `reshape: ${All} elements aren't a multiple of ${Others}. Give sizes with the same product`
    : never

/** Padding of every spatial axis, as a layer. */
export interface Padded<Name extends string, Rank extends RankOf, Pads> extends ShapeRule {
  readonly after: AfterPadding<Parts<Name, Rank, this['before']>, Pads>
}

type AfterPadding<Of, P> = Of extends [infer Spatial, infer C extends number]
  ? readonly [...PaddedSizes<Spatial, P>, C]
  : Of

type PaddedSizes<In, P, Done extends readonly number[] = readonly []> = In extends readonly [
  infer N extends number,
  ...infer Rest,
]
  ? PaddedSizes<Rest, P, readonly [...Done, Add<N, PaddingSum<PaddingAt<P, `${Done['length']}`>, 0>>]>
  : Done

/** Every spatial axis gets `Size` positions. */
export interface Sized<Size extends PerAxis> extends ShapeRule {
  readonly after: AfterAxes<this['before'], Size, false>
}

/** Every spatial axis gets `Factor` times as many positions. */
export interface Scaled<Factor extends PerAxis> extends ShapeRule {
  readonly after: AfterAxes<this['before'], Factor, true>
}

type AfterAxes<S, V, Times> = S extends readonly [...infer Spatial, infer C extends number]
  ? readonly [...AxisSizes<Spatial, V, Times>, C]
  : Shape

/** Groups that must divide the channels. */
export interface Grouped<Groups extends number> extends ShapeRule {
  readonly after: AfterGrouped<this['before'], Groups>
}

type AfterGrouped<S, G extends number> = S extends readonly [...unknown[], infer C extends number]
  ? Unless<BadCount<'groupNorm', 'groups', G>, Unless<Divides<'groupNorm', C, G>, S>>
  : S

/** The last axes must have these sizes. */
export interface LastAxes<Sizes extends PerAxis> extends ShapeRule {
  readonly after: AfterLast<this['before'], Sizes extends number ? readonly [Sizes] : Sizes>
}

type AfterLast<S, Sizes> = S extends readonly number[]
  ? Sizes extends readonly number[]
    ? number extends S[number] | Sizes[number]
      ? S
      : S extends readonly [...number[], ...Sizes]
        ? S
        : `layerNorm: normalizedShape ${Show<Sizes>} of an input of shape ${Show<S>}. Give the sizes of its last axes`
    : S
  : S

/** Channels to positions. */
export interface Shuffled<Factor extends number> extends ShapeRule {
  readonly after: AfterShuffle<this['before'], Factor>
}

type AfterShuffle<S, F extends number> = S extends readonly [...infer Spatial, infer C extends number]
  ? Volume<{ readonly [Axis in keyof Spatial]: F }> extends infer Taps extends number
    ? Remainder<C, Taps> extends infer R
      ? number extends R
        ? readonly [...AxisSizes<Spatial, F, true>, number]
        : R extends 0
          ? readonly [...AxisSizes<Spatial, F, true>, Quotient<C, Taps>]
          : `pixelShuffle: ${C} channels aren't a multiple of ${Taps}. Give ${Taps} times the channels`
      : never
    : never
  : Shape

/** layers(x) + shortcut(x): both must make the same shape. */
export interface Residual<L, Shortcut = readonly []> extends ShapeRule {
  readonly after: Together<Follow<this['before'], L>, Follow<this['before'], Shortcut>>
}

type Together<A, B> =
  A extends Followed<unknown, infer S, infer Why>
    ? B extends Followed<unknown, infer Around, infer WhyAround>
      ? [Why | WhyAround] extends [never]
        ? Open<S> | Open<Around> extends false
          ? number extends (S & Shape)[number] | (Around & Shape)[number]
            ? S
            : S extends Around
              ? S
              : `residual: layers give ${Show<S>}, the shortcut ${Show<Around>}. Give a shortcut that makes its shape`
          : Shape
        : `residual: ${(Why | WhyAround) & string}`
      : never
    : never

/** Chains side by side along the channels; added up, their shapes are the first's. */
export interface Parallel<Chains, Merge = 'concat'> extends ShapeRule {
  readonly after: Merge extends 'concat' ? Beside<this['before'], Chains> : First<this['before'], Chains>
}
type First<S, Chains> = Chains extends readonly [infer L, ...unknown[]]
  ? Follow<S, L> extends Followed<unknown, infer One, infer Why>
    ? [Why] extends [never]
      ? One
      : `parallel: ${Why & string}`
    : never
  : Shape

type Beside<S, Chains, Sizes extends Shape = [], Channels extends number = 0> = Chains extends readonly [
  infer L,
  ...infer Rest,
]
  ? Follow<S, L> extends Followed<unknown, infer One, infer Why>
    ? [Why] extends [never]
      ? One extends readonly [...infer Spatial extends Shape, infer C extends number]
        ? Beside<S, Rest, Spatial, Add<Channels, C>>
        : Shape
      : `parallel: ${Why & string}`
    : never
  : Chains extends readonly []
    ? readonly [...Sizes, Channels]
    : Shape
