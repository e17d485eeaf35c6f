import { fail } from '../../base/errors.ts'
import { sizeOf } from '../../base/shape.ts'
import { referenceValues } from '../../graph/reference.ts'
import { type Tensor, topological } from '../../graph/tensor.ts'
import { type Fixed, fixed } from './elements.ts'
import { elementwiseOps, emptyResult } from './elementwise.ts'
import type { OnnxGraph, OnnxNode } from './graph.ts'
import { hostOps } from './host.ts'
import { quantizedOf } from './integers.ts'
import { moveOps } from './moves.ts'
import { NeedsValue, type Ops, Use } from './node.ts'
import { normOps } from './norms.ts'
import { placeOps } from './places.ts'
import { productOps } from './products.ts'
import { quantizedOps } from './quantized.ts'
import { reductionOps } from './reductions.ts'
import { resizeOps } from './resize.ts'
import { samplingOps } from './sampling.ts'
import { shapeOps } from './shapes.ts'
import { exact, isFixed, plain, type Value } from './value.ts'
import { windowOps } from './windows.ts'

const ops: Ops = {
  ...elementwiseOps,
  ...moveOps,
  ...normOps,
  ...placeOps,
  ...productOps,
  ...quantizedOps,
  ...reductionOps,
  ...resizeOps,
  ...samplingOps,
  ...shapeOps,
  ...windowOps,
}

/** Names of ONNX operations that can be run. */
export const onnxOperations: readonly string[] = [...new Set([...Object.keys(ops), ...Object.keys(hostOps)])].sort()

const isKnown = ({ op, domain }: OnnxNode) => domain === '' && (Object.hasOwn(ops, op) || Object.hasOwn(hostOps, op))

/** Nodes that can't be run, each with its operation; [] if all can. */
export const unsupportedNodes = (graph: OnnxGraph): string[] =>
  graph.nodes.filter((node) => !isKnown(node)).map(({ title, domain }) => (domain ? `${domain}.${title}` : title))

/** An error that names every node that can't be run. */
export function checkOperations(graph: OnnxGraph): void {
  const missing = unsupportedNodes(graph)
  if (missing.length === 0) return
  const some = missing.slice(0, 20).join(', ')
  const rest = missing.length > 20 ? ` and ${missing.length - 20} more` : ''
  fail(
    'loadOnnx',
    `${missing.length} of ${graph.nodes.length} nodes aren't supported: ${some}${rest}`,
    'Export the model without them; onnxOperations lists what is supported',
  )
}

/** Results of known inputs with more elements than this are computed by the program. */
const mostFolded = 2 ** 20

/** A result that depends on known values only, as a known value. */
function folded(value: Value): Value {
  if (isFixed(value) || sizeOf(value.shape) > mostFolded) return value
  const feeds = new Map<Tensor, ArrayLike<number>>()
  for (const node of topological([value.tensor])) {
    if (node.operation.kind === 'contract') return value
    const data = exact.get(node)
    if (data) feeds.set(node, data)
  }
  return fixed(value.type, value.shape, referenceValues([plain(value)], feeds)[0])
}

/** Operations that only move values, so that it doesn't matter whether these are real or stand for real ones. */
const moves: ReadonlySet<string> = new Set([
  'Flatten',
  'Identity',
  'MaxPool',
  'Reshape',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
])

/** Where the whole numbers that a moved value stands for are found. */
function followQuantized(use: Use, result: Value | undefined): void {
  const [x, ...more] = use.inputs
  const known = x && quantizedOf.get(x)
  if (!known || !result || !moves.has(use.node.op) || sizeOf(known.scale.shape) !== 1) return
  const whole = ops[use.node.op](use.with([known.centred, ...more]))
  quantizedOf.set(result, { ...known, centred: (Array.isArray(whole) ? whole[0] : whole) as Value })
}

function compute(use: Use): readonly (Value | undefined)[] {
  const empty = emptyResult(use)
  if (empty) return [empty]
  const known = use.inputs.every((value) => value === undefined || isFixed(value))
  const { op } = use.node
  const host = Object.hasOwn(hostOps, op) && (known || !Object.hasOwn(ops, op))
  const run = () => use.naming(() => (host ? hostOps[op].run(use) : ops[op](use)))
  const listed = (result: ReturnType<typeof run>): readonly (Value | undefined)[] =>
    Array.isArray(result) ? result : [result as Value]
  if (!known) {
    const results = listed(run())
    followQuantized(use, results[0])
    return results
  }
  return use.once(0, () => listed(run()).map((value) => value && folded(value)))
}

/** What a program can be made of, and what has to wait for its results. */
export interface Stage {
  /** Values by name: of nodes, given ones and the file's. */
  readonly values: ReadonlyMap<string, Value>
  /** Nodes that compute beside programs, and whose inputs this stage makes. */
  readonly host: readonly OnnxNode[]
  /** Nodes that need results of those, or the numbers behind names of `known`. */
  readonly waiting: readonly OnnxNode[]
  readonly known: readonly string[]
}

/** Everything in a graph that can be expressed of what is given for its inputs. */
export function buildGraph(graph: OnnxGraph, given: ReadonlyMap<string, Value>): Stage {
  const values = new Map<string, Value>([...graph.initializers, ...given])
  const missing = new Set<string>()
  const host: OnnxNode[] = []
  const waiting: OnnxNode[] = []
  const known = new Set<string>()
  const postpone = (node: OnnxNode, list: OnnxNode[]) => {
    list.push(node)
    for (const name of node.outputs) missing.add(name)
  }
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => (name ? values.get(name) : undefined))
    const use = new Use(node, graph.opset, inputs)
    if (node.inputs.some((name) => missing.has(name))) postpone(node, waiting)
    else if (Object.hasOwn(hostOps, node.op) && !hasKnown(use)) postpone(node, host)
    else
      try {
        const results = compute(use)
        node.outputs.forEach((name, i) => {
          const result = results[i]
          if (result) values.set(name, result)
        })
      } catch (error) {
        if (!(error instanceof NeedsValue)) throw error
        for (const name of error.inputs) known.add(name)
        postpone(node, waiting)
      }
  }
  for (const { name } of graph.outputs)
    if (!values.has(name) && !missing.has(name))
      fail('onnx', `output '${name}' isn't computed`, 'Leave this output out')
  return { values, host, waiting, known: [...known] }
}

/** Whether a node of `hostOps` can be computed or expressed at once, rather than when its inputs have been computed. */
function hasKnown(use: Use): boolean {
  const { op } = use.node
  const all = use.inputs.map((_, i) => i)
  const needed = (Object.hasOwn(ops, op) && hostOps[op].needs?.(use)) || all
  return needed.every((i) => use.inputs[i] === undefined || isFixed(use.inputs[i]))
}

/** What a node that computes beside programs makes of known inputs. */
export function runHost(node: OnnxNode, opset: number, values: ReadonlyMap<string, Value>): Map<string, Fixed> {
  const use = new Use(
    node,
    opset,
    node.inputs.map((name) => (name ? values.get(name) : undefined)),
  )
  const results = use.naming(() => hostOps[node.op].run(use))
  return new Map(node.outputs.flatMap((name, i) => (name && results[i] ? [[name, results[i]] as const] : [])))
}
