import { invariant } from '../base/errors.ts'
import type { Tensor, Variable } from './tensor.ts'

/** What computes tensors; the compiler installs itself here, so that the graph needn't know it. */
export interface Engine {
  /** How it rounds, in a word: the same word, the same bits. */
  readonly arithmetic: string
  evaluate(tensors: readonly Tensor[]): Promise<Float32Array[]>
  read(variable: Variable): Float32Array
  write(variable: Variable, values: ArrayLike<number>): void
}

let current: Engine | undefined

export const installEngine = (engine: Engine): void => {
  current = engine
}

export function engine(): Engine {
  invariant(current !== undefined, 'no engine is installed: import fovea, not a part of its graph')
  return current
}
