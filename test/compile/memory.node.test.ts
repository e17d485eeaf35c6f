import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import { compile } from '../../src/compile.ts'
import * as graph from '../../src/graph/index.ts'
import { type Tensor, tensor, update, Variable } from '../../src/graph/tensor.ts'
import { runtime } from '../../src/program/state.ts'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** Bytes now in use, after the garbage is gone: of the process, and in blocks of WebAssembly memory. */
async function usage() {
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return { process: process.memoryUsage().rss, blocks: runtime().memory.used() }
}

const megabyte = 2 ** 20

/** Runs `work` some times to warm up and then `count` times; memory must not grow. */
async function expectFlat(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count / 4; i++) await work(i)
  const before = await usage()
  for (let i = 0; i < count; i++) await work(i)
  const after = await usage()
  console.log(`${count} times: ${((after.process - before.process) / megabyte).toFixed(1)} MB more in the process`)
  expect(after.blocks).toBe(before.blocks)
  expect(after.process - before.process).toBeLessThan(24 * megabyte)
}

/** The shape of LeNet-5 in small: convolution, pooling, dropout, dense layers; SGD with momentum. */
function smallTraining() {
  const random = randomSource(1)
  const variable = (...shape: number[]) =>
    new Variable(
      Array.from({ length: sizeOf(shape) }, () => 0.3 * random.normal()),
      shape,
    )
  const parameters = [variable(3, 3, 1, 4), variable(4), variable(3, 3, 4, 6), variable(6), variable(6, 5), variable(5)]
  const speeds = parameters.map(({ shape }) => new Variable(new Float32Array(sizeOf(shape)), shape))
  const key = new Variable([1, 0], [2])
  const train = compile(
    (x, labels) => {
      const [w1, b1, w2, b2, w3, b3] = parameters.map((p) => p.value) as [
        Tensor,
        Tensor,
        Tensor,
        Tensor,
        Tensor,
        Tensor,
      ]
      const h1 = graph.maxPool(graph.relu(graph.add(graph.conv(x, w1, { padding: 1 }), b1)), 2)
      const h2 = graph.tanh(graph.add(graph.conv(h1, w2), b2))
      const dropped = graph.mul(h2, graph.less(graph.uniform(h2.shape, key.value), 0.8))
      const logits = graph.add(graph.matmul(graph.mean(dropped, [1, 2]), w3), b3)
      const loss = graph.softmaxCrossEntropy(logits, labels)
      const gradients = graph.gradient(
        loss,
        parameters.map((p) => p.value),
      )
      const next = speeds.map((v, i) => graph.sub(graph.mul(v.value, 0.9), graph.mul(gradients[i]!, 0.01)))
      return {
        loss,
        updates: [
          ...speeds.map((v, i) => update(v, next[i]!)),
          ...parameters.map((p, i) => update(p, graph.add(p.value, next[i]!))),
          update(key, graph.add(key.value, tensor([0, 1]))),
        ],
      }
    },
    [[2, 8, 8, 1], [2]],
  )
  return { train, parameters }
}

test('memory is flat over 20,000 steps of training', async () => {
  const { train } = smallTraining()
  const random = randomSource(2)
  const x = Float32Array.from({ length: 128 }, random.normal)
  let first = 0
  let loss = 0
  await expectFlat(20_000, async (i) => {
    const result = await train(x, [1, 3])
    loss = result.loss[0]!
    if (i === 0) first ||= loss
  })
  expect(loss).toBeLessThan(first)
}, 120_000)

test('memory is flat over 10,000 eager calls', async () => {
  const random = randomSource(3)
  const made = (...shape: number[]) => tensor(Float32Array.from({ length: sizeOf(shape) }, random.normal), shape)
  await expectFlat(10_000, async (i) => {
    // a few shapes return, every fiftieth call is new
    const n = i % 50 === 0 ? 4 + (i % 700) : 4 + (i % 3)
    const y = graph.sum(graph.relu(graph.conv(made(1, n, 3), made(3, 3, 2), { padding: 1 })), [1])
    return y.data()
  })
}, 120_000)

test('the memory of variables and programs that nobody holds is used again', async () => {
  const before = await usage()
  for (let i = 0; i < 60; i++) {
    const v = new Variable(new Float32Array(100_000), [100_000])
    const table = { inputSize: 3, rows: [[[i % 3, 2]], [[0, 1]]] } as const
    const run = compile(() => update(v, graph.add(v.value, graph.sum(graph.resample(tensor([1, 2, 3]), 0, table)))), [])
    await run()
    expect(v.read()[99_999]).toBe(1 + 2 * ((i % 3) + 1))
    if (i % 10 === 9) await usage()
  }
  const after = await usage()
  expect(after.blocks - before.blocks).toBeLessThan(megabyte)
}, 120_000)
