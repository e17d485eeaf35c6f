import { describe, expect, test } from 'vitest'
import { dense, sequential } from '../../src/nn/index.ts'

const model = sequential([2], [dense(3)])
const x = Float32Array.from({ length: 2000 }, (_, i) => Math.sin(i))
const y = Int32Array.from({ length: 1000 }, (_, i) => i % 3)

describe('an AbortSignal', () => {
  test('ends predict, with its reason', async () => {
    const abort = new AbortController()
    const working = model.predict(x, { batchSize: 1, signal: abort.signal })
    setTimeout(() => abort.abort(new Error('no longer wanted')))
    await expect(working).rejects.toThrow('no longer wanted')
    await expect(model.predict(x, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i)
    // the model is as before
    expect(await model.predict(x, { signal: new AbortController().signal })).toHaveLength(3000)
  })

  test('ends evaluate', async () => {
    await expect(model.evaluate({ x, y }, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    expect((await model.evaluate({ x, y }, { signal: new AbortController().signal })).loss).toBeGreaterThan(0)
  })
})
