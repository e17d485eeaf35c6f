import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import { compile } from '../../src/compile.ts'
import { fill, tensor } from '../../src/graph/index.ts'
import { adversary, discriminator, generator, generator64, latent } from '../../src/models/dcgan.ts'
import { alexnetModern, audio, lenet5of1998, mapCriterion, volume } from '../../src/models/index.ts'
import { curvatures, levenbergMarquardt, publishedRates } from '../../src/models/lenet5-1998-training.ts'
import { addIfSilent, secondModule, unitLength } from '../../src/models/neocognitron-mnist.ts'
import { twin } from '../../src/models/separable.ts'
import { summaryRows } from '../../src/nn/index.ts'

const chance = (length: number, seed = 1) => {
  const random = randomSource(seed)
  return Float32Array.from({ length }, () => 2 * random.next() - 1)
}

test.each([
  ['alexnet-modern', alexnetModern(), 354_922, 10],
  ['audio', audio(), 84_426, 10],
  ['volume', volume(), 589_122, 10],
  ['twin, standard', twin({ separable: false, inputShape: [28, 28, 1] }), 61_050, 10],
  ['twin, separable', twin({ separable: true, inputShape: [28, 28, 1] }), 8810, 10],
  ['generator', generator(), 200_704 + 128 + 32_768 + 64 + 513, 784],
])('%s: parameters and outputs', (_, model, parameters, outputs) => {
  expect(sizeOf(model.outputShape)).toBe(outputs)
  expect(model.countParameters()).toBe(parameters)
})

test('the twins of 28x28 differ by a factor of 6.4 in multiply-adds', () => {
  const macs = [false, true].map((separable) =>
    summaryRows(twin({ separable, inputShape: [28, 28, 1] })).reduce((sum, row) => sum + row.macs, 0),
  )
  expect(macs).toEqual([3_726_208, 585_504])
})

test.each([
  ['audio', () => audio({ width: 4, inputShape: [2000, 1] })],
  ['volume', () => volume({ inputShape: [20, 20, 20, 1] })],
] as const)('%s takes a step of training', async (_, make) => {
  const model = make()
  const x = chance(2 * sizeOf(model.inputShape))
  const before = model.parameters[0]!.read()
  const { epochs } = await model.fit({ x, y: Float32Array.of(0, 1) }, { batchSize: 2, verbose: false })
  expect(Number.isFinite(epochs[0]!.loss)).toBe(true)
  expect(model.parameters[0]!.read()).not.toEqual(before)
})

test('the generator of 64x64 takes a step of training: every weight of it moves', async () => {
  const model = generator64({ width: 16 })
  expect(model.outputShape).toEqual([64, 64, 3])
  const before = model.parameters.map((parameter) => parameter.read())
  const data = { x: chance(2 * 100), y: chance(2 * sizeOf(model.outputShape), 2) }
  const { epochs } = await model.fit(data, { batchSize: 2, loss: 'meanSquaredError', verbose: false })
  expect(Number.isFinite(epochs[0]!.loss)).toBe(true)
  model.parameters.forEach((parameter, i) => {
    expect(parameter.read()).not.toEqual(before[i])
  })
})

describe('diagonal Levenberg-Marquardt', () => {
  test('of a layer without squashing the curvatures are the exact second derivatives', async () => {
    const [x, w, b] = [tensor(chance(6), [2, 3]), tensor(chance(12), [1, 1, 3, 4]), tensor(chance(4), [4])]
    const { add, conv, reshape } = await import('../../src/graph/index.ts')
    const y = add(conv(reshape(x, [2, 1, 1, 3]), w), b)
    // E = the sum of (y - target)^2: by w_jk its second derivative is 2 times the sum of x_j^2, by a bias 2 a sample
    const [byW, byB] = curvatures(y, fill(y.shape, 2), [w, b])
    const values = await x.data()
    const expected = [0, 1, 2].flatMap((j) => new Array(4).fill(2 * (values[j]! ** 2 + values[3 + j]! ** 2)))
    ;(await byW!.data()).forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i]!, 5)
    })
    expect([...(await byB!.data())]).toEqual([4, 4, 4, 4])
  })

  test('a squashing function multiplies them by the square of its derivative', async () => {
    const { mul, tanh } = await import('../../src/graph/index.ts')
    const x = tensor([0.3, -1.2])
    const [by] = curvatures(mul(tanh(x), 1.7159), fill([2], 2), [x])
    const expected = [0.3, -1.2].map((v) => 2 * (1.7159 * (1 - Math.tanh(v) ** 2)) ** 2)
    ;(await by!.data()).forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i]!, 5)
    })
  })

  test('the rates of the twenty passes are the paper’s', () => {
    const eta = (epoch: number) => 0.0005 * publishedRates.factor({ epoch, step: 0, totalSteps: 1, epochs: [] })
    const rates = Array.from({ length: 20 }, (_, epoch) => Number(eta(epoch).toPrecision(3)))
    const times = (count: number, rate: number) => new Array(count).fill(rate)
    expect(rates).toEqual([
      ...times(2, 0.0005),
      ...times(3, 0.0002),
      ...times(3, 0.0001),
      ...times(4, 0.00005),
      ...times(8, 0.00001),
    ])
  })

  test('trains LeNet-5, each weight with a step of its own', async () => {
    const model = lenet5of1998()
    const data = {
      x: Float32Array.from(chance(500 * 784), Math.abs),
      y: Float32Array.from({ length: 500 }, (_, i) => i % 10),
    }
    const source = { length: 500, batch: (indices: ArrayLike<number>) => pick(data, indices) }
    const { optimizer, callback, steps } = levenbergMarquardt(model, source)
    const options = { batchSize: 50, loss: mapCriterion(), optimizer, callbacks: [callback], verbose: false }
    const { epochs } = await model.fit(source, options)
    expect(Number.isFinite(epochs[0]!.loss)).toBe(true)
    const all = steps(0.0005)
    expect(all.length).toBe(60_000)
    expect(Math.max(...all.subarray(0, 1000))).toBeLessThanOrEqual(0.0005 / 0.02 + 1e-6)
    expect(Math.min(...all.subarray(-84))).toBeLessThan(0.0005)
  })
})

function pick({ x, y }: { x: Float32Array; y: Float32Array }, indices: ArrayLike<number>) {
  const rows = new Float32Array(indices.length * 784)
  for (let n = 0; n < indices.length; n++) rows.set(x.subarray(indices[n]! * 784, (indices[n]! + 1) * 784), n * 784)
  return { x: rows, y: Float32Array.from(indices, (i) => y[i]!) }
}

test('both of the adversaries learn in a step', async () => {
  const [g, d] = [generator({ width: 2 }), discriminator({ width: 2 })]
  const before = [g, d].map((model) => model.parameters[0]!.read())
  const { ofReal, ofMade } = await adversary(g, d, 4)(chance(4 * 784), chance(4 * latent))
  expect([ofReal, ofMade].every((sure) => sure > 0 && sure < 1)).toBe(true)
  expect(g.parameters[0]!.read()).not.toEqual(before[0])
  expect(d.parameters[0]!.read()).not.toEqual(before[1])
})

describe('neocognitron of handwritten digits', () => {
  const patch = (seed: number) => Float32Array.from(chance(25 * 12, seed), Math.abs)

  test('a new plane only where all are silent; the winner is reinforced', () => {
    const [a, b] = [new Float32Array(300), new Float32Array(300)]
    a.fill(1, 0, 150)
    b.fill(1, 150)
    const patches = addIfSilent([a, b, a, a], 8)
    expect(patches.length).toBe(2)
    patches[0]!.forEach((v, i) => {
      expect(v).toBeCloseTo(unitLength(a)[i]!, 5)
    })
    expect(addIfSilent([a, b], 1).length).toBe(1)
    expect(addIfSilent([new Float32Array(300)], 8)).toEqual([])
  })

  test('its cells fire for what they learned', async () => {
    const learned = patch(1)
    const x = new Float32Array(14 * 14 * 12)
    for (let y = 0; y < 5; y++) x.set(learned.subarray(y * 60, (y + 1) * 60), ((y + 5) * 14 + 5) * 12)
    const run = compile((u) => secondModule(u, [unitLength(learned), unitLength(patch(2))]), [[1, 14, 14, 12]])
    const responses = await run(x)
    expect(Math.max(...responses.filter((_, i) => i % 2 === 0))).toBeGreaterThan(0)
    expect((await run(new Float32Array(x.length))).every((v) => v === 0)).toBe(true)
  })
})
