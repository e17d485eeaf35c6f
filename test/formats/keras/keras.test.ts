import { strFromU8, unzipSync, zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { sizeOf } from '../../../src/base/shape.ts'
import { loadKeras, saveKeras } from '../../../src/formats/index.ts'
import { writeHdf5 } from '../../../src/formats/keras/hdf5.ts'
import { models } from '../../../src/models/index.ts'
import type * as nn from '../../../src/nn/index.ts'
import { layerCases } from '../../nn/layer-cases.ts'
import { modelOf, normals } from '../../nn/layer-check.ts'

/** Kinds of layers that Keras has nothing for; all others must be written. */
const without =
  /^(reflect|symmetric|replicate|circular)Pad|lpPool|adaptive|pixel|^freeze$|^(un)?fold$|localResponseNorm|^(depthwise|separable)Conv3d/
const refusals = [
  'paddingMode',
  'its groups',
  'a border of padding',
  'by tanh',
  "'geluTanh'",
  "mode 'cubic'",
  'several axes',
]
const more = ['it has no counterpart', 'its outputPadding']

async function expectSame(model: nn.Model, bytes: Uint8Array): Promise<void> {
  const inputs = model.inputShapes.map((shape, i) => Float32Array.from(normals(i + 90, 2 * sizeOf(shape))))
  const x = inputs.length === 1 ? inputs[0] : inputs
  const back = await loadKeras(bytes)
  expect(back.outputShape).toEqual(model.outputShape)
  const [was, is] = [await model.predict(x), await back.predict(x)]
  const largest = was.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-9)
  for (let i = 0; i < was.length; i++) expect(Math.abs(is[i] - was[i]) / largest).toBeLessThan(1e-6)
}

describe('a layer is written and read again', () => {
  for (const [i, { layer, inputs }] of layerCases.entries())
    test(`${i}: ${layer.kind} ${JSON.stringify(layer.config).slice(0, 60)}`, async () => {
      const model = modelOf(layer, ...inputs)
      const bytes = await saveKeras(model).catch((error: Error) => error)
      if (!(bytes instanceof Error)) return expectSame(model, bytes)
      expect(bytes.message).toMatch(/^saveKeras: 1 layers have no counterpart: /)
      const known = [...refusals, ...more].some((text) => bytes.message.includes(text))
      expect(without.test(layer.kind) || known, bytes.message).toBe(true)
    })
})

test('xception-tiny is written and read again', async () => {
  const model = models['xception-tiny']()
  const bytes = await saveKeras(model)
  await expectSame(model, bytes)
  expect(Object.keys(unzipSync(bytes)).sort()).toEqual(['config.json', 'metadata.json', 'model.weights.h5'])
})

const kernel = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }
const bias = { shape: [3], data: Float32Array.of(0.5, 0, -0.5) }
const layer = (class_name: string, config: object, name: string, more = {}) => ({
  class_name,
  config: { name, ...config },
  name,
  ...more,
})

/** An archive as Keras 3 writes one for a Sequential. */
async function archive(config: object, weights: Parameters<typeof writeHdf5>[1], version = '3.3.3') {
  const text = (value: object) => new TextEncoder().encode(JSON.stringify(value))
  return zipSync({
    'metadata.json': text({ keras_version: version }),
    'config.json': text(config),
    'model.weights.h5': await writeHdf5('test', weights),
  })
}

test('a Sequential of Keras 3 with a model inside', async () => {
  const inner = {
    class_name: 'Sequential',
    name: 'head',
    config: {
      name: 'head',
      layers: [layer('Dense', { units: 3, activation: { class_name: 'function', config: 'hard_sigmoid' } }, 'last')],
    },
  }
  const config = {
    class_name: 'Sequential',
    config: { name: 'top', layers: [layer('InputLayer', { batch_shape: [null, 2] }, 'in'), inner] },
  }
  const bytes = await archive(config, [
    ['layers/sequential/layers/dense/vars/0', kernel],
    ['layers/sequential/layers/dense/vars/1', bias],
  ])
  const model = await loadKeras(bytes)
  expect(model.name).toBe('top')
  const sums = [1 + 0.5, 2, 3 - 0.5]
  const values = await model.predict([1, 0])
  sums.forEach((x, i) => {
    expect(values[i]).toBeCloseTo(Math.min(Math.max(x / 6 + 0.5, 0), 1), 6)
  })
})

test('an .h5 file of tf.keras, whose hard sigmoid is another one', async () => {
  const h5 = await import('h5wasm')
  const { FS } = await h5.ready
  const file = new h5.File('/test.h5', 'w')
  const dense = layer('Dense', { units: 3, activation: 'hard_sigmoid', batch_input_shape: [null, 2] }, 'dense')
  file.create_attribute('keras_version', '2.15.0')
  file.create_attribute('model_config', JSON.stringify({ class_name: 'Sequential', config: [dense] }))
  const group = file.create_group('model_weights').create_group('dense').create_group('dense')
  group.create_dataset({ name: 'kernel:0', data: kernel.data, shape: kernel.shape })
  group.create_dataset({ name: 'bias:0', data: bias.data, shape: bias.shape })
  file.close()
  const model = await loadKeras((FS as unknown as { readFile(path: string): Uint8Array }).readFile('/test.h5'))
  const values = await model.predict([-1, 0])
  const sums = [-1 + 0.5, -2, -3 - 0.5]
  sums.forEach((x, i) => {
    expect(values[i]).toBeCloseTo(Math.min(Math.max(x / 5 + 0.5, 0), 1), 6)
  })
})

describe('errors', () => {
  test('name every layer that is not known', async () => {
    const layers = [layer('LSTM', {}, 'a'), layer('Dense', { units: 3 }, 'b'), layer('Embedding', {}, 'c')]
    await expect(loadKeras(await archive({ class_name: 'Sequential', config: { layers } }, []))).rejects.toThrow(
      "loadKeras: 2 layers aren't supported: LSTM 'a', Embedding 'c'. kerasLayers lists what is supported.",
    )
  })

  test('name a weight that is missing', async () => {
    const layers = [layer('InputLayer', { batch_shape: [null, 2] }, 'in'), layer('Dense', { units: 3 }, 'b')]
    const bytes = await archive({ class_name: 'Sequential', config: { layers } }, [['layers/dense/vars/0', kernel]])
    await expect(loadKeras(bytes)).rejects.toThrow("loadKeras: weight 'bias' of layer 'b' is missing")
  })

  test('of files that are none', async () => {
    await expect(loadKeras(Uint8Array.of(1, 2, 3, 4, 5))).rejects.toThrow('starts with the bytes 1 2 3 4')
    const good = await saveKeras(models.lenet5())
    await expect(loadKeras(good.subarray(0, 1000))).rejects.toThrow('loadKeras: the archive')
    const parts = unzipSync(good)
    expect(strFromU8(parts['config.json']).slice(0, 20)).toBe('{"module":"keras","c')
    const h5 = parts['model.weights.h5']
    await expect(loadKeras(zipSync({ ...parts, 'model.weights.h5': h5.subarray(0, 500) }))).rejects.toThrow(
      /^loadKeras: /,
    )
    await expect(loadKeras(h5)).rejects.toThrow('loadKeras: the file holds weights, but no model')
    const bomb = zipSync({ ...parts, 'config.json': new Uint8Array(2 ** 25) }, { level: 9 })
    await expect(loadKeras(bomb)).rejects.toThrow(
      "loadKeras: 'config.json' grows to 33554432 bytes. Get the file again.",
    )
    const damaged = h5.slice()
    damaged[new TextDecoder('latin1').decode(h5).lastIndexOf('OHDR') + 20] ^= 1
    await expect(loadKeras(zipSync({ ...parts, 'model.weights.h5': damaged }))).rejects.toThrow(
      "loadKeras: the HDF5 data can't be read (incorrect metadata checksum after all read attempts)",
    )
  })
})
