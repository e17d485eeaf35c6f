// TensorFlow's operations on each element, reductions and products.
import { elementCode } from '../onnx/elements.ts'
import type { TfNode } from './node.ts'
import { fused } from './ops-windows.ts'
import type { Translate, Translation, Translations } from './translation.ts'

/** The ONNX operation of another name. */
const named =
  (op: string): Translate =>
  (node, to) =>
    to.node(op, node.inputs)

/** The names under which both have an operation. */
const same: Translations = Object.fromEntries(
  [
    ...['Abs', 'Add', 'Ceil', 'Elu', 'Equal', 'Erf', 'Exp', 'Floor', 'Greater', 'Less', 'Log', 'Mul', 'Neg'],
    ...['Pow', 'Reciprocal', 'Relu', 'Round', 'Selu', 'Sigmoid', 'Sign', 'Softplus', 'Softsign', 'Sqrt', 'Sub', 'Tanh'],
  ].map((op) => [op, named(op)]),
)

const renamed: Translations = Object.fromEntries(
  Object.entries({
    AddN: 'Sum',
    AddV2: 'Add',
    Div: 'Div',
    GreaterEqual: 'GreaterOrEqual',
    IsNan: 'IsNaN',
    LessEqual: 'LessOrEqual',
    LogicalAnd: 'And',
    LogicalNot: 'Not',
    LogicalOr: 'Or',
    Maximum: 'Max',
    Minimum: 'Min',
    Prelu: 'PRelu',
    RealDiv: 'Div',
    Select: 'Where',
    SelectV2: 'Where',
  }).map(([name, op]) => [name, named(op)]),
)

const pair = (node: TfNode) => [node.input(0), node.input(1)]
const one = (to: Translation) => to.float(1)

/** x - floor(x / y) * y. */
function floorMod(node: TfNode, to: Translation): string {
  const [x, y] = pair(node)
  return to.node('Sub', [x, to.node('Mul', [to.node('Floor', [to.node('Div', [x, y])]), y])])
}

/** 0 where the divisor is 0. */
function divNoNan(node: TfNode, to: Translation): string {
  const [x, y] = pair(node)
  const isZero = to.node('Equal', [y, to.float(0)])
  const safe = to.node('Where', [isZero, one(to), y])
  return to.node('Where', [isZero, to.float(0), to.node('Div', [x, safe])])
}

const reduction =
  (op: string): Translate =>
  (node, to) => {
    const keepdims = node.flag('keep_dims') || node.flag('keepDims') ? 1 : 0
    const axes = node.known(1)
    // no axes at all: nothing is reduced
    if (axes.data.length === 0) return to.node('Identity', [node.input(0)])
    return to.node(op, [node.input(0), to.ints(...axes.data)], { keepdims })
  }

const place =
  (op: string): Translate =>
  (node, to) =>
    to.node(op, [node.input(0)], { axis: node.inputs[1] === undefined ? 0 : node.numbers(1)[0], keepdims: 0 })

const matmul: Translate = (node, to) => {
  const [a, b] = [node.flag('transpose_a'), node.flag('transpose_b')]
  if (!a && !b) return to.node('MatMul', pair(node))
  return to.node('Gemm', pair(node), { transA: a ? 1 : 0, transB: b ? 1 : 0 })
}

const batchMatmul: Translate = (node, to) => {
  if (node.flag('adj_x') || node.flag('adj_y')) node.fail('a transposed operand')
  return to.node('MatMul', pair(node))
}

/** x / (bias + alpha * sum of squares)^beta over depth_radius channels on both sides. */
const localResponse: Translate = (node, to) => {
  const size = 2 * node.int('depth_radius', 5) + 1
  const float = (name: string, usual: number, factor = 1) => ({ float: node.float(name, usual) * factor })
  const attributes = { alpha: float('alpha', 1, size), beta: float('beta', 0.5), bias: float('bias', 1), size }
  return to.last(to.node('LRN', [to.first(node.input(0), 4)], attributes), 4)
}

const cast: Translate = (node, to) => to.node('Cast', [node.input(0)], { to: elementCode(node.type('DstT')) })

export const elementOps: Translations = {
  ...same,
  ...renamed,
  ArgMax: place('ArgMax'),
  ArgMin: place('ArgMin'),
  BatchMatMul: batchMatmul,
  BatchMatMulV2: batchMatmul,
  Cast: cast,
  ClipByValue: (node, to) => to.node('Clip', [node.input(0), node.input(1), node.input(2)]),
  DivNoNan: divNoNan,
  Expm1: (node, to) => to.node('Sub', [to.node('Exp', [node.input(0)]), one(to)]),
  FloorDiv: (node, to) => to.node('Floor', [to.node('Div', pair(node))]),
  FloorMod: floorMod,
  LRN: localResponse,
  LeakyRelu: (node, to) => to.node('LeakyRelu', [node.input(0)], { alpha: { float: node.float('alpha', 0.2) } }),
  Log1p: (node, to) => to.node('Log', [to.node('Add', [node.input(0), one(to)])]),
  LogSoftmax: (node, to) => to.node('LogSoftmax', [node.input(0)], { axis: -1 }),
  MatMul: matmul,
  Max: reduction('ReduceMax'),
  Mean: reduction('ReduceMean'),
  Min: reduction('ReduceMin'),
  NotEqual: (node, to) => to.node('Not', [to.node('Equal', pair(node))]),
  Prod: reduction('ReduceProd'),
  Relu6: (node, to) => to.node('Clip', [node.input(0), to.float(0), to.float(6)]),
  Rsqrt: (node, to) => to.node('Reciprocal', [to.node('Sqrt', [node.input(0)])]),
  Softmax: (node, to) => to.node('Softmax', [node.input(0)], { axis: -1 }),
  Square: (node, to) => to.node('Mul', [node.input(0), node.input(0)]),
  SquaredDifference: (node, to) => {
    const apart = to.node('Sub', pair(node))
    return to.node('Mul', [apart, apart])
  },
  Sum: reduction('ReduceSum'),
  _FusedMatMul: fused(matmul),
}
