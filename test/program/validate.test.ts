import { expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { printSpec } from '../../src/conv/facts.ts'
import { emitModule } from '../../src/targets/wasm/emit.ts'
import { contractions, trilinear } from '../support/check-spec.ts'
import { randomSpec } from '../support/random-spec.ts'
import { engine, type FeatureName, featureSets, kernelsOf, planSteps } from '../support/run-steps.ts'

const count = 1500

const skip = {
  scalar: '',
  simd: engine.simd ? '' : 'this engine has no SIMD',
  relaxed: engine.relaxed ? '' : 'this engine has no relaxed SIMD',
}

for (const name of Object.keys(featureSets) as FeatureName[]) {
  const title = `${count} convolutions are valid wasm: ${name}`
  if (skip[name]) test.skip(`${title} (${skip[name]})`, () => {})
  else test(title, () => validateAll(name), 120_000)
}

function validateAll(name: FeatureName): void {
  const first = Date.now() % 2 ** 31
  let kernels = 0
  let bytes = 0
  for (let seed = first; seed < first + count; seed++) {
    const spec = randomSpec(randomSource(seed), { maxWork: 3000 })
    const which = seed % contractions.length
    const { steps } = planSteps([trilinear(spec).roots[which]!], featureSets[name])
    const made = kernelsOf(steps)
    const module = emitModule(made, featureSets[name])
    kernels += made.length
    bytes += module.length
    if (!WebAssembly.validate(module))
      expect.fail(`${contractions[which]} of ${printSpec(spec)} isn't valid wasm with ${name} (seed ${seed})`)
  }
  console.log(`${name}: ${count} convolutions, ${kernels} kernels, ${bytes} bytes`)
  expect(kernels).toBeGreaterThanOrEqual(count)
}
