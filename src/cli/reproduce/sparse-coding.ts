// Olshausen & Field 1996: basis functions learned from photographs, held against Gabor functions, PCA and chance.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type RandomSource, randomSource } from '../../base/random.ts'
import { readImage, withChannels } from '../../data/index.ts'
import type { Kernel } from '../../models/cells.ts'
import { absPreset, paperPreset, SparseCoding, type SparseCodingOptions } from '../../models/sparse-coding.ts'
import { SparseConvCoding } from '../../models/sparse-conv.ts'
import { type Grey, whiten } from '../../models/sparse-whitening.ts'
import { writeSafetensors } from '../../nn/index.ts'
import { columnChart } from './chart.ts'
import { deadLeaves } from './dead-leaves.ts'
import { type CaptionedRow, fixed, rowsFile } from './drawing.ts'
import { fitGabor, type GaborFit, localisation, octaves } from './gabor-fit.ts'
import { principalComponents } from './principal.ts'
import type { Measure, Outcome } from './report.ts'
import { dataFolder, type Settings } from './settings.ts'

/** Pixels at the border that no patch is taken from (sparsenet). */
const border = 4
const variance = 0.1
const batch = 100

/** Patches [count, edge * edge] from random places of the pictures. */
export function patchesOf(pictures: readonly Grey[], edge: number, count: number, random: RandomSource): Float32Array {
  const size = edge * edge
  const patches = new Float32Array(count * size)
  for (let n = 0; n < count; n++) {
    const { height, width, values } = pictures[random.integer(pictures.length)]!
    const top = border + random.integer(height - edge - 2 * border + 1)
    const left = border + random.integer(width - edge - 2 * border + 1)
    for (let y = 0; y < edge; y++) {
      const start = (top + y) * width + left
      patches.set(values.subarray(start, start + edge), n * size + y * edge)
    }
  }
  return patches
}

/** Logarithms of the middle squares of the grey photographs in a folder. */
async function photographs(folder: string): Promise<Grey[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.png')).sort()
  const pictures: Grey[] = []
  for (const name of names) {
    const { width, height, data } = withChannels(await readImage(join(folder, name)), 1)
    const edge = Math.min(width, height)
    const [top, left] = [Math.floor((height - edge) / 2), Math.floor((width - edge) / 2)]
    const values = Float32Array.from({ length: edge * edge }, (_, i) =>
      Math.log(1 + data[(top + Math.floor(i / edge)) * width + left + (i % edge)]!),
    )
    pictures.push({ height: edge, width: edge, values })
  }
  return pictures
}

/** Each row of [N, size] scaled to length 1: contrast would otherwise look like sparseness. */
function unitRows(rows: Float32Array, size: number): Float32Array {
  const result = rows.slice()
  for (let from = 0; from < rows.length; from += size) {
    const row = result.subarray(from, from + size)
    const length = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0)) || 1
    row.forEach((v, i) => {
      row[i] = v / length
    })
  }
  return result
}

/** Fourth moment by the squared second, about 0: 3 for a normal distribution. */
function kurtosis(values: Float32Array): number {
  let [second, fourth] = [0, 0]
  for (const v of values) {
    second += v * v
    fourth += v ** 4
  }
  return (fourth * values.length) / second ** 2
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
const shareOf = (values: readonly number[], test: (value: number) => boolean) =>
  values.filter(test).length / values.length
const isNumber = (value: number | undefined): value is number => value !== undefined

/** What is measured of a dictionary. */
export interface Portrait {
  readonly kernels: readonly Kernel[]
  readonly fits: readonly GaborFit[]
  /** Medians. */
  readonly quality: number
  readonly bandwidth: number
  readonly aspect: number
  readonly local: number
}

export function portrait(kernels: readonly Kernel[]): Portrait {
  const fits = kernels.map(fitGabor)
  return {
    kernels,
    fits,
    quality: median(fits.map((fit) => fit.quality)),
    bandwidth: median(fits.map(octaves).filter(isNumber)),
    aspect: median(fits.map(({ across, along }) => across / along)),
    local: median(kernels.map(localisation)),
  }
}

const kernelsOf = (net: SparseCoding | SparseConvCoding): Kernel[] =>
  Array.from({ length: net.options.functions }, (_, k) => net.function(k))

/** Rates of the updates: large, then smaller. */
export interface Course {
  readonly updates: number
  readonly rates: readonly [number, number, number]
}

const rateAt = ({ updates, rates }: Course, i: number) =>
  i < 0.5 * updates ? rates[0] : i < 0.8 * updates ? rates[1] : rates[2]

/** A dictionary learned from patches of the pictures. */
export async function learned(
  options: SparseCodingOptions,
  pictures: readonly Grey[],
  course: Course,
  note: (line: string) => void,
): Promise<SparseCoding> {
  const net = new SparseCoding(options)
  const edge = Math.sqrt(options.pixels)
  const random = randomSource(options.seed ?? 1, 1)
  for (let i = 0; i < course.updates; i++) {
    const { energy, error } = await net.learn(patchesOf(pictures, edge, batch, random), rateAt(course, i))
    if ((i + 1) % Math.ceil(course.updates / 10) === 0)
      note(`${edge}x${edge}: update ${i + 1}/${course.updates}  E ${fixed(energy, 3)}  error ${fixed(error, 3)}`)
  }
  return net
}

/** How sparse and how exact a dictionary's code of unseen patches is. */
async function coded(net: SparseCoding, patches: Float32Array): Promise<{ kurtosis: number; error: number }> {
  const { a } = await net.code(unitRows(patches, net.options.pixels))
  return { kurtosis: kurtosis(a), error: (await net.code(patches)).error }
}

const bins = 8

/** Functions by orientation. */
const orientationCounts = (fits: readonly GaborFit[]): number[] => {
  const counts = new Array<number>(bins).fill(0)
  for (const { orientation } of fits) counts[Math.floor((orientation / Math.PI) * bins) % bins]! += 1
  return counts
}

const count = (value: number) => String(value)

/** The targets of the specification for small patches. */
function targets(
  learned: Portrait,
  chance: Portrait,
  codes: Record<'learned' | 'chance', Awaited<ReturnType<typeof coded>>>,
) {
  const qualities = learned.fits.map((fit) => fit.quality)
  const measures: Measure[] = [
    { name: 'Gabor R^2, median', value: learned.quality, atLeast: 0.85 },
    { name: 'share with R^2 > 0.8', value: shareOf(qualities, (q) => q > 0.8), atLeast: 0.8 },
    { name: 'the same of random functions, median', value: chance.quality, atMost: 0.5 },
    {
      name: 'orientation bins filled, of 8',
      value: orientationCounts(learned.fits).filter((n) => n > 0).length,
      show: count,
      atLeast: bins,
    },
    { name: 'squares in a quarter of the patch, median', value: learned.local, atLeast: 0.6 },
    {
      name: 'kurtosis of a, by that of random functions',
      value: codes.learned.kurtosis / codes.chance.kurtosis,
      atLeast: 1.4,
      paper: '20 / 7',
    },
    {
      name: 'squared error, by that of random functions',
      value: codes.learned.error / codes.chance.error,
      atMost: 0.4,
    },
    { name: 'bandwidth, octaves, median', value: learned.bandwidth, paper: '1.1 (mean)' },
    { name: 'aspect ratio, median', value: learned.aspect, paper: '1.3 (mean)' },
  ]
  return measures
}

const dictionaryRow = (caption: string, kernels: readonly Kernel[], pixel: number): CaptionedRow => ({
  caption,
  row: {
    // each on a scale of its own, as is usual
    panels: kernels.map((kernel) => {
      const largest = Math.max(...kernel.map(Math.abs)) || 1
      const edge = Math.sqrt(kernel.length)
      return { height: edge, width: edge, values: Float32Array.from(kernel, (v) => v / largest) }
    }),
    pixel,
  },
})

const weightsOf = (net: SparseCoding | SparseConvCoding) =>
  writeSafetensors([['phi', { shape: net.phi.shape, data: net.phi.read() }]])

function charts(named: Readonly<Record<string, Portrait>>) {
  const groups = (values: (one: Portrait) => number[]) =>
    Object.entries(named).map(([name, one]) => ({ name, values: values(one) }))
  const counts = (values: readonly number[], edges: readonly number[]) =>
    edges.slice(1).map((high, i) => values.filter((v) => v >= edges[i]! && v < high).length)
  const frequencies = [0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.72]
  const widths = [0, 0.5, 1, 1.5, 2, 2.5, 3, 9]
  const y = 'functions'
  return [
    {
      name: 'orientation.svg',
      caption: 'orientations of the fitted Gabor functions',
      content: columnChart(
        { title: 'Orientation', x: 'degrees, from', y },
        Array.from({ length: bins }, (_, i) => fixed((i * 180) / bins, 1)),
        groups(({ fits }) => orientationCounts(fits)),
      ),
    },
    {
      name: 'frequency.svg',
      caption: 'spatial frequencies',
      content: columnChart(
        { title: 'Spatial frequency', x: 'cycles a pixel, from', y },
        frequencies.slice(0, -1).map(String),
        groups(({ fits }) =>
          counts(
            fits.map((fit) => fit.frequency),
            frequencies,
          ),
        ),
      ),
    },
    {
      name: 'bandwidth.svg',
      caption: 'bandwidths',
      content: columnChart(
        { title: 'Bandwidth', x: 'octaves, from', y },
        widths.slice(0, -1).map(String),
        groups(({ fits }) => counts(fits.map(octaves).filter(isNumber), widths)),
      ),
    },
  ]
}

/** Whole pictures as sums of kernels laid at every place. */
async function convolutional(pictures: readonly Grey[], updates: number, note: (line: string) => void) {
  const net = new SparseConvCoding({ kernelSize: 9, functions: 16, lambda: 0.15, steps: 20 })
  const random = randomSource(2)
  const [images, edge] = [4, 40]
  let error = 1
  for (let i = 0; i < updates; i++) {
    const rate = i < updates / 2 ? 0.02 : 0.005
    const shape = [images, edge, edge, 1]
    error = (await net.learn(patchesOf(pictures, edge, images, random), shape, rate)).error
    if ((i + 1) % Math.ceil(updates / 5) === 0)
      note(`convolutional: update ${i + 1}/${updates}  error ${fixed(error, 3)}`)
  }
  return { net, error }
}

/** `fovea reproduce sparse-coding`. */
export async function reproduceSparseCoding(settings: Settings): Promise<Outcome> {
  const note = (line: string) => settings.terminal.note(line)
  const origin = "Ten Kodak photographs as grey PNG files; until then drawn discs stand in ('dead leaves')."
  const folder = settings.quick ? undefined : dataFolder(settings, 'photos-grey', origin)
  const plain = folder ? await photographs(folder) : Array.from({ length: 4 }, (_, seed) => deadLeaves(192, seed))
  const pictures = await whiten(plain, { variance })
  const edge = 8
  const course: Course = { updates: settings.quick ? 600 : 2000, rates: [5, 2, 0.7] }
  const net = await learned(absPreset(edge), pictures, course, note)
  const random = new SparseCoding(absPreset(edge))
  const unseen = patchesOf(pictures, edge, 1000, randomSource(9))
  const codes = { learned: await coded(net, unseen), chance: await coded(random, unseen) }
  const small = portrait(kernelsOf(net))
  const chance = portrait(kernelsOf(random))
  const pca = portrait(principalComponents(patchesOf(pictures, edge, 4000, randomSource(8)), edge ** 2))
  const measures = targets(small, chance, codes)
  measures.push({ name: 'Gabor R^2 of principal components, median', value: pca.quality })
  const rows = [
    dictionaryRow('learned from 8x8 patches, |a|', small.kernels, 4),
    dictionaryRow('principal components', pca.kernels, 4),
  ]
  const files = [
    { name: 'phi-8x8.safetensors', caption: '64 functions of 8x8, [pixels, functions]', content: weightsOf(net) },
  ]
  const named: Record<string, Portrait> = { 'learned, 8x8': small, 'principal 8x8': pca }
  if (!settings.quick) {
    const large = await learned(paperPreset(variance), pictures, { updates: 4000, rates: [2, 1, 0.5] }, note)
    const seen = portrait(kernelsOf(large))
    const prefix = "the paper's 16x16: "
    measures.push(
      { name: `${prefix}Gabor R^2, median`, value: seen.quality },
      { name: `${prefix}bandwidth, octaves, median`, value: seen.bandwidth, paper: '1.1 (mean)' },
      { name: `${prefix}aspect ratio, median`, value: seen.aspect, paper: '1.3 (mean)' },
    )
    rows.push(dictionaryRow('192 functions of 16x16, log(1 + a^2) and gain control, as in the paper', seen.kernels, 3))
    files.push({ name: 'phi-16x16.safetensors', caption: '192 functions of 16x16', content: weightsOf(large) })
    named['learned, 16x16'] = seen
  }
  const whole = await convolutional(pictures, settings.quick ? 60 : 600, note)
  measures.push({ name: 'convolutional: squared error by the images', value: whole.error })
  rows.push(dictionaryRow('16 convolutional kernels of 9x9', kernelsOf(whole.net), 5))
  files.push({ name: 'phi-convolutional.safetensors', caption: 'kernels [9, 9, 1, 16]', content: weightsOf(whole.net) })
  return { measures, files: [rowsFile('dictionary.png', rows), ...charts(named), ...files] }
}
