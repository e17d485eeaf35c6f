// One model against its references: in Node and on a page alike.
import { FoveaError } from '../../base/errors.ts'
import { type Shape, sameShape, showShape } from '../../base/shape.ts'
import type { CompileOptions } from '../../compile.ts'
import { isGraphModel, loadGraphModel, loadLayersModel, loadOnnx } from '../../formats/index.ts'
import type { ModelCase } from './cases.ts'

export interface Outcome {
  readonly name: string
  readonly result: 'passed' | 'failed'
  /** Largest difference by the largest value of the reference; of classes the share that differs. */
  readonly error?: number
  readonly milliseconds?: number
  readonly why?: string
}

/** What is run: a case, with its model's bytes (ONNX), or where model.json is (tfjs). */
export interface Runnable extends Pick<ModelCase, 'name' | 'shape' | 'input' | 'references'> {
  readonly source: Uint8Array | string
}

interface Result {
  readonly name: string
  readonly shape: Shape
  readonly data: ArrayLike<number>
}

/** No value may differ by more than this share of the largest; of classes no more than this share may differ. */
const allowed = 1e-4

async function resultsOf({ source, shape, input }: Runnable, options: CompileOptions = {}): Promise<Result[]> {
  const data = await input()
  if (typeof source === 'string' && !(await isGraphModel(source))) {
    const model = await loadLayersModel(source, { inputShape: shape.slice(1) })
    return [{ name: '', shape: [shape[0], ...model.outputShape], data: await model.predict(data) }]
  }
  const model = typeof source === 'string' ? await loadGraphModel(source) : await loadOnnx(source)
  const results = await model.run({ [model.inputs[0].name]: { shape, data } }, options)
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

/** Largest error of all outputs, or what is wrong with them. */
async function compare(item: Runnable, results: readonly Result[]): Promise<number | string> {
  let error = 0
  for (const { output, shape, values, classes } of item.references) {
    const result = results.find(({ name }) => name === output)
    if (!result) return `there is no output '${output}'`
    const expected = await values()
    const fits = shape === undefined || sameShape(result.shape, shape)
    if (!fits || result.data.length !== expected.length) return `'${output}' has shape ${showShape(result.shape)}`
    error = Math.max(error, (classes ? shareWrong : largestError)(result.data, expected))
  }
  return error
}

/**
 * A reference is somebody's float32, too. Where it is farther from the same model in float64 than is allowed, no
 * float32 is right or wrong by it alone: then ours has to be as near to float64 as it is.
 */
async function byFloat64(item: Runnable, results: readonly Result[]): Promise<Pick<Outcome, 'result' | 'why'>> {
  const exact = await resultsOf(item, { target: 'reference' })
  const theirs = await compare(item, exact)
  const ours = Math.max(
    ...item.references.map(({ output }) => {
      const [one, other] = [results, exact].map((list) => list.find(({ name }) => name === output)!.data)
      return largestError(one, other)
    }),
  )
  const passed = typeof theirs === 'number' && theirs > allowed && ours <= theirs
  const distances = `from float64 it is ${ours.toExponential(1)} away, the reference ${Number(theirs).toExponential(1)}`
  return { result: passed ? 'passed' : 'failed', why: distances }
}

/** Runs one model and compares every output that has a reference. */
export async function runCase(item: Runnable): Promise<Outcome> {
  const { name } = item
  try {
    const start = performance.now()
    const results = await resultsOf(item)
    const milliseconds = performance.now() - start
    const error = await compare(item, results)
    if (typeof error === 'string') return { name, result: 'failed', why: error }
    if (error <= allowed) return { name, result: 'passed', error, milliseconds }
    const judged = item.references.some(({ classes }) => classes)
      ? { result: 'failed' as const, why: `more than ${allowed}` }
      : await byFloat64(item, results)
    return { name, error, milliseconds, ...judged }
  } catch (error) {
    const why = error instanceof FoveaError ? error.message : String(error)
    return { name, result: 'failed', why }
  }
}
