import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import {
  bytesMoved,
  explainOutput,
  multiplyAccumulates,
  parameterCount,
  printSpec,
  type ReceptiveFieldStep,
  receptiveFields,
} from '../../src/conv/facts.ts'
import { parseSpec } from '../../src/conv/notation.ts'
import { forEachTerm, inputGradient } from '../../src/conv/reference.ts'
import { type ConvSpec, convSpec, convTransposeSpec, kernelShape } from '../../src/conv/spec.ts'
import { randomSpec } from '../support/random-spec.ts'

const sizes = (layers: ReceptiveFieldStep[]) => receptiveFields(layers).map(({ size }) => size)
const repeat = (count: number, layer: ReceptiveFieldStep) => Array.from({ length: count }, () => layer)
const pool = { kernel: 2, stride: 2 }
const pool3 = { kernel: 3, stride: 2 }

describe('receptive fields', () => {
  test('LeNet-5', () => {
    const layers = [{ kernel: 5 }, pool, { kernel: 5 }, pool, { kernel: 5 }]
    expect(sizes(layers)).toEqual([5, 6, 14, 16, 32])
    expect(receptiveFields(layers).map(({ jump }) => jump)).toEqual([1, 2, 2, 4, 4])
    expect(receptiveFields(layers).map(({ start }) => start)).toEqual([2, 2.5, 6.5, 7.5, 15.5])
  })

  test('AlexNet', () => {
    const conv = { kernel: 3, padLow: 1 }
    const layers = [{ kernel: 11, stride: 4 }, pool3, { kernel: 5, padLow: 2 }, pool3, conv, conv, conv, pool3]
    expect(sizes(layers)).toEqual([11, 19, 51, 67, 99, 131, 163, 195])
    expect(receptiveFields(layers).at(-1)).toEqual({ size: 195, jump: 32, start: 33 })
  })

  test('the context module of Yu & Koltun: dilations 1 1 2 4 8 16 1, then 1x1', () => {
    const layers = [1, 1, 2, 4, 8, 16, 1].map((dilation) => ({ kernel: 3, dilation, padLow: dilation }))
    const fields = receptiveFields([...layers, { kernel: 1 }])
    expect(fields.map(({ size }) => size)).toEqual([3, 5, 9, 17, 33, 65, 67, 67])
    expect(fields.every(({ start, jump }) => start === 0 && jump === 1)).toBe(true)
  })

  test('their front end: VGG-16 without its last two poolings', () => {
    const conv = { kernel: 3 }
    const layers = [
      ...[conv, conv, pool],
      ...[conv, conv, pool],
      ...[...repeat(3, conv), pool],
      ...repeat(3, conv),
      ...repeat(3, { kernel: 3, dilation: 2 }),
      ...[{ kernel: 7, dilation: 4 }, { kernel: 1 }, { kernel: 1 }],
    ]
    expect(receptiveFields(layers).at(-1)).toEqual({ size: 380, jump: 8, start: 189.5 })
  })

  test('stacked 3x3 with dilations 2^i see 2^(i+2) - 1', () => {
    const layers = Array.from({ length: 10 }, (_, i) => ({ kernel: 3, dilation: 2 ** i }))
    expect(sizes(layers)).toEqual(layers.map((_, i) => 2 ** (i + 2) - 1))
  })

  test('no layers, no fields', () => {
    expect(receptiveFields([])).toEqual([])
  })

  test('are what the gradient of one output touches first and last', () => {
    const random = randomSource(11)
    for (let trial = 0; trial < 30; trial++) {
      const layers = Array.from({ length: 3 }, () => ({
        kernel: 1 + random.integer(4),
        stride: 1 + random.integer(2),
        dilation: 1 + random.integer(2),
        padLow: random.integer(3),
      }))
      let length = 200
      const specs = layers.map(({ kernel, stride, dilation, padLow }) => {
        const spec = convSpec([1, length, 1], [kernel, 1, 1], { stride, dilation, padding: [[padLow, 0]] })
        length = spec.output[0]
        return spec
      })
      const middle = Math.floor(length / 2)
      let gradient: Float64Array = new Float64Array(length).fill(1, middle, middle + 1)
      for (const spec of specs.reverse()) gradient = inputGradient(spec, gradient, new Float64Array(4).fill(1))
      const { size, jump, start } = receptiveFields(layers)[2]
      const touched = [...gradient.keys()].filter((i) => gradient[i] > 0)
      const centre = start + middle * jump
      expect([touched[0], touched.at(-1)]).toEqual([centre - (size - 1) / 2, centre + (size - 1) / 2])
    }
  })
})

describe('parameters and multiply-accumulates', () => {
  const positions = (spec: ConvSpec) => multiplyAccumulates(spec) / (spec.batch * spec.output.reduce((a, b) => a * b))

  test.each([
    ['standard', convSpec([1, 9, 9, 6], [3, 3, 6, 4]), 9 * 6 * 4],
    ['grouped', convSpec([3, 9, 9, 6], [3, 3, 3, 4], { groups: 2, stride: 2 }), (9 * 6 * 4) / 2],
    ['depthwise', convSpec([1, 9, 9, 6], [3, 3, 1, 12], { groups: 6, padding: 1 }), 9 * 6 * 2],
    ['pointwise', convSpec([1, 9, 9, 6], [1, 1, 6, 4]), 6 * 4],
    ['dilated', convSpec([1, 9, 9, 6], [3, 3, 6, 4], { dilation: 3 }), 9 * 6 * 4],
    ['1D', convSpec([1, 9, 6], [5, 6, 4]), 5 * 6 * 4],
    ['3D', convSpec([1, 5, 9, 9, 6], [3, 5, 7, 6, 4], { padding: 'same' }), 3 * 5 * 7 * 6 * 4],
    ['transposed, per input', convTransposeSpec([2, 4, 4, 6], [3, 3, 4, 6], { stride: 2 }), 9 * 6 * 4],
  ])('%s', (_, spec, perPosition) => {
    expect(positions(spec)).toBe(perPosition)
    expect(parameterCount(spec)).toBe(perPosition)
  })

  test('the multiply-accumulates without padding are the terms of the sum', () => {
    const spec = convSpec([2, 9, 8, 6], [3, 2, 3, 4], { groups: 2, stride: [2, 1], dilation: [1, 3] })
    let terms = 0
    forEachTerm(spec, () => terms++)
    expect(multiplyAccumulates(spec)).toBe(terms)
    const padded = convSpec([2, 9, 8, 6], [3, 2, 3, 4], { groups: 2, padding: 1 })
    terms = 0
    forEachTerm(padded, () => terms++)
    expect(multiplyAccumulates(padded)).toBeGreaterThan(terms)
  })

  test.each([
    [3, 728, 728, 4_769_856, 536_536],
    [5, 96, 256, 614_400, 26_976],
  ])('%dx%d %d -> %d: standard and depthwise separable', (k, from, to, standard, separable) => {
    const whole = convSpec([1, 19, 19, from], [k, k, from, to], { padding: 'same' })
    const depthwise = convSpec([1, 19, 19, from], [k, k, 1, from], { groups: from, padding: 'same' })
    const pointwise = convSpec([1, 19, 19, from], [1, 1, from, to])
    expect(parameterCount(whole)).toBe(standard)
    expect(parameterCount(depthwise) + parameterCount(pointwise)).toBe(separable)
    const ratio = (multiplyAccumulates(depthwise) + multiplyAccumulates(pointwise)) / multiplyAccumulates(whole)
    expect(ratio).toBeCloseTo(1 / to + 1 / k ** 2, 12)
  })

  test('AlexNet: 60,965,224 parameters with its 10,568 biases, 724.4 million multiply-accumulates', () => {
    const layers = [
      'n1 227x227 c3 -> 96 k11 s4',
      'n1 27x27 c96 -> 256 k5 p2 g2',
      'n1 13x13 c256 -> 384 k3 p1',
      'n1 13x13 c384 -> 384 k3 p1 g2',
      'n1 13x13 c384 -> 256 k3 p1 g2',
      'n1 6x6 c256 -> 4096 k6',
      'n1 1x1 c4096 -> 4096 k1',
      'n1 1x1 c4096 -> 1000 k1',
    ].map(parseSpec)
    const total = (count: (spec: ConvSpec) => number) => layers.reduce((sum, spec) => sum + count(spec), 0)
    expect(total((spec) => spec.outChannels)).toBe(10_568)
    expect(total(parameterCount) + 10_568).toBe(60_965_224)
    expect((total(multiplyAccumulates) / 1e6).toFixed(1)).toBe('724.4')
    expect(layers.map(({ output }) => output[0])).toEqual([55, 27, 13, 13, 13, 1, 1, 1])
  })

  test('bytesMoved counts x, w and y as float32', () => {
    expect(bytesMoved(convSpec([2, 5, 5, 3], [3, 3, 3, 4]))).toBe(4 * (150 + 108 + 72))
  })
})

describe('text', () => {
  test.each([
    ['n1 56x56 c64 -> 64 k3 s1 p1 d1 g1', convSpec([1, 56, 56, 64], [3, 3, 64, 64], { padding: 1 })],
    ['n2 9 c4 -> 6 k5 s2 p4:0 d1 g2', convSpec([2, 9, 4], [5, 2, 6], { stride: 2, padding: 'causal', groups: 2 })],
    [
      'n1 8x9x7 c1 -> 2 k3x1x2 s1x2x3 p0x1x-1 d2x1x1 g1',
      convSpec([1, 8, 9, 7, 1], [3, 1, 2, 1, 2], { stride: [1, 2, 3], dilation: [2, 1, 1], padding: [0, 1, -1] }),
    ],
    [
      'n1 6x6 c1 -> 1 k3x2 s2 p0:1x-1:0 d1 g1',
      convSpec([1, 6, 6, 1], [3, 2, 1, 1], {
        stride: 2,
        padding: [
          [0, 1],
          [-1, 0],
        ],
      }),
    ],
    [
      'n1 12 c2 -> 3 k2 s2 p2 d5 g1 o4',
      convTransposeSpec([1, 4, 3], [2, 2, 3], { stride: 2, dilation: 5, padding: 2, outputPadding: 4 }),
    ],
  ])('%s', (line, spec) => {
    expect(printSpec(spec)).toBe(line)
    expect(parseSpec(line)).toEqual(spec)
  })

  test('parseSpec(printSpec(spec)) is the spec, for 1000 random ones', () => {
    const random = randomSource(12)
    for (let i = 0; i < 1000; i++) {
      const spec = randomSpec(random)
      expect(parseSpec(printSpec(spec)), printSpec(spec)).toEqual(spec)
    }
  })

  test('n, s, p, d and g may be left out, in any order, with padding by strategy', () => {
    expect(parseSpec('8x8 c3->5 k3')).toEqual(convSpec([1, 8, 8, 3], [3, 3, 3, 5]))
    const options = { padding: 'sameLower', stride: 2, groups: 3 } as const
    expect(parseSpec(' n4  8x8 c3 -> 6 g3 psameLower s2 k4x2 ')).toEqual(convSpec([4, 8, 8, 3], [4, 2, 1, 6], options))
    expect(kernelShape(parseSpec('9 c4 -> 4 k3 pcausal g4'))).toEqual([3, 1, 4])
  })

  test('explainOutput puts the numbers into the formula', () => {
    expect(
      explainOutput(convSpec([1, 224, 9, 3], [7, 3, 3, 64], { stride: 2, padding: [[2, 3], -1], dilation: [1, 2] })),
    ).toEqual(['floor((224 + 2 + 3 - 1*(7-1) - 1) / 2) + 1 = 112', 'floor((9 + -1 + -1 - 2*(3-1) - 1) / 2) + 1 = 2'])
  })
})
