import { describe, expect, test } from 'vitest'
import { randomSource } from '../../../src/base/random.ts'
import * as builder from '../../../src/kernel/builder.ts'
import type { Expr, Kernel, Lanes, Statement } from '../../../src/kernel/ir.ts'
import { type Comparison, compareWithInterpreter, relaxedNote, scalar, vectorTargets } from './run.ts'

// Tests pick operations by name.
const b = { ...builder }
const { affine, buffer, define, loop, store } = b

function agree(make: (lanes: Lanes) => Kernel, comparison: Comparison = {}): void {
  const random = randomSource(7)
  compareWithInterpreter(make(1), scalar, random, comparison)
  for (const features of vectorTargets) {
    compareWithInterpreter(make(1), features, random, comparison)
    compareWithInterpreter(make(4), features, random, comparison)
  }
}

/** y[n] = value for n in steps of `lanes` below 64, where x, y, z are f32 and p, q, r i32 buffers of 64. */
const map =
  (value: (at: (name: string) => Expr) => Expr) =>
  (lanes: Lanes): Kernel => {
    const at = affine(0, { n: 1 })
    const load = (name: string) => b.load(name, at, lanes, 'xyz'.includes(name) ? 'f32' : 'i32')
    const result = value(load)
    const names = ['x', 'y', 'z', 'p', 'q', 'r']
    return b.kernel({
      name: 'map',
      buffers: [
        ...names.map((name) => buffer(name, 'xyz'.includes(name) ? 'f32' : 'i32', 64, 'read')),
        buffer('f', 'f32', 64, 'write'),
        buffer('i', 'i32', 64, 'write'),
      ],
      axes: [],
      body: [loop('n', 0, 64, lanes, [store(result.type === 'f32' ? 'f' : 'i', at, result)])],
    })
  }

describe(`expressions${relaxedNote}`, () => {
  const float = ['neg', 'abs', 'sqrt', 'floor', 'ceil', 'trunc', 'nearest'] as const
  test.each(float)('%s of f32', (name) =>
    agree(
      map((at) => b[name](at('x'))),
      { special: true },
    ),
  )
  test.each(['neg', 'abs'] as const)('%s of i32', (name) => agree(map((at) => b[name](at('p')))))

  const binary = ['add', 'sub', 'mul', 'div', 'min', 'max'] as const
  test.each(binary)('%s of f32', (name) =>
    agree(
      map((at) => b[name](at('x'), at('y'))),
      { special: true },
    ),
  )
  test.each(['add', 'sub', 'mul', 'min', 'max', 'and', 'or', 'xor'] as const)('%s of i32', (name) =>
    agree(map((at) => b[name](at('p'), at('q')))),
  )
  test('dot of pairs', () => agree((lanes) => map((at) => (lanes === 4 ? b.dot(at('p'), at('q')) : at('p')))(lanes)))
  test.each(['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const)('%s', (name) => {
    agree(
      map((at) => b[name](at('x'), at('y'))),
      { special: true },
    )
    agree(map((at) => b[name](at('p'), at('q'))))
    agree(map((at) => b[name](at('p'), at('p'))))
  })
  test.each(['min', 'max'] as const)('%s of f32 and a constant', (name) => {
    for (const value of [0, -0, 6, -1, Number.NaN, Number.POSITIVE_INFINITY])
      for (const lanes of [1, 4] as const) {
        const bound = b.f32(value, lanes)
        agree((n) => map((at) => b[name](at('x'), n === lanes ? bound : b.f32(value, n)))(n), { special: true })
        agree((n) => map((at) => b[name](n === lanes ? bound : b.f32(value, n), at('x')))(n), { special: true })
      }
  })
  test.each(['shl', 'shrSigned', 'shrUnsigned'] as const)('%s', (name) => {
    for (const count of [0, 1, 7, 31]) agree(map((at) => b[name](at('p'), count)))
  })
  test('conversions', () => {
    agree(
      map((at) => b.toI32(at('x'))),
      { special: true },
    )
    agree(map((at) => b.toF32(at('p'))))
    agree(map((at) => b.bitsToI32(at('x'))))
    agree(
      map((at) => b.bitsToF32(b.and(b.bitsToI32(at('x')), b.bitsToI32(b.neg(b.abs(at('x'))))))),
      { special: true },
    )
  })
  test('select by comparisons and by combined masks', () => {
    agree(
      map((at) => b.select(b.lt(at('x'), at('y')), at('x'), at('z'))),
      { special: true },
    )
    agree(map((at) => b.select(b.and(b.lt(at('p'), at('q')), b.ne(at('q'), at('r'))), at('p'), at('r'))))
    agree(map((at) => b.select(b.xor(b.lt(at('x'), at('y')), b.lt(at('p'), at('q'))), at('y'), at('x'))))
  })
  test('multiplyAdd rounds once where vectors are fused, twice elsewhere', () => {
    agree(map((at) => b.multiplyAdd(at('x'), at('y'), at('z'))))
    agree(
      map((at) =>
        b.multiplyAdd(b.multiplyAdd(at('x'), at('x'), at('y')), at('y'), b.multiplyAdd(at('z'), at('y'), at('x'))),
      ),
    )
  })
  test('constants, splats, lanes and iota', () => {
    agree((lanes) => map((at) => b.add(at('x'), b.f32(0.1, lanes)))(lanes))
    agree((lanes) => map((at) => b.add(at('p'), b.i32(-3, lanes)))(lanes))
    const vectors = [
      map((at) => b.add(b.iota(), at('p'))),
      map((at) => b.splat(b.extract(at('x'), 2))),
      map((at) => b.splat(b.extract(at('p'), 3))),
      map(() => b.splat(b.load('x', affine(5)))),
      map(() => b.splat(b.load('p', affine(2, { n: 1 }), 1, 'i32'))),
      map(() => b.splat(b.indexValue(affine(-2, { n: 3 })))),
    ]
    for (const make of vectors)
      for (const features of vectorTargets) compareWithInterpreter({ ...make(4) }, features, randomSource(3))
  })
})

describe('memory', () => {
  const types = [
    ['f32', 'f32'],
    ['i32', 'i32'],
    ['i8', 'i32'],
    ['u8', 'i32'],
  ] as const
  test.each(types)('loads and partial stores of %s', (element) => {
    agree((lanes) =>
      b.kernel({
        name: element,
        buffers: [buffer('x', element, 100, 'read'), buffer('y', element, 100, 'write')],
        axes: [],
        body: Array.from({ length: lanes }, (_, n) =>
          loop(`i${n}`, 0, 3, 1, [
            store(
              'y',
              affine(23 * n, { [`i${n}`]: 5 }),
              b.load('x', affine(7 * n, { [`i${n}`]: 9 }), lanes, element),
              n + 1,
              element,
            ),
          ]),
        ),
      }),
    )
  })
  test('splats of bytes, and bytes from f32', () => {
    const make = (lanes: Lanes) =>
      b.kernel({
        name: 'bytes',
        buffers: [buffer('x', 'i8', 40, 'read'), buffer('y', 'f32', 40, 'update'), buffer('z', 'u8', 40, 'write')],
        axes: [],
        body: [
          loop('i', 0, 40, lanes, [
            define(
              'f',
              b.multiplyAdd(
                b.toF32(b.splat(b.load('x', affine(0, { i: 1 }), 1, 'i8'), lanes)),
                b.load('y', affine(0, { i: 1 }), lanes),
                b.f32(1, lanes),
              ),
            ),
            store('y', affine(0, { i: 1 }), b.local('f', 'f32', lanes)),
            store('z', affine(0, { i: 1 }), b.toI32(b.local('f', 'f32', lanes)), lanes, 'u8'),
          ]),
        ],
      })
    agree(make)
  })
})

const x = (at: ReturnType<typeof affine>, lanes: Lanes = 1) => b.load('x', at, lanes)

/** A kernel from x of `length` to y of `length`. */
const xy = (length: number, axes: Kernel['axes'], body: builder.Statements): Kernel =>
  b.kernel({
    name: 'xy',
    buffers: [buffer('x', 'f32', length, 'read'), buffer('y', 'f32', length, 'update')],
    axes,
    body,
  })

describe('loops and addresses', () => {
  test('negative constants, negative scales, first index above 0, steps that do not divide', () => {
    agree(() =>
      xy(
        200,
        [],
        [
          loop('j', 3, 20, 2, [
            loop('i', 1, 9, 3, [
              store(
                'y',
                affine(-4, { i: 1, j: 3 }),
                b.add(x(affine(-7, { i: 1, j: 3 })), x(affine(70, { i: -1, j: -3 }))),
              ),
              store('y', affine(-10, { i: 1, j: 3 }), x(affine(2, { i: 1, j: 3 }))),
            ]),
            store('y', affine(-9, { j: 3 }), x(affine(-8, { j: 3 }))),
          ]),
        ],
      ),
    )
  })
  test('an outer pointer whose only negative constant is in an inner loop', () => {
    agree(() =>
      xy(
        100,
        [],
        [
          loop('i', 6, 20, 1, [
            define('a', x(affine(0, { i: 2 }))),
            loop('j', 0, 5, 1, [store('y', affine(0, { i: 2, j: 3 }), b.add(b.local('a'), x(affine(-11, { i: 2 }))))]),
          ]),
        ],
      ),
    )
  })
  test('loops that run once, indices used twice or with scale 0, equal names in turn', () => {
    agree(() =>
      xy(
        300,
        [],
        [
          loop('i', 5, 6, 1, [
            loop('j', 2, 9, 8, [store('y', affine(-7, { i: 3, j: 2 }), x(affine(-5, { i: 1, j: 1 })))]),
            loop('j', 0, 7, 1, [
              store(
                'y',
                {
                  offset: 40,
                  terms: [
                    { index: 'j', scale: 2 },
                    { index: 'i', scale: 0 },
                    { index: 'j', scale: 1 },
                  ],
                },
                x(affine(0)),
              ),
              store(
                'y',
                {
                  offset: 80,
                  terms: [
                    { index: 'j', scale: 2 },
                    { index: 'j', scale: -2 },
                  ],
                },
                x(affine(1)),
              ),
            ]),
            loop('j', 0, 4, 1, [loop('k', 0, 3, 1, [store('y', affine(100, { j: 3, k: 1, i: 1 }), x(affine(9)))])]),
            loop('k', 0, 4, 1, [store('y', affine(200), b.add(b.load('y', affine(200)), x(affine(2))))]),
          ]),
        ],
      ),
    )
  })
  test('variables carried through loops, and affine values', () => {
    agree((lanes) =>
      b.kernel({
        name: 'sum',
        buffers: [buffer('x', 'f32', 120, 'read'), buffer('y', 'f32', 30, 'write'), buffer('n', 'i32', 30, 'write')],
        axes: [{ index: 'r', extent: 5 }],
        body: [
          b.variable('sum', b.f32(0, lanes)),
          b.variable('count', b.i32(0)),
          loop('i', 0, 24 - lanes, lanes, [
            b.set(
              'sum',
              b.multiplyAdd(
                x(affine(0, { r: 24, i: 1 }), lanes),
                b.splat(x(affine(1, { i: 1 })), lanes),
                b.local('sum', 'f32', lanes),
              ),
            ),
            b.set('count', b.add(b.local('count', 'i32'), b.indexValue(affine(-3, { r: 100, i: -1 })))),
          ]),
          store('y', affine(0, { r: lanes }), b.local('sum', 'f32', lanes)),
          store('n', affine(2, { r: 1 }), b.local('count', 'i32')),
          store('n', affine(12, { r: 1 }), b.indexValue(affine(4))),
        ],
      }),
    )
  })
})

describe('points', () => {
  const axes = (...extents: number[]) => extents.map((extent, n) => ({ index: `a${n}`, extent }))
  const cases: [string, Kernel['axes'], Record<string, number>][] = [
    ['no axis', [], {}],
    ['one axis', axes(9), { a0: 4 }],
    ['one axis used backwards', axes(9), { a0: -4 }],
    ['two axes', axes(3, 4), { a0: 30, a1: 4 }],
    ['three axes, one of a single point', axes(3, 1, 4), { a0: 30, a1: 5, a2: 7 }],
    ['three axes', axes(2, 3, 4), { a0: 60, a1: 20, a2: 5 }],
    ['an axis nobody uses', axes(2, 3, 2), { a0: 60, a2: 5 }],
  ]
  test.each(cases)('%s, whole, in parts and empty', (_, axes, scales) => {
    const points = axes.reduce((product, { extent }) => product * extent, 1)
    const first = Math.floor(points / 3)
    const ranges: Comparison['ranges'][] = [
      undefined,
      [[first, points]],
      [
        [0, first],
        [first, points - 1],
      ],
      [
        [0, 0],
        [points, points],
      ],
    ]
    for (const some of ranges)
      agree(
        (lanes) =>
          xy(300, axes, [
            store('y', affine(40, scales), x(affine(36, scales), lanes)),
            loop('i', 0, 3, 1, [
              store('y', affine(44, { ...scales, i: 4 }), x(affine(33, { ...scales, i: 4 }), lanes)),
            ]),
          ]),
        some ? { ranges: some } : {},
      )
  })
})

test('indices from data are clamped, then serve in addresses at any depth', () => {
  const load = (at: ReturnType<typeof affine>) => b.load('n', at, 1, 'i32')
  const gather = (lanes: Lanes): Kernel =>
    b.kernel({
      name: 'gather',
      buffers: [buffer('x', 'f32', 400, 'read'), buffer('n', 'i32', 64, 'read'), buffer('y', 'f32', 400, 'update')],
      axes: [{ index: 'r', extent: 6 }],
      body: [
        b.clampIndex('c', b.shrSigned(load(affine(0, { r: 2 })), 24), 2, 20),
        loop('i', 0, 5, 1, [
          store('y', affine(0, { r: 30, i: 4 }), x(affine(-20, { c: 10, i: 3 }), lanes)),
          b.clampIndex('d', load(affine(1, { r: 2, i: 5 })), -3, 4),
          store('y', affine(180, { r: 20, i: 4 }), x(affine(9, { d: 3, c: 1 }), lanes)),
          loop('k', 0, 2, 1, [
            store(
              'y',
              affine(320, { d: 2, k: 5, i: 6 }),
              b.add(x(affine(3, { d: -1, k: 7, c: 10 }), lanes), x(affine(0, { c: 10 }), lanes)),
            ),
          ]),
        ]),
      ] satisfies builder.Statements,
    })
  agree(gather)
})

test('vectors on a target without SIMD are an internal error', () => {
  const vectors = xy(8, [], [store('y', affine(0), x(affine(0), 4))])
  expect(() => compareWithInterpreter(vectors, scalar, randomSource(1))).toThrow(/internal error.*without SIMD/)
})

test('a statement that reads a name nobody defined is an internal error', () => {
  const body: Statement[] = [store('y', affine(0), b.local('nobody'))]
  const bad: Kernel = { name: 'bad', buffers: [buffer('y', 'f32', 1, 'write')], axes: [], body }
  expect(() => compareWithInterpreter(bad, scalar, randomSource(1))).toThrow(/nobody/)
})
