// Convolutions of whole numbers: exact for every shape, on every target.
import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import { compile } from '../../src/compile.ts'
import type { ConvOptions } from '../../src/conv/spec.ts'
import { conv, gradient, maximum, mul, sum, type Tensor, tensor } from '../../src/graph/index.ts'
import { convInteger } from '../../src/int8.ts'

const random = randomSource(8)
const whole = (shape: readonly number[], low: number, high: number) =>
  Float32Array.from({ length: sizeOf(shape) }, () => low + random.integer(high - low + 1))

interface Case {
  readonly x: readonly number[]
  readonly w: readonly number[]
  readonly options?: ConvOptions
  /** Whether pairs are worth it; otherwise a float algorithm is exact. */
  readonly pairs?: boolean
}

const cases: Record<string, Case> = {
  'a plain 3x3': { x: [1, 8, 8, 8], w: [3, 3, 8, 8], options: { padding: 1 } },
  'an even pad and a stride': { x: [2, 5, 7, 16], w: [3, 3, 16, 12], options: { padding: 1, stride: 2 } },
  'an odd number of channels, one-sided padding, dilation': {
    x: [1, 5, 7, 9],
    w: [3, 2, 9, 13],
    options: {
      padding: [
        [0, 1],
        [2, 0],
      ],
      dilation: 2,
    },
  },
  groups: { x: [1, 6, 6, 32], w: [3, 3, 8, 20], options: { padding: 1, groups: 4 } },
  'odd groups, cropped': { x: [1, 6, 6, 36], w: [3, 3, 9, 20], options: { padding: -1, groups: 4 } },
  '1D': { x: [1, 20, 64], w: [5, 64, 30], options: { padding: 2 } },
  '3D': { x: [1, 4, 5, 6, 10], w: [3, 2, 3, 10, 8], options: { padding: 1 } },
  pointwise: { x: [3, 9, 9, 30], w: [1, 1, 30, 50] },
  'few channels, but more terms than float32 sums exactly': {
    x: [1, 10, 10, 2],
    w: [13, 13, 2, 5],
    options: { padding: 6 },
  },
  'few channels': { x: [1, 9, 9, 3], w: [3, 3, 3, 8], options: { padding: 1 }, pairs: false },
  depthwise: { x: [1, 9, 9, 8], w: [3, 3, 1, 8], options: { padding: 1, groups: 8 }, pairs: false },
}

describe('convInteger', () => {
  test.each(Object.entries(cases))('%s', async (_, { x, w, options = {}, pairs = true }) => {
    const [a, b] = [whole(x, -255, 255), whole(w, -255, 255)]
    const fn = (p: Tensor, q: Tensor) => convInteger(p, q, options)
    const reference = await compile((p, q) => conv(p, q, options), [x, w], { target: 'reference' })(a, b)
    const program = compile(fn, [x, w])
    const algorithms = program.steps.flatMap(({ plan }) => plan?.algorithm ?? [])
    expect(algorithms.includes('int8')).toBe(pairs)
    expect(await program(a, b)).toEqual(reference)
    expect(await compile(fn, [x, w], { target: 'interpreter' })(a, b)).toEqual(reference)
  })
  test('the largest operands, and a sum that is exact only in 32 bits', async () => {
    const [x, w] = [tensor(new Float32Array(2000).fill(-255), [1, 1, 2000]), new Float32Array(8000).fill(255)]
    w[1] = 254
    const y = await convInteger(x, tensor(w, [1, 2000, 4])).data()
    // -130050000 + 255 = -130049745, rounded once
    expect([...y]).toEqual([-130050000, -130049745, -130050000, -130050000].map(Math.fround))
  })
  test('what follows elementwise is computed in the same step', async () => {
    const program = compile(
      (x, w) => maximum(mul(convInteger(x, w), 0.5), 0),
      [
        [1, 4, 16],
        [1, 16, 8],
      ],
    )
    expect(program.steps).toHaveLength(1)
    const [a, b] = [whole([1, 4, 16], -9, 9), whole([1, 16, 8], -9, 9)]
    const expected = await compile(
      (x, w) => maximum(mul(conv(x, w), 0.5), 0),
      [
        [1, 4, 16],
        [1, 16, 8],
      ],
    )(a, b)
    expect(await program(a, b)).toEqual(expected)
  })
  test("its derivative is the convolution's", async () => {
    const [x, w] = [tensor(whole([1, 9, 8], -9, 9), [1, 9, 8]), tensor(whole([3, 8, 8], -9, 9), [3, 8, 8])]
    const of = (y: Tensor) => gradient(sum(mul(y, y)), [x, w])
    const [actual, expected] = [of(convInteger(x, w)), of(conv(x, w))]
    for (const [i, d] of actual.entries()) expect(await d.data()).toEqual(await expected[i]!.data())
  })
})
