import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import * as graph from '../../src/graph/index.ts'
import { placeholder, type Tensor, topological } from '../../src/graph/tensor.ts'
import { expectReference, onTargets } from '../support/compare.ts'
import { randomGraph, wholeFeeds } from '../support/random-graph.ts'
import { featureSets, planSteps } from '../support/run-steps.ts'

const seconds = 8

test(`random expressions of whole numbers are exact on every target, for ${seconds} s`, async () => {
  const stop = performance.now() + 1000 * seconds
  const found = { epilogues: 0, groups: 0, reductions: 0 }
  let count = 0
  for (let seed = Date.now() % 2 ** 31; performance.now() < stop; seed++) {
    const random = randomSource(seed)
    const pool = randomGraph(random, 2 + random.integer(11))
    const last = pool.nodes.at(-1)!.node
    // some nodes inside are results too, and so must be stored
    const roots = [last, ...pool.nodes.map((b) => b.node).filter(() => random.integer(8) === 0)]
    try {
      await expectReference(roots, wholeFeeds(pool))
    } catch (error) {
      throw new Error(`random expression of seed ${seed}: ${(error as Error).message}`, { cause: error })
    }
    for (const { plan, label } of planSteps(roots, featureSets.simd).steps) {
      if (plan && label.includes(' + ')) found.epilogues++
      else if (label.includes(' of ')) found.reductions++
      else if (label.includes(' ')) found.groups++
    }
    count++
  }
  console.log(`${count} expressions; fused: ${JSON.stringify(found)}`)
  expect(Math.min(count, ...Object.values(found))).toBeGreaterThan(0)
})

/** Elementwise functions of reals, the smooth and the sharp. */
const smooth = [graph.exp, graph.tanh, graph.sigmoid, graph.erf, graph.abs, graph.floor, graph.log1p, graph.sqrt]

test('fused groups of reals give the same bits as one function after another', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = randomSource(seed)
    const x = placeholder([2, 3, 5])
    const feeds = new Map<Tensor, number[]>([[x, Array.from({ length: 30 }, () => random.normal())]])
    const nodes: Tensor[] = [x]
    const pick = () => nodes[random.integer(nodes.length)]!
    for (let i = 0; i < 10; i++) {
      const kind = random.integer(6)
      if (kind === 0) nodes.push(smooth[random.integer(smooth.length)]!(pick()))
      else if (kind === 1) nodes.push(graph.add(graph.mul(pick(), pick()), pick()))
      else if (kind === 2) nodes.push(graph.div(pick(), graph.add(graph.mul(pick(), pick()), 1)))
      else if (kind === 3)
        nodes.push(graph.where(graph.less(pick(), pick()), pick(), graph.pow(graph.abs(pick()), 1.5)))
      else if (kind === 4) nodes.push(graph.maximum(pick(), graph.sub(pick(), 0.3)))
      else nodes.push(graph.mul(pick(), graph.equal(pick(), pick())))
    }
    const y = nodes.at(-1)!
    const fused: Float32Array[] = []
    await onTargets([y], feeds, ({ values }) => fused.push(values[0]!))
    // with every node a result, nothing is fused
    const all = [y, ...topological([y]).filter((node) => node.operation.kind === 'map')]
    await onTargets(all, feeds, ({ values }, where) => {
      expect(values[0], `${where}, seed ${seed}`).toEqual(fused.shift())
    })
  }
})

describe('what follows a convolution is computed on its results', () => {
  const [x, w] = [placeholder([2, 5, 6, 3]), placeholder([3, 3, 3, 7])]
  const [bias, scale, residual] = [placeholder([7]), placeholder([]), placeholder([2, 5, 6, 7])]
  const y = graph.conv(x, w, { padding: 1 })
  const inputs = [x, w, bias, scale, residual]
  const feeds = (seed: number) => {
    const random = randomSource(seed)
    return new Map(inputs.map((t) => [t, Array.from({ length: sizeOf(t.shape) }, () => random.integer(9) - 4)]))
  }
  const cases: Record<string, Tensor> = {
    bias: graph.add(y, bias),
    'bias and activation': graph.relu(graph.add(y, bias)),
    'scalar operand': graph.mul(y, scale),
    residual: graph.relu(graph.add(graph.add(y, bias), residual)),
    'twice itself': graph.mul(y, graph.add(y, graph.mul(y, bias))),
    'a comparison': graph.less(y, residual),
    'a mask': graph.where(graph.less(0, residual), y, 0),
    'through a reshape that keeps rows': graph.add(graph.reshape(y, [60, 7]), bias),
    'bias of shape [1, 1, 1, 7]': graph.add(y, graph.reshape(bias, [1, 1, 1, 7])),
  }
  test.each(Object.entries(cases))('%s', async (_, root) => {
    await expectReference([root], feeds(1))
    const { steps } = planSteps([root], featureSets.simd)
    expect(steps.filter((step) => step.plan).map((step) => step.label.includes(' + '))).toEqual([true])
  })

  const apart: Record<string, Tensor[]> = {
    'its own values are asked for': [graph.relu(y), y],
    'a reshape changes its rows': [graph.add(graph.reshape(y, [30, 14]), 1)],
    'an operand that varies along the batch only': [graph.add(y, graph.sum(residual, [1, 2, 3], { keepAxes: true }))],
    'two groups use it': [graph.relu(y), graph.sum(graph.abs(y))],
    'gradient by the kernel': graph.gradient(graph.sum(graph.mul(y, residual)), [w]).map((g) => graph.mul(g, 2)),
    'more than its shape': [graph.add(y, graph.reshape(graph.concat([residual, residual], 0), [2, 2, 5, 6, 7]))],
  }
  test.each(Object.entries(apart))('but not where %s', async (_, roots) => {
    await expectReference(roots, feeds(2))
    const { steps } = planSteps(roots, featureSets.simd)
    expect(steps.some((step) => step.label.includes(' + '))).toBe(false)
  })
})

describe('keys of uniform', () => {
  const key = placeholder([2])
  const feeds = new Map([[key, [5, 9]]])
  test('may be calculated, also with the shape of the numbers', async () => {
    const next = graph.add(key, [0, 1].length)
    await expectReference([graph.uniform([2], next), graph.uniform([5], next)], feeds)
    await expectReference([graph.uniform([2], graph.mul(next, 2))], feeds)
  })
  test('may be operands of the same group', async () => {
    await expectReference([graph.mul(graph.floor(graph.mul(graph.uniform([2], key), 8)), key)], feeds)
    await expectReference([graph.sum(graph.mul(graph.floor(graph.mul(graph.uniform([3, 2], key), 8)), key))], feeds)
  })
})
