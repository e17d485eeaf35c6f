import { fail } from '../base/errors.ts'
import { compile } from '../compile.ts'
import { encodePng, type Image } from '../data/index.ts'
import type { Model } from '../nn/index.ts'
import { writeFileAtomic } from '../runtime/files.ts'
import { inputOf } from './predict.ts'
import { trainedModel } from './sources.ts'
import type { Terminal } from './terminal.ts'

/** One map or kernel: height, width, values row by row. */
export interface Panel {
  readonly height: number
  readonly width: number
  readonly values: Float32Array
}

/** Panels side by side, all on one scale of colour; `pixel` = edge of one value's square. */
export interface Row {
  readonly panels: readonly Panel[]
  readonly pixel: number
}

const gap = 4
const rowGap = 12
/** Panels beyond this many go to the next line. */
const perLine = 16
/** Edge that maps are enlarged to, about. */
const mapEdge = 56
const mostMaps = 64
/** Of a strip of numbers without places. */
const stripWidth = 16 * (mapEdge + gap)

const positive = [214, 96, 20]
const negative = [20, 98, 180]
const paper = [255, 255, 255]

/** White at 0, orange up to `largest`, blue down to -`largest`. */
function colour(value: number, largest: number): number[] {
  const share = Math.min(1, Math.abs(value) / (largest || 1))
  const end = value < 0 ? negative : positive
  return paper.map((white, i) => Math.round(white + share * (end[i]! - white)))
}

/** Channel `c` of [H, W, C]. */
function channel(values: Float32Array, height: number, width: number, channels: number, c: number): Panel {
  const list = Float32Array.from({ length: height * width }, (_, i) => values[i * channels + c]!)
  return { height, width, values: list }
}

/** The maps of one layer: [H, W, C] as C panels, [N] as one strip. */
export function rowOfMaps(values: Float32Array, shape: readonly number[]): Row {
  if (shape.length !== 3) {
    const pixel = Math.max(1, Math.min(mapEdge / 2, Math.floor(stripWidth / values.length)))
    return { panels: [{ height: 1, width: values.length, values }], pixel }
  }
  const [height, width, channels] = shape as [number, number, number]
  const count = Math.min(channels, mostMaps)
  const panels = Array.from({ length: count }, (_, c) => channel(values, height, width, channels, c))
  return { panels, pixel: Math.max(1, Math.floor(mapEdge / Math.max(height, width))) }
}

/** The kernels [kH, kW, 1, O] of a first layer; of deeper layers the first input channel's. */
function rowOfKernels(values: Float32Array, shape: readonly number[]): Row {
  const [height, width, inputs, outputs] = shape as [number, number, number, number]
  const count = Math.min(outputs, mostMaps)
  const panels = Array.from({ length: count }, (_, o) => channel(values, height, width, inputs * outputs, o))
  return { panels, pixel: Math.max(1, Math.floor(mapEdge / 2 / Math.max(height, width)) * 2) }
}

function linesOf(row: Row): Row[] {
  const lines: Row[] = []
  for (let from = 0; from < row.panels.length; from += perLine)
    lines.push({ ...row, panels: row.panels.slice(from, from + perLine) })
  return lines
}

const lineHeight = ({ panels, pixel }: Row) => Math.max(...panels.map((panel) => panel.height)) * pixel
const lineWidth = ({ panels, pixel }: Row) => panels.reduce((sum, panel) => sum + panel.width * pixel + gap, -gap)

/** All rows below each other on white. */
export function drawRows(rows: readonly Row[]): Image {
  const lines = rows.flatMap((row) => {
    const largest = Math.max(
      ...row.panels.flatMap((panel) => panel.values.reduce((a, v) => Math.max(a, Math.abs(v)), 0)),
    )
    return linesOf(row).map((line, i) => ({ ...line, largest, space: i === 0 ? rowGap : gap }))
  })
  const width = Math.max(...lines.map(lineWidth)) + 2 * rowGap
  const height = lines.reduce((sum, line) => sum + line.space + lineHeight(line), rowGap)
  const data = new Uint8Array(width * height * 3).fill(255)
  let top = 0
  for (const line of lines) {
    top += line.space
    let left = rowGap
    for (const panel of line.panels) {
      drawPanel(data, width, panel, line.pixel, left, top, line.largest)
      left += panel.width * line.pixel + gap
    }
    top += lineHeight(line)
  }
  return { width, height, channels: 3, data }
}

function drawPanel(
  data: Uint8Array,
  width: number,
  panel: Panel,
  pixel: number,
  left: number,
  top: number,
  largest: number,
): void {
  for (let y = 0; y < panel.height * pixel; y++)
    for (let x = 0; x < panel.width * pixel; x++) {
      const value = panel.values[Math.floor(y / pixel) * panel.width + Math.floor(x / pixel)]!
      data.set(colour(value, largest), ((top + y) * width + left + x) * 3)
    }
}

/** The picture, then for each layer that changes it: its kernels, and its maps of this picture. */
async function rowsOf(model: Model, values: Float32Array): Promise<Row[]> {
  const run = compile((x) => model.trace(x, model.context(false)), [[1, ...model.inputShape]])
  const results = await run(values)
  const rows = [rowOfMaps(results[0]!, model.inputShape)]
  let before: readonly number[] = model.inputShape
  model.steps.forEach(({ built }, i) => {
    const kernel = built.parameters.find((variable) => variable.shape.length === 4)
    if (kernel) rows.push(rowOfKernels(kernel.read(), kernel.shape))
    const pooled = built.shape.length === 3 && built.shape[0] !== before[0]
    if (built.parameters.length > 0 || pooled) rows.push(rowOfMaps(results[i + 1]!, built.shape))
    before = built.shape
  })
  return rows
}

/** `fovea show`: a PNG of what each layer makes of a picture. */
export async function showCommand(
  path: string,
  image: string,
  asked: { readonly output?: string },
  terminal: Terminal,
): Promise<number> {
  const { model, note } = await trainedModel('show', path)
  if (model.inputShape.length !== 3)
    fail('show', `the model takes [${model.inputShape}]`, 'Give one that takes pictures')
  const { values } = await inputOf(image, model, note, undefined)
  const output = asked.output ?? `${image.replace(/\.\w+$/, '')}.layers.png`
  await writeFileAtomic(output, encodePng(drawRows(await rowsOf(model, values))))
  terminal.print(`drew ${output}: the picture, then each layer's kernels and maps (orange = above 0, blue = below)`)
  return 0
}
