import { describe, expect, test } from 'vitest'
import * as b from '../../src/kernel/builder.ts'
import { fusedMultiplyAdd } from '../../src/kernel/instructions.ts'
import { interpret, type Memory } from '../../src/kernel/interpret.ts'
import type { Element, Expr, Kernel, Lanes } from '../../src/kernel/ir.ts'

const { affine, buffer, kernel, load, local, loop, store } = b
const top = 2147483647
const bottom = -2147483648
const largest = 2 ** 128 - 2 ** 104

/** One value for each entry of the lists, by a kernel of scalars and by one of vectors, which must agree. */
function compute(make: (...operands: Expr[]) => Expr, element: 'f32' | 'i32', lists: number[][], fused = false) {
  const length = Math.ceil(lists[0].length / 4) * 4
  const arrayOf = element === 'f32' ? Float32Array : Int32Array
  const names = lists.map((_, n) => `in${n}`)
  const memory: Record<string, Float32Array | Int32Array> = {}
  names.forEach((name, n) => {
    memory[name] = new arrayOf(length)
    memory[name].set(lists[n])
  })
  const results = ([1, 4] as const).map((lanes) => {
    const value = make(...names.map((name) => load(name, affine(0, { k: 1 }), lanes, element)))
    const made = kernel({
      name: 'probe',
      buffers: [
        ...names.map((name) => buffer(name, element, length, 'read')),
        buffer('y', value.type, length, 'write'),
      ],
      axes: [],
      body: loop('k', 0, length, lanes, [store('y', affine(0, { k: 1 }), value)]),
    })
    const y = value.type === 'f32' ? new Float32Array(length) : new Int32Array(length)
    interpret(made, { ...memory, y }, 0, 1, { fused })
    return [...y].slice(0, lists[0].length)
  })
  if (!fused) expect(results[1]).toEqual(results[0])
  return results
}

describe('operations on f32', () => {
  const nan = Number.NaN
  test.each<[string, (a: Expr, b: Expr) => Expr, number[], number[], number[]]>([
    ['add', b.add, [16777216, 16777216, largest, nan], [1, 3, largest, 1], [16777216, 16777220, Infinity, nan]],
    ['sub', b.sub, [1, Infinity], [2 ** -25, Infinity], [1, nan]],
    ['mul', b.mul, [16777215, 1e-30, 0], [3, 1e-30, Infinity], [50331644, 0, nan]],
    ['div', b.div, [1, 1, 0], [3, -0, 0], [Math.fround(1 / 3), -Infinity, nan]],
    ['min', b.min, [0, -0, nan, 1, 1], [-0, 0, 1, nan, -2], [-0, -0, nan, nan, -2]],
    ['max', b.max, [0, -0, nan, 1, 1], [-0, 0, 1, nan, -2], [0, 0, nan, nan, 1]],
    ['eq', b.eq, [0, nan, 1], [-0, nan, 2], [-1, 0, 0]],
    ['ne', b.ne, [0, nan, 1], [-0, nan, 2], [0, -1, -1]],
    ['lt', b.lt, [1, 2, nan], [2, 2, 1], [-1, 0, 0]],
    ['le', b.le, [2, 3, nan], [2, 2, 1], [-1, 0, 0]],
    ['gt', b.gt, [2, 2, 1], [1, 2, nan], [-1, 0, 0]],
    ['ge', b.ge, [2, 1, 1], [2, 2, nan], [-1, 0, 0]],
  ])('%s', (_, make, x, y, expected) => {
    expect(compute(make, 'f32', [x, y])[0]).toEqual(expected)
  })
  test.each<[string, (a: Expr) => Expr, number[], number[]]>([
    ['neg', b.neg, [0, -1.5], [-0, 1.5]],
    ['abs', b.abs, [-0, -Infinity], [0, Infinity]],
    ['sqrt', b.sqrt, [2, -1, -0], [Math.fround(Math.SQRT2), nan, -0]],
    ['floor', b.floor, [-0.5, 2.9, -0], [-1, 2, -0]],
    ['ceil', b.ceil, [-0.5, 2.1], [-0, 3]],
    ['trunc', b.trunc, [-2.9, 2.9, -0.5], [-2, 2, -0]],
    ['nearest', b.nearest, [0.5, 1.5, 2.5, -0.5, -1.5, 8388607.5, nan], [0, 2, 2, -0, -2, 8388608, nan]],
    ['nearest', b.nearest, [Infinity, -0.4, -0, 0.49999997, 16777215], [Infinity, -0, -0, 0, 16777215]],
    ['toI32', b.toI32, [-2.9, 3e9, -3e9, nan, Infinity, -Infinity], [-2, top, bottom, 0, top, bottom]],
    ['bitsToI32', b.bitsToI32, [1, -0, 0], [0x3f800000, bottom, 0]],
  ])('%s', (_, make, x, expected) => {
    expect(compute(make, 'f32', [x])[0]).toEqual(expected)
  })
  test('select takes by bits of the mask', () => {
    const pick = (x: Expr, y: Expr) => b.select(b.lt(x, y), x, y)
    expect(
      compute(pick, 'f32', [
        [1, 5, nan, -0],
        [2, 3, 7, 0],
      ])[0],
    ).toEqual([1, 3, 7, 0])
  })
})

describe('operations on i32', () => {
  test.each<[string, (a: Expr, b: Expr) => Expr, number[], number[], number[]]>([
    ['add', b.add, [top, -1], [1, -2], [bottom, -3]],
    ['sub', b.sub, [bottom, 1], [1, 2], [top, -1]],
    ['mul', b.mul, [0x21f0aaad, -3], [0x735a2d97, 5], [Math.imul(0x21f0aaad, 0x735a2d97), -15]],
    ['min', b.min, [-1, 5], [1, 3], [-1, 3]],
    ['max', b.max, [-1, 5], [1, 3], [1, 5]],
    ['and', b.and, [12, -1], [10, 7], [8, 7]],
    ['or', b.or, [12, -8], [10, 7], [14, -1]],
    ['xor', b.xor, [12, -1], [10, 7], [6, -8]],
    ['dot', b.dot, [0x0002fffd, -2147450880], [0x00070005, -2147450880], [-1, -2147483648]],
    ['lt', b.lt, [-1, bottom, 3], [1, top, 3], [-1, -1, 0]],
    ['ge', b.ge, [-1, 3], [1, 3], [0, -1]],
  ])('%s', (_, make, x, y, expected) => {
    expect(compute(make, 'i32', [x, y])[0]).toEqual(expected)
  })
  test.each<[string, (a: Expr) => Expr, number[], number[]]>([
    ['neg', b.neg, [5, bottom], [-5, bottom]],
    ['abs', b.abs, [-5, bottom], [5, bottom]],
    ['shl', (a) => b.shl(a, 4), [0x12345678, -1], [0x23456780, -16]],
    ['shrSigned', (a) => b.shrSigned(a, 4), [-16, 256], [-1, 16]],
    ['shrUnsigned', (a) => b.shrUnsigned(a, 4), [-16, 256], [0x0fffffff, 16]],
    ['toF32', b.toF32, [16777217, -3, top], [16777216, -3, 2147483648]],
    ['bitsToF32', b.bitsToF32, [0x3f800000, bottom], [1, -0]],
  ])('%s', (_, make, x, expected) => {
    expect(compute(make, 'i32', [x])[0]).toEqual(expected)
  })
})

describe('multiplyAdd', () => {
  const x = 1 + 2 ** -12
  test('rounds twice, but once on vectors when fused', () => {
    const lists = [[x], [x], [-1]]
    expect(compute(b.multiplyAdd, 'f32', lists)[1]).toEqual([2 ** -11])
    const [scalar, vector] = compute(b.multiplyAdd, 'f32', lists, true)
    expect(scalar).toEqual([2 ** -11])
    expect(vector).toEqual([2 ** -11 + 2 ** -24])
  })
  test('fused rounds the exact sum, where rounding to double first would land on a tie', () => {
    // 4097^2 = 2^24 + 2^13 + 1 lies halfway between two f32 numbers; double can't hold what is added.
    expect(fusedMultiplyAdd(4097, 4097, 0)).toBe(16785408)
    expect(fusedMultiplyAdd(4097, 4097, 2 ** -40)).toBe(16785410)
    expect(fusedMultiplyAdd(4097, 4097, -(2 ** -40))).toBe(16785408)
    // 4097 * 4099 likewise, but even is above.
    expect(fusedMultiplyAdd(4097, 4099, 0)).toBe(16793604)
    expect(fusedMultiplyAdd(4097, 4099, 2 ** -40)).toBe(16793604)
    expect(fusedMultiplyAdd(4097, 4099, -(2 ** -40))).toBe(16793602)
  })
  test('fused keeps infinities and NaN', () => {
    expect(fusedMultiplyAdd(largest, 2, 0)).toBe(Infinity)
    expect(fusedMultiplyAdd(Infinity, 1, -Infinity)).toBe(Number.NaN)
    expect(fusedMultiplyAdd(0, -1, -0)).toBe(-0)
  })
})

describe('memory', () => {
  test.each<[Element, Memory[string], number[], number[]]>([
    ['i8', Int8Array.of(-1, 2, -128, 127), [-1, 2, -128, 127], [300, -129, 128, 1]],
    ['u8', Uint8Array.of(255, 2, 128, 127), [255, 2, 128, 127], [300, -1, 128, 1]],
  ])('%s widens when loaded and keeps the low byte when stored', (element, data, wide, stored) => {
    const widen = kernel({
      name: 'widen',
      buffers: [buffer('x', element, 4, 'update'), buffer('y', 'i32', 4, 'update')],
      axes: [],
      body: [
        b.define('wide', load('x', affine(0), 4, element)),
        store('x', affine(0), load('y', affine(0), 4, 'i32'), 4, element),
        store('y', affine(0), local('wide', 'i32', 4)),
      ],
    })
    const y = Int32Array.from(stored)
    interpret(widen, { x: data, y })
    expect([...y]).toEqual(wide)
    expect([...data]).toEqual([...(element === 'i8' ? Int8Array : Uint8Array).from(stored)])
  })
  test('a store of count lanes leaves the rest alone; splat, extract, iota', () => {
    const made = kernel({
      name: 'lanes',
      buffers: [buffer('y', 'i32', 8, 'write')],
      axes: [],
      body: [
        store('y', affine(1), b.add(b.iota(), b.i32(10, 4)), 3),
        b.variable('v', b.iota()),
        b.set('v', b.splat(b.extract(local('v', 'i32', 4), 2))),
        store('y', affine(4), local('v', 'i32', 4)),
      ],
    })
    const y = new Int32Array(8).fill(-1)
    interpret(made, { y })
    expect([...y]).toEqual([-1, 10, 11, 12, 2, 2, 2, 2])
  })
  test('clampIndex makes loaded indices safe', () => {
    const gather = kernel({
      name: 'gather',
      buffers: [buffer('at', 'i32', 4, 'read'), buffer('x', 'f32', 3, 'read'), buffer('y', 'f32', 4, 'write')],
      axes: [{ index: 'r', extent: 4 }],
      body: [
        b.clampIndex('j', load('at', affine(0, { r: 1 }), 1, 'i32'), 0, 2),
        store('y', affine(0, { r: 1 }), load('x', affine(0, { j: 1 }))),
      ],
    })
    const y = new Float32Array(4)
    interpret(gather, { at: Int32Array.of(-7, 1, 2, top), x: Float32Array.of(10, 20, 30), y })
    expect([...y]).toEqual([10, 20, 30, 30])
  })
  test.each([
    ['load', 'load from x: elements 1..4 are outside [0, 4)', store('y', affine(0), load('x', affine(1), 4))],
    ['store', 'elements -1..-1 are outside [0, 4)', store('y', affine(-1), b.f32(0))],
  ])('a %s outside its buffer throws', (_, message, statement) => {
    const made = kernel({
      name: 'bad',
      buffers: [buffer('x', 'f32', 4, 'read'), buffer('y', 'f32', 4, 'write')],
      axes: [],
      body: [statement],
    })
    const memory = { x: new Float32Array(9), y: new Float32Array(9) }
    expect(() => interpret(made, memory)).toThrow(message)
  })
  test('missing, short and mistyped arrays are refused', () => {
    const made = kernel({ name: 'one', buffers: [buffer('x', 'f32', 4, 'read')], axes: [], body: [] })
    const memories: Memory[] = [{}, { x: new Float32Array(3) }, { x: new Int32Array(4) }]
    for (const memory of memories)
      expect(() => interpret(made, memory)).toThrow('buffer x has no Float32Array of 4 elements')
  })
})

describe('axes', () => {
  /** y[r, c] += 10 r + c + sum of the four loop values. */
  const grid: Kernel = kernel({
    name: 'grid',
    buffers: [buffer('y', 'i32', 15, 'update')],
    axes: [
      { index: 'r', extent: 3 },
      { index: 'c', extent: 5 },
    ],
    body: [
      b.variable('s', b.indexValue(affine(0, { r: 10, c: 1 }))),
      loop('k', 1, 9, 2, [b.set('s', b.add(local('s', 'i32'), b.indexValue(affine(0, { k: 1 }))))]),
      store('y', affine(0, { r: 5, c: 1 }), b.add(local('s', 'i32'), load('y', affine(0, { r: 5, c: 1 }), 1, 'i32'))),
    ],
  })
  test('points run in row-major order; pieces make the whole', () => {
    const whole = new Int32Array(15)
    interpret(grid, { y: whole })
    expect([...whole]).toEqual(Array.from({ length: 15 }, (_, n) => 10 * Math.floor(n / 5) + (n % 5) + 16))
    const pieces = new Int32Array(15)
    for (const [begin, end] of [
      [0, 4],
      [4, 4],
      [4, 11],
      [11, 15],
    ])
      interpret(grid, { y: pieces }, begin, end)
    expect(pieces).toEqual(whole)
  })
  test('a range touches only its points', () => {
    const y = new Int32Array(15)
    interpret(grid, { y }, 6, 8)
    expect([...y].map((value, n) => (value === 0 ? -1 : n)).filter((n) => n >= 0)).toEqual([6, 7])
  })
  test.each([
    [-1, 2],
    [3, 2],
    [0, 16],
    [Number.NaN, 2],
  ])('refuses points [%d, %d)', (begin, end) => {
    expect(() => interpret(grid, { y: new Int32Array(15) }, begin, end)).toThrow('not within [0, 15)')
  })
  test('no axes are one point', () => {
    const y = new Float32Array(1)
    const lanes: Lanes = 1
    interpret(
      kernel({
        name: 'point',
        buffers: [buffer('y', 'f32', 1, 'write')],
        axes: [],
        body: [store('y', affine(0), b.f32(7, lanes))],
      }),
      { y },
    )
    expect(y[0]).toBe(7)
  })
})
