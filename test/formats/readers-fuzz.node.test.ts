// Changed by chance: readers of models answer with a model or with an error of ours, whatever the bytes.
// `npm run fuzz -- --readers --seconds 600` goes on for as long as wanted.
import { unzipSync, zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import type { RandomSource } from '../../src/base/random.ts'
import {
  loadGraphModel,
  loadKeras,
  loadLayersModel,
  loadOnnx,
  type OnnxModel,
  type OnnxTensor,
  quantize,
  saveKeras,
  saveLayersModel,
  saveOnnx,
} from '../../src/formats/index.ts'
import {
  batchNorm,
  conv2d,
  dense,
  flatten,
  loadModel,
  type Model,
  maxPool2d,
  readSafetensors,
  sequential,
  upsampling,
} from '../../src/nn/index.ts'
import { normals } from '../nn/layer-check.ts'
import { changeBytes, changeJson, fuzzReader, timeout } from '../support/fuzz-reader.ts'
import { graphCases, graphFiles } from './tfjs/graph-cases.ts'

const net = sequential(
  [6, 6, 2],
  [
    conv2d(4, 3, { padding: 'same', activation: 'relu' }),
    batchNorm(),
    maxPool2d(2, { padding: 'same' }),
    upsampling(2),
    flatten(),
    dense(3, { activation: 'softmax' }),
  ],
)
const x: OnnxTensor = { shape: [1, 6, 6, 2], data: Float32Array.from(normals(1, 72)) }

/** A model that was accepted is whole: it predicts, and saved and loaded again it predicts the same. */
async function whole(model: Model): Promise<void> {
  const count = model.inputShape.reduce((product, n) => product * n, 1)
  if (count > 1e5 || model.countParameters() > 1e6) return
  const values = Float32Array.from(normals(2, count))
  expect(await loadModel(model.toBytes()).predict(values)).toEqual(await model.predict(values))
}

const total = (files: Readonly<Record<string, Uint8Array>>) =>
  Object.values(files).reduce((sum, { length }) => sum + length, 0)

/** One in twenty models is run, too: that takes longer than to read it. */
const sometimes = (random: RandomSource) => random.integer(20) === 0

describe('files changed by chance', { timeout }, () => {
  test('ONNX', async () => {
    const plain = sequential(
      [6, 6, 2],
      [conv2d(4, 3, { padding: 'same', activation: 'relu' }), batchNorm(), maxPool2d(2), flatten(), dense(3)],
    )
    const files = [saveOnnx(plain, { channelsLast: true, batchNorm: 'keep' }), await quantize(plain, [x])]
    await fuzzReader<OnnxModel>('ONNX', /^(loadOnnx|onnx|program): /, (random) => {
      const file = changeBytes(files[random.integer(files.length)]!, random)
      return {
        size: file.length,
        read: () => loadOnnx(file),
        async check(model) {
          const { y, ...rest } = await model.run(x)
          const result = y ?? Object.values(rest)[0]!
          expect(result.data.length).toBe(result.shape.reduce((product, n) => product * n, 1))
        },
      }
    })
  })

  test('tfjs layers', async () => {
    const files = saveLayersModel(net)
    await fuzzReader<Model>('tfjs layers', /^(loadTfjs|program): /, (random) => {
      const change = random.integer(2) === 0 ? changeJson : changeBytes
      const changed = { ...files, 'model.json': change(files['model.json']!, random) }
      const check = sometimes(random) ? whole : undefined
      return { size: total(changed), read: () => loadLayersModel(changed), check }
    })
  })

  test('tfjs graphs', () =>
    fuzzReader<OnnxModel>('tfjs graphs', /^loadTfjs: /, (random) => {
      const graph = graphFiles(graphCases[random.integer(graphCases.length)]!)
      const change = random.integer(2) === 0 ? changeJson : changeBytes
      const changed = { ...graph, 'model.json': change(graph['model.json']!, random) }
      return { size: total(changed), read: () => loadGraphModel(changed) }
    }))

  test('safetensors of ours', () => {
    const bytes = net.toBytes()
    return fuzzReader<Model>('safetensors of ours', /^[a-zA-Z\d_]+: /, (random) => {
      const changed = changeBytes(bytes, random, 4000)
      return {
        size: changed.length,
        read: async () => loadModel(changed),
        check: sometimes(random) ? whole : undefined,
      }
    })
  })

  test('safetensors', () => {
    const bytes = net.toBytes()
    const header = Number(new DataView(bytes.buffer).getBigUint64(0, true))
    return fuzzReader('safetensors', /^readSafetensors: /, (random) => {
      const changed = changeBytes(bytes, random, header + 8)
      return {
        size: changed.length,
        read: async () => readSafetensors(changed),
        check({ tensors }) {
          // every byte of the data belongs to one tensor
          const length = new DataView(changed.buffer).getBigUint64(0, true)
          const taken = [...tensors.values()].reduce((sum, { data, dtype }) => sum + data.length * widths[dtype]!, 0)
          expect(taken).toBe(changed.length - 8 - Number(length))
        },
      }
    })
  })

  test('Keras', async () => {
    const archive = unzipSync(await saveKeras(net))
    await fuzzReader<Model>('Keras', /^(loadKeras|program): /, (random) => {
      const names = Object.keys(archive)
      const name = names[random.integer(names.length)]!
      const change = random.integer(2) === 0 && name.endsWith('.json') ? changeJson : changeBytes
      const zipped = zipSync({ ...archive, [name]: change(archive[name]!, random) }, { level: 0 })
      const changed = random.integer(4) === 0 ? changeBytes(zipped, random) : zipped
      const check = sometimes(random) ? whole : undefined
      return { size: changed.length, read: () => loadKeras(changed), check }
    })
  })
})

/** Bytes that an element takes in the file. */
const widths: Readonly<Record<string, number>> = { F32: 4, F64: 8, F16: 2, BF16: 2, I32: 4, I64: 8, U8: 1 }
