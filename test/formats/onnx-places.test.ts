// Operations whose places or sizes depend on values: by hand, from ONNX's text, of known and of computed inputs.
import { describe, expect, test } from 'vitest'
import { loadOnnx } from '../../src/formats/index.ts'
import { type Fixed, fixed } from '../../src/formats/onnx/elements.ts'
import { type Attribute, floats, modelBytes } from './onnx-model.ts'

interface Line {
  readonly op: string
  readonly inputs: readonly Fixed[]
  readonly attributes?: Record<string, Attribute>
  /** Shape and values of each output. */
  readonly outputs: readonly (readonly [shape: readonly number[], values: readonly number[]])[]
}

const whole = (shape: number[], ...values: number[]) => fixed('int64', shape, values)
const square = floats([2, 2], [1, 2, 3, 4])
const image = floats([1, 1, 3, 3], [0, 1, 2, 3, 4, 5, 6, 7, 8])

const lines: Record<string, Line> = {
  'Gather of rows': {
    op: 'Gather',
    inputs: [square, whole([1], -1)],
    outputs: [
      [
        [1, 2],
        [3, 4],
      ],
    ],
  },
  GatherElements: {
    op: 'GatherElements',
    inputs: [square, whole([2, 2], 0, 0, 1, -2)],
    attributes: { axis: 1 },
    outputs: [
      [
        [2, 2],
        [1, 1, 4, 3],
      ],
    ],
  },
  'GatherND with a batch': {
    op: 'GatherND',
    inputs: [floats([2, 2, 1], [1, 2, 3, 4]), whole([2, 1], 1, 0)],
    attributes: { batch_dims: 1 },
    outputs: [
      [
        [2, 1],
        [2, 3],
      ],
    ],
  },
  'ScatterElements over': {
    op: 'ScatterElements',
    inputs: [square, whole([1, 2], 1, 0), floats([1, 2], [8, 9])],
    outputs: [
      [
        [2, 2],
        [1, 9, 8, 4],
      ],
    ],
  },
  'ScatterElements that adds': {
    op: 'ScatterElements',
    inputs: [square, whole([2, 2], 0, 0, 1, 1), floats([2, 2], [1, 1, 1, 1])],
    attributes: { axis: 1, reduction: 'add' },
    outputs: [
      [
        [2, 2],
        [3, 2, 3, 6],
      ],
    ],
  },
  'ScatterND of rows': {
    op: 'ScatterND',
    inputs: [square, whole([1, 1], 0), floats([1, 2], [8, 9])],
    outputs: [
      [
        [2, 2],
        [8, 9, 3, 4],
      ],
    ],
  },
  'TopK, of equals the first': {
    op: 'TopK',
    inputs: [floats([4], [1, 3, 3, 2]), whole([1], 3)],
    outputs: [
      [[3], [3, 3, 2]],
      [[3], [1, 2, 3]],
    ],
  },
  NonZero: {
    op: 'NonZero',
    inputs: [floats([2, 2], [0, 2, 3, 0])],
    outputs: [
      [
        [2, 2],
        [0, 1, 1, 0],
      ],
    ],
  },
  Compress: {
    op: 'Compress',
    inputs: [square, fixed('bool', [2], [0, 1])],
    attributes: { axis: 1 },
    outputs: [
      [
        [2, 1],
        [2, 4],
      ],
    ],
  },
  ReverseSequence: {
    op: 'ReverseSequence',
    inputs: [square, whole([2], 1, 2)],
    attributes: { time_axis: 1, batch_axis: 0 },
    outputs: [
      [
        [2, 2],
        [1, 2, 4, 3],
      ],
    ],
  },
  Unique: {
    op: 'Unique',
    inputs: [floats([4], [3, 1, 3, 2])],
    outputs: [
      [[3], [1, 2, 3]],
      [[3], [1, 3, 0]],
      [[4], [2, 0, 2, 1]],
      [[3], [1, 1, 2]],
    ],
  },
  'NonMaxSuppression drops what covers half of a better box, and low scores': {
    op: 'NonMaxSuppression',
    inputs: [
      floats([1, 4, 4], [0, 0, 2, 2, 0, 0, 2, 1.9, 5, 5, 6, 6, 8, 8, 9, 9]),
      floats([1, 1, 4], [0.8, 0.9, 0.7, 0.1]),
      whole([1], 9),
      floats([1], [0.5]),
      floats([1], [0.2]),
    ],
    outputs: [
      [
        [2, 3],
        [0, 0, 1, 0, 0, 2],
      ],
    ],
  },
  // one bin of 2 x 2 pixels from 0.5 to 2.5: four samples, at the pixels 0.5 and 1.5
  RoiAlign: {
    op: 'RoiAlign',
    inputs: [image, floats([1, 4], [0.5, 0.5, 2.5, 2.5]), whole([1], 0)],
    outputs: [[[1, 1, 1, 1], [4]]],
  },
  MaxRoiPool: {
    op: 'MaxRoiPool',
    inputs: [image, floats([1, 5], [0, 0, 0, 1, 1])],
    attributes: { pooled_shape: [1, 2] },
    outputs: [
      [
        [1, 1, 1, 2],
        [3, 4],
      ],
    ],
  },
  'GridSample, cubic, between four pixels of a plane': {
    op: 'GridSample',
    inputs: [image, floats([1, 1, 1, 2], [0, 0])],
    attributes: { mode: 'cubic', align_corners: 1, padding_mode: 'reflection' },
    outputs: [[[1, 1, 1, 1], [4]]],
  },
  'GridSample of a volume': {
    op: 'GridSample',
    inputs: [floats([1, 1, 2, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7]), floats([1, 1, 1, 1, 3], [-1, 0, 1])],
    attributes: { align_corners: 1 },
    outputs: [[[1, 1, 1, 1, 1], [5]]],
  },
  AffineGrid: {
    op: 'AffineGrid',
    inputs: [floats([1, 2, 3], [1, 0, 0.5, 0, 1, 0]), whole([4], 1, 1, 1, 2)],
    outputs: [
      [
        [1, 1, 2, 2],
        [0, 0, 1, 0],
      ],
    ],
  },
  Einsum: {
    op: 'Einsum',
    inputs: [square, square],
    attributes: { equation: '...i, ij->j...' },
    outputs: [
      [
        [2, 2],
        [7, 15, 10, 22],
      ],
    ],
  },
  'Einsum without an arrow': {
    op: 'Einsum',
    inputs: [square],
    attributes: { equation: 'ba' },
    outputs: [
      [
        [2, 2],
        [1, 3, 2, 4],
      ],
    ],
  },
  Det: { op: 'Det', inputs: [square], outputs: [[[], [-2]]] },
  CenterCropPad: {
    op: 'CenterCropPad',
    inputs: [floats([1, 3], [1, 2, 3]), whole([2], 2, 2)],
    outputs: [
      [
        [2, 2],
        [1, 2, 0, 0],
      ],
    ],
  },
  NegativeLogLikelihoodLoss: {
    op: 'NegativeLogLikelihoodLoss',
    inputs: [floats([2, 2], [-1, -2, -3, -4]), whole([2], 0, 1), floats([2], [1, 3])],
    outputs: [[[], [13 / 4]]],
  },
  Acosh: { op: 'Acosh', inputs: [floats([2], [1, 2])], outputs: [[[2], [0, Math.acosh(2)]]] },
  BitShift: {
    op: 'BitShift',
    inputs: [fixed('uint8', [2], [200, 3]), fixed('uint8', [1], [1])],
    attributes: { direction: 'LEFT' },
    outputs: [[[2], [144, 6]]],
  },
}

async function expectOutputs(line: Line, computed: boolean): Promise<void> {
  const names = line.inputs.map((_, i) => `i${i}`)
  const outputs = line.outputs.map((_, i) => `o${i}`)
  // what a program computes isn't known when it's made: then the model runs in stages
  const live = line.inputs.map(({ type }) => computed && type === 'float32')
  const nodes = names.flatMap((name, i) => (live[i] ? [{ op: 'Neg', inputs: [`m${i}`], outputs: [name] }] : []))
  const bytes = modelBytes({
    nodes: [...nodes, { op: line.op, inputs: names, outputs, attributes: line.attributes }],
    inputs: Object.fromEntries(line.inputs.flatMap(({ shape }, i) => (live[i] ? [[`m${i}`, shape]] : []))),
    weights: Object.fromEntries(line.inputs.flatMap((value, i) => (live[i] ? [] : [[`i${i}`, value]]))),
    outputs,
    opset: 20,
  })
  const given = line.inputs.flatMap(({ shape, data }, i) =>
    live[i] ? [[`m${i}`, { shape, data: Array.from(data, (v) => -v) }] as const] : [],
  )
  const results = await (await loadOnnx(bytes)).run(Object.fromEntries(given))
  line.outputs.forEach(([shape, values], i) => {
    expect(results[`o${i}`]!.shape).toEqual(shape)
    const data = Array.from(results[`o${i}`]!.data)
    expect(data).toHaveLength(values.length)
    data.forEach((value, k) => {
      expect(value).toBeCloseTo(values[k]!, 5)
    })
  })
}

describe('of known inputs', () => {
  test.each(Object.entries(lines))('%s', (_, line) => expectOutputs(line, false))
})

describe('of what the model computes', () => {
  test.each(Object.entries(lines))('%s', (_, line) => expectOutputs(line, true))
})

test('a shape that a value decides, in the middle of a model, differs from run to run', async () => {
  const model = await loadOnnx(
    modelBytes({
      nodes: [
        { op: 'Relu', inputs: ['x'], outputs: ['r'] },
        { op: 'NonZero', inputs: ['r'], outputs: ['places'] },
        { op: 'Squeeze', inputs: ['places', 'zero'], outputs: ['flat'] },
        { op: 'Gather', inputs: ['x', 'flat'], outputs: ['kept'] },
        { op: 'Mul', inputs: ['kept', 'two'], outputs: ['y'] },
      ],
      inputs: { x: ['n'] },
      weights: { zero: whole([1], 0), two: floats([], [2]) },
    }),
  )
  expect(Array.from((await model.run([1, -1, 3])).y!.data)).toEqual([2, 6])
  expect(Array.from((await model.run([-1, -1, 5])).y!.data)).toEqual([10])
  expect((await model.run([-1, -1])).y!.shape).toEqual([0])
})

test('the same results come without and with limits of a program: DeformConv, MaxUnpool, GridSample', async () => {
  const big = floats([1, 1, 3, 3], [0, 1, 2, 3, 4, 5, 6, 7, 8])
  const offset = floats(
    [1, 8, 2, 2],
    Array.from({ length: 32 }, (_, i) => (i % 5) / 4 - 0.5),
  )
  const run = async (computed: boolean) => {
    const bytes = modelBytes({
      nodes: [{ op: 'DeformConv', inputs: ['x', 'w', 'o'] }],
      inputs: computed ? { x: [1, 1, 3, 3] } : {},
      weights: { w: floats([1, 1, 2, 2], [1, 2, 3, 4]), o: offset, ...(computed ? {} : { x: big }) },
      opset: 19,
    })
    return Array.from((await (await loadOnnx(bytes)).run(computed ? { x: big } : {})).y!.data)
  }
  const [a, b] = [await run(true), await run(false)]
  a.forEach((value, i) => {
    expect(value).toBeCloseTo(b[i]!, 4)
  })
})
