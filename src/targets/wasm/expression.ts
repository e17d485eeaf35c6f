/** Expressions of the loop language as WebAssembly instructions that leave one value on the stack. */
import { invariant } from '../../base/errors.ts'
import { type Affine, type Element, type Expr, elementBytes, type TargetFeatures } from '../../kernel/ir.ts'
import { floatBytes, type Instruction, type Local } from './assemble.ts'
import { type OpcodeName, opcodes, type StackType } from './opcodes.ts'
import { type Address, addressOf, addressValue, type Level, memoryNumbers, type Scope } from './pointers.ts'

export interface WasmFeatures extends TargetFeatures {
  /** Whether there are vectors at all; without them kernels are made with `lanes` 1. */
  readonly simd: boolean
  /** Whether the relaxed SIMD instructions may be used; needed for `fused`. */
  readonly relaxed: boolean
  /** Whether modules import a shared memory. */
  readonly shared?: boolean
}

/** Where in a kernel code is being made. */
export interface Place {
  readonly features: WasmFeatures
  readonly root: Level
  /** `let` and `var` by name. */
  readonly named: Map<string, Local>
  readonly scope: Scope
  /** The innermost level around this place. */
  readonly level: Level
}

type Of<Kind extends Expr['kind']> = Extract<Expr, { kind: Kind }>

export const stackType = (expr: Expr): StackType => (expr.lanes === 4 ? 'v' : expr.type === 'f32' ? 'f' : 'i')

export const get = (local: Local): Instruction => ({ op: 'local.get', local })
export const set = (local: Local): Instruction => ({ op: 'local.set', local })
export const tee = (local: Local): Instruction => ({ op: 'local.tee', local })
export const integer = (value: number): Instruction => ({ op: 'i32.const', numbers: [value] })

const isOpcode = (name: string): name is OpcodeName => Object.hasOwn(opcodes, name)

/** The instruction `operation` on values like `expr`: 'f32.add', 'i32x4.add'. */
function operationOn(expr: Expr, operation: string): OpcodeName {
  const name = `${expr.type}${expr.lanes === 4 ? 'x4' : ''}.${operation}`
  invariant(isOpcode(name), `no instruction ${name}`)
  return name
}

const lowBytes = (value: number): number[] => [...new Uint8Array(new Int32Array([value]).buffer)]

/** From four bytes in the low end of a vector to i32 lanes. */
const widen: Record<'i8' | 'u8', readonly Instruction[]> = {
  i8: [{ op: 'i16x8.extend_low_i8x16_s' }, { op: 'i32x4.extend_low_i16x8_s' }],
  u8: [{ op: 'i16x8.extend_low_i8x16_u' }, { op: 'i32x4.extend_low_i16x8_u' }],
}

const scalarLoads = { f32: 'f32.load', i32: 'i32.load', i8: 'i32.load8_s', u8: 'i32.load8_u' } as const
const shifts = { shl: 'shl', shrSigned: 'shr_s', shrUnsigned: 'shr_u' } as const

/** log2 of an element's size: the alignment promised for every access, since vectors may start at any element. */
export const alignmentOf = (element: Element): number => (elementBytes(element) === 4 ? 2 : 0)

export const memoryAddress = (place: Place, buffer: string, element: Element, at: Affine): Address =>
  addressOf(buffer, at, elementBytes(element), place.scope, place.root)

/** Pushes the pointer of an address in memory; the constant part belongs in the instruction's offset. */
export function pointerCode({ pointer }: Address): Instruction {
  invariant(pointer.local !== undefined, 'a memory access needs a buffer')
  return get(pointer.local)
}

/** Instructions that push the value of `expr`. */
export function expressionCode(place: Place, expr: Expr): Instruction[] {
  invariant(expr.lanes === 1 || place.features.simd, `vector expression (${expr.kind}) on a target without SIMD`)
  switch (expr.kind) {
    case 'const':
      return [constantCode(expr)]
    case 'local': {
      const local = place.named.get(expr.name)
      invariant(local !== undefined, `local ${expr.name} is read before it's defined`)
      return [get(local)]
    }
    case 'affine':
      return addressValue(addressOf('', expr.value, 1, place.scope, place.root))
    case 'load':
      return loadCode(place, expr)
    case 'splat':
      return splatCode(place, expr)
    case 'extract':
      return [...expressionCode(place, expr.a), { op: operationOn(expr.a, 'extract_lane'), numbers: [expr.lane] }]
    case 'iota':
      return [{ op: 'v128.const', bytes: [0, 1, 2, 3].flatMap(lowBytes) }]
    case 'unary':
      return unaryCode(place, expr)
    case 'convert':
      return [...expressionCode(place, expr.a), ...conversionCode(expr)]
    case 'binary':
      return binaryCode(place, expr)
    case 'shift':
      return [...expressionCode(place, expr.a), integer(expr.count), { op: operationOn(expr, shifts[expr.operation]) }]
    case 'compare':
      // Comparisons of scalars give 1 for true, masks are -1.
      if (expr.lanes === 1) return [integer(0), ...comparisonCode(place, expr), { op: 'i32.sub' }]
      return comparisonCode(place, expr)
    case 'select':
      return selectCode(place, expr)
    case 'multiplyAdd':
      return multiplyAddCode(place, expr)
  }
}

function constantCode({ type, lanes, value }: Of<'const'>): Instruction {
  if (lanes === 1) return { op: `${type}.const`, numbers: [value] }
  const bytes = type === 'f32' ? floatBytes(value) : lowBytes(value)
  return { op: 'v128.const', bytes: [bytes, bytes, bytes, bytes].flat() }
}

function loadCode(place: Place, { element, lanes, buffer, at }: Of<'load'>): Instruction[] {
  const address = memoryAddress(place, buffer, element, at)
  const numbers = memoryNumbers(address, alignmentOf(element))
  if (lanes === 1) return [pointerCode(address), { op: scalarLoads[element], numbers }]
  if (element === 'f32' || element === 'i32') return [pointerCode(address), { op: 'v128.load', numbers }]
  return [pointerCode(address), { op: 'v128.load32_zero', numbers }, ...widen[element]]
}

function splatCode(place: Place, expr: Of<'splat'>): Instruction[] {
  const { a } = expr
  if (a.kind !== 'load' || elementBytes(a.element) !== 4)
    return [...expressionCode(place, a), { op: operationOn(expr, 'splat') }]
  const address = memoryAddress(place, a.buffer, a.element, a.at)
  return [pointerCode(address), { op: 'v128.load32_splat', numbers: memoryNumbers(address, alignmentOf(a.element)) }]
}

function unaryCode(place: Place, expr: Of<'unary'>): Instruction[] {
  const { type, lanes, operation } = expr
  const a = expressionCode(place, expr.a)
  if (type === 'f32' || lanes === 4) return [...a, { op: operationOn(expr, operation) }]
  if (operation === 'neg') return [integer(0), ...a, { op: 'i32.sub' }]
  invariant(operation === 'abs', `${operation} of an i32`)
  // (a ^ sign) - sign, where sign = a >> 31 is 0 or -1.
  const local: Local = { type: 'i', name: 'abs' }
  const sign: Instruction[] = [get(local), integer(31), { op: 'i32.shr_s' }]
  return [...a, tee(local), ...sign, { op: 'i32.xor' }, ...sign, { op: 'i32.sub' }]
}

function conversionCode({ operation, lanes }: Of<'convert'>): Instruction[] {
  switch (operation) {
    case 'toF32':
      return [{ op: lanes === 4 ? 'f32x4.convert_i32x4_s' : 'f32.convert_i32_s' }]
    case 'toI32':
      return [{ op: lanes === 4 ? 'i32x4.trunc_sat_f32x4_s' : 'i32.trunc_sat_f32_s' }]
    case 'bitsToF32':
      return lanes === 4 ? [] : [{ op: 'f32.reinterpret_i32' }]
    case 'bitsToI32':
      return lanes === 4 ? [] : [{ op: 'i32.reinterpret_f32' }]
  }
}

function binaryCode(place: Place, expr: Of<'binary'>): Instruction[] {
  const { operation, type, lanes } = expr
  const operands = () => [...expressionCode(place, expr.a), ...expressionCode(place, expr.b)]
  switch (operation) {
    case 'and':
    case 'or':
    case 'xor':
      return [...operands(), { op: lanes === 4 ? `v128.${operation}` : `i32.${operation}` }]
    case 'dot':
      return [...operands(), { op: 'i32x4.dot_i16x8_s' }]
    case 'min':
    case 'max':
      if (type === 'f32')
        return (lanes === 4 && boundedCode(place, expr)) || [...operands(), { op: operationOn(expr, operation) }]
      if (lanes === 4) return [...operands(), { op: `i32x4.${operation}_s` }]
      return scalarExtremeCode(place, expr)
    default:
      return [...operands(), { op: operationOn(expr, operation) }]
  }
}

/**
 * Vector min or max with a constant on one side, else undefined. pmax(v, c) = v < c ? c : v is one machine instruction
 * on x86-64, where max takes about eight, and keeps NaN too. With c = 0 it may leave a -0 where max gives +0; adding +0
 * makes it so.
 */
function boundedCode(place: Place, { operation, a, b }: Of<'binary'>): Instruction[] | undefined {
  const isBound = (e: Expr) => e.kind === 'const' && !Number.isNaN(e.value) && !Object.is(e.value, -0)
  const [value, bound] = isBound(b) ? [a, b] : [b, a]
  if (bound.kind !== 'const' || !isBound(bound)) return undefined
  const code = [...expressionCode(place, value), constantCode(bound)]
  if (operation === 'min') return [...code, { op: 'f32x4.pmin' }]
  const clean: Instruction[] = bound.value === 0 ? [constantCode(bound), { op: 'f32x4.add' }] : []
  return [...code, { op: 'f32x4.pmax' }, ...clean]
}

function scalarExtremeCode(place: Place, expr: Of<'binary'>): Instruction[] {
  const a: Local = { type: 'i', name: 'a' }
  const b: Local = { type: 'i', name: 'b' }
  const compare = expr.operation === 'min' ? 'i32.lt_s' : 'i32.gt_s'
  const operands = [...expressionCode(place, expr.a), tee(a), ...expressionCode(place, expr.b), tee(b)]
  return [...operands, get(a), get(b), { op: compare }, { op: 'select' }]
}

/** The comparison as the machine gives it: 1 or 0 for scalars, masks for vectors. */
function comparisonCode(place: Place, { a, b, operation }: Of<'compare'>): Instruction[] {
  const sign = a.type === 'i32' && operation !== 'eq' && operation !== 'ne' ? '_s' : ''
  return [...expressionCode(place, a), ...expressionCode(place, b), { op: operationOn(a, `${operation}${sign}`) }]
}

/** v < w ? w : v of two vectors that have names. */
const isLarger = ({ type, mask, a, b }: Of<'select'>) =>
  type === 'f32' &&
  mask.kind === 'compare' &&
  mask.operation === 'lt' &&
  [mask.a, b].every((e) => e.kind === 'local' && b.kind === 'local' && e.name === b.name) &&
  [mask.b, a].every((e) => e.kind === 'local' && a.kind === 'local' && e.name === a.name)

function selectCode(place: Place, expr: Of<'select'>): Instruction[] {
  const { lanes, mask, a, b } = expr
  if (lanes === 4 && isLarger(expr))
    return [...expressionCode(place, b), ...expressionCode(place, a), { op: 'f32x4.pmax' }]
  const choices = [...expressionCode(place, a), ...expressionCode(place, b)]
  if (lanes === 1) {
    const condition = mask.kind === 'compare' ? comparisonCode(place, mask) : expressionCode(place, mask)
    return [...choices, ...condition, { op: 'select' }]
  }
  const op = place.features.relaxed ? 'i32x4.relaxed_laneselect' : 'v128.bitselect'
  return [...choices, ...expressionCode(place, mask), { op }]
}

function multiplyAddCode(place: Place, expr: Of<'multiplyAdd'>): Instruction[] {
  const factors = [...expressionCode(place, expr.a), ...expressionCode(place, expr.b)]
  const c = expressionCode(place, expr.c)
  if (expr.lanes === 4 && place.features.fused) return [...factors, ...c, { op: 'f32x4.relaxed_madd' }]
  return [...factors, { op: operationOn(expr, 'mul') }, ...c, { op: operationOn(expr, 'add') }]
}
