// The relations of Dumoulin & Visin, "A guide to convolution arithmetic for deep learning" (2016).
import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { forEachTerm, inputGradient, kernelGradient, output } from '../../src/conv/reference.ts'
import { convSpec, convTransposeSpec, inputShape, kernelShape, outputShape } from '../../src/conv/spec.ts'
import { integers, plain, reader, tensor } from '../support/tensors.ts'

/** One axis: input, kernel, stride, padding on each side, dilation. */
interface Point {
  i: number
  k: number
  s: number
  p: number
  d: number
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n)
const extentOf = ({ k, d }: Point) => k + (k - 1) * (d - 1)
const grid: Point[] = range(1, 12).flatMap((i) =>
  range(1, 5).flatMap((k) =>
    range(1, 4).flatMap((s) => range(0, 4).flatMap((p) => range(1, 3).map((d) => ({ i, k, s, p, d })))),
  ),
)
const fitting = grid.filter((point) => point.i + 2 * point.p >= extentOf(point))
const specOf = ({ i, k, s, p, d }: Point) => convSpec([1, i, 1], [k, 1, 1], { stride: s, padding: p, dilation: d })
/** What the windows of a strided convolution leave over: relation 14's a. */
const leftOver = (point: Point) => (point.i + 2 * point.p - extentOf(point)) % point.s
const show = ({ i, k, s, p, d }: Point) => `i${i} k${k} s${s} p${p} d${d}`

/** Where the windows stand, counted one by one. */
function countWindows(point: Point): number {
  let count = 0
  for (let start = -point.p; start + extentOf(point) <= point.i + point.p; start += point.s) count++
  return count
}

interface Relation {
  title: string
  when: (point: Point) => boolean
  size: (point: Point) => number
  points: number
}

const half = ({ k, p }: Point) => k % 2 === 1 && p === Math.floor(k / 2)

const forward: Relation[] = [
  {
    title: '1 no padding, unit strides',
    when: ({ s, p, d }) => s === 1 && p === 0 && d === 1,
    size: ({ i, k }) => i - k + 1,
    points: 50,
  },
  {
    title: '2 padding, unit strides',
    when: ({ s, d }) => s === 1 && d === 1,
    size: ({ i, k, p }) => i - k + 2 * p + 1,
    points: 287,
  },
  {
    title: '3 half padding',
    when: (at) => half(at) && at.s === 1 && at.d === 1,
    size: ({ i }) => i,
    points: 36,
  },
  {
    title: '4 full padding',
    when: ({ k, s, p, d }) => s === 1 && p === k - 1 && d === 1,
    size: ({ i, k }) => i + (k - 1),
    points: 60,
  },
  {
    title: '5 no padding, strides',
    when: ({ p, d }) => p === 0 && d === 1,
    size: ({ i, k, s }) => Math.floor((i - k) / s) + 1,
    points: 200,
  },
  {
    title: '6 padding, strides',
    when: ({ d }) => d === 1,
    size: ({ i, k, s, p }) => Math.floor((i + 2 * p - k) / s) + 1,
    points: 1148,
  },
  {
    title: '7 pooling',
    when: ({ p, d }) => p === 0 && d === 1,
    size: ({ i, k, s }) => Math.floor((i - k) / s) + 1,
    points: 200,
  },
  {
    title: '15 dilation',
    when: () => true,
    size: ({ i, k, s, p, d }) => Math.floor((i + 2 * p - k - (k - 1) * (d - 1)) / s) + 1,
    points: fitting.length,
  },
]

/** `back` gives o' from i', the output of the convolution; `pad` is p' of the equivalent direct convolution. */
interface Transposed extends Omit<Relation, 'size'> {
  back: (size: number, point: Point) => number
  pad: (point: Point) => number
}

const transposed: Transposed[] = [
  {
    title: '8 no padding, unit strides, transposed',
    when: ({ s, p, d }) => s === 1 && p === 0 && d === 1,
    back: (size, { k }) => size + (k - 1),
    pad: ({ k }) => k - 1,
    points: 50,
  },
  {
    title: '9 padding, unit strides, transposed',
    when: ({ s, d }) => s === 1 && d === 1,
    back: (size, { k, p }) => size + (k - 1) - 2 * p,
    pad: ({ k, p }) => k - p - 1,
    points: 287,
  },
  {
    title: '10 half padding, transposed',
    when: (at) => half(at) && at.s === 1 && at.d === 1,
    back: (size) => size,
    pad: ({ p }) => p,
    points: 36,
  },
  {
    title: '11 full padding, transposed',
    when: ({ k, s, p, d }) => s === 1 && p === k - 1 && d === 1,
    back: (size, { k }) => size - (k - 1),
    pad: () => 0,
    points: 60,
  },
  {
    title: '12 no padding, strides, transposed',
    when: (at) => at.p === 0 && at.d === 1 && leftOver(at) === 0,
    back: (size, { k, s }) => s * (size - 1) + k,
    pad: ({ k }) => k - 1,
    points: 108,
  },
  {
    title: '13 padding, strides, transposed',
    when: (at) => at.d === 1 && leftOver(at) === 0,
    back: (size, { k, s, p }) => s * (size - 1) + k - 2 * p,
    pad: ({ k, p }) => k - p - 1,
    points: 604,
  },
  {
    title: '14 padding, strides, transposed (odd)',
    when: ({ d }) => d === 1,
    back: (size, at) => at.s * (size - 1) + leftOver(at) + at.k - 2 * at.p,
    pad: ({ k, p }) => k - p - 1,
    points: 1148,
  },
  {
    title: '14 with dilation',
    when: () => true,
    back: (size, at) => at.s * (size - 1) + leftOver(at) + at.d * (at.k - 1) + 1 - 2 * at.p,
    pad: (at) => extentOf(at) - at.p - 1,
    points: fitting.length,
  },
]

describe('output sizes over the grid i <= 12, k <= 5, s <= 4, p <= 4, d <= 3', () => {
  test.each(forward)('relation $title', ({ when, size, points }) => {
    const chosen = fitting.filter(when)
    expect(chosen).toHaveLength(points)
    for (const point of chosen) {
      const spec = specOf(point)
      expect(spec.output, show(point)).toEqual([size(point)])
      expect(countWindows(point), show(point)).toBe(size(point))
      const ones = new Float64Array(12).fill(1)
      expect(output(spec, ones, ones), show(point)).toHaveLength(size(point))
    }
  })

  test('the kernel is refused exactly where no window fits', () => {
    for (const point of grid) {
      const fits = countWindows(point) > 0
      if (fits) expect(() => specOf(point)).not.toThrow()
      else expect(() => specOf(point), show(point)).toThrow('larger than the padded input')
    }
  })

  test('relation 6: s input sizes share one output size', () => {
    for (const point of fitting.filter((at) => leftOver(at) === 0))
      for (let a = 0; a <= point.s; a++) {
        const same = specOf({ ...point, i: point.i + a }).output[0] === specOf(point).output[0]
        expect(same, `${show(point)} a${a}`).toBe(a < point.s)
      }
  })
})

describe('transposed convolutions over the grid', () => {
  const random = randomSource(5)

  test.each(transposed)('relation $title', ({ when, back, pad, points }) => {
    const chosen = fitting.filter(when)
    expect(chosen).toHaveLength(points)
    for (const point of chosen) {
      const { i, k, s, p, d } = point
      const a = leftOver(point)
      const conv = specOf(point)
      const size = conv.output[0]
      const options = { stride: s, padding: p, dilation: d, outputPadding: a }
      const spec = convTransposeSpec([1, size, 1], [k, 1, 1], options)
      expect(back(size, point), show(point)).toBe(i)
      expect(spec, show(point)).toEqual(conv)

      // The same values by a direct convolution of the stretched, padded input with the flipped kernel.
      const g = integers(random, [size])
      const w = integers(random, [k])
      const stretched = tensor([s * (size - 1) + 1], (at) => (at % s === 0 ? g[at / s] : 0))
      const direct = convSpec([1, stretched.length, 1], [k, 1, 1], {
        padding: [[pad(point), pad(point) + a]],
        dilation: d,
      })
      const values = inputGradient(spec, g, w)
      expect(values, show(point)).toHaveLength(i)
      expect(plain(values), show(point)).toEqual(plain(output(direct, stretched, w.toReversed())))
    }
  })
})

/** The guide's drawn examples, two-dimensional: i, o, p, k, s, d and a. */
const drawn = [
  { i: 4, o: 2, p: 0, k: 3, s: 1, d: 1, a: 0 },
  { i: 5, o: 6, p: 2, k: 4, s: 1, d: 1, a: 0 },
  { i: 5, o: 5, p: 1, k: 3, s: 1, d: 1, a: 0 },
  { i: 5, o: 7, p: 2, k: 3, s: 1, d: 1, a: 0 },
  { i: 5, o: 2, p: 0, k: 3, s: 2, d: 1, a: 0 },
  { i: 5, o: 3, p: 1, k: 3, s: 2, d: 1, a: 0 },
  { i: 6, o: 3, p: 1, k: 3, s: 2, d: 1, a: 1 },
  { i: 7, o: 3, p: 0, k: 3, s: 1, d: 2, a: 0 },
]

describe("the guide's examples", () => {
  test.each(drawn)('i=$i p=$p k=$k s=$s d=$d: both ways, with channels', ({ i, o, p, k, s, d, a }) => {
    const random = randomSource(i * 100 + k)
    const [c, f] = [3, 2]
    const conv = convSpec([2, i, i, c], [k, k, c, f], { stride: s, padding: p, dilation: d })
    expect(conv.output).toEqual([o, o])
    const options = { stride: s, padding: p, dilation: d, outputPadding: a }
    const spec = convTransposeSpec([2, o, o, f], [k, k, c, f], options)
    expect(spec).toEqual(conv)

    const g = integers(random, outputShape(spec))
    const w = integers(random, kernelShape(spec))
    const [gAt, wAt] = [reader(g, outputShape(spec)), reader(w, kernelShape(spec))]
    const long = s * (o - 1) + 1
    const stretched = tensor([2, long, long, f], (n, y, x, channel) =>
      y % s === 0 && x % s === 0 ? gAt(n, y / s, x / s, channel) : 0,
    )
    const flipped = tensor([k, k, f, c], (y, x, from, to) => wAt(k - 1 - y, k - 1 - x, to, from))
    const pad = d * (k - 1) - p
    const pads: [number, number][] = [
      [pad, pad + a],
      [pad, pad + a],
    ]
    const direct = convSpec([2, long, long, f], [k, k, f, c], { padding: pads, dilation: d })
    expect(plain(inputGradient(spec, g, w))).toEqual(plain(output(direct, stretched, flipped)))
  })

  test('a 3x3 kernel on 4x4 is a 4x16 matrix, the transposed convolution its transpose', () => {
    const spec = convSpec([1, 4, 4, 1], [3, 3, 1, 1])
    const matrix = Array.from({ length: 4 }, () => new Array<string>(16).fill('0'))
    forEachTerm(spec, (x, w, y) => {
      matrix[y][x] = `w${Math.floor(w / 3)}${w % 3}`
    })
    expect(matrix.map((row) => row.join(' '))).toEqual([
      'w00 w01 w02 0 w10 w11 w12 0 w20 w21 w22 0 0 0 0 0',
      '0 w00 w01 w02 0 w10 w11 w12 0 w20 w21 w22 0 0 0 0',
      '0 0 0 0 w00 w01 w02 0 w10 w11 w12 0 w20 w21 w22 0',
      '0 0 0 0 0 w00 w01 w02 0 w10 w11 w12 0 w20 w21 w22',
    ])
  })

  const X = [3, 3, 2, 1, 0, 0, 0, 1, 3, 1, 3, 1, 2, 2, 3, 2, 0, 0, 2, 2, 2, 0, 0, 0, 1]
  const K = [0, 1, 2, 2, 2, 0, 0, 1, 2]
  const valid = convSpec([1, 5, 5, 1], [3, 3, 1, 1])

  test('the numbers of the discrete convolution', () => {
    expect([...output(valid, X, K)]).toEqual([12, 12, 17, 10, 17, 19, 9, 6, 14])
    const strided = convSpec([1, 5, 5, 1], [3, 3, 1, 1], { padding: 1, stride: 2 })
    expect([...output(strided, X, K)]).toEqual([6, 17, 3, 8, 17, 13, 6, 4, 4])
  })

  test('the numbers of average and maximum pooling', () => {
    const ninths = output(valid, X, new Array<number>(9).fill(1))
    expect(Array.from(ninths, (sum) => (sum / 9).toFixed(1)).join(' ')).toBe('1.7 1.7 1.7 1.0 1.2 1.8 1.1 0.8 1.3')
    const largest = new Array<number>(9).fill(Number.NEGATIVE_INFINITY)
    forEachTerm(valid, (x, _, y) => {
      largest[y] = Math.max(largest[y], X[x])
    })
    expect(largest).toEqual([3, 3, 3, 3, 3, 3, 3, 2, 3])
  })
})

describe('examples of "Dive into Deep Learning", chapter 7', () => {
  test('cross-correlation of 3x3 with 2x2', () => {
    const spec = convSpec([1, 3, 3, 1], [2, 2, 1, 1])
    expect([...output(spec, [0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 2, 3])]).toEqual([19, 25, 37, 43])
  })

  test.each([
    { kernel: [3, 3], padding: 1, stride: 1, expected: [8, 8] },
    { kernel: [5, 3], padding: [2, 1], stride: 1, expected: [8, 8] },
    { kernel: [3, 3], padding: 1, stride: 2, expected: [4, 4] },
    { kernel: [3, 5], padding: [0, 1], stride: [3, 4], expected: [2, 2] },
  ])('8x8 with kernel $kernel, padding $padding, stride $stride', ({ kernel, padding, stride, expected }) => {
    expect(convSpec([1, 8, 8, 1], [...kernel, 1, 1], { padding, stride }).output).toEqual(expected)
  })

  test('its formulas, with p = total padding: n-k+p+1 and floor((n-k+p+s)/s)', () => {
    for (const point of fitting.filter(({ d }) => d === 1)) {
      const { i: n, k, s } = point
      const p = 2 * point.p
      expect(specOf(point).output[0]).toBe(Math.floor((n - k + p + s) / s))
      if (s === 1) expect(specOf(point).output[0]).toBe(n - k + p + 1)
    }
  })

  const image = tensor([6, 8], (_, x) => (x >= 2 && x <= 5 ? 0 : 1))
  const spec = convSpec([1, 6, 8, 1], [1, 2, 1, 1])

  test('the edge detector [1, -1] finds vertical edges only', () => {
    const row = [0, 1, 0, 0, 0, -1, 0]
    expect([...output(spec, image, [1, -1])]).toEqual(Array.from({ length: 6 }, () => row).flat())
    const turned = tensor([8, 6], (y, x) => reader(image, [6, 8])(x, y))
    const edges = output(convSpec([1, 8, 6, 1], [1, 2, 1, 1]), turned, [1, -1])
    expect([...edges]).toEqual(new Array(40).fill(0))
  })

  test('gradient descent learns the edge detector in 10 steps', () => {
    const wanted = output(spec, image, [1, -1])
    let w = [0, 0]
    for (let step = 0; step < 10; step++) {
      const slope = output(spec, image, w).map((value, i) => 2 * (value - wanted[i]))
      const dw = kernelGradient(spec, image, slope)
      w = w.map((value, i) => value - 0.03 * dw[i])
    }
    expect(Math.hypot(w[0] - 1, w[1] + 1)).toBeLessThan(0.15)
  })

  test('shapes of x, w and y', () => {
    expect([inputShape(spec), kernelShape(spec), outputShape(spec)]).toEqual([
      [1, 6, 8, 1],
      [1, 2, 1, 1],
      [1, 6, 7, 1],
    ])
  })
})
