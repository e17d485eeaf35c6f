import { expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import { convSpec, inputShape, kernelShape, outputShape } from '../../src/conv/spec.ts'
import { contract } from '../../src/graph/conv.ts'
import { placeholder } from '../../src/graph/tensor.ts'
import { choose } from '../../src/plan/choose.ts'
import { fft } from '../../src/plan/fft.ts'
import { expectReference } from '../support/compare.ts'
import { featureSets } from '../support/run-steps.ts'

/** What docs/precision.md states: three transforms of `stages` stages, products and sums over channels. */
const boundOf = (stages: number, channels: number, x: Float32Array, w: Float32Array) =>
  (27 * stages + channels + 4) * 2 ** -24 * Math.hypot(...x) * w.reduce((sum, value) => sum + Math.abs(value), 0)

test('random convolutions of one and two axes lie within the bound, forwards and backwards', async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = randomSource(seed)
    const rank = 1 + random.integer(2)
    const kernel = Array.from({ length: rank }, () => (rank === 1 ? 64 + random.integer(30) : 8 + random.integer(5)))
    const input = kernel.map((k) => k + random.integer(rank === 1 ? 90 : 14))
    const depthwise = random.integer(2) === 0
    const [c, o] = [1 + random.integer(6), 1 + random.integer(6)]
    const batch = 1 + random.integer(3)
    const shape = [...kernel, depthwise ? 1 : c, depthwise ? c : o]
    const base = convSpec([batch, ...input, c], shape, { padding: random.integer(6), groups: depthwise ? c : 1 })
    const spec = { ...base, algorithm: { ...fft, plan: forced } }
    for (const contraction of ['output', 'inputGradient'] as const) {
      expect(choose(contraction, spec, featureSets.relaxed).plan.algorithm).toBe('fft')
      const a = placeholder(contraction === 'output' ? inputShape(spec) : outputShape(spec))
      const b = placeholder(kernelShape(spec))
      const y = contract(contraction, spec, a, b)
      const [x, w] = [a, b].map((t) => Float32Array.from({ length: sizeOf(t.shape) }, random.normal)) as [
        Float32Array,
        Float32Array,
      ]
      const stages = input.reduce((sum, n, i) => sum + Math.ceil(Math.log2(n + 2 * kernel[i]! + 12)), 0)
      const bound = boundOf(stages, Math.max(c, o), x, w)
      const feeds = new Map([
        [a, x],
        [b, w],
      ])
      await expectReference([y], feeds, () => bound)
    }
  }
})

/** Taken wherever it can be, whatever it costs. */
const forced: typeof fft.plan = (contraction, spec, features) =>
  fft.plan(contraction, spec, { ...features, algorithm: 'fft' })

test('it is chosen where it is asked for, for large kernels, and refuses the others with a reason', () => {
  const answer = (x: number[], w: number[], options = {}, precision: 'fast' | 'direct' = 'fast') =>
    fft.plan('output', convSpec(x, w, options), { ...featureSets.relaxed, precision })
  const large = convSpec([1, 56, 56, 96], [31, 31, 1, 96], { padding: 15, groups: 96 })
  expect(choose('output', large, featureSets.relaxed).plan.algorithm).toBe('depthwise')
  expect(choose('output', { ...large, algorithm: fft }, featureSets.relaxed).plan.algorithm).toBe('fft')
  const refusals = [
    answer([1, 9, 9, 4], [3, 3, 4, 4]),
    answer([1, 60, 60, 4], [31, 31, 4, 4], { stride: 2 }),
    answer([1, 60, 60, 4], [31, 31, 2, 4], { groups: 2 }),
    answer([1, 60, 60, 4], [31, 31, 4, 4], {}, 'direct'),
    fft.plan('kernelGradient', large, featureSets.relaxed),
  ]
  expect(refusals.map((refusal) => ('refused' in refusal ? refusal.refused : 'taken'))).toEqual([
    'the kernel is small',
    'stride and dilation must be 1',
    '2 groups mix channels',
    "precision is 'direct'",
    'only outputs and gradients of the input',
  ])
})
