// Xception's and MobileNet's sizes; separable convolutions against standard ones on pictures.
import { augment, cifar10, crop, type Dataset, flip, mnist, subset, take } from '../../data/index.ts'
import { createModel } from '../../models/index.ts'
import { type TwinOptions, twin } from '../../models/separable.ts'
import type { Model } from '../../nn/index.ts'
import { grouped } from '../../nn/summary.ts'
import { progress } from '../progress.ts'
import { percent } from '../terminal.ts'
import { fixed } from './drawing.ts'
import type { Measure, Outcome } from './report.ts'
import { dataFolder, type Settings } from './settings.ts'
import { layerLines, light, macsOf, totals } from './sizes.ts'

/** Pictures that are predicted at once where time is measured. */
const atOnce = 64

/** A network after its training, and what it took. */
interface Twin {
  readonly name: string
  readonly model: Model
  readonly accuracy: number
  /** Of training on one picture, and of predicting one in a batch of 64: milliseconds. */
  readonly training: number
  readonly predicting: number
}

interface Training {
  readonly epochs: number
  readonly batchSize: number
  readonly learningRate: number
}

async function trained(
  settings: Settings,
  name: string,
  options: TwinOptions,
  train: Dataset,
  test: Dataset,
  { epochs, batchSize, learningRate }: Training,
): Promise<Twin> {
  const model = twin({ ...options, inputShape: train.shape })
  const { epochs: records } = await model.fit(train, {
    epochs,
    batchSize,
    optimizer: { name: 'sgd', learningRate, momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
    schedule: { name: 'cosineDecay', warmUp: Math.floor((epochs * train.length) / batchSize / 10) },
    callbacks: [progress(settings.terminal, batchSize)],
    verbose: false,
  })
  const { accuracy } = await model.evaluate(test)
  const { x } = test.batch(Uint32Array.from({ length: atOnce }, (_, i) => i))
  // the shortest of ten: what else runs on the machine lengthens the others
  const times: number[] = []
  for (let i = 0; i < 10; i++) {
    const started = performance.now()
    await model.predict(x)
    times.push((performance.now() - started) / atOnce)
  }
  const training = Math.min(...records.map((record) => (1000 * record.seconds) / train.length))
  return { name, model, accuracy: accuracy!, training, predicting: Math.min(...times) }
}

function tableOf(twins: readonly Twin[]): string[] {
  const heads = ['', 'accuracy', 'parameters', 'MACs', 'train, ms', 'predict, ms']
  const rows = twins.map(({ name, model, accuracy, training, predicting }) => [
    name,
    percent(accuracy),
    grouped(model.countParameters()),
    grouped(macsOf(model)),
    fixed(training, 3),
    fixed(predicting, 3),
  ])
  const widths = heads.map((_, i) => Math.max(...[heads, ...rows].map((row) => row[i]!.length)))
  return [heads, ...rows].map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
  )
}

const measuresOf = (standard: Twin, narrow: Twin, most: Partial<Measure>): Measure[] => [
  {
    name: 'MACs of standard by those of separable, same widths',
    value: macsOf(standard.model) / macsOf(narrow.model),
  },
  {
    name: 'points of accuracy that separable loses, same widths',
    value: 100 * (standard.accuracy - narrow.accuracy),
    ...most,
  },
]

async function fully(settings: Settings, path: string): Promise<Outcome> {
  const { train, test } = await cifar10({ path })
  // the classes lie one after another: every third picture
  const part = subset(
    train,
    Uint32Array.from({ length: 16_000 }, (_, i) => Math.floor((i * train.length) / 16_000)),
  )
  const data = augment(part, [crop(32, 4), flip()], 1)
  const training = { epochs: 5, batchSize: 64, learningRate: 0.1 }
  const run = (name: string, options: TwinOptions) => trained(settings, name, options, data, test, training)
  const standard = await run('standard', { separable: false })
  const narrow = await run('separable, same widths', { separable: true })
  // of this width they have within 1 per cent as many multiply-adds
  const wide = await run('separable, same MACs', { separable: true, width: 2.66 })
  const gain = {
    name: 'points of accuracy that separable gains, same MACs',
    value: 100 * (wide.accuracy - standard.accuracy),
  }
  return { measures: [...measuresOf(standard, narrow, {}), gain], lines: tableOf([standard, narrow, wide]) }
}

/** Both get as many multiply-adds to learn with: the separable network so many more digits. */
async function quickly(settings: Settings): Promise<Outcome> {
  const { train, test } = await mnist()
  const training = { epochs: 4, batchSize: 10, learningRate: 0.05 }
  const run = (name: string, separable: boolean, samples: number) =>
    trained(settings, `${name}, ${samples} digits`, { separable }, take(train, samples), take(test, 500), training)
  const standard = await run('standard', false, 600)
  const narrow = await run('separable', true, 3600)
  return { measures: measuresOf(standard, narrow, { atMost: 3 }), lines: tableOf([standard, narrow]) }
}

/** `fovea reproduce xception`. */
export async function reproduceXception(settings: Settings): Promise<Outcome> {
  const sizes = [
    ...layerLines(createModel('xception', light)),
    ...totals('xception', 'in Keras 22,910,480, in the paper 22,855,952'),
    ...totals('xception-tiny', 'small'),
    ...totals('mobilenet', 'in Keras 4,253,864'),
    ...totals('mobilenet-v2', 'in torchvision 3,504,872'),
  ]
  const cifar = ['cifar10', 'cifar10-jpeg.tar.gz']
  const path = settings.quick
    ? undefined
    : dataFolder(settings, cifar, 'https://www.cs.toronto.edu/~kriz/cifar.html has it.')
  if (!settings.quick && path === undefined) return { lines: sizes }
  const outcome = await (path === undefined ? quickly(settings) : fully(settings, path))
  return { ...outcome, lines: [...outcome.lines!, ...sizes] }
}
