import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import { compile, type Target } from '../../src/compile.ts'
import * as graph from '../../src/graph/index.ts'
import { type Tensor, type Update, update, Variable } from '../../src/graph/tensor.ts'
import { randomGraph } from '../support/random-graph.ts'

const targets: Target[] = ['reference', 'interpreter', 'wasm']

type Program = (...variables: Variable[]) => { out?: Tensor[]; updates: Update[] }

/** Runs `calls` calls on every target with variables of its own; all outputs and all variables must agree. */
async function same(program: Program, initial: readonly (readonly number[])[], calls = 3): Promise<Float32Array[]> {
  const histories: unknown[] = []
  let last: Float32Array[] = []
  for (const target of targets) {
    const variables = initial.map((values, i) => new Variable(values, [values.length], `v${i}`))
    const run = compile(
      () => {
        const { out = [], updates } = program(...variables)
        return { out, updates }
      },
      [],
      { target },
    )
    const history: unknown[] = []
    for (let call = 0; call < calls; call++) {
      const { out } = await run()
      last = variables.map((v) => v.read())
      history.push([...out, ...last].map((list) => Array.from(list, (x) => x + 0)))
    }
    histories.push(history)
  }
  for (const history of histories) expect(history).toEqual(histories[0])
  return last
}

const numbers = (n: number, from = 1) => Array.from({ length: n }, (_, i) => from + i)

describe('updates happen at the end of a program', () => {
  test('a variable and its new value', async () => {
    const [v] = await same((a) => ({ updates: [update(a, graph.add(a.value, 1))] }), [numbers(5)])
    expect([...v!]).toEqual([4, 5, 6, 7, 8])
  })
  test('two variables swap', async () => {
    const values = await same(
      (a, b) => ({ updates: [update(a, b.value), update(b, a.value)] }),
      [numbers(6), numbers(6, 10)],
    )
    expect(values.map((v) => v[0])).toEqual([10, 1])
  })
  test('three turn round, one through a calculation', async () => {
    await same(
      (a, b, c) => ({
        updates: [update(a, b.value), update(b, graph.add(c.value, a.value)), update(c, graph.mul(a.value, 2))],
      }),
      [numbers(7), numbers(7, 3), numbers(7, -2)],
      5,
    )
  })
  test('an output that is an old value', async () => {
    await same(
      (a) => ({ out: [a.value, graph.reshape(a.value, [2, 3])], updates: [update(a, graph.neg(a.value))] }),
      [numbers(6)],
    )
  })
  test('an output that is the new value, also reshaped', async () => {
    await same(
      (a) => {
        const next = graph.mul(a.value, 3)
        return { out: [next, graph.reshape(next, [3, 2])], updates: [update(a, next)] }
      },
      [numbers(6)],
    )
  })
  test('one new value for two variables', async () => {
    await same(
      (a, b) => {
        const next = graph.add(a.value, b.value)
        return { updates: [update(a, next), update(b, next)] }
      },
      [numbers(4), numbers(4, 7)],
    )
  })
  test('the old value is read after the new one is known', async () => {
    await same(
      (a, b) => {
        const next = graph.add(a.value, 1)
        const later = graph.sum(graph.mul(next, graph.sub(a.value, 5)))
        return { out: [later], updates: [update(a, next), update(b, graph.add(b.value, later))] }
      },
      [numbers(9), numbers(3)],
    )
  })
  test('momentum: a new velocity read by the new weights', async () => {
    await same(
      (w, v) => {
        const gradient = graph.mul(w.value, 2)
        const velocity = graph.sub(graph.mul(v.value, 2), gradient)
        const ahead = graph.sub(graph.mul(velocity, 2), gradient)
        return { updates: [update(v, velocity), update(w, graph.add(w.value, ahead))] }
      },
      [numbers(33), numbers(33, -3)],
      4,
    )
  })
  test('a variable is read backwards or broadcast while it is updated', async () => {
    await same(
      (a, b) => {
        const square = graph.reshape(a.value, [4, 4])
        const turned = graph.reshape(graph.transpose(square, [1, 0]), [16])
        const first = graph.slice(b.value, [0], [1])
        return {
          updates: [update(a, graph.add(a.value, turned)), update(b, graph.sub(graph.mul(b.value, 2), first))],
        }
      },
      [numbers(16), numbers(11)],
    )
  })
  test('a variable that broadcasts against itself', async () => {
    await same(
      (a) => {
        const table = graph.mul(graph.reshape(a.value, [3, 1]), graph.reshape(a.value, [1, 3]))
        return { out: [table], updates: [update(a, graph.sum(table, [0]))] }
      },
      [[1, 2, -1]],
    )
  })
  test('a key of random numbers that is replaced by them', async () => {
    await same((a) => ({ updates: [update(a, graph.floor(graph.mul(graph.uniform([2], a.value), 100)))] }), [[3, 4]])
  })
  test('long ones, in several kernels', async () => {
    await same(
      (a, b) => ({
        out: [graph.sum(graph.abs(a.value))],
        updates: [update(a, graph.sub(a.value, b.value)), update(b, graph.minimum(a.value, 7))],
      }),
      [Array.from({ length: 20_011 }, (_, i) => i % 17), Array.from({ length: 20_011 }, (_, i) => i % 5)],
    )
  })
  test('a new value that depends on lasting variables alone, while the old one is read', async () => {
    await same(
      (a, b) => ({
        out: [graph.sum(a.value)],
        updates: [update(a, graph.mul(b.value, 2))],
      }),
      [numbers(5), numbers(5, 7)],
    )
  })
  test('a fill, another variable, and nothing new', async () => {
    await same(
      (a, b, c) => ({ updates: [update(a, graph.fill([3], 2)), update(b, a.value), update(c, c.value)] }),
      [numbers(3), numbers(3), numbers(3)],
    )
  })
})

const seconds = 6

/** New values of some variables from a random expression of all of them, kept small, and some outputs. */
function randomUpdates(seed: number, variables: readonly Variable[]) {
  const random = randomSource(seed)
  const first = variables.map((v) => ({ node: v.value, most: 60 }))
  const pool = randomGraph(random, 4 + random.integer(10), first, (shape) =>
    graph.tensor(
      Array.from({ length: sizeOf(shape) }, () => random.integer(9) - 4),
      shape,
    ),
  )
  const updates: Update[] = []
  for (const v of variables) {
    if (random.integer(5) === 0) continue
    const fits = pool.nodes.filter((b) => sizeOf(b.node.shape) === sizeOf(v.shape))
    const { node } = fits[fits.length - 1 - random.integer(Math.min(4, fits.length))]!
    const next = graph.maximum(graph.minimum(graph.reshape(node, v.shape), 60), -60)
    // turned round along the first axis it isn't elementwise, and so can't be computed in place
    const from = random.integer(v.shape[0]!)
    const start = v.shape.map((_, i) => (i === 0 ? from : 0))
    const end = v.shape.map((n, i) => (i === 0 ? from : n))
    const turned = from > 0 && random.integer(3) === 0
    updates.push(update(v, turned ? graph.concat([graph.slice(next, start), graph.slice(next, [], end)], 0) : next))
  }
  return { updates, outputs: pool.nodes.slice(-1 - random.integer(3)).map((b) => b.node) }
}

test(`random programs with updates: all targets agree after every call, for ${seconds} s`, async () => {
  const stop = performance.now() + 1000 * seconds
  let count = 0
  for (let seed = Date.now() % 2 ** 31; performance.now() < stop; seed++, count++) {
    const shapes = [[2, 4, 3, 5], [2, 4, 3, 5], [5], [3, 1], [120]].slice(0, 2 + (seed % 4))
    const results: number[][][] = []
    for (const target of targets) {
      const variables = shapes.map(
        (shape, n) =>
          new Variable(
            Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 7 + n) % 9) - 4),
            shape,
          ),
      )
      const run = compile(() => randomUpdates(seed, variables), [], { target })
      const list: number[][] = []
      for (let call = 0; call < 3; call++) {
        const { outputs } = await run()
        list.push(...[...outputs, ...variables.map((v) => v.read())].map((x) => Array.from(x, (y) => y + 0)))
      }
      results.push(list)
    }
    for (const [i, list] of results.entries()) expect(list, `${targets[i]}, seed ${seed}`).toEqual(results[0])
  }
  console.log(`${count} programs`)
  expect(count).toBeGreaterThan(0)
})
