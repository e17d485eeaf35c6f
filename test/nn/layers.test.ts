import { describe, expect, test } from 'vitest'
import { layerConfig } from '../../src/nn/config.ts'
import { layerKinds, makeLayer } from '../../src/nn/registry.ts'
import { layerCases } from './layer-cases.ts'
import { gradientError, modelOf } from './layer-check.ts'

const named = layerCases.map((item, i) => [`${item.layer.kind} (${i})`, item] as const)

describe('every layer', () => {
  test('has a case', () => {
    expect([...new Set(layerCases.map((item) => item.layer.kind))].toSorted()).toEqual(layerKinds.toSorted())
  })

  test.each(named)('%s: shape and number of parameters', (_, { layer, inputs, output, parameters }) => {
    const model = modelOf(layer, ...inputs)
    expect(model.outputShape).toEqual(output)
    expect(model.countParameters()).toBe(parameters)
  })

  test.each(named)('%s: derivatives agree with finite differences', (_, { layer, inputs }) => {
    expect(gradientError(layer, inputs, false)).toBeLessThan(1e-6)
    expect(gradientError(layer, inputs, true)).toBeLessThan(1e-6)
  })

  test.each(named)('%s: its config makes the same layer', (_, { layer, inputs }) => {
    const described = JSON.parse(JSON.stringify(layerConfig(layer)))
    const again = makeLayer(described.layer, described.config)
    const [a, b] = [modelOf(layer, ...inputs), modelOf(again, ...inputs)]
    expect(b.toBytes()).toEqual(a.toBytes())
  })
})
