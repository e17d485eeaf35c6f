import { fail } from '../base/errors.ts'
import * as graph from '../graph/index.ts'
import { add, div, exp, expm1, less, log1p, maximum, minimum, mul, where } from '../graph/index.ts'
import type { Tensor } from '../graph/tensor.ts'
import { checkRange } from './checks.ts'
import { type Dual, dual, type Layer, unary, weight } from './layer.ts'
import type { Kept } from './types/shapes.ts'

/** max(x, 0). */
export const relu: Dual<[], Kept> = dual('relu', (x: Tensor) => graph.relu(x))

/** min(max(x, 0), 6). */
export const relu6: Dual<[], Kept> = dual('relu6', (x: Tensor) => minimum(maximum(x, 0), 6))

/** x above 0, `slope` * x below. Default slope 0.01. */
export const leakyRelu: Dual<[slope?: number], Kept> = dual('leakyRelu', (x: Tensor, slope: number = 0.01) =>
  where(less(0, x), x, mul(checkRange('leakyRelu', 'slope', slope), x)),
)

/** Where the branch that isn't taken is bounded, so that exp can't overflow: not at 0, a tie has no derivative. */
const unused = 1

/** x above 0, alpha * (exp(x) - 1) below (Clevert et al. 2016). Default alpha 1. */
export const elu: Dual<[alpha?: number], Kept> = dual('elu', (x: Tensor, alpha: number = 1) =>
  where(less(0, x), x, mul(checkRange('elu', 'alpha', alpha), expm1(minimum(x, unused)))),
)

const seluScale = 1.0507009873554805
const seluAlpha = 1.6732632423543772

/** Scaled elu that keeps mean 0 and variance 1 (Klambauer et al. 2017). */
export const selu: Dual<[], Kept> = dual('selu', (x: Tensor) => mul(seluScale, elu(x, seluAlpha)))

/** x times the normal distribution's integral up to x (Hendrycks & Gimpel 2016); 'tanh' approximates it. */
export const gelu: Dual<[approximate?: 'none' | 'tanh'], Kept> = dual(
  'gelu',
  (x: Tensor, approximate: 'none' | 'tanh' = 'none') => {
    if (approximate !== 'none' && approximate !== 'tanh')
      fail('gelu', `approximation '${approximate}' is unknown`, "Use 'none' or 'tanh'")
    if (approximate === 'none') return mul(mul(0.5, x), add(1, graph.erf(mul(x, Math.SQRT1_2))))
    // (1 + tanh(u)) / 2 = sigmoid(2u), without what cancels where x is far below 0
    const u = mul(Math.sqrt(2 / Math.PI), add(x, mul(0.044715, graph.pow(x, 3))))
    return mul(x, graph.sigmoid(mul(2, u)))
  },
)

/** x * sigmoid(x) (swish; Ramachandran et al. 2017). */
export const silu: Dual<[], Kept> = dual('silu', (x: Tensor) => mul(x, graph.sigmoid(x)))

/** Above this, log(1 + exp(x)) is x in float32; exp must not overflow. */
const softplusLimit = 20

/** log(1 + exp(x)). */
export const softplus: Dual<[], Kept> = dual('softplus', (x: Tensor) =>
  where(less(x, softplusLimit), log1p(exp(minimum(x, softplusLimit))), x),
)

/** x * tanh(softplus(x)) (Misra 2019). */
export const mish: Dual<[], Kept> = dual('mish', (x: Tensor) => mul(x, graph.tanh(softplus(x))))

/** min(max(x + 3, 0), 6) / 6. */
export const hardSigmoid: Dual<[], Kept> = dual('hardSigmoid', (x: Tensor) => mul(relu6(add(x, 3)), 1 / 6))

/** x * hardSigmoid(x) (Howard et al., MobileNetV3, 2019). */
export const hardSwish: Dual<[], Kept> = dual('hardSwish', (x: Tensor) => mul(x, hardSigmoid(x)))

/** x / (1 + |x|). */
export const softsign: Dual<[], Kept> = dual('softsign', (x: Tensor) => div(x, add(1, graph.abs(x))))

/** 1 / (1 + exp(-x)). */
export const sigmoid: Dual<[], Kept> = dual('sigmoid', (x: Tensor) => graph.sigmoid(x))

/** Hyperbolic tangent. */
export const tanh: Dual<[], Kept> = dual('tanh', (x: Tensor) => graph.tanh(x))

/** `compute`, which works along the last axis, along another one. */
function along(x: Tensor, axis: number, compute: (x: Tensor) => Tensor): Tensor {
  const rank = x.shape.length
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    fail('softmax', `axis ${axis} of a tensor with ${rank} axes`, `Give an axis from ${-rank} to ${rank - 1}`)
  const at = axis < 0 ? axis + rank : axis
  const order = x.shape.map((_, i) => (i === at ? rank - 1 : i === rank - 1 ? at : i))
  return graph.transpose(compute(graph.transpose(x, order)), order)
}

/** exp(x) / sum of exp(x) along `axis`, default the last. */
export const softmax: Dual<[axis?: number], Kept> = dual('softmax', (x: Tensor, axis: number = -1) =>
  along(x, axis, graph.softmax),
)

/** log(softmax(x)) along `axis`, default the last. */
export const logSoftmax: Dual<[axis?: number], Kept> = dual('logSoftmax', (x: Tensor, axis: number = -1) =>
  along(x, axis, graph.logSoftmax),
)

const byName = {
  linear: (x: Tensor) => x,
  relu,
  relu6,
  leakyRelu: (x: Tensor) => leakyRelu(x),
  elu: (x: Tensor) => elu(x),
  selu,
  gelu: (x: Tensor) => gelu(x),
  geluTanh: (x: Tensor) => gelu(x, 'tanh'),
  silu,
  softplus,
  mish,
  hardSigmoid,
  hardSwish,
  softsign,
  sigmoid,
  tanh,
  softmax: (x: Tensor) => softmax(x),
  logSoftmax: (x: Tensor) => logSoftmax(x),
}

/** What the option `activation` of other layers takes. */
export type ActivationName = keyof typeof byName

/** The function of a name, or an error that lists the names. */
export function activationOf(operation: string, name: ActivationName): (x: Tensor) => Tensor {
  if (!Object.hasOwn(byName, name))
    fail(operation, `activation '${name}' is unknown`, `Use one of ${Object.keys(byName).join(', ')}`)
  return byName[name]
}

/** An activation by name, as a layer. */
export function activation(name: ActivationName): Layer<Kept> {
  const apply = activationOf('activation', name)
  return unary('activation', [name], () => ({ apply }))
}

/** x above 0, a learned slope per channel times x below (He et al. 2015). First slopes `initial`, default 0.25. */
export function prelu(initial = 0.25): Layer<Kept> {
  checkRange('prelu', 'initial', initial)
  return unary('prelu', [initial], (shape, context) => {
    const slope = weight(context, 'weight', [shape.at(-1)!], { name: 'constant', value: initial })
    return { parameters: [slope], apply: (x) => where(less(0, x), x, mul(slope.value, x)) }
  })
}
