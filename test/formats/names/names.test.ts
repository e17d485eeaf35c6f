// Names and shapes of weights as torchvision, timm and keras.applications publish them.
import { describe, expect, test } from 'vitest'
import { sizeOf } from '../../../src/base/shape.ts'
import { fromNames, namesOfNetworks, schemeIn, toNames } from '../../../src/formats/index.ts'
import { linksFor } from '../../../src/formats/names/convert.ts'
import { alexnetSingle, mobilenet, mobilenetV2, models } from '../../../src/models/index.ts'
import { batchNorm, conv2d, dense, flatten, loadModel, type Model, sequential } from '../../../src/nn/index.ts'
import { normals } from '../../nn/layer-check.ts'

interface Published {
  readonly network: string
  readonly names: string
  /** Tensors in the file; PyTorch's counters of batches aside. */
  readonly tensors: number
  /** Values that are trained. */
  readonly trained: number
  readonly shapes: Readonly<Record<string, readonly number[]>>
}

const published: readonly Published[] = [
  {
    network: 'alexnet-single',
    names: 'torchvision',
    tensors: 16,
    trained: 61_100_840,
    shapes: {
      'features.0.weight': [64, 3, 11, 11],
      'features.0.bias': [64],
      'features.3.weight': [192, 64, 5, 5],
      'features.6.weight': [384, 192, 3, 3],
      'features.10.weight': [256, 256, 3, 3],
      'classifier.1.weight': [4096, 9216],
      'classifier.6.weight': [1000, 4096],
    },
  },
  {
    network: 'mobilenet',
    names: 'timm',
    tensors: 137,
    trained: 4_231_976,
    shapes: {
      'conv_stem.weight': [32, 3, 3, 3],
      'bn1.running_var': [32],
      'blocks.0.0.conv_dw.weight': [32, 1, 3, 3],
      'blocks.0.0.conv_pw.weight': [64, 32, 1, 1],
      'blocks.4.1.conv_pw.weight': [1024, 1024, 1, 1],
      'classifier.weight': [1000, 1024],
    },
  },
  {
    network: 'mobilenet',
    names: 'keras',
    tensors: 137,
    trained: 4_231_976,
    shapes: {
      'conv1/kernel': [3, 3, 3, 32],
      'conv1_bn/gamma': [32],
      'conv_dw_1/depthwise_kernel': [3, 3, 32, 1],
      'conv_dw_1_bn/moving_variance': [32],
      'conv_pw_13/kernel': [1, 1, 1024, 1024],
      'conv_preds/kernel': [1, 1, 1024, 1000],
      'conv_preds/bias': [1000],
    },
  },
  {
    network: 'mobilenet-v2',
    names: 'torchvision',
    tensors: 262,
    trained: 3_504_872,
    shapes: {
      'features.0.0.weight': [32, 3, 3, 3],
      'features.0.1.running_mean': [32],
      'features.1.conv.0.0.weight': [32, 1, 3, 3],
      'features.1.conv.1.weight': [16, 32, 1, 1],
      'features.1.conv.2.weight': [16],
      'features.2.conv.0.0.weight': [96, 16, 1, 1],
      'features.2.conv.1.0.weight': [96, 1, 3, 3],
      'features.2.conv.2.weight': [24, 96, 1, 1],
      'features.17.conv.3.bias': [320],
      'features.18.0.weight': [1280, 320, 1, 1],
      'classifier.1.weight': [1000, 1280],
    },
  },
  {
    network: 'mobilenet-v2',
    names: 'timm',
    tensors: 262,
    trained: 3_504_872,
    shapes: {
      'conv_stem.weight': [32, 3, 3, 3],
      'blocks.0.0.conv_pw.weight': [16, 32, 1, 1],
      'blocks.1.0.conv_pw.weight': [96, 16, 1, 1],
      'blocks.1.0.conv_dw.weight': [96, 1, 3, 3],
      'blocks.6.0.conv_pwl.weight': [320, 960, 1, 1],
      'conv_head.weight': [1280, 320, 1, 1],
      'classifier.bias': [1000],
    },
  },
  {
    network: 'mobilenet-v2',
    names: 'keras',
    tensors: 262,
    trained: 3_504_872,
    shapes: {
      'Conv1/kernel': [3, 3, 3, 32],
      'bn_Conv1/beta': [32],
      'expanded_conv_depthwise/depthwise_kernel': [3, 3, 32, 1],
      'expanded_conv_project_BN/moving_mean': [16],
      'block_1_expand/kernel': [1, 1, 16, 96],
      'block_16_project/kernel': [1, 1, 960, 320],
      'Conv_1_bn/gamma': [1280],
      'predictions/kernel': [1280, 1000],
    },
  },
  {
    network: 'xception',
    names: 'keras',
    tensors: 236,
    trained: 22_855_952,
    shapes: {
      'block1_conv1/kernel': [3, 3, 3, 32],
      'block1_conv2/kernel': [3, 3, 32, 64],
      'block2_sepconv1/depthwise_kernel': [3, 3, 64, 1],
      'block2_sepconv1/pointwise_kernel': [1, 1, 64, 128],
      'block2_sepconv1_bn/gamma': [128],
      'conv2d/kernel': [1, 1, 64, 128],
      'batch_normalization_3/moving_mean': [1024],
      'block14_sepconv2/pointwise_kernel': [1, 1, 1536, 2048],
      'predictions/kernel': [2048, 1000],
    },
  },
  {
    network: 'xception',
    names: 'timm',
    tensors: 236,
    trained: 22_855_952,
    shapes: {
      'conv1.weight': [32, 3, 3, 3],
      'block1.rep.0.conv1.weight': [64, 1, 3, 3],
      'block1.rep.0.pointwise.weight': [128, 64, 1, 1],
      'block1.skip.weight': [128, 64, 1, 1],
      'block4.rep.1.conv1.weight': [728, 1, 3, 3],
      'block12.skipbn.running_mean': [1024],
      'conv4.pointwise.weight': [2048, 1536, 1, 1],
      'fc.weight': [1000, 2048],
    },
  },
]

test('every network with names is among those tested', () => {
  const all = Object.entries(namesOfNetworks).flatMap(([network, list]) => Object.keys(list).map((n) => [network, n]))
  expect(published.map(({ network, names }) => [network, names]).sort()).toEqual(all.sort())
})

describe.each(published)('$network by the names of $names', ({ network, names, tensors, trained, shapes }) => {
  test('has the published shapes and counts', () => {
    // kernels of zeros, which aren't read here, take no memory
    const model = models[network]!({ kernelInitializer: 'zeros' } as object)
    const links = linksFor(model, namesOfNetworks[network]![names]!())
    const theirs = new Map(links.map(({ theirs, shape }) => [theirs, shape]))
    expect([links.length, theirs.size]).toEqual([tensors, tensors])
    for (const [name, shape] of Object.entries(shapes)) expect([name, theirs.get(name)]).toEqual([name, shape])
    const counted = [...theirs].filter(([name]) => !/running_|moving_/.test(name))
    expect(counted.reduce((sum, [, shape]) => sum + sizeOf(shape), 0)).toBe(trained)
  })
})

const small: Readonly<Record<string, () => Model>> = {
  mobilenet: () => mobilenet({ width: 0.25, classes: 5, inputShape: [32, 32, 3] }),
  'mobilenet-v2': () => mobilenetV2({ width: 0.35, classes: 5, inputShape: [32, 32, 3] }),
}

/** The same network with the eps of batch normalisation that a library has, and weights by chance everywhere. */
function filled(model: Model, network: string, names: string): Model {
  const links = linksFor(model, namesOfNetworks[network]![names]!())
  const weights = new Map(
    links.map(({ theirs, shape }, i) => [theirs, { shape, data: Float32Array.from(normals(i + 1, sizeOf(shape))) }]),
  )
  return fromNames(model, network, names, weights)
}

/** Names and bits of all values: `toEqual` takes minutes for as many. */
const bits = (values: Iterable<readonly [string, Float32Array]>) =>
  [...values].map(([name, { buffer, byteOffset, length }]) => {
    const words = new Uint32Array(buffer, byteOffset, length)
    return `${name} ${length} ${words.reduce((hash, word) => (Math.imul(hash, 31) + word) | 0, 7)}`
  })

const both = published.filter(({ network }) => network in small)
describe.each(both)('$network by the names of $names', ({ network, names }) => {
  test('goes out and comes back bit for bit', () => {
    const model = filled(small[network]!(), network, names)
    const out = toNames(model, network, names)
    expect(schemeIn(model, network, out)).toBe(names)
    const back = fromNames(small[network]!(), network, names, out)
    const values = (of: Model) => bits([...of.parameters, ...of.state].map((v) => [v.name, v.read()]))
    expect(values(back)).toEqual(values(model))
    expect(values(loadModel(back.toBytes()))).toEqual(values(model))
    const named = (of: ReturnType<typeof toNames>) => bits([...of].map(([name, { data }]) => [name, data]))
    expect(named(toNames(back, network, names))).toEqual(named(out))
  })
})

test("a picture that was flattened has PyTorch's order of rows", () => {
  const model = alexnetSingle({ kernelInitializer: 'zeros' })
  const link = linksFor(model, namesOfNetworks['alexnet-single']!.torchvision!()).find(
    ({ theirs }) => theirs === 'classifier.1.weight',
  )
  // [H, W, C, O] of ours is [O, C, H, W] there
  expect(link).toMatchObject({ view: [6, 6, 256, 4096], order: [3, 2, 0, 1], shape: [4096, 9216] })
})

describe('errors', () => {
  const weights = new Map([['conv_stem.weight', { shape: [32, 3, 3, 3], data: new Float32Array(864) }]])
  const model = small.mobilenet!()

  test('name what is missing', () => {
    expect(() => schemeIn(model, 'mobilenet', weights)).toThrow(
      /^convert: 136 weights of 'mobilenet' are missing, by the names of timm: bn1.weight, bn1.bias/,
    )
  })

  test('name the network and the names that there are', () => {
    expect(() => toNames(model, 'mobilenet', 'torchvision')).toThrow(
      /^convert: there are no names 'torchvision' for 'mobilenet'. Use one of .*mobilenet \(timm, keras\)/,
    )
    expect(() => schemeIn(model, 'lenet5', weights)).toThrow("convert: no names are known for 'lenet5'")
  })

  test('tell another network, shape and eps', () => {
    const other = sequential([8, 8, 3], [conv2d(4, 3), batchNorm(), flatten(), dense(2)])
    expect(() => toNames(other, 'mobilenet', 'timm')).toThrow(
      'convert: the model has 3 layers with weights, the names are for 55. Name another network.',
    )
    const wide = toNames(filled(model, 'mobilenet', 'timm'), 'mobilenet', 'timm')
    expect(() => fromNames(mobilenet({ classes: 5 }), 'mobilenet', 'timm', wide)).toThrow(
      "convert: weight 'conv_stem.weight' is [8, 3, 3, 3], not [32, 3, 3, 3]. Name another network.",
    )
    expect(() => toNames(filled(model, 'mobilenet', 'timm'), 'mobilenet', 'keras')).toThrow(
      'convert: batch normalisation has eps 0.00001, that of keras 0.001. Make the model with eps 0.001.',
    )
  })
})
