import { describe, expect, test } from 'vitest'
import { explain, type LayerExplanation } from '../../src/nn/explain.ts'
import { printExplanation } from '../../src/nn/explain-text.ts'
import {
  averagePool2d,
  conv2d,
  convTranspose2d,
  dense,
  flatten,
  maxPool2d,
  relu,
  separableConv2d,
  sequential,
} from '../../src/nn/index.ts'

const model = sequential(
  [9, 7, 2],
  [
    conv2d(8, [3, 5], { stride: 2, padding: 1, activation: 'relu' }),
    convTranspose2d(4, 3, { stride: 2, outputPadding: 1 }),
    maxPool2d(2),
    relu(),
    separableConv2d(6, 3),
    averagePool2d(2),
    flatten(),
    dense(3),
  ],
)
const contractions = (plans: LayerExplanation['plans']) => plans.map(({ contraction }) => contraction)

describe('explain', () => {
  test('formulas with numbers put in', async () => {
    const { layers } = await explain(model)
    expect(layers.map(({ formulas }) => formulas)).toEqual([
      ['floor((9 + 1 + 1 - 1*(3-1) - 1) / 2) + 1 = 5', 'floor((7 + 1 + 1 - 1*(5-1) - 1) / 2) + 1 = 3'],
      ['(5 - 1)*2 - 0 - 0 + 1*(3-1) + 1 + 1 = 12', '(3 - 1)*2 - 0 - 0 + 1*(3-1) + 1 + 1 = 8'],
      ['floor((12 + 0 + 0 - 1*(2-1) - 1) / 2) + 1 = 6', 'floor((8 + 0 + 0 - 1*(2-1) - 1) / 2) + 1 = 4'],
      [],
      [
        'floor((6 + 0 + 0 - 1*(3-1) - 1) / 1) + 1 = 4',
        'floor((4 + 0 + 0 - 1*(3-1) - 1) / 1) + 1 = 2',
        'each position: 4 values x 4x6 weights = 6',
      ],
      ['floor((4 + 0 + 0 - 1*(2-1) - 1) / 2) + 1 = 2', 'floor((2 + 0 + 0 - 1*(2-1) - 1) / 2) + 1 = 1'],
      ['2*1*6 = 12'],
      ['each position: 12 values x 12x3 weights = 3'],
    ])
  })

  test('which contractions run, forward and for the gradients that training needs', async () => {
    const { layers } = await explain(model, { batchSize: 4 })
    expect(layers.map(({ plans }) => contractions(plans))).toEqual([
      ['output'],
      ['inputGradient'],
      [],
      [],
      ['output', 'output'],
      ['output'],
      [],
      ['output'],
    ])
    // nobody asks for the gradient of the pictures
    expect(contractions(layers[0]!.gradientPlans)).toEqual(['kernelGradient'])
    expect(contractions(layers[1]!.gradientPlans).toSorted()).toEqual(['kernelGradient', 'output'])
    expect(contractions(layers[4]!.gradientPlans).toSorted()).toEqual([
      'inputGradient',
      'inputGradient',
      'kernelGradient',
      'kernelGradient',
    ])
    expect(layers[0]!.plans[0]!.spec.batch).toBe(4)
    for (const { plans, gradientPlans } of layers)
      for (const { algorithm, why } of [...plans, ...gradientPlans]) expect(algorithm && why).toBeTruthy()
  })

  test('sums, memory and shapes', async () => {
    const one = await explain(model)
    const four = await explain(model, { batchSize: 4 })
    expect(one.parameters).toBe(model.countParameters())
    expect(one.macs).toBe(one.layers.reduce((sum, { macs }) => sum + macs, 0))
    expect(one.layers[0]!.macs).toBe(5 * 3 * 3 * 5 * 2 * 8)
    expect(one.outputShape).toEqual([3])
    for (const [i, { arenaBytes }] of four.layers.entries())
      expect(arenaBytes).toBeGreaterThanOrEqual(one.layers[i]!.arenaBytes)
    // input and output of the first layer at least
    expect(four.layers[0]!.arenaBytes).toBeGreaterThanOrEqual(4 * 4 * (9 * 7 * 2 + 5 * 3 * 8))
    expect(four.trainingArenaBytes).toBeGreaterThan(four.arenaBytes)
  })

  test('is plain data, without times unless asked for', async () => {
    const explanation = await explain(model)
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation)
    expect(explanation.milliseconds).toBeUndefined()
  })

  test('times, and their share of a peak', async () => {
    const explanation = await explain(sequential([4, 4, 1], [conv2d(2, 3)]), { time: true, batchSize: 2 })
    const [layer] = explanation.layers
    expect(layer!.milliseconds).toBeGreaterThan(0)
    expect(explanation.milliseconds).toBeGreaterThan(0)
    const fixed = { ...explanation, milliseconds: 1, layers: [{ ...layer!, milliseconds: 0.001 }] }
    const text = printExplanation(fixed, { peak: 2 })
    // 2 samples x 72 multiply-adds = 288 operations in a microsecond
    expect(text).toContain('time        0.0010 ms, 0.3 GFLOP/s, 14% of peak')
  })

  test('as text', async () => {
    const lines = printExplanation(await explain(model)).split('\n')
    expect(lines.slice(0, 7)).toEqual([
      'model: [9, 7, 2] -> [3]',
      '',
      'conv2d_1  ->  [5, 3, 8]',
      '  size        floor((9 + 1 + 1 - 1*(3-1) - 1) / 2) + 1 = 5',
      '              floor((7 + 1 + 1 - 1*(5-1) - 1) / 2) + 1 = 3',
      '  parameters  248',
      '  MACs        3,600',
    ])
    expect(lines).toContain(
      `  parameters  ${model.countParameters()} (${4 * model.countParameters()} bytes)`.replace(
        /\B(?=(\d{3})\b)/g,
        ',',
      ),
    )
  })

  test('a batch of no samples is refused', async () => {
    await expect(explain(model, { batchSize: 0 })).rejects.toThrow(
      'explain: batchSize is 0, but must be a whole number >= 1. Give batchSize a whole number.',
    )
  })
})
