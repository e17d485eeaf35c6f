/** The interpreter's instructions: closures over registers, four lanes in neighbouring registers. */
import type {
  BinaryOperation,
  CompareOperation,
  ConvertOperation,
  Lanes,
  ShiftOperation,
  UnaryOperation,
  ValueType,
} from './ir.ts'

export type Instruction = () => void

/** One file of 32-bit registers, seen as f32 (whose writes round) and as i32 (whose writes wrap). */
export interface Machine {
  readonly f: Float32Array
  readonly i: Int32Array
}

/** An instruction that still has to be told its first destination register. */
type Pending = (to: number) => Instruction
type Registers = Float32Array | Int32Array

/** Ties to even: in double, adding 1.5 * 2^52 leaves no fraction bits. */
function nearest(x: number): number {
  if (!(Math.abs(x) < 8388608)) return x
  const rounded = x + 6755399441055744 - 6755399441055744
  return rounded === 0 ? x * 0 : rounded
}

function saturate(x: number): number {
  return Math.min(Math.max(x, -2147483648), 2147483647)
}

const unaries: Readonly<Record<UnaryOperation, (x: number) => number>> = {
  neg: (x) => -x,
  abs: Math.abs,
  sqrt: Math.sqrt,
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  nearest,
}

// Computed in double and rounded by the write: for these operations on f32 that is the same as rounding once
// (Figueroa, "When is double rounding innocuous?", 1995). Math.min and max treat NaN and -0 as WebAssembly does.
const binaries: Readonly<Record<BinaryOperation, (x: number, y: number) => number>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  min: (x, y) => Math.min(x, y),
  max: (x, y) => Math.max(x, y),
  and: (x, y) => x & y,
  or: (x, y) => x | y,
  xor: (x, y) => x ^ y,
  dot: (x, y) => ((x << 16) >> 16) * ((y << 16) >> 16) + (x >> 16) * (y >> 16),
}

const compares: Readonly<Record<CompareOperation, (x: number, y: number) => boolean>> = {
  eq: (x, y) => x === y,
  ne: (x, y) => x !== y,
  lt: (x, y) => x < y,
  le: (x, y) => x <= y,
  gt: (x, y) => x > y,
  ge: (x, y) => x >= y,
}

const shifts: Readonly<Record<ShiftOperation, (x: number, count: number) => number>> = {
  shl: (x, count) => x << count,
  shrSigned: (x, count) => x >> count,
  shrUnsigned: (x, count) => x >>> count,
}

const map =
  (target: Registers, source: Registers, apply: (x: number) => number, lanes: Lanes, a: number): Pending =>
  (to) =>
  () => {
    for (let lane = 0; lane < lanes; lane++) target[to + lane] = apply(source[a + lane]!)
  }

const zip =
  (target: Registers, source: Registers, apply: (x: number, y: number) => number, lanes: Lanes, a: number, b: number) =>
  (to: number): Instruction =>
  () => {
    for (let lane = 0; lane < lanes; lane++) target[to + lane] = apply(source[a + lane]!, source[b + lane]!)
  }

const file = ({ f, i }: Machine, type: ValueType): Registers => (type === 'f32' ? f : i)

export const splatInstruction =
  ({ i }: Machine, a: number): Pending =>
  (to) =>
  () => {
    const value = i[a]!
    i[to] = value
    i[to + 1] = value
    i[to + 2] = value
    i[to + 3] = value
  }

export const unaryInstruction = (m: Machine, operation: UnaryOperation, type: ValueType, lanes: Lanes, a: number) =>
  map(file(m, type), file(m, type), unaries[operation], lanes, a)

/** `toF32` rounds to nearest by writing; NaN written as i32 is 0. */
export const convertInstruction = (m: Machine, operation: ConvertOperation, lanes: Lanes, a: number) =>
  operation === 'toF32' ? map(m.f, m.i, (x) => x, lanes, a) : map(m.i, m.f, saturate, lanes, a)

export const binaryInstruction = (
  m: Machine,
  operation: BinaryOperation,
  type: ValueType,
  lanes: Lanes,
  a: number,
  b: number,
) =>
  zip(
    file(m, type),
    file(m, type),
    type === 'i32' && operation === 'mul' ? Math.imul : binaries[operation],
    lanes,
    a,
    b,
  )

export const shiftInstruction = ({ i }: Machine, operation: ShiftOperation, lanes: Lanes, a: number, count: number) =>
  map(i, i, (x) => shifts[operation](x, count), lanes, a)

export function compareInstruction(
  m: Machine,
  operation: CompareOperation,
  type: ValueType,
  lanes: Lanes,
  a: number,
  b: number,
): Pending {
  const holds = compares[operation]
  return zip(m.i, file(m, type), (x, y) => (holds(x, y) ? -1 : 0), lanes, a, b)
}

export const selectInstruction =
  ({ i }: Machine, lanes: Lanes, mask: number, a: number, b: number): Pending =>
  (to) =>
  () => {
    for (let lane = 0; lane < lanes; lane++) {
      const bits = i[mask + lane]!
      i[to + lane] = (i[a + lane]! & bits) | (i[b + lane]! & ~bits)
    }
  }

/** a * b + c of f32 values, rounded once. The product is exact in double; a double sum on a tie of f32 is put right. */
export function fusedMultiplyAdd(a: number, b: number, c: number): number {
  const product = a * b
  const sum = product + c
  const rounded = Math.fround(sum)
  const excess = sum - rounded
  const other = rounded + 2 * excess
  if (excess === 0 || Math.fround(other) !== other) return rounded
  // `sum` lies halfway between `rounded` and `other`: what rounding to double lost decides (Knuth's two-sum).
  const back = sum - product
  const lost = product - (sum - back) + (c - back)
  return lost === 0 || lost > 0 !== excess > 0 ? rounded : other
}

export const multiplyAddInstruction =
  ({ f }: Machine, fused: boolean, lanes: Lanes, a: number, b: number, c: number): Pending =>
  (to) =>
    fused
      ? () => {
          for (let lane = 0; lane < lanes; lane++)
            f[to + lane] = fusedMultiplyAdd(f[a + lane]!, f[b + lane]!, f[c + lane]!)
        }
      : () => {
          for (let lane = 0; lane < lanes; lane++)
            f[to + lane] = Math.fround(f[a + lane]! * f[b + lane]!) + f[c + lane]!
        }
