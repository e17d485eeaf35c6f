import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compile.ts'
import * as graph from '../../src/graph/index.ts'
import { placeholder, type Tensor, tensor, update, Variable } from '../../src/graph/tensor.ts'

const targets = ['wasm', 'interpreter', 'reference'] as const

describe.each(targets)('calls on %s', (target) => {
  test('queue: each sees what those before it have written', async () => {
    const v = new Variable([0], [1])
    const run = compile(
      (x) => {
        const next = graph.add(graph.mul(v.value, 2), x)
        return { next, changed: update(v, next) }
      },
      [[1]],
      { target },
    )
    const results = await Promise.all([1, 1, 1, 1, 1].map((x) => run(x)))
    expect(results.map(({ next }) => next[0])).toEqual([1, 3, 7, 15, 31])
    expect(v.read()[0]).toBe(31)
  })

  test('of several programs with common variables', async () => {
    const v = new Variable([1, 2], [2])
    const double = compile(() => update(v, graph.mul(v.value, 2)), [], { target })
    const total = compile(() => graph.sum(graph.mul(v.value, 3)), [], { target })
    const [, a, , b] = await Promise.all([double(), total(), double(), total()])
    expect([a![0], b![0]]).toEqual([18, 36])
    v.write([5, 5])
    expect((await total())[0]).toBe(30)
    await double()
    expect((await total())[0]).toBe(60)
  })

  test('copy what they are given, and what they return stays', async () => {
    const run = compile((x) => graph.mul(x, 2), [[3]], { target })
    const values = new Float32Array([1, 2, 3])
    const first = run(values)
    values.fill(9)
    const second = run(values)
    expect([...(await first)]).toEqual([2, 4, 6])
    expect([...(await second)]).toEqual([18, 18, 18])
    expect([...(await first)]).toEqual([2, 4, 6])
  })

  test('that fail leave the next ones whole', async () => {
    const v = new Variable([1], [1])
    const run = compile((x) => ({ y: graph.add(x, v.value), changed: update(v, x) }), [[1]], { target })
    const given = {
      length: 1,
      get 0(): number {
        throw new Error('no number')
      },
    }
    expect(() => run([1, 2])).toThrow('program: input [0] has 2 values')
    expect(() => run(given)).toThrow('no number')
    expect((await run(4)).y[0]).toBe(5)
    expect((await run([1])).y[0]).toBe(5)
  })

  test('take trees in any order of their names and give trees', async () => {
    const run = compile(
      ({ a, b }, [c]) => ({ sub: graph.sub(a, b), list: [graph.mul(c, 2), { a }] as const }),
      [{ a: [2], b: [] }, [[3]]] as const,
      { target },
    )
    const { sub, list } = await run({ b: 1, a: [5, 6] }, [[1, 2, 3]])
    expect([...sub]).toEqual([4, 5])
    expect([...list[0]]).toEqual([2, 4, 6])
    expect([...list[1].a]).toEqual([5, 6])
  })

  test('take several numbers', async () => {
    const run = compile((a, b) => graph.sub(a, b), [[], []], { target })
    expect((await run(7, 2))[0]).toBe(5)
  })

  test('return inputs, variables and constants as they are', async () => {
    const v = new Variable([3, 4], [2])
    const run = compile((x) => [x, v.value, tensor([8]), graph.fill([2], 6), graph.reshape(x, [2, 1])], [[2]], {
      target,
    })
    expect((await run([1, 2])).map((list) => [...list])).toEqual([[1, 2], [3, 4], [8], [6, 6], [1, 2]])
  })

  test('the same seed gives the same bits', async () => {
    const once = async () => {
      const v = new Variable(
        Array.from({ length: 37 }, (_, i) => Math.fround(Math.sin(i))),
        [37],
      )
      const key = new Variable([7, 0], [2])
      const run = compile(
        () => {
          const noisy = graph.mul(v.value, graph.add(graph.uniform([37], key.value), 0.5))
          const [g] = graph.gradient(graph.sum(graph.exp(graph.tanh(noisy))), [v.value])
          return [update(v, graph.sub(v.value, graph.mul(g!, 0.1))), update(key, graph.add(key.value, tensor([0, 1])))]
        },
        [],
        { target },
      )
      for (let i = 0; i < 20; i++) await run()
      return new Uint32Array(v.read().buffer)
    }
    expect(await once()).toEqual(await once())
  })
})

test('eager values: of tensors, of several structures, after a failing one', async () => {
  const x = tensor([1, 2, 3])
  const v = new Variable([10], [1])
  expect([...(await graph.add(x, v.value).data())]).toEqual([11, 12, 13])
  v.write([20])
  expect([...(await graph.add(x, v.value).data())]).toEqual([21, 22, 23])
  expect([...(await graph.add(tensor([4, 5, 6]), v.value).data())]).toEqual([24, 25, 26])
  await expect(graph.add(placeholder([3]), 1).data()).rejects.toThrow('compile: a placeholder of shape [3]')
  expect(await Promise.all([graph.sum(x).data(), x.data()])).toEqual([
    new Float32Array([6]),
    new Float32Array([1, 2, 3]),
  ])
})

describe('errors of compile and of programs: the rule, the values, the remedy', () => {
  const run = compile((x, { y }) => graph.add(x, y), [[2], { y: [2] }])
  // what the types forbid
  const call = run as unknown as (...values: unknown[]) => Promise<Float32Array>
  const compileAny = compile as unknown as (fn: (...inputs: Tensor[]) => unknown, shapes: unknown[]) => unknown

  test.each<[string, () => unknown, string]>([
    [
      'too few values',
      () => call([1], { y: [1, 2] }),
      'program: input [0] has 1 values, its shape [2] 2. Give as many',
    ],
    [
      'too many values',
      () => call([1, 2], { y: [1, 2, 3] }),
      'program: input [1].y has 3 values, its shape [2] 2. Give',
    ],
    ['a missing argument', () => call([1, 2]), 'program: input [1].y has no values, its shape [2] 2. Give as many'],
    ['an argument too many', () => call([1, 2], { y: [1, 2] }, 3), "program: [2] isn't an input; 2 are expected"],
    ['an unknown name', () => call([1, 2], { y: [1, 2], z: 1 }), "program: [1].z isn't an input; 1 are expected"],
    ['a value for a record', () => call([1, 2], 3), 'program: input [1].y has no values'],
    [
      'a result that is no tensor',
      () => compileAny((x) => ({ x, n: 3 }), [[2]]),
      "compile: the function returned 3 at 'n'. Return tensors and updates only.",
    ],
    [
      'no result',
      () => compileAny(() => undefined, []),
      "compile: the function returned undefined at ''. Return tensors",
    ],
    [
      'a stray placeholder',
      () => compileAny((x) => graph.add(x!, placeholder([2])), [[2]]),
      "compile: a placeholder of shape [2] isn't an input of this program. Use the tensors that the function is given.",
    ],
    ['a size that is no count', () => compileAny((x) => x, [[2, 0]]), 'placeholder: every size is 0, but must be'],
    [
      'an update of another shape',
      () => update(new Variable([1, 2], [2], 'weights'), tensor([1, 2, 3])),
      'update: weights has shape [2], its new value [3]. Give a value of the same shape.',
    ],
    [
      'a variable of too few values',
      () => new Variable([1], [2]),
      "variable: 1 values don't fill shape [2] (2 elements)",
    ],
    [
      'a write of too few values',
      () => new Variable([1], [1]).write([1, 2]),
      "variable.write: 2 values don't fill shape",
    ],
    ['a tensor of too many values', () => tensor([1, 2], [1]), "tensor: 2 values don't fill shape [1] (1 elements)"],
  ])('%s', (_, act, message) => {
    expect(act).toThrow(message)
  })
})
