import { fail } from '../../base/errors.ts'
import type { Fixed } from '../onnx/elements.ts'
import type { Dimension, OnnxGraph, OnnxNode, Port } from '../onnx/graph.ts'
import { OnnxModel } from '../onnx/model.ts'
import { Entries, isRecord, type Json } from '../record.ts'
import { foldDilation } from './dilation.ts'
import { folderOf, type LoadTfjsOptions, type TfjsSource } from './files.ts'
import { readModelJson } from './layers.ts'
import { readWeights } from './manifest.ts'
import { dimsOf, TfNode, typeOf } from './node.ts'
import { elementOps } from './ops-elements.ts'
import { moveOps } from './ops-moves.ts'
import { windowOps } from './ops-windows.ts'
import { Translation, type Translations } from './translation.ts'

const operation = 'loadTfjs'

const translations: Translations = { ...elementOps, ...moveOps, ...windowOps }

/** Nodes that only stand for a value. */
const sources = ['Const', 'Placeholder']

/** Names of TensorFlow's operations that graph models may have. */
export const tfjsOperations: readonly string[] = [...Object.keys(translations), ...sources].sort()

/** How a tfjs graph model is loaded. */
export interface LoadGraphOptions extends LoadTfjsOptions {
  /** Names of nodes to compute instead of the model's outputs: a network without what comes behind them. */
  readonly outputs?: readonly string[]
}

/** Version of ONNX's operations that the translations are written in. */
const opset = 18

/** Nodes of a graph by name. */
function nodesIn(topology: Json, constants: ReadonlyMap<string, Fixed>): Map<string, TfNode> {
  const entries = new Entries(operation, 'modelTopology', topology)
  const library = entries.value('library')
  const functions = isRecord(library) ? (library.function ?? []) : []
  if (Array.isArray(functions) && functions.length > 0) entries.fail(`it has ${functions.length} functions of its own`)
  const nodes = new Map<string, TfNode>()
  for (const [i, value] of foldDilation(entries.list('node'), constants).entries()) {
    const node = new TfNode(value, i, constants)
    if (nodes.has(node.name)) node.fail('it is given twice', 'The file is damaged')
    nodes.set(node.name, node)
  }
  return nodes
}

interface End {
  /** What users call it. */
  readonly name: string
  /** The value: 'node' or 'node:1'. */
  readonly value: string
  /** As the signature describes it. */
  readonly info: unknown
}

const plainName = (name: string) => name.replace(/:0$/, '')

/** Inputs or outputs by the model's signature. */
function endsIn(signature: unknown, kind: 'inputs' | 'outputs'): End[] | undefined {
  const ends = isRecord(signature) ? signature[kind] : undefined
  if (!isRecord(ends) || Object.keys(ends).length === 0) return undefined
  return Object.entries(ends).map(([name, info]) => {
    const value = isRecord(info) && typeof info.name === 'string' ? info.name : name
    return { name: plainName(name), value: plainName(value), info }
  })
}

/** Without a signature: nodes that nothing takes. */
function lastNodes(nodes: ReadonlyMap<string, TfNode>): End[] {
  const taken = new Set([...nodes.values()].flatMap((node) => node.inputs.map(makerOf)))
  const last = [...nodes.values()].filter(({ name, op }) => !taken.has(name) && !sources.includes(op) && op !== 'NoOp')
  return last.map(({ name }) => ({ name, value: name, info: undefined }))
}

/** The node of a value. */
const makerOf = (value: string) => value.replace(/:\d+$/, '')

/** Nodes that `outputs` need, each after those that it takes; nodes in a circle in any order. */
function orderOf(nodes: ReadonlyMap<string, TfNode>, outputs: readonly string[]): { order: TfNode[]; loop?: TfNode } {
  const order: TfNode[] = []
  const state = new Map<TfNode, 'open' | 'done'>()
  let loop: TfNode | undefined
  const get = (name: string, user?: TfNode) =>
    nodes.get(makerOf(name)) ??
    fail(operation, `node '${name}'${user ? `, which ${user.title} takes,` : ''} is missing`, 'Check its name')
  const stack = outputs.map((name) => ({ node: get(name), next: 0 })).reverse()
  while (stack.length > 0) {
    const top = stack.at(-1)!
    if (state.get(top.node) === 'done') {
      stack.pop()
      continue
    }
    state.set(top.node, 'open')
    const name = top.node.inputs[top.next++]
    if (name === undefined) {
      state.set(top.node, 'done')
      order.push(top.node)
      stack.pop()
      continue
    }
    const before = get(name, top.node)
    if (state.get(before) === 'open') loop ??= before
    if (!state.has(before)) stack.push({ node: before, next: 0 })
  }
  return { order, loop }
}

function checkOperations(order: readonly TfNode[]): void {
  const unknown = order.filter(({ op }) => !Object.hasOwn(translations, op) && !sources.includes(op))
  if (unknown.length === 0) return
  const some = unknown.slice(0, 20).map((node) => node.title)
  const rest = unknown.length > 20 ? ` and ${unknown.length - 20} more` : ''
  fail(
    operation,
    `${unknown.length} of ${order.length} nodes aren't supported: ${some.join(', ')}${rest}`,
    'Leave them out by option outputs; tfjsOperations lists what is supported',
  )
}

/** An input or output as the signature describes it, else as its node does. */
function describedPort(name: string, info: unknown, dims: number[] | undefined, type: Port['type']): Port {
  const described = isRecord(info) ? dimsOf(info.tensorShape) : undefined
  const shape = (described ?? dims)?.map((n, axis): Dimension => (n >= 0 ? n : axis === 0 ? 'N' : `${name}.${axis}`))
  return { name, type: typeOf(isRecord(info) ? info.dtype : undefined) ?? type, shape }
}

/** Translates nodes in order; the values by which their results go. */
function translate(order: readonly TfNode[], nodes: ReadonlyMap<string, TfNode>, constants: Map<string, Fixed>) {
  const to = new Translation(constants, nodes)
  for (const node of order) {
    if (sources.includes(node.op)) {
      if (node.op === 'Const' && !constants.has(node.name)) node.fail('its value is missing', 'Get the files again')
      continue
    }
    to.begin(node)
    const made = translations[node.op](node, to)
    const names = typeof made === 'string' ? [made] : made
    to.outputs(names.length).forEach((name, i) => {
      const known = constants.get(names[i])
      if (known) constants.set(name, known)
      else if (name !== names[i]) to.nodeTo([name], 'Identity', [names[i]])
    })
  }
  return to.nodes
}

/** A graph of TensorFlow as one of ONNX: the same machinery runs it, and it can be written to an ONNX file. */
export function translateGraph(
  topology: Json,
  signature: unknown,
  constants: Map<string, Fixed>,
  wanted?: readonly string[],
): OnnxGraph {
  const nodes = nodesIn(topology, constants)
  const known = endsIn(signature, 'outputs') ?? lastNodes(nodes)
  const named = (name: string) => known.find((end) => end.name === name) ?? { name, value: name, info: undefined }
  const ends = wanted?.map(named) ?? known
  if (ends.length === 0) fail(operation, 'the graph has no outputs', 'The file is damaged')
  const { order, loop } = orderOf(
    nodes,
    ends.map(({ value }) => value),
  )
  checkOperations(order)
  loop?.fail('it needs its own result', 'The file is damaged')
  const { inputs, renamed } = inputsOf(order, nodes, endsIn(signature, 'inputs') ?? [])
  const translated = translate(order, nodes, constants)
  const outputs = ends.map(({ name, value, info }): Port => {
    // a name of the signature may be that of another node
    const free = !nodes.has(name) && !inputs.some((port) => port.name === name)
    if (free) translated.push(identity(value, name))
    return describedPort(free ? name : value, info, undefined, 'float32')
  })
  return { name: 'model', opset, nodes: [...renamed, ...translated], initializers: constants, inputs, outputs }
}

function identity(from: string, to: string): OnnxNode {
  return { title: `Identity '${to}'`, op: 'Identity', domain: '', inputs: [from], outputs: [to], attributes: new Map() }
}

/** Placeholders as inputs, by the names of the signature where those are free. */
function inputsOf(order: readonly TfNode[], nodes: ReadonlyMap<string, TfNode>, given: readonly End[]) {
  const renamed: OnnxNode[] = []
  const inputs = order
    .filter(({ op }) => op === 'Placeholder')
    .map((node) => {
      const end = given.find(({ value }) => value === node.name)
      const name = end && !nodes.has(end.name) ? end.name : node.name
      if (name !== node.name) renamed.push(identity(name, node.name))
      return describedPort(name, end?.info, dimsOf(node.attribute('shape', 'shape')), node.type('dtype'))
    })
  return { inputs, renamed }
}

/**
 * Reads a tfjs graph model (`model.json` and its files of weights) of TensorFlow's operations for CNNs: tfjs's
 * `loadGraphModel`. It runs as an ONNX graph, with axes as the model has them: pictures are [N, H, W, C].
 * @param source a path (Node only), an http(s) address, or the files by name
 */
export async function loadGraphModel(source: TfjsSource, options: LoadGraphOptions = {}): Promise<OnnxModel> {
  return new OnnxModel(await readGraphModel(source, options))
}

/** What `loadGraphModel` runs. */
export async function readGraphModel(source: TfjsSource, options: LoadGraphOptions = {}): Promise<OnnxGraph> {
  const folder = folderOf(source, options.signal)
  const { model, topology, isGraph } = await readModelJson(folder)
  if (!isGraph) fail(operation, "model.json: it's a layers model, not a graph", 'Load it with loadLayersModel')
  const signature = model.signature ?? (isRecord(model.userDefinedMetadata) ? model.userDefinedMetadata.signature : 0)
  return translateGraph(topology, signature, await readWeights(model, folder, options), options.outputs)
}
