// Digits out of nothing: a generator of transposed convolutions, judged by LeNet-5.
import { randomSource } from '../../base/random.ts'
import { shuffledIndices } from '../../base/shuffle.ts'
import { type Dataset, mnist } from '../../data/index.ts'
import { convTranspose, tensor } from '../../index.ts'
import { adversary, type DcganOptions, discriminator, generator, latent } from '../../models/dcgan.ts'
import { lenet5 } from '../../models/index.ts'
import type { Model } from '../../nn/index.ts'
import { progress } from '../progress.ts'
import { lenet5Recipe } from '../recipes.ts'
import { percent } from '../terminal.ts'
import { fixed, rowsFile } from './drawing.ts'
import type { Measure, Outcome, ReportFile } from './report.ts'
import type { Settings } from './settings.ts'

const size = 28 * 28

const numbers = (count: number, random: { next(): number }) =>
  Float32Array.from({ length: count * latent }, () => 2 * random.next() - 1)

/** The generator after so many steps against a discriminator. */
async function played(settings: Settings, data: Dataset, steps: number, batch: number, options: DcganOptions = {}) {
  const made = generator(options)
  const step = adversary(made, discriminator(options), batch)
  const random = randomSource(1)
  const perPass = Math.floor(data.length / batch)
  let order: Uint32Array = new Uint32Array()
  for (let i = 0; i < steps; i++) {
    if (i % perPass === 0) order = shuffledIndices(data.length, 1, i / perPass)
    const { x } = data.batch(order.slice((i % perPass) * batch, ((i % perPass) + 1) * batch))
    const { ofReal, ofMade } = await step(
      x.map((value) => 2 * value - 1),
      numbers(batch, random),
    )
    if ((i + 1) % 200 === 0) {
      const sure = `takes real ones for real by ${fixed(ofReal)}, made ones by ${fixed(ofMade)}`
      settings.terminal.note(`step ${i + 1}/${steps}: the discriminator ${sure}`)
    }
  }
  return made
}

/** Digits that the generator makes, 0 to 1. */
async function samplesOf(made: Model, count: number): Promise<Float32Array> {
  const pictures = await made.predict(numbers(count, randomSource(2)))
  return pictures.map((value) => (value + 1) / 2)
}

/** Numbers of class `digit` for each sample, and how sure the judge is of it on average. */
async function judged(judge: Model, samples: Float32Array): Promise<{ counts: number[]; confidence: number }> {
  const logits = await judge.predict(samples)
  const counts = new Array<number>(10).fill(0)
  let sum = 0
  for (let n = 0; n < logits.length; n += 10) {
    const own = logits.subarray(n, n + 10)
    const largest = Math.max(...own)
    counts[own.indexOf(largest)]!++
    sum += 1 / own.reduce((total, v) => total + Math.exp(v - largest), 0)
  }
  return { counts, confidence: (sum * 10) / logits.length }
}

const drawn = (samples: Float32Array, count: number): ReportFile => {
  const panels = Array.from({ length: count }, (_, n) => {
    return { height: 28, width: 28, values: samples.slice(n * size, (n + 1) * size) }
  })
  return rowsFile('samples.png', [{ caption: 'the first samples, none left out', row: { panels, pixel: 1 } }])
}

/** Of one value a pixel, how far neighbouring pixels differ within the squares that a stride of 2 makes. */
function unevenness(values: Float32Array, edge: number): number {
  const middle = Array.from({ length: edge - 4 }, (_, i) => i + 2)
  let [first, phases] = [0, [0, 0, 0, 0]]
  for (const y of middle)
    for (const x of middle) {
      const value = values[y * edge + x]!
      phases = phases.map((sum, i) => sum + (i === (y % 2) * 2 + (x % 2) ? value : 0))
      first += value
    }
  return Math.sqrt(phases.reduce((sum, phase) => sum + (phase - first / 4) ** 2, 0)) / first
}

/** A transposed convolution of stride 2 with positive kernels of chance, on an even surface of 16 channels. */
async function checkerboard(kernel: number): Promise<number> {
  const random = randomSource(3)
  const w = Array.from({ length: kernel * kernel * 16 }, () => random.next())
  const even = tensor(new Float32Array(12 * 12 * 16).fill(1), [1, 12, 12, 16])
  const y = convTranspose(even, tensor(w, [kernel, kernel, 1, 16]), { stride: 2, padding: 1 })
  return unevenness(await y.data(), y.shape[1]!)
}

async function checkerboardMeasure(): Promise<Measure> {
  const ratio = (await checkerboard(3)) / (await checkerboard(4))
  return { name: 'checkerboard of 3x3 kernels by that of 4x4', value: ratio, atLeast: 3 }
}

async function fully(settings: Settings): Promise<Outcome> {
  const { train, test } = await mnist()
  const judge = lenet5()
  const { batchSize, optimizer, schedule } = lenet5Recipe
  const callbacks = [progress(settings.terminal, batchSize)]
  await judge.fit(train, { epochs: 2, batchSize, optimizer, schedule, callbacks, verbose: false })
  const { accuracy } = await judge.evaluate(test)
  const made = await played(settings, train, 1800, 64)
  const samples = await samplesOf(made, 1000)
  const { counts, confidence } = await judged(judge, samples)
  const real = await judged(judge, test.batch(Uint32Array.from({ length: 1000 }, (_, i) => i)).x)
  return {
    measures: [
      {
        name: 'classes that LeNet-5 sees in 1,000 samples',
        value: counts.filter((n) => n > 0).length,
        atLeast: 9,
        show: String,
      },
      { name: 'its mean confidence', value: confidence, atLeast: 0.9, show: (v) => fixed(v, 3) },
      await checkerboardMeasure(),
    ],
    lines: [
      `samples of each class 0 to 9: ${counts.join(', ')}`,
      `the judge: ${percent(accuracy!)} of test digits right, ` +
        `mean confidence on 1,000 of them ${fixed(real.confidence, 3)}`,
    ],
    files: [drawn(samples, 160), { name: 'generator.safetensors', caption: 'the generator', content: made.toBytes() }],
  }
}

async function quickly(settings: Settings): Promise<Outcome> {
  const { train } = await mnist()
  const made = await played(settings, train, 400, 16, { width: 8 })
  const samples = await samplesOf(made, 64)
  const { x } = train.batch(Uint32Array.from({ length: 64 }, (_, i) => i))
  const mean = (values: Float32Array) => values.reduce((sum, v) => sum + v, 0) / values.length
  const ink = mean(samples) / mean(x)
  return {
    measures: [
      { name: 'ink of made digits by that of real ones', value: ink, atLeast: 0.4, atMost: 2.5 },
      await checkerboardMeasure(),
    ],
    files: [drawn(samples, 64)],
  }
}

/** `fovea reproduce dcgan`. */
export const reproduceDcgan = (settings: Settings): Promise<Outcome> =>
  settings.quick ? quickly(settings) : fully(settings)
