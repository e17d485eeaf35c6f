// Operations by hand, one line each; ONNX's own cases (test/cli/conformance.test.ts) say far more where they are.
import { expect, test } from 'vitest'
import { loadOnnx } from '../../src/formats/index.ts'
import { fixed } from '../../src/formats/onnx/elements.ts'
import { type Attribute, floats, ints, modelBytes } from './onnx-model.ts'

interface Line {
  readonly op: string
  readonly x: readonly [shape: number[], values: number[]]
  readonly y: readonly [shape: number[], values: number[]]
  readonly attributes?: Record<string, Attribute>
  /** Inputs after x; undefined = left out. */
  readonly more?: readonly (ReturnType<typeof floats> | undefined)[]
  readonly opset?: number
}

const float = (value: number) => ({ float: value })
const uint8 = (shape: number[], values: number[]) => fixed('uint8', shape, values)
const vector = (...values: number[]): [number[], number[]] => [[values.length], values]
const image = (...values: number[]): [number[], number[]] => [[1, 1, 2, 2], values]
const deep = [
  [1, 4, 1, 1],
  [1, 2, 3, 4],
] as [number[], number[]]

const lines: Line[] = [
  { op: 'ArgMax', x: vector(1, 3, 3), attributes: { select_last_index: 1 }, y: vector(2) },
  {
    op: 'BatchNormalization',
    x: [
      [1, 2, 1],
      [3, 5],
    ],
    more: [floats([2], [2, 1]), floats([2], [1, 0]), floats([2], [1, 1]), floats([2], [4, 16])],
    attributes: { epsilon: float(0) },
    y: [
      [1, 2, 1],
      [3, 1],
    ],
  },
  { op: 'Celu', x: vector(-2, 2), attributes: { alpha: float(2) }, y: vector(2 * Math.expm1(-1), 2) },
  { op: 'Clip', x: vector(-5, 0, 5), more: [undefined, floats([], [3])], y: vector(-5, 0, 3) },
  { op: 'CumSum', x: vector(1, 2, 3), more: [ints(0)], attributes: { exclusive: 1, reverse: 1 }, y: vector(5, 3, 0) },
  { op: 'DepthToSpace', x: deep, attributes: { blocksize: 2 }, y: image(1, 2, 3, 4) },
  {
    op: 'DepthToSpace',
    x: [
      [1, 8, 1, 1],
      [1, 2, 3, 4, 5, 6, 7, 8],
    ],
    attributes: { blocksize: 2 },
    y: [
      [1, 2, 2, 2],
      [1, 3, 5, 7, 2, 4, 6, 8],
    ],
  },
  {
    op: 'DepthToSpace',
    x: [
      [1, 8, 1, 1],
      [1, 2, 3, 4, 5, 6, 7, 8],
    ],
    attributes: { blocksize: 2, mode: 'CRD' },
    y: [
      [1, 2, 2, 2],
      [1, 2, 3, 4, 5, 6, 7, 8],
    ],
  },
  {
    op: 'Gather',
    x: [
      [2, 2],
      [1, 2, 3, 4],
    ],
    more: [ints(-1)],
    attributes: { axis: 1 },
    y: [
      [2, 1],
      [2, 4],
    ],
  },
  { op: 'Hardmax', x: vector(1, 3, 3), y: vector(0, 1, 0) },
  {
    op: 'InstanceNormalization',
    x: [
      [1, 2, 2],
      [1, 3, 0, 8],
    ],
    more: [floats([2], [1, 2]), floats([2], [0, 1])],
    attributes: { epsilon: float(0) },
    y: [
      [1, 2, 2],
      [-1, 1, -1, 3],
    ],
  },
  {
    op: 'LRN',
    x: [
      [1, 3, 1],
      [1, 2, 3],
    ],
    attributes: { size: 2, alpha: float(2), beta: float(1) },
    y: [
      [1, 3, 1],
      [1 / 6, 2 / 14, 3 / 10],
    ],
  },
  {
    op: 'LpPool',
    x: [
      [1, 1, 2],
      [3, -4],
    ],
    attributes: { kernel_shape: [2] },
    y: [[1, 1, 1], [5]],
  },
  {
    op: 'MatMul',
    x: [
      [2, 1, 2],
      [1, 2, 3, 4],
    ],
    more: [floats([2, 2, 1], [1, 1, 10, 1])],
    y: [
      [2, 1, 1],
      [3, 34],
    ],
  },
  {
    op: 'OneHot',
    x: vector(1, -1),
    more: [ints(3), floats([2], [0, 5])],
    y: [
      [2, 3],
      [0, 5, 0, 0, 0, 5],
    ],
  },
  { op: 'Pad', x: vector(1, 2, 3), more: [ints(2, 1)], attributes: { mode: 'reflect' }, y: vector(3, 2, 1, 2, 3, 2) },
  { op: 'Pad', x: vector(1, 2, 3), more: [ints(1, -1)], attributes: { mode: 'edge' }, y: vector(1, 1, 2) },
  { op: 'Pad', x: vector(1, 2), more: [ints(1, 0), floats([], [9])], y: vector(9, 1, 2) },
  {
    op: 'PRelu',
    x: [
      [1, 2, 1],
      [-1, -1],
    ],
    more: [floats([2, 1], [2, 3])],
    y: [
      [1, 2, 1],
      [-2, -3],
    ],
  },
  {
    op: 'QuantizeLinear',
    x: vector(-1, 0.75, 1000),
    more: [floats([], [0.5]), uint8([], [10])],
    y: vector(8, 12, 255),
  },
  {
    op: 'ReduceL2',
    x: [
      [1, 2],
      [3, 4],
    ],
    attributes: { axes: [1], keepdims: 0 },
    y: vector(5),
  },
  {
    op: 'ReduceProd',
    x: [
      [2, 2],
      [1, 2, 3, 4],
    ],
    attributes: { axes: [0], keepdims: 0 },
    y: vector(3, 8),
  },
  {
    op: 'Resize',
    x: [
      [1, 1, 2],
      [1, 3],
    ],
    more: [undefined, floats([3], [1, 1, 2])],
    attributes: { mode: 'linear' },
    y: [
      [1, 1, 4],
      [1, 1.5, 2.5, 3],
    ],
  },
  {
    op: 'Resize',
    x: [
      [1, 1, 2],
      [1, 3],
    ],
    more: [undefined, undefined, ints(1, 1, 3)],
    attributes: { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
    y: [
      [1, 1, 3],
      [1, 2, 3],
    ],
  },
  {
    op: 'Resize',
    x: [
      [1, 1, 3],
      [1, 2, 3],
    ],
    more: [undefined, floats([3], [1, 1, 2])],
    attributes: { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
    y: [
      [1, 1, 6],
      [1, 1, 2, 2, 3, 3],
    ],
  },
  {
    op: 'Softmax',
    x: [
      [1, 2, 2],
      [0, 0, 0, 0],
    ],
    attributes: { axis: 1 },
    opset: 11,
    y: [
      [1, 2, 2],
      [0.25, 0.25, 0.25, 0.25],
    ],
  },
  {
    op: 'Softmax',
    x: [
      [1, 2, 2],
      [0, 0, 0, 0],
    ],
    attributes: { axis: 1 },
    y: [
      [1, 2, 2],
      [0.5, 0.5, 0.5, 0.5],
    ],
  },
  { op: 'SpaceToDepth', x: image(1, 2, 3, 4), attributes: { blocksize: 2 }, y: deep },
  { op: 'Tile', x: vector(1, 2), more: [ints(2)], y: vector(1, 2, 1, 2) },
  {
    op: 'Trilu',
    x: [
      [2, 2],
      [1, 2, 3, 4],
    ],
    attributes: { upper: 0 },
    y: [
      [2, 2],
      [1, 0, 3, 4],
    ],
  },
]

async function run(op: string, x: Line['x'], { attributes, more = [], opset }: Partial<Line>) {
  const weights = Object.fromEntries(more.flatMap((value, i) => (value ? [[`w${i}`, value]] : [])))
  const inputs = ['x', ...more.map((value, i) => (value ? `w${i}` : ''))]
  const node = { op, inputs, ...(attributes ? { attributes } : {}) }
  const model = await loadOnnx(modelBytes({ nodes: [node], inputs: { x: x[0] }, weights, ...(opset ? { opset } : {}) }))
  return (await model.run({ x: { shape: x[0], data: x[1] } })).y
}

for (const [i, { op, x, y, ...rest }] of lines.entries())
  test(`${i}: ${op}`, async () => {
    const { shape, data } = await run(op, x, rest)
    expect(shape).toEqual(y[0])
    for (const [k, value] of y[1].entries()) expect(data[k]).toBeCloseTo(value, 5)
  })

test('unpooling puts back what pooling with indices took', async () => {
  const pool = { kernel_shape: [2, 2], strides: [2, 2] }
  const nodes = [
    { op: 'MaxPool', inputs: ['x'], outputs: ['a', 'places'], attributes: pool },
    { op: 'MaxUnpool', inputs: ['a', 'places'], outputs: ['y'], attributes: pool },
  ]
  const model = await loadOnnx(modelBytes({ nodes, inputs: { x: [1, 2, 2, 2] }, outputs: ['y', 'places'] }))
  const { y, places } = await model.run([1, 7, 3, 2, 0, 0, 5, 1])
  expect([...(y.data as Float32Array)]).toEqual([0, 7, 0, 0, 0, 0, 5, 0])
  expect(places).toMatchObject({ type: 'int64', shape: [1, 2, 1, 1] })
  expect([...(places.data as Float32Array)]).toEqual([1, 6])
})

test('a deformable convolution moves its taps between pixels', async () => {
  const weights = { w: floats([1, 1, 1, 2], [1, 10]), o: floats([1, 4, 1, 2], [0, 0, 0.5, 0, 0, 0, 0, 1]) }
  const nodes = [{ op: 'DeformConv', inputs: ['x', 'w', 'o'] }]
  const model = await loadOnnx(modelBytes({ nodes, inputs: { x: [1, 1, 1, 3] }, weights, opset: 19 }))
  // offsets of (row, column) of both taps at both places: the first tap half a pixel to the right at the first place,
  // the second one pixel to the right at the second place, where nothing is
  expect([...((await model.run([1, 2, 4])).y.data as Float32Array)]).toEqual([1.5 + 20, 2])
})
