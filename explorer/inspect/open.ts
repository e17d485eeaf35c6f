import { loadGraphModel, loadLayersModel, loadOnnx } from 'fovea/formats'
import { lenet5of1998 } from 'fovea/models'
import { loadModel, readSafetensors } from 'fovea/nn'
import type { Subject } from './subject.ts'
import { ModelSubject } from './subject-model.ts'
import { OnnxSubject } from './subject-onnx.ts'
import { WeightsSubject } from './subject-weights.ts'

/** Files by name. */
export type Files = Readonly<Record<string, Uint8Array>>

/** Opens whichever of the formats the files have: their names and first bytes say so. */
export async function openFiles(files: Files): Promise<Subject> {
  const names = Object.keys(files)
  const json = names.find((name) => name.endsWith('.json'))
  if (json !== undefined) return openTfjs(files, json)
  const name = names.find((one) => /\.(onnx|safetensors)$/.test(one)) ?? names[0]
  if (name === undefined) throw new Error('No file was given. Choose an .onnx, .safetensors or tfjs model.json file.')
  const bytes = files[name]!
  if (isSafetensors(bytes)) {
    const file = readSafetensors(bytes)
    return file.metadata.has('fovea') ? openFovea(bytes) : new WeightsSubject(file)
  }
  if (/\.(safetensors|bin|h5|keras|pt|pth|tflite|pb)$/.test(name))
    throw new Error(
      `${name} can't be read${name.endsWith('.safetensors') ? ': it is damaged' : ''}. ` +
        'Choose an .onnx or .safetensors file, or a tfjs model.json together with its .bin files.',
    )
  const { [name]: _, ...others } = files
  const model = await loadOnnx(bytes, { externalData: others })
  return OnnxSubject.open(model, `ONNX, opset ${model.opset}`)
}

/** Networks with layers of their own: what isn't named is left out of the page, and unknown to `loadModel`. */
const networks: Readonly<Record<string, unknown>> = { 'lenet5-1998': lenet5of1998 }

function openFovea(bytes: Uint8Array): Subject {
  const model = loadModel(bytes)
  return new ModelSubject(model, networks[model.name] ? 'fovea/models, safetensors' : 'fovea, safetensors')
}

/** A length of eight bytes, then a brace. */
const isSafetensors = (bytes: Uint8Array) =>
  bytes.length > 9 && bytes[8] === 0x7b && bytes[5] === 0 && bytes[6] === 0 && bytes[7] === 0

/** A model.json whose topology is a list of TensorFlow's nodes, or layers of Keras. */
async function openTfjs(files: Files, json: string): Promise<Subject> {
  const all = { ...files, 'model.json': files[json]! }
  const model: unknown = JSON.parse(new TextDecoder().decode(files[json]))
  const topology = isRecord(model) ? model.modelTopology : undefined
  if (!isRecord(topology)) throw new Error(`${json} isn't a tfjs model: it has no modelTopology. Choose a model.json.`)
  return Array.isArray(topology.node)
    ? OnnxSubject.open(await loadGraphModel(all), 'tfjs graph model')
    : new ModelSubject(await loadLayersModel(all), 'tfjs layers model')
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
