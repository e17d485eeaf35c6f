import { fail } from '../../base/errors.ts'
import { type ElementType, elementType, type Fixed } from './elements.ts'
import { type AttributeMessage, modelTable, type NodeMessage, readMessage, type ValueMessage } from './proto.ts'
import { type External, readTensor } from './tensors.ts'

/** An axis is a number or a name, which stands for any size: the batch. */
export type Dimension = number | string

/** An input or output of an ONNX graph. */
export interface Port {
  readonly name: string
  readonly type: ElementType
  /** undefined where the file doesn't say. */
  readonly shape: readonly Dimension[] | undefined
}

/** One operation of an ONNX graph; values are named, '' stands for one that is left out. */
export interface OnnxNode {
  /** For messages: its name, or its operation and its first output. */
  readonly title: string
  readonly op: string
  /** '' is ONNX's own. */
  readonly domain: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, AttributeMessage>
}

/** A file's graph: every node after those whose outputs it takes. */
export interface OnnxGraph {
  readonly name: string
  /** Version of ONNX's own operations. */
  readonly opset: number
  readonly nodes: readonly OnnxNode[]
  readonly initializers: ReadonlyMap<string, Fixed>
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
}

function portOf({ name = '', type }: ValueMessage): Port {
  const tensor = type?.tensor
  if (!tensor) return fail('loadOnnx', `'${name}' isn't a tensor`, 'Use a model whose inputs and outputs are tensors')
  let unnamed = 0
  const shape = tensor.shape?.dims.map(({ value, parameter }): Dimension => {
    if (value !== undefined && value >= 0 && Number.isSafeInteger(value)) return value
    return parameter || `${name}.${unnamed++}`
  })
  return { name, type: elementType(`'${name}'`, tensor.elementType), shape }
}

function nodeOf(node: NodeMessage, i: number): OnnxNode {
  const { opType = '', domain = '', inputs, outputs } = node
  const attributes = new Map(node.attributes.map((attribute) => [attribute.name ?? '', attribute]))
  const title = `${opType} '${node.name || outputs[0] || i}'`
  return { title, op: opType, domain: domain === 'ai.onnx' ? '' : domain, inputs, outputs, attributes }
}

/** Puts every node after those that it needs; names what is missing, given twice or circular. */
function sorted(nodes: readonly OnnxNode[], given: ReadonlySet<string>): OnnxNode[] {
  const makers = new Map<string, OnnxNode>()
  for (const node of nodes)
    for (const name of node.outputs.filter(Boolean)) {
      if (makers.has(name) || given.has(name))
        fail('loadOnnx', `'${name}' is given twice (${node.title})`, 'Rename one')
      makers.set(name, node)
    }
  for (const node of nodes)
    for (const name of node.inputs)
      if (name && !given.has(name) && !makers.has(name))
        fail('loadOnnx', `input '${name}' of ${node.title} is missing`, 'The file is damaged: save the model again')
  const waiting = new Map<OnnxNode, number>()
  const users = new Map<OnnxNode, OnnxNode[]>()
  for (const node of nodes) {
    const before = new Set(node.inputs.flatMap((name) => makers.get(name) ?? []))
    waiting.set(node, before.size)
    for (const maker of before) {
      const list = users.get(maker)
      if (list) list.push(node)
      else users.set(maker, [node])
    }
  }
  const ready = nodes.filter((node) => waiting.get(node) === 0)
  for (const node of ready)
    for (const user of users.get(node) ?? []) {
      const left = waiting.get(user)! - 1
      waiting.set(user, left)
      if (left === 0) ready.push(user)
    }
  const stuck = nodes.filter((node) => waiting.get(node)! > 0)
  if (stuck.length > 0)
    fail('loadOnnx', `${stuck[0].title} needs its own result (${stuck.length} nodes in a circle)`, 'Check the model')
  return ready
}

/** Broadcasting changed its meaning with opset 7. */
const oldest = 7

/** Reads a model file. */
export function readGraph(bytes: Uint8Array, external?: External): OnnxGraph {
  const { graph, opsets } = readMessage(bytes, modelTable)
  if (!graph) return fail('loadOnnx', `there is no graph in these ${bytes.length} bytes`, 'Give an ONNX model')
  const version = opsets.find(({ domain = '' }) => domain === '' || domain === 'ai.onnx')?.version
  const foreign = graph.nodes.every(({ domain = '' }) => domain !== '' && domain !== 'ai.onnx')
  const opset = version ?? (foreign ? oldest : undefined)
  if (opset === undefined) return fail('loadOnnx', 'the model names no version of its operations', 'Save it again')
  if (opset < oldest) fail('loadOnnx', `the model is of opset ${opset}`, `Convert it to opset ${oldest} or newer`)
  if (graph.sparseInitializers.length > 0)
    fail('loadOnnx', `${graph.sparseInitializers.length} initialisers are sparse`, 'Save them as dense tensors')
  const initializers = new Map<string, Fixed>()
  for (const tensor of graph.initializers) {
    const { name = '' } = tensor
    if (initializers.has(name)) fail('loadOnnx', `initialiser '${name}' is given twice`, 'Rename one')
    initializers.set(name, readTensor(tensor, `initialiser '${name}'`, external))
  }
  const inputs = graph.inputs.filter(({ name = '' }) => !initializers.has(name)).map(portOf)
  const outputs = graph.outputs.map(portOf)
  if (outputs.length === 0) fail('loadOnnx', 'the graph has no outputs', 'Give a model that computes something')
  const given = new Set([...initializers.keys(), ...inputs.map(({ name }) => name)])
  const nodes = sorted(graph.nodes.map(nodeOf), given)
  const known = new Set([...given, ...nodes.flatMap((node) => node.outputs)])
  for (const { name } of outputs)
    if (!known.has(name)) fail('loadOnnx', `output '${name}' isn't made by any node`, 'The file is damaged')
  return { name: graph.name ?? '', opset, nodes, initializers, inputs, outputs }
}
