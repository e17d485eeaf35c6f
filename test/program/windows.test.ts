import { expect, test } from 'vitest'
import { FoveaError } from '../../src/base/errors.ts'
import { type RandomSource, randomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import { gradient, maxPool, mul, type PoolOptions, sum } from '../../src/graph/index.ts'
import { placeholder, type Tensor } from '../../src/graph/tensor.ts'
import { expectReference } from '../support/compare.ts'

function randomPool(random: RandomSource): { x: Tensor; window: number[]; options: PoolOptions } {
  const rank = 1 + random.integer(3)
  const axes = <T>(value: () => T) => Array.from({ length: rank }, value)
  const channels = [1, 2, 3, 4, 5, 8, 9, 15][random.integer(8)]!
  const input = axes(() => 1 + random.integer(rank === 3 ? 5 : 9))
  return {
    x: placeholder([1 + random.integer(3), ...input, channels]),
    window: axes(() => 1 + random.integer(4)),
    options: {
      stride: axes(() => 1 + random.integer(4)),
      dilation: axes(() => 1 + random.integer(2)),
      padding: [axes((): [number, number] => [random.integer(4) - 1, random.integer(4) - 1]), 'same' as const, 0][
        random.integer(3)
      ]!,
      ceilMode: random.integer(2) === 0,
    },
  }
}

/** Largest elements, gradient to them and values from them, with every option; few different values make many ties. */
async function check(random: RandomSource): Promise<boolean> {
  const { x, window, options } = randomPool(random)
  let y: Tensor
  try {
    y = maxPool(x, window, options)
  } catch (error) {
    if (error instanceof FoveaError) return false
    throw error
  }
  const [g, t] = [placeholder(y.shape), placeholder(x.shape)]
  const [scattered] = gradient(sum(mul(y, g)), [x])
  const [gathered] = gradient(sum(mul(scattered!, t)), [g])
  const whole = (node: Tensor, low: number, many: number): [Tensor, number[]] => [
    node,
    Array.from({ length: sizeOf(node.shape) }, () => low + random.integer(many)),
  ]
  await expectReference([y, scattered!, gathered!], new Map([whole(x, -3, 5), whole(g, -4, 9), whole(t, -4, 9)]))
  return true
}

test('windowMax and its two derivatives, with overlap, dilation, padding, cropping and ties', async () => {
  let count = 0
  for (let seed = 1; seed <= 200; seed++) if (await check(randomSource(seed))) count++
  expect(count).toBeGreaterThan(100)
})

test('windowMax takes infinities and NaN', async () => {
  const x = placeholder([1, 3, 4, 5])
  const data = Array.from({ length: 60 }, (_, i) => ((i * 7) % 11) - 5)
  data[3] = NaN
  data[17] = Infinity
  data[31] = -Infinity
  data[44] = NaN
  const roots = [maxPool(x, 2, { stride: 1 }), maxPool(x, [2, 3], { padding: 1, stride: 2 })]
  await expectReference(roots, new Map([[x, data]]))
  await expectReference(roots, new Map([[x, data.map(() => -Infinity)]]))
})
