import { describe, expect, test } from 'vitest'
import { hashBits as hashInJavaScript, randomSource } from '../../src/base/random.ts'
import { affine, buffer, f32, i32, kernel, load, loop, store } from '../../src/kernel/builder.ts'
import { checkKernel } from '../../src/kernel/check.ts'
import { interpret } from '../../src/kernel/interpret.ts'
import type { Expr, Lanes } from '../../src/kernel/ir.ts'
import * as math from '../../src/kernel/math.ts'

type Function = (x: Expr, bind: math.Bind) => Expr

function run(make: Function, x: Float32Array | Int32Array, lanes: Lanes = 4, fused = false) {
  let count = 0
  const { bind, statements } = math.binder(() => `t${count++}`)
  const element = x instanceof Float32Array ? 'f32' : 'i32'
  const value = make(load('x', affine(0, { k: 1 }), lanes, element), bind)
  const made = kernel({
    name: 'probe',
    buffers: [buffer('x', element, x.length, 'read'), buffer('y', value.type, x.length, 'write')],
    axes: [],
    body: loop('k', 0, x.length, lanes, [statements, store('y', affine(0, { k: 1 }), value)]),
  })
  checkKernel(made)
  const y = value.type === 'f32' ? new Float32Array(x.length) : new Int32Array(x.length)
  interpret(made, { x, y }, 0, 1, { fused })
  return y
}

const random = randomSource(7)
const points = 8192
/** One random number in each of `points` equal parts of [low, high]. */
const evenly = (low: number, high: number) =>
  Float32Array.from({ length: points }, (_, n) => low + ((high - low) * (n + random.next())) / points)
/** 2^e, e as above, with both signs when `signed`. */
const powers = (low: number, high: number, signed = false) =>
  evenly(low, high).map((e, n) => (signed && n % 2 ? -1 : 1) * 2 ** e)

/** Distance to the f32 numbers around `expected`, at least that of denormals. */
const ulp = (expected: number) => 2 ** Math.max(Math.floor(Math.log2(Math.abs(expected))) - 23, -149)

function worstUlp(y: ArrayLike<number>, x: Float32Array, reference: (x: number) => number): number {
  let worst = 0
  for (let n = 0; n < x.length; n++) {
    const expected = reference(x[n])
    if (Object.is(Math.fround(expected), y[n]) || (expected === 0 && y[n] === 0)) continue
    worst = Math.max(worst, Math.abs(expected - y[n]) / ulp(expected))
  }
  return worst
}

/** Series for small x, continued fraction for large (Abramowitz and Stegun 7.1.5, 7.1.14). */
function erf(x: number): number {
  const a = Math.abs(x)
  if (a < 2.5) {
    let [sum, term] = [a, a]
    for (let n = 1; n < 80; n++) {
      term *= (-a * a) / n
      sum += term / (2 * n + 1)
    }
    return (Math.sign(x) * sum * 2) / Math.sqrt(Math.PI)
  }
  let fraction = 0
  for (let n = 100; n > 0; n--) fraction = n / 2 / (a + fraction)
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction))
}
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

describe.each<[string, Function, (x: number) => number, number, Float32Array[]]>([
  ['exp', math.exp, Math.exp, 2, [evenly(-104, 89), evenly(-1, 1), powers(-140, 6, true)]],
  ['expm1', math.expm1, Math.expm1, 3, [evenly(-20, 89), evenly(-1, 1), powers(-126, 6, true)]],
  ['log', math.log, Math.log, 2, [powers(-149, 128), evenly(0.5, 2)]],
  ['log1p', math.log1p, Math.log1p, 3, [powers(-126, 128), evenly(-1, 1), powers(-126, 0).map((x) => -x)]],
  ['tanh', math.tanh, Math.tanh, 5, [evenly(-12, 12), evenly(-1, 1), powers(-126, 6, true)]],
  ['sigmoid', math.sigmoid, sigmoid, 3, [evenly(-87, 30), evenly(-1, 1), powers(-126, 6, true)]],
  ['erf', math.erf, erf, 2, [evenly(-6, 6), evenly(-1, 1), powers(-120, 6, true)]],
  ['square root', (x, bind) => math.powLiteral(x, 0.5, bind), Math.sqrt, 0.5, [powers(-149, 128)]],
  ['1/x^3', (x, bind) => math.powLiteral(x, -3, bind), (x) => x ** -3, 3, [powers(-30, 30, true)]],
  ['x^7', (x, bind) => math.powLiteral(x, 7, bind), (x) => x ** 7, 5, [powers(-10, 10, true)]],
  ['x^0.75', (x, bind) => math.powLiteral(x, 0.75, bind), (x) => x ** 0.75, 3, [evenly(0.1, 20)]],
  ['x^-1.25', (x, bind) => math.powLiteral(x, -1.25, bind), (x) => x ** -1.25, 3, [evenly(0.1, 20)]],
  ['x^0.7', (x, bind) => math.powLiteral(x, 0.7, bind), (x) => x ** 0.7, 6, [evenly(0.1, 20)]],
  ['1/sqrt', (x, bind) => math.powLiteral(x, -0.5, bind), (x) => x ** -0.5, 2, [powers(-120, 120)]],
])('%s', (_, make, reference, bound, sets) => {
  test.each([false, true])(`stays within ${bound} ulp (fused: %s)`, (fused) => {
    for (const x of sets) expect(worstUlp(run(make, x, 4, fused), x, reference)).toBeLessThanOrEqual(bound)
  })
  test('is the same on scalars and on vectors', () => {
    for (const x of sets) expect(run(make, x, 1)).toEqual(run(make, x, 4))
  })
  test('gives NaN for NaN', () => {
    expect([...run(make, new Float32Array(4).fill(Number.NaN))]).toEqual(new Array(4).fill(Number.NaN))
  })
})

test.each<[string, Function, [number, number][]]>([
  [
    'exp',
    math.exp,
    [
      [0, 1],
      [-0, 1],
      [Infinity, Infinity],
      [-Infinity, 0],
      [88.8, Infinity],
      [-104, 0],
    ],
  ],
  [
    'exp',
    math.exp,
    [
      [-3.4e38, 0],
      [3.4e38, Infinity],
      [-100, Math.fround(Math.exp(-100))],
    ],
  ],
  [
    'expm1',
    math.expm1,
    [
      [0, 0],
      [Infinity, Infinity],
      [-Infinity, -1],
      [-50, -1],
      [89, Infinity],
    ],
  ],
  [
    'log',
    math.log,
    [
      [1, 0],
      [0, -Infinity],
      [-0, -Infinity],
      [-1, Number.NaN],
      [Infinity, Infinity],
    ],
  ],
  [
    'log',
    math.log,
    [
      [-Infinity, Number.NaN],
      [-1e-45, Number.NaN],
      [2 ** -149, Math.fround(-149 * Math.LN2)],
    ],
  ],
  [
    'log1p',
    math.log1p,
    [
      [0, 0],
      [-1, -Infinity],
      [-1.5, Number.NaN],
      [Infinity, Infinity],
      [1e-45, 2 ** -149],
    ],
  ],
  [
    'tanh',
    math.tanh,
    [
      [0, 0],
      [-0, -0],
      [10, 1],
      [-10, -1],
      [Infinity, 1],
      [-Infinity, -1],
    ],
  ],
  [
    'sigmoid',
    math.sigmoid,
    [
      [0, 0.5],
      [Infinity, 1],
      [-Infinity, 0],
      [-200, 0],
      [200, 1],
    ],
  ],
  [
    'erf',
    math.erf,
    [
      [0, 0],
      [Infinity, 1],
      [-Infinity, -1],
      [5, 1],
      [-5, -1],
    ],
  ],
  [
    'x^0',
    (x, bind) => math.powLiteral(x, 0, bind),
    [
      [0, 1],
      [-3, 1],
      [Infinity, 1],
    ],
  ],
  [
    'x^3',
    (x, bind) => math.powLiteral(x, 3, bind),
    [
      [-2, -8],
      [0, 0],
      [-Infinity, -Infinity],
    ],
  ],
  [
    'x^-1',
    (x, bind) => math.powLiteral(x, -1, bind),
    [
      [-2, -0.5],
      [0, Infinity],
      [-0, -Infinity],
    ],
  ],
  [
    'x^1.5',
    (x, bind) => math.powLiteral(x, 1.5, bind),
    [
      [0, 0],
      [1, 1],
      [-1, Number.NaN],
      [Infinity, Infinity],
    ],
  ],
  [
    'x^-1.5',
    (x, bind) => math.powLiteral(x, -1.5, bind),
    [
      [0, Infinity],
      [1, 1],
      [Infinity, 0],
    ],
  ],
  [
    '2^x',
    (x, bind) => math.pow(f32(2, x.lanes), x, bind),
    [
      [0, 1],
      [Infinity, Infinity],
      [-Infinity, 0],
    ],
  ],
  [
    '0^x',
    (x, bind) => math.pow(f32(0, x.lanes), x, bind),
    [
      [0, 1],
      [2, 0],
      [-1, Infinity],
    ],
  ],
])('special values of %s', (_, make, rows) => {
  const x = new Float32Array(8)
  x.set(rows.map((row) => row[0]))
  const expected = rows.map((row) => row[1])
  for (const lanes of [1, 4] as const) expect([...run(make, x, lanes)].slice(0, rows.length)).toEqual(expected)
})

test('tanh and erf are odd and never leave [-1, 1]', () => {
  for (const make of [math.tanh, math.erf]) {
    const x = evenly(0, 15)
    const y = run(make, x)
    expect(
      run(
        make,
        x.map((value) => -value),
      ),
    ).toEqual(y.map((value) => -value))
    expect(Math.max(...y)).toBe(1)
  }
})

test('hashBits gives the bits of base/random.ts, uniform their top 24', () => {
  const counters = Int32Array.from({ length: 256 }, (_, n) => (n < 128 ? n : Math.imul(n, 0x9e3779b9)))
  for (const key of [0, 1, -5, 0x7fffffff]) {
    const bits = run((x, bind) => math.hashBits(x, i32(key, x.lanes), bind), counters)
    const fractions = run((x, bind) => math.uniform(math.hashBits(x, i32(key, x.lanes), bind)), counters, 1)
    const expected = [...counters].map((counter) => hashInJavaScript(counter, key))
    expect([...bits].map((value) => value >>> 0)).toEqual(expected)
    expect([...fractions]).toEqual(expected.map((value) => (value >>> 8) / 2 ** 24))
  }
})
