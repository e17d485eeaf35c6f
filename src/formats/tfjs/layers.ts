import type { Model } from '../../nn/index.ts'
import type { Weights } from '../../nn/layer.ts'
import { namedWeights } from '../keras/named.ts'
import { type ReadOptions, readKeras } from '../keras/read.ts'
import { Entries, isRecord, type Json, parseJson } from '../record.ts'
import { type Folder, folderOf, type LoadTfjsOptions, type TfjsSource } from './files.ts'
import { readWeights } from './manifest.ts'

const operation = 'loadTfjs'

/** How a tfjs layers model is loaded. */
export interface LoadLayersOptions extends LoadTfjsOptions, ReadOptions {}

/** What model.json says: a graph of TensorFlow's operations, or layers. */
export async function readModelJson(folder: Folder): Promise<{ model: Json; topology: Json; isGraph: boolean }> {
  const text = new TextDecoder().decode(await folder.model())
  const model = parseJson(operation, 'model.json', text)
  const entries = new Entries(operation, 'model.json', model)
  const topology = entries.value('modelTopology')
  if (!isRecord(topology)) return entries.fail('it has no modelTopology', 'Give the model.json of a tfjs model')
  return { model, topology, isGraph: Array.isArray(topology.node) }
}

/** The layers of a model.json, whose topology names them at once or as `model_config`. */
export function layersOf(topology: Json, weights: ReadonlyMap<string, Weights>, options: ReadOptions): Model {
  const config = isRecord(topology.model_config) ? topology.model_config : topology
  return readKeras({ operation, version: 2, topology: config, weights: namedWeights(weights) }, options)
}

/**
 * Reads a tfjs layers model (`model.json` and its files of weights, quantised ones too) as a model of ours, which
 * predicts the same, trains on, explains itself and is saved as any other: tfjs's `loadLayersModel`.
 * @param source a path (Node only), an http(s) address, or the files by name
 */
export async function loadLayersModel(source: TfjsSource, options: LoadLayersOptions = {}): Promise<Model> {
  const folder = folderOf(source, options.signal)
  const { model, topology, isGraph } = await readModelJson(folder)
  if (isGraph)
    new Entries(operation, 'model.json', model).fail("it's a graph model, not layers", 'Load it with loadGraphModel')
  return layersOf(topology, weightsOf(await readWeights(model, folder, options)), options)
}

/** Whether a model.json holds a graph of operations, for `loadGraphModel`, and not layers. */
export async function isGraphModel(source: TfjsSource): Promise<boolean> {
  return (await readModelJson(folderOf(source, undefined))).isGraph
}

export function weightsOf(fixed: ReadonlyMap<string, { shape: readonly number[]; data: ArrayLike<number> }>) {
  const floats = ([name, { shape, data }]: [string, { shape: readonly number[]; data: ArrayLike<number> }]) =>
    [name, { shape, data: data instanceof Float32Array ? data : Float32Array.from(data) }] as const
  return new Map([...fixed].map(floats))
}
