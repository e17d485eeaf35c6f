import { expect, test } from 'vitest'
import { type Shape, sizeOf } from '../../src/base/shape.ts'
import { compile, type Target } from '../../src/compile.ts'
import { gradient } from '../../src/graph/gradient.ts'
import { mul } from '../../src/graph/map.ts'
import { sum } from '../../src/graph/reduce.ts'
import { type Tensor, tensor } from '../../src/graph/tensor.ts'
import type { Model } from '../../src/nn/index.ts'
import { layerCases } from './layer-cases.ts'
import { modelOf, normals } from './layer-check.ts'

const named = layerCases.map((item, i) => [`${item.layer.kind} (${i})`, item] as const)

/** Results of a layer, its derivatives by inputs and weights, and new statistics, on a batch of 3. */
function results(model: Model, training: boolean, values: readonly Float64Array[], target: Target) {
  const shapes: readonly Shape[] = model.inputShapes.map((shape) => [3, ...shape])
  const program = compile<readonly Shape[], Tensor[]>(
    (...x) => {
      const inputs = x as unknown as Tensor[]
      const run = model.context(training)
      const y = model.apply(inputs, run)
      const loss = sum(mul(y, tensor(normals(1, sizeOf(y.shape)), y.shape)))
      const weights = model.parameters.map((variable) => variable.value)
      return [y, ...gradient(loss, [...inputs, ...weights]), ...run.updates.map((entry) => entry.value)]
    },
    shapes,
    { target },
  )
  return program(...values)
}

test.each(named)('%s: compiled as by its definition', async (_, { layer, inputs }) => {
  const model = modelOf(layer, ...inputs)
  const values = inputs.map((shape, i) => normals(10 + i, 3 * sizeOf(shape)))
  for (const training of [false, true]) {
    const expected = await results(model, training, values, 'reference')
    const got = await results(model, training, values, 'wasm')
    expect(got.length).toBe(expected.length)
    for (const [k, list] of expected.entries()) {
      const scale = list.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1)
      let error = 0
      for (const [i, value] of list.entries()) error = Math.max(error, Math.abs(value - got[k]![i]!))
      expect(error / scale, `result ${k}, training ${training}`).toBeLessThan(1e-5)
    }
  }
})
