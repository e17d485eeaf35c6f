import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { mean, mul, sub } from '../../src/index.ts'
import type { DataSource, TrainingData } from '../../src/nn/batches.ts'
import { epochLine, epochLog } from '../../src/nn/callbacks.ts'
import { evaluate } from '../../src/nn/evaluate.ts'
import { fit as fitModel } from '../../src/nn/fit.ts'
import type { FitOptions } from '../../src/nn/fit-options.ts'
import { batchNorm, conv2d, dense, dropout, type Model, sequential } from '../../src/nn/index.ts'
import { sgd } from '../../src/nn/optimizers.ts'

/** Points of a square, and on which side of a diagonal each lies. */
function points(count: number, seed: number) {
  const random = randomSource(seed)
  const x = Float32Array.from({ length: 2 * count }, () => random.next() * 2 - 1)
  const y = Float32Array.from({ length: count }, (_, i) => (x[2 * i] + x[2 * i + 1] > 0.2 ? 1 : 0))
  return { x, y }
}

const data = points(50, 1)
const classifier = (seed = 1) => sequential([2], [dense(8, { activation: 'tanh' }), dense(2)], { seed })
const weightsOf = (model: Model) => [...model.parameters, ...model.state].flatMap((variable) => [...variable.read()])
const quiet = { verbose: false } as const
const train = (model: Model, options: FitOptions = {}, samples: TrainingData = data) =>
  fitModel(model, samples, { batchSize: 16, optimizer: { name: 'sgd', learningRate: 0.5 }, ...quiet, ...options })

/** A source that keeps the indices of every batch asked for. */
function recorded(samples = data) {
  const calls: { indices: number[]; epoch: number | undefined }[] = []
  const source: DataSource = {
    length: samples.y.length,
    async batch(indices, epoch) {
      const list = Array.from(indices)
      calls.push({ indices: list, epoch })
      return {
        x: Float32Array.from(list.flatMap((i) => [samples.x[2 * i], samples.x[2 * i + 1]])),
        y: Float32Array.from(list, (i) => samples.y[i]),
      }
    },
  }
  return { source, calls }
}

describe('fit', () => {
  test('learns, and tells the story of every epoch', async () => {
    const model = classifier()
    const { epochs, stopped } = await train(model, { epochs: 30, validation: points(40, 2) })
    expect(stopped).toBe('finished')
    expect(epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
    const [first, last] = [epochs[0], epochs[29]]
    expect(last.loss).toBeLessThan(first.loss / 3)
    expect(last.accuracy).toBeGreaterThan(0.95)
    expect(last.valLoss).toBeGreaterThan(0)
    expect(last.valAccuracy).toBeGreaterThan(0.85)
    expect(last.learningRate).toBe(0.5)
    expect(last.imagesPerSecond).toBeCloseTo(50 / last.seconds)
    expect(await evaluate(model, points(40, 2), { batchSize: 16 })).toEqual({
      loss: last.valLoss,
      accuracy: last.valAccuracy,
    })
  })

  test('a model has it as a method, and evaluate', async () => {
    const [one, other] = [classifier(), classifier()]
    const { epochs } = await one.fit(data, quiet)
    expect((await fitModel(other, data, quiet)).epochs[0].loss).toBe(epochs[0].loss)
    expect(weightsOf(one)).toEqual(weightsOf(other))
    expect(await one.evaluate(data)).toEqual(await evaluate(other, data))
  })

  test('one step of gradient descent on a line, worked out by hand', async () => {
    const line = sequential([1], [dense(1)])
    line.parameters[0].write([2])
    line.parameters[1].write([1])
    // predictions 3 and 5, errors 2 and 6: slopes by weight (2 * 2 * 1 + 2 * 6 * 2) / 2 = 14, by bias 8
    const samples = { x: [1, 2], y: [1, -1] }
    const options: FitOptions = { loss: 'meanSquaredError', optimizer: sgd({ learningRate: 0.125 }) }
    const { epochs } = await train(line, options, samples)
    expect(epochs[0].loss).toBe(20)
    expect(epochs[0].accuracy).toBeUndefined()
    expect(line.parameters.map((variable) => [...variable.read()])).toEqual([[0.25], [0]])
    line.parameters[0].write([2])
    line.parameters[1].write([1])
    await train(line, { ...options, clipValue: 10 }, samples)
    expect(line.parameters.map((variable) => [...variable.read()])).toEqual([[0.75], [0]])
    line.parameters[0].write([2])
    line.parameters[1].write([1])
    await train(line, { ...options, clipNorm: 1 }, samples)
    expect(line.parameters[0].read()[0]).toBeCloseTo(2 - (0.125 * 14) / Math.hypot(14, 8), 5)
  })

  test('the same seed gives the same bits, another seed others', async () => {
    const run = async (seed: number) => {
      const model = classifier()
      await train(model, { epochs: 2, seed })
      return weightsOf(model)
    }
    const first = await run(3)
    expect(await run(3)).toEqual(first)
    expect(await run(4)).not.toEqual(first)
  })

  test('every sample once an epoch, in an order of its own; the last batch is short', async () => {
    const { source, calls } = recorded()
    await train(classifier(), { epochs: 2 }, source)
    expect(calls.map(({ indices }) => indices.length)).toEqual([16, 16, 16, 2, 16, 16, 16, 2])
    expect(calls.map(({ epoch }) => epoch)).toEqual([0, 0, 0, 0, 1, 1, 1, 1])
    const orders = [calls.slice(0, 4), calls.slice(4)].map((epoch) => epoch.flatMap(({ indices }) => indices))
    const all = Array.from({ length: 50 }, (_, i) => i)
    for (const order of orders) expect(order.toSorted((a, b) => a - b)).toEqual(all)
    expect(orders[0]).not.toEqual(orders[1])
    expect(orders[0]).not.toEqual(all)
  })

  test('without shuffling in the given order', async () => {
    const { source, calls } = recorded()
    await train(classifier(), { shuffle: false, batchSize: 200 }, source)
    expect(calls.map(({ indices }) => indices)).toEqual([Array.from({ length: 50 }, (_, i) => i)])
  })

  test('the loss of an epoch is the mean over samples, also with a short last batch', async () => {
    const still: FitOptions = { optimizer: { name: 'sgd', learningRate: 0 } }
    const { epochs } = await train(classifier(), { ...still, batchSize: 16 })
    const whole = await train(classifier(), { ...still, batchSize: 50 })
    expect(epochs[0].loss).toBeCloseTo(whole.epochs[0].loss, 6)
    expect(epochs[0].accuracy).toBe(whole.epochs[0].accuracy)
  })

  test('running statistics and chance are part of the step; evaluation changes neither', async () => {
    const model = sequential([2], [dense(8), batchNorm(), dropout(0.5), dense(2)], { seed: 5 })
    await train(model, { epochs: 2 })
    expect([...model.rng.read()]).toEqual([5, 8])
    const before = weightsOf(model)
    expect(model.state.some((variable) => variable.read().some((value) => value !== 0 && value !== 1))).toBe(true)
    await evaluate(model, data)
    expect(weightsOf(model)).toEqual(before)
    expect([...model.rng.read()]).toEqual([5, 8])
  })

  test('validation leaves the training as it is', async () => {
    const [plain, validated] = [classifier(), classifier()]
    await train(plain, { epochs: 2 })
    await train(validated, { epochs: 2, validation: points(20, 3) })
    expect(weightsOf(validated)).toEqual(weightsOf(plain))
  })

  test('class numbers of pixels, and whole pictures as targets', async () => {
    const pictures = Float32Array.from({ length: 4 * 9 }, (_, i) => ((i * 7) % 5) / 4)
    const pixels = sequential([3, 3, 1], [conv2d(2, 1)])
    const labels = pictures.map((value) => (value > 0.5 ? 1 : 0))
    const segmented = await train(pixels, { epochs: 40 }, { x: pictures, y: labels })
    expect(segmented.epochs[39].accuracy).toBe(1)
    const same = sequential([3, 3, 1], [conv2d(1, 1)])
    const rebuilt = await train(same, { epochs: 60, loss: 'meanSquaredError' }, { x: pictures, y: pictures })
    expect(rebuilt.epochs[59].loss).toBeLessThan(0.01)
  })

  test('a loss and metrics of one’s own', async () => {
    const model = classifier()
    const halved = await train(
      model,
      {
        loss: (y, t) => mul(mean(sub(y, t)), 0.5),
        metrics: ['meanAbsoluteError', { name: 'four', sums: (y) => mean(mul(y, 0)), value: (sums) => sums[0] + 4 }],
        optimizer: { name: 'sgd', learningRate: 0 },
      },
      { x: [0, 0], y: [1, 2] },
    )
    expect(halved.epochs[0].loss).toBe(-0.75)
    expect(halved.epochs[0].meanAbsoluteError).toBe(1.5)
    expect(halved.epochs[0].four).toBe(4)
  })

  test('a schedule multiplies the learning rate; a plateau sees the validation', async () => {
    const rates = async (schedule: FitOptions['schedule'], options: FitOptions = {}) => {
      const { epochs } = await train(classifier(), { epochs: 4, schedule, ...options })
      return epochs.map(({ learningRate }) => learningRate)
    }
    expect(await rates({ name: 'exponentialDecay', factor: 0.5 })).toEqual([0.5, 0.25, 0.125, 0.0625])
    const still: FitOptions = { optimizer: { name: 'sgd', learningRate: 0 }, validation: data }
    const plateau = { name: 'reduceOnPlateau', patience: 1, factor: 0.5 } as const
    expect(await rates(plateau, still)).toEqual([0, 0, 0, 0])
    expect(await rates(plateau, { ...still, optimizer: { name: 'sgd', learningRate: 2 ** -40 } })).toEqual(
      [40, 40, 41, 42].map((power) => 2 ** -power),
    )
  })

  test('early stopping ends without improvement and restores the best weights', async () => {
    const wrong = { x: data.x, y: data.y.map((label) => 1 - label) }
    const model = classifier()
    const history = await train(model, { epochs: 20, validation: wrong, earlyStopping: { patience: 3 } })
    expect(history.stopped).toBe('early')
    expect(history.epochs.length).toBe(4)
    expect(history.bestEpoch).toBe(1)
    const once = classifier()
    await train(once, { epochs: 1 })
    expect(weightsOf(model)).toEqual(weightsOf(once))
  })

  test('a signal stops after the step that runs', async () => {
    const stop = new AbortController()
    let steps = 0
    const step = () => {
      steps++
      if (steps === 6) stop.abort()
    }
    const history = await train(classifier(), { epochs: 5, signal: stop.signal, callbacks: [{ step }] })
    expect(history.stopped).toBe('aborted')
    expect(steps).toBe(6)
    expect(history.epochs.length).toBe(1)
    expect((await train(classifier(), { signal: stop.signal })).epochs).toEqual([])
  })

  test('a signal that comes from outside is heard', async () => {
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 20)
    const history = await train(classifier(), { epochs: 1_000_000, signal: stop.signal })
    expect(history.stopped).toBe('aborted')
  })

  test('callbacks are awaited, in their order', async () => {
    const heard: string[] = []
    const say = async (word: string) => {
      await Promise.resolve()
      heard.push(word)
    }
    await train(classifier(), {
      batchSize: 32,
      epochs: 2,
      callbacks: [
        {
          begin: ({ stepsPerEpoch, samples, doneSteps }) => say(`begin ${stepsPerEpoch} ${samples} ${doneSteps}`),
          step: ({ epoch, epochs, step, stepsPerEpoch }) => say(`step ${epoch}/${epochs} ${step}/${stepsPerEpoch}`),
          epoch: (record) => say(`epoch ${record.epoch}`),
          end: ({ stopped }) => say(`end ${stopped}`),
        },
      ],
    })
    expect(heard.join(', ')).toBe(
      'begin 2 50 0, step 1/2 1/2, step 1/2 2/2, epoch 1, step 2/2 1/2, step 2/2 2/2, epoch 2, end finished',
    )
  })

  test('progress holds running means, speed and the time left', async () => {
    const seen: number[][] = []
    const { epochs } = await train(classifier(), {
      callbacks: [
        {
          step: ({ results, secondsLeft, imagesPerSecond }) =>
            void seen.push([results.loss, secondsLeft, imagesPerSecond]),
        },
      ],
    })
    expect(seen.at(-1)?.[0]).toBe(epochs[0].loss)
    expect(seen.map(([, left]) => left > 0)).toEqual([true, true, true, false])
    for (const [, , speed] of seen) expect(speed).toBeGreaterThan(0)
  })

  test('one line for an epoch', async () => {
    const record = { epoch: 2, loss: 0.12345, learningRate: 0.0001, seconds: 1.25, imagesPerSecond: 4000.4 }
    expect(epochLine(record, 5)).toBe('epoch 2/5  loss 0.1235  learningRate 1.00e-4  1.3 s, 4000 images/s')
    const lines: string[] = []
    await train(classifier(), { epochs: 2, callbacks: [epochLog((line) => lines.push(line))] })
    expect(lines.map((line) => line.slice(0, 9))).toEqual(['epoch 1/2', 'epoch 2/2'])
  })
})

describe('errors of fit', () => {
  const model = classifier()
  const failing: [string, FitOptions, TrainingData?][] = [
    ["fit: option 'epoch' is unknown. Options are loss,", { epoch: 3 } as FitOptions],
    ['fit: epochs is 0', { epochs: 0 }],
    ['fit: epochs is NaN', { epochs: Number.NaN }],
    ['fit: batchSize is 1.5', { batchSize: 1.5 }],
    ['fit: seed is -1', { seed: -1 }],
    ["loss: there is no loss 'mse'", { loss: 'mse' as 'huber' }],
    ["optimizer: there is no optimiser 'sdg'", { optimizer: 'sdg' as 'sgd' }],
    ['sgd: learningRate is -1', { optimizer: { name: 'sgd', learningRate: -1 } }],
    ["schedule: there is no schedule 'sin'", { schedule: 'sin' as 'cosineDecay' }],
    ["metric: there is no metric 'f1'", { metrics: ['f1' as 'accuracy'] }],
    ['clipByValue: limit is -1', { clipValue: -1 }],
    ['clipByGlobalNorm: limit is NaN', { clipNorm: Number.NaN }],
    ['fit: checkpoint has no path and no sink', { checkpoint: {} }],
    ["fit: option 'every' is unknown", { checkpoint: { every: 3 } as object }],
    ['fit: checkpoint.everySteps is 0', { checkpoint: { sink: () => undefined, everySteps: 0 } }],
    ['fit: checkpoint.everyEpochs is 0', { checkpoint: { sink: () => undefined, everyEpochs: 0 } }],
    ['fit: earlyStopping.patience is 0', { earlyStopping: { patience: 0 }, validation: data }],
    ['fit: earlyStopping.minDelta is NaN', { earlyStopping: { minDelta: Number.NaN }, validation: data }],
    ['fit: earlyStopping monitors validation, but there is none', { earlyStopping: {} }],
    ["earlyStopping: no 'lossy' is measured, only epoch, accuracy, loss,", { earlyStopping: { monitor: 'lossy' } }],
    ["reduceOnPlateau: no 'valLoss' is measured", { schedule: 'reduceOnPlateau', epochs: 2 }],
    ['fit: the data holds no samples. Give at least one.', {}, { x: [], y: [] }],
    ["fit: 3 values of x aren't whole samples of 2", {}, { x: [1, 2, 3], y: [1] }],
    ['fit: 3 values of y for 2 samples', {}, { x: [1, 2, 3, 4], y: [1, 0, 1] }],
    [
      "fit: 2 samples have 6 values of y, the model's output is [2]. Give 2 or 1",
      {},
      { x: [1, 2, 3, 4], y: [1, 0, 1, 1, 0, 1] },
    ],
    ['fit: label 2 with 2 classes', {}, { x: [1, 2], y: [2] }],
    ['fit: label 0.5 with 2 classes', {}, { x: [1, 2], y: [0.5] }],
    ["meanSquaredError: targets [50] don't fit predictions [50, 2]", { loss: 'meanSquaredError', batchSize: 50 }],
    ['fit: the loss has shape [16, 2]', { loss: (y) => y }],
    ['fit: the loss is NaN at step 1 of epoch 1, with learning rate 0.5', {}, { x: [Number.NaN, 1], y: [0] }],
  ]
  test.each(failing)('%s', async (message, options, samples = data) => {
    await expect(train(model, options, samples)).rejects.toThrow(message)
  })

  test('a source whose batches have the wrong size', async () => {
    const source: DataSource = { length: 2, batch: () => ({ x: new Float32Array(3), y: new Float32Array(2) }) }
    await expect(train(model, {}, source)).rejects.toThrow(
      "fit: 2 samples have 3 values of x, the model's input [2] takes 2",
    )
  })

  test('a model without weights', async () => {
    const empty = sequential([2], [dropout(0.5)])
    await expect(train(empty)).rejects.toThrow('fit: the model has no parameters')
  })

  test('a loss that grows beyond all bounds is stopped', async () => {
    const line = sequential([1], [dense(1)])
    const wild: FitOptions = { epochs: 1000, loss: 'meanSquaredError', optimizer: { name: 'sgd', learningRate: 10 } }
    await expect(train(line, wild, { x: [3, 1], y: [1, -1] })).rejects.toThrow(
      /fit: the loss is (Infinity|NaN) at step 1 of/,
    )
  })

  test('evaluate', async () => {
    await expect(evaluate(model, data, { batchSize: 0 })).rejects.toThrow('evaluate: batchSize is 0')
    await expect(evaluate(model, data, { batch: 1 } as object)).rejects.toThrow("evaluate: option 'batch' is unknown")
    await expect(evaluate(model, { x: [1, 2], y: [3] })).rejects.toThrow('evaluate: label 3 with 2 classes')
  })
})
