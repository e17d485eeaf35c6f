import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { gabor } from '../../src/models/cells.ts'
import { absPreset, paperPreset, SparseCoding, type SparseCodingOptions } from '../../src/models/sparse-coding.ts'
import { SparseConvCoding } from '../../src/models/sparse-conv.ts'
import { whiten } from '../../src/models/sparse-whitening.ts'

const normals = (length: number, seed: number) => {
  const random = randomSource(seed)
  return Float32Array.from({ length }, () => random.normal())
}

/** E and its derivatives by a, in float64: half the squared error plus lambda S(a / sigma). */
function energy(x: Float32Array, phi: Float32Array, a: Float32Array, options: SparseCodingOptions) {
  const { pixels, functions, lambda, sigma = 1, sparseness = 'abs' } = options
  const of = { abs: Math.abs, log: (v: number) => Math.log1p(v * v), exp: (v: number) => -Math.exp(-v * v) }[sparseness]
  let total = 0
  for (let n = 0; n < x.length / pixels; n++) {
    for (let p = 0; p < pixels; p++) {
      let left = x[n * pixels + p]!
      for (let k = 0; k < functions; k++) left -= phi[p * functions + k]! * a[n * functions + k]!
      total += (left * left) / 2
    }
    for (let k = 0; k < functions; k++) total += lambda * of(a[n * functions + k]! / sigma)
  }
  return total
}

const small: SparseCodingOptions = { pixels: 9, functions: 12, lambda: 0.2, steps: 150 }

describe('inference', () => {
  const cases: SparseCodingOptions[] = [
    { ...small, inference: 'ista' },
    { ...small, inference: 'fista' },
    { ...small, sparseness: 'log', sigma: 0.5, inference: 'descent' },
    { ...small, sparseness: 'exp', sigma: 0.5, inference: 'descent' },
  ]
  test.each(cases)('$inference of $sparseness ends where no small change lowers E', async (options) => {
    const net = new SparseCoding(options)
    const x = normals(2 * 9, 3)
    const { a } = await net.code(x)
    const phi = net.phi.read()
    const least = energy(x, phi, a, options)
    for (let i = 0; i < a.length; i++)
      for (const step of [-0.05, 0.05]) {
        const moved = a.slice()
        moved[i]! += step
        expect(energy(x, phi, moved, options)).toBeGreaterThan(least - 1e-4)
      }
  })

  test('ISTA and FISTA find the same coefficients, FISTA sooner', async () => {
    const x = normals(4 * 9, 5)
    const of = async (inference: 'ista' | 'fista', steps: number) => {
      const net = new SparseCoding({ ...small, inference, steps })
      return energy(x, net.phi.read(), (await net.code(x)).a, small)
    }
    const least = await of('fista', 150)
    expect(await of('ista', 150)).toBeCloseTo(least, 2)
    expect((await of('fista', 20)) - least).toBeLessThan((await of('ista', 20)) - least)
  })

  test('more lambda, fewer coefficients', async () => {
    const x = normals(8 * 9, 6)
    const zeros = async (lambda: number) =>
      (await new SparseCoding({ ...small, steps: 40, lambda, inference: 'fista' }).code(x)).a.filter((v) => v === 0)
        .length
    expect(await zeros(1)).toBeGreaterThan(await zeros(0.2))
    expect(await zeros(100)).toBe(8 * 12)
  })

  test('thresholds are for |a|', () => {
    expect(() => new SparseCoding({ ...small, sparseness: 'log', inference: 'ista' })).toThrow(
      "sparseCoding: ista with S = log. Use sparseness 'abs', or inference 'descent'",
    )
  })
})

/** As in the paper's figure 3: patches that are sums of few Gabor functions. */
const generators = Array.from({ length: 16 }, (_, k) =>
  gabor((k * Math.PI) / 16, k % 3, { wavelength: 2.5 + (k % 4), deviation: 2.2, size: 8 }),
)
function sparsePatches(count: number, seed: number): Float32Array {
  const random = randomSource(seed)
  const values = new Float32Array(count * 64)
  for (let n = 0; n < count; n++)
    for (const generator of generators)
      if (random.next() < 0.12) {
        const a = random.normal()
        generator.forEach((v, i) => {
          values[n * 64 + i]! += a * v
        })
      }
  return values
}

describe('learning', () => {
  test.each([
    ['|a|, FISTA', { pixels: 64, functions: 16, lambda: 0.05, inference: 'fista', steps: 30 }],
    [
      'log, gain control',
      { pixels: 64, functions: 16, lambda: 0.02, sigma: 0.3, sparseness: 'log', steps: 60, variance: 0.12 },
    ],
  ] as const)('%s recovers the functions that patches were made of', async (_, options) => {
    const net = new SparseCoding(options)
    for (let i = 0; i < 500; i++) await net.learn(sparsePatches(100, i), i < 350 ? 3 : 1)
    const found = generators.filter((generator) =>
      Array.from({ length: 16 }, (_, k) => net.function(k)).some((phi) => {
        const dot = phi.reduce((sum, v, i) => sum + v * generator[i]!, 0)
        return Math.abs(dot) > 0.95 * Math.hypot(...phi)
      }),
    )
    expect(found.length).toBeGreaterThanOrEqual(15)
  })

  test('functions keep length 1, or adapt to the variance asked for', async () => {
    const unit = new SparseCoding(absPreset(8))
    await unit.learn(sparsePatches(50, 1), 2)
    for (let k = 0; k < 64; k++) expect(Math.hypot(...unit.function(k))).toBeCloseTo(1, 5)
    const options = {
      pixels: 64,
      functions: 16,
      lambda: 0.02,
      sigma: 0.3,
      sparseness: 'log',
      steps: 60,
      variance: 0.5,
    } as const
    const free = new SparseCoding(options)
    for (let i = 0; i < 500; i++) await free.learn(sparsePatches(100, i), 1)
    const { a } = await free.code(sparsePatches(2000, 999))
    const variance = a.reduce((sum, v) => sum + v * v, 0) / a.length
    expect(variance).toBeGreaterThan(0.35)
    expect(variance).toBeLessThan(0.65)
  })

  test('the paper’s preset has 192 functions of 16x16', () => {
    const net = new SparseCoding(paperPreset(0.1))
    expect(net.phi.shape).toEqual([256, 192])
    expect(net.options.lambda / net.options.sigma!).toBeCloseTo(0.07)
  })
})

describe('whitening', () => {
  test('waves of frequency f come out f exp(-(f / f0)^4) as strong', async () => {
    const n = 64
    const wave = (f: number, across: number) =>
      Float32Array.from({ length: n * n }, (_, i) =>
        Math.cos((2 * Math.PI * (f * Math.floor(i / n) + across * (i % n))) / n),
      )
    const mixed = wave(4, 0).map((v, i) => v + wave(0, 12)[i]!)
    const [white] = await whiten([{ height: n, width: n, values: mixed }])
    const strength = (pattern: Float32Array) => white!.values.reduce((sum, v, i) => sum + v * pattern[i]!, 0)
    const expected = (12 * Math.exp(-((12 / 25.6) ** 4))) / (4 * Math.exp(-((4 / 25.6) ** 4)))
    expect(strength(wave(0, 12)) / strength(wave(4, 0))).toBeCloseTo(expected, 3)
    expect(white!.values.reduce((sum, v) => sum + v * v, 0) / n ** 2).toBeCloseTo(0.1, 5)
  })

  test('of unequal edges, one of two waves crossing', async () => {
    const [height, width] = [24, 36]
    const values = Float32Array.from({ length: height * width }, (_, i) =>
      Math.cos(2 * Math.PI * ((3 * Math.floor(i / width)) / height + (6 * (i % width)) / width)),
    )
    const [white] = await whiten([{ height, width, values }])
    const scale = white!.values[0]! / values[0]!
    white!.values.forEach((v, i) => {
      expect(v).toBeCloseTo(scale * values[i]!, 4)
    })
  })
})

describe('convolutional sparse coding', () => {
  test('learns kernels that explain images better, of length 1', async () => {
    const random = randomSource(2)
    const marks = [
      gabor(0.3, 0, { wavelength: 4, deviation: 1.4, size: 5 }),
      gabor(1.9, 1, { wavelength: 4, deviation: 1.4, size: 5 }),
    ]
    const image = () => {
      const values = new Float32Array(24 * 24)
      for (let n = 0; n < 14; n++) {
        const [mark, top, left, a] = [
          marks[random.integer(2)]!,
          random.integer(20),
          random.integer(20),
          random.normal(),
        ]
        mark.forEach((v, i) => {
          values[(top + Math.floor(i / 5)) * 24 + left + (i % 5)]! += a * v
        })
      }
      return values
    }
    const net = new SparseConvCoding({ kernelSize: 5, functions: 2, lambda: 0.05, steps: 20 })
    const shape = [4, 24, 24, 1]
    const images = () => Float32Array.from([image(), image(), image(), image()].flatMap((one) => [...one]))
    const held = images()
    const before = await net.learn(held, shape, 0)
    for (let i = 0; i < 150; i++) await net.learn(images(), shape, 0.05)
    const after = await net.learn(held, shape, 0)
    expect(after.energy).toBeLessThan(0.8 * before.energy)
    expect(after.error).toBeLessThan(0.1)
    for (const mark of marks) {
      const best = Math.max(
        ...[0, 1].map((k) => Math.abs(net.function(k).reduce((sum, v, i) => sum + v * mark[i]!, 0))),
      )
      expect(best).toBeGreaterThan(0.9)
    }
    for (const k of [0, 1]) expect(Math.hypot(...net.function(k))).toBeCloseTo(1, 5)
  })

  test('its coefficients are where no small change lowers E', async () => {
    const net = new SparseConvCoding({ kernelSize: 3, functions: 3, lambda: 0.3, steps: 100 })
    const image = normals(64, 8)
    const { a } = await net.learn(image, [1, 8, 8, 1], 0)
    const phi = net.phi.read()
    const cost = (maps: Float32Array) => {
      const left = Float64Array.from(image)
      maps.forEach((v, i) => {
        const [k, x, y] = [i % 3, Math.floor(i / 3) % 6, Math.floor(i / 18)]
        for (let p = 0; p < 9; p++) left[(y + Math.floor(p / 3)) * 8 + x + (p % 3)]! -= v * phi[p * 3 + k]!
      })
      return left.reduce((sum, v) => sum + (v * v) / 2, 0) + 0.3 * maps.reduce((sum, v) => sum + Math.abs(v), 0)
    }
    const least = cost(a)
    for (let i = 0; i < a.length; i += 5)
      for (const step of [-0.02, 0.02]) {
        const moved = a.slice()
        moved[i]! += step
        expect(cost(moved)).toBeGreaterThan(least - 1e-5)
      }
  })
})
