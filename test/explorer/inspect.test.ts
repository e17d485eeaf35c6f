import { describe, expect, test } from 'vitest'
import { branches, layout } from '../../explorer/inspect/layout.ts'
import { changeOf } from '../../explorer/inspect/model.ts'
import { openFiles } from '../../explorer/inspect/open.ts'
import type { Look } from '../../explorer/inspect/protocol.ts'
import { sharesOf } from '../../explorer/inspect/subject.ts'
import { channelsLast, kernelLast } from '../../explorer/inspect/subject-onnx.ts'
import { isChannelsFirst } from '../../explorer/inspect/subject-weights.ts'
import { saveLayersModel, saveOnnx } from '../../src/formats/index.ts'
import { setThreads } from '../../src/index.ts'
import { conv2d, dense, flatten, loadModel, maxPool2d, sequential } from '../../src/nn/index.ts'
import { example, sample } from './pages/inspect.ts'
import { fileOf } from './support/files.ts'

setThreads(1)

const digitsModel = () => loadModel(new Uint8Array(fileOf('inspect/digits.safetensors')))
const order = (row: number, off: readonly number[] = []) =>
  ({ row, off, norm: 'unit', picture: sample(10).values }) as const

describe('inspect', () => {
  test('shares are those of the library’s prediction', async () => {
    const subject = await example('digits')
    const { shares, before, maps } = await subject.look(order(0))
    const logits = await digitsModel().predict(sample(10).values)
    const powers = logits.map(Math.exp)
    const sum = powers.reduce((a, b) => a + b, 0)
    shares!.forEach((share, c) => {
      expect(share).toBeCloseTo(powers[c]! / sum, 5)
    })
    expect(before).toEqual(shares)
    expect(maps!.shape).toEqual([28, 28, 8])
  })

  test('a channel that is switched off is zero, and the answer is that of a model without it', async () => {
    const subject = await example('digits')
    const look = await subject.look(order(0, [1]))
    const { data } = look.maps!
    expect(data.filter((_, i) => i % 8 === 1).every((v) => v === 0)).toBe(true)
    expect(changeOf(look, [1])).toContain('now class 6')
    // the same by weights: the kernel and the bias of the channel are 0
    const model = digitsModel()
    for (const variable of model.parameters.slice(0, 2)) {
      const values = variable.read()
      variable.write(values.map((v, i) => (i % 8 === 1 ? 0 : v)))
    }
    const expected = sharesOf({ shape: [10], data: await model.predict(sample(10).values) })
    look.shares!.forEach((share, c) => {
      expect(share).toBeCloseTo(expected[c]!, 5)
    })
  })

  test('a model reads the same as fovea’s, as ONNX and as tfjs', async () => {
    const model = sequential(
      [12, 10, 3],
      [conv2d(4, [3, 5], { stride: 2, activation: 'relu' }), maxPool2d(2), flatten(), dense(5)],
      { seed: 3 },
    )
    const tfjs = saveLayersModel(model)
    const all = [
      await openFiles({ 'a.safetensors': model.toBytes() }),
      await openFiles({ 'a.onnx': saveOnnx(model) }),
      await openFiles(tfjs),
    ]
    const picture = Float32Array.from({ length: 360 }, (_, i) => ((i * 37) % 101) / 100)
    const looks: Look[] = []
    for (const { summary, look } of all.map((subject) => ({
      summary: subject.summary,
      look: subject.look.bind(subject),
    }))) {
      expect(summary.picture).toEqual({ height: 12, width: 10, channels: 3 })
      expect(summary.macs).toBe(all[0]!.summary.macs)
      const row = summary.rows.findIndex(({ kernel }) => kernel !== undefined)
      looks.push(await look({ row, off: [], norm: 'unit', picture }))
    }
    for (const look of looks) {
      expect(look.kernel!.shape).toEqual([3, 5, 3, 4])
      expect(look.kernel!.data).toEqual(looks[0]!.kernel!.data)
      look.shares!.forEach((share, c) => {
        expect(share).toBeCloseTo(looks[0]!.shares![c]!, 5)
      })
    }
  })

  test('what the compiler made of a layer: algorithm, kernels, times', async () => {
    for (const name of ['digits', 'branches'] as const) {
      const { plans, kernels, steps, arenaBytes } = await (await example(name)).compile(0)
      expect(plans.length).toBe(1)
      expect(plans[0]!.why.length).toBeGreaterThan(5)
      expect(kernels.some(({ text }) => text.startsWith('kernel '))).toBe(true)
      expect(steps.every(({ milliseconds }) => milliseconds > 0)).toBe(true)
      expect(arenaBytes).toBeGreaterThan(0)
    }
  })

  test('graphs that branch get places that don’t overlap; chains need none', async () => {
    const [chain, graph] = [(await example('digits')).summary.rows, (await example('branches')).summary.rows]
    expect([branches(chain), branches(graph)]).toEqual([false, true])
    expect(await layout(chain)).toBeUndefined()
    const { places } = (await layout(graph))!
    const apart = places.every((a, i) =>
      places.every((b, j) => i <= j || Math.abs(a.x - b.x) > 100 || Math.abs(a.y - b.y) > 30),
    )
    expect(apart).toBe(true)
  })

  test('axes are moved, nothing is lost', () => {
    const data = Float32Array.from({ length: 2 * 3 * 4 }, (_, i) => i)
    const moved = channelsLast({ shape: [1, 2, 3, 4], data })
    expect(moved.shape).toEqual([3, 4, 2])
    expect([...moved.data.subarray(0, 4)]).toEqual([0, 12, 1, 13])
    const kernel = kernelLast({ shape: [2, 3, 2, 2], data }, false)
    expect(kernel.shape).toEqual([2, 2, 3, 2])
    expect([...kernel.data.subarray(0, 6)]).toEqual([0, 12, 4, 16, 8, 20])
    expect(isChannelsFirst([64, 3, 7, 7])).toBe(true)
    expect(isChannelsFirst([7, 7, 3, 64])).toBe(false)
  })

  test('shares of logits, of shares, of a map of classes', () => {
    expect([...sharesOf({ shape: [2], data: Float32Array.of(0, 0) })]).toEqual([0.5, 0.5])
    expect([...sharesOf({ shape: [2], data: Float32Array.of(0.25, 0.75) })]).toEqual([0.25, 0.75])
    expect([...sharesOf({ shape: [2, 2], data: Float32Array.of(1, 2, 1, 2) })]).toEqual([0, 1])
  })

  test('what can’t be read is refused with a reason', async () => {
    const refused = (name: string, text: string, reason: RegExp) =>
      expect(openFiles({ [name]: new TextEncoder().encode(text) }), name).rejects.toThrow(reason)
    await refused('a.onnx', 'nonsense', /loadOnnx/)
    await refused('a.h5', 'nonsense', /can't be read/)
    await refused('a.json', '{"modelTopology": 1}', /modelTopology/)
    await expect(openFiles({})).rejects.toThrow(/No file/)
  })
})
