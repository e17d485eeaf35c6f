import { type Fixed, fixed } from '../../src/formats/onnx/elements.ts'
import { type MessageDraft, modelTable, writeMessage } from '../../src/formats/onnx/proto.ts'
import { tensorMessage } from '../../src/formats/onnx/tensors.ts'

type Graph = NonNullable<MessageDraft<typeof modelTable>['graph']>
export type Attribute = number | readonly number[] | string | { float: number } | Fixed

export interface NodeSketch {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs?: readonly string[]
  readonly name?: string
  readonly domain?: string
  readonly attributes?: Readonly<Record<string, Attribute>>
}

export interface Sketch {
  readonly nodes: readonly NodeSketch[]
  /** Shapes by name; a text is a named axis. */
  readonly inputs?: Readonly<Record<string, readonly (number | string)[]>>
  readonly weights?: Readonly<Record<string, Fixed>>
  /** Default: 'y'. */
  readonly outputs?: readonly string[]
  /** Default 17. */
  readonly opset?: number
}

export const floats = (shape: readonly number[], values: ArrayLike<number>): Fixed => fixed('float32', shape, values)
export const ints = (...values: number[]): Fixed => fixed('int64', [values.length], values)

function attribute(name: string, value: Attribute) {
  if (typeof value === 'number') return { name, type: 2, i: value }
  if (typeof value === 'string') return { name, type: 3, s: new TextEncoder().encode(value) }
  if (Array.isArray(value)) return { name, type: 7, ints: value as number[] }
  if ('float' in value) return { name, type: 1, f: value.float }
  return { name, type: 4, t: tensorMessage(name, value as Fixed) }
}

const port = (name: string, shape: readonly (number | string)[] | undefined) => {
  const dims = shape?.map((n) => (typeof n === 'number' ? { value: n } : { parameter: n }))
  return { name, type: { tensor: { elementType: 1, ...(dims ? { shape: { dims } } : {}) } } }
}

export function graphMessage({ nodes, inputs = {}, weights = {}, outputs = ['y'] }: Sketch): Graph {
  return {
    name: 'test',
    nodes: nodes.map(({ op, name = '', domain = '', inputs: from, outputs: to = ['y'], attributes = {} }) => ({
      name,
      domain,
      opType: op,
      inputs: from,
      outputs: to,
      attributes: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
    })),
    inputs: Object.entries(inputs).map(([name, shape]) => port(name, shape)),
    outputs: outputs.map((name) => port(name, undefined)),
    initializers: Object.entries(weights).map(([name, value]) => tensorMessage(name, value)),
  }
}

/** The bytes of a small ONNX model. */
export const modelBytes = (sketch: Sketch): Uint8Array =>
  writeMessage(modelTable, {
    irVersion: 8,
    graph: graphMessage(sketch),
    opsets: [{ domain: '', version: sketch.opset ?? 17 }],
  })
