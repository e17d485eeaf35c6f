// Models written as ONNX, read back and run: their results must be those of the model.
import { describe, expect, test } from 'vitest'
import { sizeOf } from '../../src/base/shape.ts'
import { loadOnnx, saveOnnx } from '../../src/formats/index.ts'
import { modelTable, readMessage } from '../../src/formats/onnx/proto.ts'
import * as nn from '../../src/nn/index.ts'
import { layerCases } from '../nn/layer-cases.ts'
import { modelOf, normals } from '../nn/layer-check.ts'

/** Of the largest value: folding and other algorithms round otherwise. */
const tolerance = 1e-5

/** Batch norms with statistics other than 0 and 1. */
function disturb(model: nn.Model): nn.Model {
  for (const [i, variable] of [...model.parameters, ...model.state].entries()) {
    const noise = normals(i + 1, sizeOf(variable.shape))
    const values = variable.read()
    variable.write(values.map((v, k) => v + (variable.name.endsWith('Variance') ? Math.abs(noise[k]) : 0.3 * noise[k])))
  }
  return model
}

async function expectSame(model: nn.Model, options: Parameters<typeof saveOnnx>[1] = {}, count = 2) {
  const inputs = model.inputShapes.map((shape, i) => Float32Array.from(normals(i + 90, count * sizeOf(shape))))
  const expected = await model.predict(inputs.length === 1 ? inputs[0] : inputs, { batchSize: count })
  const read = await loadOnnx(saveOnnx(model, { ...options, channelsLast: true }))
  const named = read.inputs.map(({ name }, i) => [name, { shape: [count, ...model.inputShapes[i]], data: inputs[i] }])
  const { output } = await read.run(Object.fromEntries(named))
  expect(output.shape).toEqual([count, ...model.outputShape])
  const largest = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 1)
  for (let i = 0; i < expected.length; i++)
    expect(Math.abs(output.data[i] - expected[i]) / largest).toBeLessThan(tolerance)
}

const operations = (bytes: Uint8Array) => readMessage(bytes, modelTable).graph!.nodes.map(({ opType }) => opType)

const small = () =>
  disturb(
    nn.sequential(
      [9, 8, 3],
      [
        nn.conv2d(6, 3, { padding: 'same', bias: false }),
        nn.batchNorm(),
        nn.relu(),
        nn.residual([nn.conv2d(6, 3, { padding: 'same' }), nn.batchNorm({ eps: 1e-3 })]),
        nn.maxPool2d(2),
        nn.flatten(),
        nn.dense(5),
      ],
    ),
  )

describe('a layer written as ONNX and read back', () => {
  for (const [i, { layer, inputs }] of layerCases.entries())
    test(`${i}: ${layer.kind} of ${inputs.map((shape) => `[${shape}]`).join(' and ')}`, () =>
      expectSame(disturb(modelOf(layer, ...inputs))))
})

describe('saveOnnx', () => {
  test('folds batch normalisation into the convolution before it, or keeps it', async () => {
    const folded = operations(saveOnnx(small()))
    expect(folded.filter((op) => op === 'Conv')).toHaveLength(2)
    expect(folded).not.toContain('BatchNormalization')
    expect(folded).not.toContain('Mul')
    const kept = operations(saveOnnx(small(), { batchNorm: 'keep' }))
    expect(kept.filter((op) => op === 'BatchNormalization')).toHaveLength(2)
    await expectSame(small())
    await expectSame(small(), { batchNorm: 'keep' })
  })

  test('takes any number of samples, channels first unless asked otherwise', async () => {
    const model = small()
    const read = await loadOnnx(saveOnnx(model))
    expect(read.inputs).toEqual([{ name: 'input', type: 'float32', shape: ['N', 3, 9, 8] }])
    expect(read.outputs.map(({ name }) => name)).toEqual(['output'])
    for (const count of [1, 3]) await expectSame(model, {}, count)
    const x = Float32Array.from(normals(3, 3 * 72))
    const last = x.map((_, i) => x[(i % 3) * 72 + Math.floor(i / 3)])
    const { output } = await read.run({ input: x })
    const expected = await model.predict(last)
    for (const [i, value] of expected.entries()) expect(Math.abs(output.data[i] - value) / 10).toBeLessThan(tolerance)
  })

  test('says which options it knows and what it cannot write', () => {
    expect(() => saveOnnx(small(), { batchNorm: 'drop' as 'fold' })).toThrow(
      "saveOnnx: batchNorm is 'drop'. Use 'fold' or 'keep'.",
    )
    const model = nn.sequential([4, 2], [nn.convTranspose1d(3, 3, { padding: -1 })])
    expect(() => saveOnnx(model)).toThrow(/^saveOnnx: a transposed convolution has negative padding\. Pad its result/)
  })
})
