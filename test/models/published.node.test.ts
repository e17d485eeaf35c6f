import { describe, expect, test } from 'vitest'
import '../../src/compile.ts'
import { randomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import { compile } from '../../src/compile.ts'
import { softmaxCrossEntropy, tensor } from '../../src/graph/index.ts'
import { generator64 } from '../../src/models/dcgan.ts'
import {
  alexnet,
  alexnetMini,
  alexnetModern,
  alexnetSingle,
  contextFrontEnd,
  deeplabV2,
  deeplabV3,
  deeplabV3Plus,
  deeplabVgg,
  lenet5,
  lenet5of1998,
  m5,
  mapCriterion,
  mobilenet,
  mobilenetV2,
  separable,
  vggLike,
  voxnet,
  xception,
  xceptionTiny,
} from '../../src/models/index.ts'
import { codes, connections } from '../../src/models/lenet5-1998.ts'
import { fit, loadModel, type Model } from '../../src/nn/index.ts'

/** Kernels of zeros take no memory until a program runs. */
const light = { kernelInitializer: 'zeros' } as const
const stateOf = (model: Model) => model.state.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
/** Shapes after the layers whose edge or number of channels differs from the one before. */
const shapesOf = (model: Model, kind: RegExp) =>
  model.steps.filter(({ layer }) => kind.test(layer.kind)).map(({ built }) => built.shape.join('x'))

describe('LeNet-5 as published', () => {
  const model = lenet5of1998()

  test('60,000 trainable parameters in the layers of figure 2', () => {
    const counts = model.steps.map(({ built }) => built.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0))
    expect(counts.filter((n) => n > 0)).toEqual([156, 12, 1516, 32, 48_120, 10_164])
    expect(model.countParameters()).toBe(60_000)
    expect(shapesOf(model, /conv|Conv|Sub|dense|Radial/)).toEqual([
      '28x28x6',
      '14x14x6',
      '10x10x16',
      '5x5x16',
      '1x1x120',
      '84',
      '10',
    ])
  })

  test('340,908 connections', () => {
    // each map's positions times its connections and bias; a subsampling unit has 4 and a bias
    const c1 = 28 * 28 * 6 * 26
    const s2 = 14 * 14 * 6 * 5
    const c3 = 10 * 10 * (connections.flat().length * 25 + 16)
    const s4 = 5 * 5 * 16 * 5
    expect([c1, s2, c3, s4]).toEqual([122_304, 5880, 151_600, 2000])
    expect(c1 + s2 + c3 + s4 + 48_120 + 10_164 + 840).toBe(340_908)
  })

  test('a map of C3 sees the maps of its table only', async () => {
    const step = model.steps.findIndex(({ layer }) => layer.kind === 'lenetTableConv2d')
    const { built } = model.steps[step]!
    const program = compile((x) => built.apply([x], model.context(false)), [[1, 14, 14, 6]])
    const nothing = await program(new Float32Array(14 * 14 * 6))
    const one = await program(Float32Array.from({ length: 14 * 14 * 6 }, (_, i) => Number(i % 6 === 4)))
    const reached = Array.from({ length: 16 }, (_, c) => c).filter((c) => one[c] !== nothing[c])
    expect(reached).toEqual([...connections.keys()].filter((c) => connections[c]!.includes(4)))
  })

  test('the codes of the output units are 10 or more places apart', () => {
    for (const [i, code] of codes.entries())
      for (const other of codes.slice(0, i))
        expect(code.filter((v, k) => v !== other[k]).length).toBeGreaterThanOrEqual(10)
  })

  test('a file of it loads', async () => {
    const x = Float32Array.from({ length: 784 }, (_, i) => (i % 7) / 7)
    expect(await loadModel(model.toBytes()).predict(x)).toEqual(await model.predict(x))
  })

  test('the rubbish class bounds the distance; without it the criterion is softmax cross-entropy', async () => {
    const logits = tensor([-3, -50, -20, -1, -2, -90], [2, 3])
    const labels = tensor([0, 1], [2])
    const [at4] = await mapCriterion(4)(logits, labels).data()
    const by = (d: number, all: number[]) => d + Math.log(all.reduce((sum, v) => sum + Math.exp(-v), 0))
    expect(at4).toBeCloseTo((by(3, [3, 50, 20, 4]) + by(2, [1, 2, 90, 4])) / 2, 5)
    const [far] = await mapCriterion(60)(logits, labels).data()
    expect(far).toBeCloseTo((await softmaxCrossEntropy(logits, labels).data())[0]!, 5)
  })
})

describe('AlexNet', () => {
  test('in two groups: parameters and shapes of the published network', () => {
    const model = alexnet(light)
    expect(model.countParameters()).toBe(60_965_224)
    expect(shapesOf(model, /conv|Pool|dense/)).toEqual(
      '55x55x96 27x27x96 27x27x256 13x13x256 13x13x384 13x13x384 13x13x256 6x6x256 4096 4096 1000'.split(' '),
    )
  })

  test('in one tower', () => {
    const model = alexnetSingle(light)
    expect(model.countParameters()).toBe(61_100_840)
    expect(shapesOf(model, /conv|Pool/)).toEqual(
      '55x55x64 27x27x64 27x27x192 13x13x192 13x13x384 13x13x256 13x13x256 6x6x256'.split(' '),
    )
  })
})

describe('Xception and MobileNet', () => {
  test('Xception: 36 convolutional layers, Keras’s count', () => {
    const model = xception(light)
    expect(model.countParameters()).toBe(22_855_952)
    expect(model.countParameters() + stateOf(model)).toBe(22_910_480)
    // convolutions with 1x1 shortcuts and depthwise halves left out
    const kernels = model.parameters.filter(({ shape }) => shape.length === 4)
    expect(kernels.filter(({ shape }) => shape[2] === 1).length).toBe(34)
    expect(kernels.length).toBe(2 + 34 + 34 + 4)
    expect(shapesOf(model, /residual/)).toEqual([
      '74x74x128',
      '37x37x256',
      ...new Array(9).fill('19x19x728'),
      '10x10x1024',
    ])
  })

  test.each([
    [0.25, 475_544],
    [0.5, 1_342_536],
    [0.75, 2_601_976],
    [1, 4_253_864],
  ])('MobileNet of width %s: Keras’s count', (width, count) => {
    const model = mobilenet({ ...light, width })
    expect(model.countParameters() + stateOf(model)).toBe(count)
  })

  test('MobileNetV2 ends with 7x7 and has the published number of parameters', () => {
    const model = mobilenetV2(light)
    expect(model.countParameters()).toBe(3_504_872)
    expect(shapesOf(model, /conv2d/).at(-1)).toBe('7x7x1280')
  })
})

describe('one and three dimensions, and the generator', () => {
  test('M5: half a million parameters', () => {
    const model = m5()
    // kernels, two numbers a channel of batch normalisation, the dense layer
    const kernels = 80 * 128 + 3 * 128 * 128 + 3 * 128 * 256 + 3 * 256 * 512
    expect(model.countParameters()).toBe(kernels + 2 * (128 + 128 + 256 + 512) + 512 * 10 + 10)
    expect(model.countParameters()).toBe(558_090)
    expect(shapesOf(model, /conv/)).toEqual(['8000x128', '2000x128', '500x256', '125x512'])
    expect(model.outputShape).toEqual([10])
  })

  test('VoxNet: 921,736 parameters for 40 classes', () => {
    const model = voxnet()
    expect(model.countParameters()).toBe(921_736)
    expect(shapesOf(model, /conv|Pool|dense/)).toEqual(['14x14x14x32', '12x12x12x32', '6x6x6x32', '128', '40'])
  })

  test('DCGAN: 100 numbers to 64x64x3', () => {
    const model = generator64(light)
    const kernels = 25 * (1024 * 512 + 512 * 256 + 256 * 128 + 128 * 3)
    expect(model.countParameters()).toBe(100 * 16_384 + kernels + 2 * (1024 + 512 + 256 + 128) + 3)
    expect(shapesOf(model, /convTranspose/)).toEqual(['8x8x512', '16x16x256', '32x32x128', '64x64x3'])
  })
})

describe('DeepLab v2 and v3+', () => {
  test('v2 on ResNet-101', () => {
    const model = deeplabV2(light)
    expect(model.countParameters()).toBe(44_048_532)
    expect(model.outputShape).toEqual([41, 41, 21])
  })

  test('v3+ on Xception-65: Keras’s count', () => {
    const model = deeplabV3Plus(light)
    expect(model.countParameters() + stateOf(model)).toBe(41_258_213)
    expect(model.outputShape).toEqual([513, 513, 21])
  })
})

test.each([
  ['AlexNet', alexnet],
  ['AlexNet in one tower', alexnetSingle],
  ['Xception', xception],
  ['MobileNet', mobilenet],
  ['MobileNetV2', mobilenetV2],
] as const)('%s ends with 1,000 classes', (_, make) => {
  expect(make(light).outputShape).toEqual([1000])
})

describe('small networks', () => {
  test.each([
    ['alexnet-mini', alexnetMini, 334_666],
    ['xception-tiny', xceptionTiny, 60_530],
  ] as const)('%s: parameters', (_, make, count) => {
    expect(make().countParameters()).toBe(count)
  })

  test.each([
    ['lenet5-1998', lenet5of1998(), [28, 28, 1]],
    ['alexnet-mini', alexnetMini(), [32, 32, 3]],
    ['xception-tiny', xceptionTiny(), [28, 28, 1]],
    ['mobilenet', mobilenet({ width: 0.25, classes: 3, inputShape: [32, 32, 3] }), [32, 32, 3]],
    ['mobilenet-v2', mobilenetV2({ width: 0.35, classes: 3, inputShape: [32, 32, 3] }), [32, 32, 3]],
    ['lenet5', lenet5(), [28, 28, 1]],
    ['alexnet-modern', alexnetModern(), [32, 32, 3]],
    ['separable', separable(), [32, 32, 3]],
    ['vgg-like', vggLike(), [32, 32, 3]],
  ])('%s takes a step of training', async (_, model, shape) => {
    const random = randomSource(3)
    const x = Float32Array.from({ length: 4 * sizeOf(shape) }, () => random.next())
    const before = model.parameters[0]!.read()
    const { epochs } = await fit(model, { x, y: Float32Array.of(0, 1, 2, 1) }, { epochs: 1, batchSize: 4 })
    expect(Number.isFinite(epochs[0]!.loss)).toBe(true)
    expect(model.parameters[0]!.read()).not.toEqual(before)
  })
})

describe('the published networks at the smallest size that they take', () => {
  const three = { classes: 3 }
  test.each([
    ['alexnet', () => alexnet({ ...three, inputShape: [67, 67, 3] })],
    ['alexnet-single', () => alexnetSingle({ ...three, inputShape: [63, 63, 3] })],
    ['xception', () => xception({ ...three, inputShape: [38, 38, 3] })],
    ['voxnet', () => voxnet({ ...three, inputShape: [14, 14, 14, 1] })],
    ['m5', () => m5({ ...three, inputShape: [1024, 1] })],
    ['context front end', () => contextFrontEnd({ ...three, inputShape: [380, 380, 3], width: 1 })],
    ['deeplab-vgg', () => deeplabVgg({ ...three, inputShape: [17, 17, 3] })],
    ['deeplab-v2', () => deeplabV2({ ...three, inputShape: [17, 17, 3], depth: 6 })],
    ['deeplab-v3', () => deeplabV3({ ...three, inputShape: [17, 17, 3] })],
    ['deeplab-v3-plus', () => deeplabV3Plus({ ...three, inputShape: [33, 33, 3] })],
  ])('%s takes a step of training', async (_, make) => {
    const model = make()
    const random = randomSource(3)
    const x = Float32Array.from({ length: 2 * sizeOf(model.inputShape) }, () => random.next())
    const y = Float32Array.from({ length: (2 * sizeOf(model.outputShape)) / 3 }, (_, i) => i % 3)
    const last = model.parameters.at(-1)!
    const before = last.read()
    const options = { epochs: 1, batchSize: 2, optimizer: 'sgd', verbose: false } as const
    const { epochs } = await fit(model, { x, y }, options)
    expect(Number.isFinite(epochs[0]!.loss)).toBe(true)
    expect(last.read()).not.toEqual(before)
  })
})
