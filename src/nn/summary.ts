import { type Shape, showShape, sizeOf } from '../base/shape.ts'
import { multiplyAccumulates } from '../conv/facts.ts'
import { fill, placeholder, type Tensor, topological, type Variable } from '../graph/tensor.ts'
import { runContext } from './layer.ts'
import type { Model } from './model.ts'
import { type Fields, receptiveFieldsOf } from './receptive.ts'

/** One line of a summary: a use of a layer. */
export interface SummaryRow {
  readonly name: string
  /** One sample, without N. */
  readonly shape: Shape
  /** Trained values, counted where they are used first. */
  readonly parameters: number
  /** Multiply-accumulates of one sample in convolutions and matrix products; 1 = a multiplication and an addition. */
  readonly macs: number
  readonly fields: Fields
}

/** Multiply-accumulates between `inputs` and `result`. The constant kernels of average pooling aren't counted. */
function macsBetween(inputs: readonly Tensor[], result: Tensor): number {
  const before = new Set(topological(inputs))
  let macs = 0
  for (const node of topological([result]))
    if (!before.has(node) && node.operation.kind === 'contract' && node.inputs[1]!.operation.kind !== 'fill')
      macs += multiplyAccumulates(node.operation.spec)
  return macs
}

/** Facts of each layer in the order of the model, for one sample. */
export function summaryRows(model: Model): SummaryRow[] {
  const inputs = model.inputShapes.map((shape) => placeholder([1, ...shape]))
  const values = model.trace(inputs, runContext(false, fill([2], 0)))
  const results = values.slice(inputs.length)
  const fields = receptiveFieldsOf(inputs, results)
  const counted = new Set<Variable>()
  return model.steps.map((step, i) => {
    const fresh = step.built.parameters.filter((variable) => !counted.has(variable))
    for (const variable of fresh) counted.add(variable)
    return {
      name: step.name,
      shape: step.built.shape,
      parameters: fresh.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
      macs: macsBetween(
        step.inputs.map((k) => values[k]!),
        results[i]!,
      ),
      fields: fields[i]!,
    }
  })
}

export const showFields = (fields: Fields) =>
  fields === 'unclear' || fields.length === 0 ? '-' : fields.map(({ size }) => size).join('x')

/** 1234567 as 1,234,567. */
export const grouped = (n: number) => String(n).replace(/\B(?=(\d{3})+$)/g, ',')

/** A table of `summaryRows` with a line of totals. */
export function summaryTable(model: Model): string {
  const rows = summaryRows(model)
  const total = (count: (row: SummaryRow) => number) => grouped(rows.reduce((sum, row) => sum + count(row), 0))
  const lines = [
    ['layer', 'output', 'parameters', 'MACs', 'sees'],
    ...model.inputShapes.map((shape) => ['input', showShape(shape), '', '', '']),
    ...rows.map((row) => [
      row.name,
      showShape(row.shape),
      grouped(row.parameters),
      grouped(row.macs),
      showFields(row.fields),
    ]),
    [`total of ${model.name}`, '', total((row) => row.parameters), total((row) => row.macs), ''],
  ]
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const show = (line: readonly string[]) =>
    line
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  return [show(lines[0]!), rule, ...lines.slice(1, -1).map(show), rule, show(lines.at(-1)!)].join('\n')
}
