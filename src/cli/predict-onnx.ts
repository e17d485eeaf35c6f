import { readFileSync } from 'node:fs'
import { fail } from '../base/errors.ts'
import { readImage, resize, withChannels } from '../data/index.ts'
import type { OnnxModel, OnnxTensor } from '../formats/index.ts'
import { importedModel } from './imported.ts'
import { ranked } from './ranking.ts'
import { bar, drawPictures, percent, type Terminal } from './terminal.ts'

export interface PredictOnnxCommand {
  readonly top?: number
  /** Taken from each channel's 0..255 before it's divided by `std`. Default 0 and 255. */
  readonly mean?: readonly number[]
  readonly std?: readonly number[]
  /** Blue first. */
  readonly bgr?: boolean
  /** File of class names: a line each, or JSON. */
  readonly labels?: string
}

/** Names of classes by number, from lines or from a JSON list or object. */
export function readLabels(path: string): string[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    return fail('predict', `labels ${path} can't be read (${(error as Error).message})`, 'Give a file of class names')
  }
  if (!/^\s*[[{]/.test(text)) return text.trimEnd().split(/\r?\n/)
  const names: string[] = []
  try {
    for (const [number, name] of Object.entries(JSON.parse(text) as object)) names[Number(number)] = String(name)
  } catch {
    fail('predict', `labels ${path} aren't JSON`, 'Give a list of names, or an object of names by number')
  }
  return names
}

interface Layout {
  readonly channels: 1 | 3
  readonly height: number
  readonly width: number
  readonly channelsLast: boolean
}

/** How the model takes a picture; a size that it leaves open is the picture's own. */
function layoutOf(model: OnnxModel, image: { height: number; width: number }): Layout {
  const [port, more] = model.inputs
  const shape = port?.shape
  const bad = () =>
    fail(
      'predict',
      `the model takes ${model.inputs.map(({ name, shape }) => `${name} [${shape?.join(', ')}]`).join(' and ')}`,
      'Give a model that takes one picture, [1, 1 or 3, H, W] or [1, H, W, 1 or 3]',
    )
  if (!shape || more || shape.length !== 4) return bad()
  const isColour = (n: unknown): n is 1 | 3 => n === 1 || n === 3
  const channelsLast = !isColour(shape[1])
  const [channels, height, width] = channelsLast ? [shape[3], shape[1], shape[2]] : shape.slice(1)
  if (!isColour(channels)) return bad()
  const size = (n: number | string, own: number) => (typeof n === 'number' ? n : own)
  return { channels, height: size(height, image.height), width: size(width, image.width), channelsLast }
}

async function inputFor(model: OnnxModel, path: string, asked: PredictOnnxCommand): Promise<OnnxTensor> {
  const image = await readImage(path)
  const { channels, height, width, channelsLast } = layoutOf(model, image)
  const { data } = resize(withChannels(image, channels), width, height)
  const { mean = [0], std = [255], bgr = false } = asked
  const count = height * width
  const values = new Float32Array(count * channels)
  for (let i = 0; i < count; i++)
    for (let c = 0; c < channels; c++) {
      const from = data[i * channels + (bgr ? channels - 1 - c : c)]
      const to = channelsLast ? i * channels + c : c * count + i
      values[to] = (from - mean[c % mean.length]) / std[c % std.length]
    }
  return { shape: channelsLast ? [1, height, width, channels] : [1, channels, height, width], data: values }
}

const areShares = (values: readonly number[]) =>
  values.every((v) => v >= 0) && Math.abs(values.reduce((a, b) => a + b, 0) - 1) < 1e-3

/** The class of every pixel: the result itself, or the largest of its channels. */
function maskOf({ shape, data }: OnnxTensor, channelsLast: boolean) {
  const last = channelsLast && shape.length === 4
  const [height, width] = last ? shape.slice(1, 3) : shape.slice(-2)
  const count = height * width
  const classes = data.length / count
  const at = (c: number, i: number) => data[last ? i * classes + c : c * count + i]
  const mask = Uint16Array.from({ length: count }, (_, i) => {
    if (classes === 1) return data[i]
    let best = 0
    for (let c = 1; c < classes; c++) if (at(c, i) > at(best, i)) best = c
    return best
  })
  return { mask, height, width }
}

function printMask(result: OnnxTensor, channelsLast: boolean, names: readonly string[], terminal: Terminal): void {
  const { mask, height, width } = maskOf(result, channelsLast)
  const counts = new Map<number, number>()
  for (const index of mask) counts.set(index, (counts.get(index) ?? 0) + 1)
  const found = [...counts].sort((a, b) => b[1] - a[1])
  const columns = Math.min(terminal.columns, width, 64)
  const rows = Math.max(Math.round((columns * height) / width), 1)
  const grey = (index: number) => (index === 0 ? 0 : 1 - (0.6 * found.findIndex(([k]) => k === index)) / found.length)
  const values = Array.from({ length: rows * columns }, (_, i) => {
    const [y, x] = [Math.floor(((Math.floor(i / columns) + 0.5) * height) / rows), i % columns]
    return grey(mask[y * width + Math.floor(((x + 0.5) * width) / columns)])
  })
  const picture = { values: Float32Array.from(values), shape: [rows, columns, 1], caption: '' }
  for (const line of drawPictures([picture], terminal)) terminal.print(line)
  for (const [index, count] of found)
    terminal.print(`  ${(names[index] ?? String(index)).padEnd(16)} ${percent(count / mask.length, 1).padStart(6)}`)
}

/** Whether a result has its classes last, as the picture its colours; maps of its size may have them first. */
function hasChannelsLast({ shape: [, a, b, c] }: OnnxTensor, { shape }: OnnxTensor): boolean {
  const last = a !== 1 && a !== 3 && (c === 1 || c === 3)
  return last && !(shape[2] === a && shape[3] === b)
}

/** `fovea predict` of an imported model: classes of a picture, or of each of its pixels. */
export async function predictOnnx(
  path: string,
  images: readonly string[],
  asked: PredictOnnxCommand,
  terminal: Terminal,
): Promise<number> {
  const model = await importedModel(path)
  const names = asked.labels === undefined ? [] : readLabels(asked.labels)
  for (const image of images) {
    const input = await inputFor(model, image, asked)
    const results = await model.run(input)
    const result = results[model.outputs[0].name]
    terminal.print(image)
    const channelsLast = hasChannelsLast(input, result)
    const spatial = channelsLast ? result.shape.slice(1, 3) : result.shape.slice(2)
    if (result.shape.length > 2 && spatial.some((n) => n > 1)) {
      printMask(result, channelsLast, names, terminal)
      continue
    }
    const values = Array.from(result.data)
    const shares = areShares(values)
      ? values.map((share, index) => ({ index, share })).sort((a, b) => b.share - a.share)
      : ranked(values)
    const best = shares.slice(0, asked.top ?? 3)
    const wide = Math.max(...best.map(({ index }) => (names[index] ?? String(index)).length))
    for (const { index, share } of best) {
      const name = (names[index] ?? String(index)).padEnd(wide)
      terminal.print(`  ${name} ${percent(share, 1).padStart(6)} ${bar(share, 30)}`.trimEnd())
    }
  }
  return 0
}
