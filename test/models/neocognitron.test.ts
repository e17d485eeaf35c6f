import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { compile } from '../../src/compile.ts'
import {
  cellCounts,
  modules,
  Neocognitron,
  planes,
  representatives,
  staged,
  synapses,
} from '../../src/models/neocognitron.ts'

test('sizes are the paper’s', async () => {
  expect(synapses).toBe(29_472)
  expect(cellCounts).toEqual([256, 6144, 2400, 1536, 864, 96, 24])
  const layers = await new Neocognitron().respond(new Float32Array(256))
  expect(layers.flatMap(({ s, c }) => [s.length, c.length])).toEqual(cellCounts.slice(1))
})

test('after one reinforcement a cell fires where the weighted cosine exceeds r / (1 + r), whatever the contrast', async () => {
  const gamma = 0.7
  const random = randomSource(5)
  const patch = () => Float32Array.from({ length: 25 }, () => random.next() ** 2)
  const onRetina = (values: Float32Array, scale = 1) => {
    const x = new Float32Array(256)
    values.forEach((v, i) => {
      x[(6 + Math.floor(i / 5)) * 16 + 6 + (i % 5)] = v * scale
    })
    return x
  }
  const c = Float64Array.from({ length: 25 }, (_, i) => gamma ** Math.hypot((i % 5) - 2, Math.floor(i / 5) - 2))
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, v, i) => sum + c[i]! * v * y[i]!, 0)
  const cell = (8 * 16 + 8) * planes
  for (const r of [0.5, 1.5, 4, 8]) {
    const net = new Neocognitron({ ...staged, a0: [0, 0, 0], gamma: [gamma, 1, 1], r: [r, 1, 1], q: [1e4, 1, 1] })
    const first = net.modules[0]!
    const y = patch()
    const chosen = new Float32Array(16 * 16 * planes)
    chosen[cell] = 1
    const reinforce = compile(
      (u, at) => first.reinforce(u, at),
      [
        [1, 16, 16, 1],
        [1, 16, 16, planes],
      ],
    )
    await reinforce(onRetina(y), chosen)
    let fired = 0
    for (let i = 0; i < 24; i++) {
      const other = patch()
      const x = y.map((v, k) => v + (i / 12) * (other[k]! - v))
      for (let k = 0; k < 25; k++) x[k] = Math.max(0, x[k]!)
      const cosine = dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y))
      if (Math.abs(cosine - r / (1 + r)) < 0.003) continue
      for (const scale of [1, 0.3]) {
        const response = (await net.respond(onRetina(x, scale)))[0]!.s[cell]!
        expect(response > 0, `r ${r}, cosine ${cosine}`).toBe(cosine > r / (1 + r))
        if (response > 0) fired++
      }
    }
    expect(fired).toBeGreaterThan(0)
    expect((await net.respond(onRetina(y)))[0]!.s[cell]).toBeCloseTo(1, 2)
  }
})

describe('representatives', () => {
  const at = (s: number, y: number, x: number, k: number) => (y * s + x) * planes + k

  test('a plane has its largest candidate only, and none if another plane wins every column', () => {
    const responses = new Float32Array(8 * 8 * planes)
    responses[at(8, 0, 0, 3)] = 0.5
    responses[at(8, 7, 7, 3)] = 0.6
    responses[at(8, 0, 1, 4)] = 0.4
    const chosen = representatives(responses, 8, 5)
    expect([...chosen.keys()].filter((i) => chosen[i] === 1)).toEqual(
      [at(8, 0, 1, 4), at(8, 7, 7, 3)].sort((a, b) => a - b),
    )
  })

  test('a silent column has none', () => {
    expect(Math.max(...representatives(new Float32Array(2 * 2 * planes), 2, 2))).toBe(0)
  })
})

test('weights only grow', async () => {
  const net = new Neocognitron({ ...staged, presentations: 1 })
  const before = net.modules.map(({ a }) => a.read())
  await net.learn([Float32Array.from({ length: 256 }, (_, i) => Number(i % 16 === 7))])
  net.modules.forEach(({ a }, l) => {
    const after = a.read()
    expect(after.every((v, i) => v >= before[l]![i]!)).toBe(true)
    expect(after.some((v, i) => v > before[l]![i]!)).toBe(true)
  })
  expect(modules).toHaveLength(3)
})
