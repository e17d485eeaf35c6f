import { describe, expect, test } from 'vitest'
import '../../src/compile.ts'
import type { Shape } from '../../src/base/shape.ts'
import { tensor } from '../../src/graph/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import { modelOf } from './layer-check.ts'

describe('errors of factories', () => {
  test.each([
    [() => nn.conv2d(NaN, 3), 'conv2d: filters is NaN'],
    [() => nn.conv2d(4, 2.5), 'conv2d: kernelSize is 2.5'],
    [() => nn.conv2d(4, [3, 3, 3]), 'conv2d: kernelSize has 3 entries for 2 spatial axes. Give one number or 2'],
    [() => nn.conv1d(4, 3, { groups: 0 }), 'conv1d: groups is 0'],
    [
      () => nn.conv2d(4, 3, { strides: 2 } as object),
      "conv2d: option 'strides' is unknown. Options are stride, padding",
    ],
    [
      () => nn.conv2d(4, 3, { activation: 'rulu' as 'relu' }),
      "conv2d: activation 'rulu' is unknown. Use one of linear",
    ],
    [() => nn.conv2d(4, 3, { kernelInitializer: 'he' as 'zeros' }), "initializer: 'he' is unknown. Use zeros, ones"],
    [
      () => nn.dense(3, { biasInitializer: { name: 'constant', value: NaN } }),
      'initializer: constant with the number NaN',
    ],
    [() => nn.conv1d(4, 3, { groups: 3 }), "conv1d: 3 groups don't divide 4 filters"],
    [() => nn.convTranspose2d(4, 3, { groups: 3 }), "convTranspose2d: 3 groups don't divide 4 filters"],
    [() => nn.convTranspose2d(0, 3), 'convTranspose2d: filters is 0'],
    [() => nn.depthwiseConv2d(3, { multiplier: 0 }), 'depthwiseConv2d: multiplier is 0'],
    [() => nn.separableConv2d(-1, 3), 'separableConv2d: filters is -1'],
    [() => nn.dense(1.5), 'dense: units is 1.5'],
    [() => nn.dropout(1.5), 'dropout: rate is 1.5. Give a finite number >= 0 and <= 1'],
    [() => nn.batchNorm({ momentum: 2 }), 'batchNorm: momentum is 2'],
    [() => nn.batchNorm({ eps: -1 }), 'batchNorm: eps is -1. Give a finite number >= 0'],
    [() => nn.prelu(Infinity), 'prelu: initial is Infinity'],
    [() => nn.activation('x' as 'relu'), "activation: activation 'x' is unknown"],
    [() => nn.residual([], { short: [] } as object), "residual: option 'short' is unknown"],
    [() => nn.parallel([]), 'parallel: no branches'],
    [() => nn.parallel([[]], { merge: 'mul' as 'add' }), "parallel: merge 'mul' is unknown"],
    [() => nn.input([3, 0]), 'input: every size is 0'],
  ])('%s', (make, message) => {
    expect(make).toThrow(message)
  })
})

describe('errors of shapes name the layer', () => {
  const cases: [nn.Layer, Shape, string][] = [
    [nn.conv2d(4, 5), [1, 1, 3], 'conv2d_1: kernel 5x5 is larger than the padded input 1x1'],
    [nn.conv2d(4, 3, { groups: 2 }), [5, 5, 3], "conv2d_1: 2 groups don't divide both 3 channels"],
    [nn.conv2d(4, 3), [5, 3], 'conv2d_1: input of shape [5, 3] without N. Give [height, width, channels]'],
    [nn.convTranspose1d(4, 3, { stride: 2, outputPadding: 2 }), [5, 3], 'convTranspose1d_1: outputPadding 2 must be'],
    [nn.convTranspose1d(6, 3, { groups: 3 }), [5, 4], "convTranspose1d_1: 3 groups don't divide both 4 channels"],
    [nn.depthwiseConv1d(9), [5, 3], 'depthwiseConv1d_1: kernel 9 is larger'],
    [nn.maxPool2d(3), [2, 2, 1], 'maxPool2d_1: kernel 3x3 is larger'],
    [nn.maxPool2d([3]), [2, 2, 1], 'maxPool2d_1: window has 1 entries'],
    [nn.averagePool1d(2), [2, 2, 1], 'averagePool1d_1: input of shape [2, 2, 1]'],
    [nn.averagePool1d(2, { pad: 1 } as object), [2, 1], "averagePool1d_1: option 'pad' is unknown"],
    [nn.lpPool2d(2, { p: 0 }), [2, 2, 1], 'lpPool2d_1: p is 0'],
    [nn.dense(4), [], 'dense_1: the input has one number'],
    [nn.reshape([5]), [2, 3], "reshape_1: [1, 2, 3] (6 elements) can't become [1, 5]"],
    [nn.groupNorm(2), [4, 3], "groupNorm_1: 2 groups don't divide 3 channels"],
    [nn.layerNorm(4), [4, 3], 'layerNorm_1: normalizedShape [4] of an input of shape [1, 4, 3]'],
    [nn.localResponseNorm(0), [4, 3], 'localResponseNorm_1: size is 0'],
    [nn.leakyRelu(NaN), [3], 'leakyRelu_1: slope is NaN'],
    [nn.gelu('fast' as 'tanh'), [3], "gelu_1: approximation 'fast' is unknown"],
    [nn.softmax(5), [3], 'softmax_1: axis 5 of a tensor with 2 axes'],
    [
      nn.resize(4, { mode: 'bilinear' as 'linear' }),
      [3, 1],
      "resize_1: mode 'bilinear' is unknown. Use one of nearest",
    ],
    [nn.resize(4, { alignCorners: true }), [3, 1], "resize_1: alignCorners has no meaning with mode 'nearest'"],
    [nn.resize([4, 4]), [3, 1], 'resize_1: size has 2 entries for 1 spatial axes'],
    [nn.upsampling(0.5), [4, 1], 'upsampling_1: factor is 0.5'],
    [nn.pixelShuffle(2), [3, 3, 6], "pixelShuffle_1: 6 channels aren't a multiple of 4"],
    [nn.pixelUnshuffle(2), [3, 4, 1], "pixelUnshuffle_1: size 3x4 isn't a multiple of 2"],
    [nn.zeroPad1d('same' as unknown as number), [3, 1], 'zeroPad1d_1: padding is same'],
    [nn.reflectPad2d([1]), [3, 3, 1], 'reflectPad2d_1: padding has 1 entries for 2 spatial axes'],
    [nn.circularPad1d(1.5), [3, 1], 'circularPad1d_1: padding is 1.5'],
    [nn.residual([nn.conv1d(3, 1)]), [4, 2], 'residual_1: layers give [4, 3], the shortcut [4, 2]. Give a shortcut'],
    [nn.residual([nn.conv1d(3, 9)]), [4, 2], 'residual_1.conv1d_1: kernel 9 is larger'],
    [nn.parallel([[nn.conv1d(3, 2)], []]), [4, 2], 'parallel_1: shapes [1, 3, 3] and [1, 4, 2] differ outside axis 2'],
  ]
  test.each(cases.map(([layer, shape, message]) => [message, layer, shape] as const))('%s', (message, layer, shape) => {
    expect(() => modelOf(layer, shape)).toThrow(message)
  })

  test('a layer of one input with two; merges with one, or with shapes that differ', () => {
    expect(() => modelOf(nn.relu(), [2], [2])).toThrow('relu_1: 2 inputs. Give one; join several with concatenate()')
    expect(() => modelOf(nn.add(), [2])).toThrow('add_1: 1 inputs. Give two or more')
    expect(() => modelOf(nn.residual([]), [2], [2])).toThrow('residual_1: 2 inputs. Give one')
    expect(() => modelOf(nn.multiply(), [2, 2], [3, 2])).toThrow("multiply_1: shapes [1, 2, 2] and [1, 3, 2] don't")
    expect(() => modelOf(nn.concatenate(), [2, 2], [3, 2])).toThrow('concatenate_1: shapes [1, 2, 2] and [1, 3, 2]')
    expect(() => modelOf(nn.concatenate(0), [2, 2], [2, 2])).toThrow('concatenate_1: axis 0 is the batch')
  })

  test('the second layer of its kind is number 2', () => {
    const layers = [nn.conv2d(4, 3), nn.conv2d(4, 5)]
    expect(() => nn.sequential([5, 5, 1], layers)).toThrow('conv2d_2: kernel 5x5 is larger than the padded input 3x3')
  })

  test('batchNorm needs more than one value per channel in training', () => {
    const model = modelOf(nn.batchNorm(), [3])
    const x = tensor([1, 2, 3], [1, 3])
    expect(() => model.apply(x, model.context(true))).toThrow('batchNorm_1: one value per channel has no variance')
  })
})
