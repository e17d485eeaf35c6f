import { expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import { compile } from '../../src/compile.ts'
import type { PaddingMode } from '../../src/conv/padding.ts'
import { conv, pad, type Tensor } from '../../src/graph/index.ts'

const modes: readonly PaddingMode[] = ['zero', 'constant', 'reflect', 'symmetric', 'replicate', 'circular']

/** A depthwise convolution of up to nine taps with a border: rank, sizes, stride, dilation, multiplier, cropping. */
function randomCase(seed: number) {
  const random = randomSource(seed)
  const from = (low: number, high: number) => low + Math.floor(random.next() * (high - low + 1))
  const rank = from(1, 3)
  const axes = <T>(next: (axis: number) => T) => Array.from({ length: rank }, (_, axis) => next(axis))
  const kernel = axes(() => (rank === 3 ? 2 : from(1, rank === 1 ? 9 : 3)))
  const channels = from(1, 11)
  const multiplier = from(1, 4)
  const stride = axes(() => from(1, 2))
  const dilation = axes(() => from(1, 2))
  const extent = kernel.map((k, axis) => dilation[axis]! * (k - 1) + 1)
  const padding = axes((): [number, number] => [from(-1, 3), from(-1, 3)])
  const size = axes((axis) => Math.max(from(1, 12), extent[axis]! - padding[axis]![0] - padding[axis]![1]))
  const mode = axes(() => modes[from(0, modes.length - 1)]!)
  const shape = [from(1, 2), ...size, channels]
  const weights = [...kernel, 1, channels * multiplier]
  const values = [shape, weights].map((s) => Float32Array.from({ length: sizeOf(s) }, () => random.normal()))
  const options = { groups: channels, stride, dilation }
  return { shape, weights, values: values as [Float32Array, Float32Array], padding, mode, options }
}

const bits = (values: Float32Array) => [...new Uint32Array(values.buffer, values.byteOffset, values.length)]

test('a depthwise convolution that reads its border from where it comes gives the bits of one on a padded copy', async () => {
  let without = 0
  for (let seed = 1; seed <= 150; seed++) {
    const { shape, weights, values, padding, mode, options } = randomCase(seed)
    const value = seed % 3
    const border = { padding, paddingMode: mode, paddingValue: value }
    const whole = (x: Tensor, w: Tensor) => conv(x, w, { ...options, ...border })
    const program = compile(whole, [shape, weights])
    const y = await program(...values)
    const around: [number, number][] = [[0, 0], ...padding, [0, 0]]
    const padded = compile((x) => pad(x, around, { mode: ['zero', ...mode, 'zero'], value }), [shape])
    const wide = shape.map((n, axis) => n + around[axis]![0] + around[axis]![1])
    const copied = compile((x, w) => conv(x, w, options), [wide, weights])
    const expected = await copied(await padded(values[0]), values[1])
    const what = `seed ${seed}: ${shape} ${weights} ${JSON.stringify({ ...options, ...border })}`
    // where nothing is zero in both; tiles at zeros sum fewer terms
    if (mode.every((name) => name !== 'zero' && name !== 'constant')) expect(bits(y), what).toEqual(bits(expected))
    const right = await compile(whole, [shape, weights], { target: 'reference' })(...values)
    right.forEach((r, i) => {
      expect(Math.abs(y[i]! - r), what).toBeLessThan(1e-5 * Math.max(1, Math.abs(r)))
    })
    if (program.steps.every(({ label }) => label !== 'resample')) without++
  }
  expect(without).toBeGreaterThan(60)
})

test('nothing is copied for a 3x3 border; larger kernels, and gradients of the kernel, read a copy', () => {
  const steps = (kernel: number, paddingMode: PaddingMode) =>
    compile(
      (x, w) => conv(x, w, { groups: 8, padding: 'same', paddingMode }),
      [
        [1, 9, 9, 8],
        [kernel, kernel, 1, 8],
      ],
    ).steps.map(({ label }) => label)
  for (const mode of modes) expect(steps(3, mode)).toEqual(['output'])
  expect(steps(5, 'reflect')).toEqual(['resample', 'resample', 'output'])
})

test('zeros beyond a border that was padded by hand stay zeros', async () => {
  const x = Float32Array.from({ length: 10 }, (_, i) => i + 1)
  const border: [number, number][] = [
    [0, 0],
    [1, 1],
    [0, 0],
  ]
  const sums = compile(
    (t, w) => conv(pad(t, border, { mode: 'circular' }), w, { padding: 2, groups: 2 }),
    [
      [1, 5, 2],
      [3, 1, 2],
    ],
  )
  // even channels by hand: 9 | 1 3 5 7 9 | 1, zeros beyond
  const all = [...(await sums(x, new Float32Array(6).fill(1)))].filter((_, i) => i % 2 === 0)
  expect(all).toEqual([9, 10, 13, 9, 15, 21, 17, 10, 1])
})
