// What TensorFlow.js 4.22 computes wrongly or silently leaves out, each shown to be right here: on wasm, against numbers
// worked out by hand, and on random numbers against the float64 definitions, whose derivatives equal differences.
import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { type Shape, sizeOf } from '../../src/base/shape.ts'
import { compile } from '../../src/compile.ts'
import {
  averagePool,
  conv,
  convTranspose,
  fill,
  gradcheck,
  gradient,
  maxPool,
  mul,
  pad,
  referenceValues,
  sub,
  sum,
  type Tensor,
  tensor,
} from '../../src/graph/index.ts'
import * as nn from '../../src/nn/index.ts'

type Fn = (...inputs: Tensor[]) => Tensor

const data = ({ operation, shape }: Tensor): Float32Array => {
  if (operation.kind === 'constant') return operation.data
  if (operation.kind === 'fill') return new Float32Array(sizeOf(shape)).fill(operation.value)
  throw new Error('not given numbers')
}

/** 1, 2, 3, ... */
const counting = (shape: Shape) =>
  tensor(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => i + 1),
    shape,
  )

/** y and the derivatives of sum(y * g) by the inputs; g counts 1, 2, 3, ... unless given. */
const derived = (fn: Fn, inputs: readonly Tensor[], given?: Tensor): Tensor[] => {
  const y = fn(...inputs)
  return [y, ...gradient(sum(mul(y, given ?? counting(y.shape))), inputs)]
}

/** The same on wasm: values, and the shape of y. */
async function onWasm(fn: Fn, inputs: readonly Tensor[], given?: Tensor) {
  let shape: Shape = []
  const program = compile(
    (...list: Tensor[]) => {
      const results = derived(fn, list, given)
      shape = results[0]!.shape
      return results
    },
    inputs.map((input) => input.shape),
    { target: 'wasm' },
  )
  expect(program.steps.length).toBeGreaterThan(0)
  const [y, ...gradients] = (await program(...inputs.map(data))).map((values) => [...values])
  return { shape, y: y!, gradients }
}

/** Random inputs: wasm gives the float64 values and derivatives, and those equal differences. */
async function expectRight(fn: Fn, shapes: readonly Shape[], seed = 1): Promise<void> {
  const random = randomSource(seed)
  const inputs = shapes.map((shape) =>
    tensor(
      Float32Array.from({ length: sizeOf(shape) }, () => random.normal()),
      shape,
    ),
  )
  expect(String(gradcheck(fn, inputs))).toContain('derivatives agree')
  const expected = referenceValues(derived(fn, inputs))
  const { y, gradients } = await onWasm(fn, inputs)
  for (const [i, values] of [y, ...gradients].entries()) {
    const largest = Math.max(...expected[i]!.map(Math.abs))
    expect(largest).toBeGreaterThan(0)
    expect(values).toHaveLength(expected[i]!.length)
    for (const [j, value] of values.entries()) expect(Math.abs(value - expected[i]![j]!)).toBeLessThan(1e-5 * largest)
  }
}

/** A model of one layer, with weights 1, 2, 3, ... */
function layerOf(layer: nn.Layer, shape: Shape) {
  const model = nn.sequential(shape, [layer], { seed: 1 })
  const [weight] = model.parameters
  weight!.write(Float32Array.from({ length: sizeOf(weight!.shape) }, (_, i) => i + 1))
  return model
}

const product = (a: readonly number[], b: readonly number[]) => a.flatMap((x) => b.map((y) => x * y))
const near = (values: readonly number[], expected: readonly number[]) => {
  expect(values).toHaveLength(expected.length)
  for (const [i, value] of values.entries()) expect(value).toBeCloseTo(expected[i]!, 5)
}

describe('gradient of mirror padding', () => {
  test.each([
    ['reflect', [3, 2, 1, 2, 3, 4, 3], [3, 6, 13, 6]],
    ['symmetric', [2, 1, 1, 2, 3, 4, 4], [5, 5, 5, 13]],
  ] as const)('%s', async (mode, padded, dx) => {
    const { y, gradients } = await onWasm((x) => pad(x, [[2, 1]], { mode }), [counting([4])])
    expect(y).toEqual(padded)
    expect(gradients[0]).toEqual(dx)
    const around: Fn = (x) =>
      pad(
        x,
        [
          [0, 0],
          [2, 1],
          [1, 3],
          [0, 0],
        ],
        { mode },
      )
    await expectRight(around, [[2, 4, 5, 3]])
    await expectRight(
      (x, w) => conv(x, w, { padding: 2, paddingMode: mode }),
      [
        [2, 5, 4, 2],
        [3, 3, 2, 3],
      ],
    )
  })
})

test("gradient of average pooling with padding 'same': windows at the border are smaller", async () => {
  const ones = fill([1, 4, 4, 1], 1)
  const { y, gradients } = await onWasm((x) => averagePool(x, 3, { stride: 1, padding: 'same' }), [ones], ones)
  near(y, new Array(16).fill(1))
  // 1/2 + 1/3 and 1/2 + 1/3 + 1/3 along each axis
  const along = [5 / 6, 7 / 6, 7 / 6, 5 / 6]
  near(gradients[0]!, product(along, along))
  await expectRight((x) => averagePool(x, [3, 2], { stride: 2, padding: 'same' }), [[2, 5, 6, 3]])
})

test('gradient of nearest up-sampling with two samples', async () => {
  const { shape, gradients } = await onWasm((x) => nn.upsampling(x, 2), [counting([2, 2, 2, 1])])
  expect(shape).toEqual([2, 4, 4, 1])
  // sums of blocks of 2 x 2 of 1, 2, 3, ...
  expect(gradients[0]).toEqual([14, 22, 46, 54, 78, 86, 110, 118])
  await expectRight((x) => nn.upsampling(x, [2, 3]), [[3, 2, 3, 2]])
})

test('half-pixel bilinear resizing, value and gradient', async () => {
  const { y, gradients } = await onWasm((x) => nn.resize(x, [4, 1], { mode: 'linear' }), [tensor([0, 4], [1, 2, 1, 1])])
  expect(y).toEqual([0, 1, 3, 4])
  expect(gradients[0]).toEqual([1 + 0.75 * 2 + 0.25 * 3, 0.25 * 2 + 0.75 * 3 + 4])
  await expectRight((x) => nn.resize(x, [7, 3], { mode: 'linear' }), [[2, 4, 5, 3]])
})

test('input gradient of a convolution of volumes', async () => {
  const fn: Fn = (x, w) => conv(x, w)
  const inputs = [fill([1, 3, 3, 3, 1], 1), fill([2, 2, 2, 1, 1], 1)]
  const { gradients } = await onWasm(fn, inputs, fill([1, 2, 2, 2, 1], 1))
  // windows over each element
  expect(gradients[0]).toEqual(product(product([1, 2, 1], [1, 2, 1]), [1, 2, 1]))
  await expectRight(
    (x, w) => conv(x, w, { stride: [1, 2, 1], padding: 'same' }),
    [
      [2, 4, 5, 3, 4],
      [3, 2, 3, 4, 5],
    ],
  )
})

test('max pooling of windows where all is negative, value and gradient', async () => {
  const x = tensor(
    Float32Array.from({ length: 16 }, (_, i) => -1 - i),
    [1, 4, 4, 1],
  )
  const { y, gradients } = await onWasm((t) => maxPool(t, 2), [x])
  expect(y).toEqual([-1, -3, -9, -11])
  expect(gradients[0]).toEqual([1, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4, 0, 0, 0, 0, 0])
  // zeros of the padding never win
  const padded = await onWasm((t) => maxPool(t, 3, { stride: 3, padding: 1 }), [x])
  expect(padded.y).toEqual([-1, -3, -9, -11])
  expect(padded.gradients[0]).toEqual([1, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4, 0, 0, 0, 0, 0])
  await expectRight((t) => maxPool(sub(t, 8), 3, { stride: 2, padding: 'same' }), [[2, 5, 6, 3]])
})

test('output shape of padding as a number with a kernel that is not square', async () => {
  const inputs = [fill([1, 5, 7, 1], 1), fill([3, 5, 1, 1], 1)]
  const { shape, y } = await onWasm((x, w) => conv(x, w, { padding: 1 }), inputs)
  expect(shape).toEqual([1, 5, 5, 1])
  expect(y).toEqual(product([2, 3, 3, 3, 2], [4, 5, 5, 5, 4]))
  const strided = await onWasm((x, w) => conv(x, w, { padding: [0, 2], stride: [2, 3] }), inputs)
  expect(strided.shape).toEqual([1, 2, 3, 1])
  expect(strided.y).toEqual(product([3, 3], [3, 5, 3]))
  expect(maxPool(inputs[0]!, [1, 3], { stride: 1, padding: [0, 1] }).shape).toEqual([1, 5, 7, 1])
})

describe('options of layers are not left out', () => {
  const noBias = { bias: false }
  test.each<[string, nn.Layer, number[], number[]]>([
    ['groups', nn.conv1d(2, 1, { groups: 2, ...noBias }), [1, 2], [3 * 1, 5 * 2]],
    ['groups, transposed', nn.convTranspose1d(2, 1, { groups: 2, ...noBias }), [1, 2], [3 * 1, 5 * 2]],
    ['dilation', nn.conv1d(1, 2, { dilation: 2, ...noBias }), [3, 1], [3 * 1 + 7 * 2]],
    ['dilation, transposed', nn.convTranspose1d(1, 2, { dilation: 2, ...noBias }), [2, 1], [3, 5, 6, 10]],
    ['outputPadding', nn.convTranspose1d(1, 2, { stride: 2, outputPadding: 1, ...noBias }), [2, 1], [3, 6, 5, 10, 0]],
  ])('%s', async (_, layer, shape, expected) => {
    const model = layerOf(layer, shape)
    expect(sizeOf(model.outputShape)).toBe(expected.length)
    const y = await model.predict([3, 5, 7].slice(0, sizeOf(shape)))
    expect([...y]).toEqual(expected)
  })

  test('and transposed convolutions with all of them have right gradients', async () => {
    const options = { stride: [2, 3], dilation: [3, 2], groups: 2, outputPadding: [2, 1], padding: 1 }
    await expectRight(
      (x, w) => convTranspose(x, w, options),
      [
        [2, 3, 2, 4],
        [2, 3, 3, 4],
      ],
    )
  })
})

test('gradients of a dilated convolution, by input and by kernel', async () => {
  const inputs = [tensor([0, 1, 2, 3, 4, 5], [1, 6, 1]), tensor([1, 10], [2, 1, 1])]
  const { y, gradients } = await onWasm((x, w) => conv(x, w, { dilation: 3 }), inputs)
  expect(y).toEqual([30, 41, 52])
  expect(gradients[0]).toEqual([1, 2, 3, 10, 20, 30])
  expect(gradients[1]).toEqual([8, 26])
  await expectRight(
    (x, w) => conv(x, w, { dilation: [2, 3], stride: 2, padding: 'same' }),
    [
      [2, 7, 8, 3],
      [3, 2, 3, 5],
    ],
  )
})

describe('gradients by filters', () => {
  test('of an image, by hand', async () => {
    const inputs = [counting([1, 3, 3, 1]), fill([2, 2, 1, 1], 1)]
    const { gradients } = await onWasm((x, w) => conv(x, w), inputs, fill([1, 2, 2, 1], 1))
    expect(gradients[1]).toEqual([12, 16, 24, 28])
  })
  test.each<[string, Shape, Shape, number]>([
    ['1D', [2, 9, 3], [3, 3, 5], 1],
    ['2D', [2, 6, 5, 4], [3, 2, 4, 6], 1],
    ['3D', [1, 4, 3, 4, 2], [2, 3, 2, 2, 3], 1],
    ['depthwise', [2, 6, 5, 5], [3, 3, 1, 5], 5],
    ['depthwise with a multiplier', [2, 6, 5, 3], [3, 3, 1, 6], 3],
    ['grouped', [2, 5, 5, 4], [3, 3, 2, 6], 2],
  ])('%s', async (_, x, w, groups) => {
    await expectRight((a, b) => conv(a, b, { groups, padding: 1 }), [x, w])
  })
})
