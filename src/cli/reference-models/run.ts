import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { FoveaError } from '../../base/errors.ts'
import { type Shape, sameShape, showShape } from '../../base/shape.ts'
import { loadGraphModel, loadLayersModel, loadOnnx, type OnnxModel } from '../../formats/index.ts'
import type { ModelCase } from './cases.ts'

export interface Outcome {
  readonly name: string
  readonly result: 'passed' | 'failed'
  /** Largest difference by the largest value of the reference; of classes the share that differs. */
  readonly error?: number
  readonly milliseconds?: number
  readonly why?: string
}

interface Result {
  readonly name: string
  readonly shape: Shape
  readonly data: ArrayLike<number>
}

/** No value may differ by more than this share of the largest; of classes no more than this share may differ. */
const allowed = 1e-4

async function onnxModel(path: string): Promise<OnnxModel> {
  if (path.endsWith('.gz')) return loadOnnx(gunzipSync(readFileSync(path)))
  return loadOnnx(path)
}

async function resultsOf(item: ModelCase): Promise<Result[]> {
  const data = await item.input()
  const isGraph = item.kind === 'onnx' || Array.isArray(JSON.parse(readFileSync(item.model, 'utf8')).modelTopology.node)
  if (!isGraph) {
    const model = await loadLayersModel(item.model, { inputShape: item.shape.slice(1) })
    return [{ name: '', shape: [item.shape[0], ...model.outputShape], data: await model.predict(data) }]
  }
  const model = item.kind === 'onnx' ? await onnxModel(item.model) : await loadGraphModel(item.model)
  const results = await model.run({ [model.inputs[0].name]: { shape: item.shape, data } })
  return Object.entries(results).map(([name, result]) => ({ name, ...result }))
}

function largestError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [error, largest] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i])
    if (!(difference <= error)) error = Number.isNaN(difference) ? Infinity : difference
    largest = Math.max(largest, Math.abs(expected[i]))
  }
  return error / (largest || 1)
}

/** Where two classes are as good as equal, rounding decides. */
function shareWrong(actual: ArrayLike<number>, expected: Float32Array): number {
  return expected.filter((value, i) => value !== actual[i]).length / expected.length
}

/** Runs one model and compares every output that has a reference. */
export async function runCase(item: ModelCase): Promise<Outcome> {
  const { name } = item
  try {
    const start = performance.now()
    const results = await resultsOf(item)
    const milliseconds = performance.now() - start
    let error = 0
    for (const { output, shape, values, classes } of item.references) {
      const result = results.find((one) => one.name === output)
      if (!result) return { name, result: 'failed', why: `there is no output '${output}'` }
      const expected = values()
      const fits = shape === undefined || sameShape(result.shape, shape)
      if (!fits || result.data.length !== expected.length)
        return { name, result: 'failed', why: `'${output}' has shape ${showShape(result.shape)}` }
      error = Math.max(error, (classes ? shareWrong : largestError)(result.data, expected))
    }
    if (error <= allowed) return { name, result: 'passed', error, milliseconds }
    return { name, result: 'failed', error, milliseconds, why: `more than ${allowed}` }
  } catch (error) {
    const why = error instanceof FoveaError ? error.message : String(error)
    return { name, result: 'failed', why }
  }
}
