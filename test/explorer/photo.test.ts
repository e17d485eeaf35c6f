import { describe, expect, test } from 'vitest'
import {
  fromPatch,
  gabor,
  type Kernel,
  type KernelName,
  kernelNames,
  kernels,
  nameOf,
  rankOf,
  resize,
} from '../../explorer/photo/kernels.ts'
import {
  describe as describeKernel,
  divisor,
  type Edge,
  type FeatureMap,
  filter,
  patchAt,
  type Settings,
  separability,
  sizeOf,
  summary,
  termsAt,
} from '../../explorer/photo/model.ts'
import { brightness } from '../../explorer/shared/picture.ts'
import { randomSource } from '../../src/base/random.ts'

const plain: Omit<Settings, 'kernel'> = { norm: 'none', bias: 0, stride: 1, edge: 'reflect', mode: 'signed' }
const make = (name: KernelName, size: number): Kernel => kernels[name].make(size)

/** Where NumPy's pad of the same name takes element i of an axis of n from; written apart from the library. */
function source(edge: Edge, i: number, n: number): number {
  if (i >= 0 && i < n) return i
  if (edge === 'zero' || edge === 'valid') return -1
  if (edge === 'replicate') return i < 0 ? 0 : n - 1
  let at = i
  while (at < 0 || at >= n) {
    if (edge === 'circular') at += at < 0 ? n : -n
    else if (edge === 'symmetric') at = at < 0 ? -1 - at : 2 * n - 1 - at
    else at = at < 0 ? -at : 2 * (n - 1) - at
  }
  return at
}

/** The result by its definition, in float64. */
function naive(map: FeatureMap, settings: Settings): number[] {
  const { kernel, stride, edge, bias } = settings
  const size = kernel.length
  const out = (n: number) => (edge === 'valid' ? Math.floor((n - size) / stride) + 1 : Math.ceil(n / stride))
  const low = (n: number) => (edge === 'valid' ? 0 : Math.floor(Math.max((out(n) - 1) * stride + size - n, 0) / 2))
  const { value: by } = divisor(kernel, settings.norm)
  const values: number[] = []
  for (let y = 0; y < out(map.height); y++)
    for (let x = 0; x < out(map.width); x++)
      for (let c = 0; c < map.channels; c++) {
        let sum = bias
        for (let i = 0; i < size; i++)
          for (let j = 0; j < size; j++) {
            const row = source(edge, y * stride + i - low(map.height), map.height)
            const column = source(edge, x * stride + j - low(map.width), map.width)
            if (row >= 0 && column >= 0)
              sum += (kernel[i]![j]! / by) * map.data[(row * map.width + column) * map.channels + c]!
          }
        values.push(sum)
      }
  return values
}

const random = randomSource(6)
const mapOf = (height: number, width: number, channels: number): FeatureMap => {
  const data = Float32Array.from({ length: height * width * channels }, () => random.integer(1000) / 1000)
  return { height, width, channels, data }
}

describe('photo: the feature map', () => {
  const edges: Edge[] = ['valid', 'zero', 'reflect', 'symmetric', 'replicate', 'circular']
  test('is the definition, at every edge, stride, size and number of channels', async () => {
    for (const edge of edges)
      for (const [size, stride, channels] of [
        [1, 1, 1],
        [3, 1, 3],
        [4, 2, 1],
        [5, 3, 3],
        [9, 1, 1],
      ] as const) {
        const map = mapOf(11, 14, channels)
        const kernel = Array.from({ length: size }, () => Array.from({ length: size }, () => random.integer(19) - 9))
        const settings = { ...plain, kernel, edge, stride, bias: 0.5, norm: 'abs' as const }
        const result = await filter(map, settings)
        const expected = naive(map, settings)
        expect([result.height, result.width, result.channels]).toEqual([
          ...Object.values(sizeOf(map, settings)).slice(0, 2),
          channels,
        ])
        expect(result.data.length).toBe(expected.length)
        for (let i = 0; i < expected.length; i++) expect(Math.abs(result.data[i]! - expected[i]!)).toBeLessThan(1e-5)
      }
  })

  test('each of its numbers is the sum of the terms shown', async () => {
    for (const edge of edges) {
      const map = mapOf(9, 8, 1)
      const settings = { ...plain, kernel: make('sobelX', 5), edge, stride: 2 }
      const result = await filter(map, settings)
      for (let i = 0; i < result.data.length; i++) {
        const terms = termsAt(map, settings, Math.floor(i / result.width), i % result.width)
        expect(terms.length).toBe(25)
        const sum = terms.reduce((total, { weight, value }) => total + weight * value, 0)
        expect(Math.abs(sum - result.data[i]!)).toBeLessThan(1e-5)
      }
    }
  })
})

describe('photo: kernels', () => {
  test('each is finite at every size from 1 to 15 and found again by its weights', () => {
    for (const name of kernelNames)
      for (let size = 1; size <= 15; size++) {
        const kernel = make(name, size)
        expect(kernel.length).toBe(size)
        expect(kernel.flat().every(Number.isFinite)).toBe(true)
        if (size >= 5) expect(nameOf(kernel)).toBe(name)
      }
  })

  test('sums are what the names say', () => {
    const sum = (kernel: Kernel) => kernel.flat().reduce((total, w) => total + w, 0)
    for (let size = 3; size <= 15; size++) {
      for (const name of ['sobelX', 'sobelY', 'laplace', 'gabor0', 'gabor45'] as const)
        expect(sum(make(name, size))).toBeCloseTo(0, 9)
      for (const name of ['gaussian', 'box', 'motion', 'sharpen', 'identity', 'emboss'] as const)
        expect(sum(make(name, size))).toBeCloseTo(1, 9)
    }
  })

  test('rank: products of a column and a row give it back; a slanting grating has more than one', () => {
    for (const name of ['sobelX', 'gaussian', 'box', 'gabor0'] as const) {
      const kernel = make(name, 7)
      const { rank, column, row } = rankOf(kernel)
      expect(rank).toBe(1)
      kernel.forEach((weights, y) => {
        weights.forEach((w, x) => {
          expect(column[y]! * row[x]!).toBeCloseTo(w, 9)
        })
      })
    }
    expect(rankOf(make('laplace', 3)).rank).toBe(2)
    expect(rankOf(make('motion', 5)).rank).toBe(5)
    expect(rankOf([[0]]).rank).toBe(0)
    expect(rankOf(gabor(9, Math.PI / 4, 0)).rank).toBe(3)
    expect(separability(make('sobelX', 3)).text).toContain('9 → 6')
  })

  test('a kernel cut from a picture answers most where it was cut', async () => {
    const map = mapOf(40, 40, 1)
    const kernel = fromPatch(patchAt(map, 7, 20, 12))
    const { data } = await filter(map, { ...plain, kernel })
    expect(data.indexOf(Math.max(...data))).toBe(20 * 40 + 12)
  })

  test('resizing keeps the middle', () => {
    expect(resize([[1]], 3)).toEqual([
      [0, 0, 0],
      [0, 1, 0],
      [0, 0, 0],
    ])
    expect(resize(resize(make('sobelX', 3), 7), 3)).toEqual(make('sobelX', 3))
  })

  test('the words follow from the weights', () => {
    expect(describeKernel(make('sobelX', 3))).toContain('rises to the right')
    expect(describeKernel(make('sobelY', 9))).toContain('rises downwards')
    expect(describeKernel(make('laplace', 5))).toContain('orange where the middle is brighter')
    expect(describeKernel(make('gaussian', 5))).toContain('averages')
    expect(describeKernel(make('sharpen', 5))).toContain('add up to 1')
    expect(describeKernel([[0]])).toContain('every answer is 0')
  })
})

describe('photo: what is said of the values', () => {
  test('a sum of 0 is no divisor', () => {
    expect(divisor(make('sobelX', 3), 'sum')).toMatchObject({
      value: 1,
      problem: expect.stringContaining('add up to 0'),
    })
    expect(divisor(make('sobelX', 3), 'abs')).toEqual({ value: 8 })
  })

  test('shares', () => {
    const expected = { negative: 0.4, outside: 0.6, least: -2, most: 3 }
    expect(summary([-2, -0.5, 0.25, 0.75, 3])).toEqual(expected)
  })

  test('brightness of white is 1', () => {
    const data = brightness({ width: 2, height: 1, data: new Float32Array([1, 1, 1, 0, 1, 0]) })
    expect([...data].map((v) => +v.toFixed(6))).toEqual([1, 0.587])
  })
})
