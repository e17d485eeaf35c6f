/** Compares tensors on the interpreter and on wasm, with every set of features, with their float64 definitions. */
import { expect } from 'vitest'
import { referenceValues } from '../../src/graph/reference.ts'
import type { Tensor } from '../../src/graph/tensor.ts'
import { type FeatureName, featureSets, loadSteps, planSteps, type Run, skipped } from './run-steps.ts'

export type Feeds = ReadonlyMap<Tensor, ArrayLike<number>>

/** Largest allowed error of an element from its float64 value. */
export type Bound = (expected: number, element: number, root: number) => number

/** The float32 nearest to the float64 value. */
export const exact: Bound = (expected) => Math.abs(expected - Math.fround(expected))

/** A few units in the last place of the float32 result. */
export const ulps =
  (count: number): Bound =>
  (expected) =>
    count * 2 ** Math.max(Math.floor(Math.log2(Math.abs(expected))) - 23, -149)

function problem(actual: number, expected: number, bound: number): boolean {
  if (Number.isNaN(expected)) return !Number.isNaN(actual)
  const rounded = Math.fround(expected)
  return actual !== rounded && !(Math.abs(actual - expected) <= bound)
}

/** Runs the tensors on every target. */
export async function onTargets(roots: readonly Tensor[], feeds: Feeds, visit: (run: Run, where: string) => void) {
  for (const name of Object.keys(featureSets) as FeatureName[]) {
    const steps = planSteps(roots, featureSets[name])
    for (const machine of ['wasm', 'interpreter'] as const) {
      if (machine === 'wasm' && skipped(name)) continue
      visit((await loadSteps(steps, featureSets[name], machine))(feeds), `${name} on ${machine}`)
    }
  }
}

/** Expects every target to give the float64 values within `bound`, and to write nowhere else. */
export async function expectReference(roots: readonly Tensor[], feeds: Feeds, bound: Bound = exact): Promise<void> {
  // what targets are given is float32
  const rounded = new Map([...feeds].map(([node, values]) => [node, Float32Array.from(values)]))
  const expected = referenceValues(roots, rounded)
  await onTargets(roots, rounded, ({ values, damage }, where) => {
    if (damage.length > 0) expect.fail(`${where}: ${damage.join('; ')}`)
    for (const [root, list] of expected.entries()) {
      expect(values[root]!.length).toBe(list.length)
      for (let i = 0; i < list.length; i++)
        if (problem(values[root]![i]!, list[i]!, bound(list[i]!, i, root)))
          expect.fail(`${where}: root ${root}, element ${i} is ${values[root]![i]}, should be ${list[i]}`)
    }
  })
}
