import { describe, expect, test } from 'vitest'
import { sizeOf } from '../../../src/base/shape.ts'
import { loadGraphModel } from '../../../src/formats/index.ts'
import { graphCases, graphFiles, numbers } from './graph-cases.ts'
// JSON of what tfjs 4.22 computes on its CPU backend: tfjs.node.test.ts writes it
import expectedText from './graph-expected.txt?raw'

interface Expected {
  readonly shape: readonly number[]
  readonly values: readonly number[]
}

const expected = JSON.parse(expectedText) as Readonly<Record<string, readonly Expected[]>>

describe('a graph gives what tfjs gives', () => {
  for (const item of graphCases)
    test(item.name, async () => {
      const model = await loadGraphModel(graphFiles(item))
      const feeds = Object.entries(item.inputs).map(([name, shape], i) => [
        name,
        { shape, data: numbers(sizeOf(shape), i + 7) },
      ])
      const results = await model.run(Object.fromEntries(feeds))
      const names = item.outputs ?? ['y']
      expect(expected[item.name]).toHaveLength(names.length)
      names.forEach((name, k) => {
        const { shape, values } = expected[item.name][k]
        expect(results[name].shape).toEqual(shape)
        const largest = values.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-9)
        values.forEach((value, i) => {
          expect(Math.abs(results[name].data[i] - value) / largest).toBeLessThan(2e-6)
        })
      })
    })
})

const simple = graphCases[0]

test('other nodes can be asked for', async () => {
  const item = graphCases.find(({ name }) => name === 'Log')!
  const model = await loadGraphModel(graphFiles(item), { outputs: ['e'] })
  const { e } = await model.run([0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
  expect(e.data[9]).toBeCloseTo(Math.E, 5)
  await expect(loadGraphModel(graphFiles(item), { outputs: ['f'] })).rejects.toThrow("loadTfjs: node 'f' is missing")
})

test('names of the signature stand for nodes', async () => {
  const files = graphFiles(simple)
  const model = JSON.parse(new TextDecoder().decode(files['model.json']))
  model.signature = {
    inputs: { image: { name: 'x:0', dtype: 'DT_FLOAT' } },
    outputs: { maps: { name: 'y:0', dtype: 'DT_FLOAT' } },
  }
  const loaded = await loadGraphModel({ ...files, 'model.json': new TextEncoder().encode(JSON.stringify(model)) })
  expect(loaded.inputs.map(({ name }) => name)).toEqual(['image'])
  const results = await loaded.run({ image: { shape: [1, 6, 5, 3], data: new Float32Array(90) } })
  expect(Object.keys(results)).toEqual(['maps'])
  // without a signature what nothing takes is an output
  delete model.signature
  const other = await loadGraphModel({ ...files, 'model.json': new TextEncoder().encode(JSON.stringify(model)) })
  expect(other.outputs.map(({ name }) => name)).toEqual(['y'])
})
