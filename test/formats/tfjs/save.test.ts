import { describe, expect, test } from 'vitest'
import { sizeOf } from '../../../src/base/shape.ts'
import { loadLayersModel, saveLayersModel } from '../../../src/formats/index.ts'
import { models } from '../../../src/models/index.ts'
import * as nn from '../../../src/nn/index.ts'
import { layerCases } from '../../nn/layer-cases.ts'
import { modelOf, normals } from '../../nn/layer-check.ts'

/** Kinds of layers that tfjs has nothing for; all others must be written. */
const without =
  /Pad|lpPool|adaptive|pixel|^freeze$|^(un)?fold$|groupNorm|instanceNorm|localResponseNorm|^(convTranspose|depthwiseConv|separableConv)[13]d|^resize/
/** Options of other kinds that tfjs has nothing for. */
const refusals = [
  'groups, which tfjs ignores',
  'paddingMode',
  'its groups',
  'a border of padding',
  'approximation by tanh',
  "'geluTanh'",
  "mode 'cubic'",
  'it normalises several axes',
  'not the last',
  'it is 1-dimensional',
]

function written(model: nn.Model) {
  try {
    return saveLayersModel(model)
  } catch (error) {
    return error as Error
  }
}

/** Predictions before a model was written and after it was read again: the same numbers. */
async function expectSame(model: nn.Model, files: Record<string, Uint8Array>): Promise<void> {
  const inputs = model.inputShapes.map((shape, i) => Float32Array.from(normals(i + 90, 2 * sizeOf(shape))))
  const x = inputs.length === 1 ? inputs[0] : inputs
  const back = await loadLayersModel(files)
  expect(back.outputShape).toEqual(model.outputShape)
  const [was, is] = [await model.predict(x), await back.predict(x)]
  const largest = was.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-9)
  for (let i = 0; i < was.length; i++) expect(Math.abs(is[i] - was[i]) / largest).toBeLessThan(1e-6)
}

describe('a layer is written and read again', () => {
  for (const [i, { layer, inputs }] of layerCases.entries())
    test(`${i}: ${layer.kind} ${JSON.stringify(layer.config).slice(0, 60)}`, async () => {
      const model = modelOf(layer, ...inputs)
      const files = written(model)
      if (!(files instanceof Error)) return expectSame(model, files)
      expect(files.message).toMatch(/^saveLayersModel: 1 layers have no counterpart: /)
      expect(without.test(layer.kind) || refusals.some((text) => files.message.includes(text)), files.message).toBe(
        true,
      )
    })
})

test.each(['lenet5', 'separable', 'vgg-like', 'xception-tiny'])('%s is written and read again', async (name) => {
  const model = models[name]()
  await expectSame(model, saveLayersModel(model))
})

test('all layers that tfjs has none for are named', () => {
  const model = nn.sequential([4, 4, 4], [nn.reflectPad2d(1), nn.conv2d(2, 3, { groups: 2 }), nn.groupNorm(2)])
  expect(() => saveLayersModel(model)).toThrow(
    "saveLayersModel: 3 layers have no counterpart: reflectPad2d 'reflectPad2d_1', " +
      "conv2d 'conv2d_1' (2 groups, which tfjs ignores), groupNorm 'groupNorm_1' (tfjs has no layer for it). " +
      'Replace them, or save the model as ONNX.',
  )
})

test('layers that are used twice share their weights', async () => {
  const [a, b] = [nn.input([4]), nn.input([4])]
  const shared = nn.dense(3, { activation: 'tanh' })
  const model = nn.functional([a, b], nn.add()(shared(a), shared(b)))
  const files = saveLayersModel(model)
  const { weightsManifest } = JSON.parse(new TextDecoder().decode(files['model.json']))
  expect(weightsManifest[0].weights.map(({ name }: { name: string }) => name)).toEqual([
    'dense_1/kernel',
    'dense_1/bias',
  ])
  await expectSame(model, files)
  const back = await loadLayersModel(files)
  expect(back.countParameters()).toBe(15)
})

test('a model written twice is the same file', async () => {
  const first = saveLayersModel(models['xception-tiny']())
  const second = saveLayersModel(await loadLayersModel(first))
  expect(second['group1-shard1of1.bin']).toEqual(first['group1-shard1of1.bin'])
  const weights = (files: Record<string, Uint8Array>) =>
    JSON.parse(new TextDecoder().decode(files['model.json'])).weightsManifest[0].weights.length
  expect(weights(second)).toBe(weights(first))
})

test('large weights lie in several files', async () => {
  const model = nn.sequential([1100], [nn.dense(1000)])
  const files = saveLayersModel(model)
  expect(Object.keys(files)).toEqual(['group1-shard1of2.bin', 'group1-shard2of2.bin', 'model.json'])
  await expectSame(model, files)
})

test('a model that was loaded trains on', async () => {
  const digits = Float32Array.from(normals(1, 64 * 36))
  const labels = Float32Array.from({ length: 64 }, (_, i) => (digits[36 * i] > 0 ? 1 : 0))
  const layers = [nn.conv2d(4, 3, { activation: 'relu' }), nn.batchNorm(), nn.flatten(), nn.dense(2)]
  const model = await loadLayersModel(saveLayersModel(nn.sequential([6, 6, 1], layers)))
  const history = await model.fit(
    { x: digits, y: labels },
    { epochs: 30, batchSize: 16, verbose: false, optimizer: nn.adam({ learningRate: 0.02 }) },
  )
  expect(history.epochs.at(-1)!.loss).toBeLessThan(0.6 * history.epochs[0].loss)
  expect((await nn.explain(model)).layers.map(({ name }) => name)).toContain('conv2d_1')
})
