/** Makes nodes of the loop language with the right type and lanes; nothing else here decides anything. */
import { invariant } from '../base/errors.ts'
import type {
  Affine,
  BinaryOperation,
  Buffer,
  CompareOperation,
  ConvertOperation,
  Element,
  Expr,
  Kernel,
  Lanes,
  ShiftOperation,
  Statement,
  UnaryOperation,
  ValueType,
} from './ir.ts'

/** Statements in order; lists inside lists are flattened where a body is made. */
export type Statements = readonly (Statement | Statements)[]

type Definition = Extract<Statement, { kind: 'let' | 'var' }>

/** offset + sum of scale * index: `affine(3, { i: 4, j: 1 })` is 4*i + j + 3. */
export function affine(offset: number, scales: Readonly<Record<string, number>> = {}): Affine {
  const terms = Object.entries(scales)
    .filter(([, scale]) => scale !== 0)
    .map(([index, scale]) => ({ index, scale }))
    .sort((a, b) => (a.index < b.index ? -1 : 1))
  return { offset, terms }
}

/** Sum of affine forms: equal indices merged, terms that vanish dropped. */
export function addAffine(...forms: readonly Affine[]): Affine {
  const scales: Record<string, number> = {}
  let offset = 0
  for (const form of forms) {
    offset += form.offset
    for (const { index, scale } of form.terms) scales[index] = (scales[index] ?? 0) + scale
  }
  return affine(offset, scales)
}

/** a + n. */
export const shiftAffine = (a: Affine, n: number): Affine => ({ offset: a.offset + n, terms: a.terms })

/** a * n. */
export const scaleAffine = (a: Affine, n: number): Affine =>
  n === 0
    ? affine(0)
    : { offset: a.offset * n, terms: a.terms.map((term) => ({ index: term.index, scale: term.scale * n })) }

/** The constant nearest to `value` in f32. */
export const f32 = (value: number, lanes: Lanes = 1): Expr => ({
  kind: 'const',
  type: 'f32',
  lanes,
  value: Math.fround(value),
})

/** The constant `value` modulo 2^32. */
export const i32 = (value: number, lanes: Lanes = 1): Expr => ({ kind: 'const', type: 'i32', lanes, value: value | 0 })

/** Reads the `let` or `var` called `name`. */
export const local = (name: string, type: ValueType = 'f32', lanes: Lanes = 1): Expr => ({
  kind: 'local',
  type,
  lanes,
  name,
})

/** Reads what a `define` or `variable` statement names. */
export const read = ({ name, value }: Definition): Expr => local(name, value.type, value.lanes)

/** An affine form as an i32 scalar. */
export const indexValue = (value: Affine): Expr => ({ kind: 'affine', type: 'i32', lanes: 1, value })

/** 1 or 4 neighbouring elements; `i8` and `u8` arrive as `i32`. */
export const load = (buffer: string, at: Affine, lanes: Lanes = 1, element: Element = 'f32'): Expr => ({
  kind: 'load',
  type: element === 'f32' ? 'f32' : 'i32',
  lanes,
  buffer,
  element,
  at,
})

/** A scalar in all 4 lanes (with `lanes` 1, for code generic in lanes: the scalar itself). */
export function splat(a: Expr, lanes: Lanes = 4): Expr {
  invariant(a.lanes === 1, 'splat takes a scalar')
  if (lanes === 1) return a
  if (a.kind === 'const') return { ...a, lanes }
  return { kind: 'splat', type: a.type, lanes, a }
}

/** Lane number `lane` (0..3) of a vector. */
export function extract(a: Expr, lane: number): Expr {
  invariant(a.lanes === 4 && Number.isInteger(lane) && lane >= 0 && lane < 4, `extract lane ${lane} of ${a.lanes}`)
  return { kind: 'extract', type: a.type, lanes: 1, a, lane }
}

/** The vector [0, 1, 2, 3]. */
export const iota = (): Expr => ({ kind: 'iota', type: 'i32', lanes: 4 })

function unary(operation: UnaryOperation, a: Expr): Expr {
  invariant(a.type === 'f32' || operation === 'neg' || operation === 'abs', `${operation} takes f32`)
  return { kind: 'unary', type: a.type, lanes: a.lanes, operation, a }
}

export const neg = (a: Expr): Expr => unary('neg', a)
export const abs = (a: Expr): Expr => unary('abs', a)
export const sqrt = (a: Expr): Expr => unary('sqrt', a)
export const floor = (a: Expr): Expr => unary('floor', a)
export const ceil = (a: Expr): Expr => unary('ceil', a)
export const trunc = (a: Expr): Expr => unary('trunc', a)
/** Rounds to the nearest whole number, ties to even. */
export const nearest = (a: Expr): Expr => unary('nearest', a)

function convert(operation: ConvertOperation, a: Expr): Expr {
  const type = operation === 'toF32' || operation === 'bitsToF32' ? 'f32' : 'i32'
  invariant(a.type !== type, `${operation} takes ${type === 'f32' ? 'i32' : 'f32'}`)
  return { kind: 'convert', type, lanes: a.lanes, operation, a }
}

export const toF32 = (a: Expr): Expr => convert('toF32', a)
/** Truncates towards zero, saturating; NaN gives 0. */
export const toI32 = (a: Expr): Expr => convert('toI32', a)
export const bitsToF32 = (a: Expr): Expr => convert('bitsToF32', a)
export const bitsToI32 = (a: Expr): Expr => convert('bitsToI32', a)

function checkAlike(operation: string, a: Expr, b: Expr): void {
  invariant(
    a.type === b.type && a.lanes === b.lanes,
    `${operation} of ${a.type}x${a.lanes} and ${b.type}x${b.lanes}: types and lanes must agree`,
  )
}

function binary(operation: BinaryOperation, a: Expr, b: Expr): Expr {
  checkAlike(operation, a, b)
  invariant(operation !== 'div' || a.type === 'f32', 'div takes f32')
  const bitwise = operation === 'and' || operation === 'or' || operation === 'xor'
  invariant(!bitwise || a.type === 'i32', `${operation} takes i32`)
  return { kind: 'binary', type: a.type, lanes: a.lanes, operation, a, b }
}

export const add = (a: Expr, b: Expr): Expr => binary('add', a, b)
export const sub = (a: Expr, b: Expr): Expr => binary('sub', a, b)
export const mul = (a: Expr, b: Expr): Expr => binary('mul', a, b)
export const div = (a: Expr, b: Expr): Expr => binary('div', a, b)
export const min = (a: Expr, b: Expr): Expr => binary('min', a, b)
export const max = (a: Expr, b: Expr): Expr => binary('max', a, b)
export const and = (a: Expr, b: Expr): Expr => binary('and', a, b)
export const or = (a: Expr, b: Expr): Expr => binary('or', a, b)
export const xor = (a: Expr, b: Expr): Expr => binary('xor', a, b)
/** Of vectors of pairs of 16-bit numbers: the sum of both products, lane by lane. */
export const dot = (a: Expr, b: Expr): Expr => binary('dot', a, b)

function shift(operation: ShiftOperation, a: Expr, count: number): Expr {
  invariant(a.type === 'i32', `${operation} takes i32`)
  invariant(Number.isInteger(count) && count >= 0 && count < 32, `${operation} by ${count}`)
  return { kind: 'shift', type: 'i32', lanes: a.lanes, operation, a, count }
}

export const shl = (a: Expr, count: number): Expr => shift('shl', a, count)
export const shrSigned = (a: Expr, count: number): Expr => shift('shrSigned', a, count)
export const shrUnsigned = (a: Expr, count: number): Expr => shift('shrUnsigned', a, count)

function compare(operation: CompareOperation, a: Expr, b: Expr): Expr {
  checkAlike(operation, a, b)
  return { kind: 'compare', type: 'i32', lanes: a.lanes, operation, a, b }
}

export const eq = (a: Expr, b: Expr): Expr => compare('eq', a, b)
export const ne = (a: Expr, b: Expr): Expr => compare('ne', a, b)
export const lt = (a: Expr, b: Expr): Expr => compare('lt', a, b)
export const le = (a: Expr, b: Expr): Expr => compare('le', a, b)
export const gt = (a: Expr, b: Expr): Expr => compare('gt', a, b)
export const ge = (a: Expr, b: Expr): Expr => compare('ge', a, b)

/** mask ? a : b, lane by lane. */
export function select(mask: Expr, a: Expr, b: Expr): Expr {
  checkAlike('select', a, b)
  invariant(mask.type === 'i32' && mask.lanes === a.lanes, 'select takes an i32 mask with the lanes of its values')
  return { kind: 'select', type: a.type, lanes: a.lanes, mask, a, b }
}

/** a * b + c, on f32. */
export function multiplyAdd(a: Expr, b: Expr, c: Expr): Expr {
  checkAlike('multiplyAdd', a, b)
  checkAlike('multiplyAdd', b, c)
  invariant(a.type === 'f32', 'multiplyAdd takes f32')
  return { kind: 'multiplyAdd', type: 'f32', lanes: a.lanes, a, b, c }
}

/** for (index = from; index < to; index += step) body; a loop that would not run is no statement. */
export function loop(index: string, from: number, to: number, step: number, body: Statements): readonly Statement[] {
  return from < to ? [{ kind: 'loop', index, from, to, step, body: flatten(body) }] : []
}

/** `let name = value`. */
export const define = (name: string, value: Expr): Definition => ({ kind: 'let', name, value })
/** `var name = value`, to be changed by `set`. */
export const variable = (name: string, value: Expr): Definition => ({ kind: 'var', name, value })
export const set = (name: string, value: Expr): Statement => ({ kind: 'set', name, value })

/** Writes the first `count` lanes; into `i8` and `u8` goes the low byte. */
export function store(
  buffer: string,
  at: Affine,
  value: Expr,
  count: number = value.lanes,
  element: Element = value.type,
): Statement {
  invariant((element === 'f32') === (value.type === 'f32'), `store of ${value.type} into ${element}`)
  invariant(Number.isInteger(count) && count >= 1 && count <= value.lanes, `store of ${count} of ${value.lanes} lanes`)
  return { kind: 'store', buffer, element, at, value, count }
}

/** Makes an index, usable in addresses, of an i32 scalar clamped to [low, high]. */
export function clampIndex(index: string, value: Expr, low: number, high: number): Statement {
  invariant(value.type === 'i32' && value.lanes === 1, 'clampIndex takes an i32 scalar')
  invariant(low <= high, `clampIndex to [${low}, ${high}]`)
  return { kind: 'clampIndex', index, value, low, high }
}

/** Statements of nested lists in order. */
export const flatten = (body: Statements): Statement[] =>
  body.flatMap((part) => ('kind' in part ? [part] : flatten(part)))

export const buffer = (name: string, element: Element, length: number, access: Buffer['access']): Buffer => ({
  name,
  element,
  length,
  access,
})

/** A kernel as deeply frozen data. */
export function kernel(parts: Omit<Kernel, 'body'> & { readonly body: Statements }): Kernel {
  return deepFreeze({ name: parts.name, buffers: parts.buffers, axes: parts.axes, body: flatten(parts.body) })
}

/** Stops at what is frozen already, so shared expressions are walked once. */
function deepFreeze<T extends object>(value: T): T {
  Object.freeze(value)
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null && !Object.isFrozen(part)) deepFreeze(part)
  }
  return value
}
