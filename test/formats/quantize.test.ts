// Post-training quantisation: what it writes, what it costs, and that whole numbers are what is computed with.
import { describe, expect, test } from 'vitest'
import { loadOnnx, quantize, saveOnnx } from '../../src/formats/index.ts'
import { fixed } from '../../src/formats/onnx/elements.ts'
import { quantizedWeight } from '../../src/formats/onnx/quantize.ts'
import { averagePool2d, batchNorm, conv2d, dense, flatten, maxPool2d, relu, sequential } from '../../src/nn/index.ts'
import { normals } from '../nn/layer-check.ts'
import { floats, modelBytes } from './onnx-model.ts'

const net = sequential(
  [12, 12, 3],
  [
    conv2d(16, 3, { padding: 'same', activation: 'relu' }),
    maxPool2d(2),
    conv2d(16, 3, { groups: 16, padding: 'same' }),
    batchNorm(),
    relu(),
    conv2d(24, 1, { activation: 'relu' }),
    averagePool2d(2),
    flatten(),
    dense(300, { activation: 'relu' }),
    dense(10),
  ],
)
const batch = (seed: number) => ({ shape: [4, 12, 12, 3], data: Float32Array.from(normals(seed, 4 * 12 * 12 * 3)) })
const batches = [batch(1), batch(2), batch(3)]

describe('quantize', () => {
  test('a network keeps its values nearly, in a quarter of the size, computed in whole numbers', async () => {
    const bytes = await quantize(net, batches)
    expect(bytes.length).toBeLessThan(0.3 * saveOnnx(net).length)
    const [small, real] = [await loadOnnx(bytes), await loadOnnx(saveOnnx(net, { channelsLast: true }))]
    const x = batch(9)
    const [y, expected] = [(await small.run(x)).output!.data, (await real.run(x)).output!.data]
    const size = Math.max(...Array.from(expected, Math.abs))
    const worst = Math.max(...Array.from(y, (v, i) => Math.abs(v - expected[i]!)))
    expect(worst / size).toBeGreaterThan(0)
    expect(worst / size).toBeLessThan(0.05)
    const algorithms = small.plan(x).steps.flatMap(({ plan }) => plan?.algorithm ?? [])
    expect(algorithms).toEqual(['implicit', 'depthwise', 'int8', 'depthwise', 'int8', 'int8'])
  })
  test.each([
    ['Clip', 0, 6, 0.0235, 0],
    ['Clip', -3, 3, 0.02, 100],
    ['Relu', 0, 1e9, 0.1, 3],
    ['Identity', -1e9, 1e9, 0.031, 128],
  ])('sums go through %s %d to %d straight to the next whole numbers', async (op, low, high, step, zero) => {
    const byte = (values: ArrayLike<number>, shape: readonly number[] = []) => fixed('uint8', shape, values)
    const [w, bias] = [normals(1, 5 * 8).map((v) => Math.round(v * 40)), normals(2, 5)]
    const scales = [0.011, 0.004, 0.02, 0.007, 0.013]
    const model = modelBytes({
      nodes: [
        { op: 'QuantizeLinear', inputs: ['x', 's', 'z'], outputs: ['q'] },
        { op: 'DequantizeLinear', inputs: ['q', 's', 'z'], outputs: ['r'] },
        { op: 'DequantizeLinear', inputs: ['w8', 'ws'], outputs: ['w'], attributes: { axis: 0 } },
        { op: 'Conv', inputs: ['r', 'w', 'b'], outputs: ['c'] },
        { op, inputs: op === 'Clip' ? ['c', 'low', 'high'] : ['c'], outputs: ['l'] },
        { op: 'QuantizeLinear', inputs: ['l', 't', 'y0'] },
      ],
      inputs: { x: [1, 8, 9] },
      weights: {
        ...{ s: floats([], [0.05]), z: byte([120]), t: floats([], [step]), y0: byte([zero]) },
        ...{ w8: fixed('int8', [5, 8, 1], w), ws: floats([5], scales), b: floats([5], bias) },
        ...{ low: floats([], [low]), high: floats([], [high]) },
      },
    })
    const x = normals(3, 8 * 9).map((v) => v * 2)
    const whole = x.map((v) => Math.min(Math.max(Math.round(v / 0.05), -120), 135))
    const expected = Array.from({ length: 5 * 9 }, (_, i) => {
      const [o, p] = [Math.floor(i / 9), i % 9]
      const sum = Array.from({ length: 8 }, (_, c) => w[o * 8 + c]! * whole[c * 9 + p]!).reduce((a, b) => a + b)
      const real = Math.min(Math.max(sum * 0.05 * scales[o]! + bias[o]!, low), high)
      return Math.min(Math.max(Math.round(real / step) + zero, 0), 255)
    })
    const loaded = await loadOnnx(model)
    expect(Array.from((await loaded.run(Float32Array.from(x))).y!.data)).toEqual(expected)
    expect(new Set(expected).size).toBeGreaterThan(10)
    const labels = loaded.plan(Float32Array.from(x)).steps.flatMap(({ label, plan }) => (plan ? label : []))
    expect(labels.join()).not.toContain('div')
  })
  test('weights take one scale for each output channel', () => {
    const { whole, scale } = quantizedWeight(fixed('float32', [2, 3], [1, -2, 0.5, 0, 0, 0.01]), 0)
    expect([...whole.data]).toEqual([64, -127, 32, 0, 0, 127])
    expect([...scale.data]).toEqual([Math.fround(2 / 127), Math.fround(Math.fround(0.01) / 127)])
    expect([...quantizedWeight(fixed('float32', [2, 2], [1, -2, 4, 0]), 1).whole.data]).toEqual([32, -127, 127, 0])
  })
  test('a rare large value spoils the range, unless it is cut off', async () => {
    const model = modelBytes({
      nodes: [{ op: 'MatMul', inputs: ['x', 'w'] }],
      inputs: { x: ['n', 4] },
      weights: { w: floats([4, 1], [1, 0, 0, 0]) },
    })
    const values = Float32Array.from({ length: 4000 }, (_, i) => (i === 7 ? 1000 : (i % 100) / 100))
    const x = { shape: [1000, 4], data: values }
    const error = async (cut: number) => {
      const { y } = await (await loadOnnx(await quantize(model, [x], { cut }))).run(x)
      return Math.abs(y!.data[10]! - values[40]!)
    }
    expect(await error(0)).toBeGreaterThan(0.1)
    expect(await error(0.1)).toBeLessThan(0.01)
  })
  test('an old opset is brought up to the one that has scales for each channel', async () => {
    const model = modelBytes({
      nodes: [
        { op: 'Unsqueeze', inputs: ['x'], outputs: ['u'], attributes: { axes: [2] } },
        { op: 'Conv', inputs: ['u', 'w'], outputs: ['c'], attributes: { strides: [1], auto_pad: 'NOTSET' } },
        { op: 'Squeeze', inputs: ['c'], attributes: { axes: [2] } },
      ],
      inputs: { x: ['n', 2] },
      weights: { w: floats([2, 2, 1], [1, 0, 0, 1]) },
      opset: 9,
    })
    const x = { shape: [1, 2], data: [0.5, 1] }
    const small = await loadOnnx(await quantize(model, [x]))
    expect(small.opset).toBe(13)
    expect(Array.from((await small.run(x)).y!.data, (v) => Math.abs(v)).map((v) => Math.round(100 * v))).toEqual([
      50, 100,
    ])
  })
  test('errors say what to do', async () => {
    const none = modelBytes({ nodes: [{ op: 'Relu', inputs: ['x'] }], inputs: { x: [2] } })
    await expect(quantize(none, [[1, 2]])).rejects.toThrow(/^quantize: no convolution or product .*Give a model/)
    await expect(quantize(net, [])).rejects.toThrow(/^quantize: there are no batches/)
    await expect(quantize(net, batches, { cut: 50 })).rejects.toThrow(/^quantize: cut is 50 %/)
    const softmax = modelBytes({
      nodes: [
        { op: 'MatMul', inputs: ['x', 'w'], outputs: ['p'] },
        { op: 'Softmax', inputs: ['p'] },
      ],
      inputs: { x: [1, 2] },
      weights: { w: floats([2, 2], [1, 0, 0, 1]) },
      opset: 11,
    })
    await expect(quantize(softmax, [[1, 2]])).rejects.toThrow(/opset 11, in which Softmax 'y'/)
  })
})
