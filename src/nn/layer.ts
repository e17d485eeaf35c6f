import { FoveaError, fail } from '../base/errors.ts'
import type { RandomSource } from '../base/random.ts'
import { type Shape, sameShape, showShape } from '../base/shape.ts'
import { fill, placeholder, Tensor, type Update, Variable } from '../graph/tensor.ts'
import { type Fans, type Initializer, initialValues } from './initializers.ts'
import type { Ruled } from './types/rule.ts'

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

/** A context for one program: its first use of chance has salt 0, the next 1, and so on. */
export function runContext(training: boolean, key: Tensor): RunContext {
  let uses = 0
  return { training, key, salt: () => uses++, updates: [] }
}

/** A weight by its name, as a saved model has it. */
export interface Weights {
  readonly shape: Shape
  readonly data: Float32Array
}

/** What a layer is given when it's built. */
export interface BuildContext {
  /** Where first weights come from: a stream of this layer's own. */
  readonly random: RandomSource
  /** Unique in the model, for example 'conv2d_1'; prefix of its variables' names: 'conv2d_1.weight'. */
  readonly name: string
  /** A saved model's weights, which stand in place of first ones. */
  readonly saved: ReadonlyMap<string, Weights> | undefined
  /** Builds a layer inside this one; the same layer is built once and shares its weights. */
  inner(layer: Layer, shapes: readonly Shape[]): BuiltLayer
}

/** A layer with its weights, for inputs of known shapes. Shapes are of one sample, without N. */
export interface BuiltLayer {
  readonly shape: Shape
  /** Trained. */
  readonly parameters: readonly Variable[]
  /** Kept but not trained: running statistics. */
  readonly state: readonly Variable[]
  /** The result [N, ...shape] for inputs [N, ...], as an expression. */
  apply(inputs: readonly Tensor[], run: RunContext): Tensor
}

/** One use of a layer in a functional model: a node with the shape of one sample. */
export interface Node {
  readonly layer: Layer
  readonly inputs: readonly Node[]
}

/**
 * A description of a layer: no weights yet. Calling it on nodes is the functional form: `conv2d(8, 3)(x)`.
 * `config` is what the factory was given, as JSON, so that a saved model can be built again. `Rule` tells TypeScript
 * what it does to shapes (see types/rule.ts); no value holds it.
 */
export interface Layer<Rule = unknown> extends Ruled<Rule> {
  (...inputs: readonly Node[]): Node
  readonly kind: string
  readonly config: readonly unknown[]
  /** Gives it weights for inputs of these shapes, without N; a shape that it can't take is an error. */
  build(shapes: readonly Shape[], context: BuildContext): BuiltLayer
}

export const isLayer = (value: unknown): value is Layer => typeof value === 'function' && 'kind' in value

/** Makes a layer of its description. */
export function layer<Rule = unknown>(kind: string, config: readonly unknown[], build: Layer['build']): Layer<Rule> {
  const made = (...inputs: readonly Node[]): Node => ({ layer: made as Layer, inputs })
  return Object.assign(made, { kind, config, build }) as Layer<Rule>
}

type Apply = BuiltLayer['apply']

/** The shape of one sample of what `apply` makes of inputs of given shapes. */
export function resultShape(apply: Apply, shapes: readonly Shape[]): Shape {
  const inputs = shapes.map((shape) => placeholder([1, ...shape]))
  return apply(inputs, runContext(false, fill([2], 0))).shape.slice(1)
}

/** A layer of several inputs, without weights. */
export const merge = (kind: string, config: readonly unknown[], apply: Apply): Layer =>
  layer(kind, config, (shapes) => ({ shape: resultShape(apply, shapes), parameters: [], state: [], apply }))

export interface UnaryLayer {
  readonly parameters?: readonly Variable[]
  readonly state?: readonly Variable[]
  apply(x: Tensor, run: RunContext): Tensor
}

/** A layer of one input. */
export function unary<Rule = unknown>(
  kind: string,
  config: readonly unknown[],
  build: (shape: Shape, context: BuildContext) => UnaryLayer,
): Layer<Rule> {
  return layer(kind, config, (shapes, context) => {
    if (shapes.length !== 1) fail(kind, `${shapes.length} inputs`, 'Give one; join several with concatenate() or add()')
    const { parameters = [], state = [], apply } = build(shapes[0]!, context)
    const applyAll: Apply = (inputs, run) => apply(inputs[0]!, run)
    return { shape: resultShape(applyAll, shapes), parameters, state, apply: applyAll }
  })
}

/** Without a tensor in front it makes a layer, with one it computes at once. */
export interface Dual<A extends readonly unknown[], Rule = unknown> {
  (...options: A): Layer<Rule>
  (x: Tensor, ...options: A): Tensor
}

/** A function of one tensor that is a layer, too. */
/* @__NO_SIDE_EFFECTS__ */
export function dual<A extends readonly unknown[], Rule = unknown>(
  kind: string,
  compute: (x: Tensor, ...options: A) => Tensor,
): Dual<A, Rule> {
  const both = (...values: [Tensor, ...A] | A) => {
    if (values[0] instanceof Tensor) return compute(...(values as [Tensor, ...A]))
    return unary(kind, values, () => ({ apply: (x) => compute(x, ...(values as A)) }))
  }
  return both as Dual<A, Rule>
}

/** A variable of a layer, drawn by its initialiser or taken from the saved model. */
export function weight(
  context: BuildContext,
  name: string,
  shape: Shape,
  initializer: Initializer,
  fans?: Fans,
): Variable {
  const fullName = `${context.name}.${name}`
  if (!context.saved) {
    const values = initializer === 'zeros' ? undefined : initialValues(initializer, shape, context.random, fans)
    return new Variable(values, shape, fullName)
  }
  const saved = context.saved.get(fullName)
  if (!saved) fail('loadModel', `weight '${fullName}' is missing`, 'Save the whole model again')
  if (!sameShape(saved.shape, shape))
    fail(
      'loadModel',
      `weight '${fullName}' has shape ${showShape(saved.shape)}, but its layer needs ${showShape(shape)}`,
      'Save the model again',
    )
  return new Variable(saved.data, shape, fullName)
}

/** Runs `build`; an error in it names the layer instead of the operation. */
export function naming<T>(name: string, build: () => T): T {
  try {
    return build()
  } catch (error) {
    if (!(error instanceof FoveaError) || error.message.startsWith(`${name}.`) || error.message.startsWith('loadModel'))
      throw error
    throw new FoveaError(`${name}: ${error.message.replace(/^[\w.]+: /, '')}`, { cause: error })
  }
}
