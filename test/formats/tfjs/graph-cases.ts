// Small graphs of TensorFlow's operations as tfjs's model.json has them.

type Attribute =
  | number
  | boolean
  | string
  | readonly number[]
  | readonly string[]
  | { float: number }
  | { type: string }

export interface NodeSketch {
  readonly op: string
  readonly inputs: readonly string[]
  /** Default 'y'. */
  readonly name?: string
  readonly attributes?: Readonly<Record<string, Attribute>>
}

export interface Constant {
  readonly shape: readonly number[]
  readonly values: readonly number[]
  readonly dtype?: 'float32' | 'int32' | 'bool'
}

export interface GraphCase {
  readonly name: string
  readonly inputs: Readonly<Record<string, readonly number[]>>
  readonly constants?: Readonly<Record<string, Constant>>
  readonly nodes: readonly NodeSketch[]
  /** Default ['y']. */
  readonly outputs?: readonly string[]
}

function attribute(value: Attribute) {
  if (typeof value === 'number') return { i: String(value) }
  if (typeof value === 'boolean') return { b: value }
  if (typeof value === 'string') return { s: btoa(value) }
  if ('float' in value) return { f: value.float }
  if ('type' in value) return { type: value.type }
  const list = value as readonly (number | string)[]
  return typeof list[0] === 'string'
    ? { list: { s: list.map((v) => btoa(String(v))) } }
    : { list: { i: list.map(String) } }
}

const attributes = (record: Readonly<Record<string, Attribute>>) =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, attribute(value)]))

const typeNames = { float32: 'DT_FLOAT', int32: 'DT_INT32', bool: 'DT_BOOL' }
const shapeOf = (sizes: readonly number[]) => ({ shape: { dim: sizes.map((n) => ({ size: String(n) })) } })

/** The files of a graph model. */
export function graphFiles({ inputs, constants = {}, nodes, outputs = ['y'] }: GraphCase): Record<string, Uint8Array> {
  const entries = Object.entries(constants)
  const node = [
    ...Object.entries(inputs).map(([name, sizes]) => {
      // the batch is open
      const shape = shapeOf([-1, ...sizes.slice(1)])
      return { name, op: 'Placeholder', attr: { dtype: { type: 'DT_FLOAT' }, shape } }
    }),
    ...entries.map(([name, { dtype = 'float32' }]) => ({
      name,
      op: 'Const',
      attr: { dtype: { type: typeNames[dtype] } },
    })),
    ...nodes.map(({ op, inputs: input, name = 'y', attributes: given = {} }) => {
      return { name, op, input, attr: { T: { type: 'DT_FLOAT' }, ...attributes(given) } }
    }),
  ]
  const signature = {
    inputs: Object.fromEntries(Object.keys(inputs).map((name) => [name, { name: `${name}:0`, dtype: 'DT_FLOAT' }])),
    outputs: Object.fromEntries(outputs.map((name) => [name, { name, dtype: 'DT_FLOAT' }])),
  }
  const weights = entries.map(([name, { shape, dtype = 'float32' }]) => ({ name, shape, dtype }))
  const parts = entries.map(([, { values, dtype = 'float32' }]) => {
    if (dtype === 'bool') return Uint8Array.from(values)
    return new Uint8Array((dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values)).buffer)
  })
  const bytes = Uint8Array.from(parts.flatMap((part) => [...part]))
  const model = {
    format: 'graph-model',
    generatedBy: '2.13.0',
    convertedBy: 'by hand',
    signature,
    modelTopology: { node, library: {}, versions: {} },
    weightsManifest: [{ paths: ['group1-shard1of1.bin'], weights }],
  }
  return { 'model.json': new TextEncoder().encode(JSON.stringify(model)), 'group1-shard1of1.bin': bytes }
}

/** Numbers of -1..1 that look like chance. */
export const numbers = (count: number, seed = 1): number[] =>
  Array.from({ length: count }, (_, i) => Math.round(100 * Math.sin(12.9898 * (i + 1) + 78.233 * seed)) / 100)

const floats = (...shape: number[]): Constant => ({
  shape,
  values: numbers(
    shape.reduce((a, b) => a * b, 1),
    shape.length + 3,
  ),
})
const ints = (...values: number[]): Constant => ({ shape: [values.length], values, dtype: 'int32' })
const whole = (value: number): Constant => ({ shape: [], values: [value], dtype: 'int32' })
const real = (value: number): Constant => ({ shape: [], values: [value] })

const picture = { x: [2, 6, 5, 3] }
const nhwc = { data_format: 'NHWC' }
const window = { strides: [1, 1, 1, 1], dilations: [1, 1, 1, 1], padding: 'SAME', ...nhwc }

const one = (op: string, inputs: GraphCase['inputs'], rest: Partial<NodeSketch> = {}, constants = {}, name = op) => ({
  name,
  inputs,
  constants,
  nodes: [{ op, inputs: [...Object.keys(inputs), ...Object.keys(constants)], ...rest }],
})

const convolutions: GraphCase[] = [
  one('Conv2D', picture, { attributes: window }, { w: floats(3, 3, 3, 4) }),
  one('Conv2D', picture, { attributes: { ...window, strides: [1, 2, 2, 1] } }, { w: floats(3, 2, 3, 4) }, 'stride'),
  one(
    'Conv2D',
    picture,
    { attributes: { ...window, dilations: [1, 2, 1, 1], padding: 'VALID' } },
    { w: floats(2, 2, 3, 2) },
    'dilation',
  ),
  one(
    'Conv2D',
    picture,
    { attributes: { ...window, padding: 'EXPLICIT', explicit_paddings: [0, 0, 2, 1, 0, 1, 0, 0] } },
    { w: floats(3, 3, 3, 2) },
    'explicit padding',
  ),
  one(
    '_FusedConv2D',
    picture,
    { attributes: { ...window, fused_ops: ['BiasAdd', 'Relu6'], num_args: 1 } },
    { w: floats(3, 3, 3, 4), b: floats(4) },
  ),
  one(
    '_FusedConv2D',
    picture,
    { attributes: { ...window, fused_ops: ['BiasAdd', 'LeakyRelu'], leakyrelu_alpha: { float: 0.3 }, num_args: 1 } },
    { w: floats(1, 1, 3, 4), b: floats(4) },
    'fused leaky relu',
  ),
  one(
    'DepthwiseConv2dNative',
    picture,
    { attributes: { ...window, strides: [1, 2, 2, 1] } },
    { w: floats(3, 3, 3, 2) },
  ),
  one(
    'FusedDepthwiseConv2dNative',
    picture,
    { attributes: { ...window, fused_ops: ['BiasAdd', 'Relu'], num_args: 1 } },
    { w: floats(3, 3, 3, 1), b: floats(3) },
  ),
  {
    name: 'Conv2DBackpropInput',
    inputs: picture,
    constants: { sizes: ints(2, 12, 10, 4), w: floats(3, 3, 4, 3) },
    nodes: [
      { op: 'Conv2DBackpropInput', inputs: ['sizes', 'w', 'x'], attributes: { ...window, strides: [1, 2, 2, 1] } },
    ],
  },
  {
    name: 'Conv2DBackpropInput of an odd size',
    inputs: picture,
    constants: { sizes: ints(2, 11, 9, 4), w: floats(3, 3, 4, 3) },
    nodes: [
      { op: 'Conv2DBackpropInput', inputs: ['sizes', 'w', 'x'], attributes: { ...window, strides: [1, 2, 2, 1] } },
    ],
  },
  {
    name: 'Conv2DBackpropInput without padding, of a batch that is open',
    inputs: picture,
    constants: {
      begin: ints(0),
      end: ints(1),
      step: ints(1),
      h: whole(13),
      w: whole(11),
      c: whole(2),
      k: floats(3, 3, 2, 3),
    },
    nodes: [
      { op: 'Shape', inputs: ['x'], name: 'shape' },
      {
        op: 'StridedSlice',
        inputs: ['shape', 'begin', 'end', 'step'],
        name: 'n',
        attributes: { shrink_axis_mask: 1, begin_mask: 0, end_mask: 0, new_axis_mask: 0, ellipsis_mask: 0 },
      },
      { op: 'Pack', inputs: ['n', 'h', 'w', 'c'], name: 'sizes', attributes: { N: 4, axis: 0 } },
      {
        op: 'Conv2DBackpropInput',
        inputs: ['sizes', 'k', 'x'],
        attributes: { ...window, strides: [1, 2, 2, 1], padding: 'VALID' },
      },
    ],
  },
  {
    name: 'an atrous convolution in three nodes',
    inputs: { x: [1, 7, 8, 2] },
    constants: {
      block: ints(2, 2),
      pads: { shape: [2, 2], values: [2, 3, 2, 2], dtype: 'int32' },
      crops: { shape: [2, 2], values: [0, 1, 0, 0], dtype: 'int32' },
      w: floats(3, 3, 2, 3),
    },
    nodes: [
      { op: 'SpaceToBatchND', inputs: ['x', 'block', 'pads'], name: 's' },
      { op: 'Conv2D', inputs: ['s', 'w'], name: 'c', attributes: { ...window, padding: 'VALID' } },
      { op: 'BatchToSpaceND', inputs: ['c', 'block', 'crops'] },
    ],
  },
]

const pool = { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME', ...nhwc }

const layers: GraphCase[] = [
  one('MaxPool', picture, { attributes: pool }),
  one('AvgPool', picture, { attributes: { ...pool, ksize: [1, 3, 3, 1] } }),
  one('BiasAdd', picture, { attributes: nhwc }, { b: floats(3) }),
  one(
    'FusedBatchNormV3',
    picture,
    { attributes: { epsilon: { float: 0.001 }, is_training: false, ...nhwc } },
    { scale: floats(3), offset: floats(3), mean: floats(3), variance: { shape: [3], values: [0.5, 1, 2] } },
  ),
  one(
    'ResizeBilinear',
    picture,
    { attributes: { align_corners: false, half_pixel_centers: true } },
    { size: ints(9, 3) },
  ),
  one(
    'ResizeBilinear',
    picture,
    { attributes: { align_corners: true, half_pixel_centers: false } },
    { size: ints(9, 7) },
    'corners',
  ),
  one(
    'ResizeBilinear',
    picture,
    { attributes: { align_corners: false, half_pixel_centers: false } },
    { size: ints(8, 10) },
    'old',
  ),
  one(
    'ResizeNearestNeighbor',
    picture,
    { attributes: { align_corners: false, half_pixel_centers: false } },
    { size: ints(9, 7) },
  ),
  one(
    'ResizeNearestNeighbor',
    picture,
    { attributes: { align_corners: false, half_pixel_centers: true } },
    { size: ints(4, 7) },
    'centers',
  ),
  one('DepthToSpace', { x: [1, 2, 3, 8] }, { attributes: { block_size: 2, ...nhwc } }),
  one('MatMul', { x: [2, 3] }, { attributes: { transpose_a: false, transpose_b: true } }, { w: floats(4, 3) }),
  one(
    '_FusedMatMul',
    { x: [2, 3] },
    { attributes: { transpose_a: false, transpose_b: false, fused_ops: ['BiasAdd', 'Relu'], num_args: 1 } },
    { w: floats(3, 4), b: floats(4) },
  ),
  one('Softmax', { x: [2, 3, 4] }),
  one('LRN', picture, {
    attributes: { depth_radius: 1, bias: { float: 1.5 }, alpha: { float: 0.2 }, beta: { float: 0.6 } },
  }),
  one('Prelu', picture, {}, { slope: floats(3) }),
]

const maps: GraphCase[] = [
  ...['Relu', 'Relu6', 'Elu', 'Selu', 'Sigmoid', 'Tanh', 'Softplus', 'Abs', 'Neg', 'Exp', 'Expm1', 'Square'].map((op) =>
    one(op, { x: [2, 5] }),
  ),
  ...['Floor', 'Ceil', 'Round', 'Sign', 'Erf'].map((op) => one(op, { x: [2, 5] })),
  one('LeakyRelu', { x: [2, 5] }, { attributes: { alpha: { float: 0.3 } } }),
  ...['AddV2', 'Sub', 'Mul', 'Maximum', 'Minimum', 'SquaredDifference', 'RealDiv'].map((op) =>
    one(op, { x: [2, 5] }, {}, { c: floats(5) }),
  ),
  one('DivNoNan', { x: [2, 4] }, {}, { c: { shape: [4], values: [1, 0, -2, 0.5] } }),
  one('FloorMod', { x: [2, 4] }, {}, { c: { shape: [4], values: [0.3, 0.4, -0.3, 0.5] } }),
  ...['Log', 'Log1p', 'Sqrt', 'Rsqrt', 'Reciprocal'].map((op) => ({
    name: op,
    inputs: { x: [2, 5] },
    nodes: [
      { op: 'Exp', inputs: ['x'], name: 'e' },
      { op, inputs: ['e'] },
    ],
  })),
]

const keep = { keep_dims: true }
const masks = { begin_mask: 0, end_mask: 0, shrink_axis_mask: 0, new_axis_mask: 0, ellipsis_mask: 0 }

const moves: GraphCase[] = [
  one('Mean', picture, { attributes: { keep_dims: false } }, { axes: ints(1, 2) }),
  one('Max', picture, { attributes: keep }, { axes: ints(-1) }),
  one('Sum', picture, { attributes: keep }, { axes: ints(0, 3) }),
  one('Min', picture, { attributes: { keep_dims: false } }, { axes: ints(2) }),
  one('ArgMax', picture, {}, { axis: whole(3) }),
  one('Reshape', picture, {}, { shape: ints(-1, 5, 3) }),
  one('Transpose', picture, {}, { perm: ints(0, 3, 1, 2) }),
  one('ExpandDims', picture, {}, { axis: whole(-2) }),
  one('Squeeze', { x: [2, 1, 3, 1] }, { attributes: { squeeze_dims: [1] } }),
  one('ConcatV2', { x: [2, 3, 2], z: [2, 3, 4] }, { attributes: { N: 2 } }, { axis: whole(-1) }),
  one('Pack', { x: [2, 3], z: [2, 3] }, { attributes: { N: 2, axis: 1 } }),
  one('Pad', picture, {}, { pads: { shape: [4, 2], values: [0, 0, 1, 2, 0, 1, 0, 0], dtype: 'int32' } }),
  one('PadV2', { x: [2, 3] }, {}, { pads: { shape: [2, 2], values: [1, 0, 0, 2], dtype: 'int32' }, value: real(-3) }),
  one(
    'MirrorPad',
    picture,
    { attributes: { mode: 'REFLECT' } },
    {
      pads: { shape: [4, 2], values: [0, 0, 1, 2, 2, 1, 0, 0], dtype: 'int32' },
    },
  ),
  one('Slice', picture, {}, { begin: ints(0, 1, 2, 0), size: ints(-1, 3, 2, 2) }),
  one(
    'StridedSlice',
    picture,
    { attributes: { ...masks, begin_mask: 5, end_mask: 9 } },
    {
      begin: ints(0, 1, 0, 1),
      end: ints(0, 5, 4, 0),
      step: ints(1, 2, 1, 1),
    },
  ),
  one(
    'StridedSlice',
    picture,
    { attributes: { ...masks, begin_mask: 1, end_mask: 1, shrink_axis_mask: 10 } },
    {
      begin: ints(0, -1, 0, 1),
      end: ints(0, 0, 4, 2),
      step: ints(1, 1, 1, 1),
    },
    'an axis less',
  ),
  one(
    'StridedSlice',
    picture,
    { attributes: { ...masks, ellipsis_mask: 1, new_axis_mask: 4 } },
    {
      begin: ints(0, 0, 0),
      end: ints(0, 2, 0),
      step: ints(1, 1, 1),
    },
    'an ellipsis and a new axis',
  ),
  one('ReverseV2', picture, {}, { axes: ints(1, -1) }),
  one('GatherV2', picture, {}, { indices: ints(2, 0, 2), axis: whole(3) }),
  one('Tile', { x: [2, 3] }, {}, { times: ints(1, 3) }),
  {
    name: 'Split and Unpack',
    inputs: { x: [2, 6] },
    constants: { axis: whole(1) },
    nodes: [
      { op: 'Split', inputs: ['axis', 'x'], name: 'parts', attributes: { num_split: 3 } },
      { op: 'Mul', inputs: ['parts:2', 'parts'], name: 'product' },
      { op: 'Unpack', inputs: ['product'], name: 'rows', attributes: { num: 2, axis: 1 } },
      { op: 'Sub', inputs: ['rows:1', 'rows'] },
    ],
  },
  {
    name: 'SelectV2 and comparisons',
    inputs: { x: [2, 5], z: [2, 5] },
    nodes: [
      { op: 'Greater', inputs: ['x', 'z'], name: 'more' },
      { op: 'LogicalNot', inputs: ['more'], name: 'less' },
      { op: 'SelectV2', inputs: ['less', 'x', 'z'] },
    ],
  },
]

export const graphCases: readonly GraphCase[] = [...convolutions, ...layers, ...maps, ...moves]
