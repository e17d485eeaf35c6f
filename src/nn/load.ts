import { FoveaError, fail } from '../base/errors.ts'
import type { Shape } from '../base/shape.ts'
import { readFile } from '../runtime/files.ts'
import { input, inputKind } from './build.ts'
import type { ModelConfig } from './config.ts'
import type { Layer, Node, Weights } from './layer.ts'
import { Model } from './model.ts'
import { makeLayer } from './registry.ts'
import { readSafetensors, type SafeFile } from './safetensors.ts'

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const bad = (problem: string): never => fail('loadModel', problem, 'Save the model again with toBytes() or save()')

function parseConfig(text: string | undefined): ModelConfig {
  if (text === undefined) return bad("the file has weights, but no metadata 'fovea' that describes the model")
  let config: unknown
  try {
    config = JSON.parse(text)
  } catch {
    bad("metadata 'fovea' isn't JSON")
  }
  if (!isRecord(config) || !Array.isArray(config.nodes) || typeof config.name !== 'string')
    return bad("metadata 'fovea' has no name and list of nodes")
  const { nodes, inputs } = config
  if (!Number.isInteger(inputs) || (inputs as number) < 1 || (inputs as number) >= nodes.length)
    return bad(`the model has ${String(inputs)} inputs among ${nodes.length} nodes`)
  return config as unknown as ModelConfig
}

/** Nodes of a config whose every part is checked: it comes from a file. */
function nodesOf(config: ModelConfig): Node[] {
  const layers: Layer[] = []
  const nodes: Node[] = []
  for (const [i, entry] of (config.nodes as readonly unknown[]).entries()) {
    if (!isRecord(entry)) return bad(`node ${i} isn't a record`)
    const { inputs, layer: kind, config: options, same } = entry
    const isEarlier = (index: unknown) => Number.isInteger(index) && (index as number) >= 0 && (index as number) < i
    if (!Array.isArray(inputs) || !inputs.every(isEarlier)) return bad(`node ${i} doesn't say which nodes go in`)
    if (i < config.inputs) {
      if (kind !== inputKind || !Array.isArray(options) || !Array.isArray(options[0]))
        return bad(`node ${i} isn't an input`)
      nodes.push(input(options[0] as Shape))
    } else if (same !== undefined) {
      if (!isEarlier(same) || (same as number) < config.inputs) return bad(`node ${i} repeats node ${String(same)}`)
      nodes.push({ layer: layers[same as number]!, inputs: inputs.map((k: number) => nodes[k]!) })
    } else {
      if (typeof kind !== 'string' || !Array.isArray(options)) return bad(`node ${i} has no layer`)
      nodes.push({ layer: makeLayer(kind, options), inputs: inputs.map((k: number) => nodes[k]!) })
    }
    layers.push(nodes[i]!.layer)
  }
  return nodes
}

function weightsOf(file: SafeFile): Map<string, Weights> {
  const weights = new Map<string, Weights>()
  for (const [name, { shape, data }] of file.tensors) weights.set(name, { shape, data: Float32Array.from(data) })
  return weights
}

/** A model from the bytes of `toBytes()`: its layers from the config, its weights from the file. */
export function loadModel(bytes: Uint8Array): Model {
  const file = readSafetensors(bytes)
  const config = parseConfig(file.metadata.get('fovea'))
  const saved = weightsOf(file)
  try {
    const nodes = nodesOf(config)
    const inputs = nodes.slice(0, config.inputs)
    return new Model(inputs, nodes.at(-1)!, { seed: config.seed, name: config.name }, saved)
  } catch (error) {
    if (error instanceof FoveaError) throw error
    return bad(`the model can't be built of its config (${String(error)})`)
  }
}

/** A model from a file that `save` wrote. Node only. */
export async function loadModelFile(path: string): Promise<Model> {
  return loadModel(await readFile(path))
}
