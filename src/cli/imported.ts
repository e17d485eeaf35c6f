import {
  isGraphModel,
  loadGraphModel,
  loadKeras,
  loadLayersModel,
  loadOnnx,
  type OnnxModel,
  saveOnnx,
} from '../formats/index.ts'
import type { Model } from '../nn/index.ts'

/** Whether a path means a model that another library wrote. */
export const isImported = (path: string): boolean => /\.(onnx|json|keras|h5)$/.test(path)

/** A model of layers from a file of tfjs or Keras; undefined for graphs of operations. */
export async function importedLayers(path: string): Promise<Model | undefined> {
  if (/\.(keras|h5)$/.test(path)) return loadKeras(path)
  if (path.endsWith('.onnx') || (await isGraphModel(path))) return undefined
  return loadLayersModel(path)
}

/** Any imported model as a graph of operations; layers have channels last there, too. */
export async function importedModel(path: string): Promise<OnnxModel> {
  const layers = await importedLayers(path)
  if (layers) return loadOnnx(saveOnnx(layers, { channelsLast: true }))
  return path.endsWith('.onnx') ? loadOnnx(path) : loadGraphModel(path)
}
