import { checkCount, fail } from '../base/errors.ts'
import { type Shape, sameShape, showShape, sizeOf } from '../base/shape.ts'
import type { Contraction, ConvSpec } from '../conv/spec.ts'
import { engine } from './engine.ts'
import type { MapFunction } from './map.ts'
import type { Table } from './resample.ts'

/** What a node computes from its inputs. Everything users write is built from these. */
export type Operation =
  | { readonly kind: 'placeholder' }
  | { readonly kind: 'constant'; readonly data: Float32Array }
  | { readonly kind: 'fill'; readonly value: number }
  | { readonly kind: 'variable'; readonly variable: Variable }
  | { readonly kind: 'map'; readonly fn: MapFunction }
  | { readonly kind: 'uniform'; readonly salt: number }
  | { readonly kind: 'reduce'; readonly fn: 'sum' | 'max'; readonly axes: readonly number[] }
  | { readonly kind: 'reshape' }
  | { readonly kind: 'transpose'; readonly order: readonly number[] }
  | { readonly kind: 'pad'; readonly low: Shape; readonly high: Shape; readonly value: number }
  | { readonly kind: 'concat'; readonly axis: number }
  | { readonly kind: 'resample'; readonly axis: number; readonly table: Table }
  | { readonly kind: 'contract'; readonly contraction: Contraction; readonly spec: ConvSpec }
  | { readonly kind: 'windowMax' | 'windowMaxGather' | 'windowMaxScatter'; readonly spec: ConvSpec }

/** An expression with a static shape. Nothing is computed until its data is asked for or a program is compiled. */
export class Tensor {
  readonly operation: Operation
  readonly inputs: readonly Tensor[]
  readonly shape: Shape

  constructor(operation: Operation, inputs: readonly Tensor[], shape: Shape) {
    this.operation = operation
    this.inputs = inputs
    this.shape = Object.freeze([...shape])
  }

  /** Computes the values, row-major. Every call computes anew; compile a program for repeated use. */
  async data(): Promise<Float32Array> {
    return (await engine().evaluate([this]))[0]!
  }
}

/**
 * State that lives between calls of programs: weights, moments, running statistics. Programs read and update it in
 * place; `read` and `write` copy.
 */
export class Variable {
  readonly shape: Shape
  readonly name: string
  /** First values (none: zeros); the engine releases them once the variable lies in its memory. */
  initial: Float32Array | undefined
  /** The expression that stands for its value at the start of a program. */
  readonly value: Tensor

  /** @param initial first values, row-major; undefined: zeros, which take no memory until a program needs them */
  constructor(initial: ArrayLike<number> | undefined, shape: Shape, name = 'variable') {
    if (initial) checkData('variable', initial, shape)
    // of a typed array far faster than Float32Array.from, which iterates
    this.initial = initial && new Float32Array(initial)
    this.shape = Object.freeze([...shape])
    this.name = name
    this.value = new Tensor({ kind: 'variable', variable: this }, [], shape)
  }

  /** A copy of its values, row-major. */
  read(): Float32Array {
    return engine().read(this)
  }

  /** Puts new values in, row-major, as many as the shape has: programs see them from their next run on. */
  write(values: ArrayLike<number>): void {
    checkData('variable.write', values, this.shape)
    engine().write(this, values)
  }
}

/** `variable` becomes `value` at the end of the program in whose result this stands. */
export class Update {
  readonly variable: Variable
  readonly value: Tensor

  constructor(variable: Variable, value: Tensor) {
    if (!sameShape(variable.shape, value.shape))
      fail(
        'update',
        `${variable.name} has shape ${showShape(variable.shape)}, its new value ${showShape(value.shape)}`,
        'Give a value of the same shape',
      )
    this.variable = variable
    this.value = value
  }
}

/** A program that returns this stores `value` in `variable` at its end. Shapes must be equal. */
export const update = (variable: Variable, value: Tensor): Update => new Update(variable, value)

function checkData(operation: string, data: ArrayLike<number>, shape: Shape): void {
  for (const extent of shape) checkCount(operation, 'every size', extent, 1)
  if (data.length !== sizeOf(shape))
    fail(
      operation,
      `${data.length} values don't fill shape ${showShape(shape)} (${sizeOf(shape)} elements)`,
      'Give as many values as the shape holds',
    )
}

/** A tensor with given values, row-major, copied to float32. Without a shape: a vector. */
export function tensor(data: ArrayLike<number>, shape: Shape = [data.length]): Tensor {
  checkData('tensor', data, shape)
  return new Tensor({ kind: 'constant', data: Float32Array.from(data) }, [], shape)
}

/** A tensor with one value everywhere. */
export const fill = (shape: Shape, value: number): Tensor => new Tensor({ kind: 'fill', value }, [], shape)

/** A tensor whose values are given when a program runs. */
export function placeholder(shape: Shape): Tensor {
  for (const extent of shape) checkCount('placeholder', 'every size', extent, 1)
  return new Tensor({ kind: 'placeholder' }, [], shape)
}

/** Numbers stand for tensors with one element. */
export const asTensor = (value: Tensor | number): Tensor => (typeof value === 'number' ? fill([], value) : value)

/** All nodes that `roots` depend on, inputs before their users, each once. */
export function topological(roots: readonly Tensor[]): Tensor[] {
  const order: Tensor[] = []
  const state = new Set<Tensor>()
  const stack: { node: Tensor; next: number }[] = []
  for (const root of roots) {
    if (state.has(root)) continue
    state.add(root)
    stack.push({ node: root, next: 0 })
    while (stack.length > 0) {
      const top = stack.at(-1)!
      const input = top.node.inputs[top.next++]
      if (input === undefined) {
        order.push(top.node)
        stack.pop()
      } else if (!state.has(input)) {
        state.add(input)
        stack.push({ node: input, next: 0 })
      }
    }
  }
  return order
}

/** Axis numbers made non-negative and checked. */
export function checkAxes(operation: string, axes: readonly number[], rank: number): number[] {
  const list = axes.map((axis) => (axis < 0 ? axis + rank : axis))
  for (const [i, axis] of list.entries())
    if (!Number.isInteger(axis) || axis < 0 || axis >= rank || list.indexOf(axis) !== i)
      fail(
        operation,
        `axes ${axes.join(', ')} of a tensor with ${rank} axes`,
        `Give each axis once, from 0 to ${rank - 1}`,
      )
  return list
}
