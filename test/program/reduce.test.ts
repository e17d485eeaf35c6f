import { describe, test } from 'vitest'
import { type RandomSource, randomSource } from '../../src/base/random.ts'
import { type Shape, sizeOf } from '../../src/base/shape.ts'
import { add, max, mul, relu, softmaxCrossEntropy, sum, sumTo } from '../../src/graph/index.ts'
import { referenceValues } from '../../src/graph/reference.ts'
import { oneHot, softmax } from '../../src/graph/softmax.ts'
import { placeholder, type Tensor } from '../../src/graph/tensor.ts'
import { expectReference, ulps } from '../support/compare.ts'

const integersOf = (random: RandomSource, shape: Shape) =>
  Array.from({ length: sizeOf(shape) }, () => random.integer(9) - 4)
const realsOf = (random: RandomSource, shape: Shape) => Float32Array.from({ length: sizeOf(shape) }, random.normal)

/** Every subset of the axes of a tensor. */
const subsets = (rank: number): number[][] =>
  Array.from({ length: 2 ** rank }, (_, bits) =>
    Array.from({ length: rank }, (_, i) => i).filter((i) => bits & (1 << i)),
  )

describe('sum and max', () => {
  const shapes: Shape[] = [[1], [3], [4, 7], [1, 5, 1], [2, 3, 5], [3, 4, 8], [6, 1, 17], [2, 3, 4, 5], [2, 2, 1, 3, 9]]
  test.each(shapes)('over every subset of the axes of %j', async (...shape) => {
    const random = randomSource(sizeOf(shape))
    const x = placeholder(shape)
    const roots = subsets(shape.length).flatMap((axes) => [
      sum(x, axes),
      max(x, axes, { keepAxes: true }),
      sum(mul(x, x), axes),
    ])
    await expectReference(roots, new Map([[x, integersOf(random, shape)]]))
  })

  test('of 1 to 70 elements, along rows, along columns and between', async () => {
    const random = randomSource(7)
    for (let n = 1; n <= 70; n++) {
      const [rows, columns, between] = [placeholder([3, n]), placeholder([n, 3]), placeholder([2, n, 5])]
      const roots = [sum(rows, [1]), max(rows, [1]), sum(columns, [0]), max(columns, [0])]
      roots.push(sum(between, [1]), max(between, [1]), sum(between, [0, 2]), max(relu(between), [0, 2]))
      const feeds = [rows, columns, between].map((x): [Tensor, number[]] => [x, integersOf(random, x.shape)])
      await expectReference(roots, new Map(feeds))
    }
  })

  test('of every width of kept columns', async () => {
    const random = randomSource(8)
    for (let n = 1; n <= 37; n++) {
      const x = placeholder([6, n])
      await expectReference([sum(x, [0]), max(x, [0])], new Map([[x, integersOf(random, x.shape)]]))
    }
  })

  test.each([509, 512, 4096, 10_007, 65_536])('long sums of reals: %i elements', async (n) => {
    const random = randomSource(n)
    for (const [shape, axes] of [
      [[n], [0]],
      [[n, 3], [0]],
      [[2, n], [1]],
    ] as const) {
      const x = placeholder(shape)
      const values = realsOf(random, shape)
      const [sizes] = referenceValues([sum(x, axes)], new Map([[x, values.map(Math.abs)]]))
      await expectReference([sum(x, axes)], new Map([[x, values]]), (_, i) => (n + 2) * 2 ** -24 * sizes![i]!)
    }
  })

  test('take infinities and NaN', async () => {
    const x = placeholder([5, 6])
    const data = Array.from({ length: 30 }, (_, i) => i)
    data[3] = NaN
    data[8] = Infinity
    data[15] = -Infinity
    data[20] = Infinity
    data[21] = -Infinity
    for (const axes of subsets(2)) await expectReference([sum(x, axes), max(x, axes)], new Map([[x, data]]))
    await expectReference([max(x, [0, 1])], new Map([[x, data.map(() => -Infinity)]]))
  })

  test('of operands that broadcast', async () => {
    const random = randomSource(9)
    const [a, b, c] = [placeholder([3, 1, 7]), placeholder([5, 1]), placeholder([4, 1, 1, 1])]
    const product = add(mul(a, b), c)
    const feeds = new Map([a, b, c].map((x) => [x, integersOf(random, x.shape)]))
    for (const axes of subsets(4)) await expectReference([sum(product, axes), max(product, axes)], feeds)
    for (const shape of [[7], [5, 1], [3, 1, 7], [4, 3, 5, 7], [1]])
      await expectReference([sumTo(product, shape)], feeds)
  })
})

describe('softmax and its loss', () => {
  test.each([1, 2, 3, 10, 33])('%i classes', async (classes) => {
    const random = randomSource(classes)
    const [logits, labels, soft] = [placeholder([9, classes]), placeholder([9]), placeholder([9, classes])]
    const feeds = new Map<Tensor, ArrayLike<number>>([
      [logits, realsOf(random, logits.shape).map((x) => 4 * x)],
      [labels, Array.from({ length: 9 }, () => random.integer(classes))],
      [soft, Array.from({ length: 9 * classes }, () => random.integer(2) / 4)],
    ])
    await expectReference([oneHot(labels, classes)], feeds)
    const tight = ulps(8)
    await expectReference([softmax(logits)], feeds, (y, i, r) => 60 * tight(y, i, r))
    const losses = [softmaxCrossEntropy(logits, labels), softmaxCrossEntropy(logits, soft)]
    await expectReference(losses, feeds, () => 2e-5)
  })

  test('stay finite for huge logits', async () => {
    const [logits, labels] = [placeholder([2, 4]), placeholder([2])]
    const feeds = new Map([
      [logits, [1000, 0, -1000, 999, -1e30, 1e30, 0, 0]],
      [labels, [0, 1]],
    ])
    await expectReference([softmaxCrossEntropy(logits, labels)], feeds, () => 1e-5)
  })

  test('a label outside the classes is a row of zeros', async () => {
    const labels = placeholder([4])
    await expectReference([oneHot(labels, 3)], new Map([[labels, [-1, 3, 1.5, NaN]]]))
  })
})
