import { abs, add, div, exp, expm1, less, maximum, mul, sqrt, sub, type Tensor, where } from '../graph/index.ts'
import { adam, adamW, blend, type Common, correction, decayed, type Moments, sgd } from './descent.ts'
import { defineOptimizer, isOptimizer, type Optimizer, type OptimizerConfig } from './optimizer.ts'
import { pick } from './options.ts'

// `sgd`, `adam` and `adamW` have a file of their own: a page that names none of the others needn't load them.
export * from './descent.ts'

/** Options of `rmsProp` (Tieleman & Hinton 2012). */
export interface RmsPropOptions extends Common {
  /** Share of the past in the running mean of squares. */
  alpha: number
  eps: number
  /** Share of the last step that is added to the next. */
  momentum: number
  /** Divides by the standard deviation instead of the root of the mean square. */
  centered: boolean
}

/** Tieleman and Hinton, "Lecture 6.5 - RMSProp", 2012. */
export const rmsProp = defineOptimizer<RmsPropOptions>(
  'rmsProp',
  { learningRate: 0.01, alpha: 0.99, eps: 1e-8, momentum: 0, centered: false, weightDecay: 0 },
  ({ alpha, eps, momentum, centered, weightDecay }) => ({
    slots: ['square', ...(centered ? ['mean'] : []), ...(momentum > 0 ? ['momentum'] : [])],
    begin: (_, rate) => (p, gradient, slots) => {
      const g = decayed(gradient, p, weightDecay)
      const square = blend(slots[0], mul(g, g), alpha)
      const mean = centered ? [blend(slots[1], g, alpha)] : []
      // rounding can take a variance of 0 below it
      const variance = centered ? maximum(sub(square, mul(mean[0], mean[0])), 0) : square
      const direction = div(g, add(sqrt(variance), eps))
      if (momentum === 0) return [sub(p, mul(direction, rate)), square, ...mean]
      const velocity = add(mul(slots[slots.length - 1], momentum), direction)
      return [sub(p, mul(velocity, rate)), square, ...mean, velocity]
    },
  }),
)

/** Options of `adadelta` (Zeiler 2012). */
export interface AdadeltaOptions extends Common {
  /** Share of the past in the running means. */
  rho: number
  eps: number
}

/** Zeiler, "ADADELTA: an adaptive learning rate method", 2012. */
export const adadelta = defineOptimizer<AdadeltaOptions>(
  'adadelta',
  { learningRate: 1, rho: 0.9, eps: 1e-6, weightDecay: 0 },
  ({ rho, eps, weightDecay }) => ({
    slots: ['square', 'change'],
    begin:
      (_, rate) =>
      (p, gradient, [squares, changes]) => {
        const g = decayed(gradient, p, weightDecay)
        const square = blend(squares, mul(g, g), rho)
        const move = mul(div(sqrt(add(changes, eps)), sqrt(add(square, eps))), g)
        return [sub(p, mul(move, rate)), square, blend(changes, mul(move, move), rho)]
      },
  }),
)

/** Options of `adagrad` (Duchi, Hazan & Singer 2011). */
export interface AdagradOptions extends Common {
  /** The learning rate at step t is divided by 1 + (t - 1) * learningRateDecay. */
  learningRateDecay: number
  eps: number
}

/** Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning", 2011. */
export const adagrad = defineOptimizer<AdagradOptions>(
  'adagrad',
  { learningRate: 0.01, learningRateDecay: 0, eps: 1e-10, weightDecay: 0 },
  ({ learningRateDecay, eps, weightDecay }) => ({
    slots: ['square'],
    begin: (t, rate) => {
      const size = div(rate, add(1, mul(sub(t, 1), learningRateDecay)))
      return (p, gradient, [squares]) => {
        const g = decayed(gradient, p, weightDecay)
        const square = add(squares, mul(g, g))
        return [sub(p, mul(div(g, add(sqrt(square), eps)), size)), square]
      }
    },
  }),
)

/** Options of `adamax` (Kingma & Ba 2015, section 7.1). */
export interface AdamaxOptions extends Moments {}

/** Adam with the largest absolute gradient in place of the root mean square (Kingma and Ba, 2015, section 7). */
export const adamax = defineOptimizer<AdamaxOptions>(
  'adamax',
  { learningRate: 0.002, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 },
  ({ betas: [beta1, beta2], eps, weightDecay }) => ({
    slots: ['mean', 'largest'],
    begin: (t, rate) => {
      const size = div(rate, correction(beta1, t))
      return (p, gradient, [m, u]) => {
        const g = decayed(gradient, p, weightDecay)
        const mean = blend(m, g, beta1)
        const largest = maximum(mul(u, beta2), add(abs(g), eps))
        return [sub(p, mul(div(mean, largest), size)), mean, largest]
      }
    },
  }),
)

/** Options of `nadam` (Dozat 2016). */
export interface NadamOptions extends Moments {
  /** How fast the momentum grows to betas[0]. */
  momentumDecay: number
  /** As PyTorch did it before 2.0, where the correction of the mean holds the momentum of this step twice. */
  legacy: boolean
}

/** Adam with Nesterov's look ahead (Dozat, "Incorporating Nesterov momentum into Adam", 2016). */
export const nadam = defineOptimizer<NadamOptions>(
  'nadam',
  { learningRate: 0.002, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, momentumDecay: 0.004, legacy: false },
  ({ betas: [beta1, beta2], eps, weightDecay, momentumDecay, legacy }) => {
    /** beta1 * (1 - 0.96^(t * momentumDecay) / 2) */
    const momentumAt = (t: Tensor) => mul(beta1, sub(1, mul(0.5, exp(mul(t, Math.log(0.96) * momentumDecay)))))
    return {
      slots: ['mean', 'square'],
      scalars: { momentumProduct: { initial: 1, next: (last, t) => mul(last, momentumAt(t)) } },
      begin: (t, rate, [product]) => {
        const momentum = momentumAt(t)
        const ahead = momentumAt(add(t, 1))
        const bySlope = div(mul(rate, sub(1, momentum)), sub(1, product))
        const byMean = div(mul(rate, ahead), sub(1, mul(mul(product, legacy ? momentum : 1), ahead)))
        const root = sqrt(correction(beta2, t))
        return (p, gradient, [m, v]) => {
          const g = decayed(gradient, p, weightDecay)
          const mean = blend(m, g, beta1)
          const square = blend(v, mul(g, g), beta2)
          const move = add(mul(g, bySlope), mul(mean, byMean))
          return [sub(p, div(move, add(div(sqrt(square), root), eps))), mean, square]
        }
      },
    }
  },
)

/**
 * rho(t) = 2 / (1 - beta2) - 1 - 2 t beta2^t / (1 - beta2^t): for how many gradients the mean of squares stands.
 * Written with u = -t log(beta2) as a constant + 2 / -log(beta2) * (1 - u / (e^u - 1)): the plain form loses all its
 * digits to cancellation while t is small.
 */
function meanLength(beta2: number, t: Tensor): Tensor {
  const a = -Math.log(beta2)
  const u = mul(t, a)
  const square = mul(u, u)
  const small = mul(u, add(0.5, mul(u, add(-1 / 12, mul(square, 1 / 720)))))
  const share = where(less(u, 0.25), small, sub(1, div(u, expm1(u))))
  return add(mul(share, 2 / a), 2 / (1 - beta2) - 1 - 2 / a)
}

/** Options of `radam` (Liu et al. 2020). */
export interface RadamOptions extends Moments {}

/** Liu et al., "On the variance of the adaptive learning rate and beyond", 2020. */
export const radam = defineOptimizer<RadamOptions>(
  'radam',
  { learningRate: 0.001, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 },
  ({ betas: [beta1, beta2], eps, weightDecay }) => {
    const limit = 2 / (1 - beta2) - 1
    const scale = limit / ((limit - 4) * (limit - 2))
    return {
      slots: ['mean', 'square'],
      begin: (t, rate) => {
        const size = div(rate, correction(beta1, t))
        const length = meanLength(beta2, t)
        const sure = less(5, length)
        const ratio = div(mul(mul(sub(length, 4), sub(length, 2)), scale), length)
        const adapted = mul(size, sqrt(mul(maximum(ratio, 0), correction(beta2, t))))
        return (p, gradient, [m, v]) => {
          const g = decayed(gradient, p, weightDecay)
          const mean = blend(m, g, beta1)
          const square = blend(v, mul(g, g), beta2)
          const move = where(sure, div(adapted, add(sqrt(square), eps)), size)
          return [sub(p, mul(mean, move)), mean, square]
        }
      },
    }
  },
)

const optimizers = { sgd, adam, adamW, rmsProp, adadelta, adagrad, adamax, nadam, radam }

/** Optimisers by name. */
export type OptimizerName = keyof typeof optimizers

/** An optimiser by its name, with default options, or by its configuration; an optimiser stands for itself. */
export function optimizerOf(value: Optimizer | OptimizerConfig | OptimizerName): Optimizer {
  if (isOptimizer(value)) return value
  const config = typeof value === 'string' ? { name: value } : value
  type Factory = (options: Readonly<Record<string, unknown>>) => Optimizer
  return pick('optimizer', 'optimiser', optimizers as Readonly<Record<string, Factory>>, config.name)(config)
}
