// AlexNet's sizes, and two networks of its plan for 32x32, trained on CIFAR-10.
import { readFile } from 'node:fs/promises'
import { randomSource } from '../../base/random.ts'
import {
  type Augmentation,
  augment,
  cifar10,
  crop,
  type Dataset,
  datasetOf,
  flip,
  lighting,
  subset,
} from '../../data/index.ts'
import { alexnetMini, alexnetModern, createModel } from '../../models/index.ts'
import { type FitOptions, type Model, readSafetensors } from '../../nn/index.ts'
import { progress } from '../progress.ts'
import { percent } from '../terminal.ts'
import { type CaptionedRow, kernelPanel, rowsFile } from './drawing.ts'
import { fitGabor } from './gabor-fit.ts'
import { asHalves, halfBytes } from './half.ts'
import type { Outcome } from './report.ts'
import { dataFolder, type Settings } from './settings.ts'
import { layerLines, light, totals } from './sizes.ts'

const batchSize = 128

/**
 * The recipe of 2012 (section 5): momentum, weight decay 0.0005, the rate divided by ten when it no longer helps, here
 * after six and seven eighths of the time. Batches of 32 in place of 128, which of so few pictures make too few steps.
 */
const published = (epochs: number): FitOptions => ({
  epochs,
  batchSize: 32,
  optimizer: { name: 'sgd', learningRate: 0.01, momentum: 0.9, weightDecay: 5e-4 },
  schedule: { name: 'multiStepDecay', at: [Math.round(0.75 * epochs), Math.round(0.875 * epochs)] },
})

/** Today's: a larger rate that rises in a line, then falls along half a cosine. */
const modern = (epochs: number, samples: number): FitOptions => ({
  epochs,
  optimizer: { name: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
  schedule: { name: 'cosineDecay', warmUp: Math.floor(0.15 * epochs * Math.ceil(samples / batchSize)) },
})

const changed = (data: Dataset, more: readonly Augmentation[] = []) => augment(data, [crop(32, 4), flip(), ...more], 1)

async function trained(settings: Settings, model: Model, data: Dataset, test: Dataset, options: FitOptions) {
  await model.fit(data, {
    batchSize,
    validation: test,
    callbacks: [progress(settings.terminal, options.batchSize ?? batchSize)],
    verbose: false,
    ...options,
  })
  return (await model.evaluate(test)).accuracy!
}

/** The first kernels, mean over the colours about their own mean. */
function brightness(model: Model): Float64Array[] {
  const [kernel] = model.parameters
  const [height, width, , filters] = kernel!.shape as [number, number, number, number]
  const values = kernel!.read()
  return Array.from({ length: filters }, (_, f) => {
    const grey = Float64Array.from({ length: height * width }, (_, place) =>
      [0, 1, 2].reduce((sum, c) => sum + values[(place * 3 + c) * filters + f]! / 3, 0),
    )
    const mean = grey.reduce((sum, v) => sum + v, 0) / grey.length
    return grey.map((v) => v - mean)
  })
}

/** Share of the first kernels that a Gabor function fits, as it does those of sparse coding. */
const gaborShare = (model: Model): number => {
  const kernels = brightness(model)
  return kernels.filter((kernel) => fitGabor(kernel).quality > 0.8).length / kernels.length
}

/** The first kernels as grey: their mean over the colours, then each colour less that. */
function kernelRows(name: string, model: Model): CaptionedRow[] {
  const [kernel] = model.parameters
  const [height, width, , filters] = kernel!.shape as [number, number, number, number]
  const values = kernel!.read()
  const at = (place: number, c: number, f: number) => values[(place * 3 + c) * filters + f]!
  const mean = (place: number, f: number) => (at(place, 0, f) + at(place, 1, f) + at(place, 2, f)) / 3
  const row = (value: (place: number, filter: number) => number) => ({
    panels: Array.from({ length: filters }, (_, f) => ({
      height,
      width,
      values: Float32Array.from({ length: height * width }, (_, place) => value(place, f)),
    })),
    pixel: 6,
  })
  return [
    { caption: `first kernels of ${name}: brightness`, row: row(mean) },
    { caption: 'the same: red less the mean', row: row((place, f) => at(place, 0, f) - mean(place, f)) },
    { caption: 'the same: blue less the mean', row: row((place, f) => at(place, 2, f) - mean(place, f)) },
  ]
}

/** What sparse coding learned from grey photographs, for comparison: `fovea reproduce sparse-coding`. */
async function dictionaryRow(): Promise<CaptionedRow> {
  const bytes = await readFile(new URL('../../../docs/systems/weights/sparse-coding-8x8.safetensors', import.meta.url))
  const { shape, data } = readSafetensors(bytes).tensors.get('phi')!
  const [pixels, count] = shape as [number, number]
  const panels = Array.from({ length: count }, (_, k) =>
    kernelPanel(Array.from({ length: pixels }, (_, i) => Number(data[i * count + k]))),
  )
  return { caption: 'functions of sparse coding, 8x8', row: { panels, pixel: 4 } }
}

async function fully(settings: Settings, path: string): Promise<Outcome> {
  const { train, test } = await cifar10({ path })
  const today = alexnetModern()
  const epochs = 6
  const right = await trained(settings, today, changed(train), test, modern(epochs, train.length))
  // the classes lie one after another: every fifth picture
  const part = subset(
    train,
    Uint32Array.from({ length: train.length / 5 }, (_, i) => 5 * i),
  )
  const mini = alexnetMini()
  const old = await trained(settings, mini, changed(part, [lighting(part)]), test, published(8))
  const halves = await asHalves(today).evaluate(test)
  const rows = [...kernelRows('alexnet-modern', today), await dictionaryRow(), ...kernelRows('alexnet-mini', mini)]
  return {
    measures: [
      {
        name: `alexnet-modern, CIFAR-10, ${epochs} epochs of 50,000`,
        value: right,
        show: percent,
        atLeast: 0.75,
        paper: '87% (section 3.3: a larger network)',
      },
      { name: 'the same, its kernels in half precision', value: halves.accuracy!, show: percent, atLeast: 0.75 },
      { name: 'alexnet-mini, the recipe of 2012, 8 epochs of 10,000', value: old, show: percent, atLeast: 0.52 },
      { name: 'first kernels of alexnet-modern like Gabor functions', value: gaborShare(today), atLeast: 0.4 },
      { name: 'the same before training', value: gaborShare(alexnetModern()) },
    ],
    files: [
      rowsFile('kernels.png', rows),
      { name: 'alexnet-modern.safetensors', caption: 'trained on CIFAR-10, half precision', content: halfBytes(today) },
    ],
  }
}

const kinds = ['upright stripes', 'level stripes', 'red blobs', 'blue blobs']

/** Pictures made here: stripes of any colour, blobs of any size. */
function madePictures(count: number, seed: number): Dataset {
  const random = randomSource(seed)
  const labels = Uint8Array.from({ length: count }, (_, i) => i % kinds.length)
  const values = new Float32Array(count * 32 * 32 * 3)
  for (let n = 0; n < count; n++) {
    const kind = labels[n]!
    const [period, phase] = [4 + 4 * random.next(), 7 * random.next()]
    const colour = [0, 1, 2].map(() => 0.3 + 0.7 * random.next())
    const [x, y] = [8 + 16 * random.next(), 8 + 16 * random.next()]
    for (let i = 0; i < 32 * 32; i++) {
      const [row, column] = [Math.floor(i / 32), i % 32]
      const wave = 0.5 + 0.5 * Math.sin(phase + (2 * Math.PI * (kind === 0 ? column : row)) / period)
      const blob = Math.exp(-((row - y) ** 2 + (column - x) ** 2) / (4 * period))
      for (let c = 0; c < 3; c++) {
        const strength = kind < 2 ? wave * colour[c]! : blob * (c === (kind - 2) * 2 ? 1 : 0.2)
        values[(n * 32 * 32 + i) * 3 + c] = strength + 0.1 * random.normal()
      }
    }
  }
  return datasetOf(values, labels, [32, 32, 3], kinds)
}

async function quickly(settings: Settings): Promise<Outcome> {
  const [train, test] = [madePictures(480, 1), madePictures(120, 2)]
  const model = alexnetMini({ classes: kinds.length })
  const options = { epochs: 3, batchSize: 16, optimizer: { name: 'adam', learningRate: 0.001 } }
  const right = await trained(settings, model, changed(train, [lighting(train)]), test, options)
  return {
    measures: [{ name: 'stripes and blobs (made here), alexnet-mini', value: right, show: percent, atLeast: 0.9 }],
    files: [rowsFile('kernels.png', kernelRows('alexnet-mini', model))],
  }
}

/** `fovea reproduce alexnet`. */
export async function reproduceAlexnet(settings: Settings): Promise<Outcome> {
  const lines = [
    ...layerLines(createModel('alexnet', light)),
    ...totals('alexnet', 'two groups, in Caffe 60,965,224'),
    ...totals('alexnet-single', 'one tower, in torchvision 61,100,840'),
    ...totals('alexnet-mini', 'small'),
    ...totals('alexnet-modern', 'small'),
  ]
  if (settings.quick) return { ...(await quickly(settings)), lines }
  const cifar = ['cifar10', 'cifar10-jpeg.tar.gz']
  const path = dataFolder(settings, cifar, 'https://www.cs.toronto.edu/~kriz/cifar.html has it.')
  return path === undefined ? { lines } : { ...(await fully(settings, path)), lines }
}
