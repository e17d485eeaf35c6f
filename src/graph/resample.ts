import { sizeOf } from '../base/shape.ts'
import { Tensor } from './tensor.ts'

/**
 * A linear map along one axis: output row i is the sum of weight * input[index] over `rows[i]`. Border modes, resizing,
 * flips, rolls and adaptive averages are all such maps; so are their adjoints.
 */
export interface Table {
  readonly inputSize: number
  readonly rows: readonly (readonly (readonly [index: number, weight: number])[])[]
}

const adjoints = new WeakMap<Table, Table>()

/** The transposed matrix. */
export function adjointTable(table: Table): Table {
  let adjoint = adjoints.get(table)
  if (!adjoint) {
    const rows: [number, number][][] = Array.from({ length: table.inputSize }, () => [])
    table.rows.forEach((row, i) => {
      for (const [index, weight] of row) rows[index]!.push([i, weight])
    })
    adjoint = { inputSize: table.rows.length, rows }
    adjoints.set(table, adjoint)
    adjoints.set(adjoint, table)
  }
  return adjoint
}

/** Applies `table` along `axis`. */
export function resample(x: Tensor, axis: number, table: Table): Tensor {
  const identity =
    table.rows.length === table.inputSize &&
    table.rows.every((row, i) => row.length === 1 && row[0]![0] === i && row[0]![1] === 1)
  if (identity) return x
  const shape = x.shape.map((n, i) => (i === axis ? table.rows.length : n))
  return new Tensor({ kind: 'resample', axis, table }, [x], shape)
}

export function resampleValue(x: ArrayLike<number>, shape: readonly number[], axis: number, table: Table) {
  const outer = sizeOf(shape.slice(0, axis))
  const inner = sizeOf(shape.slice(axis + 1))
  const { rows, inputSize } = table
  const y = new Float64Array(outer * rows.length * inner)
  for (let o = 0; o < outer; o++)
    rows.forEach((row, i) => {
      for (const [index, weight] of row)
        for (let j = 0; j < inner; j++)
          y[(o * rows.length + i) * inner + j]! += weight * x[(o * inputSize + index) * inner + j]!
    })
  return y
}
