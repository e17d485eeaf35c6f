import { fail } from '../../base/errors.ts'
import { sizeOf } from '../../base/shape.ts'
import { referenceValues } from '../../graph/reference.ts'
import { type Tensor, topological } from '../../graph/tensor.ts'
import { fixed } from './elements.ts'
import { elementwiseOps } from './elementwise.ts'
import type { OnnxGraph, OnnxNode } from './graph.ts'
import { quantizedOf } from './integers.ts'
import { moveOps } from './moves.ts'
import { type Ops, Use } from './node.ts'
import { normOps } from './norms.ts'
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
  ...productOps,
  ...quantizedOps,
  ...reductionOps,
  ...resizeOps,
  ...samplingOps,
  ...shapeOps,
  ...windowOps,
}

/** Names of ONNX operations that can be run. */
export const onnxOperations: readonly string[] = Object.keys(ops).sort()

const isKnown = ({ op, domain }: OnnxNode) => domain === '' && Object.hasOwn(ops, op)

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
  const run = () => use.naming(() => ops[use.node.op](use))
  const listed = (result: ReturnType<typeof run>): readonly (Value | undefined)[] =>
    Array.isArray(result) ? result : [result as Value]
  const known = use.inputs.every((value) => value === undefined || isFixed(value))
  if (!known) {
    const results = listed(run())
    followQuantized(use, results[0])
    return results
  }
  return use.once(0, () => listed(run()).map((value) => value && folded(value)))
}

/** What each output of a graph is, of what is given for its inputs. */
export function buildGraph(graph: OnnxGraph, given: ReadonlyMap<string, Value>): Value[] {
  const names = new Map<Tensor, string>()
  for (const [name, value] of given) if (!isFixed(value)) names.set(value.tensor, name)
  const values = new Map<string, Value>([...graph.initializers, ...given])
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => (name ? values.get(name) : undefined))
    const use = new Use(node, graph.opset, inputs, names)
    const results = compute(use)
    node.outputs.forEach((name, i) => {
      const result = results[i]
      if (result) values.set(name, result)
    })
  }
  return graph.outputs.map(
    ({ name }) => values.get(name) ?? fail('onnx', `output '${name}' isn't computed`, 'Leave this output out'),
  )
}
