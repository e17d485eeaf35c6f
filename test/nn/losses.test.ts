import { describe, expect, test } from 'vitest'
import { gradient, type Tensor, tensor, Variable } from '../../src/index.ts'
import { type LossFunction, softmaxCrossEntropy } from '../../src/nn/loss.ts'
import {
  binaryCrossEntropyWithLogits,
  huber,
  lossOf,
  meanAbsoluteError,
  meanSquaredError,
  smoothL1,
} from '../../src/nn/losses.ts'
import { accuracy, type Metric } from '../../src/nn/metric.ts'
import { binaryAccuracy, confusionMatrix, metricOf, topK } from '../../src/nn/metrics.ts'

const values = async (t: Tensor) => [...(await t.data())]

/** The loss and its derivative by the prediction. */
async function both(loss: LossFunction, x: readonly number[], shape: readonly number[], target: Tensor) {
  const prediction = new Variable(x, shape).value
  const y = loss(prediction, target)
  const [g] = gradient(y, [prediction])
  return { value: (await y.data())[0], slope: await values(g) }
}

const close = (got: readonly number[], wanted: readonly number[], digits = 6) => {
  expect(got.length).toBe(wanted.length)
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i], digits)
  })
}

const logits = tensor([1, 2, 4, 0, 0, -1], [2, 3])
/** -log softmax of the rows of `logits`. */
const costs = [
  [1, 2, 4],
  [0, 0, -1],
].map((row) => row.map((x) => Math.log(row.reduce((sum, y) => sum + Math.exp(y), 0)) - x))

describe('softmaxCrossEntropy', () => {
  test('mean, sum and none over class numbers', async () => {
    const labels = tensor([2, 1])
    const wanted = [costs[0][2], costs[1][1]]
    close(await values(softmaxCrossEntropy(logits, labels)), [(wanted[0] + wanted[1]) / 2])
    close(await values(softmaxCrossEntropy(logits, labels, { reduction: 'sum' })), [wanted[0] + wanted[1]])
    close(await values(softmaxCrossEntropy(logits, labels, { reduction: 'none' })), wanted)
  })

  test('probabilities as labels', async () => {
    const labels = tensor([0.5, 0.5, 0, 0, 0, 1], [2, 3])
    close(await values(softmaxCrossEntropy(logits, labels)), [((costs[0][0] + costs[0][1]) / 2 + costs[1][2]) / 2])
  })

  test('label smoothing mixes in the mean over classes', async () => {
    const got = softmaxCrossEntropy(logits, tensor([2, 1]), { labelSmoothing: 0.3, reduction: 'none' })
    const mixed = [costs[0][2], costs[1][1]].map(
      (cost, i) => 0.7 * cost + 0.1 * costs[i].reduce((sum, other) => sum + other),
    )
    close(await values(got), mixed)
  })

  test('class weights weigh the mean, too', async () => {
    const got = softmaxCrossEntropy(logits, tensor([2, 1]), { classWeights: [1, 5, 3] })
    close(await values(got), [(3 * costs[0][2] + 5 * costs[1][1]) / 8])
  })

  test('an ignored label counts for nothing, not even in the mean', async () => {
    const got = softmaxCrossEntropy(logits, tensor([255, 1]), { ignoreIndex: 255, labelSmoothing: 0.1 })
    close(await values(got), [0.9 * costs[1][1] + (0.1 / 3) * costs[1].reduce((sum, cost) => sum + cost)])
  })

  test('weights with an ignored class: value and gradient as PyTorch gives them', async () => {
    const x = [
      ...[2.012114, -4.630042, -1.69479, -2.527008, -2.272073, 1.495531, -5.986409, -3.060116, -0.5979881, -0.3742376],
      ...[-0.05306806, 1.081415, -1.92691, 3.064451, -1.345525],
    ]
    const options = { classWeights: [1.93121, 0.9866756, 0.1514483, 0.6993826, 0.6721845], ignoreIndex: 4 }
    const loss: LossFunction = (y, t) => softmaxCrossEntropy(y, t, { ...options, reduction: 'sum' })
    const { slope } = await both(loss, x, [3, 5], tensor([4, 3, 3]))
    // the same rows of a larger batch with reduction 'mean', times the sum of the weights of its labels, 4.1808061
    const wanted = [
      ...[0, 0, 0, 0, 0, 0.1298303, 7.311577e-5, 0.001364219, -0.1512822, 0.02001456],
      ...[0.006166487, 0.01917509, 0.0009467571, -0.02798162, 0.001693288],
    ]
    close(
      slope,
      wanted.map((g) => g * (1.93121 + 3 * 0.6993826 + 0.1514483)),
      5,
    )
  })
})

describe('losses of numbers', () => {
  test('binary cross-entropy, also far from 0 and exactly there', async () => {
    const { value, slope } = await both(binaryCrossEntropyWithLogits, [0, 200, -200, 1], [4], tensor([1, 1, 1, 0]))
    expect(value).toBeCloseTo((Math.log(2) + 0 + 200 + Math.log(1 + Math.E)) / 4, 4)
    close(slope, [-0.5 / 4, 0, -1 / 4, 1 / (1 + Math.exp(-1)) / 4])
  })

  test('binary cross-entropy with a weight of the positives', async () => {
    const loss: LossFunction = (y, t) => binaryCrossEntropyWithLogits(y, t, { positiveWeight: 3, reduction: 'none' })
    const half = Math.log(1 + Math.exp(-1))
    close(await values(loss(tensor([1, 1]), tensor([1, 0]))), [3 * half, 1 + half])
  })

  test('squared and absolute error', async () => {
    const target = tensor([1, 1, 1, 1])
    expect(await both(meanSquaredError, [0, 1, 3, 1], [4], target)).toEqual({ value: 1.25, slope: [-0.5, 0, 1, 0] })
    expect(await both(meanAbsoluteError, [0, 1, 3, 1], [4], target)).toEqual({
      value: 0.75,
      slope: [-0.25, 0, 0.25, 0],
    })
  })

  test('smooth L1 and Huber pass from square to line', async () => {
    const smooth: LossFunction = (y, t) => smoothL1(y, t, { beta: 2, reduction: 'sum' })
    expect(await both(smooth, [1, -1, 5], [3], tensor([0, 0, 0]))).toEqual({ value: 4.5, slope: [0.5, -0.5, 1] })
    const huber2: LossFunction = (y, t) => huber(y, t, { delta: 2, reduction: 'sum' })
    expect(await both(huber2, [1, -1, 5], [3], tensor([0, 0, 0]))).toEqual({ value: 9, slope: [1, -1, 2] })
    const line: LossFunction = (y, t) => smoothL1(y, t, { beta: 0, reduction: 'sum' })
    expect((await both(line, [1, -1, 5], [3], tensor([0, 0, 0]))).value).toBe(7)
  })
})

const pair = tensor([1, 2])
const row = tensor([1, 2, 3])

describe('errors of losses', () => {
  test.each([
    ["loss: there is no loss 'mse'. Use one of softmaxCrossEntropy,", () => lossOf('mse' as 'huber')],
    [
      "softmaxCrossEntropy: labels [3] don't fit logits [2, 3]. Give class numbers [2] or",
      () => softmaxCrossEntropy(logits, row),
    ],
    [
      'softmaxCrossEntropy: 2 classWeights for 3 classes',
      () => softmaxCrossEntropy(logits, pair, { classWeights: [1, 2] }),
    ],
    ['softmaxCrossEntropy: labelSmoothing is 2', () => softmaxCrossEntropy(logits, pair, { labelSmoothing: 2 })],
    [
      'softmaxCrossEntropy: ignoreIndex with probabilities',
      () => softmaxCrossEntropy(logits, logits, { ignoreIndex: 1 }),
    ],
    [
      "there is no reduction 'avg'. Use one of mean, sum, none",
      () => meanSquaredError(row, row, { reduction: 'avg' as 'sum' }),
    ],
    [
      "binaryCrossEntropyWithLogits: targets [2] don't fit predictions [3]",
      () => binaryCrossEntropyWithLogits(row, pair),
    ],
    ["meanSquaredError: targets [2] don't fit predictions [3]", () => meanSquaredError(row, pair)],
    ["meanAbsoluteError: targets [2] don't fit predictions [3]", () => meanAbsoluteError(row, pair)],
    ['smoothL1: beta is -1', () => smoothL1(row, row, { beta: -1 })],
    ['huber: delta is 0', () => huber(row, row, { delta: 0 })],
    ["metric: there is no metric 'f1'. Use one of accuracy,", () => metricOf('f1' as 'accuracy')],
    ['topK: k is 0', () => topK(0)],
  ])('%s', (message, make) => {
    expect(make).toThrow(message)
  })
})

const measured = async (metric: Metric, prediction: Tensor, target: Tensor) =>
  metric.value(Float64Array.from(await metric.sums(prediction, target).data()))

describe('metrics', () => {
  const scores = tensor([0, 3, 1, 5, 5, 1, 2, 1, 0], [3, 3])

  test('accuracy counts the first of equal logits, and no NaN', async () => {
    expect(await measured(accuracy(), scores, tensor([1, 0, 1]))).toBeCloseTo(2 / 3)
    expect(await measured(accuracy(), scores, tensor([1, 1, 1]))).toBeCloseTo(1 / 3)
    expect(await measured(accuracy(), tensor([Number.NaN, 0], [1, 2]), tensor([0]))).toBe(0)
  })

  test('accuracy with probabilities as labels, and with labels to ignore', async () => {
    expect(await measured(accuracy(), scores, tensor([0, 1, 0, 0, 1, 0, 0.2, 0.1, 0.7], [3, 3]))).toBeCloseTo(1 / 3)
    expect(await measured(accuracy({ ignoreIndex: 7 }), scores, tensor([1, 7, 1]))).toBe(0.5)
  })

  test('accuracy of pixels', async () => {
    const pixels = tensor([1, 0, 0, 1, 0, 1, 1, 0], [1, 2, 2, 2])
    expect(await measured(accuracy(), pixels, tensor([0, 1, 1, 1], [1, 2, 2]))).toBe(0.75)
  })

  test('binary accuracy', async () => {
    expect(await measured(binaryAccuracy(), tensor([2, -1, 0.5, -3]), tensor([1, 1, 0, 0]))).toBe(0.5)
  })

  test('top k', async () => {
    expect(await measured(topK(2), scores, tensor([2, 2, 1]))).toBeCloseTo(2 / 3)
    expect(await measured(topK(3), scores, tensor([2, 2, 1]))).toBe(1)
    expect(await measured(topK(1), scores, tensor([1, 1, 0]))).toBeCloseTo(2 / 3)
  })

  test('confusion matrix: rows are labels, columns predictions', async () => {
    expect(await measured(confusionMatrix(), scores, tensor([1, 2, 2]))).toEqual([
      [0, 0, 0],
      [0, 1, 0],
      [2, 0, 0],
    ])
  })

  test('errors of numbers', async () => {
    const [prediction, target] = [tensor([0, 3]), tensor([0, 1])]
    expect(await measured(metricOf('meanSquaredError'), prediction, target)).toBe(2)
    expect(await measured(metricOf('rootMeanSquaredError'), prediction, target)).toBeCloseTo(Math.SQRT2)
    expect(await measured(metricOf('meanAbsoluteError'), prediction, target)).toBe(1)
  })
})
