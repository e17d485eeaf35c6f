import type { Shape } from '../base/shape.ts'
import { add } from '../graph/map.ts'
import type { Tensor, Variable } from '../graph/tensor.ts'
import { type ActivationName, activationOf } from './activations.ts'
import { type Fans, type Initializer, initialValues } from './initializers.ts'
import { type BuildContext, type UnaryLayer, weight } from './layer.ts'

/** What every layer with a kernel takes. */
export interface WeightOptions {
  /** Adds a learned number to each output channel. Default true. */
  readonly bias?: boolean
  /** Applied to the result, by name. Default none. */
  readonly activation?: ActivationName
  /** Default 'glorotUniform'. */
  readonly kernelInitializer?: Initializer
  /** Default 'zeros'. */
  readonly biasInitializer?: Initializer
}

export const weightNames = ['bias', 'activation', 'kernelInitializer', 'biasInitializer']

/** Checks of `WeightOptions` that need no shape: names are known, initialisers exist. */
export function checkWeights(operation: string, options: WeightOptions): void {
  activationOf(operation, options.activation ?? 'linear')
  const random = { next: () => 0, integer: () => 0, normal: () => 0 }
  for (const initializer of [options.kernelInitializer, options.biasInitializer])
    if (initializer !== undefined) initialValues(initializer, [], random)
}

export interface Linear {
  readonly kernels: readonly { name: string; shape: Shape; fans: Fans }[]
  readonly channels: number
  compute(x: Tensor, kernels: readonly Tensor[]): Tensor
}

/** The weights of a layer with kernels, and its bias and activation after what `linear` computes. */
export function withWeights(context: BuildContext, options: WeightOptions, linear: Linear): UnaryLayer {
  const { kernelInitializer = 'glorotUniform', biasInitializer = 'zeros' } = options
  const kernels = linear.kernels.map(({ name, shape, fans }) => weight(context, name, shape, kernelInitializer, fans))
  const parameters: Variable[] = [...kernels]
  const bias = options.bias === false ? undefined : weight(context, 'bias', [linear.channels], biasInitializer)
  if (bias) parameters.push(bias)
  const activate = activationOf(context.name, options.activation ?? 'linear')
  return {
    parameters,
    apply(x) {
      const y = linear.compute(
        x,
        kernels.map((kernel) => kernel.value),
      )
      return activate(bias ? add(y, bias.value) : y)
    },
  }
}
