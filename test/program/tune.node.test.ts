import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import { printCandidates } from '../../src/cli/candidates.ts'
import { type Contraction, parseSpec } from '../../src/conv/index.ts'
import { tune } from '../../src/index.ts'
import { type Candidate, candidates } from '../../src/program/candidates.ts'
import { load } from '../../src/program/engine.ts'
import type { Location } from '../../src/program/layout.ts'
import { features, setTiles } from '../../src/program/state.ts'
import { keptTiles } from '../../src/program/tune.ts'
import { operandShapes } from '../support/operand-shapes.ts'

const folder = mkdtempSync(join(tmpdir(), 'fovea-tune-'))
const before = process.env.XDG_CACHE_HOME
process.env.XDG_CACHE_HOME = folder
afterEach(() => setTiles(undefined))
afterAll(() => {
  rmSync(folder, { recursive: true })
  if (before === undefined) delete process.env.XDG_CACHE_HOME
  else process.env.XDG_CACHE_HOME = before
})

const layers: [Contraction, string][] = [
  ['output', 'n2 9x7 c20 -> 28 k1'],
  ['output', 'n1 12x12 c32 -> 32 k3 p1'],
  ['output', 'n1 9x9 c5 -> 14 k3 s2 p1'],
  ['output', 'n1 8x8 c8 -> 12 k3 p1 g2'],
  ['inputGradient', 'n1 9x9 c6 -> 10 k3 s2 p1'],
  ['kernelGradient', 'n3 16x16 c7 -> 13 k3 p1'],
]

describe('candidates', () => {
  test.each(layers)('that say so give the same bits: %s %s', async (contraction, text) => {
    const spec = parseSpec(text)
    const shapes = operandShapes(contraction, spec)
    const random = randomSource(4)
    const operands = shapes.map((shape) => Float32Array.from({ length: sizeOf(shape) }, () => random.normal()))
    const run = async ({ blueprint }: Candidate) => {
      const variables = new Set(
        blueprint.steady.flatMap(({ locations }) => locations.filter((at: Location) => 'variable' in at)),
      )
      for (const at of variables) if ('variable' in at) at.variable.write(operands[1])
      const [result] = await (await load(blueprint, 'wasm')).run(operands.slice(0, blueprint.inputs.length))
      return new Uint32Array(result.buffer)
    }
    const all = candidates(contraction, spec, features()).candidates.filter(({ sameBits }) => sameBits)
    expect(all.length).toBeGreaterThan(10)
    const wanted = await run(all[0])
    expect(new Set(wanted).size).toBeGreaterThan(100)
    for (const one of all.slice(1)) expect(await run(one), one.name).toEqual(wanted)
  })

  test('have predicted times and reasons', async () => {
    const fused = { ...features(), fused: true, registers: 15 }
    const spec = parseSpec('n1 28x28 c128 -> 128 k3 p1')
    const { candidates: list, refused } = candidates('output', spec, fused)
    const cycles = (name: string) => list.find((one) => one.name === name)!.cycles
    expect(list[0].name).toMatch(/^winograd F\(\dx\d, 3x3\)$/)
    // 115 million multiply-adds, eight in a cycle
    expect(cycles('implicit') / (28 * 28 * 128 * 128 * 9)).toBeCloseTo(1 / 8, 1)
    expect(cycles('winograd F(2x2, 3x3)') / cycles('implicit')).toBeGreaterThan(0.4)
    expect(cycles('winograd F(4x4, 3x3)') / cycles('winograd F(2x2, 3x3)')).toBeLessThan(0.8)
    expect(refused).toEqual([{ name: 'depthwise', refused: '1 groups of 128 channels mix channels' }])
  })

  test('are printed, measured where asked', async () => {
    const spec = parseSpec('n1 6x6 c8 -> 8 k1')
    const shapes = operandShapes('output', spec)
    const lines: string[] = []
    for (const peak of [undefined, 50])
      await printCandidates('output', spec, features(), { shapes, peak }, (line) => lines.push(line))
    const chosen = lines.filter((line) => line.endsWith(', chosen'))
    expect(chosen[0]).toMatch(/^candidate {2}pointwise +predicted +\d+\.\d thousand cycles, chosen$/)
    expect(chosen[1]).toMatch(/^candidate {2}pointwise +predicted \d+\.\d{4} ms, measured \d+\.\d{4} ms, chosen$/)
    expect(lines.at(-1)).toBe('refused    winograd: kernel 1x1 is neither 3x3 nor 5x5')
  })
})

describe('tune', () => {
  test('measures once and keeps what it found', async () => {
    await tune()
    const { tiles = [] } = features()
    expect(tiles.length).toBeGreaterThan(10)
    expect(Math.min(...tiles.map(({ slowness }) => slowness))).toBe(1)
    const [name, ...more] = readdirSync(join(folder, 'fovea'))
    expect(more).toEqual([])
    const kept = JSON.parse(readFileSync(join(folder, 'fovea', name), 'utf8'))
    expect(kept.tiles).toEqual(tiles)
    // the next time it's read
    const other = [{ rows: 2, vectors: 2, slowness: 1 }]
    writeFileSync(join(folder, 'fovea', name), JSON.stringify({ ...kept, tiles: other }))
    await tune()
    expect(features().tiles).toEqual(other)
  })

  test.each<[string, string | undefined]>([
    ['nothing', undefined],
    ['no JSON', '{'],
    ['another machine', JSON.stringify({ of: 'other', tiles: [{ rows: 1, vectors: 1, slowness: 1 }] })],
    ['no tiles', JSON.stringify({ of: 'this', tiles: [] })],
    ['rows out of range', JSON.stringify({ of: 'this', tiles: [{ rows: 1e9, vectors: 1, slowness: 1 }] })],
    ['no time', JSON.stringify({ of: 'this', tiles: [{ rows: 1, vectors: 1, slowness: null }] })],
  ])('does not trust %s', (_, text) => {
    expect(keptTiles(text, 'this')).toBeUndefined()
  })
})
