import { describe, expect, test } from 'vitest'
import { referenceValues } from '../../src/graph/reference.ts'
import { fill, tensor } from '../../src/graph/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { normals } from './layer-check.ts'

const small = (seed?: number) =>
  nn.sequential(
    [4, 4, 1],
    [nn.conv2d(2, 3, { padding: 'same', activation: 'relu' }), nn.batchNorm(), nn.flatten(), nn.dense(3)],
    seed === undefined ? {} : { seed },
  )

describe('sequential', () => {
  test('shapes, names and count of weights', () => {
    const model = small()
    expect(model.inputShape).toEqual([4, 4, 1])
    expect(model.outputShape).toEqual([3])
    expect(model.parameters.map(({ name }) => name)).toEqual([
      'conv2d_1.weight',
      'conv2d_1.bias',
      'batchNorm_1.weight',
      'batchNorm_1.bias',
      'dense_1.weight',
      'dense_1.bias',
    ])
    expect(model.state.map(({ name }) => name)).toEqual(['batchNorm_1.runningMean', 'batchNorm_1.runningVariance'])
    expect(model.countParameters()).toBe(20 + 4 + 99)
    expect([...model.rng.read()]).toEqual([1, 0])
  })

  test('the same seed gives the same bits, another seed others', () => {
    expect(small(7).toBytes()).toEqual(small(7).toBytes())
    expect(small(7).parameters[0]!.read()).not.toEqual(small(8).parameters[0]!.read())
  })

  test("a layer's first weights don't depend on the layers after it", () => {
    const longer = nn.sequential([4, 4, 1], [nn.conv2d(2, 3), nn.conv2d(2, 1)])
    const shorter = nn.sequential([4, 4, 1], [nn.conv2d(2, 3)])
    expect(longer.parameters[0]!.read()).toEqual(shorter.parameters[0]!.read())
    expect(longer.parameters[2]!.read()).not.toEqual(longer.parameters[0]!.read().slice(0, 4))
  })

  test('errors', () => {
    expect(() => nn.sequential([4], [])).toThrow('model: there are no layers')
    expect(() => nn.sequential([4], ['relu' as unknown as nn.Layer])).toThrow('sequential: layer 0 is relu')
    expect(() => nn.sequential([4], [nn.relu()], { seed: -1 })).toThrow('model: seed is -1')
    expect(() => nn.sequential([4], [nn.relu()], { seed: 2 ** 24 })).toThrow('model: seed 16777216 is too large')
    const model = nn.sequential([4], [nn.relu()])
    expect(() => model.apply([fill([1, 4], 0), fill([1, 4], 0)], model.context(false))).toThrow('model: 2 inputs')
  })
})

describe('functional', () => {
  test('branches, several inputs', async () => {
    const [a, b] = [nn.input([2]), nn.input([2])]
    const model = nn.functional([a, b], nn.concatenate()(nn.add()(a, b), nn.multiply()(a, b)))
    expect([
      ...(await model.predict(
        [
          [1, 2, 3, 4],
          [5, 6, 7, 8],
        ],
        { batchSize: 1 },
      )),
    ]).toEqual([6, 8, 5, 12, 10, 12, 21, 32])
  })

  test('a layer used twice has one set of weights, also for inputs of another size', () => {
    const a = nn.input([4, 4, 3])
    const head = nn.conv2d(3, 1)
    const model = nn.functional(
      a,
      nn.add()(nn.globalAveragePool()(head(a)), nn.globalMaxPool()(head(nn.maxPool2d(2)(a)))),
    )
    expect(model.parameters.map(({ name }) => name)).toEqual(['conv2d_1.weight', 'conv2d_1.bias'])
    expect(model.steps.filter(({ name }) => name === 'conv2d_1').map(({ built }) => built.shape)).toEqual([
      [4, 4, 3],
      [2, 2, 3],
    ])
    expect(nn.loadModel(model.toBytes()).toBytes()).toEqual(model.toBytes())
  })

  test('layers inside residual and parallel have names and weights of their own', () => {
    const conv = () => nn.conv1d(2, 3, { padding: 'same' })
    const model = nn.sequential([5, 2], [nn.residual([conv(), conv()]), nn.parallel([[conv()], [conv()]])])
    expect(model.parameters.filter(({ shape }) => shape.length > 1).map(({ name }) => name)).toEqual([
      'residual_1.conv1d_1.weight',
      'residual_1.conv1d_2.weight',
      'parallel_1.conv1d_1.weight',
      'parallel_1.conv1d_2.weight',
    ])
    const [first, second] = model.parameters
    expect(first!.read()).not.toEqual(second!.read())
  })

  test('errors', () => {
    const [a, b] = [nn.input([2]), nn.input([2])]
    expect(() => nn.functional(a, nn.add()(a, b))).toThrow('functional: an input node is not in the list of inputs')
    expect(() => nn.functional([a, b], nn.relu()(a))).toThrow("functional: input 1 isn't used")
    const middle = nn.relu()(a)
    expect(() => nn.functional(middle, nn.relu()(middle))).toThrow("functional: input 0 isn't an input node")
    const dense = nn.dense(2)
    expect(() => nn.functional(a, dense(nn.concatenate()(a, dense(a))))).toThrow('dense_1: shapes [1, 4] and [2, 2]')
  })
})

describe('predict', () => {
  test('gives the same for every batch size, with a short last batch', async () => {
    const model = small()
    const x = Float32Array.from(normals(3, 7 * 16))
    const whole = await model.predict(x)
    expect(whole.length).toBe(21)
    const parts = await model.predict(x, { batchSize: 3 })
    const [direct] = referenceValues([model.apply(tensor(x, [7, 4, 4, 1]), model.context(false))])
    for (const [i, value] of direct!.entries()) {
      expect(whole[i]).toBeCloseTo(value, 4)
      expect(parts[i]).toBeCloseTo(value, 4)
    }
  })

  test('reads weights as they are at the call', async () => {
    const model = nn.sequential([2], [nn.dense(1)])
    model.parameters[0]!.write([1, 10])
    expect([...(await model.predict([1, 2]))]).toEqual([21])
    model.parameters[0]!.write([2, 0])
    expect([...(await model.predict([1, 2]))]).toEqual([2])
  })

  test('errors', async () => {
    const model = small()
    await expect(model.predict(new Float32Array(17))).rejects.toThrow('predict: input 0 has 17 values, a sample 16')
    await expect(model.predict([])).rejects.toThrow('predict: input 0 has 0 values')
    await expect(model.predict(new Float32Array(16), { batchSize: 0 })).rejects.toThrow('predict: batchSize is 0')
    const [a, b] = [nn.input([2]), nn.input([3])]
    const two = nn.functional([a, b], nn.concatenate()(a, b))
    await expect(
      two.predict([
        [1, 2],
        [1, 2],
      ]),
    ).rejects.toThrow('predict: input 1 has 2 values, a sample 3')
  })
})

describe('summary', () => {
  test('one line a layer, and totals', () => {
    expect(`\n${small().summary()}`).toBe(`
layer           output     parameters  MACs  sees
--------------  ---------  ----------  ----  ----
input           [4, 4, 1]
conv2d_1        [4, 4, 2]          20   288   3x3
batchNorm_1     [4, 4, 2]           4     0   3x3
flatten_1       [32]                0     0     -
dense_1         [3]                99    96     -
--------------  ---------  ----------  ----  ----
total of model                    123   384`)
  })

  test('receptive fields through stride, dilation, pooling, padding layers and branches', () => {
    const model = nn.sequential(
      [32, 1],
      [
        nn.zeroPad1d(1),
        nn.conv1d(2, 3, { stride: 2 }),
        nn.maxPool1d(2),
        nn.conv1d(2, 3, { dilation: 2, padding: 2 }),
        nn.residual([nn.conv1d(2, 3, { padding: 1 })]),
        nn.upsampling(2),
      ],
    )
    const fields = nn.summaryRows(model).map((row) => row.fields)
    expect(fields).toEqual([
      [{ size: 1, jump: 1, start: -1 }],
      [{ size: 3, jump: 2, start: 0 }],
      [{ size: 5, jump: 4, start: 1 }],
      [{ size: 21, jump: 4, start: 1 }],
      [{ size: 29, jump: 4, start: 1 }],
      'unclear',
    ])
  })

  test('shared weights are counted once, average pooling has no multiply-accumulates', () => {
    const dense = nn.dense(3)
    const rows = nn.summaryRows(nn.sequential([2, 3], [dense, dense, nn.averagePool1d(2, { padding: 1 })]))
    expect(rows.map((row) => row.parameters)).toEqual([12, 0, 0])
    expect(rows.map((row) => row.macs)).toEqual([18, 18, 0])
  })
})
