import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import { convSpec, convTransposeSpec, inputShape, kernelShape } from '../../src/conv/spec.ts'
import { at, conv, convTranspose, drawFrom, expectSame, make } from '../support/algebra.ts'
import { plain } from '../support/tensors.ts'

const draw = drawFrom(randomSource(2025))

describe('the transposed convolution', () => {
  test('scatters each input times the kernel', () => {
    const y = convTranspose(
      make([1, 2, 1], (_, i) => [1, 10][i]),
      make([3, 1, 1], (k) => k + 1),
      { stride: 2 },
    )
    expect([y.shape, [...y.data]]).toEqual([
      [1, 5, 1],
      [1, 2, 13, 20, 30],
    ])
  })

  test('outputPadding adds outputs at the end and changes none', () => {
    const [x, w] = [draw(1, 4, 3), draw(3, 2, 3)]
    const plainOne = convTranspose(x, w, { stride: 3, padding: 1 })
    for (const outputPadding of [0, 1, 2]) {
      const longer = convTranspose(x, w, { stride: 3, padding: 1, outputPadding })
      expect(longer.shape).toEqual([1, 10 + outputPadding, 2])
      expect(plain(longer.data.subarray(0, 20))).toEqual(plain(plainOne.data))
    }
    // The first added output is one that the padding had cut off, the next lies beyond all taps.
    const uncut = convTranspose(x, w, { stride: 3 })
    const longest = convTranspose(x, w, { stride: 3, padding: 1, outputPadding: 2 })
    expect(at(longest)(0, 10, 1)).toBe(at(uncut)(0, 11, 1))
    expect(plain(longest.data.subarray(22))).toEqual([0, 0])
  })

  test('outputPadding up to the dilation, beyond the stride', () => {
    const [x, w] = [draw(1, 4, 3), draw(2, 2, 3)]
    const uncut = convTranspose(x, w, { stride: 2, dilation: 5 })
    expect(uncut.shape).toEqual([1, 12, 2])
    for (const outputPadding of [2, 3, 4]) {
      const options = { stride: 2, dilation: 5, padding: 2, outputPadding }
      const spec = convTransposeSpec(x.shape, w.shape, options)
      expect([spec.input, spec.output]).toEqual([[8 + outputPadding], [4]])
      const y = convTranspose(x, w, options)
      expectSame(
        y,
        make([1, 8 + outputPadding, 2], (n, i, o) => at(uncut)(n, i + 2, o)),
      )
    }
  })

  test("'same' gives i * s, whatever the kernel, and inverts the sizes of 'same'", () => {
    for (const padding of ['same', 'sameLower'] as const)
      for (const i of [1, 2, 5])
        for (const k of [1, 2, 3, 4, 7])
          for (const s of [1, 2, 3, 5])
            for (const d of [1, 2, 4]) {
              const options = { stride: s, dilation: d, padding }
              const spec = convTransposeSpec([1, i, 1], [k, 1, 1], options)
              expect(spec.input).toEqual([i * s])
              expect(spec).toEqual(convSpec([1, i * s, 1], [k, 1, 1], options))
            }
  })

  test('the sizes of valid, full and of per-axis options', () => {
    const spec = convTransposeSpec([2, 4, 5, 6], [3, 4, 2, 6], {
      stride: [2, 3],
      dilation: [1, 2],
      padding: [
        [0, 1],
        [-1, 2],
      ],
      outputPadding: [1, 0],
      groups: 3,
    })
    expect([spec.input, spec.output]).toEqual([
      [9, 18],
      [4, 5],
    ])
    expect([inputShape(spec), kernelShape(spec)]).toEqual([
      [2, 9, 18, 6],
      [3, 4, 2, 6],
    ])
    const size = (padding: 'valid' | 'full') => convTransposeSpec([1, 7, 1], [4, 1, 1], { stride: 3, padding }).input[0]
    expect([size('valid'), size('full')]).toEqual([7 * 3 + 4 - 3, 7 * 3 - (3 + 4 - 2)])
  })

  test('ones by ones are even inside exactly when the stride divides the kernel', () => {
    const inside = (k: number, s: number) => {
      const ones = make([1, 9, 1], () => 1)
      const y = convTranspose(ones, { shape: [k, 1, 1], data: new Float64Array(k).fill(1) }, { stride: s })
      return new Set(y.data.subarray(k, -k)).size
    }
    for (const k of [1, 2, 3, 4, 5, 6]) for (const s of [1, 2, 3]) expect(inside(k, s) === 1).toBe(k % s === 0)
  })

  test('sub-pixel identity: = one convolution per phase, interleaved', () => {
    const [k, s, c, o] = [6, 3, 2, 2]
    const [x, w] = [draw(1, 5, c), draw(k, o, c)]
    const taps = k / s
    const phases = make([taps, c, s * o], (t, from, to) => at(w)(s * (taps - 1 - t) + Math.floor(to / o), to % o, from))
    const y = conv(x, phases, { padding: 'full' })
    expectSame(convTranspose(x, w, { stride: s }), { shape: [1, sizeOf(y.shape) / o, o], data: y.data })
  })
})
