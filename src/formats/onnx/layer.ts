// An imported model as a layer of ours: its weights become variables, its graph goes into the layer's description, so
// that a model with it in it can be trained, saved, loaded and exported like any other.
import { fail } from '../../base/errors.ts'
import { type Shape, showShape } from '../../base/shape.ts'
import { concat, div, mul, slice, sub } from '../../graph/index.ts'
import { placeholder, type Tensor, tensor, Variable } from '../../graph/tensor.ts'
import { type BuildContext, type Layer, layer, registerLayer } from '../../nn/index.ts'
import { weight } from '../../nn/layer.ts'
import { buildGraph } from './build.ts'
import { elementCode, type Fixed, isFloat } from './elements.ts'
import { type OnnxGraph, type OnnxNode, type Port, readGraph } from './graph.ts'
import type { OnnxModel } from './model.ts'
import { permuted, permuteFixed } from './permute.ts'
import { modelTable, writeMessage } from './proto.ts'
import { readTensor, tensorMessage } from './tensors.ts'
import { arranged, isFixed, lastOrder, live, plainOrder, type Value } from './value.ts'

/** How pixels of 0..1 become what the model was trained on; numbers are of 0..255, as in the papers. */
export interface PixelOptions {
  /** Taken from each channel. Default 0. */
  readonly mean?: readonly number[]
  /** Divides each channel after that. Default 255. */
  readonly std?: readonly number[]
  /** Blue first. Default false. */
  readonly bgr?: boolean
}

/** Which part of an ONNX model becomes a layer, and what pictures it is given. */
export interface OnnxLayerOptions {
  /** Ends with the result of this node (its name or that of an output). Default: the model's first output. */
  readonly cut?: string
  /** Default: inputs are given as the model takes them. */
  readonly pixels?: PixelOptions
}

/** Inputs of a node that are weights, which may be trained. Others must stay as they are: sizes, limits, statistics. */
const weightInputs: Readonly<Record<string, readonly number[]>> = {
  ...{ Conv: [1, 2], ConvTranspose: [1, 2], Gemm: [1, 2], MatMul: [0, 1], PRelu: [1] },
  ...{
    BatchNormalization: [1, 2],
    InstanceNormalization: [1, 2],
    GroupNormalization: [1, 2],
    LayerNormalization: [1, 2],
  },
  ...{ Add: [0, 1], Sub: [0, 1], Mul: [0, 1], Div: [0, 1] },
}
const elementwise: readonly string[] = ['Add', 'Sub', 'Mul', 'Div']

/** The order of axes in which a node wants a weight, so that it is brought into it once. */
function orderFor(node: OnnxNode, input: number, rank: number): number[] {
  const isKernel = input === 1 && (node.op === 'Conv' || node.op === 'ConvTranspose')
  if (isKernel) return [...plainOrder(rank - 2).map((axis) => axis + 2), 1, 0]
  if (node.op === 'Gemm' && input === 1 && node.attributes.get('transB')?.i) return [1, 0]
  return plainOrder(rank)
}

/** Constant nodes are initialisers in other clothes. */
function withConstants(graph: OnnxGraph): OnnxGraph {
  const initializers = new Map(graph.initializers)
  const nodes = graph.nodes.filter((node) => {
    const message = node.op === 'Constant' && node.domain === '' ? node.attributes.get('value')?.t : undefined
    if (message) initializers.set(node.outputs[0], readTensor(message, node.title))
    return !message
  })
  return { ...graph, nodes, initializers }
}

/** What of a graph the result `name` needs. */
function prunedTo(graph: OnnxGraph, name: string): OnnxGraph {
  const needed = new Set([name])
  const nodes = [...graph.nodes]
    .reverse()
    .filter((node) => {
      const used = node.outputs.some((output) => needed.has(output))
      if (used) for (const input of node.inputs) needed.add(input)
      return used
    })
    .reverse()
  const initializers = new Map([...graph.initializers].filter(([key]) => needed.has(key)))
  const inputs = graph.inputs.filter((port) => needed.has(port.name))
  return { ...graph, nodes, initializers, inputs, outputs: [{ name, type: 'float32', shape: undefined }] }
}

function resultNamed({ nodes, outputs }: OnnxGraph, cut: string | undefined): string {
  if (cut === undefined) return outputs[0].name
  const node = nodes.find(({ title, outputs: names }) => names.includes(cut) || title.endsWith(` '${cut}'`))
  if (node) return node.outputs.includes(cut) ? cut : node.outputs[0]
  const last = nodes.slice(-12).map(({ title }) => title)
  return fail('onnxLayer', `there is no node '${cut}'`, `The last nodes are ${last.join(', ')}`)
}

interface Part {
  readonly graph: OnnxGraph
  /** Weights by name: of the graph as of the file, its first values if they are known. */
  readonly weights: ReadonlyMap<
    string,
    { readonly order: readonly number[]; readonly shape: Shape; readonly value?: Fixed }
  >
}

/** Takes the weights out of a graph: they become inputs of it. */
function partOf(model: OnnxModel, cut: string | undefined): Part {
  const whole = withConstants(model.graph)
  const graph = prunedTo(whole, resultNamed(whole, cut))
  if (graph.inputs.length !== 1)
    fail('onnxLayer', `the result needs ${graph.inputs.length} inputs`, 'Cut the model where one input leads')
  const weights = new Map<string, { order: readonly number[]; shape: Shape; value: Fixed }>()
  for (const node of graph.nodes)
    for (const input of weightInputs[node.op] ?? []) {
      const name = node.inputs[input]
      const value = name === undefined ? undefined : graph.initializers.get(name)
      if (!name || !value || !isFloat(value.type) || weights.has(name)) continue
      if (elementwise.includes(node.op) && value.data.length === 1) continue
      weights.set(name, { order: orderFor(node, input, value.shape.length), shape: value.shape, value })
    }
  const ports = [...weights].map(([name, { shape }]): Port => ({ name, type: 'float32', shape }))
  const initializers = new Map([...graph.initializers].filter(([name]) => !weights.has(name)))
  return { graph: { ...graph, initializers, inputs: [...graph.inputs, ...ports] }, weights }
}

/** The part of a saved layer: weights are the inputs after the first. */
function partFrom(graph: OnnxGraph): Part {
  const weights = new Map(
    graph.inputs.slice(1).map(({ name, shape }): [string, { order: readonly number[]; shape: Shape }] => {
      const sizes = (shape ?? []).map(Number)
      const node = graph.nodes.find(({ inputs }) => inputs.includes(name))
      return [name, { order: node ? orderFor(node, node.inputs.indexOf(name), sizes.length) : [], shape: sizes }]
    }),
  )
  return { graph, weights }
}

/** The graph as an ONNX file. */
function fileOf({ graph }: Part): Uint8Array {
  const port = ({ name, type, shape }: Port) => {
    const dims = shape?.map((n) => (typeof n === 'number' ? { value: n } : { parameter: n }))
    return { name, type: { tensor: { elementType: elementCode(type), ...(dims ? { shape: { dims } } : {}) } } }
  }
  const nodes = graph.nodes.map(({ title, op, domain, inputs, outputs, attributes }) => ({
    ...{ name: /'(.*)'$/s.exec(title)?.[1], opType: op, domain, inputs, outputs },
    attributes: [...attributes.values()],
  }))
  return writeMessage(modelTable, {
    irVersion: 8,
    graph: {
      ...{ name: graph.name, nodes, inputs: graph.inputs.map(port), outputs: graph.outputs.map(port) },
      initializers: [...graph.initializers].map(([name, value]) => tensorMessage(name, value)),
    },
    opsets: [{ domain: '', version: graph.opset }],
  })
}

const toText = (bytes: Uint8Array) => {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}

const fromText = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))

/** Pixels of 0..1 [N, H, W, C] as the model was trained on them. */
function prepared(x: Tensor, { mean, std, bgr = false }: PixelOptions): Tensor {
  const channels = x.shape.at(-1)!
  const each = (list: readonly number[]) =>
    tensor(Float32Array.from({ length: channels }, (_, c) => list[c % list.length]))
  const pixels = div(sub(mul(x, 255), each(mean ?? [0])), each(std ?? [255]))
  if (!bgr) return pixels
  const [n, height, width] = x.shape
  const planes = Array.from({ length: channels }, (_, c) => slice(pixels, [0, 0, 0, c], [n, height, width, c + 1]))
  return concat(planes.reverse(), -1)
}

/** Whether the model takes channels last, as a sample has them. */
function takesChannelsLast({ shape }: Port, sample: Shape): boolean {
  if (!shape || shape.length !== sample.length + 1) return false
  const fits = (sizes: Shape) => sizes.every((n, i) => typeof shape[i + 1] === 'string' || shape[i + 1] === n)
  return !fits([sample.at(-1)!, ...sample.slice(0, -1)]) && fits(sample)
}

/** The result, its channels last. */
function resultOf(value: Value | undefined, samples: number): Tensor {
  if (!value || isFixed(value)) return fail('onnxLayer', "the result isn't computed from the input", 'Cut elsewhere')
  const y = value.order[0] === 0 ? value.tensor : arranged(value, lastOrder(value.shape.length))
  if (y.shape[0] !== samples)
    fail(
      'onnxLayer',
      `${samples} samples become ${showShape(y.shape)}: the model's sizes are made for another number`,
      'Cut it before the node that reshapes, or export it with a free batch',
    )
  return y
}

function variableFor(
  context: BuildContext,
  name: string,
  { order, shape, value }: { order: readonly number[]; shape: Shape; value?: Fixed },
) {
  const ours = permuted(shape, order)
  if (context.saved || !value) return weight(context, name, ours, 'zeros')
  return new Variable(permuteFixed(value, order).data, ours, `${context.name}.${name}`)
}

function layerOf(part: Part, text: string, options: Pick<OnnxLayerOptions, 'pixels'>): Layer {
  const [data] = part.graph.inputs
  return layer('onnx', [text, options], (shapes, context) => {
    if (shapes.length !== 1) fail('onnxLayer', `${shapes.length} inputs`, 'Give one')
    const [sample] = shapes
    const variables = [...part.weights].map(([name, known]) => ({
      name,
      known,
      variable: variableFor(context, name, known),
    }))
    const rank = sample.length + 1
    const order = takesChannelsLast(data, sample) ? plainOrder(rank) : lastOrder(rank)
    const apply = ([x]: readonly Tensor[]) => {
      const given = new Map<string, Value>([
        [data.name, live(data.type, options.pixels ? prepared(x, options.pixels) : x, order)],
        ...variables.map(({ name, known, variable }) => [name, live('float32', variable.value, known.order)] as const),
      ])
      const { values, known, host } = buildGraph(part.graph, given)
      if (known.length + host.length > 0)
        fail('onnxLayer', `${host[0]?.title ?? known[0]} needs values that aren't known beforehand`, 'Cut it before')
      return resultOf(values.get(part.graph.outputs[0].name), x.shape[0])
    }
    const shape = apply([placeholder([1, ...sample])]).shape.slice(1)
    return { shape, parameters: variables.map(({ variable }) => variable), state: [], apply }
  })
}

/** The layer that a saved model describes. */
function restored(text: string, options: Pick<OnnxLayerOptions, 'pixels'> = {}): Layer {
  return layerOf(partFrom(readGraph(fromText(text))), text, options)
}

/** Lets `loadModel` read models that have an imported model in them; `onnxLayer` does so too. */
export const registerOnnxLayer = (): void => registerLayer('onnx', restored)

/**
 * An imported model, or its part up to a node, as a layer: [N, spatial..., C] to [N, spatial..., C] or [N, F]. Its
 * weights are trained unless it's frozen (`freeze`); normalisation keeps the statistics of its own training.
 */
export function onnxLayer(model: OnnxModel, { cut, pixels }: OnnxLayerOptions = {}): Layer {
  registerOnnxLayer()
  const part = partOf(model, cut)
  return layerOf(part, toText(fileOf(part)), pixels ? { pixels } : {})
}
