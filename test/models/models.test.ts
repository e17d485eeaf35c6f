import { describe, expect, test } from 'vitest'
import '../../src/compile.ts'
import { createModel, lenet5, models } from '../../src/models/index.ts'
import { summaryRows } from '../../src/nn/index.ts'

const macs = (name: string) => summaryRows(createModel(name)).reduce((sum, row) => sum + row.macs, 0)

describe('models', () => {
  test.each([
    // By hand: 5*5*6+6, 5*5*6*16+16, 400*120+120, 120*84+84, 84*10+10.
    ['lenet5', 156 + 2416 + 48120 + 10164 + 850, [28, 28, 1]],
    // 3x3 kernels 3-32-32-64-64 with biases; 64*8*8 -> 128 -> 10.
    ['vgg-like', 896 + 9248 + 18496 + 36928 + 524416 + 1290, [32, 32, 3]],
    // Stem; each block 9c + 2c + cf + 2f; head.
    ['separable', 864 + 64 + 2528 + 9152 + 18048 + 34688 + 68864 + 2570, [32, 32, 3]],
  ] as const)('%s: parameters and input', (name, parameters, inputShape) => {
    const model = createModel(name)
    expect(model.countParameters()).toBe(parameters)
    expect(model.inputShape).toEqual(inputShape)
    expect(model.outputShape).toEqual([10])
    expect(model.name).toBe(name)
  })

  test('multiply-accumulates of LeNet-5 by hand', () => {
    expect(macs('lenet5')).toBe(784 * 150 + 100 * 2400 + 48000 + 10080 + 840)
  })

  test('classes, seed and input shape are taken', () => {
    const model = lenet5({ classes: 4, seed: 3, inputShape: [32, 32, 3] })
    expect([model.outputShape, model.seed, model.inputShape]).toEqual([[4], 3, [32, 32, 3]])
  })

  test('an unknown name is an error that lists the known ones', () => {
    expect(() => createModel('lenet6')).toThrow(
      `createModel: there is no model 'lenet6'. Use one of ${Object.keys(models).join(', ')}`,
    )
    expect(() => createModel('toString')).toThrow("there is no model 'toString'")
  })
})
