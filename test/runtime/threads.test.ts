// Any number of threads gives the same bits; threads that come late or fail do no harm.
import { afterAll, describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import { compile } from '../../src/compile.ts'
import { convSpec, inputShape, outputShape } from '../../src/conv/spec.ts'
import { contract } from '../../src/graph/conv.ts'
import { gradient } from '../../src/graph/gradient.ts'
import { add, averagePool, conv, maxPool, mul, relu, sub, sum, update, Variable } from '../../src/graph/index.ts'
import { setThreads } from '../../src/program/state.ts'
import { type KernelFunction, participate } from '../../src/runtime/crew.ts'
import { platform } from '../../src/runtime/platform.ts'

const shares = platform().shares
const reason = shares ? '' : ' (skipped: no shared memory here, a page needs cross-origin isolation)'

afterAll(() => setThreads(1))

function values(length: number, seed: number): Float32Array {
  const random = randomSource(seed)
  return Float32Array.from({ length }, () => random.normal())
}

/** Three steps of training of a small network, large enough that its kernels are shared. */
async function train(): Promise<Float32Array[]> {
  const shapes = [
    [3, 3, 8, 24],
    [3, 3, 1, 24],
    [5, 5, 24, 20],
  ]
  const [a, b, c] = shapes.map(
    (shape, i) =>
      new Variable(
        values(
          shape.reduce((n, k) => n * k),
          i,
        ),
        shape,
      ),
  )
  const step = compile(
    (x) => {
      let y = relu(conv(x, a!.value, { padding: 'same' }))
      y = maxPool(conv(y, b!.value, { padding: 'same', groups: 24, stride: 2 }), 3, { stride: 2, padding: 1 })
      y = averagePool(conv(y, c!.value, { padding: 'same', paddingMode: 'reflect' }), 2)
      const loss = sum(mul(y, y))
      const all = [a!, b!, c!]
      const gradients = gradient(
        loss,
        all.map((v) => v.value),
      )
      const next = all.map((v, i) => update(v, sub(v.value, mul(1e-9, gradients[i]!))))
      return { y, loss, next }
    },
    [[5, 37, 41, 8]],
  )
  const results: Float32Array[] = []
  for (let i = 0; i < 3; i++) {
    const { y, loss } = await step(values(5 * 37 * 41 * 8, 10 + i))
    results.push(y, loss)
  }
  return [...results, a!.read(), b!.read(), c!.read()]
}

describe('threads', () => {
  test.runIf(shares)(`1, 2, 3 and 5 threads give the same bits${reason}`, async () => {
    setThreads(1)
    const expected = await train()
    for (const count of [2, 3, 5]) {
      setThreads(count)
      const found = await train()
      for (const [i, list] of found.entries()) expect(list, `${count} threads, result ${i}`).toEqual(expected[i])
    }
  })

  test.runIf(shares)(`a program goes on when the number of threads changes${reason}`, async () => {
    const w = new Variable(values(9 * 64 * 64, 1), [3, 3, 64, 64])
    const program = compile((x) => add(conv(x, w.value), 1), [[1, 30, 30, 64]])
    const x = values(30 * 30 * 64, 2)
    setThreads(2)
    const first = await program(x)
    setThreads(3)
    expect(await program(x)).toEqual(first)
    setThreads(1)
    expect(await program(x)).toEqual(first)
  })

  test.runIf(shares)(`sums that chunks add to one after the other, by any number of threads${reason}`, async () => {
    const spec = convSpec([4, 24, 24, 32], [3, 3, 32, 48], { padding: 1 })
    const shapes = [inputShape(spec), outputShape(spec)] as const
    const program = compile((x, g) => contract('kernelGradient', spec, x, g), shapes, { precision: 'fast' })
    expect(program.steps.map(({ plan }) => plan?.algorithm)).toEqual(['winograd F(3x3, 4x4)'])
    const operands = shapes.map((shape, i) => values(sizeOf(shape), i)) as [Float32Array, Float32Array]
    setThreads(1)
    const first = await program(...operands)
    for (const count of [2, 3]) {
      setThreads(count)
      const found = await program(...operands)
      expect(
        found.every((value, i) => value === first[i]),
        `${count} threads`,
      ).toBe(true)
    }
  })

  test.runIf(shares)(`chunks that share memory one after the other, by any number of threads${reason}`, async () => {
    const w = new Variable(values(9 * 64 * 64, 1), [3, 3, 64, 64])
    const program = compile((x) => conv(x, w.value, { padding: 1 }), [[2, 40, 50, 64]], { precision: 'fast' })
    expect(program.steps.flatMap(({ calls }) => calls).some(({ points }) => points && points[0] > 0)).toBe(true)
    const x = values(2 * 40 * 50 * 64, 2)
    setThreads(1)
    const first = await program(x)
    for (const count of [2, 3]) {
      setThreads(count)
      const found = await program(x)
      expect(
        found.every((value, i) => value === first[i]),
        `${count} threads`,
      ).toBe(true)
    }
  })

  test('setThreads refuses what is no number of threads', () => {
    expect(() => setThreads(0)).toThrow(/setThreads: count is 0/)
    expect(() => setThreads(1.5)).toThrow(/setThreads: count is 1.5/)
    expect(() => setThreads(1000)).toThrow(/setThreads: 1000 threads. Use at most 64/)
  })
})

describe('participate', () => {
  const calls = [
    { chunks: [[{ kernel: 0, addresses: [7], first: 0, points: 10 }]], pieces: 4, threads: 8 },
    { chunks: [[{ kernel: 1, addresses: [], first: 5, points: 3 }]], pieces: 1, threads: 8 },
  ]

  test('one thread alone runs every piece once, in order, run after run', () => {
    const seen: (number | undefined)[][] = []
    const kernels: KernelFunction[] = [
      (...numbers) => seen.push([0, ...numbers]),
      (...numbers) => seen.push([1, ...numbers]),
    ]
    const counters = new Int32Array(new ArrayBuffer(16))
    for (let run = 0; run < 2; run++) participate(counters, run, 0, calls, kernels)
    const once = [
      [0, 7, 0, 2],
      [0, 7, 2, 5],
      [0, 7, 5, 7],
      [0, 7, 7, 10],
      [1, 5, 8],
    ]
    expect(seen).toEqual([...once, ...once])
  })

  test('a thread that comes after the run is over finds nothing to do', () => {
    let count = 0
    const kernels: KernelFunction[] = [() => count++, () => count++]
    const counters = new Int32Array(4)
    participate(counters, 0, 0, calls, kernels)
    participate(counters, 1, 0, calls, kernels)
    participate(counters, 0, 1, calls, kernels)
    expect(count).toBe(10)
  })

  test('a chunk belongs to one thread, which has its own copies; threads without any take no part', () => {
    const chunk = (first: number) => [
      { kernel: 0, addresses: [100, 200], copies: [0, 64], first, points: 2 },
      { kernel: 1, addresses: [200], copies: [64], first, points: 2 },
    ]
    const list = [{ chunks: [chunk(0), chunk(2), chunk(4)], pieces: 3, threads: 2 }]
    const seen: number[][] = []
    const kernels: KernelFunction[] = [(...numbers) => seen.push(numbers), (...numbers) => seen.push(numbers)]
    const counters = new Int32Array(2)
    participate(counters, 0, 1, list, kernels)
    expect(seen).toEqual([
      [100, 264, 0, 2],
      [264, 0, 2],
      [100, 264, 2, 4],
      [264, 2, 4],
      [100, 264, 4, 6],
      [264, 4, 6],
    ])
    expect([...counters]).toEqual([3, 3])
  })

  test('an error is returned and the counters still come out even', () => {
    const counters = new Int32Array(4)
    const failing = () => {
      throw new Error('trap')
    }
    expect(participate(counters, 0, 0, calls, [failing, () => undefined])).toEqual(new Error('trap'))
    expect([...counters]).toEqual([4, 4, 1, 1])
  })
})
