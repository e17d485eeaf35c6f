// Replaces a module, which vitest does in Node only.
import { expect, test, vi } from 'vitest'
import { add, exp, gradcheck, neg, tensor } from '../../src/graph/index.ts'

const rule = vi.hoisted(() => ({ wrong: false }))

/** The derivative rule of `exp` gives twice what it should while `rule.wrong`. */
vi.mock('../../src/graph/map.ts', async (original) => {
  const real = await original<typeof import('../../src/graph/map.ts')>()
  const mapDerivative: typeof real.mapDerivative = (fn, node, g) =>
    real.mapDerivative(fn, node, g).map((d) => (d && rule.wrong && fn === 'exp' ? real.mul(d, 2) : d))
  return { ...real, mapDerivative }
})

test('a wrong derivative rule is found, worst first, in the inputs it concerns', () => {
  const check = (throws: boolean) =>
    gradcheck((x, y) => add(exp(x), neg(y)), [tensor([0, 1, 2]), tensor([3, 4, 5])], { throws })
  expect(check(true).passed).toBe(true)
  rule.wrong = true
  try {
    const { passed, entries } = check(false)
    expect(passed).toBe(false)
    expect(entries.map(({ input }) => input)).toEqual([0, 0, 0, 1, 1, 1])
    expect(entries[0]!.relativeError).toBeCloseTo(0.5, 6)
    expect(entries[0]!.analytic / entries[0]!.numeric).toBeCloseTo(2, 6)
    expect(() => check(true)).toThrow('gradcheck: 3 of 6 derivatives differ')
  } finally {
    rule.wrong = false
  }
})
