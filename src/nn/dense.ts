import { checkCount, fail } from '../base/errors.ts'
import { sizeOf } from '../base/shape.ts'
import { matmul } from '../graph/conv.ts'
import { reshape } from '../graph/reshape.ts'
import type { Tensor } from '../graph/tensor.ts'
import { checkNames } from './checks.ts'
import { type Layer, unary } from './layer.ts'
import { checkWeights, type WeightOptions, weightNames, withWeights } from './linear.ts'
import type { Dense } from './types/shapes.ts'

/** x [..., F] times w [F, units], for every row of x. */
function product(x: Tensor, w: Tensor): Tensor {
  const outer = x.shape.slice(0, -1)
  const rows = reshape(x, [sizeOf(outer), x.shape.at(-1)!])
  return reshape(matmul(rows, w), [...outer, w.shape[1]!])
}

/** A matrix product along the last axis: [N, ..., F] to [N, ..., units]. Weight [F, units]. */
export function dense<const Units extends number>(units: Units, options: WeightOptions = {}): Layer<Dense<Units>> {
  checkCount('dense', 'units', units, 1)
  checkNames('dense', options, weightNames)
  checkWeights('dense', options)
  return unary('dense', [units, options], (shape, context) => {
    const features = shape.at(-1)
    if (features === undefined) fail('dense', 'the input has one number a sample and no axis', 'Reshape it to [1]')
    return withWeights(context, options, {
      kernels: [{ name: 'weight', shape: [features, units], fans: { fanIn: features, fanOut: units } }],
      channels: units,
      compute: (x, [kernel]) => product(x, kernel!),
    })
  })
}
