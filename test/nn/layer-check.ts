import { randomSource } from '../../src/base/random.ts'
import { type Shape, sizeOf } from '../../src/base/shape.ts'
import '../../src/compile.ts'
import { gradient } from '../../src/graph/gradient.ts'
import { mul } from '../../src/graph/map.ts'
import { sum } from '../../src/graph/reduce.ts'
import { referenceValues } from '../../src/graph/reference.ts'
import { placeholder, type Tensor } from '../../src/graph/tensor.ts'
import { input } from '../../src/nn/build.ts'
import type { Layer } from '../../src/nn/layer.ts'
import { functional, type Model } from '../../src/nn/model.ts'

export const normals = (seed: number, count: number): Float64Array => {
  const random = randomSource(seed, 77)
  return Float64Array.from({ length: count }, () => random.normal())
}

/** A model of one layer, with inputs of given shapes. */
export function modelOf(layer: Layer, ...shapes: readonly Shape[]): Model {
  const nodes = shapes.map((shape) => input(shape))
  return functional(nodes, layer(...nodes), { seed: 5 })
}

/** Float64 values of a layer with first weights for inputs [N, ...]. */
export function layerValue(layer: Layer, shape: Shape, values: ArrayLike<number>, training = false): number[] {
  const model = modelOf(layer, shape)
  const x = placeholder([values.length / sizeOf(shape), ...shape])
  const [y] = referenceValues([model.apply(x, model.context(training))], new Map([[x, values]]))
  return Array.from(y!)
}

/** Entries of a tensor at which a derivative is tried: all of a small one, some of a large one. */
const tried = (count: number) =>
  count <= 12 ? [...Array(count).keys()] : Array.from({ length: 12 }, (_, i) => Math.floor((i * count) / 12))

/** Largest difference between derivatives of a layer by inputs and weights and central differences, in float64. */
export function gradientError(layer: Layer, shapes: readonly Shape[], training: boolean): number {
  const model = modelOf(layer, ...shapes)
  const inputs = shapes.map((shape) => placeholder([2, ...shape]))
  const y = model.apply(inputs, model.context(training))
  const factors = placeholder(y.shape)
  const loss = sum(mul(y, factors))
  const of: Tensor[] = [...inputs, ...model.parameters.map((variable) => variable.value)]
  const feeds = new Map<Tensor, Float64Array>([[factors, normals(1, sizeOf(y.shape))]])
  of.forEach((tensor, i) => {
    feeds.set(tensor, normals(2 + i, sizeOf(tensor.shape)))
  })
  const derivatives = referenceValues(gradient(loss, of), feeds)
  let worst = 0
  of.forEach((tensor, i) => {
    const values = feeds.get(tensor)!
    for (const at of tried(values.length)) {
      const lossAt = (step: number) => {
        const moved = values.map((value, k) => (k === at ? value + step : value))
        return referenceValues([loss], new Map(feeds).set(tensor, moved))[0]![0]!
      }
      const difference = (lossAt(1e-5) - lossAt(-1e-5)) / 2e-5
      worst = Math.max(worst, Math.abs(difference - derivatives[i]![at]!) / Math.max(1, Math.abs(difference)))
    }
  })
  return worst
}
