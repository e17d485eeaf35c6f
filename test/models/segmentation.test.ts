import { describe, expect, test } from 'vitest'
import '../../src/compile.ts'
import { randomSource } from '../../src/base/random.ts'
import { compile } from '../../src/compile.ts'
import {
  contextFrontEnd,
  contextLayers,
  contextMargin,
  contextModule,
  contextNet,
  lastKernels,
  startAsIdentity,
} from '../../src/models/context.ts'
import { deeplabMini, deeplabV3, deeplabVgg } from '../../src/models/deeplab.ts'
import { unet, unetMini } from '../../src/models/unet.ts'
import { fit, loadModel, type Model, sequential, summaryRows } from '../../src/nn/index.ts'

/** Kernels of zeros take no memory until a program runs. */
const light = { kernelInitializer: 'zeros' } as const
const values = (length: number, seed: number) => {
  const random = randomSource(seed)
  return Float32Array.from({ length }, () => random.next())
}

describe('published sizes', () => {
  test('front end of Yu & Koltun: 900 to 66, 134,346,581 parameters', () => {
    const model = contextFrontEnd(light)
    expect(model.outputShape).toEqual([66, 66, 21])
    expect(model.countParameters()).toBe(134_346_581)
    expect(contextFrontEnd({ ...light, inputShape: [884, 872, 3] }).outputShape).toEqual([64, 62, 21])
  })

  test('context modules: table 1', () => {
    const of = (kind: 'basic' | 'large') => sequential([66, 66, 21], contextModule(21, { kind, ...light }))
    expect(of('basic').countParameters()).toBe(28_392)
    expect(of('large').countParameters()).toBe(6_803_139)
    const fields = summaryRows(of('basic')).filter(({ parameters }) => parameters > 0)
    expect(fields.map(({ shape }) => shape.join('x'))).toEqual(new Array(8).fill('66x66x21'))
    expect(contextMargin).toBe(33)
  })

  test('U-Net: 572 to 388, 23 convolutional layers', () => {
    const model = unet({ padding: 'valid', ...light })
    expect(model.outputShape).toEqual([388, 388, 2])
    expect(model.countParameters()).toBe(31_030_658)
    expect(model.steps.filter(({ layer }) => layer.kind.startsWith('conv'))).toHaveLength(23)
  })

  test('deeplab-mini: 141,475 parameters', () => {
    const model = deeplabMini(light)
    expect(model.countParameters()).toBe(141_475)
    expect(model.outputShape).toEqual([96, 120, 11])
  })
})

describe('DeepLab as published', () => {
  test('VGG: LargeFOV, fc6 of 4x4, the sum of four rates', () => {
    const model = deeplabVgg(light)
    expect(model.outputShape).toEqual([41, 41, 21])
    expect(model.countParameters()).toBe(20_505_429)
    expect(deeplabVgg({ ...light, fc6: 4, rates: [4] }).countParameters()).toBe(65_140_565)
    expect(deeplabVgg({ ...light, rates: [6, 12, 18, 24] }).countParameters()).toBe(37_877_652)
  })

  test('v3 on ResNet-50', () => {
    const model = deeplabV3(light)
    expect(model.outputShape).toEqual([513, 513, 21])
    expect(model.countParameters()).toBe(39_638_869)
    // the third stage of ResNet-101 has 17 bottlenecks more
    const bottleneck = 1024 * 256 + 9 * 256 * 256 + 256 * 1024 + 2 * (256 + 256 + 1024)
    expect(deeplabV3({ ...light, depth: 23 }).countParameters()).toBe(39_638_869 + 17 * bottleneck)
  })
})

describe('context module', () => {
  test.each(['basic', 'large'] as const)('%s: starts as the identity on what is >= 0', async (kind) => {
    const model = sequential([12, 10, 4], contextModule(4, { kind }))
    startAsIdentity(lastKernels(model, contextLayers), 4)
    const x = values(12 * 10 * 4, 3)
    const y = await model.predict(x)
    y.forEach((v, i) => {
      expect(v).toBeCloseTo(x[i]!, 5)
    })
  })

  test('padding once before the first layer or in each layer: the same off the border', async () => {
    const edge = 72
    const made = (padding: 'once' | 'each') =>
      sequential([edge, edge, 2], contextModule(2, { padding, kernelInitializer: 'heNormal' }), { seed: 4 })
    const x = values(edge * edge * 2, 5)
    const [before, inside] = [made('once'), made('each')]
    for (const [i, variable] of before.parameters.entries()) inside.parameters[i]!.write(variable.read())
    const [once, each] = [await before.predict(x), await inside.predict(x)]
    const middle = (y: Float32Array) =>
      [...y.keys()]
        .filter((i) => [i / 2 / edge, (i / 2) % edge].every((at) => at >= 33 && at < edge - 33))
        .map((i) => y[i]!)
    expect(middle(once)).toHaveLength(6 * 6 * 2)
    // eight layers of float32 sums in other orders
    const most = Math.max(...once.map(Math.abs))
    middle(once).forEach((v, i) => {
      expect(v / most).toBeCloseTo(middle(each)[i]! / most, 4)
    })
    expect(once.some((v, i) => Math.abs(v - each[i]!) > 0.01 * most)).toBe(true)
  })

  test('sees 67x67', async () => {
    const edge = 71
    const model = sequential([edge, edge, 1], contextModule(1, { kernelInitializer: { name: 'constant', value: 0.1 } }))
    const run = compile((x) => model.apply(x, model.context(false)), [[1, edge, edge, 1]])
    const middle = (edge * edge - 1) / 2
    const at = async (column: number) => {
      const x = new Float32Array(edge * edge)
      x[35 * edge + column] = 1
      return (await run(x))[middle]!
    }
    expect(await at(35 - 33)).toBeGreaterThan(0)
    expect(await at(35 + 33)).toBeGreaterThan(0)
    expect(await at(35 - 34)).toBe(0)
  })
})

describe('small networks', () => {
  const made: [name: string, Model][] = [
    ['contextNet', contextNet({ inputShape: [16, 20, 3] })],
    ['contextNet, halved', contextNet({ inputShape: [16, 20, 3], halvings: 2, context: 'undilated' })],
    ['deeplabMini', deeplabMini({ inputShape: [18, 22, 3], classes: 7 })],
    ['deeplabMini, one rate', deeplabMini({ inputShape: [16, 20, 3], classes: 7, rates: [4] })],
    ['unetMini', unetMini({ inputShape: [16, 24, 3], classes: 7, width: 4 })],
    ['unetMini, 3x3', unetMini({ inputShape: [16, 24, 3], classes: 7, width: 4, up: 'transposed3' })],
    ['unetMini, resize', unetMini({ inputShape: [16, 24, 3], classes: 7, width: 4, up: 'resize' })],
    ['unet, valid', unet({ inputShape: [44, 44, 3], classes: 7, width: 4, levels: 2, padding: 'valid' })],
  ]
  test.each(made)('%s takes a training step, and its file loads', async (_, model) => {
    const [height, width] = model.outputShape as [number, number]
    const x = values(2 * model.inputShape.reduce((a, b) => a * b), 6)
    const y = Float32Array.from({ length: 2 * height * width }, (_, i) => i % 7)
    const { epochs } = await fit(model, { x, y }, { epochs: 3, batchSize: 2, optimizer: 'adam', verbose: false })
    expect(epochs.at(-1)!.loss).toBeLessThan(epochs[0]!.loss)
    expect(await loadModel(model.toBytes()).predict(x)).toEqual(await model.predict(x))
  })
})
