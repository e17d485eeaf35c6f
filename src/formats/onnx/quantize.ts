import { fail } from '../../base/errors.ts'
import { sizeOf } from '../../base/shape.ts'
import type { Model } from '../../nn/index.ts'
import { readFile } from '../../runtime/files.ts'
import { type Fixed, fixed, integers } from './elements.ts'
import { externalBeside } from './external.ts'
import { type OnnxGraph, readGraph } from './graph.ts'
import type { OnnxInput } from './model.ts'
import {
  type MessageDraft,
  type ModelMessage,
  modelTable,
  type NodeMessage,
  readMessage,
  writeMessage,
} from './proto.ts'
import { type Range, rangesOf } from './quantize-ranges.ts'
import { saveOnnx } from './save.ts'
import { tensorMessage } from './tensors.ts'
import { upgraded } from './upgrade.ts'

/** How the ranges of int8 values are found. */
export interface QuantizeOptions {
  /**
   * Share of the values of each batch, in per cent, that ranges cut off at either end: rare large values then don't
   * make all steps coarse. Default 0: the smallest and largest values.
   */
  readonly cut?: number
}

/** Inputs of one run, as `OnnxModel.run` takes them: arrays, or values by input name. */
export type CalibrationBatch = Readonly<Record<string, OnnxInput>> | OnnxInput

/** Opset from which scales may lie along an axis. */
const perAxisOpset = 13

interface Quantizable {
  readonly node: NodeMessage
  readonly weight: string
  /** Axis of the weight that counts output channels. */
  readonly axis: number
}

const intOf = (node: NodeMessage, name: string): number =>
  node.attributes.find((attribute) => attribute.name === name)?.i ?? 0

/** Convolutions and products with known weights, which are not shared in another role. */
function quantizables(nodes: readonly NodeMessage[], weights: ReadonlyMap<string, Fixed>): Quantizable[] {
  const axes = new Map<string, Set<number | undefined>>()
  const found: Quantizable[] = []
  for (const node of nodes)
    node.inputs.forEach((name, i) => {
      const value = weights.get(name)
      if (!value) return
      const axis = i === 1 && value.type === 'float32' ? outputAxis(node, value) : undefined
      axes.set(name, (axes.get(name) ?? new Set()).add(axis))
      if (axis !== undefined) found.push({ node, weight: name, axis })
    })
  return found.filter(({ weight }) => axes.get(weight)!.size === 1)
}

function outputAxis(node: NodeMessage, weight: Fixed): number | undefined {
  if (node.domain && node.domain !== 'ai.onnx') return undefined
  if (node.opType === 'Conv') return 0
  if (weight.shape.length !== 2) return undefined
  if (node.opType === 'MatMul') return 1
  return node.opType === 'Gemm' && intOf(node, 'transA') === 0 ? 1 - intOf(node, 'transB') : undefined
}

/** Operations that only move whole numbers: what they move may be rounded before them as well as behind. */
const moving = new Set(['Flatten', 'Reshape', 'Squeeze', 'Unsqueeze', 'Transpose', 'MaxPool', 'Identity'])

/** The tensors that are rounded for the given nodes: their inputs, or where those were moved from. */
function roundedTensors(nodes: readonly NodeMessage[], users: readonly Quantizable[], known: ReadonlySet<string>) {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)))
  const names = new Set<string>()
  for (const { node } of users) {
    let name = node.inputs[0]
    for (;;) {
      const maker = makers.get(name)
      if (!maker?.opType || !moving.has(maker.opType) || maker.outputs.length > 1) break
      name = maker.inputs[0]
    }
    if (!known.has(name)) names.add(name)
  }
  return names
}

/** Weights as int8 with one scale for each output channel, symmetric about 0. */
export function quantizedWeight(value: Fixed, axis: number): { readonly whole: Fixed; readonly scale: Fixed } {
  const count = value.shape[axis]
  const inner = sizeOf(value.shape.slice(axis + 1))
  const at = (i: number) => Math.floor(i / inner) % count
  const largest = new Float32Array(count)
  value.data.forEach((v, i) => {
    if (!Number.isFinite(v)) fail('quantize', `a weight is ${v}`, 'Check the model')
    largest[at(i)] = Math.max(largest[at(i)], Math.abs(v))
  })
  const scale = largest.map((v) => v / 127 || 1)
  const whole = Int8Array.from(value.data, (v, i) => Math.round(v / scale[at(i)]))
  return {
    whole: { type: 'int8', shape: value.shape, data: whole },
    scale: { type: 'float32', shape: [count], data: scale },
  }
}

/** Scale and zero point with which uint8 covers a range and holds 0 exactly. */
function scaleOf({ low, high }: Range): { scale: Fixed; zero: Fixed } {
  const step = Math.fround((high - low) / 255) || 1
  const zero = Math.min(Math.max(Math.round(-low / step), 0), 255)
  return { scale: fixed('float32', [], [step]), zero: fixed('uint8', [], [zero]) }
}

type NodeDraft = MessageDraft<typeof modelTable>['graph'] extends infer G | undefined
  ? G extends { nodes?: readonly (infer N)[] }
    ? N
    : never
  : never

class Rewriter {
  readonly nodes: NodeDraft[] = []
  readonly constants = new Map<string, Fixed>()
  readonly #taken: ReadonlySet<string>
  readonly #next = new Map<string, number>()

  constructor(taken: ReadonlySet<string>) {
    this.#taken = taken
  }

  /** A name that nothing has yet: short, since small models are mostly names. */
  name(prefix: string): string {
    let i = this.#next.get(prefix) ?? 0
    while (this.#taken.has(`${prefix}${i}`)) i++
    this.#next.set(prefix, i + 1)
    return `${prefix}${i}`
  }

  constant(prefix: string, value: Fixed): string {
    const name = this.name(prefix)
    this.constants.set(name, value)
    return name
  }

  add(opType: string, inputs: readonly string[], output: string, axis?: number): void {
    const attributes = axis === undefined ? [] : [{ name: 'axis', type: 2, i: axis }]
    this.nodes.push({ opType, inputs, outputs: [output], attributes })
  }

  /** The weight `name` as int8; a node gives its old name to the real values. */
  weight(name: string, value: Fixed, axis: number): void {
    const { whole, scale } = quantizedWeight(value, axis)
    this.add('DequantizeLinear', [this.constant('w', whole), this.constant('s', scale)], name, axis)
  }

  /** @returns the name of `name` rounded to uint8 */
  rounded(name: string, range: Range): string {
    const { scale, zero } = scaleOf(range)
    const given = [this.constant('s', scale), this.constant('z', zero)]
    const [whole, real] = [this.name('q'), this.name('r')]
    this.add('QuantizeLinear', [name, ...given], whole)
    this.add('DequantizeLinear', [whole, ...given], real)
    return real
  }
}

const windows = new Set(['Conv', 'MaxPool', 'AveragePool'])
const all = (list: readonly number[], value: number) => list.every((n) => n === value)

/** Attributes of a window that say what is so anyway are left out. */
function attributesOf({ opType = '', attributes }: NodeDraft): NodeDraft['attributes'] {
  if (!windows.has(opType)) return attributes
  return attributes?.filter(({ name, i, ints = [], s }) => {
    if (name === 'auto_pad') return new TextDecoder().decode(s) !== 'NOTSET'
    if (name === 'strides' || name === 'dilations') return !all(ints, 1)
    return !((name === 'group' && i === 1) || (name === 'pads' && all(ints, 0)))
  })
}

function rewritten(
  message: ModelMessage,
  graph: OnnxGraph,
  users: readonly Quantizable[],
  ranges: ReadonlyMap<string, Range>,
) {
  const { nodes, inputs, outputs, name } = message.graph!
  const weights = new Map(users.map(({ weight, axis }) => [weight, axis]))
  const rewriter = new Rewriter(
    new Set([
      ...graph.initializers.keys(),
      ...graph.inputs.map((port) => port.name),
      ...nodes.flatMap((n) => n.outputs),
    ]),
  )
  const old = graph.opset < perAxisOpset
  const kept: NodeDraft[] = []
  for (const [weight, axis] of weights) rewriter.weight(weight, graph.initializers.get(weight)!, axis)
  const names = new Map([...ranges].map(([tensor, range]) => [tensor, rewriter.rounded(tensor, range)]))
  for (const node of nodes) {
    const made = old ? upgraded(node, graph.opset, (values) => rewriter.constant('i', integers(values))) : node
    // named by their results: names of their own would be half of a small file
    const attributes = attributesOf(made)
    kept.push({ ...made, name: undefined, attributes, inputs: made.inputs!.map((input) => names.get(input) ?? input) })
  }
  const used = new Set(kept.flatMap((node) => node.inputs ?? []).concat(outputs.map((port) => port.name ?? '')))
  const others = [...graph.initializers].filter(([key]) => !weights.has(key) && used.has(key))
  const constants = [...others, ...rewriter.constants]
  const opsets = message.opsets.map((set) => (old && !set.domain ? { ...set, version: perAxisOpset } : set))
  return writeMessage(modelTable, {
    irVersion: Math.max(message.irVersion ?? 0, 7),
    producerName: 'fovea',
    graph: {
      name,
      nodes: inOrder([...rewriter.nodes, ...kept]),
      inputs: inputs.filter((port) => !graph.initializers.has(port.name ?? '')),
      outputs,
      initializers: constants.map(([key, value]) => tensorMessage(key, value)),
    } as MessageDraft<typeof modelTable>['graph'],
    opsets,
  })
}

/** Every node after those whose outputs it takes, as ONNX wants it. */
function inOrder(nodes: readonly NodeDraft[]): NodeDraft[] {
  const makers = new Map(nodes.flatMap((node) => (node.outputs ?? []).map((name) => [name, node] as const)))
  const placed = new Set<NodeDraft>()
  const place = (first: NodeDraft) => {
    const stack = [first]
    while (stack.length > 0) {
      const node = stack.at(-1)!
      const before = (node.inputs ?? []).flatMap((name) => makers.get(name) ?? []).find((maker) => !placed.has(maker))
      if (before) stack.push(before)
      else placed.add(stack.pop()!)
    }
  }
  for (const node of nodes) if (!placed.has(node)) place(node)
  return [...placed]
}

/**
 * Post-training quantisation: an ONNX model whose convolutions and matrix products take int8 weights, with one scale
 * for each output channel, and uint8 inputs, with ranges found by running the model on a few batches (Jacob et al.
 * 2018, "Quantization and training of neural networks for efficient integer-arithmetic-only inference"; the QDQ form
 * of ONNX). `loadOnnx` computes them in whole numbers; onnxruntime takes the same file.
 * @param model an ONNX model's bytes or path, or a model of ours, whose inputs then have the channels last, as here
 * @param batches inputs like those that will come: a hundred samples are enough, mostly
 * @returns bytes of an ONNX model, about a quarter as large
 */
export async function quantize(
  model: Model | Uint8Array | string,
  batches: Iterable<CalibrationBatch> | AsyncIterable<CalibrationBatch>,
  { cut = 0 }: QuantizeOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  if (!(cut >= 0 && cut < 50)) fail('quantize', `cut is ${cut} %`, 'Give a number from 0 to 50, such as 0.01')
  const isPath = typeof model === 'string'
  const bytes = isPath
    ? await readFile(model)
    : model instanceof Uint8Array
      ? model
      : saveOnnx(model, { channelsLast: true })
  const message = readMessage(bytes, modelTable)
  const graph = readGraph(bytes, isPath ? externalBeside(model) : undefined)
  const { nodes } = message.graph!
  const users = quantizables(nodes, graph.initializers)
  if (users.length === 0)
    fail('quantize', 'no convolution or product of this model has known weights', 'Give a model with such layers')
  const tensors = roundedTensors(nodes, users, new Set(graph.initializers.keys()))
  const ranges = await rangesOf(graph, [...tensors], batches, cut / 100)
  return rewritten(message, graph, users, ranges)
}
