import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { printSpec } from '../../src/conv/facts.ts'
import { inputGradient, kernelGradient, output } from '../../src/conv/reference.ts'
import { type ConvSpec, inputShape, kernelShape, outputShape } from '../../src/conv/spec.ts'
import { at, conv, convTranspose, drawFrom, expectSame, make, type Tensor } from '../support/algebra.ts'
import { randomSpec } from '../support/random-spec.ts'
import { dot, integers, plain, reader, tensor } from '../support/tensors.ts'

const random = randomSource(2024)
const operands = (spec: ConvSpec) => ({
  x: integers(random, inputShape(spec)),
  w: integers(random, kernelShape(spec)),
  g: integers(random, outputShape(spec)),
})

const draw = drawFrom(random)

describe('the three contractions of one trilinear form', () => {
  test('<y, g> = <x, dx> = <w, dw>, exactly, for 300 random specs', () => {
    for (let i = 0; i < 300; i++) {
      const spec = randomSpec(random, { maxWork: 10_000 })
      const { x, w, g } = operands(spec)
      const form = dot(output(spec, x, w), g)
      expect(dot(x, inputGradient(spec, g, w)), printSpec(spec)).toBe(form)
      expect(dot(w, kernelGradient(spec, x, g)), printSpec(spec)).toBe(form)
    }
  })

  test('output is the sum over taps and channels of the zero-padded input', () => {
    for (let i = 0; i < 60; i++) {
      const spec = randomSpec(random, { maxWork: 2000 })
      const { x, w } = operands(spec)
      const [xAt, wAt] = [reader(x, inputShape(spec)), reader(w, kernelShape(spec))]
      const within = spec.inChannels / spec.groups
      const expected = tensor(outputShape(spec), (...index) => {
        const [n, o] = [index[0], index[spec.rank + 1]]
        const first = Math.floor(o / (spec.outChannels / spec.groups)) * within
        let sum = 0
        tensor([...spec.kernel, within], (...tap) => {
          const place = spec.input.map(
            (_, axis) => spec.stride[axis] * index[axis + 1] + spec.dilation[axis] * tap[axis] - spec.padLow[axis],
          )
          sum += xAt(n, ...place, first + tap[spec.rank]) * wAt(...tap, o)
          return 0
        })
        return sum
      })
      expect(plain(output(spec, x, w)), printSpec(spec)).toEqual(plain(expected))
    }
  })

  test('each element of dx and dw is the output of a unit input or kernel against g', () => {
    for (let i = 0; i < 40; i++) {
      const spec = randomSpec(random, { maxWork: 2000 })
      const { x, w, g } = operands(spec)
      const unit = (length: number, one: number) => new Float64Array(length).fill(1, one, one + 1)
      const dx = inputGradient(spec, g, w)
      const dw = kernelGradient(spec, x, g)
      for (let j = 0; j < 10; j++) {
        const [q, k] = [random.integer(x.length), random.integer(w.length)]
        expect(dx[q]).toBe(dot(output(spec, unit(x.length, q), w), g))
        expect(dw[k]).toBe(dot(output(spec, x, unit(w.length, k)), g))
      }
    }
  })
})

describe('identities of the output', () => {
  test('groups = independent convolutions side by side', () => {
    const [groups, c, o] = [3, 2, 4]
    const x = draw(2, 7, 6, groups * c)
    const w = draw(3, 2, c, groups * o)
    const options = { stride: [2, 1], dilation: [1, 2], padding: [[1, 0], 2] } as const
    const parts = Array.from({ length: groups }, (_, group) => {
      const xPart = make([2, 7, 6, c], (n, i, j, channel) => at(x)(n, i, j, group * c + channel))
      const wPart = make([3, 2, c, o], (i, j, from, to) => at(w)(i, j, from, group * o + to))
      return conv(xPart, wPart, options)
    })
    const all = conv(x, w, { ...options, groups })
    const joined = make(all.shape, (n, i, j, k) => at(parts[Math.floor(k / o)])(n, i, j, k % o))
    expectSame(all, joined)
  })

  test('depthwise with multiplier m: output channel c*m + j sees input channel c only', () => {
    const [channels, multiplier] = [5, 3]
    const x = draw(1, 6, 6, channels)
    const w = draw(3, 3, 1, channels * multiplier)
    const y = conv(x, w, { groups: channels, padding: 1 })
    const expected = make(y.shape, (_, i, j, o) => {
      let sum = 0
      for (let a = 0; a < 3; a++)
        for (let b = 0; b < 3; b++)
          sum += at(x)(0, i + a - 1, j + b - 1, Math.floor(o / multiplier)) * at(w)(a, b, 0, o)
      return sum
    })
    expectSame(y, expected)
  })

  test('dilation = a kernel stuffed with zeros', () => {
    const x = draw(1, 13, 11, 3)
    const w = draw(3, 2, 3, 2)
    const stuffed = make([7, 3, 3, 2], (i, j, c, o) => (i % 3 === 0 && j % 2 === 0 ? at(w)(i / 3, j / 2, c, o) : 0))
    const options = { stride: [1, 2], padding: [2, 1] }
    expectSame(conv(x, w, { ...options, dilation: [3, 2] }), conv(x, stuffed, options))
  })

  test('a dilated convolution is an ordinary one on each phase', () => {
    const x = draw(1, 12, 12, 2)
    const w = draw(3, 3, 2, 2)
    const dilated = conv(x, w, { dilation: 2 })
    for (const phase of [0, 1]) {
      const xPhase = make([1, 6, 6, 2], (n, i, j, c) => at(x)(n, 2 * i + phase, 2 * j + phase, c))
      expectSame(
        conv(xPhase, w),
        make([1, 4, 4, 2], (n, i, j, o) => at(dilated)(n, 2 * i + phase, 2 * j + phase, o)),
      )
    }
  })

  test('stride = unit stride, then every s-th output', () => {
    const x = draw(2, 9, 10, 3)
    const w = draw(3, 4, 3, 2)
    const every = conv(x, w, { padding: 2 })
    const strided = conv(x, w, { padding: 2, stride: [3, 2] })
    expectSame(
      strided,
      make(strided.shape, (n, i, j, o) => at(every)(n, 3 * i, 2 * j, o)),
    )
  })

  test('subsampling then convolving = convolving with dilation then subsampling', () => {
    const x = draw(1, 20, 2)
    const w = draw(3, 2, 3)
    const sampled = make([1, 10, 2], (n, i, c) => at(x)(n, 2 * i, c))
    expectSame(conv(sampled, w), conv(x, w, { stride: 2, dilation: 2 }))
  })

  test('1x1 = a matrix product over channels', () => {
    const x = draw(2, 3, 4, 5)
    const w = draw(1, 1, 5, 6)
    const product = make([2, 3, 4, 6], (n, i, j, o) => {
      let sum = 0
      for (let c = 0; c < 5; c++) sum += at(x)(n, i, j, c) * at(w)(0, 0, c, o)
      return sum
    })
    expectSame(conv(x, w), product)
  })

  test('a kernel as large as the input = a dense layer', () => {
    const x = draw(3, 5, 4, 2)
    const w = draw(5, 4, 2, 7)
    const dense = make([3, 1, 1, 7], (n, _i, _j, o) => {
      let sum = 0
      for (let q = 0; q < 40; q++) sum += x.data[n * 40 + q] * w.data[q * 7 + o]
      return sum
    })
    expectSame(conv(x, w), dense)
  })

  test('a rank-1 kernel = a column, then a row', () => {
    const x = draw(1, 8, 9, 1)
    const [column, row] = [draw(3, 1, 1, 1), draw(1, 4, 1, 1)]
    const outer = make([3, 4, 1, 1], (i, j) => at(column)(i, 0, 0, 0) * at(row)(0, j, 0, 0))
    expectSame(conv(x, outer), conv(conv(x, column), row))
  })

  test('depthwise, then pointwise = the standard convolution with the product kernel', () => {
    const x = draw(1, 7, 7, 3)
    const [depthwise, pointwise] = [draw(3, 3, 1, 3), draw(1, 1, 3, 4)]
    const w = make([3, 3, 3, 4], (i, j, c, o) => at(depthwise)(i, j, 0, c) * at(pointwise)(0, 0, c, o))
    const separable = conv(conv(x, depthwise, { groups: 3, padding: 1 }), pointwise)
    expectSame(separable, conv(x, w, { padding: 1 }))
  })

  test('two convolutions = one with the kernels convolved in full', () => {
    const x = draw(1, 12, 1)
    const [first, second] = [draw(3, 1, 1), draw(4, 1, 1)]
    // The adjoint of correlating with one kernel convolves the other with it.
    const both = convTranspose({ ...first, shape: [1, 3, 1] }, second)
    expectSame(conv(conv(x, first), second), conv(x, { ...both, shape: [6, 1, 1] }))
  })

  test('axes of one element: conv1d = conv2d = conv3d', () => {
    const x = draw(2, 9, 3)
    const w = draw(3, 3, 4)
    const y = conv(x, w, { stride: 2, padding: 1 })
    const flat = conv({ ...x, shape: [2, 1, 9, 3] }, { ...w, shape: [1, 3, 3, 4] }, { stride: [1, 2], padding: [0, 1] })
    const deep = conv(
      { ...x, shape: [2, 1, 9, 1, 3] },
      { ...w, shape: [1, 3, 1, 3, 4] },
      { stride: [1, 2, 1], padding: [0, 1, 0] },
    )
    expect(plain(flat.data)).toEqual(plain(y.data))
    expect(plain(deep.data)).toEqual(plain(y.data))
  })

  test('full padding: the sum of the output = the sum of the input times that of the kernel', () => {
    const [x, w] = [draw(1, 6, 5, 1), draw(3, 4, 1, 1)]
    const sum = ({ data }: Tensor) => data.reduce((total, value) => total + value, 0)
    expect(sum(conv(x, w, { padding: 'full' }))).toBe(sum(x) * sum(w))
  })

  test('negative padding crops', () => {
    const [x, w] = [draw(1, 9, 9, 2), draw(3, 3, 2, 2)]
    const cropped = make([1, 6, 8, 2], (n, i, j, c) => at(x)(n, i + 2, j, c))
    expectSame(
      conv(x, w, {
        padding: [
          [-2, -1],
          [0, -1],
        ],
      }),
      conv(cropped, w),
    )
  })

  test('linear in x and in w', () => {
    const options = { stride: 2, padding: 1, groups: 2 }
    const [x1, x2, w1, w2] = [draw(1, 7, 4), draw(1, 7, 4), draw(3, 2, 6), draw(3, 2, 6)]
    const sum = (a: Tensor, b: Tensor) => ({
      shape: a.shape,
      data: a.data.map((value, i) => 3 * value - 2 * b.data[i]),
    })
    expectSame(conv(sum(x1, x2), w1, options), sum(conv(x1, w1, options), conv(x2, w1, options)))
    expectSame(conv(x1, sum(w1, w2), options), sum(conv(x1, w1, options), conv(x1, w2, options)))
  })
})

describe('symmetries', () => {
  const [x, w] = [draw(1, 12, 10, 2), draw(3, 3, 2, 3)]
  const shifted = (by: number) => make(x.shape, (n, i, j, c) => at(x)(n, i - by, j, c))

  test('translation equivariance inside, exact for zero padding too', () => {
    for (const by of [1, 2, 3]) {
      const [y, moved] = [conv(x, w, { padding: 1 }), conv(shifted(by), w, { padding: 1 })]
      for (let i = by + 1; i < 11; i++)
        for (let j = 0; j < 10; j++) expect(at(moved)(0, i, j, 1)).toBe(at(y)(0, i - by, j, 1))
    }
  })

  test('with stride s only for shifts by multiples of s', () => {
    const [y, even, odd] = [0, 2, 1].map((by) => conv(shifted(by), w, { stride: 2 }))
    const rows = (z: Tensor, from: number) => [1, 2, 3, 4].map((i) => at(z)(0, i + from, 2, 0))
    expect(rows(even, 0)).toEqual(rows(y, -1))
    expect(rows(odd, 0)).not.toEqual(rows(y, -1))
  })

  test('around a ring any shift commutes with the convolution', () => {
    const ring = draw(1, 11, 2)
    const kernel = draw(4, 2, 2)
    const turned = (z: Tensor, by: number) => make(z.shape, (n, i, c) => at(z)(n, (i + by) % 11, c))
    const circular = (z: Tensor) =>
      conv(
        make([1, 14, 2], (n, i, c) => at(z)(n, i % 11, c)),
        kernel,
      )
    for (const by of [1, 4, 10]) expectSame(circular(turned(ring, by)), turned(circular(ring), by))
  })

  test('a flipped input with a flipped kernel gives the flipped output', () => {
    const flip = (z: Tensor, axis: number) =>
      make(z.shape, (...index) => at(z)(...index.with(axis, z.shape[axis] - 1 - index[axis])))
    const options = { padding: [1, 2], dilation: [1, 2] }
    expectSame(conv(flip(x, 1), flip(w, 0), options), flip(conv(x, w, options), 1))
  })

  test('a turned input with a turned kernel gives the turned output', () => {
    const turn = (z: Tensor, spatial: number) => {
      const [rows, columns] = [z.shape[spatial], z.shape[spatial + 1]]
      return make(z.shape.with(spatial, columns).with(spatial + 1, rows), (...index) =>
        at(z)(...index.with(spatial, index[spatial + 1]).with(spatial + 1, columns - 1 - index[spatial])),
      )
    }
    expectSame(conv(turn(x, 1), turn(w, 0), { padding: 1 }), turn(conv(x, w, { padding: 1 }), 1))
  })

  test('permuted channels with a permuted kernel change nothing', () => {
    const swap = (z: Tensor, axis: number) => make(z.shape, (...index) => at(z)(...index.with(axis, 1 - index[axis])))
    expectSame(conv(swap(x, 3), swap(w, 2)), conv(x, w))
  })
})
