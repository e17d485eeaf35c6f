import { describe, expect, test } from 'vitest'
import { type RandomSource, randomSource } from '../../src/base/random.ts'
import { type Shape, sizeOf } from '../../src/base/shape.ts'
import { compile, type Program } from '../../src/compile.ts'
import { convSpec } from '../../src/conv/spec.ts'
import * as graph from '../../src/graph/index.ts'
import { placeholder, type Tensor, topological, Variable } from '../../src/graph/tensor.ts'
import { checkKernel } from '../../src/kernel/check.ts'
import { choose, planCalls } from '../../src/plan/choose.ts'
import { placeRows } from '../../src/plan/rows.ts'
import { noEpilogue } from '../../src/plan/types.ts'
import { expectReference, onTargets } from '../support/compare.ts'
import { featureSets, planSteps } from '../support/run-steps.ts'

const valuesOf = (random: RandomSource, { shape }: Tensor) =>
  Float32Array.from({ length: sizeOf(shape) }, () => random.integer(9) - 4)

/** Tensors of the size of x's maps, made in every way that a branch of a network may be. */
function branch(random: RandomSource, x: Tensor, inputs: Tensor[]): Tensor {
  const input = (shape: Shape) => {
    inputs.push(placeholder(shape))
    return inputs.at(-1)!
  }
  const channels = x.shape.at(-1)!
  const made = [1, 3, 4, 7, 16, 20, 32][random.integer(7)]!
  switch (random.integer(8)) {
    case 0:
      return graph.maxPool(x, [3, 3], { stride: 1, padding: 1 })
    case 1:
      return graph.conv(x, input([3, 3, 1, channels]), { padding: 1, groups: channels })
    case 2:
      return graph.relu(graph.add(graph.conv(x, input([3, 3, channels, made]), { padding: 1 }), input([made])))
    case 3:
      return graph.conv(x, input([5, 5, channels, made]), { padding: 2 })
    case 4: {
      const small = graph.conv(x, input([1, 1, channels, made]), { stride: 2 })
      return graph.convTranspose(small, input([2, 2, 5, made]), { stride: 2 })
    }
    case 5:
      return graph.add(x, 1)
    case 6:
      return graph.concat([graph.conv(x, input([1, 1, channels, made])), graph.neg(x)])
    default:
      return graph.add(graph.conv(x, input([1, 1, channels, made])), input([made]))
  }
}

const names = (roots: readonly Tensor[], precision: 'direct' | 'fast' = 'direct') =>
  planSteps(roots, { ...featureSets.simd, precision }).steps.map(({ label }) => label)

describe('a concatenation whose parts are written in place', () => {
  test('random branches: the float64 values, and the bits of the program that copies', async () => {
    let placed = 0
    for (let seed = 1; seed <= 24; seed++) {
      const random = randomSource(seed)
      const x = placeholder([1 + random.integer(2), 2 * (1 + random.integer(4)), 6, 1 + random.integer(6)])
      const inputs = [x]
      const parts = Array.from({ length: 2 + random.integer(3) }, () => branch(random, x, inputs))
      const axis = random.integer(3) > 0 || parts.some(({ shape }) => shape[3] !== parts[0]!.shape[3]) ? -1 : 1
      const y = graph.relu(graph.conv(graph.concat(parts, axis), placeholderOf(parts, axis, inputs)))
      const feeds = new Map(inputs.map((t) => [t, valuesOf(random, t)]))
      await expectReference([y], feeds)
      const bits: Float32Array[] = []
      await onTargets([y], feeds, ({ values }) => bits.push(values[0]!))
      // what is a result is stored by itself, and so copied
      const all = [y, ...topological([y]).filter(({ inputs: of }) => of.length > 0)]
      await onTargets(all, feeds, ({ values }, where) => expect(values[0], `${where}, ${seed}`).toEqual(bits.shift()))
      if (!names([y]).includes('concat')) placed++
    }
    console.log(`${placed} of 24 concatenations need no copy`)
    expect(placed).toBeGreaterThan(5)
  })

  const placeholderOf = (parts: readonly Tensor[], axis: number, inputs: Tensor[]) => {
    const { shape } = graph.concat(parts, axis)
    inputs.push(placeholder([1, 1, shape[3]!, 2]))
    return inputs.at(-1)!
  }

  test('a fire module and an inception module have no step for it', () => {
    const x = placeholder([1, 28, 28, 64])
    const relu = (k: number, c: number, from = x) =>
      graph.relu(
        graph.add(graph.conv(from, placeholder([k, k, from.shape[3]!, c]), { padding: 'same' }), placeholder([c])),
      )
    expect(names([graph.concat([relu(1, 64), relu(3, 64)])], 'fast')).not.toContain('concat')
    const pooled = relu(1, 32, graph.maxPool(x, [3, 3], { stride: 1, padding: 1 }))
    const inception = graph.concat([relu(1, 64), relu(3, 128, relu(1, 96)), relu(5, 32, relu(1, 16)), pooled])
    expect(names([inception], 'fast')).not.toContain('concat')
  })

  test('what others read too, what is a result and what is joined twice is copied', () => {
    const x = placeholder([1, 4, 4, 8])
    const y = graph.conv(x, placeholder([1, 1, 8, 8]))
    const other = graph.conv(x, placeholder([1, 1, 8, 8]))
    const copies = (roots: readonly Tensor[]) =>
      planSteps(roots, featureSets.simd).steps.find(({ label }) => label === 'concat')?.calls.length
    expect(copies([graph.concat([y, other])])).toBeUndefined()
    expect(copies([graph.concat([y, other]), y])).toBe(1)
    expect(copies([graph.concat([y, other]), graph.neg(y)])).toBe(1)
    expect(copies([graph.concat([y, y])])).toBe(2)
    expect(copies([graph.concat([x, other])])).toBe(1)
  })

  test('parts that no input changes are computed once, beside those written each time', async () => {
    const [w, v] = [new Variable([1, 2, 3, 4], [1, 1, 2, 2]), new Variable([5, 6], [1, 1, 1, 2])]
    const join = (x: Tensor) => graph.concat([graph.conv(x, w.value), graph.exp(graph.neg(v.value))])
    const program: Program<[[1, 1, 1, 2]], Tensor> = compile((x: Tensor) => join(x), [[1, 1, 1, 2]])
    const last = [Math.exp(-5), Math.exp(-6)].map(Math.fround)
    for (const [a, b] of [
      [1, 0],
      [2, 3],
    ] as const) {
      const y = await program([a, b])
      expect([...y.slice(0, 2)]).toEqual([a + 3 * b, 2 * a + 4 * b])
      expect(y[2]).toBeCloseTo(last[0]!, 7)
      expect(y[3]).toBeCloseTo(last[1]!, 7)
    }
    v.write([0, 0])
    expect([...(await program([1, 0]))]).toEqual([1, 2, 1, 1])
  })
})

test('rows placed in longer ones: addresses inside, undefined where a loop runs over several rows', () => {
  const spec = convSpec([1, 14, 14, 32], [3, 3, 32, 36])
  for (const precision of ['direct', 'fast'] as const) {
    const { plan } = choose('output', spec, { ...featureSets.relaxed, precision })
    const kernels = planCalls(plan, featureSets.relaxed, noEpilogue).map(({ kernel }) => kernel)
    const writers = kernels.filter(({ buffers }) => buffers.some(({ name }) => name === 'y'))
    for (const kernel of writers) {
      const placed = placeRows(kernel, 'y', { row: 36, into: 100, at: 64, count: 144 })!
      checkKernel(placed)
      expect(placeRows(kernel, 'y', { row: 18, into: 50, at: 0, count: 288 })).toBeUndefined()
    }
    expect(writers.length).toBeGreaterThan(0)
  }
})
