import { type Shape, sizeOf } from '../../base/shape.ts'
import type { ConvOptions } from '../../conv/spec.ts'
import { add, conv, type Tensor } from '../../graph/index.ts'
import { broadcastShapes, broadcastTo, mul } from '../../graph/map.ts'
import { reshape, transpose } from '../../graph/reshape.ts'
import { convInteger } from '../../int8.ts'
import type { Fixed } from './elements.ts'
import { type WholeOperands, wholeOperands } from './integers.ts'
import type { Ops, Use } from './node.ts'
import { permuted, permuteFixed } from './permute.ts'
import { arranged, asLive, isFixed, type Live, like, live, plain, type Value, variableOf } from './value.ts'

/** A convolution of real or of whole numbers. */
export type Product = (x: Tensor, w: Tensor, options?: ConvOptions) => Tensor

/** x [M, K] times w [K, N]. */
const product = (x: Tensor, w: Tensor, multiply: Product): Tensor => {
  const [m, k] = x.shape
  return reshape(multiply(reshape(x, [1, m, k]), reshape(w, [1, k, w.shape[1]])), [m, w.shape[1]])
}

/**
 * Rows of x and the kernel that fits them. Where x was flattened, the kernel's rows are brought into the order that the
 * values of x lie in, once, instead of the values at every run.
 */
function operands(use: Use, x: Value, w: Value, turned: boolean): [Tensor, Tensor] {
  const order = turned ? [1, 0] : [0, 1]
  if (!isFixed(w)) return [plain(x), arranged(w, order)]
  const source = isFixed(x) ? undefined : x.flattened
  if (source?.order[0] !== 0) return [plain(x), variableOf(w, order)]
  const sample = permuted(source.shape, source.order).slice(1)
  const rows = use.once(1, () => sortedRows(permuteFixed(w, order), source), 'rows')
  return [reshape(source.tensor, [source.shape[0], sizeOf(sample)]), variableOf(rows, [0, 1])]
}

/** w [K, N] with its rows in the order in which `source` holds a sample. */
function sortedRows(w: Fixed, source: Live): Fixed {
  const shape = [...source.shape.slice(1), w.shape[1]]
  const order = [...source.order.slice(1).map((axis) => axis - 1), shape.length - 1]
  return { ...permuteFixed({ ...w, shape }, order), shape: w.shape }
}

/** What a unit of the sums of whole numbers is worth. */
const unitOf = (use: Use, { unit }: WholeOperands): Tensor => {
  const kept = use.once(1, () => unit, 'unit')
  return arranged(
    kept,
    kept.shape.map((_, i) => i),
  )
}

function gemm(use: Use): Value {
  const [a, b] = [use.input(0), use.input(1)]
  const [alpha, beta] = [use.float('alpha', 1), use.float('beta', 1)]
  if (a.shape.length !== 2 || b.shape.length !== 2) use.fail('its operands must be matrices', 'Check the model')
  const across = use.int('transA', 0) !== 0
  const turned = use.int('transB', 0) !== 0
  const whole = wholeOperands(a, b, turned ? 0 : 1)
  const [x, w] = whole ? operands(use, whole.x, whole.w, turned) : operands(use, a, b, turned)
  const rows = across ? transpose(x, [1, 0]) : x
  const y = mul(whole ? mul(product(rows, w, convInteger), unitOf(use, whole)) : product(rows, w, conv), alpha)
  return live(use.type(0), use.has(2) ? add(y, mul(plain(use.input(2)), beta)) : y)
}

/** Batches of matrices as the groups of one pointwise convolution: [1, M, B * K] with [1, K, B * N]. */
function batched(x: Tensor, w: Tensor, multiply: Product): Tensor {
  const [b, m, k] = x.shape
  const n = w.shape[2]
  const rows = reshape(transpose(x, [1, 0, 2]), [1, m, b * k])
  const kernel = reshape(transpose(w, [1, 0, 2]), [1, k, b * n])
  return transpose(reshape(multiply(rows, kernel, { groups: b }), [m, b, n]), [1, 0, 2])
}

const asMatrix = (t: Tensor, shape: Shape) => (t.shape.length === 1 ? reshape(t, shape) : t)

/** NumPy's matmul: a vector counts as a row or column, outer axes broadcast. */
export function matmul(use: Use, a: Value, b: Value, multiply: Product = conv): Value {
  const [ra, rb] = [a.shape.length, b.shape.length]
  if (ra === 2 && rb === 2) return live(use.type(0), product(...operands(use, a, b, false), multiply))
  const x = asMatrix(plain(a), [1, a.shape[0]])
  const w = asMatrix(plain(b), [b.shape[0], 1])
  const [m, k] = x.shape.slice(-2)
  const n = w.shape.at(-1)!
  const outer = broadcastShapes('matmul', [x.shape.slice(0, -2), w.shape.slice(0, -2)])
  const shape = [...outer, ...(ra === 1 ? [] : [m]), ...(rb === 1 ? [] : [n])]
  if (w.shape.length === 2) return live(use.type(0), reshape(product(reshape(x, [-1, k]), w, multiply), shape))
  const count = sizeOf(outer)
  const left = reshape(broadcastTo(x, [...outer, m, k]), [count, m, k])
  const right = reshape(broadcastTo(w, [...outer, k, n]), [count, k, n])
  return live(use.type(0), reshape(batched(left, right, multiply), shape))
}

export const productOps: Ops = {
  Gemm: gemm,
  MatMul: (use) => {
    const [a, b] = [use.input(0), use.input(1)]
    const whole = b.shape.length === 2 ? wholeOperands(a, b, 1) : undefined
    if (!whole) return matmul(use, a, b)
    const sums = asLive(matmul(use, whole.x, whole.w, convInteger))
    return like(sums, mul(sums.tensor, unitOf(use, whole)))
  },
}
