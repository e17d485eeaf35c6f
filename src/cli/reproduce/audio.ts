// Spoken digits from the waveform: a convolutional network along time.
import { randomSource } from '../../base/random.ts'
import { type Dataset, datasetOf, type SpokenDigits, spokenDigits, subset, varySounds } from '../../data/index.ts'
import { audio } from '../../models/audio.ts'
import type { Model } from '../../nn/index.ts'
import { progress } from '../progress.ts'
import { percent } from '../terminal.ts'
import { rowsFile } from './drawing.ts'
import type { Measure, Outcome } from './report.ts'
import { dataFolder, type Settings } from './settings.ts'
import { totals } from './sizes.ts'

const batchSize = 32
/** Where a voice begins isn't told: up to a tenth of a second later; a tenth faster or slower for other voices. */
const changes = { delay: 800, speed: 0.1 }

/** Share of the test sounds that a network gets right, trained on others. */
async function trained(settings: Settings, train: Dataset, test: Dataset, epochs: number, model: Model) {
  await model.fit(varySounds(train, changes, 1), {
    epochs,
    batchSize,
    optimizer: { name: 'adamW', learningRate: 0.003, weightDecay: 0.01 },
    schedule: { name: 'cosineDecay', warmUp: 50 },
    callbacks: [progress(settings.terminal, batchSize)],
    verbose: false,
  })
  return (await model.evaluate(test)).accuracy!
}

/** The kernels of the first convolution, [80, 1, filters], as strips below each other. */
function firstKernels(model: Model) {
  const [kernel] = model.parameters
  const [length, , filters] = kernel!.shape as [number, number, number]
  const values = kernel!.read()
  const rows = Float32Array.from(
    { length: values.length },
    (_, i) => values[(i % length) * filters + Math.floor(i / length)]!,
  )
  const row = { panels: [{ height: filters, width: length, values: rows }], pixel: 5 }
  return rowsFile('kernels.png', [{ caption: 'kernels of the first layer, 10 ms each, one a line', row }])
}

async function fully(settings: Settings, { all, speakers, takes }: SpokenDigits): Promise<Outcome> {
  const where = (chosen: (i: number) => boolean) => subset(all, [...takes.keys()].filter(chosen))
  const official = audio()
  const isTest = (i: number) => takes[i]! < 5
  const right = await trained(
    settings,
    where((i) => !isTest(i)),
    where(isTest),
    10,
    official,
  )
  const voices = [...new Set(speakers)]
  const shares: number[] = []
  for (const voice of voices) {
    const own = (i: number) => speakers[i] === voice
    shares.push(
      await trained(
        settings,
        where((i) => !own(i)),
        where(own),
        5,
        audio(),
      ),
    )
  }
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
  return {
    measures: [
      { name: 'takes 0-4 of known voices (the official split)', value: right, show: percent, atLeast: 0.95 },
      { name: 'a voice never heard, mean of six', value: mean, show: percent },
    ],
    lines: [`each voice left out: ${voices.map((voice, i) => `${voice} ${percent(shares[i]!, 1)}`).join(', ')}`],
    files: [
      firstKernels(official),
      { name: 'audio.safetensors', caption: 'trained on the official split', content: official.toBytes() },
    ],
  }
}

const kinds = ['rising', 'falling', 'steady', 'two tones']
const quickLength = 2000

/** Sounds made here: a tone that rises, falls or stays, or two at once, of any pitch, with noise. */
function madeSounds(count: number, seed: number): Dataset {
  const random = randomSource(seed)
  const values = new Float32Array(count * quickLength)
  const labels = Uint8Array.from({ length: count }, (_, i) => i % kinds.length)
  for (let n = 0; n < count; n++) {
    const slope = [1, -1, 0, 0][labels[n]!]!
    const [low, phase] = [0.2 + 0.2 * random.next(), 7 * random.next()]
    for (let t = 0; t < quickLength; t++) {
      const part = t / quickLength - 0.5
      const tone = Math.sin(phase + low * t * (1 + 0.3 * slope * part))
      const second = labels[n] === 3 ? Math.sin(phase + 1.9 * low * t) : 0
      values[n * quickLength + t] = tone + second + 0.3 * random.normal()
    }
  }
  return datasetOf(values, labels, [quickLength, 1], kinds)
}

async function quickly(settings: Settings): Promise<Outcome> {
  const model = audio({ width: 8, classes: kinds.length, inputShape: [quickLength, 1] })
  const [train, test] = [madeSounds(800, 1), madeSounds(200, 2)]
  await model.fit(train, {
    epochs: 4,
    batchSize,
    optimizer: { name: 'adam', learningRate: 0.01 },
    callbacks: [progress(settings.terminal, batchSize)],
    verbose: false,
  })
  const { accuracy } = await model.evaluate(test)
  const name = 'tones rising, falling, steady, doubled (made here)'
  return { measures: [{ name, value: accuracy!, show: percent, atLeast: 0.9 }], files: [firstKernels(model)] }
}

/** `fovea reproduce audio`. */
export async function reproduceAudio(settings: Settings): Promise<Outcome> {
  const measures: Measure[] = []
  const lines = [...totals('audio', 'half a second'), ...totals('m5', 'as published, four seconds')]
  if (settings.quick) {
    const outcome = await quickly(settings)
    return { ...outcome, lines }
  }
  const path = dataFolder(
    settings,
    ['recordings', 'fsdd-wav.tar.gz'],
    'The folder of https://github.com/Jakobovski/free-spoken-digit-dataset has it.',
  )
  if (path === undefined) return { measures, lines }
  const outcome = await fully(settings, await spokenDigits({ path }))
  return { ...outcome, lines: [...lines, ...outcome.lines!] }
}
