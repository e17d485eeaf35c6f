// What a layer does to one sample's shape, as types: `sequential` follows them, so that an editor knows the shapes of a
// model and underlines a layer that can't fit. A rule is a function from `before` to `after` (a shape, or a text that
// says why the layer can't take it). Sizes that aren't literal are `number` and always fit. Nothing of it runs.
import type { Shape } from '../../base/shape.ts'
import type { Add, Multiply, NotWhole, Remainder } from './numbers.ts'

/** A layer's rule: an interface that extends this and says what `after` is, by `this['before']`. */
export interface ShapeRule {
  readonly before: unknown
  readonly after: unknown
}

/** What a rule makes of a shape: a shape, or a text that says why it can't. */
export type After<R, S> = R extends ShapeRule ? (R & { readonly before: S })['after'] : Shape

/** The entry of one axis. */
export type At<V, Axis> = V extends readonly unknown[] ? (Axis extends keyof V ? V[Axis] : number) : V

export type Show<S, Text extends string = ''> = S extends readonly [infer N extends number, ...infer Rest]
  ? Show<Rest, Text extends '' ? `${N}` : `${Text}, ${N}`>
  : `[${Text}]`

export type AxisNames = { 1: 'length'; 2: 'height, width'; 3: 'depth, height, width' }

/** A shape of unknown rank. */
export type Open<S> = S extends readonly unknown[] ? (number extends S['length'] ? true : false) : true

export type Anything = { 1: readonly [number]; 2: readonly [number, number]; 3: readonly [number, number, number] }

/** [spatial axes, channels] of a sample, or why there are none. */
export type Parts<Name extends string, Rank extends 1 | 2 | 3, S> =
  Open<S> extends true
    ? [Anything[Rank], number]
    : S extends readonly [...infer Spatial, infer C extends number]
      ? Spatial['length'] extends Rank
        ? [Spatial, C]
        : WrongRank<Name, Rank, S>
      : WrongRank<Name, Rank, S>

export type WrongRank<
  Name extends string,
  Rank extends 1 | 2 | 3,
  S,
> = `${Name}: input of shape ${Show<S>} without N. Give [${AxisNames[Rank]}, channels], or use another rank`

export type BadCount<Name extends string, What extends string, N extends number> = N extends 0
  ? `${Name}: ${What} is 0, but must be a whole number >= 1. Give ${What} a whole number`
  : NotWhole<N> extends never
    ? never
    : `${Name}: ${What} is ${N}, but must be a whole number >= 1. Give ${What} a whole number`

/** Low and high padding of one axis added up; `number` for what isn't known, cropping too. */
export type PaddingSum<P, Reach extends number> = P extends 'full'
  ? Multiply<Reach, 2>
  : P extends 'valid'
    ? 0
    : P extends 'causal'
      ? Reach
      : P extends number
        ? NotWhole<P> extends never
          ? Multiply<P, 2>
          : number
        : P extends readonly [infer Low extends number, infer High extends number]
          ? NotWhole<Low | High> extends never
            ? Add<Low, High>
            : number
          : number

/** The padding of one axis: its entry, or the strategy. */
export type PaddingAt<P, Axis> = P extends readonly unknown[] ? At<P, Axis> : P

/** Spatial sizes and channels as a shape; a text stays one. */
export type Joined<Sizes, C extends number> = Sizes extends readonly number[] ? readonly [...Sizes, C] : Sizes

export type BadGroups<Name extends string, C extends number, F extends number, G extends number> = [
  BadCount<Name, 'groups', G>,
] extends [never]
  ? [BadCount<Name, 'filters', F>] extends [never]
    ? Remainder<F, G> extends infer R
      ? number extends R
        ? Divides<Name, C, G>
        : R extends 0
          ? Divides<Name, C, G>
          : `${Name}: ${G} groups don't divide ${F} filters. Use a number of groups that divides them`
      : never
    : BadCount<Name, 'filters', F>
  : BadCount<Name, 'groups', G>

export type Divides<Name extends string, C extends number, G extends number> =
  Remainder<C, G> extends infer R
    ? number extends R
      ? never
      : R extends 0
        ? never
        : `${Name}: ${G} groups don't divide ${C} channels of the input. Use a number of groups that divides them`
    : never

/** `Then` if there is nothing bad. */
export type Unless<Bad, Then> = [Bad] extends [never] ? Then : Bad

/** Rank, kernel, stride, padding and dilation of a layer with windows. */
export type RankOf = 1 | 2 | 3

export type AxisSizes<In, V, Times, Done extends readonly number[] = readonly []> = In extends readonly [
  infer N extends number,
  ...infer Rest,
]
  ? AxisSizes<
      Rest,
      V,
      Times,
      readonly [
        ...Done,
        Times extends true ? Multiply<N, At<V, `${Done['length']}`> & number> : At<V, `${Done['length']}`> & number,
      ]
    >
  : Done

/** What becomes of a shape: each layer, or in its place why it can't be there; the last shape; the reason. */
export interface Followed<L, S, Why = never> {
  readonly layers: L
  readonly shape: S
  readonly why: Why
}

/** A layer's rule, under a name that no value has. */
declare const rule: unique symbol

/** Something whose shape rule the type-checker knows; nothing at run time. */
export interface Ruled<R> {
  readonly [rule]?: R
}

/** Follows a shape through layers. After one that can't fit, and in a list of unknown length, nothing is known. */
export type Follow<S, L, Done extends readonly unknown[] = []> = L extends readonly []
  ? Followed<Readonly<Done>, S>
  : L extends readonly [infer First, ...infer Rest]
    ? First extends Ruled<infer R>
      ? After<R, S> extends infer Next
        ? Next extends string
          ? Followed<readonly [...Done, Next, ...Rest], Shape, Next>
          : Follow<Next, Rest, [...Done, First]>
        : never
      : Follow<Shape, Rest, [...Done, First]>
    : Followed<unknown, Shape>
