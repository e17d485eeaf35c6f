import { broadcastStrides, forEachIndex, sizeOf, stridesOf } from '../../base/shape.ts'
import { broadcastShapes } from '../../graph/map.ts'
import { countOf, type ElementType, elementType, type Fixed, fixed } from './elements.ts'
import type { HostOp, HostOps, Use } from './node.ts'
import { alone } from './places.ts'

const each = (compute: (x: number) => number): HostOp =>
  alone((use) => {
    const { type, shape, data } = use.fixed(0)
    return [fixed(type, shape, Array.from(data, compute))]
  })

/** Of two whole numbers; operands broadcast. */
const bitwise = (compute: (a: bigint, b: bigint, use: Use) => bigint): HostOp =>
  alone((use) => {
    const [a, b] = [use.fixed(0), use.fixed(1)]
    const shape = broadcastShapes(use.node.title, [a.shape, b.shape])
    const [sa, sb] = [broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape)]
    const y = new Float64Array(countOf(use.node.title, shape))
    let to = 0
    const at = (index: readonly number[], strides: readonly number[]) =>
      index.reduce((sum, v, axis) => sum + v * strides[axis], 0)
    forEachIndex(shape, (index) => {
      y[to++] = Number(compute(BigInt(a.data[at(index, sa)]), BigInt(b.data[at(index, sb)]), use))
    })
    return [fixed(a.type, shape, y)]
  })

function shifted(a: bigint, b: bigint, use: Use): bigint {
  const bits = BigInt(/\d+/.exec(use.type(0))?.[0] ?? '64')
  if (use.text('direction', '') === 'RIGHT') return a >> b
  return BigInt.asUintN(Number(bits), a << b)
}

/** Determinants of square matrices, by elimination with the largest pivot. */
function determinant(use: Use): readonly Fixed[] {
  const x = use.fixed(0)
  const n = x.shape.at(-1) ?? 0
  if (x.shape.length < 2 || x.shape.at(-2) !== n) use.fail(`[${x.shape}] are no square matrices`, 'Check the model')
  const values = Array.from({ length: x.data.length / (n * n) }, (_, m) => {
    const rows = Array.from({ length: n }, (_, i) => Array.from(x.data.subarray((m * n + i) * n, (m * n + i + 1) * n)))
    let product = 1
    for (let k = 0; k < n; k++) {
      const best = rows.slice(k).reduce((b, row, i) => (Math.abs(row[k]) > Math.abs(rows[b][k]) ? k + i : b), k)
      if (best !== k) product = -product
      ;[rows[k], rows[best]] = [rows[best], rows[k]]
      product *= rows[k][k]
      if (product === 0) return 0
      for (let i = k + 1; i < n; i++) {
        const factor = rows[i][k] / rows[k][k]
        for (let j = k; j < n; j++) rows[i][j] -= factor * rows[k][j]
      }
    }
    return product
  })
  return [fixed(x.type, x.shape.slice(0, -2), values)]
}

/** Labels of the axes of each operand and of the result; '...' stands for as many axes as are left, named by number. */
function labelsOf(use: Use, operands: readonly Fixed[]): { inputs: string[][]; output: string[] } {
  const equation = use.text('equation', '').replace(/\s/g, '')
  const [left, right] = equation.split('->')
  const terms = left.split(',')
  if (terms.length !== operands.length) use.fail(`'${equation}' for ${operands.length} operands`, 'Check the model')
  const letters = (term: string) => [...term.replace('...', '')].length
  const wide = Math.max(
    ...terms.map((term, i) => (term.includes('...') ? operands[i].shape.length - letters(term) : 0)),
  )
  const expand = (term: string, axes: number) =>
    term.split('...').flatMap((part, i) => {
      const named = Array.from({ length: axes }, (_, k) => `${wide - axes + k}`)
      return i === 0 ? [...part] : [...named, ...part]
    })
  const inputs = terms.map((term, i) => expand(term, operands[i].shape.length - letters(term)))
  if (right !== undefined) return { inputs, output: expand(right, wide) }
  const all = inputs.flat()
  const once = [...new Set(all)].filter((label) => /\D/.test(label) && all.indexOf(label) === all.lastIndexOf(label))
  return { inputs, output: [...Array.from({ length: wide }, (_, k) => `${k}`), ...once.sort()] }
}

/** Most products of one Einsum. */
const mostProducts = 2 ** 28

/** Sums of products over the axes that the result doesn't name. */
function einsum(use: Use): readonly Fixed[] {
  const operands = use.inputs.map((_, i) => use.fixed(i))
  const { inputs, output } = labelsOf(use, operands)
  const sizes = new Map<string, number>()
  inputs.forEach((labels, i) => {
    if (labels.length !== operands[i].shape.length)
      use.fail(`operand ${i} is [${operands[i].shape}]`, 'Check the model')
    labels.forEach((label, axis) => {
      const size = operands[i].shape[axis]
      const before = sizes.get(label) ?? 1
      if (before !== 1 && size !== 1 && before !== size)
        use.fail(`sizes ${before} and ${size} of axis ${label}`, 'Check it')
      sizes.set(label, Math.max(before, size))
    })
  })
  const labels = [...output, ...[...sizes.keys()].filter((label) => !output.includes(label))]
  const extents = labels.map((label) => sizes.get(label) ?? use.fail(`'${label}' names no axis`, 'Check the model'))
  if (sizeOf(extents) > mostProducts) use.fail(`${sizeOf(extents)} products`, 'Use a matrix product')
  const strides = inputs.map((own, i) => {
    const steps = stridesOf(operands[i].shape)
    return labels.map((label) =>
      own.reduce((sum, l, axis) => sum + (l === label && operands[i].shape[axis] > 1 ? steps[axis] : 0), 0),
    )
  })
  const shape = extents.slice(0, output.length)
  const y = new Float64Array(countOf(use.node.title, shape))
  const inner = sizeOf(extents.slice(output.length))
  let count = 0
  forEachIndex(extents, (index) => {
    let product = 1
    for (let i = 0; i < operands.length; i++) {
      let at = 0
      for (let k = 0; k < index.length; k++) at += index[k] * strides[i][k]
      product *= operands[i].data[at]
    }
    y[Math.floor(count++ / inner)] += product
  })
  return [fixed(operands[0].type, shape, y)]
}

const window = (...cosines: number[]): HostOp =>
  alone((use) => {
    const size = use.numbers(0)[0]
    countOf(use.node.title, [size])
    const period = use.int('periodic', 1) === 1 ? size : size - 1
    const type: ElementType = elementType(use.node.title, use.int('output_datatype', 1))
    const at = (i: number) =>
      cosines.reduce((sum, factor, k) => sum + factor * Math.cos((2 * Math.PI * k * i) / (period || 1)), 0)
    return [
      fixed(
        type,
        [size],
        Array.from({ length: size }, (_, i) => at(i)),
      ),
    ]
  })

/** A matrix of zeros with ones along a diagonal. */
function eyeLike(use: Use): readonly Fixed[] {
  const [rows, columns] = use.shape(0)
  const type = use.hasAttribute('dtype') ? elementType(use.node.title, use.int('dtype')) : use.type(0)
  const k = use.int('k', 0)
  const values = Array.from({ length: rows * columns }, (_, i) => (Math.floor(i / columns) + k === i % columns ? 1 : 0))
  return [fixed(type, [rows, columns], values)]
}

export const hostNumberOps: HostOps = {
  Acos: each(Math.acos),
  Acosh: each(Math.acosh),
  Asin: each(Math.asin),
  Asinh: each(Math.asinh),
  Atan: each(Math.atan),
  Atanh: each(Math.atanh),
  BitShift: bitwise(shifted),
  BitwiseAnd: bitwise((a, b) => a & b),
  BitwiseNot: each((x) => -1 - x),
  BitwiseOr: bitwise((a, b) => a | b),
  BitwiseXor: bitwise((a, b) => a ^ b),
  BlackmanWindow: window(0.42, -0.5, 0.08),
  Cos: each(Math.cos),
  Cosh: each(Math.cosh),
  Det: alone(determinant),
  Einsum: alone(einsum),
  EyeLike: alone(eyeLike),
  HammingWindow: window(25 / 46, -21 / 46),
  HannWindow: window(0.5, -0.5),
  Sin: each(Math.sin),
  Sinh: each(Math.sinh),
  Tan: each(Math.tan),
}
