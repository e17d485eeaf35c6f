import { fail } from '../base/errors.ts'
import { add, div, equal, expm1, maximum, mul, neg, sqrt, sub, type Tensor, where } from '../graph/index.ts'
import { defineOptimizer } from './optimizer.ts'

// Defaults and arithmetic are those of torch.optim, so that trajectories can be compared.

/** Options of all optimisers. */
export interface Common {
  learningRate: number
  /** Share of the parameter that is added to its gradient (L2 penalty); adamW takes it off the parameter instead. */
  weightDecay: number
}

/** Options of those that keep the moments of the gradient. */
export interface Moments extends Common {
  /** Shares of the past in the running means of the gradient and of its square. */
  betas: readonly [number, number]
  /** Keeps divisors from zero. */
  eps: number
}

/** g + weightDecay * p */
export const decayed = (g: Tensor, p: Tensor, weightDecay: number) =>
  weightDecay === 0 ? g : add(g, mul(p, weightDecay))

/** share * last + (1 - share) * now */
export const blend = (last: Tensor, now: Tensor, share: number) => add(mul(last, share), mul(now, 1 - share))

/** 1 - beta^t, to full precision where beta^t is close to 1. */
export const correction = (beta: number, t: Tensor) => neg(expm1(mul(t, Math.log(beta))))

/** Options of `sgd`. */
export interface SgdOptions extends Common {
  /** Share of the last step that is added to the next. */
  momentum: number
  /** Share of the gradient that is kept out of the momentum. */
  dampening: number
  /** Looks ahead along the momentum (Nesterov, 1983); needs momentum and no dampening. */
  nesterov: boolean
}

/** Gradient descent with momentum (Sutskever et al., "On the importance of initialization and momentum", 2013). */
export const sgd = defineOptimizer<SgdOptions>(
  'sgd',
  { learningRate: 0.01, momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 },
  ({ momentum, dampening, nesterov, weightDecay }) => {
    if (nesterov && (momentum === 0 || dampening !== 0))
      fail('sgd', `nesterov with momentum ${momentum} and dampening ${dampening}`, 'Use momentum > 0 and dampening 0')
    return {
      slots: momentum === 0 ? [] : ['momentum'],
      begin: (t, rate) => (p, gradient, slots) => {
        const g = decayed(gradient, p, weightDecay)
        if (momentum === 0) return [sub(p, mul(g, rate))]
        const next = add(mul(slots[0], momentum), mul(g, 1 - dampening))
        // the first gradient enters undamped
        const velocity = dampening === 0 ? next : where(equal(t, 1), g, next)
        return [sub(p, mul(nesterov ? add(g, mul(velocity, momentum)) : velocity, rate)), velocity]
      },
    }
  },
)

/** Options of `adam` and `adamW`. */
export interface AdamOptions extends Moments {
  /** Divides by the largest square so far (Reddi, Kale and Kumar, "On the convergence of Adam and beyond", 2018). */
  amsgrad: boolean
}

function adamRule({ betas: [beta1, beta2], eps, weightDecay, amsgrad }: AdamOptions, decoupled: boolean) {
  return {
    slots: amsgrad ? ['mean', 'square', 'largestSquare'] : ['mean', 'square'],
    begin: (t: Tensor, rate: Tensor) => {
      const size = div(rate, correction(beta1, t))
      const root = sqrt(correction(beta2, t))
      const kept = sub(1, mul(rate, weightDecay))
      return (before: Tensor, gradient: Tensor, [m, v, most]: readonly Tensor[]) => {
        const p = decoupled && weightDecay !== 0 ? mul(before, kept) : before
        const g = decoupled ? gradient : decayed(gradient, p, weightDecay)
        const mean = blend(m, g, beta1)
        const square = blend(v, mul(g, g), beta2)
        const largest = amsgrad ? maximum(most, square) : square
        const moved = sub(p, mul(div(mean, add(div(sqrt(largest), root), eps)), size))
        return amsgrad ? [moved, mean, square, largest] : [moved, mean, square]
      }
    },
  }
}

/** Kingma and Ba, "Adam: a method for stochastic optimization", 2015. */
export const adam = defineOptimizer<AdamOptions>(
  'adam',
  { learningRate: 0.001, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, amsgrad: false },
  (options) => adamRule(options, false),
)

/** Adam with weight decay apart from the gradient (Loshchilov and Hutter, "Decoupled weight decay", 2019). */
export const adamW = defineOptimizer<AdamOptions>(
  'adamW',
  { learningRate: 0.001, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.01, amsgrad: false },
  (options) => adamRule(options, true),
)
