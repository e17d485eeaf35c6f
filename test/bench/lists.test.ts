import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { operandsOf, relativeError, sampledError, shapesOf } from '../../bench/data.ts'
import { listNames, parseList, readList, type Work } from '../../bench/lists.ts'
import { type ConvSpec, inputGradient, kernelGradient, output, outputSize } from '../../src/conv/index.ts'
import { contract } from '../../src/graph/conv.ts'
import { compile } from '../../src/index.ts'

const folder = 'bench/layers/'
const references = { output, inputGradient, kernelGradient }

/** The same kind of layer with a few channels and places, and the same kernel, stride, dilation and padding. */
function shrunken(work: Work): Work {
  const { spec } = work
  const few = Math.min(spec.groups, 6)
  const groups = spec.groups === 1 ? 1 : few
  const multiplier = spec.groups === spec.inChannels ? spec.outChannels / spec.inChannels : 1
  const inChannels = spec.groups === 1 ? Math.min(spec.inChannels, 5) : few
  const outChannels = spec.groups === 1 ? Math.min(spec.outChannels, 9) : few * multiplier
  const reach = (axis: number) => spec.dilation[axis]! * (spec.kernel[axis]! - 1) + 1
  const input = spec.input.map((n, axis) => Math.min(n, spec.stride[axis]! * 4 + reach(axis)))
  const sizes = input.map((n, axis) =>
    outputSize(
      n,
      spec.kernel[axis]!,
      spec.stride[axis]!,
      spec.dilation[axis]!,
      spec.padLow[axis]!,
      spec.padHigh[axis]!,
    ),
  )
  const small: ConvSpec = { ...spec, batch: Math.min(spec.batch, 2), groups, inChannels, outChannels, input }
  return { ...work, spec: { ...small, output: sizes } }
}

describe('layer lists', () => {
  test('empty lines and comments are left out', () => {
    const works = parseList('# comment\n\nn1 8x8 c3 -> 4 k3 p1\n  transposed n1 4x4 c8 -> 6 k4 s2 p1\n')
    expect(works.map(({ text }) => text)).toEqual(['n1 8x8 c3 -> 4 k3 p1', 'transposed n1 4x4 c8 -> 6 k4 s2 p1'])
    expect(shapesOf(works[0]!)).toEqual({ a: [1, 8, 8, 3], b: [3, 3, 3, 4], result: [1, 8, 8, 4] })
    expect(shapesOf(works[1]!)).toEqual({ a: [1, 4, 4, 8], b: [4, 4, 6, 8], result: [1, 8, 8, 6] })
  })

  test('a wrong line is an error', () => {
    expect(() => parseList('n1 8x8 c3 -> 4 s1')).toThrow(/no kernel size/)
    expect(() => parseList('n1 8x8 c3 -> 4 k3 op1')).toThrow(/output padding/)
  })

  test('output padding and padding per side', () => {
    const [work] = parseList('transposed n1 7x5 c2 -> 3 k3 s2 p1 op1')
    expect(shapesOf(work!).result).toEqual([1, 14, 10, 3])
    expect(parseList('n1 8 c1 -> 1 k2 d4 pcausal')[0]!.spec.padLow).toEqual([4])
    expect(parseList('n1 8x8 c1 -> 1 k3 s2 p0:1x0:1')[0]!.spec.output).toEqual([4, 4])
  })

  test('every file is in the list of names', () => {
    expect(readdirSync(folder).sort()).toEqual(listNames.map((name) => `${name}.txt`).sort())
  })

  test.each(listNames)('%s: every line parses and stands once', (name) => {
    const { works } = readList(folder, name)
    expect(works.length).toBeGreaterThan(0)
    expect(new Set(works.map(({ text }) => text)).size).toBe(works.length)
  })

  test.each(listNames)('%s: a shrunken version of every line equals the reference', async (name) => {
    for (const whole of readList(folder, name).works) {
      const work = shrunken(whole)
      const operands = operandsOf(work)
      const { a, b } = shapesOf(work)
      const program = compile((x, w) => contract(work.operation, work.spec, x, w), [a, b])
      const result = await program(operands.a, operands.b)
      const expected = references[work.operation](work.spec, operands.a, operands.b)
      expect(relativeError(expected, result), whole.text).toBeLessThan(1e-5)
    }
  })
})

describe('sampled error', () => {
  const lines = [
    'n2 7x6 c4 -> 6 k3 s2 p1 g2',
    'transposed n2 4x3 c6 -> 4 k4x3 s2 p1 g2',
    'n1 3x5x4 c2 -> 3 k3x2x1 p1x0x0 d1x2x1',
  ]
  test.each(lines)('of the reference is 0, of a wrong element is not: %s', (line) => {
    const [given] = parseList(line)
    for (const operation of ['output', 'inputGradient', 'kernelGradient'] as const) {
      const work = { ...given!, operation }
      const operands = operandsOf(work)
      const result = Float32Array.from(references[operation](work.spec, operands.a, operands.b))
      expect(sampledError(work, operands, result, 1000)).toBeLessThan(1e-6)
      result[0]! += 0.1
      expect(sampledError(work, operands, result)).toBeGreaterThan(1e-2)
      expect(sampledError(work, operands, result.subarray(1))).toBe(Number.POSITIVE_INFINITY)
    }
  })
})
