// ONNX files changed by chance: a model or an error of ours, quickly, in little memory, whatever the bytes.
// `npm run fuzz -- --readers --seconds 600` goes on for as long as wanted.
import { expect, inject, test } from 'vitest'
import { FoveaError } from '../../src/base/errors.ts'
import { randomSource } from '../../src/base/random.ts'
import { loadOnnx, type OnnxTensor, quantize, saveOnnx } from '../../src/formats/index.ts'
import { batchNorm, conv2d, dense, flatten, maxPool2d, sequential } from '../../src/nn/index.ts'
import { normals } from '../nn/layer-check.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** From `npm run fuzz -- --readers`. */
    readers?: { seconds: number; seed: number }
  }
}

const { seconds = 3, seed = 1 } = inject('readers') ?? {}

const net = sequential(
  [6, 6, 2],
  [
    conv2d(4, 3, { padding: 'same', activation: 'relu' }),
    batchNorm(),
    maxPool2d(2),
    flatten(),
    dense(3, { activation: 'softmax' }),
  ],
)
const x: OnnxTensor = { shape: [1, 6, 6, 2], data: Float32Array.from(normals(1, 72)) }

/** 4 times the file and 64 MB, beside what stays of programs that were made. */
const allowance = (file: Uint8Array) => 4 * file.length + 64e6

test('ONNX files changed by chance', { timeout: 1000 * seconds + 60_000 }, async () => {
  const files = [saveOnnx(net, { channelsLast: true, batchNorm: 'keep' }), await quantize(net, [x])]
  const end = Date.now() + 1000 * seconds
  let [rounds, refused] = [0, 0]
  while (Date.now() < end) {
    const round = seed * 1e6 + rounds++
    const random = randomSource(round)
    const file = files[random.integer(files.length)]!
    const changed = file.slice(0, random.integer(8) === 0 ? random.integer(file.length) : file.length)
    for (let i = 0; i <= random.integer(4) && changed.length > 0; i++)
      changed[random.integer(changed.length)] = random.integer(256)
    const [start, before] = [performance.now(), process.memoryUsage()]
    try {
      const model = await loadOnnx(changed)
      const after = process.memoryUsage()
      const grown = after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed
      expect(grown, `round ${round} takes memory`).toBeLessThan(allowance(changed))
      await model.run(x)
    } catch (error) {
      refused++
      const text = `round ${round}: ${(error as Error).stack}`
      expect(error, text).toBeInstanceOf(FoveaError)
      expect((error as Error).message, text).toMatch(/^(loadOnnx|onnx|program): /)
    }
    expect(performance.now() - start, `round ${round} takes too long`).toBeLessThan(10_000)
  }
  expect(refused).toBeGreaterThan(rounds / 20)
})
