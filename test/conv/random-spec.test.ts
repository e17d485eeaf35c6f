// Tests of the tool that the fuzz tests rest on.
import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import { multiplyAccumulates, printSpec } from '../../src/conv/facts.ts'
import { type ConvSpec, dilatedExtent, inputShape, outputShape, outputSize } from '../../src/conv/spec.ts'
import { randomSpec, shrinkSpec } from '../support/random-spec.ts'

const reach = (spec: ConvSpec, axis: number) => dilatedExtent(spec.kernel[axis], spec.dilation[axis])
const whole = (spec: ConvSpec) =>
  spec.input.map((size, axis) =>
    outputSize(size, spec.kernel[axis], spec.stride[axis], spec.dilation[axis], spec.padLow[axis], spec.padHigh[axis]),
  )

const kinds: Record<string, (spec: ConvSpec) => boolean> = {
  'rank 1': ({ rank }) => rank === 1,
  'rank 2': ({ rank }) => rank === 2,
  'rank 3': ({ rank }) => rank === 3,
  'rank 4': ({ rank }) => rank === 4,
  'several images': ({ batch }) => batch > 1,
  'one input channel': ({ inChannels }) => inChannels === 1,
  'one output channel': ({ outChannels }) => outChannels === 1,
  'input channels with a tail of 4': ({ inChannels }) => inChannels > 4 && inChannels % 4 !== 0,
  'output channels with a tail of 4': ({ outChannels }) => outChannels > 4 && outChannels % 4 !== 0,
  'output channels with a tail of 8': ({ outChannels }) => outChannels > 8 && outChannels % 8 !== 0,
  'whole blocks of 8': ({ inChannels, outChannels }) => inChannels % 8 === 0 && outChannels % 8 === 0,
  depthwise: ({ groups, inChannels, outChannels }) => groups > 1 && groups === inChannels && groups === outChannels,
  'depthwise with multiplier': ({ groups, inChannels, outChannels }) =>
    groups > 1 && groups === inChannels && outChannels > groups,
  grouped: ({ groups, inChannels }) => groups > 1 && groups < inChannels,
  pointwise: ({ kernel }) => kernel.every((k) => k === 1),
  '3x3 stride 1': ({ kernel, stride }) => kernel.every((k) => k === 3) && stride.every((s) => s === 1),
  'large kernel': ({ kernel }) => kernel.some((k) => k >= 7),
  'prime stride': ({ stride }) => stride.some((s) => s > 2 && s !== 4),
  'stride beyond the kernel': (spec) => spec.stride.some((s, axis) => s > reach(spec, axis)),
  dilated: ({ dilation }) => dilation.some((d) => d > 1),
  'uneven padding': ({ padLow, padHigh }) => padLow.some((low, axis) => low !== padHigh[axis]),
  cropping: ({ padLow, padHigh }) => [...padLow, ...padHigh].some((pad) => pad < 0),
  'padding beyond the kernel': (spec) => spec.padLow.some((low, axis) => low >= reach(spec, axis)),
  'kernel beyond the input': (spec) => spec.input.some((size, axis) => size < reach(spec, axis)),
  'one input pixel': ({ input }) => input.every((n) => n === 1),
  'one output pixel': ({ output }) => output.every((n) => n === 1),
  'unused last inputs': (spec) =>
    whole(spec).some((n, axis) => {
      const used = spec.stride[axis] * (n - 1) + reach(spec, axis)
      return used < spec.input[axis] + spec.padLow[axis] + spec.padHigh[axis]
    }),
  'fewer outputs than windows': (spec) => whole(spec).some((n, axis) => n > spec.output[axis]),
}

describe('randomSpec', () => {
  const random = randomSource(77)
  const specs = Array.from({ length: 3000 }, () => randomSpec(random, { maxWork: 20_000 }))

  test.each(Object.entries(kinds))('%s comes up', (_, is) => {
    expect(specs.filter(is).length).toBeGreaterThan(30)
  })

  test('keeps the limits', () => {
    for (const spec of specs) {
      expect(multiplyAccumulates(spec)).toBeLessThanOrEqual(20_000)
      expect(Math.max(sizeOf(inputShape(spec)), sizeOf(outputShape(spec)))).toBeLessThanOrEqual(20_000)
      expect(Math.max(spec.inChannels, spec.outChannels)).toBeLessThanOrEqual(40)
    }
    for (let i = 0; i < 300; i++) {
      const small = randomSpec(random, { maxRank: 2, maxChannels: 3, maxWork: 100 })
      expect(small.rank).toBeLessThanOrEqual(2)
      expect(Math.max(small.inChannels, small.outChannels)).toBeLessThanOrEqual(3)
      expect(multiplyAccumulates(small)).toBeLessThanOrEqual(100)
    }
  })

  test('is sound: no output without its window, channels in whole groups', () => {
    for (const spec of specs) {
      whole(spec).forEach((n, axis) => {
        expect(spec.output[axis], printSpec(spec)).toBeLessThanOrEqual(n)
      })
      expect([spec.inChannels % spec.groups, spec.outChannels % spec.groups]).toEqual([0, 0])
    }
  })

  test('a seed gives the same specs', () => {
    const lines = () => {
      const source = randomSource(5)
      return Array.from({ length: 20 }, () => printSpec(randomSpec(source)))
    }
    expect(lines()).toEqual(lines())
  })
})

describe('shrinkSpec', () => {
  const shrunk = async (is: (spec: ConvSpec) => boolean) => {
    const random = randomSource(3)
    for (;;) {
      const spec = randomSpec(random)
      if (is(spec)) return printSpec(await shrinkSpec(spec, is))
    }
  }

  test('finds the smallest spec of a failure', async () => {
    expect(await shrunk(() => true)).toBe('n1 1 c1 -> 1 k1 s1 p0 d1 g1')
    expect(await shrunk(({ outChannels }) => outChannels % 4 === 3)).toBe('n1 1 c1 -> 3 k1 s1 p0 d1 g1')
    expect(await shrunk(({ padLow }) => padLow.some((low) => low < 0))).toBe('n1 2 c1 -> 1 k1 s1 p-1:0 d1 g1')
    expect(await shrunk(({ groups, stride, rank }) => groups > 1 && rank > 1 && stride[1] > 2)).toBe(
      'n1 1x1 c2 -> 2 k1 s1x3 p0 d1 g2',
    )
    expect(await shrunk((spec) => whole(spec).some((n, axis) => n > spec.output[axis]))).toBe(
      'n1 2 c1 -> 1 k1 s1 p0 d1 g1 o1',
    )
  })

  test('takes a judge that takes its time', async () => {
    const spec = randomSpec(randomSource(8))
    const small = await shrinkSpec(spec, async ({ batch }) => {
      await Promise.resolve()
      return batch >= 1
    })
    expect(printSpec(small)).toBe('n1 1 c1 -> 1 k1 s1 p0 d1 g1')
  })
})
