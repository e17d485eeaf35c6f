import { FoveaError, fail } from '../../base/errors.ts'
import { type Shape, showShape } from '../../base/shape.ts'
import { referenceValues } from '../../graph/reference.ts'
import { type Tensor, topological } from '../../graph/tensor.ts'
import type { ElementType, Fixed } from './elements.ts'
import { fixed } from './elements.ts'
import type { OnnxNode } from './graph.ts'
import { readTensor } from './tensors.ts'
import { isFixed, type Live, plain, type Value } from './value.ts'

/** An operation needs to know the values of an input of the model, by its name, when the program is made. */
export class NeedsValue extends Error {
  readonly input: string

  constructor(input: string) {
    super(`the value of input '${input}' is needed`)
    this.input = input
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
  readonly #names: ReadonlyMap<Tensor, string>

  /** @param names of the model's inputs by their placeholders */
  constructor(
    node: OnnxNode,
    opset: number,
    inputs: readonly (Value | undefined)[],
    names: ReadonlyMap<Tensor, string>,
  ) {
    this.node = node
    this.opset = opset
    this.inputs = inputs
    this.#names = names
  }

  /** The same node with other inputs. */
  with(inputs: readonly (Value | undefined)[]): Use {
    return new Use(this.node, this.opset, inputs, this.#names)
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
    for (const node of topological([value.tensor])) {
      const name = this.#names.get(node)
      if (name !== undefined) throw new NeedsValue(name)
    }
    if (value.tensor.shape.reduce((a, b) => a * b, 1) > 65536) this.fail(`input ${i} must be known beforehand`)
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
