import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import type { Shape } from '../../src/base/shape.ts'
import { gradient } from '../../src/graph/gradient.ts'
import { sum } from '../../src/graph/reduce.ts'
import { referenceValues } from '../../src/graph/reference.ts'
import { type Tensor, tensor } from '../../src/graph/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { type InitializerName, initialValues } from '../../src/nn/initializers.ts'
import { layerValue, modelOf, normals } from './layer-check.ts'

const values = (x: Tensor) => Array.from(referenceValues([x])[0]!)
const close = (got: readonly number[], expected: readonly number[], digits = 6) => {
  expect(got.length).toBe(expected.length)
  for (const [i, value] of got.entries()) expect(value).toBeCloseTo(expected[i]!, digits)
}

describe('activations', () => {
  // From their definitions with 7 digits, at -2, 0 and 1.
  test.each([
    ['relu', nn.relu, [0, 0, 1]],
    ['leakyRelu', nn.leakyRelu, [-0.02, 0, 1]],
    ['elu', nn.elu, [-0.8646647, 0, 1]],
    ['selu', nn.selu, [-1.5201665, 0, 1.050701]],
    ['gelu', nn.gelu, [-0.0455003, 0, 0.8413447]],
    ['silu', nn.silu, [-0.2384058, 0, 0.7310586]],
    ['softplus', nn.softplus, [0.126928, Math.LN2, 1.3132617]],
    ['mish', nn.mish, [-0.2525015, 0, 0.8650984]],
    ['hardSwish', nn.hardSwish, [-1 / 3, 0, 2 / 3]],
    ['hardSigmoid', nn.hardSigmoid, [1 / 6, 0.5, 2 / 3]],
    ['softsign', nn.softsign, [-2 / 3, 0, 0.5]],
  ] as const)('%s', (_, f, expected) => {
    close(values(f(tensor([-2, 0, 1]))), expected)
  })

  test('derivatives at 0', () => {
    const at = (f: (x: Tensor) => Tensor) => {
      const x = tensor([0])
      return values(gradient(sum(f(x)), [x])[0]!)[0]
    }
    expect(at(nn.relu)).toBe(0)
    expect(at(nn.elu)).toBe(1)
    expect(at(nn.leakyRelu)).toBeCloseTo(0.01)
    expect(at(nn.softplus)).toBe(0.5)
    expect(at(nn.mish)).toBeCloseTo(0.6)
  })

  test('softplus of a large number is the number', () => {
    expect(values(nn.softplus(tensor([500])))).toEqual([500])
  })
})

describe('normalisation', () => {
  const x = [1, 10, 3, 30, 5, 50, 7, 70]

  test('batchNorm in training: biased variance for the batch, unbiased for the running one', () => {
    const model = modelOf(nn.batchNorm({ momentum: 0.25, eps: 0 }), [2, 2])
    const run = model.context(true)
    const y = model.apply(tensor(x, [2, 2, 2]), run)
    const s = Math.sqrt(5)
    close(values(y), [-3 / s, -3 / s, -1 / s, -1 / s, 1 / s, 1 / s, 3 / s, 3 / s])
    expect(run.updates.map(({ variable }) => variable.name)).toEqual([
      'batchNorm_1.runningMean',
      'batchNorm_1.runningVariance',
    ])
    close(values(run.updates[0]!.value), [1, 10])
    close(values(run.updates[1]!.value), [0.75 + 0.25 * (20 / 3), 0.75 + 0.25 * (2000 / 3)], 4)
  })

  test('batchNorm otherwise uses the running statistics and updates none', () => {
    const model = modelOf(nn.batchNorm({ eps: 0 }), [2])
    model.state[0]!.write([1, 10])
    model.state[1]!.write([4, 100])
    const run = model.context(false)
    close(values(model.apply(tensor([3, 30], [1, 2]), run)), [1, 2])
    expect(run.updates).toEqual([])
  })

  test('batchNorm used twice in a program updates its statistics one after the other', () => {
    const norm = nn.batchNorm({ momentum: 0.5 })
    const a = nn.input([2])
    const model = nn.functional(a, norm(norm(a)), { seed: 1 })
    const run = model.context(true)
    model.apply(tensor([1, 0, 3, 0], [2, 2]), run)
    expect(run.updates.length).toBe(2)
    close(values(run.updates[0]!.value), [0.5, 0]) // halfway to 2, then halfway to 0
  })

  test('groupNorm, layerNorm and instanceNorm take mean and variance of their own parts', () => {
    const half = [-1, -1, 1, 1]
    close(values(nn.groupNorm(tensor([1, 1, 3, 3, 4, 4, 6, 6], [2, 4]), 1, { eps: 0 })), [...half, ...half])
    close(values(nn.layerNorm(tensor([1, 3, 10, 30], [2, 2]), 2, { eps: 0 })), [-1, 1, -1, 1])
    close(values(nn.instanceNorm(tensor([1, 10, 3, 30], [1, 2, 2]), { eps: 0 })), [-1, -1, 1, 1])
  })

  test('localResponseNorm divides by neighbours in channels, those outside being 0', () => {
    const y = nn.localResponseNorm(tensor([1, 2, 3], [1, 3]), 3, { alpha: 3, beta: 1, k: 1 })
    close(values(y), [1 / 6, 2 / 15, 3 / 14])
    const even = nn.localResponseNorm(tensor([1, 2, 3], [1, 3]), 2, { alpha: 2, beta: 1, k: 1 })
    close(values(even), [1 / 2, 2 / 6, 3 / 14])
  })
})

describe('dropout', () => {
  const ones = new Array<number>(400).fill(1)

  test('keeps all outside of training', () => {
    expect(layerValue(nn.dropout(0.5), [400], ones)).toEqual(ones)
  })

  test('drops about its rate and scales the others', () => {
    const y = layerValue(nn.dropout(0.25), [400], ones, true)
    const kept = y.filter((value) => value !== 0)
    for (const value of kept) expect(value).toBeCloseTo(4 / 3)
    expect(kept.length).toBeGreaterThan(250)
    expect(kept.length).toBeLessThan(350)
  })

  test('of rate 1 gives zeros', () => {
    expect(layerValue(nn.dropout(1), [4], [1, 2, 3, 4], true)).toEqual([0, 0, 0, 0])
  })

  test('two dropouts of a model differ', () => {
    const model = nn.sequential([400], [nn.dropout(0.5), nn.dropout(0.5)])
    const y = values(model.apply(tensor(ones, [1, 400]), model.context(true)))
    expect(y.filter((value) => value !== 0).length).toBeLessThan(150)
  })

  test('spatialDropout drops whole channels', () => {
    const y = layerValue(nn.spatialDropout(0.5), [2, 2, 50], ones.slice(0, 200), true)
    for (let c = 0; c < 50; c++) expect(new Set([0, 1, 2, 3].map((p) => y[p * 50 + c])).size).toBe(1)
    expect(new Set(y).size).toBe(2)
  })
})

describe('resize', () => {
  const x = tensor([1, 2, 3, 4], [1, 4, 1])

  test.each([
    ['nearest', { mode: 'nearest' }, 6, [1, 1, 2, 3, 3, 4]],
    ['nearestExact', { mode: 'nearestExact' }, 2, [2, 4]],
    ['linear', { mode: 'linear' }, 8, [1, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4]],
    ['linear, corners aligned', { mode: 'linear', alignCorners: true }, 7, [1, 1.5, 2, 2.5, 3, 3.5, 4]],
    ['cubic', { mode: 'cubic' }, 2, [1.40625, 3.59375]],
  ] as const)('%s', (_, options, size, expected) => {
    close(values(nn.resize(x, size, options)), expected)
  })

  test('pixelShuffle puts channel (c r + i) r + j at row i, column j of channel c; pixelUnshuffle undoes it', () => {
    const given = tensor([0, 1, 2, 3, 4, 5, 6, 7], [1, 1, 1, 8])
    const y = nn.pixelShuffle(given, 2)
    expect(y.shape).toEqual([1, 2, 2, 2])
    expect(values(y)).toEqual([0, 4, 1, 5, 2, 6, 3, 7])
    expect(values(nn.pixelUnshuffle(y, 2))).toEqual(values(given))
  })

  test('adaptive pools share the elements among overlapping windows', () => {
    expect(values(nn.adaptiveAveragePool(tensor([1, 2, 3, 4, 5], [1, 5, 1]), 3))).toEqual([1.5, 3, 4.5])
    expect(values(nn.adaptiveMaxPool(tensor([5, 2, 3, 4, 1], [1, 5, 1]), 3))).toEqual([5, 4, 4])
  })
})

describe('initialisers', () => {
  const shape: Shape = [3, 3, 16, 24]
  const drawn = (name: InitializerName) => initialValues(name, shape, randomSource(3))
  const deviation = (list: Float32Array) => Math.sqrt(list.reduce((total, v) => total + v * v, 0) / list.length)

  test.each([
    ['glorotUniform', 2 / (9 * 40)],
    ['glorotNormal', 2 / (9 * 40)],
    ['heUniform', 2 / 144],
    ['heNormal', 2 / 144],
    ['lecunUniform', 1 / 144],
    ['lecunNormal', 1 / 144],
  ] as const)('%s has the variance of its paper', (name, variance) => {
    expect(deviation(drawn(name)) / Math.sqrt(variance)).toBeCloseTo(1, 1)
  })

  test('orthogonal gives columns, or rows where there are fewer, at right angles', () => {
    for (const [rows, columns] of [
      [5, 3],
      [3, 5],
    ] as const) {
      const q = initialValues({ name: 'orthogonal', gain: 2 }, [rows, columns], randomSource(1))
      const few = Math.min(rows, columns)
      const at = (i: number, k: number) => (rows < columns ? q[i * columns + k]! : q[k * columns + i]!)
      for (let i = 0; i < few; i++)
        for (let j = 0; j < few; j++) {
          let product = 0
          for (let k = 0; k < 5; k++) product += at(i, k) * at(j, k)
          expect(product).toBeCloseTo(i === j ? 4 : 0, 5)
        }
    }
  })

  test('truncatedNormal stays within two deviations, uniform within its range', () => {
    const cut = initialValues({ name: 'truncatedNormal', mean: 1, deviation: 0.5 }, [2000], randomSource(1))
    expect(Math.max(...cut)).toBeLessThanOrEqual(2)
    expect(Math.min(...cut)).toBeGreaterThanOrEqual(0)
    const flat = initialValues({ name: 'uniform', low: 2, high: 3 }, [2000], randomSource(1))
    expect(Math.min(...flat)).toBeGreaterThanOrEqual(2)
    expect(Math.max(...flat)).toBeLessThanOrEqual(3)
  })

  test('zeros, ones, constant and normal', () => {
    expect([...initialValues('zeros', [2], randomSource(1))]).toEqual([0, 0])
    expect([...initialValues('ones', [2], randomSource(1))]).toEqual([1, 1])
    expect([...initialValues({ name: 'constant', value: 3 }, [2], randomSource(1))]).toEqual([3, 3])
    expect(deviation(initialValues({ name: 'normal', deviation: 2 }, [5000], randomSource(1)))).toBeCloseTo(2, 1)
  })
})

test('a separable convolution is a depthwise, then a pointwise one', () => {
  const model = modelOf(nn.separableConv2d(3, 2, { multiplier: 2, padding: 'same' }), [3, 3, 2])
  const x = tensor(normals(4, 18), [1, 3, 3, 2])
  const parts = nn.sequential([3, 3, 2], [nn.depthwiseConv2d(2, { multiplier: 2, padding: 'same' }), nn.conv2d(3, 1)])
  const [depthwise, pointwise] = model.parameters
  const find = (name: string) => parts.parameters.find((variable) => variable.name === name)!
  find('depthwiseConv2d_1.weight').write(depthwise!.read())
  find('conv2d_1.weight').write(pointwise!.read())
  close(values(model.apply(x, model.context(false))), values(parts.apply(x, parts.context(false))))
})
