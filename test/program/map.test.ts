import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { type Shape, sizeOf } from '../../src/base/shape.ts'
import * as graph from '../../src/graph/index.ts'
import { placeholder, type Tensor } from '../../src/graph/tensor.ts'
import { type Bound, exact, expectReference, onTargets, ulps } from '../support/compare.ts'

type Make = (a: Tensor, b: Tensor, c: Tensor) => Tensor

/** Every function with its number of operands and its largest error, as src/kernel/math.ts promises. */
const functions: Record<string, [Make, number, Bound]> = {
  identity: [(a) => graph.broadcastTo(a, [2, ...a.shape]), 1, exact],
  neg: [graph.neg, 1, exact],
  abs: [graph.abs, 1, exact],
  sign: [graph.sign, 1, exact],
  sqrt: [graph.sqrt, 1, exact],
  floor: [graph.floor, 1, exact],
  exp: [graph.exp, 1, ulps(2)],
  expm1: [graph.expm1, 1, ulps(3)],
  log: [graph.log, 1, ulps(2)],
  log1p: [graph.log1p, 1, ulps(3)],
  tanh: [graph.tanh, 1, ulps(6)],
  sigmoid: [graph.sigmoid, 1, (y) => Math.max(ulps(3)(y, 0, 0), 2 ** -126)],
  erf: [graph.erf, 1, ulps(2)],
  add: [graph.add, 2, exact],
  sub: [graph.sub, 2, exact],
  mul: [graph.mul, 2, exact],
  div: [graph.div, 2, exact],
  min: [graph.minimum, 2, exact],
  max: [graph.maximum, 2, exact],
  less: [graph.less, 2, exact],
  equal: [graph.equal, 2, exact],
  where: [graph.where, 3, exact],
}

const specials = [0, -0, 1, -1, 0.5, 2, 1e-30, -1e-30, 1e30, 88, -104, NaN, Infinity, -Infinity]

/** Shapes of operands that broadcast together: whole, rows, columns, scalars, missing axes, long ones. */
const shapes: Shape[][] = [
  [[7], [7], [7]],
  [[], [], []],
  [[3, 5], [5], []],
  [
    [3, 1],
    [1, 6],
    [3, 6],
  ],
  [
    [2, 3, 4],
    [3, 1],
    [2, 1, 4],
  ],
  [[1, 8], [4, 1, 1], [8]],
  [
    [2, 1, 3, 1],
    [5, 1, 4],
    [1, 1, 1, 1],
  ],
  [[20000], [1], [20000]],
  [[130, 70], [70], [130, 1]],
]

describe.each(Object.entries(functions))('%s', (_, [make, count, bound]) => {
  test('broadcasts in every way', async () => {
    const random = randomSource(1)
    for (const list of shapes) {
      const operands = list.map(placeholder).slice(0, count)
      const feeds = operands.map((x): [Tensor, number[]] => [
        x,
        Array.from({ length: sizeOf(x.shape) }, () => 3 * random.normal()),
      ])
      await expectReference([make(...(operands as [Tensor, Tensor, Tensor]))], new Map(feeds), bound)
    }
  })

  test('takes zeros, infinities and NaN', async () => {
    const n = specials.length
    const [a, b, c] = [placeholder([n, 1, 1]), placeholder([1, n, 1]), placeholder([1, 1, n])]
    const feeds = new Map([a, b, c].map((x) => [x, specials]))
    await expectReference([make(a, b, c)], feeds, bound)
  })
})

describe('pow', () => {
  const value = (exponent: Tensor | number, xs: readonly number[], bound: Bound) => {
    const x = placeholder([xs.length])
    return expectReference([graph.pow(x, exponent)], new Map([[x, xs]]), bound)
  }
  const positive = Array.from({ length: 41 }, (_, i) => 0.1 * i)

  test.each([1, 2, 3, -1, -2, 0.5, -0.5])('to the literal %s', (p) =>
    value(p, p === 0.5 || p === -0.5 ? positive : [...positive, -1, -2.5], ulps(3)),
  )
  test.each([0, 0.75, 1.5, -0.75, 2.5, 4])('to %s', (p) => value(p, positive, ulps(12)))
  test('to a tensor', async () => {
    const [x, p] = [placeholder([positive.length, 1]), placeholder([5])]
    const feeds = new Map([
      [x, positive],
      [p, [0, 0.5, -1.5, 2, 3.25]],
    ])
    await expectReference([graph.pow(x, p)], feeds, ulps(12))
  })
  test('of a negative number to a tensor is NaN', async () => {
    const [x, p] = [placeholder([5]), placeholder([])]
    const feeds = new Map([
      [x, [-2, -1, -0.5, -1e30, -1e-30]],
      [p, [2]],
    ])
    await onTargets([graph.pow(x, p)], feeds, ({ values }, where) =>
      expect([...values[0]!], where).toEqual([NaN, NaN, NaN, NaN, NaN]),
    )
  })
})
