import { expect, test } from 'vitest'
import {
  add,
  affine,
  buffer,
  clampIndex,
  define,
  f32,
  i32,
  indexValue,
  kernel,
  load,
  local,
  loop,
  type Statements,
  set,
  store,
  variable,
} from '../../src/kernel/builder.ts'
import { checkKernel } from '../../src/kernel/check.ts'
import type { Expr } from '../../src/kernel/ir.ts'

const make = (body: Statements, extent = 4) =>
  kernel({
    name: 'probe',
    buffers: [
      buffer('x', 'f32', 16, 'read'),
      buffer('y', 'f32', 16, 'write'),
      buffer('z', 'i8', 16, 'update'),
      buffer('n', 'i32', 16, 'read'),
    ],
    axes: [{ index: 'r', extent }],
    body,
  })
const zero = f32(0)
const vector = f32(0, 4)
const put = (e: Expr) => store('y', affine(0), e)

test.each<[string, Statements]>([
  ['exact fit of a vector', [store('y', affine(0, { r: 4 }), vector)]],
  ['exact fit of a partial store', [store('y', affine(1, { r: 4 }), vector, 3)]],
  ['a stepped loop that stops short', loop('i', 0, 14, 4, [store('y', affine(0, { i: 1 }), vector)])],
  ['a falling address', [store('y', affine(15, { r: -5 }), zero)]],
  [
    'a clamped index',
    [clampIndex('j', load('n', affine(0), 1, 'i32'), 2, 12), store('y', affine(0, { j: 1 }), vector)],
  ],
  ['reading what is updated', [store('z', affine(0), load('z', affine(12), 4, 'i8'), 4, 'i8')]],
  ['loops one after the other with one index', [loop('i', 0, 2, 1, []), loop('i', 0, 3, 1, [])]],
  ['a variable changed inside a loop', [variable('s', zero), loop('i', 0, 2, 1, [set('s', f32(1))]), put(local('s'))]],
])('accepts %s', (_, body) => {
  expect(() => checkKernel(make(body))).not.toThrow()
})

test.each<[string, Statements, string]>([
  ['a store past the end', [store('y', affine(1, { r: 4 }), vector)], 'y[4*r + 1] spans [1, 16], outside [0, 15]'],
  ['a load past the end', [put(load('x', affine(13, { r: 1 })))], 'spans [13, 16]'],
  ['a vector load past the end', [define('v', load('x', affine(13), 4))], 'spans [13, 16]'],
  ['a load before the start', [put(load('x', affine(2, { r: -1 })))], 'spans [-1, 2]'],
  ['a loop one too long', loop('i', 0, 17, 4, [store('y', affine(0, { i: 1 }), zero)]), 'spans [0, 16]'],
  [
    'an index clamped too wide',
    [clampIndex('j', load('n', affine(0), 1, 'i32'), 0, 16), store('y', affine(0, { j: 1 }), zero)],
    'spans [0, 16]',
  ],
  ['an address that is not whole', [store('y', affine(0.5), zero)], 'is not whole'],
  ['an index out of scope', [loop('i', 0, 2, 1, []), store('y', affine(0, { i: 1 }), zero)], 'index i is not in scope'],
  ['a local before its definition', [put(local('a')), define('a', zero)], 'a is not in scope'],
  ['a local of an inner body', [loop('i', 0, 2, 1, [define('a', zero)]), put(local('a'))], 'a is not in scope'],
  ['a local in its own value', [define('a', local('a'))], 'a is not in scope'],
  ['a name used twice', [define('a', zero), define('a', zero)], 'the name a is used twice'],
  ['a local named in two loops', ['i', 'j'].map((i) => loop(i, 0, 2, 1, [define('a', zero)])), 'a is used twice'],
  ['a loop within a loop of that index', loop('i', 0, 2, 1, [loop('i', 0, 2, 1, [])]), 'the name i is used twice'],
  ['a loop named as an axis', [loop('r', 0, 2, 1, [])], 'the name r is used twice'],
  ['a local named as a buffer', [define('x', zero)], 'the name x is used twice'],
  ['a local named as a loop', [loop('i', 0, 2, 1, []), define('i', zero)], 'the name i is used twice'],
  ['setting a let', [define('a', zero), set('a', zero)], 'a is no variable in scope'],
  ['setting another type', [variable('a', zero), set('a', i32(0))], 'the variable has another type'],
  ['reading as another type', [define('a', zero), put(local('a', 'f32', 4))], 'a is f32x1, not f32x4'],
  ['writing to what is read', [store('x', affine(0), zero)], 'x is for read only'],
  ['reading from what is written', [put(load('y', affine(0)))], 'y is for write only'],
  ['an unknown buffer', [store('q', affine(0), zero)], 'there is no buffer q'],
  ['another element', [store('z', affine(0), i32(0))], 'z holds i8, not i32'],
  ['a loop of no iterations', [{ kind: 'loop', index: 'i', from: 2, to: 2, step: 1, body: [] }], 'loop bounds'],
  ['a loop without a step', loop('i', 0, 2, 0, []), 'loop bounds'],
  ['a loop from below 0', loop('i', -1, 2, 1, []), 'loop bounds'],
  ['an affine value beyond i32', [define('a', indexValue(affine(0, { r: 2 ** 30 })))], 'spans [0, 3221225472]'],
])('refuses %s', (_, body, message) => {
  expect(() => checkKernel(make(body))).toThrow(message)
})

test.each<[string, Expr]>([
  ['binary', { kind: 'binary', type: 'f32', lanes: 1, operation: 'add', a: zero, b: vector }],
  ['binary', { kind: 'binary', type: 'i32', lanes: 1, operation: 'div', a: i32(1), b: i32(1) }],
  ['unary', { kind: 'unary', type: 'i32', lanes: 1, operation: 'sqrt', a: i32(1) }],
  ['convert', { kind: 'convert', type: 'f32', lanes: 1, operation: 'toI32', a: i32(1) }],
  ['splat', { kind: 'splat', type: 'f32', lanes: 4, a: vector }],
  ['extract', { kind: 'extract', type: 'f32', lanes: 1, a: vector, lane: 4 }],
  ['shift', { kind: 'shift', type: 'i32', lanes: 1, operation: 'shl', a: i32(1), count: 32 }],
  ['compare', { kind: 'compare', type: 'i32', lanes: 1, operation: 'eq', a: vector, b: vector }],
  ['select', { kind: 'select', type: 'f32', lanes: 1, mask: zero, a: zero, b: zero }],
  ['multiplyAdd', { kind: 'multiplyAdd', type: 'f32', lanes: 4, a: vector, b: vector, c: zero }],
  ['load', { kind: 'load', type: 'f32', lanes: 1, buffer: 'z', element: 'i8', at: affine(0) }],
  ['const', { kind: 'const', type: 'f32', lanes: 1, value: 0.1 }],
])('refuses a %s that was made by hand and does not agree', (kind, e) => {
  expect(() => checkKernel(make([define('a', e)]))).toThrow(`types and lanes of ${kind} do not agree`)
})

test('the message shows the statement', () => {
  expect(() => checkKernel(make([store('y', affine(16), add(zero, zero))]))).toThrow(
    'kernel probe: y[16] spans [16, 16], outside [0, 15], in: y[16] = 0.0 + 0.0',
  )
})
