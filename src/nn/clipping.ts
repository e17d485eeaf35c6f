import { add, div, maximum, minimum, mul, sqrt, sum, type Tensor } from '../graph/index.ts'
import { checkRange } from './checks.ts'

/** Every element of every gradient, brought into [-limit, limit]. */
export function clipByValue(gradients: readonly Tensor[], limit: number): Tensor[] {
  checkRange('clipByValue', 'limit', limit, Number.MIN_VALUE)
  return gradients.map((gradient) => maximum(minimum(gradient, limit), -limit))
}

/** The Euclidean norm of all gradients together, []. */
export const globalNorm = (gradients: readonly Tensor[]): Tensor =>
  sqrt(gradients.map((gradient) => sum(mul(gradient, gradient))).reduce((total, square) => add(total, square)))

/**
 * All gradients scaled by one factor, so that their global norm is at most `limit` (Pascanu, Mikolov and Bengio, "On
 * the difficulty of training recurrent neural networks", 2013).
 */
export function clipByGlobalNorm(gradients: readonly Tensor[], limit: number): Tensor[] {
  checkRange('clipByGlobalNorm', 'limit', limit, Number.MIN_VALUE)
  const factor = minimum(div(limit, add(globalNorm(gradients), 1e-6)), 1)
  return gradients.map((gradient) => mul(gradient, factor))
}
