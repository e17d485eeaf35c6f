import { fail } from './base/errors.ts'
import { type Shape, showShape, sizeOf } from './base/shape.ts'
import { installEngine } from './graph/engine.ts'
import { referenceValues } from './graph/reference.ts'
import { placeholder, Tensor, Update, type Variable } from './graph/tensor.ts'
import { mapTree, type Tree } from './tree.ts'

export type Target = 'wasm' | 'interpreter' | 'reference'

export interface CompileOptions {
  /** 'wasm' (default); 'interpreter' and 'reference' are slow and serve to check it. */
  readonly target?: Target
}

export type Traced<S> = S extends Shape ? Tensor : { [K in keyof S]: Traced<S[K]> }
export type Values<S> = S extends Shape ? ArrayLike<number> : { [K in keyof S]: Values<S[K]> }
export type TracedOf<S extends readonly unknown[]> = { [K in keyof S]: Traced<S[K]> }
export type ValuesOf<S extends readonly unknown[]> = { [K in keyof S]: Values<S[K]> }
export type Results<R> = R extends Tensor ? Float32Array : R extends Update ? undefined : { [K in keyof R]: Results<R[K]> }

/** A compiled function. Calls queue; each returns a promise of copies. */
export type Program<S extends readonly unknown[], R> = (...values: ValuesOf<S>) => Promise<Results<R>>

interface Executable {
  run(inputs: readonly ArrayLike<number>[]): Float32Array[]
}

const isShape = (value: unknown) => Array.isArray(value) && value.every((n) => typeof n === 'number')
const isTensor = (value: unknown) => value instanceof Tensor || value instanceof Update
const isArray = (value: unknown) => ArrayBuffer.isView(value) || isShape(value) || typeof value === 'number'

function referenceExecutable(inputs: readonly Tensor[], outputs: readonly Tensor[], updates: readonly Update[]): Executable {
  return {
    run(values) {
      const feeds = new Map(inputs.map((input, i) => [input, values[i]!]))
      const results = referenceValues([...outputs, ...updates.map((u) => u.value)], feeds)
      updates.forEach(({ variable }, i) => {
        variable.write(results[outputs.length + i]!)
      })
      return results.slice(0, outputs.length).map((result) => Float32Array.from(result))
    },
  }
}

let queue: Promise<unknown> = Promise.resolve()

/**
 * Makes a program of a function of tensors: traced once, with placeholders of the given shapes.
 * @param fn takes trees of tensors, returns a tree of tensors and updates of variables
 * @param shapes one tree of shapes per argument
 */
export function compile<const S extends readonly unknown[], R>(
  fn: (...inputs: TracedOf<S>) => R,
  shapes: S,
  _options: CompileOptions = {},
): Program<S, R> {
  const inputs: Tensor[] = []
  const traced = mapTree<Shape, Tensor>(shapes as unknown as Tree<Shape>, isShape, (shape) => {
    const input = placeholder(shape)
    inputs.push(input)
    return input
  }) as unknown as TracedOf<S>
  const result = fn(...traced)
  const outputs: Tensor[] = []
  const updates: Update[] = []
  const layout = mapTree<Tensor | Update, number>(result as Tree<Tensor | Update>, isTensor, (leaf, path) => {
    if (leaf instanceof Tensor) return outputs.push(leaf) - 1
    if (leaf instanceof Update) updates.push(leaf)
    else fail('compile', `the function returned ${String(leaf)} at '${path}'`, 'Return tensors and updates only')
    return -1
  })
  const executable = referenceExecutable(inputs, outputs, updates)
  return (...values) => {
    const flat: ArrayLike<number>[] = []
    mapTree<ArrayLike<number> | number, void>(values as never, isArray, (value) => {
      const list = typeof value === 'number' ? [value] : value
      const input = inputs[flat.length]
      if (!input) fail('program', 'more values than inputs', `Give ${inputs.length}`)
      if (list.length !== sizeOf(input.shape))
        fail('program', `${list.length} values for an input of shape ${showShape(input.shape)}`, `Give ${sizeOf(input.shape)}`)
      flat.push(list)
    })
    if (flat.length !== inputs.length) fail('program', `${flat.length} values for ${inputs.length} inputs`, 'Give one each')
    const turn = queue.then(() => executable.run(flat))
    queue = turn.catch(() => undefined)
    return turn.then(
      (results) => mapTree<number, unknown>(layout, (v) => typeof v === 'number', (i) => results[i]) as Results<R>,
    )
  }
}

installEngine({
  evaluate: async (tensors) => referenceValues(tensors).map((values) => Float32Array.from(values)),
  read: (variable: Variable) => Float32Array.from(variable.initial!),
  write: (variable, values) => variable.initial!.set(Float32Array.from(values)),
})
