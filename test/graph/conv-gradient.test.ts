import { expect, test } from 'vitest'
import { FoveaError } from '../../src/base/errors.ts'
import { type RandomSource, randomSource } from '../../src/base/random.ts'
import type { PaddingMode } from '../../src/conv/padding.ts'
import { type BorderOptions, conv, convTranspose } from '../../src/graph/conv.ts'
import type { Tensor } from '../../src/graph/tensor.ts'
import { checkDerivatives } from '../support/derivatives.ts'

const modes: PaddingMode[] = ['zero', 'constant', 'reflect', 'symmetric', 'replicate', 'circular']

/** All options of either, small, as [make, shapes of x and w]. */
function randomCase(random: RandomSource): [(x: Tensor, w: Tensor) => Tensor, number[][], string] {
  const rank = 1 + random.integer(3)
  const axes = <T>(value: () => T) => Array.from({ length: rank }, value)
  const groups = 1 + random.integer(3)
  const [within, filters] = [1 + random.integer(2), groups * (1 + random.integer(2))]
  const kernel = axes(() => 1 + random.integer(3))
  const input = axes(() => 1 + random.integer(rank > 2 ? 3 : 5))
  const stride = axes(() => 1 + random.integer(3))
  const dilation = axes(() => 1 + random.integer(2))
  const paddings = [
    axes((): [number, number] => [random.integer(4) - 1, random.integer(4) - 1]),
    random.integer(3),
    (['valid', 'same', 'sameLower', 'full', 'causal'] as const)[random.integer(5)]!,
  ]
  const border: BorderOptions = {
    paddingMode: axes(() => modes[random.integer(modes.length)]!),
    paddingValue: random.integer(2),
  }
  const options = { stride, dilation, groups, padding: paddings[random.integer(3)]!, ...border }
  const batch = 1 + random.integer(2)
  const w = [...kernel, within, filters]
  const text = JSON.stringify({ input, w, ...options })
  if (random.integer(2) === 0) return [(a, b) => conv(a, b, options), [[batch, ...input, groups * within], w], text]
  const outputPadding = stride.map((s, i) => random.integer(Math.max(s, dilation[i]!)))
  const transposed = { ...options, outputPadding }
  return [(a, b) => convTranspose(a, b, transposed), [[batch, ...input, filters], w], `transposed ${text}`]
}

const milliseconds = 6000

test('second derivatives of conv and convTranspose agree with differences, with every option', () => {
  const stop = performance.now() + milliseconds
  let count = 0
  for (let seed = Date.now() % 2 ** 31; performance.now() < stop; seed++) {
    const random = randomSource(seed)
    const [make, shapes, text] = randomCase(random)
    try {
      checkDerivatives(make, shapes, random)
      count++
    } catch (error) {
      // a case that isn't a convolution is drawn again
      if (!(error instanceof FoveaError)) throw new Error(`seed ${seed}, ${text}: ${(error as Error).message}`)
    }
  }
  console.log(`${count} convolutions`)
  expect(count).toBeGreaterThan(20)
})
