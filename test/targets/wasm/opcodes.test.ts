import { afterAll, describe, expect, test } from 'vitest'
import { assemble, type Instruction, type Local } from '../../../src/targets/wasm/assemble.ts'
import { wasmFeatures } from '../../../src/targets/wasm/features.ts'
import { loadModuleSync } from '../../../src/targets/wasm/load.ts'
import { type OpcodeName, opcodes, type StackType } from '../../../src/targets/wasm/opcodes.ts'

type Values = Float32Array | Int32Array | Uint8Array

const covered = new Set<string>()
const f = (...values: number[]) => new Float32Array(values)
const i = (...values: number[]) => new Int32Array(values)
const bytesOf = (values: Values) => new Uint8Array(values.buffer.slice(0))

const loads = { i: 'i32.load', f: 'f32.load', v: 'v128.load' } as const
const stores = { i: 'i32.store', f: 'f32.store', v: 'v128.store' } as const

/** Runs one function without parameters on a memory that starts with `data`; gives the first 16 bytes after it. */
function run(code: readonly Instruction[], locals: readonly Local[], data: readonly (readonly [number, Values])[]) {
  const bytes = assemble([{ name: 'f', parameters: [], locals, code }], { shared: false, minimum: 1 })
  const memory = new WebAssembly.Memory({ initial: 1 })
  for (const [at, values] of data) new Uint8Array(memory.buffer).set(bytesOf(values), at)
  loadModuleSync(bytes, memory)[0]!()
  return new Uint8Array(memory.buffer, 0, 16)
}

/** Executes `op` on operands lying in memory at 256, 272, ...; address operands are given as integers like others. */
function execute(op: OpcodeName, operands: readonly Values[], immediates: Omit<Instruction, 'op'> = {}) {
  covered.add(op)
  const { takes, gives } = opcodes[op]
  expect(operands.length).toBe(takes.length)
  const push = takes.flatMap((type: StackType, n): Instruction[] => [
    { op: 'i32.const', numbers: [256 + 16 * n] },
    { op: loads[type], numbers: [2, 0] },
  ])
  const body: Instruction[] = [...push, { op, ...immediates }]
  const result = (gives as readonly StackType[])[0]
  const code: Instruction[] =
    result === undefined ? body : [{ op: 'i32.const', numbers: [0] }, ...body, { op: stores[result], numbers: [2, 0] }]
  const data = operands.map((values, n) => [256 + 16 * n, values] as const)
  return run(code, [], [...data, [128, pattern]])
}

/** What the memory holds at 128: no two bytes alike, some of them negative as i8. */
const pattern = new Uint8Array(Array.from({ length: 32 }, (_, n) => (n * 37 + 140) & 255))

function expectResult(
  op: OpcodeName,
  operands: readonly Values[],
  expected: Values,
  immediates?: Omit<Instruction, 'op'>,
) {
  const bytes = bytesOf(expected)
  expect([...execute(op, operands, immediates).slice(0, bytes.length)], op).toEqual([...bytes])
}

const fA = [3.5, -2.5, 0.75, -1e10]
const fB = [-2, -2.5, 7, 3]
const iA = [7, -2000000011, 2147483647, -5]
const iB = [-3, 123456789, 2147483647, 6]

const nearest = (x: number) => {
  const low = Math.floor(x)
  return x - low > 0.5 || (x - low === 0.5 && low % 2 !== 0) ? low + 1 : low
}
const signOf = (x: number) => (x < 0 || Object.is(x, -0) ? -1 : 1)
/** Rounds x with the sign of x kept when the result is zero. */
const rounding = (how: (x: number) => number) => (x: number) => signOf(x) * Math.abs(how(x))

const floatUnary = {
  abs: Math.abs,
  neg: (x: number) => -x,
  sqrt: (x: number) => Math.fround(Math.sqrt(x)),
  ceil: rounding(Math.ceil),
  floor: Math.floor,
  trunc: rounding(Math.trunc),
  nearest: rounding(nearest),
}
const floatBinary = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
  min: Math.min,
  max: Math.max,
}
const comparisons = {
  eq: (a: number, b: number) => a === b,
  ne: (a: number, b: number) => a !== b,
  lt: (a: number, b: number) => a < b,
  gt: (a: number, b: number) => a > b,
  le: (a: number, b: number) => a <= b,
  ge: (a: number, b: number) => a >= b,
}
const intBinary = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: Math.imul,
  and: (a: number, b: number) => a & b,
  or: (a: number, b: number) => a | b,
  xor: (a: number, b: number) => a ^ b,
}
const shifts = {
  shl: (a: number, n: number) => a << n,
  shr_s: (a: number, n: number) => a >> n,
  shr_u: (a: number, n: number) => a >>> n,
}

const entries = <T extends object>(table: T) => Object.entries(table) as [keyof T & string, T[keyof T]][]

describe('arithmetic', () => {
  test.each(entries(floatUnary))('f32 and f32x4 %s', (name, apply) => {
    const inputs = name === 'sqrt' ? [2, 9, 0, 1e10] : [2.5, -2.5, -0.25, -1e10]
    for (const a of inputs) expectResult(`f32.${name}`, [f(a)], f(apply(a)))
    expectResult(`f32x4.${name}`, [f(...inputs)], f(...inputs.map(apply)))
  })
  test.each(entries(floatBinary))('f32 and f32x4 %s', (name, apply) => {
    for (const [n, a] of fA.entries()) expectResult(`f32.${name}`, [f(a), f(fB[n]!)], f(apply(a, fB[n]!)))
    expectResult(`f32x4.${name}`, [f(...fA), f(...fB)], f(...fA.map((a, n) => apply(a, fB[n]!))))
  })
  test.each(entries(comparisons))('comparison %s', (name, apply) => {
    const signed = name === 'eq' || name === 'ne' ? (`${name}` as const) : (`${name}_s` as const)
    for (const [n, a] of fA.entries()) expectResult(`f32.${name}`, [f(a), f(fB[n]!)], i(Number(apply(a, fB[n]!))))
    for (const [n, a] of iA.entries()) expectResult(`i32.${signed}`, [i(a), i(iB[n]!)], i(Number(apply(a, iB[n]!))))
    expectResult(`f32x4.${name}`, [f(...fA), f(...fB)], i(...fA.map((a, n) => -apply(a, fB[n]!))))
    expectResult(`i32x4.${signed}`, [i(...iA), i(...iB)], i(...iA.map((a, n) => -apply(a, iB[n]!))))
  })
  test.each(entries(intBinary))('i32 and vector %s', (name, apply) => {
    const vector =
      name === 'and' || name === 'or' || name === 'xor' ? (`v128.${name}` as const) : (`i32x4.${name}` as const)
    for (const [n, a] of iA.entries()) expectResult(`i32.${name}`, [i(a), i(iB[n]!)], i(apply(a, iB[n]!)))
    expectResult(vector, [i(...iA), i(...iB)], i(...iA.map((a, n) => apply(a, iB[n]!))))
  })
  test.each(entries(shifts))('i32 and i32x4 %s', (name, apply) => {
    for (const a of iA) expectResult(`i32.${name}`, [i(a), i(5)], i(apply(a, 5)))
    expectResult(`i32x4.${name}`, [i(...iA), i(5)], i(...iA.map((a) => apply(a, 5))))
  })
  test('integers, the rest', () => {
    expectResult('i32.div_u', [i(1000), i(7)], i(142))
    expectResult('i32.rem_u', [i(1000), i(7)], i(6))
    expectResult('i32x4.abs', [i(...iA)], i(...iA.map(Math.abs)))
    const halves = (n: number) => [(n << 16) >> 16, n >> 16] as const
    const dot = (a: number, b: number) => halves(a)[0] * halves(b)[0] + halves(a)[1] * halves(b)[1]
    expectResult('i32x4.dot_i16x8_s', [i(...iA), i(...iB)], i(...iA.map((a, n) => dot(a, iB[n]!))))
    expectResult('i32x4.neg', [i(...iA)], i(...iA.map((a) => -a)))
    expectResult('i32x4.min_s', [i(...iA), i(...iB)], i(...iA.map((a, n) => Math.min(a, iB[n]!))))
    expectResult('i32x4.max_s', [i(...iA), i(...iB)], i(...iA.map((a, n) => Math.max(a, iB[n]!))))
  })
  test('pseudo minimum and maximum keep the first operand unless the second is beyond it', () => {
    expectResult('f32x4.pmin', [f(1, -0, 3, NaN), f(2, 0, -3, 1)], f(1, -0, -3, NaN))
    expectResult('f32x4.pmax', [f(1, -0, 3, NaN), f(2, 0, -3, 1)], f(2, -0, 3, NaN))
  })
})

describe('conversions and lanes', () => {
  test('between f32 and i32', () => {
    const odd = [3e9, -3e9, NaN, -1.75]
    const ints = [2147483647, -2147483648, 0, -1]
    for (const [n, a] of odd.entries()) expectResult('i32.trunc_sat_f32_s', [f(a)], i(ints[n]!))
    expectResult('i32x4.trunc_sat_f32x4_s', [f(...odd)], i(...ints))
    for (const a of iA) expectResult('f32.convert_i32_s', [i(a)], f(a))
    expectResult('f32x4.convert_i32x4_s', [i(...iA)], f(...iA))
    expectResult('i32.reinterpret_f32', [f(-1.5)], f(-1.5))
    expectResult('f32.reinterpret_i32', [i(0x40490fdb)], i(0x40490fdb))
  })
  test('splat and extract', () => {
    expectResult('i32x4.splat', [i(9)], i(9, 9, 9, 9))
    expectResult('f32x4.splat', [f(9)], f(9, 9, 9, 9))
    for (const lane of [0, 1, 2, 3]) {
      expectResult('i32x4.extract_lane', [i(...iA)], i(iA[lane]!), { numbers: [lane] })
      expectResult('f32x4.extract_lane', [f(...fA)], f(fA[lane]!), { numbers: [lane] })
    }
  })
  test('bits and bytes', () => {
    expectResult('v128.bitselect', [i(1, 2, 3, 4), i(5, 6, 7, 8), i(0, -1, 3, 6)], i(5, 2, 7 - (7 & 3) + 3, 12))
    const order = [31, 0, 16, 15, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    const [a, b] = [pattern.slice(0, 16), pattern.slice(16)]
    expectResult('i8x16.shuffle', [a, b], new Uint8Array(order.map((n) => pattern[n]!)), { bytes: order })
    const signed = [...new Int8Array(a.buffer.slice(0))]
    expectResult('i16x8.extend_low_i8x16_s', [a], new Uint8Array(new Int16Array(signed.slice(0, 8)).buffer))
    expectResult('i16x8.extend_low_i8x16_u', [a], new Uint8Array(new Int16Array(a.slice(0, 8)).buffer))
    const halves = new Int16Array([-1, 300, -32768, 7, 9, 9, 9, 9])
    expectResult('i32x4.extend_low_i16x8_s', [new Uint8Array(halves.buffer)], i(-1, 300, -32768, 7))
    expectResult('i32x4.extend_low_i16x8_u', [new Uint8Array(halves.buffer)], i(65535, 300, 32768, 7))
  })
  test('constants', () => {
    for (const value of [0, 63, 64, -64, -65, 8191, 8192, 2147483647, -2147483648])
      expectResult('i32.const', [], i(value), { numbers: [value] })
    for (const value of [0.1, -0, Infinity, 1e-40]) expectResult('f32.const', [], f(value), { numbers: [value] })
    expectResult('v128.const', [], pattern.slice(0, 16), { bytes: [...pattern.slice(0, 16)] })
  })
})

describe('memory', () => {
  const at = (offset: number, length: number) => pattern.slice(offset, offset + length)
  test('loads', () => {
    expectResult('i32.load', [i(125)], at(5, 4), { numbers: [2, 8] })
    expectResult('f32.load', [i(125)], at(5, 4), { numbers: [2, 8] })
    expectResult('i32.load8_s', [i(128)], i((pattern[0]! << 24) >> 24), { numbers: [0, 0] })
    expectResult('i32.load8_u', [i(128)], i(pattern[0]!), { numbers: [0, 0] })
    expectResult('v128.load', [i(0)], at(3, 16), { numbers: [2, 131] })
    const four = [...at(3, 4)]
    expectResult('v128.load32_splat', [i(0)], new Uint8Array([...four, ...four, ...four, ...four]), {
      numbers: [2, 131],
    })
    expectResult('v128.load32_zero', [i(0)], new Uint8Array([...four, ...new Uint8Array(12)]), { numbers: [0, 131] })
  })
  test('stores', () => {
    const vector = pattern.slice(0, 16)
    const expectStored = (op: OpcodeName, value: Values, expected: readonly number[], numbers: readonly number[]) => {
      const memory = execute(op, [i(0), value], { numbers })
      expect([...memory].slice(0, expected.length + 1), op).toEqual([...expected, 0].slice(0, 16))
    }
    expectStored('i32.store', i(-2), [0, 0, ...bytesOf(i(-2))], [2, 2])
    expectStored('f32.store', f(-2.5), [0, 0, ...bytesOf(f(-2.5))], [2, 2])
    expectStored('i32.store8', i(0x1234), [0, 0, 0x34], [0, 2])
    expectStored('v128.store', vector, [...vector], [2, 0])
    expectStored('v128.store8_lane', vector, [0, vector[15]!], [0, 1, 15])
    expectStored('v128.store16_lane', vector, [0, ...vector.slice(14)], [0, 1, 7])
    expectStored('v128.store32_lane', vector, [0, ...vector.slice(12)], [2, 1, 3])
    expectStored('v128.store64_lane', vector, [0, ...vector.slice(8)], [2, 1, 1])
  })
})

test('control and locals: the sum of 1 to 10, then what select and if do', () => {
  const n: Local = { type: 'i', name: 'n' }
  const sum: Local = { type: 'i', name: 'sum' }
  const get = (local: Local): Instruction => ({ op: 'local.get', local })
  const integer = (value: number): Instruction => ({ op: 'i32.const', numbers: [value] })
  const code: Instruction[] = [
    integer(10),
    { op: 'local.set', local: n },
    { op: 'block' },
    { op: 'loop' },
    ...[get(sum), get(n), { op: 'i32.add' } as const, { op: 'local.set', local: sum } as const],
    ...[get(n), integer(1), { op: 'i32.sub' } as const, { op: 'local.tee', local: n } as const],
    { op: 'br_if', numbers: [0] },
    ...[integer(1), { op: 'br_if', numbers: [1] } as const],
    { op: 'end' },
    ...[integer(999), { op: 'local.set', local: sum } as const],
    { op: 'end' },
    ...[
      integer(0),
      { op: 'if' } as const,
      integer(888),
      { op: 'local.set', local: sum } as const,
      { op: 'end' } as const,
    ],
    ...[integer(0), get(sum), { op: 'i32.store', numbers: [2, 0] } as const],
    ...[integer(4), integer(5), integer(6), integer(0), { op: 'select' } as const],
    { op: 'i32.store', numbers: [2, 0] },
  ]
  const result = run(code, [n, sum], [])
  expect([...new Int32Array(result.slice().buffer, 0, 2)]).toEqual([55, 6])
  for (const { op } of code) covered.add(op)
})

const { relaxed } = wasmFeatures()

test.skipIf(!relaxed)('relaxed SIMD (skipped where the engine has none, like Node 20)', () => {
  expectResult('f32x4.relaxed_madd', [f(...fA), f(...fB), f(1, 2, 3, 4)], f(-6, 8.25, 8.25, -3e10 + 4))
  expectResult('i32x4.relaxed_laneselect', [i(1, 2, 3, 4), i(5, 6, 7, 8), i(0, -1, 0, -1)], i(5, 2, 7, 4))
})

afterAll(() => {
  if (!relaxed) for (const op of ['f32x4.relaxed_madd', 'i32x4.relaxed_laneselect']) covered.add(op)
  expect(Object.keys(opcodes).filter((op) => !covered.has(op))).toEqual([])
})
