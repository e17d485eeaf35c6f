import { expect, test } from 'vitest'
import { add, floor, mul, reshape, sum, uniform } from '../../src/graph/index.ts'
import { type Tensor, update, Variable } from '../../src/graph/tensor.ts'
import { blueprint } from '../../src/program/build.ts'
import { featureSets } from '../support/run-steps.ts'

/** How many new values are copied to their variables at the end, instead of being computed there. */
const copies = (variable: Variable, value: Tensor, outputs: Tensor[] = []) =>
  blueprint([], outputs, [update(variable, value)], featureSets.scalar).copies.length

test('new values are computed where the old ones lie, unless those are still needed', () => {
  const v = new Variable([1, 2], [2])
  const next = add(mul(v.value, 2), 1)
  expect(copies(v, next)).toBe(0)
  expect(copies(v, next, [sum(v.value)])).toBe(0)
  expect(copies(v, next, [next])).toBe(0)
  expect(copies(v, next, [v.value])).toBe(1)
  expect(copies(v, next, [reshape(v.value, [2, 1])])).toBe(1)
  expect(copies(v, next, [sum(mul(next, v.value))])).toBe(1)
  // each element is made from the whole key
  expect(copies(v, floor(mul(uniform([2], v.value), 100)))).toBe(1)
})
