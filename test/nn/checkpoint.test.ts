import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { fit as fitModel } from '../../src/nn/fit.ts'
import type { FitOptions } from '../../src/nn/fit-options.ts'
import type { EpochRecord, History } from '../../src/nn/history.ts'
import { batchNorm, dense, dropout, loadModel, type Model, readSafetensors, sequential } from '../../src/nn/index.ts'

const random = randomSource(7)
const x = Float32Array.from({ length: 3 * 22 }, () => random.normal())
const y = Float32Array.from({ length: 22 }, (_, i) => (x[3 * i] > x[3 * i + 1] ? 1 : 0))
const data = { x, y }

const build = () => sequential([3], [dense(6), batchNorm(), dropout(0.3), dense(2)], { seed: 4 })

/** Three epochs of four steps, the last of them short. Everything that has a memory takes part. */
const options: FitOptions = {
  epochs: 3,
  batchSize: 6,
  optimizer: { name: 'adam', learningRate: 0.05, amsgrad: true },
  schedule: { name: 'warmUp', steps: 5, schedule: { name: 'reduceOnPlateau', patience: 1, factor: 0.5 } },
  validation: { x: x.slice(0, 30), y: y.slice(0, 10).map((label) => 1 - label) },
  earlyStopping: { patience: 3 },
  clipNorm: 1,
  verbose: false,
}

const bitsOf = (model: Model) =>
  [...model.parameters, ...model.state, model.rng].map((variable) => [variable.name, ...variable.read()])

const timeless = ({ epochs, ...rest }: History) => ({
  ...rest,
  epochs: epochs.map(({ seconds: _, imagesPerSecond: __, ...record }: EpochRecord) => record),
})

/** Keeps the bytes of the last checkpoint. */
function keeper() {
  const kept = {
    bytes: new Uint8Array(),
    sink(bytes: Uint8Array<ArrayBuffer>) {
      kept.bytes = bytes
    },
  }
  return kept
}

/** Trains and stops after `steps` steps: the last checkpoint. */
async function stoppedAfter(steps: number, more: FitOptions = {}): Promise<Uint8Array> {
  const stop = new AbortController()
  let done = 0
  const kept = keeper()
  const history = await fitModel(build(), data, {
    ...options,
    ...more,
    signal: stop.signal,
    checkpoint: { sink: kept.sink },
    callbacks: [{ step: () => (++done === steps ? stop.abort() : undefined) }],
  })
  expect(history.stopped).toBe('aborted')
  return kept.bytes
}

describe('checkpoint', () => {
  test.each([1, 3, 4, 5, 8, 11, 12])(
    'stopped after step %i and resumed: the bits of a run that never stopped',
    async (steps) => {
      const [straight, model] = [build(), build()]
      const [wanted, got] = [keeper(), keeper()]
      const story = await fitModel(straight, data, { ...options, checkpoint: { sink: wanted.sink } })
      const bytes = await stoppedAfter(steps)
      // another first state, which resuming must replace
      for (const variable of [...model.parameters, ...model.state, model.rng])
        variable.write(variable.read().map((value) => value + 1))
      const history = await fitModel(model, data, { ...options, resume: bytes, checkpoint: { sink: got.sink } })
      expect(bitsOf(model)).toEqual(bitsOf(straight))
      expect(timeless(history)).toEqual(timeless(story))
      // the last epoch's weights, the best ones, and all that the optimiser remembers
      const tensors = ({ bytes: file }: { bytes: Uint8Array }) => [...readSafetensors(file).tensors]
      expect(tensors(got)).toEqual(tensors(wanted))
    },
  )

  test('is a model file, too', async () => {
    const bytes = await stoppedAfter(2)
    const loaded = loadModel(bytes)
    const stopped = build()
    await fitModel(stopped, data, { ...options, resume: bytes, signal: AbortSignal.abort() })
    expect(bitsOf(loaded)).toEqual(bitsOf(stopped))
  })

  test('comes at the end of every epoch, or as often as asked for', async () => {
    const count = async (checkpoint: FitOptions['checkpoint']) => {
      let written = 0
      await fitModel(build(), data, { ...options, checkpoint: { ...checkpoint, sink: () => void written++ } })
      return written
    }
    expect(await count({})).toBe(3)
    expect(await count({ everyEpochs: 2 })).toBe(1)
    expect(await count({ everySteps: 5, everyEpochs: 100 })).toBe(2)
  })

  test('resumed with more epochs it goes on; with none left it only restores', async () => {
    const kept = keeper()
    const short: FitOptions = { ...options, schedule: 'constantRate' }
    await fitModel(build(), data, { ...short, epochs: 2, checkpoint: { sink: kept.sink } })
    const [model, straight] = [build(), build()]
    const again = await fitModel(model, data, { ...short, epochs: 2, resume: kept.bytes })
    expect(again.epochs.length).toBe(2)
    const longer = await fitModel(model, data, { ...short, resume: kept.bytes })
    expect(timeless(longer)).toEqual(timeless(await fitModel(straight, data, short)))
    expect(bitsOf(model)).toEqual(bitsOf(straight))
  })

  test('a plan tells how many steps were done before', async () => {
    const plans: number[] = []
    const callbacks = [{ begin: ({ doneSteps }: { doneSteps: number }) => void plans.push(doneSteps) }]
    await fitModel(build(), data, { ...options, callbacks, resume: await stoppedAfter(7) })
    expect(plans).toEqual([7])
  })

  test('numbers that JSON has no word for survive', async () => {
    const never: FitOptions = {
      metrics: [{ name: 'odd', sums: (p) => p, value: () => Number.NEGATIVE_INFINITY }],
    }
    const bytes = await stoppedAfter(5, never)
    const history = await fitModel(build(), data, { ...options, ...never, resume: bytes, signal: AbortSignal.abort() })
    expect(history.epochs[0].odd).toBe(Number.NEGATIVE_INFINITY)
  })
})

describe('errors of resuming', () => {
  const resume = async (changes: FitOptions, model = build(), samples = data) =>
    fitModel(model, samples, { ...options, resume: await stoppedAfter(1), ...changes })

  test.each<[string, FitOptions]>([
    ['resume: batchSize was 6 and is 7. Give the options that', { batchSize: 7 }],
    ['resume: seed was 4 and is 5', { seed: 5 }],
    ['resume: shuffle was true and is false', { shuffle: false }],
    ['resume: optimizer was {"learningRate":0.05', { optimizer: 'adam' }],
    ['resume: schedule was {"name":"warmUp"', { schedule: 'constantRate' }],
    ['resume: loss was "softmaxCrossEntropy" and is "function"', { loss: (p) => p }],
    ['resume: metrics was ["accuracy"] and is []', { metrics: [] }],
    ['resume: clip was {"clipNorm":1} and is {}', { clipNorm: undefined }],
    ['resume: earlyStopping was {"patience":3} and is nothing', { earlyStopping: undefined }],
  ])('%s', async (message, changes) => {
    await expect(resume(changes)).rejects.toThrow(message)
  })

  test('other data, another model, and a file that is no checkpoint', async () => {
    await expect(resume({}, build(), { x: x.slice(3), y: y.slice(1) })).rejects.toThrow(
      'resume: samples was 22 and is 21',
    )
    const wider = sequential([3], [dense(7), batchNorm(), dropout(0.3), dense(2)], { seed: 4 })
    await expect(resume({}, wider)).rejects.toThrow(
      "resume: the checkpoint has dense_1.weight of shape [3, 6], the model's is [3, 7]",
    )
    const longer = sequential([3], [dense(6), batchNorm(), dense(2), dense(2)], { seed: 4 })
    await expect(resume({}, longer)).rejects.toThrow(
      "resume: the checkpoint has no dense_3.weight, the model's is [2, 2]",
    )
    const model = build()
    await expect(resume({ resume: model.toBytes() }, model)).rejects.toThrow('resume: the file holds a model, but not')
    await expect(resume({ resume: new Uint8Array(4) })).rejects.toThrow('readSafetensors: 4 bytes are too few')
  })

  test('a failed resume leaves the model as it was', async () => {
    const longer = sequential([3], [dense(6), batchNorm(), dense(2), dense(2)], { seed: 4 })
    const before = bitsOf(longer)
    await expect(resume({}, longer)).rejects.toThrow('resume')
    expect(bitsOf(longer)).toEqual(before)
  })

  test('the file names what it holds', async () => {
    const { tensors, metadata } = readSafetensors(await stoppedAfter(5))
    const names = [...tensors.keys()].filter((name) => name.startsWith('training/'))
    expect(names).toContain('training/optimizer.step')
    expect(names).toContain('training/optimizer.dense_1.weight.largestSquare')
    expect(names).toContain('training/best.dense_1.weight')
    expect([...metadata.keys()].sort()).toEqual(['fovea', 'training'])
  })
})
