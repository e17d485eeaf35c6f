import type { Shape } from '../../base/shape.ts'
import { type Fixed, fixed, integers } from '../onnx/elements.ts'
import type { OnnxNode } from '../onnx/graph.ts'
import type { AttributeMessage } from '../onnx/proto.ts'
import type { TfNode } from './node.ts'

export type Attributes = Readonly<Record<string, number | string | readonly number[] | { readonly float: number }>>

const empty = { f: undefined, i: undefined, s: undefined, t: undefined, g: undefined } as const
const encoder = new TextEncoder()

/** Attribute types of onnx.proto3. */
function attribute(name: string, value: Attributes[string]): AttributeMessage {
  const common = { ...empty, name, floats: [], ints: [], strings: [] }
  if (typeof value === 'string') return { ...common, type: 3, s: encoder.encode(value) }
  if (typeof value === 'number') return { ...common, type: 2, i: value }
  return 'float' in value ? { ...common, type: 1, f: value.float } : { ...common, type: 7, ints: value }
}

/**
 * ONNX nodes that do what one node of TensorFlow does. Pictures are turned to channels first and back: the importer of
 * ONNX only keeps a note of the order, so that these turns cost nothing.
 */
export class Translation {
  readonly nodes: OnnxNode[] = []
  /** Known values by name; those that the translation adds come to them. */
  readonly constants: Map<string, Fixed>
  readonly #makers: ReadonlyMap<string, TfNode>
  #source: TfNode | undefined
  #count = 0

  /** @param makers nodes of TensorFlow by name */
  constructor(constants: Map<string, Fixed>, makers: ReadonlyMap<string, TfNode>) {
    this.constants = constants
    this.#makers = makers
  }

  /** The numbers that a list is packed of, undefined for those that aren't known. */
  partsOf(name: string): (number | undefined)[] | undefined {
    const maker = this.#makers.get(name)
    return maker?.op === 'Pack' ? maker.inputs.map((_, i) => maker.constant(i)?.data[0]) : undefined
  }

  /** The node that nodes are added for from now on. */
  begin(source: TfNode): void {
    this.#source = source
  }

  /** Names of the results of a node of TensorFlow. */
  outputs(count: number): string[] {
    const { name } = this.#source!
    return Array.from({ length: count }, (_, i) => (i === 0 ? name : `${name}:${i}`))
  }

  #fresh(): string {
    // no name in TensorFlow has a space
    return `${this.#source!.name} ${this.#count++}`
  }

  /** A node with one result, whose name is returned. */
  node(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    const name = this.#fresh()
    this.nodeTo([name], op, inputs, attributes)
    return name
  }

  nodeTo(outputs: readonly string[], op: string, inputs: readonly string[], attributes: Attributes = {}): void {
    const entries = Object.entries(attributes).map(([key, value]) => [key, attribute(key, value)] as const)
    const { title } = this.#source!
    this.nodes.push({ title, op, domain: '', inputs, outputs, attributes: new Map(entries) })
  }

  constant(value: Fixed): string {
    const name = this.#fresh()
    this.constants.set(name, value)
    return name
  }

  ints(...values: readonly number[]): string {
    return this.constant(integers(values))
  }

  float(value: number): string {
    return this.constant(fixed('float32', [], [value]))
  }

  floats(shape: Shape, values: ArrayLike<number>): string {
    return this.constant(fixed('float32', shape, values))
  }

  transposed(name: string, perm: readonly number[]): string {
    return this.node('Transpose', [name], { perm })
  }

  /** N, spatial, C to N, C, spatial. */
  first(name: string, rank: number): string {
    return this.transposed(name, [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)])
  }

  /** N, C, spatial to N, spatial, C. */
  last(name: string, rank: number): string {
    return this.transposed(name, [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1])
  }
}

/** Writes the nodes for one of TensorFlow's; returns the names of its results in their order. */
export type Translate = (node: TfNode, to: Translation) => string | readonly string[]
export type Translations = Readonly<Record<string, Translate>>
