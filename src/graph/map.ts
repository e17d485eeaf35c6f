import { fail } from '../base/errors.ts'
import { type Shape, sameShape, showShape } from '../base/shape.ts'
import { sumTo } from './reduce.ts'
import { asTensor, fill, Tensor } from './tensor.ts'

/** Elementwise functions; comparisons give 1 or 0. Operands broadcast as in NumPy. */
export type MapFunction =
  | 'identity'
  | 'neg'
  | 'abs'
  | 'sign'
  | 'exp'
  | 'expm1'
  | 'log'
  | 'log1p'
  | 'sqrt'
  | 'tanh'
  | 'sigmoid'
  | 'erf'
  | 'floor'
  | 'round'
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'min'
  | 'max'
  | 'pow'
  | 'less'
  | 'equal'
  | 'where'

/** Error function by its Maclaurin series or its continued fraction; absolute error below 1e-14. */
function erfValue(x: number): number {
  const z = Math.abs(x)
  if (!(z < 6)) return Number.isNaN(x) ? x : Math.sign(x)
  if (z < 2.5) {
    let term = z
    let sum = z
    for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
      term *= (-z * z) / n
      sum += term / (2 * n + 1)
    }
    return (Math.sign(x) * sum * 2) / Math.sqrt(Math.PI)
  }
  let fraction = 0
  for (let n = 60; n > 0; n--) fraction = n / 2 / (z + fraction)
  return Math.sign(x) * (1 - Math.exp(-z * z) / ((z + fraction) * Math.sqrt(Math.PI)))
}

function roundEven(x: number): number {
  const up = Math.round(x)
  return up - x === 0.5 && up % 2 ? up - 1 : up
}

/** The functions in float64: what they mean. */
export const mapValue: Record<MapFunction, (a: number, b: number, c: number) => number> = {
  identity: (a) => a,
  neg: (a) => -a,
  abs: (a) => Math.abs(a),
  sign: (a) => Math.sign(a),
  exp: (a) => Math.exp(a),
  expm1: (a) => Math.expm1(a),
  log: (a) => Math.log(a),
  log1p: (a) => Math.log1p(a),
  sqrt: (a) => Math.sqrt(a),
  tanh: (a) => Math.tanh(a),
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
  erf: erfValue,
  floor: (a) => Math.floor(a),
  round: roundEven,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  pow: (a, b) => a ** b,
  less: (a, b) => (a < b ? 1 : 0),
  equal: (a, b) => (a === b ? 1 : 0),
  where: (a, b, c) => (a !== 0 ? b : c),
}

/** The shape that all broadcast to, or an error. */
export function broadcastShapes(operation: string, shapes: readonly Shape[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length))
  return Array.from({ length: rank }, (_, axis) => {
    const extents = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1)
    const extent = Math.max(...extents)
    if (extents.some((n) => n !== 1 && n !== extent))
      fail(
        operation,
        `shapes ${shapes.map(showShape).join(' and ')} don't broadcast`,
        'Sizes must be equal or 1, counted from the last axis',
      )
    return extent
  })
}

const constantOf = (t: Tensor) => (t.operation.kind === 'fill' ? t.operation.value : undefined)

/** The same result without work: constants folded, neutral elements dropped. */
function simplify(fn: MapFunction, inputs: readonly Tensor[], shape: Shape): Tensor | undefined {
  const values = inputs.map(constantOf)
  if (values.every((value) => value !== undefined))
    return fill(shape, Math.fround(mapValue[fn](values[0]!, values[1]!, values[2]!)))
  const [a, b] = inputs as [Tensor, Tensor]
  const keepA = sameShape(a.shape, shape)
  if (fn === 'identity' && keepA) return a
  if ((fn === 'add' || fn === 'sub') && values[1] === 0 && keepA) return a
  if (fn === 'add' && values[0] === 0 && sameShape(b.shape, shape)) return b
  if ((fn === 'mul' || fn === 'div') && values[1] === 1 && keepA) return a
  if (fn === 'mul' && values[0] === 1 && sameShape(b.shape, shape)) return b
  return undefined
}

function map(fn: MapFunction, operands: readonly (Tensor | number)[]): Tensor {
  const inputs = operands.map(asTensor)
  const shape = broadcastShapes(
    fn,
    inputs.map((input) => input.shape),
  )
  return simplify(fn, inputs, shape) ?? new Tensor({ kind: 'map', fn }, inputs, shape)
}

type Operand = Tensor | number

/** -x, element by element. */
export const neg = (x: Operand): Tensor => map('neg', [x])
/** Absolute value, element by element; its derivative at 0 is 0. */
export const abs = (x: Operand): Tensor => map('abs', [x])
/** -1, 0 or 1. */
export const sign = (x: Operand): Tensor => map('sign', [x])
/** e to the power of x. */
export const exp = (x: Operand): Tensor => map('exp', [x])
/** exp(x) - 1, accurate near 0. */
export const expm1 = (x: Operand): Tensor => map('expm1', [x])
/** Natural logarithm. */
export const log = (x: Operand): Tensor => map('log', [x])
/** log(1 + x), accurate near 0. */
export const log1p = (x: Operand): Tensor => map('log1p', [x])
/** Square root; NaN below 0. */
export const sqrt = (x: Operand): Tensor => map('sqrt', [x])
/** Hyperbolic tangent. */
export const tanh = (x: Operand): Tensor => map('tanh', [x])
/** 1 / (1 + exp(-x)). */
export const sigmoid = (x: Operand): Tensor => map('sigmoid', [x])
/** Error function 2/sqrt(pi) * integral of exp(-t^2) from 0 to x. */
export const erf = (x: Operand): Tensor => map('erf', [x])
/** The largest whole number that isn't above x. Its derivative is 0. */
export const floor = (x: Operand): Tensor => map('floor', [x])
/** The nearest whole number; halves go to the even one. */
export const round = (x: Operand): Tensor => map('round', [x])
/** a + b; shapes broadcast as in NumPy. */
export const add = (a: Operand, b: Operand): Tensor => map('add', [a, b])
/** a - b; shapes broadcast as in NumPy. */
export const sub = (a: Operand, b: Operand): Tensor => map('sub', [a, b])
/** a * b, element by element; shapes broadcast as in NumPy. */
export const mul = (a: Operand, b: Operand): Tensor => map('mul', [a, b])
/** a / b, element by element; shapes broadcast as in NumPy. */
export const div = (a: Operand, b: Operand): Tensor => map('div', [a, b])
/** The smaller of a and b, element by element; shapes broadcast as in NumPy. */
export const minimum = (a: Operand, b: Operand): Tensor => map('min', [a, b])
/** The larger of a and b, element by element; shapes broadcast as in NumPy. */
export const maximum = (a: Operand, b: Operand): Tensor => map('max', [a, b])
/** 1 where a < b, else 0. */
export const less = (a: Operand, b: Operand): Tensor => map('less', [a, b])
/** 1 where a === b, else 0. */
export const equal = (a: Operand, b: Operand): Tensor => map('equal', [a, b])
/** a where condition isn't 0, else b. */
export const where = (condition: Operand, a: Operand, b: Operand): Tensor => map('where', [condition, a, b])
/** max(x, 0), element by element. */
export const relu = (x: Operand): Tensor => maximum(x, 0)

/** x to the power p. A negative x gives NaN unless p is the literal 1, 2, 3, -1 or -2. */
export function pow(x: Operand, p: Operand): Tensor {
  if (p === 1) return asTensor(x)
  if (p === 2) return mul(x, x)
  if (p === 3) return mul(mul(x, x), x)
  if (p === -1) return div(1, x)
  if (p === -2) return div(1, mul(x, x))
  if (p === 0.5) return sqrt(x)
  if (p === -0.5) return div(1, sqrt(x))
  return map('pow', [x, p])
}

/** x repeated along new axes and axes of size 1, to `shape`. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x
  const result = broadcastShapes('broadcastTo', [x.shape, shape])
  if (!sameShape(result, shape))
    fail('broadcastTo', `${showShape(x.shape)} doesn't broadcast to ${showShape(shape)}`, 'Axes of size 1 may grow')
  return simplify('identity', [x], shape) ?? new Tensor({ kind: 'map', fn: 'identity' }, [x], shape)
}

/** Derivatives by each operand, of the result's shape, from result y and its adjoint g; undefined = zero. */
function partials(fn: MapFunction, inputs: readonly Tensor[], y: Tensor, g: Tensor): (Tensor | undefined)[] {
  const [a, b] = inputs as [Tensor, Tensor]
  switch (fn) {
    case 'identity':
      return [g]
    case 'neg':
      return [neg(g)]
    case 'abs':
      return [mul(g, sign(a))]
    case 'exp':
      return [mul(g, y)]
    case 'expm1':
      return [mul(g, add(y, 1))]
    case 'log':
      return [div(g, a)]
    case 'log1p':
      return [div(g, add(a, 1))]
    case 'sqrt':
      return [div(g, mul(2, y))]
    case 'tanh':
      return [mul(g, sub(1, mul(y, y)))]
    case 'sigmoid':
      return [mul(g, mul(y, sub(1, y)))]
    case 'erf':
      return [mul(g, mul(2 / Math.sqrt(Math.PI), exp(neg(mul(a, a)))))]
    case 'add':
      return [g, g]
    case 'sub':
      return [g, neg(g)]
    case 'mul':
      return [mul(g, b), mul(g, a)]
    case 'div':
      return [div(g, b), neg(div(mul(g, y), b))]
    // at a tie the whole gradient goes to b: so relu = max(x, 0) has derivative 0 at 0; y serves so that a needn't stay
    case 'max':
      return [where(less(b, y), g, 0), where(less(b, y), 0, g)]
    case 'min':
      return [where(less(y, b), g, 0), where(less(y, b), 0, g)]
    case 'pow':
      return [mul(g, mul(b, pow(a, sub(b, 1)))), mul(g, where(equal(a, 0), 0, mul(y, log(a))))]
    case 'where':
      return [undefined, where(a, g, 0), where(a, 0, g)]
    case 'sign':
    case 'floor':
    case 'round':
    case 'less':
    case 'equal':
      return inputs.map(() => undefined)
  }
}

/** Derivatives of a map by its inputs, given the one by its result; undefined where there is none (of `floor`, say). */
export function mapDerivative(fn: MapFunction, node: Tensor, g: Tensor): (Tensor | undefined)[] {
  return partials(fn, node.inputs, node, g).map((d, i) => d && sumTo(d, node.inputs[i]!.shape))
}
