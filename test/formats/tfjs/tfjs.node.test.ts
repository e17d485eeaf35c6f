// By hand: what tfjs makes of the same models. It isn't a dependency: install it anywhere and name the place:
// FOVEA_TFJS=/somewhere/node_modules npx vitest run test/formats/tfjs/tfjs.node.test.ts
// With -u its results on the small graphs are written to graph-expected.txt.
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { type Shape, sizeOf } from '../../../src/base/shape.ts'
import { saveLayersModel } from '../../../src/formats/index.ts'
import { models } from '../../../src/models/index.ts'
import type { Model } from '../../../src/nn/index.ts'
import { layerCases } from '../../nn/layer-cases.ts'
import { modelOf, normals } from '../../nn/layer-check.ts'
import { graphCases, graphFiles, numbers } from './graph-cases.ts'

interface TfTensor {
  readonly shape: Shape
  data(): Promise<Float32Array>
}
interface TfModel {
  predict(inputs: unknown): TfTensor | TfTensor[]
  execute(inputs: unknown, outputs: readonly string[]): TfTensor[]
}
interface Tfjs {
  tensor(values: ArrayLike<number>, shape: Shape): TfTensor
  setBackend(name: string): Promise<boolean>
  loadLayersModel(handler: object): Promise<TfModel>
  loadGraphModel(handler: object): Promise<TfModel>
}

const place = process.env.FOVEA_TFJS
if (!place) console.log('SKIPPED: tfjs, because FOVEA_TFJS does not name a folder of packages')

async function tfjs(): Promise<Tfjs> {
  const load = createRequire(`${place}/any.js`)
  const parts = ['core', 'layers', 'converter', 'backend-cpu'].map((name) => load(`@tensorflow/tfjs-${name}`))
  const all = Object.assign({}, ...parts.slice(0, 3)) as Tfjs
  await all.setBackend('cpu')
  return all
}

/** Files in memory as tfjs takes them. */
function handler(files: Record<string, Uint8Array>) {
  const { weightsManifest, ...rest } = JSON.parse(new TextDecoder().decode(files['model.json']))
  const [{ paths, weights }] = weightsManifest
  const bytes = Uint8Array.from((paths as string[]).flatMap((path) => [...files[path]]))
  return { load: async () => ({ ...rest, weightSpecs: weights, weightData: bytes.buffer }) }
}

function written(model: Model): Record<string, Uint8Array> | undefined {
  try {
    return saveLayersModel(model)
  } catch {
    return undefined
  }
}

async function expectSame(model: Model): Promise<void> {
  const files = written(model)
  if (!files) return
  const tf = await tfjs()
  const inputs = model.inputShapes.map((shape, i) => Float32Array.from(normals(i + 90, 2 * sizeOf(shape))))
  const theirs = await tf.loadLayersModel(handler(files))
  const result = [theirs.predict(inputs.map((x, i) => tf.tensor(x, [2, ...model.inputShapes[i]])))].flat()[0]
  const [actual, expected] = [await result.data(), await model.predict(inputs.length === 1 ? inputs[0] : inputs)]
  const largest = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 1)
  for (let i = 0; i < expected.length; i++) expect(Math.abs(actual[i] - expected[i]) / largest).toBeLessThan(1e-5)
}

describe.skipIf(!place)('tfjs predicts what the model does', () => {
  for (const [i, { layer, inputs }] of layerCases.entries())
    test(`${i}: ${layer.kind}`, () => expectSame(modelOf(layer, ...inputs)))
  for (const name of ['lenet5', 'separable', 'vgg-like', 'xception-tiny']) test(name, () => expectSame(models[name]()))
})

const rounded = (v: number) => Number(v.toPrecision(7))

test.skipIf(!place)('results of tfjs on the small graphs', async () => {
  const tf = await tfjs()
  const results: Record<string, unknown> = {}
  for (const item of graphCases) {
    const model = await tf.loadGraphModel(handler(graphFiles(item)))
    const feeds = Object.entries(item.inputs).map(([name, shape], i) => [
      name,
      tf.tensor(numbers(sizeOf(shape), i + 7), shape),
    ])
    const outputs = [model.execute(Object.fromEntries(feeds), item.outputs ? [...item.outputs] : ['y'])].flat()
    const values = await Promise.all(
      outputs.map(async (y) => ({ shape: y.shape, values: Array.from(await y.data(), rounded) })),
    )
    expect(results[item.name], `${item.name} twice`).toBeUndefined()
    results[item.name] = values
  }
  const lines = Object.entries(results).map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`)
  await expect(`{\n${lines.join(',\n')}\n}\n`).toMatchFileSnapshot('graph-expected.txt')
})
