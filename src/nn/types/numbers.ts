// Arithmetic of whole numbers in TypeScript's types: decimal digits, added, subtracted, multiplied and divided as on
// paper, so that a shape like [224, 224, 64] costs a few steps and not a list of so many elements. It leaves nothing
// in the code that runs. A result is `number` where an operand isn't known.

/** A digit as a list of so many elements. */
interface Unit {
  '0': []
  '1': [0]
  '2': [0, 0]
  '3': [0, 0, 0]
  '4': [0, 0, 0, 0]
  '5': [0, 0, 0, 0, 0]
  '6': [0, 0, 0, 0, 0, 0]
  '7': [0, 0, 0, 0, 0, 0, 0]
  '8': [0, 0, 0, 0, 0, 0, 0, 0]
  '9': [0, 0, 0, 0, 0, 0, 0, 0, 0]
}
type Digit = keyof Unit

/** 9 - digit. */
interface Nines {
  '0': '9'
  '1': '8'
  '2': '7'
  '3': '6'
  '4': '5'
  '5': '4'
  '6': '3'
  '7': '2'
  '8': '1'
  '9': '0'
}

/** A list so many times. */
interface Repeat<U extends 0[]> {
  '0': []
  '1': U
  '2': [...U, ...U]
  '3': [...U, ...U, ...U]
  '4': [...U, ...U, ...U, ...U]
  '5': [...U, ...U, ...U, ...U, ...U]
  '6': [...U, ...U, ...U, ...U, ...U, ...U]
  '7': [...U, ...U, ...U, ...U, ...U, ...U, ...U]
  '8': [...U, ...U, ...U, ...U, ...U, ...U, ...U, ...U]
  '9': [...U, ...U, ...U, ...U, ...U, ...U, ...U, ...U, ...U]
}

/** Least significant first, none of them a leading zero: 0 is []. */
type Digits = readonly Digit[]

type Reversed<T extends string, Done extends Digits = []> = T extends `${infer D extends Digit}${infer Rest}`
  ? Reversed<Rest, [D, ...Done]>
  : Done
type Stripped<D> = D extends [...infer Rest, '0'] ? Stripped<Rest> : D
type DigitsOf<N extends number> = N extends 0 ? [] : Reversed<`${N}`>

type TextOf<D, Text extends string = ''> = D extends [infer First extends Digit, ...infer Rest]
  ? TextOf<Rest, `${First}${Text}`>
  : Text
type NumberOf<D> = D extends [] ? 0 : TextOf<D> extends `${infer N extends number}` ? N : number

type Sum<A, B, Carry extends 0[] = [], Done extends Digits = []> = A extends [infer X extends Digit, ...infer RestA]
  ? B extends [infer Y extends Digit, ...infer RestB]
    ? CarryOn<`${[...Unit[X], ...Unit[Y], ...Carry]['length'] & number}`, RestA, RestB, Done>
    : CarryOn<`${[...Unit[X], ...Carry]['length'] & number}`, RestA, [], Done>
  : B extends [infer Y extends Digit, ...infer RestB]
    ? CarryOn<`${[...Unit[Y], ...Carry]['length'] & number}`, [], RestB, Done>
    : Carry extends [0]
      ? [...Done, '1']
      : Done
type CarryOn<T extends string, A, B, Done extends Digits> = T extends `1${infer D extends Digit}`
  ? Sum<A, B, [0], [...Done, D]>
  : T extends Digit
    ? Sum<A, B, [], [...Done, T]>
    : never

/** a - b as a + (999... - b) + 1 without the leading 1; undefined below 0. */
type Difference<A, B, Carry extends 0[] = [0], Done extends Digits = []> = A extends [
  infer X extends Digit,
  ...infer RestA,
]
  ? B extends [infer Y extends Digit, ...infer RestB]
    ? Borrow<`${[...Unit[X], ...Unit[Nines[Y]], ...Carry]['length'] & number}`, RestA, RestB, Done>
    : Borrow<`${[...Unit[X], ...Unit['9'], ...Carry]['length'] & number}`, RestA, [], Done>
  : B extends []
    ? Carry extends [0]
      ? Stripped<Done>
      : undefined
    : undefined
type Borrow<T extends string, A, B, Done extends Digits> = T extends `1${infer D extends Digit}`
  ? Difference<A, B, [0], [...Done, D]>
  : T extends Digit
    ? Difference<A, B, [], [...Done, T]>
    : never

/** a times one digit, plus a carry. */
type Multiple<A, By extends Digit, Carry extends Digit = '0', Done extends Digits = []> = A extends [
  infer X extends Digit,
  ...infer Rest,
]
  ? `${[...Repeat<Unit[X]>[By], ...Unit[Carry]]['length'] & number}` extends infer T
    ? T extends Digit
      ? Multiple<Rest, By, '0', [...Done, T]>
      : T extends `${infer Tens extends Digit}${infer Ones extends Digit}`
        ? Multiple<Rest, By, Tens, [...Done, Ones]>
        : never
    : never
  : Carry extends '0'
    ? Stripped<Done>
    : [...Done, Carry]
type Product<A, B, Done extends Digits = []> = B extends [...infer Rest, infer Last extends Digit]
  ? Sum<Done extends [] ? [] : ['0', ...Done], Multiple<A, Last>> extends infer Next extends Digits
    ? Product<A, Rest, Next>
    : never
  : Done

/** [quotient, remainder] of digits, from the most significant down. */
type Division<
  T extends string,
  B,
  Rest extends Digits = [],
  Quotient extends Digits = [],
> = T extends `${infer D extends Digit}${infer More}`
  ? Times<Stripped<[D, ...Rest]>, B> extends [infer Q extends 0[], infer R extends Digits]
    ? Division<More, B, R, [`${Q['length'] & number}` & Digit, ...Quotient]>
    : never
  : [Stripped<Quotient>, Rest]
type Times<A, B, Count extends 0[] = []> =
  Difference<A, B> extends infer R ? (R extends undefined ? [Count, A] : Times<R, B, [...Count, 0]>) : never

/** Numbers that can't be calculated with here: unknown ones. */
type Unknown<N> = number extends N ? true : false
/** Literal numbers that aren't whole and >= 0. */
export type NotWhole<N extends number> = Extract<`${N}`, `-${string}` | `${string}.${string}` | `${string}e${string}`>

/** a + b, of literal whole numbers. */
export type Add<A extends number, B extends number> = B extends 0
  ? A
  : Unknown<A | B> extends true
    ? number
    : NumberOf<Sum<DigitsOf<A>, DigitsOf<B>>>
/** a - b; undefined below 0. */
export type Subtract<A extends number, B extends number> = B extends 0
  ? A
  : Unknown<A | B> extends true
    ? number
    : Difference<DigitsOf<A>, DigitsOf<B>> extends infer R
      ? R extends undefined
        ? undefined
        : NumberOf<R>
      : never
/** a * b, of literal whole numbers. */
export type Multiply<A extends number, B extends number> = B extends 1
  ? A
  : A extends 1
    ? B
    : Unknown<A | B> extends true
      ? number
      : NumberOf<Product<DigitsOf<A>, DigitsOf<B>>>
/** floor(a / b). */
export type Quotient<A extends number, B extends number> = B extends 1
  ? A
  : Unknown<A | B> extends true
    ? number
    : Division<`${A}`, DigitsOf<B>> extends [infer Q, unknown]
      ? NumberOf<Q>
      : never
/** The remainder of a / b. */
export type Remainder<A extends number, B extends number> = B extends 1
  ? 0
  : Unknown<A | B> extends true
    ? number
    : Division<`${A}`, DigitsOf<B>> extends [unknown, infer R]
      ? NumberOf<R>
      : never
/** ceil(a / b), for a >= 1. */
export type Ceiling<A extends number, B extends number> = B extends 1
  ? A
  : Unknown<A | B> extends true
    ? number
    : Subtract<A, 1> extends infer Less extends number
      ? Add<Quotient<Less, B>, 1>
      : number
/** Product of a list; `number` if one isn't known. */
export type Volume<S, So extends number = 1> = S extends readonly [infer N extends number, ...infer Rest]
  ? Volume<Rest, Multiply<So, N>>
  : S extends readonly []
    ? So
    : number
