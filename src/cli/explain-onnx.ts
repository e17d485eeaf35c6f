import { showShape, sizeOf } from '../base/shape.ts'
import type { OnnxTensor, Port } from '../formats/index.ts'
import { whyOf } from '../plan/explain.ts'
import { importedModel } from './imported.ts'
import type { Terminal } from './terminal.ts'

export interface ExplainOnnxCommand {
  readonly batchSize?: number
  readonly time?: boolean
  readonly json?: boolean
}

/** Of an axis other than the batch that the model leaves open. */
const usualSize = 224

/** An input of the model's shape: the batch as asked for. Its values don't matter. */
function inputFor({ shape = [] }: Port, batchSize: number): OnnxTensor {
  const sizes = shape.map((n, axis) => (typeof n === 'number' ? n : axis === 0 ? batchSize : usualSize))
  return { shape: sizes, data: new Float32Array(sizeOf(sizes)) }
}

/** `fovea explain` of an ONNX model: each step of its program. */
export async function explainOnnx(path: string, asked: ExplainOnnxCommand, terminal: Terminal): Promise<number> {
  const { batchSize = 1, time = false, json = false } = asked
  const model = await importedModel(path)
  const inputs = Object.fromEntries(model.inputs.map((port) => [port.name, inputFor(port, batchSize)]))
  const { steps, arenaBytes, profile } = model.plan(inputs)
  let times: readonly { readonly median: number }[] = []
  if (time) {
    terminal.note('measuring each step')
    await model.run(inputs)
    times = await profile()
  }
  const rows = steps.map(({ label, node, plan }, i) => ({
    step: label,
    shape: node.shape,
    algorithm: plan?.algorithm,
    why: plan && whyOf(plan),
    milliseconds: times[i]?.median,
  }))
  const parameters = model.countParameters()
  if (json) {
    const { name, opset } = model
    terminal.print(
      JSON.stringify({ name, opset, inputs: model.inputs, parameters, arenaBytes, steps: rows }, undefined, 2),
    )
    return 0
  }
  for (const [name, { shape }] of Object.entries(inputs)) terminal.print(`${name}: ${showShape(shape)}`)
  terminal.print(`${parameters} parameters, opset ${model.opset}, ${steps.length} steps, ${arenaBytes} bytes of memory`)
  terminal.print()
  const cells = rows.map(({ step, shape, algorithm = '', why = '', milliseconds }) => [
    step,
    showShape(shape),
    milliseconds === undefined ? '' : `${milliseconds.toFixed(4)} ms`,
    algorithm && `${algorithm}: ${why}`,
  ])
  const widths = [0, 1, 2].map((column) => Math.max(0, ...cells.map((row) => row[column].length)))
  for (const row of cells)
    terminal.print(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  return 0
}
