import { FoveaError, fail } from '../../base/errors.ts'
import { type Shape, showShape, sizeOf } from '../../base/shape.ts'
import { referenceValues } from '../../graph/reference.ts'
import { topological } from '../../graph/tensor.ts'
import type { ElementType, Fixed } from './elements.ts'
import { fixed } from './elements.ts'
import type { OnnxNode } from './graph.ts'
import { readTensor } from './tensors.ts'
import { isFixed, type Live, plain, type Value } from './value.ts'

/** An operation needs to know the values of some of its inputs, by name, when the program is made. */
export class NeedsValue extends Error {
  readonly inputs: readonly string[]

  constructor(inputs: readonly string[]) {
    super(`the values of ${inputs.join(', ')} are needed`)
    this.inputs = inputs
  }
}

interface Made {
  readonly inputs: readonly (Value | undefined)[]
  readonly result: unknown
}

const made = new WeakMap<OnnxNode, Map<string, Made>>()

const decoder = new TextDecoder()

/** A node with its inputs, while a program is built of it. */
export class Use {
  readonly node: OnnxNode
  readonly opset: number
  readonly inputs: readonly (Value | undefined)[]

  constructor(node: OnnxNode, opset: number, inputs: readonly (Value | undefined)[]) {
    this.node = node
    this.opset = opset
    this.inputs = inputs
  }

  /** The same node with other inputs. */
  with(inputs: readonly (Value | undefined)[]): Use {
    return new Use(this.node, this.opset, inputs)
  }

  fail(problem: string, remedy = 'Export the model without it'): never {
    return fail('onnx', `${this.node.title}: ${problem}`, remedy)
  }

  has(i: number): boolean {
    return this.inputs[i] !== undefined
  }

  input(i: number): Value {
    return this.inputs[i] ?? this.fail(`input ${i} is missing`, 'The file is damaged')
  }

  /** Input i, whose values must be known. */
  fixed(i: number): Fixed {
    const value = this.input(i)
    return isFixed(value) ? value : this.#evaluate(value, i)
  }

  /** The numbers of input i, or `usual` where it's left out. */
  numbers(i: number, usual?: readonly number[]): readonly number[] {
    return !this.has(i) && usual ? usual : [...this.fixed(i).data]
  }

  #evaluate(value: Live, i: number): Fixed {
    if (topological([value.tensor]).some(({ operation }) => operation.kind === 'placeholder'))
      throw new NeedsValue([this.node.inputs[i]])
    if (sizeOf(value.tensor.shape) > 65536) this.fail(`input ${i} must be known beforehand`)
    return fixed(value.type, value.shape, referenceValues([plain(value)])[0])
  }

  /** What `make` made of the same values of inputs `from` and later the last time: of weights it's made once. */
  once<T>(from: number, make: () => T, name = ''): T {
    const inputs = this.inputs.slice(from)
    const kept = made.get(this.node) ?? new Map<string, Made>()
    made.set(this.node, kept)
    const before = kept.get(name)
    if (before?.inputs.length === inputs.length && before.inputs.every((value, i) => value === inputs[i]))
      return before.result as T
    const result = make()
    kept.set(name, { inputs, result })
    return result
  }

  hasAttribute(name: string): boolean {
    return this.node.attributes.has(name)
  }

  int(name: string, usual?: number): number {
    const attribute = this.node.attributes.get(name)
    if (!attribute) return usual ?? this.fail(`attribute '${name}' is missing`, 'The file is damaged')
    return attribute.i ?? 0
  }

  float(name: string, usual: number): number {
    const attribute = this.node.attributes.get(name)
    return attribute ? (attribute.f ?? 0) : usual
  }

  ints(name: string): readonly number[] | undefined {
    return this.node.attributes.get(name)?.ints
  }

  floats(name: string): readonly number[] | undefined {
    return this.node.attributes.get(name)?.floats
  }

  text(name: string, usual: string): string {
    const bytes = this.node.attributes.get(name)?.s
    return bytes ? decoder.decode(bytes) : usual
  }

  tensor(name: string): Fixed | undefined {
    const message = this.node.attributes.get(name)?.t
    return message && readTensor(message, `${this.node.title}: attribute '${name}'`)
  }

  /** An axis of a tensor of `rank` axes, from the front. */
  axis(value: number, rank: number): number {
    const axis = value < 0 ? value + rank : value
    if (!Number.isInteger(axis) || axis < 0 || axis >= rank) this.fail(`axis ${value} of ${rank} axes`, 'Check it')
    return axis
  }

  /** Axes by attribute (before `since`) or by input i. */
  axes(name: string, since: number, i: number): readonly number[] | undefined {
    if (this.opset < since) return this.ints(name)
    return this.has(i) ? this.numbers(i) : undefined
  }

  shape(i: number): Shape {
    return this.input(i).shape
  }

  type(i: number): ElementType {
    return this.input(i).type
  }

  /** Runs `build`; an error in it names the node. */
  naming<T>(build: () => T): T {
    try {
      return build()
    } catch (error) {
      if (!(error instanceof FoveaError) || error.message.startsWith('onnx: ')) throw error
      const shapes = this.inputs.map((value) => (value ? showShape(value.shape) : '-')).join(', ')
      throw new FoveaError(`onnx: ${this.node.title} of ${shapes}: ${error.message}`, { cause: error })
    }
  }
}

export type Result = Value | readonly (Value | undefined)[]
export type Op = (use: Use) => Result
export type Ops = Readonly<Record<string, Op>>

/** An operation that is computed from known inputs, beside programs: what it gives, or how much, depends on values. */
export interface HostOp {
  /** Inputs that the operation of the same name in `Ops` needs to know: the others may be live there. Default: all. */
  readonly needs?: (use: Use) => readonly number[]
  readonly run: (use: Use) => readonly (Fixed | undefined)[]
}
export type HostOps = Readonly<Record<string, HostOp>>
