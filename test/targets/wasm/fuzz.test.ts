import { expect, test } from 'vitest'
import { randomSource } from '../../../src/base/random.ts'
import { pointsOf } from '../../../src/kernel/ir.ts'
import { randomKernel } from './random-kernel.ts'
import { compareWithInterpreter, relaxedNote, scalar, vectorTargets } from './run.ts'

const milliseconds = 1500

test.each([scalar, ...vectorTargets])(`random kernels, relaxed $relaxed, lanes $lanes${relaxedNote}`, (features) => {
  const stop = performance.now() + milliseconds
  let count = 0
  for (let seed = Date.now() % 1e9; performance.now() < stop; seed++) {
    const kernel = randomKernel(seed, features.lanes)
    const middle = Math.floor(pointsOf(kernel) / 2)
    try {
      compareWithInterpreter(kernel, features, randomSource(seed), {
        ranges: [
          [0, middle],
          [middle, pointsOf(kernel)],
        ],
      })
    } catch (error) {
      throw new Error(`randomKernel(${seed}, ${features.lanes}): ${(error as Error).message}`, { cause: error })
    }
    count++
  }
  expect(count).toBeGreaterThan(10)
})
