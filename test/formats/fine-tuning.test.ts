import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { loadOnnx, onnxLayer, registerOnnxLayer, saveOnnx } from '../../src/formats/index.ts'
import { gradcheck, tensor } from '../../src/graph/index.ts'
import * as nn from '../../src/nn/index.ts'

/** A small network of convolutions, as another library might have exported it. */
async function pretrained() {
  const base = nn.sequential(
    [8, 8, 3],
    [
      nn.conv2d(4, 3, { padding: 'same', activation: 'relu' }),
      nn.batchNorm(),
      nn.depthwiseConv2d(3, { stride: 2 }),
      nn.globalAveragePool(),
      nn.dense(10),
    ],
    { seed: 3 },
  )
  const random = randomSource(2)
  const near = (v: number) => v + (random.next() - 0.5) / 4
  for (const variable of base.parameters) variable.write(variable.read().map(near))
  for (const variable of base.state) variable.write(variable.read().map(() => 0.5 + random.next()))
  return { base, imported: await loadOnnx(saveOnnx(base, { batchNorm: 'keep' })) }
}

const pixels = (count: number, seed = 1) => {
  const random = randomSource(seed)
  return Float32Array.from({ length: count * 8 * 8 * 3 }, () => random.next())
}

const names = (model: { readonly graph: { readonly nodes: readonly { title: string; op: string }[] } }, op: string) =>
  model.graph.nodes.filter((node) => node.op === op).map(({ title }) => /'(.*)'$/.exec(title)![1]!)

describe('an imported model as a layer', () => {
  test('computes what the model computes, for any number of samples', async () => {
    const { base, imported } = await pretrained()
    const model = nn.sequential([8, 8, 3], [onnxLayer(imported)])
    expect(model.outputShape).toEqual([10])
    const expected = await base.predict(pixels(3))
    const result = await model.predict(pixels(3))
    result.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 5)
    })
  })

  test('its weights are variables with true gradients', async () => {
    const { base, imported } = await pretrained()
    const model = nn.sequential([8, 8, 3], [onnxLayer(imported)])
    // running statistics are kept as they are
    expect(model.countParameters()).toBe(base.countParameters())
    const x = tensor(pixels(2), [2, 8, 8, 3])
    const report = gradcheck((input) => model.apply(input, model.context(true)), [x, ...model.parameters])
    expect(String(report)).toContain('derivatives agree')
  })

  test('cut at a named node, frozen, with a new head: only the head is trained; saved, loaded, exported', async () => {
    const { imported } = await pretrained()
    const [cut] = names(imported, 'GlobalAveragePool').concat(names(imported, 'ReduceMean'))
    const features = nn.freeze(
      onnxLayer(imported, { cut: cut!, pixels: { mean: [120, 110, 100], std: [60], bgr: true } }),
    )
    const build = () => nn.sequential([8, 8, 3], [features, nn.flatten(), nn.dense(2)], { seed: 5 })
    const model = build()
    expect(model.parameters.map(({ name }) => name)).toEqual(['dense_1.weight', 'dense_1.bias'])
    const before = model.state.map((variable) => variable.read())
    const x = pixels(64)
    const y = Int32Array.from({ length: 64 }, (_, i) => Number(x[i * 192]! > 0.5))
    x.forEach((value, i) => {
      x[i] = y[Math.floor(i / 192)]! * 0.5 + value * 0.5
    })
    const history = await model.fit(
      { x, y },
      { epochs: 15, optimizer: { name: 'adam', learningRate: 0.05 }, verbose: false },
    )
    expect(history.epochs.at(-1)!.accuracy).toBeGreaterThan(0.95)
    expect(model.state.map((variable) => variable.read())).toEqual(before)
    const expected = await model.predict(x.subarray(0, 192 * 2))
    registerOnnxLayer()
    const loaded = nn.loadModel(model.toBytes())
    expect(await loaded.predict(x.subarray(0, 192 * 2))).toEqual(expected)
    expect(loaded.parameters.map(({ name }) => name)).toEqual(model.parameters.map(({ name }) => name))
    const exported = await loadOnnx(saveOnnx(loaded, { channelsLast: true }))
    const { output } = await exported.run({ shape: [2, 8, 8, 3], data: x.subarray(0, 192 * 2) })
    Array.from(output!.data).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 4)
    })
  })

  test('trained as a whole it moves every weight', async () => {
    const { imported } = await pretrained()
    const model = nn.sequential([8, 8, 3], [onnxLayer(imported), nn.dense(2)])
    const before = model.parameters.map((variable) => variable.read())
    const y = Int32Array.from({ length: 8 }, (_, i) => i % 2)
    await model.fit({ x: pixels(8), y }, { verbose: false })
    model.parameters.forEach((variable, i) => {
      expect(variable.read()).not.toEqual(before[i])
    })
  })

  test('errors', async () => {
    const { imported } = await pretrained()
    expect(() => onnxLayer(imported, { cut: 'nowhere' })).toThrow(
      "onnxLayer: there is no node 'nowhere'. The last nodes",
    )
    expect(() => nn.sequential([8, 8, 4], [onnxLayer(imported)])).toThrow(/onnx_1: .*Conv/)
    expect(() => nn.loadModel(nn.sequential([8, 8, 3], [nn.freeze(nn.relu()), nn.dense(1)]).toBytes())).not.toThrow()
  })
})
