import { sizeOf } from '../../base/shape.ts'
import * as graph from '../../graph/index.ts'
import {
  abs,
  add,
  div,
  equal,
  exp,
  expm1,
  floor,
  less,
  log,
  maximum,
  minimum,
  mul,
  neg,
  sign,
  sub,
  type Tensor,
  where,
} from '../../graph/index.ts'
import { gelu, mish, selu, softplus, softsign } from '../../nn/activations.ts'
import { type ElementType, elementType, everywhere, type Fixed, fixed, isFloat, isInteger } from './elements.ts'
import type { Op, Ops, Use } from './node.ts'
import { arranged, asLive, isFixed, type Live, like, live, plainOrder, reshaped, type Value } from './value.ts'

const withRank = (value: Value, rank: number): Value =>
  reshaped(value, [...new Array<number>(rank - value.shape.length).fill(1), ...value.shape])

/** A function of elements; operands broadcast as in NumPy, in the order of axes that the largest of them has. */
export function elementwise(
  values: readonly Value[],
  compute: (...tensors: Tensor[]) => Tensor,
  type: ElementType = values[0].type,
): Live {
  const rank = Math.max(...values.map((value) => value.shape.length))
  const operands = values.map((value) => withRank(value, rank))
  const moving = operands.filter((value): value is Live => !isFixed(value))
  moving.sort((a, b) => sizeOf(b.shape) - sizeOf(a.shape))
  const order = moving[0]?.order ?? plainOrder(rank)
  return live(type, compute(...operands.map((value) => arranged(value, order))), order)
}

/** A function of one input, whatever the order of its axes. */
const unary =
  (compute: (x: Tensor, use: Use) => Tensor, type?: ElementType): Op =>
  (use) => {
    const x = asLive(use.input(0))
    return { ...like(x, compute(x.tensor, use)), type: type ?? x.type }
  }

const binary =
  (compute: (a: Tensor, b: Tensor, use: Use) => Tensor, type?: ElementType): Op =>
  (use) =>
    elementwise([use.input(0), use.input(1)], (a, b) => compute(a, b, use), type)

const all =
  (join: (a: Tensor, b: Tensor) => Tensor): Op =>
  (use) => {
    const values = use.inputs.map((_, i) => use.input(i))
    return elementwise(values, (...tensors) => tensors.reduce(join))
  }

const trunc = (x: Tensor): Tensor => mul(sign(x), floor(abs(x)))
const not = (x: Tensor): Tensor => equal(x, 0)
const divide = (a: Tensor, b: Tensor, use: Use) => (isInteger(use.type(0)) ? trunc(div(a, b)) : div(a, b))

/** float32's power is a little off where it should be whole. */
const wholePower = (type: ElementType, value: Tensor) => (isInteger(type) ? graph.round(value) : value)

/** x^p with the signs that real numbers have: even and odd whole powers of negative x are defined. */
function power(use: Use): Live {
  const [x, p] = [use.input(0), use.input(1)]
  const known = isFixed(p) && p.data.length === 1 ? p.data[0] : undefined
  if (known === undefined) return elementwise([x, p], (a, b) => wholePower(x.type, graph.pow(a, b)))
  const simple = [1, 2, 3, -1, -2, 0.5, -0.5].includes(known) || !Number.isInteger(known)
  return elementwise([x, p], (a) => {
    if (simple) return graph.pow(a, known)
    const size = wholePower(x.type, graph.pow(abs(a), known))
    return known % 2 === 0 ? size : mul(sign(a), size)
  })
}

/** Limits by attribute before opset 11, by input from then on. */
function clip(use: Use): Value {
  const values: Value[] = [use.input(0)]
  const limit = (i: number, name: 'min' | 'max') => {
    if (use.opset >= 11) return use.inputs[i]
    return use.hasAttribute(name) ? fixed('float32', [], [use.float(name, 0)]) : undefined
  }
  const [low, high] = [limit(1, 'min'), limit(2, 'max')]
  if (low) values.push(low)
  if (high) values.push(high)
  return elementwise(values, (x, a, b) => {
    const raised = low ? maximum(x, a) : x
    return high ? minimum(raised, low ? b : a) : raised
  })
}

function cast(use: Use): Value {
  const type = elementType(use.node.title, use.int('to'))
  const value = use.input(0)
  if (isFixed(value)) return fixed(type, value.shape, value.data)
  if (type === 'bool') return { ...value, type, tensor: not(not(value.tensor)) }
  if (isFloat(type) || !isFloat(value.type)) return { ...value, type }
  return { ...value, type, tensor: trunc(value.tensor) }
}

/** Nothing is dropped: a model that trains is refused. */
function dropout(use: Use): readonly (Value | undefined)[] {
  const trains = use.opset >= 12 && use.has(2) && use.numbers(2)[0] !== 0
  if (trains && use.numbers(1, [0.5])[0] !== 0) use.fail('it drops values by chance', 'Export the model for inference')
  return [use.input(0), use.node.outputs[1] ? everywhere('bool', use.shape(0), 1) : undefined]
}

const elu = (x: Tensor, alpha: number) => where(less(x, 0), mul(alpha, expm1(minimum(x, 0))), x)
const clamp = (x: Tensor, low: number, high: number) => minimum(maximum(x, low), high)
const same: Op = (use) => use.input(0)

const truths = /^(And|Equal|Greater.*|IsInf|IsNaN|Less.*|Not|Or|Xor)$/

/** What an operation of this file gives where an input has no elements, which no program can hold. */
export function emptyResult(use: Use): Fixed | undefined {
  const { op } = use.node
  const shapes = use.inputs.flatMap((value) => (value ? [value.shape] : []))
  if (!Object.hasOwn(elementwiseOps, op) || shapes.every((shape) => sizeOf(shape) > 0)) return undefined
  const rank = Math.max(...shapes.map((shape) => shape.length))
  const shape = Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((own) => own[axis - rank + own.length] ?? 1)
    return sizes.includes(0) ? 0 : Math.max(...sizes)
  })
  const of = op === 'CastLike' || op === 'Where' ? use.type(1) : use.type(0)
  const type = op === 'Cast' ? elementType(use.node.title, use.int('to')) : truths.test(op) ? 'bool' : of
  return fixed(type, shape, [])
}

/** Operations of each element by itself. */
export const elementwiseOps: Ops = {
  Abs: unary(abs),
  Add: binary(add),
  And: binary(mul),
  Cast: cast,
  CastLike: (use) => {
    const value = use.input(0)
    return isFixed(value) ? fixed(use.type(1), value.shape, value.data) : { ...value, type: use.type(1) }
  },
  Ceil: unary((x) => neg(floor(neg(x)))),
  Celu: unary((x, use) => {
    const alpha = use.float('alpha', 1)
    return where(less(x, 0), mul(alpha, expm1(div(minimum(x, 0), alpha))), x)
  }),
  Clip: clip,
  Div: binary(divide),
  Dropout: dropout,
  Elu: unary((x, use) => elu(x, use.float('alpha', 1))),
  Equal: binary(equal, 'bool'),
  Erf: unary(graph.erf),
  Exp: unary(exp),
  Floor: unary(floor),
  Gelu: unary((x, use) => gelu(x, use.text('approximate', 'none') === 'tanh' ? 'tanh' : 'none')),
  Greater: binary((a, b) => less(b, a), 'bool'),
  GreaterOrEqual: binary((a, b) => maximum(less(b, a), equal(a, b)), 'bool'),
  HardSigmoid: unary((x, use) => clamp(add(mul(use.float('alpha', 0.2), x), use.float('beta', 0.5)), 0, 1)),
  HardSwish: unary((x) => mul(x, clamp(add(mul(x, 1 / 6), 0.5), 0, 1))),
  Identity: same,
  IsInf: unary((x, use) => {
    const [above, below] = [equal(x, Infinity), equal(x, -Infinity)]
    return add(mul(above, use.int('detect_positive', 1)), mul(below, use.int('detect_negative', 1)))
  }, 'bool'),
  IsNaN: unary((x) => not(equal(x, x)), 'bool'),
  LeakyRelu: unary((x, use) => where(less(x, 0), mul(use.float('alpha', 0.01), x), x)),
  Less: binary(less, 'bool'),
  LessOrEqual: binary((a, b) => maximum(less(a, b), equal(a, b)), 'bool'),
  Log: unary(log),
  Max: all(maximum),
  Mean: (use) => {
    const total = elementwiseOps.Sum(use) as Live
    return like(total, mul(total.tensor, 1 / use.inputs.length))
  },
  Min: all(minimum),
  Mish: unary((x) => mish(x)),
  Mod: binary((a, b, use) => sub(a, mul(b, use.int('fmod', 0) ? trunc(div(a, b)) : floor(div(a, b))))),
  Mul: binary(mul),
  Neg: unary(neg),
  Not: unary(not, 'bool'),
  Or: binary(maximum),
  PRelu: (use) => elementwise([use.input(0), use.input(1)], (x, slope) => where(less(x, 0), mul(slope, x), x)),
  Pow: power,
  Reciprocal: unary((x) => div(1, x)),
  Relu: unary(graph.relu),
  Round: unary(graph.round),
  Selu: unary((x, use) =>
    use.hasAttribute('alpha') || use.hasAttribute('gamma')
      ? mul(use.float('gamma', 1.0507009873554805), elu(x, use.float('alpha', 1.6732632423543772)))
      : selu(x),
  ),
  Shrink: unary((x, use) => {
    const [lambd, bias] = [use.float('lambd', 0.5), use.float('bias', 0)]
    return where(less(x, -lambd), add(x, bias), where(less(lambd, x), sub(x, bias), 0))
  }),
  Sigmoid: unary(graph.sigmoid),
  Sign: unary(sign),
  Softplus: unary((x) => softplus(x)),
  Softsign: unary((x) => softsign(x)),
  Sqrt: unary(graph.sqrt),
  Sub: binary(sub),
  Sum: all(add),
  Swish: unary((x, use) => mul(x, graph.sigmoid(mul(use.float('alpha', 1), x)))),
  Tanh: unary(graph.tanh),
  ThresholdedRelu: unary((x, use) => where(less(use.float('alpha', 1), x), x, 0)),
  Where: (use) => elementwise([use.input(0), use.input(1), use.input(2)], where, use.type(1)),
  Xor: binary((a, b) => abs(sub(not(not(a)), not(not(b))))),
}
