import type { RandomSource } from '../base/random.ts'
import type { Shape } from '../base/shape.ts'
import type { Tensor, Update, Variable } from '../graph/tensor.ts'

/** What a layer may use while its part of a program is built. */
export interface RunContext {
  /** Dropout drops, batch normalisation uses and updates statistics. */
  readonly training: boolean
  /** [seed, step] of this model's chance, for `uniform`. */
  readonly key: Tensor
  /** A number that tells this use of chance from all others in the model. */
  salt(): number
  /** Running statistics that the program shall update. */
  readonly updates: Update[]
}

export interface BuildContext {
  /** Where first weights come from: a stream of this layer's own. */
  readonly random: RandomSource
  /** Unique in the model, for example 'conv2d_1'; prefix of its variables' names: 'conv2d_1.weight'. */
  readonly name: string
}

/** A layer with its weights, for inputs of known shapes. Shapes are of one sample, without N. */
export interface BuiltLayer {
  readonly shape: Shape
  /** Trained. */
  readonly parameters: readonly Variable[]
  /** Kept but not trained: running statistics. */
  readonly state: readonly Variable[]
  apply(inputs: readonly Tensor[], run: RunContext): Tensor
}

/** One use of a layer in a functional model: a node with the shape of one sample. */
export interface Node {
  readonly layer: Layer
  readonly inputs: readonly Node[]
}

/**
 * A description of a layer: no weights yet. Calling it on nodes is the functional form: `conv2d(8, 3)(x)`.
 * `config` is what the factory was given, as JSON, so that a saved model can be built again.
 */
export interface Layer {
  (...inputs: readonly Node[]): Node
  readonly kind: string
  readonly config: readonly unknown[]
  build(shapes: readonly Shape[], context: BuildContext): BuiltLayer
}

/** Makes a layer of its description. */
export function layer(kind: string, config: readonly unknown[], build: Layer['build']): Layer {
  const made = (...inputs: readonly Node[]): Node => ({ layer: made as Layer, inputs })
  return Object.assign(made, { kind, config, build }) as Layer
}
