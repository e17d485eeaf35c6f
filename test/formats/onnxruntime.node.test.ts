// By hand: models written as ONNX, run by onnxruntime. It isn't a dependency: install it anywhere and name the place:
// FOVEA_ORT=/somewhere/node_modules/onnxruntime-node npx vitest run test/formats/onnxruntime.node.test.ts
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { type Shape, sizeOf } from '../../src/base/shape.ts'
import { saveOnnx } from '../../src/formats/index.ts'
import { models } from '../../src/models/index.ts'
import type { Model } from '../../src/nn/index.ts'
import { layerCases } from '../nn/layer-cases.ts'
import { modelOf, normals } from '../nn/layer-check.ts'

interface Session {
  run(feeds: Record<string, unknown>): Promise<Record<string, { data: Float32Array; dims: readonly number[] }>>
}
interface Runtime {
  InferenceSession: { create(bytes: Uint8Array): Promise<Session> }
  Tensor: new (type: string, data: Float32Array, dims: Shape) => unknown
}

const place = process.env.FOVEA_ORT
if (!place) console.log('SKIPPED: onnxruntime, because FOVEA_ORT does not name a folder of onnxruntime-node')

async function expectSame(model: Model, batchNorm: 'fold' | 'keep'): Promise<void> {
  const runtime = createRequire(import.meta.url)(place!) as Runtime
  const count = 2
  const inputs = model.inputShapes.map((shape, i) => Float32Array.from(normals(i + 90, count * sizeOf(shape))))
  const expected = await model.predict(inputs.length === 1 ? inputs[0] : inputs, { batchSize: count })
  const session = await runtime.InferenceSession.create(saveOnnx(model, { batchNorm, channelsLast: true }))
  const feeds = inputs.map((data, i): [string, unknown] => [
    inputs.length === 1 ? 'input' : `input_${i + 1}`,
    new runtime.Tensor('float32', data, [count, ...model.inputShapes[i]]),
  ])
  const { output } = await session.run(Object.fromEntries(feeds))
  expect([...output.dims]).toEqual([count, ...model.outputShape])
  const largest = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 1)
  for (let i = 0; i < expected.length; i++) expect(Math.abs(output.data[i] - expected[i]) / largest).toBeLessThan(1e-5)
}

describe.skipIf(!place)('onnxruntime computes what the model does', () => {
  for (const [i, { layer, inputs }] of layerCases.entries())
    test(`${i}: ${layer.kind} of ${inputs.map((shape) => `[${shape}]`).join(' and ')}`, () =>
      expectSame(modelOf(layer, ...inputs), i % 2 === 0 ? 'fold' : 'keep'))
  for (const [name, make] of Object.entries(models)) test(name, () => expectSame(make(), 'fold'))
})
