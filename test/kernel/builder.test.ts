import { describe, expect, test } from 'vitest'
import {
  add,
  addAffine,
  affine,
  and,
  buffer,
  clampIndex,
  define,
  div,
  eq,
  extract,
  f32,
  i32,
  iota,
  kernel,
  load,
  loop,
  multiplyAdd,
  read,
  scaleAffine,
  select,
  shiftAffine,
  shl,
  splat,
  sqrt,
  store,
  toF32,
  toI32,
  variable,
} from '../../src/kernel/builder.ts'

describe('affine forms', () => {
  test('are sorted, without terms of scale 0', () => {
    expect(affine(3, { j: 1, i: 4, k: 0 })).toEqual({
      offset: 3,
      terms: [
        { index: 'i', scale: 4 },
        { index: 'j', scale: 1 },
      ],
    })
  })
  test('add, merging indices and dropping those that cancel', () => {
    expect(addAffine(affine(1, { i: 2, j: 3 }), affine(4, { i: 5, j: -3, a: 1 }))).toEqual(affine(5, { a: 1, i: 7 }))
    expect(addAffine()).toEqual(affine(0))
  })
  test('shift and scale', () => {
    expect(shiftAffine(affine(1, { i: 2 }), -3)).toEqual(affine(-2, { i: 2 }))
    expect(scaleAffine(affine(1, { i: 2 }), 3)).toEqual(affine(3, { i: 6 }))
    expect(scaleAffine(affine(1, { i: 2 }), 0)).toEqual(affine(0))
  })
})

describe('expressions', () => {
  test('constants are what their type can hold', () => {
    expect(f32(0.1)).toMatchObject({ type: 'f32', lanes: 1, value: Math.fround(0.1) })
    expect(i32(0xffffffff, 4)).toMatchObject({ type: 'i32', lanes: 4, value: -1 })
  })
  test('splat folds constants and leaves scalars alone for one lane', () => {
    const x = load('x', affine(0))
    expect(splat(f32(2))).toEqual(f32(2, 4))
    expect(splat(x, 1)).toBe(x)
    expect(splat(x)).toMatchObject({ kind: 'splat', lanes: 4, type: 'f32', a: x })
  })
  test('type and lanes follow from the operands', () => {
    expect(load('x', affine(0), 4, 'u8')).toMatchObject({ type: 'i32', lanes: 4 })
    expect(eq(f32(1, 4), f32(2, 4))).toMatchObject({ type: 'i32', lanes: 4 })
    expect(toF32(iota())).toMatchObject({ type: 'f32', lanes: 4 })
    expect(extract(iota(), 3)).toMatchObject({ type: 'i32', lanes: 1 })
    expect(select(i32(-1), f32(1), f32(2))).toMatchObject({ type: 'f32', lanes: 1 })
    expect(read(define('a', f32(1, 4)))).toEqual({ kind: 'local', type: 'f32', lanes: 4, name: 'a' })
  })
  test.each([
    ['types', () => add(f32(1), i32(1))],
    ['lanes', () => multiplyAdd(f32(1), f32(1), f32(1, 4))],
    ['and of f32', () => and(f32(1), f32(1))],
    ['div of i32', () => div(i32(1), i32(1))],
    ['sqrt of i32', () => sqrt(i32(1))],
    ['toI32 of i32', () => toI32(i32(1))],
    ['a shift too far', () => shl(i32(1), 32)],
    ['a lane too far', () => extract(iota(), 4)],
    ['a vector splat', () => splat(iota())],
    ['a mask of other lanes', () => select(i32(1), f32(1, 4), f32(1, 4))],
    ['a store of too many lanes', () => store('y', affine(0), f32(1), 2)],
    ['a store of another type', () => store('y', affine(0), f32(1), 1, 'i8')],
    ['an index clamped to nothing', () => clampIndex('i', i32(1), 2, 1)],
  ])('refuses %s', (_, make) => {
    expect(make).toThrow('fovea internal error')
  })
})

describe('statements', () => {
  test('a loop that would not run is no statement', () => {
    expect(loop('i', 3, 3, 1, [define('a', f32(1))])).toEqual([])
    expect(loop('i', 0, 3, 1, [])).toHaveLength(1)
  })
  test('bodies flatten and kernels are frozen to the bottom', () => {
    const made = kernel({
      name: 'k',
      buffers: [buffer('y', 'f32', 4, 'write')],
      axes: [{ index: 'r', extent: 2 }],
      body: [[variable('a', f32(1)), [define('b', f32(2))]], loop('i', 0, 2, 1, [[store('y', affine(0), f32(1))]])],
    })
    expect(made.body.map((statement) => statement.kind)).toEqual(['var', 'let', 'loop'])
    const [, , inner] = made.body
    expect(inner.kind === 'loop' && inner.body[0].kind).toBe('store')
    expect(Object.isFrozen(inner.kind === 'loop' && inner.body[0])).toBe(true)
    expect(Object.isFrozen(made.axes[0]) && Object.isFrozen(made.buffers[0])).toBe(true)
  })
})
