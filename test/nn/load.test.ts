import { describe, expect, test } from 'vitest'
import * as nn from '../../src/nn/index.ts'
import { normals } from './layer-check.ts'

const branchy = () => {
  const [a, b] = [nn.input([6, 6, 2]), nn.input([2])]
  const trunk = nn.residual([nn.conv2d(2, 3, { padding: 'same', activation: 'relu' }), nn.batchNorm()])
  const scaled = nn.multiply()(trunk(trunk(a)), nn.reshape([1, 1, 2])(nn.sigmoid()(b)))
  const aspp = nn.parallel([[nn.conv2d(2, 3, { dilation: 2, padding: 'same' })], [nn.dropout(0.1), nn.dense(2)]])
  return nn.functional([a, b], nn.dense(3)(nn.globalAveragePool()(aspp(scaled))), { seed: 9, name: 'branchy' })
}

/** The file of a model with its config changed. */
function withConfig(change: (config: Record<string, unknown>) => unknown): Uint8Array {
  const file = nn.readSafetensors(nn.sequential([2], [nn.dense(2), nn.relu()]).toBytes())
  const config = change(JSON.parse(file.metadata.get('fovea')!))
  const tensors = [...file.tensors].map(([name, t]) => [name, { ...t, data: Float32Array.from(t.data) }] as const)
  return nn.writeSafetensors(tensors, { fovea: typeof config === 'string' ? config : JSON.stringify(config) })
}

type Nodes = Record<string, unknown>[]
const withNode = (index: number, change: Record<string, unknown>) =>
  withConfig((config) => {
    Object.assign((config.nodes as Nodes)[index]!, change)
    return config
  })

describe('loadModel', () => {
  test('gives equal bytes and equal predictions', async () => {
    const model = branchy()
    for (const variable of [...model.parameters, ...model.state]) variable.write(normals(1, variable.read().length))
    model.state[1]!.write([1, 2])
    model.rng.write([9, 123])
    const again = nn.loadModel(model.toBytes())
    expect(again.toBytes()).toEqual(model.toBytes())
    expect([again.name, again.seed]).toEqual(['branchy', 9])
    expect([...again.rng.read()]).toEqual([9, 123])
    const x = [normals(2, 3 * 72), normals(3, 3 * 2)]
    expect(await again.predict(x)).toEqual(await model.predict(x))
  })

  test.each<[string, Uint8Array]>([
    ["loadModel: the file has weights, but no metadata 'fovea'", nn.writeSafetensors([])],
    ["loadModel: metadata 'fovea' isn't JSON", withConfig(() => '{')],
    ["loadModel: metadata 'fovea' has no name and list of nodes", withConfig(() => ({ nodes: 3, name: 'x' }))],
    ['loadModel: the model has 7 inputs among 3 nodes', withConfig((config) => ({ ...config, inputs: 7 }))],
    ['loadModel: the model has 0 inputs among 3 nodes', withConfig((config) => ({ ...config, inputs: 0 }))],
    ['model: seed is -3', withConfig((config) => ({ ...config, seed: -3 }))],
    [
      "loadModel: node 1 isn't a record",
      withConfig((config) => ({ ...config, nodes: [(config.nodes as Nodes)[0], 5] })),
    ],
    ["loadModel: node 0 isn't an input", withNode(0, { layer: 'relu' })],
    ['input: every size is -2', withNode(0, { config: [[-2]] })],
    ["loadModel: node 1 doesn't say which nodes go in", withNode(1, { inputs: [1] })],
    ["loadModel: node 1 doesn't say which nodes go in", withNode(1, { inputs: 0 })],
    ['loadModel: node 1 has no layer', withNode(1, { layer: undefined })],
    ['loadModel: node 2 repeats node 0', withNode(2, { same: 0 })],
    ["loadModel: there is no layer 'conv9d'. Use one of ", withNode(1, { layer: 'conv9d' })],
    ["loadModel: there is no layer '__proto__'", withNode(1, { layer: '__proto__' })],
    ["loadModel: there is no layer 'constructor'", withNode(1, { layer: 'constructor' })],
    ['dense: units is [object Object]', withNode(1, { config: [{ a: 1 }] })],
    [
      "dense: option '__proto__' is unknown",
      withConfig((c) => JSON.stringify(c).replace('[2,{}]', '[2,{"__proto__":1}]')),
    ],
    ["loadModel: the model can't be built of its config (TypeError", withNode(1, { config: [2, null] })],
    [
      "loadModel: weight 'dense_1.weight' has shape [2, 2], but its layer needs [2, 900000000]",
      withNode(1, { config: [9e8] }),
    ],
    ["loadModel: weight 'dense_2.weight' is missing", withNode(2, { layer: 'dense', config: [2] })],
    [
      'loadModel: the config is nested deeper than 100 levels',
      withConfig((config) => JSON.stringify(config).replace('[2,{}]', `[${'['.repeat(200)}${']'.repeat(200)}]`)),
    ],
  ])('%s', (message, bytes) => {
    expect(() => nn.loadModel(bytes)).toThrow(message)
  })
})
