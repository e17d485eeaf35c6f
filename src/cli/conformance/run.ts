import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FoveaError } from '../../base/errors.ts'
import { sameShape, showShape, sizeOf } from '../../base/shape.ts'
import { loadOnnx, type OnnxModel, type OnnxTensor, readOnnxTensor } from '../../formats/index.ts'

export interface Outcome {
  readonly name: string
  readonly result: 'passed' | 'failed' | 'skipped'
  /** Why it isn't passed. */
  readonly why?: string
  /** Largest error by the tolerance of its element: up to 1 passes. */
  readonly error?: number
}

/** ONNX's own tolerance for floats; whole numbers must be equal. */
const relative = 1e-3
const absolute = 1e-7

const numberOf = (file: string) => Number(/\d+/.exec(file)?.[0])

function tensorsIn(folder: string, kind: string): (OnnxTensor & { name: string })[] {
  const files = readdirSync(folder).filter((file) => file.startsWith(`${kind}_`) && file.endsWith('.pb'))
  files.sort((a, b) => numberOf(a) - numberOf(b))
  return files.map((file) => readOnnxTensor(readFileSync(join(folder, file))))
}

/** A case without input files takes i / n for i = 0 .. n - 1 in the shape that the model says. */
function ramp(model: OnnxModel): OnnxTensor[] {
  return model.inputs.map(({ shape = [] }) => {
    const sizes = shape.map((n) => (typeof n === 'number' ? n : 1))
    const count = sizeOf(sizes)
    return { shape: sizes, data: Float32Array.from({ length: count }, (_, i) => i / count) }
  })
}

/** Largest error of a result, 1 = the tolerance. */
function compare(actual: OnnxTensor, expected: OnnxTensor): { error: number; why?: string } {
  if (!sameShape(actual.shape, expected.shape))
    return { error: Infinity, why: `shape ${showShape(actual.shape)} instead of ${showShape(expected.shape)}` }
  if (actual.type !== expected.type) return { error: Infinity, why: `type ${actual.type} instead of ${expected.type}` }
  const float = expected.type?.includes('float')
  let error = 0
  for (let i = 0; i < expected.data.length; i++) {
    const [a, b] = [actual.data[i], expected.data[i]]
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue
    const allowed = float ? absolute + relative * Math.abs(b) : 1e-9
    const ratio = Math.abs(a - b) / allowed
    if (!(ratio <= error)) error = Number.isNaN(ratio) ? Infinity : ratio
  }
  return error > 1 ? { error, why: `a value is ${error.toPrecision(3)} tolerances off` } : { error }
}

/** The sets of one case: folders test_data_set_N, or the case's own folder. */
function setsOf(folder: string): string[] {
  const sets = readdirSync(folder).filter((name) => name.startsWith('test_data_set_'))
  return sets.length > 0 ? sets.sort().map((name) => join(folder, name)) : [folder]
}

async function runSets(folder: string): Promise<{ error: number; why?: string }> {
  const model = await loadOnnx(join(folder, 'model.onnx'))
  let worst = 0
  for (const set of setsOf(folder)) {
    const files = tensorsIn(set, 'input')
    const inputs = files.length > 0 ? files : ramp(model)
    const named = Object.fromEntries(model.inputs.map(({ name }, i) => [name, inputs[i]]))
    const results = await model.run(named)
    for (const [i, expected] of tensorsIn(set, 'output').entries()) {
      const { name } = model.outputs[i]
      const { error, why } = compare(results[name], expected)
      worst = Math.max(worst, error)
      if (why) return { error, why: `output '${name}': ${why}` }
    }
  }
  return { error: worst }
}

const isUnsupported = (message: string) => /aren't supported|is of opset|isn't a tensor|has element type/.test(message)

/** Runs one folder with model.onnx. */
export async function runCase(folder: string, name: string): Promise<Outcome> {
  if (!existsSync(join(folder, 'model.onnx'))) return { name, result: 'skipped', why: 'there is no model.onnx' }
  try {
    const { error, why } = await runSets(folder)
    return why === undefined ? { name, result: 'passed', error } : { name, result: 'failed', why, error }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const skipped = error instanceof FoveaError && isUnsupported(why)
    return { name, result: skipped ? 'skipped' : 'failed', why: error instanceof FoveaError ? why : `${error}` }
  }
}
