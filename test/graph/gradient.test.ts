import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import type { PaddingMode } from '../../src/conv/padding.ts'
import * as graph from '../../src/graph/index.ts'
import { placeholder, type Tensor } from '../../src/graph/tensor.ts'
import { checkDerivatives, type DerivativeCheck } from '../support/derivatives.ts'

const positive: DerivativeCheck = {
  values: (random, { shape }) => Float64Array.from({ length: sizeOf(shape) }, () => 0.5 + 2 * random.next()),
}
let drawn = 0
/** Values at least 0.01 from each other, over all inputs, and from 0: away from where functions have a corner. */
const apart: DerivativeCheck = {
  values: (random, { shape }) => {
    const list = Float64Array.from({ length: sizeOf(shape) }, () => ++drawn * 0.02 * (drawn % 2 ? 1 : -1))
    for (let i = list.length - 1; i > 0; i--) {
      const j = random.integer(i + 1)
      ;[list[i], list[j]] = [list[j]!, list[i]!]
    }
    return list.map((value) => value + 0.001 * random.next())
  },
}

type Case = [name: string, make: (...inputs: Tensor[]) => Tensor, shapes: number[][], check?: DerivativeCheck]
const table = {
  inputSize: 3,
  rows: [
    [
      [0, 0.5],
      [2, -1],
    ],
    [],
    [[1, 2]],
    [
      [1, 1],
      [1, 3],
    ],
    [[0, 1]],
  ],
} as const

const cases: Case[] = [
  ['neg', graph.neg, [[5]]],
  ['abs', graph.abs, [[7]], apart],
  ['sign', graph.sign, [[7]], apart],
  ['floor', graph.floor, [[7]], apart],
  ['round', graph.round, [[7]], apart],
  ['exp', graph.exp, [[5]]],
  ['expm1', graph.expm1, [[5]]],
  ['log', graph.log, [[5]], positive],
  ['log1p', graph.log1p, [[5]], positive],
  ['sqrt', graph.sqrt, [[5]], positive],
  ['tanh', graph.tanh, [[5]]],
  ['sigmoid', graph.sigmoid, [[5]]],
  ['erf', graph.erf, [[5]]],
  ['relu', graph.relu, [[9]], apart],
  [
    'add, broadcast',
    graph.add,
    [
      [3, 1, 2],
      [4, 1],
    ],
  ],
  ['sub, broadcast', graph.sub, [[2], [3, 2]]],
  [
    'mul, broadcast',
    graph.mul,
    [
      [3, 1],
      [1, 4],
    ],
  ],
  ['mul by itself', (x) => graph.mul(x, x), [[5]]],
  ['div, broadcast', graph.div, [[3, 4], [4]], positive],
  ['minimum', graph.minimum, [[6], [6]], apart],
  ['maximum, broadcast', graph.maximum, [[2, 6], [6]], apart],
  ['less', graph.less, [[6], [6]], apart],
  ['equal', graph.equal, [[6], [6]], apart],
  ['where', (x, a, b) => graph.where(graph.less(x, 0), a, b), [[6], [2, 6], [1]], apart],
  ['pow', graph.pow, [[4, 1], [3]], positive],
  ...[1, 2, 3, -1, -2, 0.5, -0.5, 1.7, 4].map((p): Case => [`pow ${p}`, (x) => graph.pow(x, p), [[5]], positive]),
  ['broadcastTo', (x) => graph.broadcastTo(x, [2, 3, 4]), [[3, 1]]],
  ['sum', (x) => graph.sum(x, [0, 2]), [[2, 3, 4]]],
  ['sum of everything', (x) => graph.sum(x), [[2, 3]]],
  ['mean', (x) => graph.mean(x, [1], { keepAxes: true }), [[2, 3, 4]]],
  ['max', (x) => graph.max(x, [1]), [[3, 5]], apart],
  ['max of everything', (x) => graph.max(x), [[3, 5]], apart],
  ['sumTo', (x) => graph.sumTo(x, [3, 1]), [[2, 3, 4]]],
  ['reshape', (x) => graph.reshape(x, [4, -1]), [[2, 6]]],
  ['transpose', (x) => graph.transpose(x, [2, 0, 1]), [[2, 3, 4]]],
  [
    'pad and crop',
    (x) =>
      graph.pad(
        x,
        [
          [2, -1],
          [-2, 3],
        ],
        { mode: 'constant', value: 2 },
      ),
    [[3, 4]],
  ],
  ...(['reflect', 'symmetric', 'replicate', 'circular'] as PaddingMode[]).map(
    (mode): Case => [
      `pad ${mode}`,
      (x) =>
        graph.pad(
          x,
          [
            [4, 3],
            [-1, 5],
          ],
          { mode },
        ),
      [[3, 4]],
    ],
  ),
  ['slice', (x) => graph.slice(x, [1, 0], [-1, 2]), [[4, 3]]],
  [
    'concat, one twice',
    (x, y) => graph.concat([x, y, x], 1),
    [
      [2, 3],
      [2, 1],
    ],
  ],
  ['resample', (x) => graph.resample(x, 1, table), [[2, 3, 2]]],
  [
    'matmul',
    graph.matmul,
    [
      [3, 4],
      [4, 2],
    ],
  ],
  ['maxPool', (x) => graph.maxPool(x, [2, 3], { stride: 1, padding: 1, dilation: [2, 1] }), [[2, 5, 6, 2]], apart],
  ['maxPool, ceilMode', (x) => graph.maxPool(x, 2, { ceilMode: true }), [[1, 5, 7, 3]], apart],
  ['averagePool', (x) => graph.averagePool(x, 3, { stride: 2, padding: 'same' }), [[2, 5, 6, 2]]],
  ['averagePool with pads', (x) => graph.averagePool(x, 2, { padding: 1, countIncludePad: true }), [[1, 5, 3]]],
  ['softmax', graph.softmax, [[3, 5]]],
  ['logSoftmax', graph.logSoftmax, [[3, 5]]],
  ['softmaxCrossEntropy of classes', (x) => graph.softmaxCrossEntropy(x, graph.tensor([0, 4, 2])), [[3, 5]]],
  [
    'softmaxCrossEntropy of probabilities',
    graph.softmaxCrossEntropy,
    [
      [3, 5],
      [3, 5],
    ],
    positive,
  ],
  ['uniform', (x) => graph.mul(graph.uniform([4], graph.tensor([3, 1])), x), [[4]]],
]

test.each(cases)('first and second derivatives: %s', (name, make, shapes, check) => {
  for (let seed = 1; seed <= 3; seed++) {
    drawn = 0
    checkDerivatives(make, shapes, randomSource(seed, name.length), check)
  }
})

describe('gradient', () => {
  test('a tensor that the loss does not depend on has derivative zero', () => {
    const [x, y] = [placeholder([2]), placeholder([3])]
    const [, dy] = graph.gradient(graph.sum(x), [x, y])
    expect(graph.referenceValues([dy!])[0]).toEqual(new Float64Array(3))
  })
  test('a tensor in the middle of the expression', () => {
    const x = placeholder([3])
    const middle = graph.mul(x, x)
    const [d] = graph.gradient(graph.sum(graph.mul(middle, 5)), [middle])
    expect([...graph.referenceValues([d!], new Map([[x, [1, 2, 3]]]))[0]!]).toEqual([5, 5, 5])
  })
  test('relu has derivative 0 at 0, the largest of equals shares', () => {
    const x = placeholder([3])
    const feeds = new Map([[x, [0, 2, 2]]])
    const roots = [graph.relu(x), graph.max(x)].map((y) => graph.gradient(graph.sum(y), [x])[0]!)
    const [r, m] = graph.referenceValues(roots, feeds)
    expect([...r!, ...m!]).toEqual([0, 1, 1, 0, 0.5, 0.5])
  })
  test('of more than one number is refused', () => {
    expect(() => graph.gradient(placeholder([2]), [])).toThrow('gradient: the loss has shape [2]. Reduce it')
  })
})
