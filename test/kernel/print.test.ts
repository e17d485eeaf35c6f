import { expect, test } from 'vitest'
import {
  add,
  affine,
  and,
  buffer,
  clampIndex,
  define,
  extract,
  f32,
  ge,
  i32,
  indexValue,
  iota,
  kernel,
  load,
  local,
  loop,
  lt,
  max,
  mul,
  multiplyAdd,
  neg,
  select,
  set,
  shrUnsigned,
  splat,
  store,
  sub,
  toF32,
  variable,
} from '../../src/kernel/builder.ts'
import type { Expr } from '../../src/kernel/ir.ts'
import { printAffine, printExpr, printKernel } from '../../src/kernel/print.ts'

test('a matrix product', () => {
  const acc = local('acc', 'f32', 4)
  const product = kernel({
    name: 'product',
    buffers: [buffer('x', 'f32', 64, 'read'), buffer('w', 'f32', 64, 'read'), buffer('y', 'f32', 64, 'write')],
    axes: [{ index: 'r', extent: 8 }],
    body: loop('c', 0, 8, 4, [
      variable('acc', f32(0, 4)),
      loop('k', 0, 8, 1, [
        set(
          'acc',
          multiplyAdd(splat(load('x', affine(0, { r: 8, k: 1 }))), load('w', affine(0, { k: 8, c: 1 }), 4), acc),
        ),
      ]),
      store('y', affine(0, { r: 8, c: 1 }), max(acc, f32(0, 4))),
    ]),
  })
  expect(printKernel(product)).toMatchInlineSnapshot(`
    "kernel product(read x: f32[64], read w: f32[64], write y: f32[64]) over r in 0..8 {
      for c in 0..8 step 4 {
        var acc = splat 0.0
        for k in 0..8 { acc = madd(splat x[k + 8*r], w[c + 8*k..+4], acc) }
        y[c + 8*r..+4] = max(acc, splat 0.0)
      }
    }
    "
  `)
})

test('every other kind of statement', () => {
  const gather = kernel({
    name: 'gather',
    buffers: [buffer('at', 'u8', 3, 'read'), buffer('y', 'i8', 9, 'update')],
    axes: [],
    body: [
      clampIndex('j', load('at', affine(2), 1, 'u8'), 0, 5),
      define('v', add(iota(), splat(indexValue(affine(1, { j: 2 }))))),
      store('y', affine(1, { j: 1 }), local('v', 'i32', 4), 3, 'i8'),
    ],
  })
  expect(printKernel(gather)).toMatchInlineSnapshot(`
    "kernel gather(read at: u8[3], update y: i8[9]) {
      index j = clamp(at[2], 0, 5)
      let v = iota + splat (2*j + 1)
      y[j + 1..+3] = v
    }
    "
  `)
})

const [a, b] = [local('a'), local('b')]
test.each<[Expr, string]>([
  [sub(a, sub(b, mul(a, b))), 'a - (b - (a * b))'],
  [select(and(lt(a, b), ge(a, b)), neg(a), f32(-0)), '((a < b) & (a >= b)) ? neg(a) : -0.0'],
  [toF32(shrUnsigned(local('n', 'i32'), 8)), 'toF32(n >>> 8)'],
  [extract(add(local('v', 'f32', 4), f32(0.1, 4)), 2), '(v + splat 0.1).2'],
  [f32(1e-45), '1.4013e-45'],
  [f32(16777215), '16777215.0'],
  [f32(Number.NaN), 'NaN'],
  [i32(-3), '-3'],
])('expression %#', (e, text) => {
  expect(printExpr(e)).toBe(text)
})

test.each([
  [affine(0), '0'],
  [affine(-3, { i: 1 }), 'i - 3'],
  [affine(2, { i: -1, j: -4, k: 2 }), '-i - 4*j + 2*k + 2'],
])('affine form %#', (form, text) => {
  expect(printAffine(form)).toBe(text)
})
