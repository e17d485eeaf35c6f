import type { Shape } from '../base/shape.ts'
import { div, less, mul, sub } from '../graph/map.ts'
import { uniform } from '../graph/random.ts'
import type { Tensor } from '../graph/tensor.ts'
import { checkRange } from './checks.ts'
import { type Layer, unary } from './layer.ts'
import type { Kept } from './types/shapes.ts'

function dropping(kind: string, rate: number, maskShape: (shape: Shape) => Shape): Layer<Kept> {
  checkRange(kind, 'rate', rate, 0, 1)
  return unary(kind, [rate], () => ({
    apply(x: Tensor, run) {
      if (!run.training || rate === 0) return x
      const dropped = less(uniform(maskShape(x.shape), run.key, run.salt()), rate)
      // Of rate 1 nothing is kept, so nothing needs to be scaled up.
      return div(mul(x, sub(1, dropped)), rate === 1 ? 1 : 1 - rate)
    },
  }))
}

/** In training each element is 0 with probability `rate`, others grow by 1 / (1 - rate) (Srivastava et al. 2014). */
export const dropout = (rate = 0.5): Layer<Kept> => dropping('dropout', rate, (shape) => shape)

/** Dropout of whole channels of a sample (Tompson et al. 2015). */
export const spatialDropout = (rate = 0.5): Layer<Kept> =>
  dropping('spatialDropout', rate, (shape) => shape.map((n, axis) => (axis === 0 || axis === shape.length - 1 ? n : 1)))
