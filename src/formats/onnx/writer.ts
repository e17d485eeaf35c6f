// A graph of ONNX nodes while it's written: names, constants, and each tensor in the order of axes it happens to have.

import type { Shape } from '../../base/shape.ts'
import { sizeOf } from '../../base/shape.ts'
import { type Fixed, fixed } from './elements.ts'
import { permuted, permuteFixed } from './permute.ts'
import type { MessageDraft, modelTable, tensorTable } from './proto.ts'
import { tensorMessage } from './tensors.ts'
import { plainOrder } from './value.ts'

type GraphDraft = NonNullable<MessageDraft<typeof modelTable>['graph']>
type NodeDraft = NonNullable<GraphDraft['nodes']>[number]
type AttributeDraft = NonNullable<NodeDraft['attributes']>[number]

export type Attributes = Readonly<Record<string, number | string | readonly number[]>>

/** A value of the file: its axis i is axis order[i] of our tensor, whose shape is `shape`. */
export interface Written {
  readonly name: string
  readonly shape: Shape
  readonly order: readonly number[]
  /** A value that doesn't depend on the inputs; it's written where it's used. */
  readonly constant?: Fixed
}

/**
 * Size of the batch while a model is written. Sizes that are multiples of it follow from the batch when it runs; no
 * size of a layer is, as it's a large prime.
 */
export const batchMark = 1_000_003

/** Attribute types of onnx.proto3. */
const [intType, textType, floatType, intsType] = [2, 3, 1, 7]

const encoder = new TextEncoder()

/** Attributes that are floats although their value may be whole. */
const floats = ['alpha', 'beta', 'epsilon']

function attribute(name: string, value: number | string | readonly number[]): AttributeDraft {
  if (typeof value === 'string') return { name, type: textType, s: encoder.encode(value) }
  if (typeof value !== 'number') return { name, type: intsType, ints: value }
  return floats.includes(name) ? { name, type: floatType, f: value } : { name, type: intType, i: value }
}

export class GraphWriter {
  readonly nodes: NodeDraft[] = []
  readonly initializers: MessageDraft<typeof tensorTable>[] = []
  readonly #names = new Map<string, number>()

  #unique(kind: string): string {
    const count = (this.#names.get(kind) ?? 0) + 1
    this.#names.set(kind, count)
    return `${kind}_${count}`
  }

  /** A node with one output, whose name is returned. */
  node(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    const name = this.#unique(op.toLowerCase())
    const list = Object.entries(attributes).map(([key, value]) => attribute(key, value))
    this.nodes.push({ name, opType: op, inputs, outputs: [name], attributes: list })
    return name
  }

  constant(value: Fixed, kind = 'constant'): string {
    const name = this.#unique(kind)
    this.initializers.push(tensorMessage(name, value))
    return name
  }

  integers(values: readonly number[]): string {
    return this.constant(fixed('int64', [values.length], values))
  }

  /** A new name of a value for the outside. */
  rename(from: string, to: string): void {
    this.nodes.push({ name: to, opType: 'Identity', inputs: [from], outputs: [to] })
  }

  /** The name of a value with its axes in another order. */
  arranged(value: Written, order: readonly number[]): string {
    if (value.constant) return this.constant(permuteFixed(value.constant, order))
    const perm = order.map((axis) => value.order.indexOf(axis))
    if (perm.every((axis, i) => axis === i)) return value.name
    return this.node('Transpose', [value.name], { perm })
  }

  plain(value: Written): string {
    return this.arranged(value, plainOrder(value.shape.length))
  }

  /** The name of a value in another shape; a size that the batch decides is left to be worked out. */
  reshaped(value: Written, shape: Shape): string {
    return this.node('Reshape', [this.plain(value), this.integers(shape.map(batchOr))])
  }

  /** The name of an operand of an elementwise operation whose result has `rank` axes in `order`. */
  operand(value: Written, rank: number, order: readonly number[]): string {
    const missing = rank - value.shape.length
    const shape = [...new Array<number>(missing).fill(1), ...value.shape]
    if (value.constant) {
      const even = value.constant.data.every((v, _, data) => v === data[0])
      if (even) return this.constant(fixed('float32', [], [value.constant.data[0]]))
      return this.constant(permuteFixed({ ...value.constant, shape }, order))
    }
    if (missing === 0) return this.arranged(value, order)
    const wide = this.reshaped(value, shape)
    return this.arranged({ name: wide, shape, order: plainOrder(rank) }, order)
  }
}

const batchOr = (n: number) => (n % batchMark === 0 ? -1 : n)

/** The operand that decides the order of axes: the largest that isn't constant. */
export function orderOf(operands: readonly Written[], rank: number): readonly number[] {
  const moving = operands.filter((value) => !value.constant && value.shape.length === rank)
  moving.sort((a, b) => sizeOf(b.shape) - sizeOf(a.shape))
  return moving[0]?.order ?? plainOrder(rank)
}

/** Axes of a value as the file has them. */
export const axesIn = (value: Written, axes: readonly number[]): number[] =>
  axes.map((axis) => value.order.indexOf(axis))

export const sizesIn = (value: Written): number[] => permuted(value.shape, value.order)
