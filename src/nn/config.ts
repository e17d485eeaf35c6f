import { isLayer, type Layer, type Node } from './layer.ts'

/** A layer as JSON; layers among its arguments are described in the same way. */
export interface LayerConfig {
  readonly layer: string
  readonly config: readonly unknown[]
}

/** A use of a layer: a new one, or the one of an earlier node. */
export type NodeConfig = (LayerConfig | { readonly same: number }) & { readonly inputs: readonly number[] }

/** A model as plain data, without weights: what files of models hold. */
export interface ModelConfig {
  readonly name: string
  readonly seed: number
  /** How many of the first nodes are the model's inputs. */
  readonly inputs: number
  /** Each after those that it uses; the last is the output. */
  readonly nodes: readonly NodeConfig[]
}

function encode(value: unknown): unknown {
  if (isLayer(value)) return layerConfig(value)
  if (Array.isArray(value)) return value.map(encode)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, encode(entry)]))
}

export function layerConfig(item: Layer): LayerConfig {
  const given = item.config.findLastIndex((value) => value !== undefined) + 1
  return { layer: item.kind, config: item.config.slice(0, given).map(encode) }
}

export function configOf(name: string, seed: number, inputs: number, nodes: readonly Node[]): ModelConfig {
  const index = new Map(nodes.map((node, i) => [node, i]))
  const first = new Map<Layer, number>()
  const list = nodes.map((node, i): NodeConfig => {
    const from = node.inputs.map((before) => index.get(before)!)
    const before = first.get(node.layer)
    if (before === undefined) first.set(node.layer, i)
    return before === undefined ? { ...layerConfig(node.layer), inputs: from } : { same: before, inputs: from }
  })
  return { name, seed, inputs, nodes: list }
}
