// What depends on variables alone is computed once and again only when a variable was written.
import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compile.ts'
import { gradient } from '../../src/graph/gradient.ts'
import { add, conv, mul, sub, sum, update, Variable } from '../../src/graph/index.ts'
import { placeholder } from '../../src/graph/tensor.ts'
import { blueprint } from '../../src/program/build.ts'
import { features } from '../../src/program/state.ts'

const weights = (value: number) => new Variable(new Array(3 * 3 * 4 * 8).fill(value), [3, 3, 4, 8])

describe('steady calls', () => {
  test('packing weights is steady where the program leaves them alone, and only there', () => {
    const w = weights(1)
    const x = placeholder([1, 6, 6, 4])
    const y = conv(x, mul(w.value, 2))
    const plan = blueprint([x], [y], [], features())
    expect(plan.steady.map((call) => plan.kernels[call.kernel]!.name)).toEqual(['map', 'pack'])
    const [g] = gradient(sum(y), [w.value])
    const training = blueprint([x], [y], [update(w, sub(w.value, g!))], features())
    expect(training.steady.map((call) => training.kernels[call.kernel]!.name)).toEqual(['fill'])
  })

  test('a write, from outside or by another program, is seen by the next call', async () => {
    const w = weights(1)
    const predict = compile((x) => conv(x, w.value), [[1, 3, 3, 4]])
    const double = compile(() => update(w, add(w.value, w.value)), [])
    const x = new Array(36).fill(1)
    expect((await predict(x))[0]).toBe(36)
    expect((await predict(x))[0]).toBe(36)
    w.write(new Array(288).fill(2))
    expect((await predict(x))[0]).toBe(72)
    await double()
    expect((await predict(x))[0]).toBe(144)
  })

  test('a program that trains one layer keeps what depends on the others', async () => {
    const frozen = weights(1)
    const bias = new Variable([0], [1])
    const step = compile(
      (x) => ({ y: add(conv(x, frozen.value), bias.value), next: update(bias, add(bias.value, 1)) }),
      [[1, 3, 3, 4]],
    )
    const x = new Array(36).fill(1)
    expect((await step(x)).y[0]).toBe(36)
    expect((await step(x)).y[0]).toBe(37)
    frozen.write(new Array(288).fill(2))
    expect((await step(x)).y[0]).toBe(74)
  })
})
