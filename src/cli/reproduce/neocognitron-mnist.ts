// The neocognitron on handwritten digits: planes learned without labels, a linear read-out, and how much it bears.
import { randomSource } from '../../base/random.ts'
import { compile } from '../../compile.ts'
import { type Dataset, mnist, take } from '../../data/index.ts'
import { addIfSilent, angles, firstModule, secondModule, windowAt } from '../../models/neocognitron-mnist.ts'
import { dense, flatten, type Model, sequential } from '../../nn/index.ts'
import { percent } from '../terminal.ts'
import type { Measure } from './report.ts'

const edge = 28
const size = edge * edge
const middle = 14
const batch = 100

/** The digits as one list of values. */
const valuesOf = (data: Dataset) => data.batch(Uint32Array.from({ length: data.length }, (_, i) => i))

/** A layer's responses to all pictures, a batch at a time. */
async function responses(values: Float32Array, run: (x: Float32Array) => Promise<Float32Array>): Promise<Float32Array> {
  const parts: Float32Array[] = []
  for (let at = 0; at < values.length; at += batch * size) parts.push(await run(values.subarray(at, at + batch * size)))
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let end = 0
  for (const part of parts) {
    whole.set(part, end)
    end += part.length
  }
  return whole
}

type Look = (values: Float32Array) => Promise<Float32Array>

/** Learns `planes` planes from the pictures' first-module responses: some windows of each, by chance. */
async function learned(values: Float32Array, planes: number): Promise<Look> {
  const first = compile((x) => firstModule(x), [[batch, edge, edge, 1]])
  const seen = await responses(values, (x) => first(x))
  const random = randomSource(1)
  const length = middle * middle * angles
  const windows = Array.from({ length: (seen.length / length) * 4 }, (_, n) => {
    const [y, x] = [2 + random.integer(middle - 4), 2 + random.integer(middle - 4)]
    const start = Math.floor(n / 4) * length
    return windowAt(seen.subarray(start, start + length), middle, angles, y, x)
  })
  const patches = addIfSilent(windows, planes)
  const both = compile((x) => secondModule(firstModule(x), patches), [[batch, edge, edge, 1]])
  return (pictures) => responses(pictures, (x) => both(x))
}

/** Digits moved by whole pixels, resized about the middle, or with noise. */
function changed(values: Float32Array, { right = 0, scale = 1, noise = 0 }: Change): Float32Array {
  const random = randomSource(2)
  const centre = (edge - 1) / 2
  return Float32Array.from(values, (_, i) => {
    const [n, y, x] = [Math.floor(i / size), Math.floor(i / edge) % edge, i % edge]
    const row = Math.round(centre + (y - centre) / scale)
    const column = Math.round(centre + (x - right - centre) / scale)
    const inside = row >= 0 && row < edge && column >= 0 && column < edge
    const value = inside ? values[(n * edge + row) * edge + column]! : 0
    return noise === 0 ? value : Math.min(1, Math.max(0, value + noise * random.normal()))
  })
}

interface Change {
  readonly right?: number
  readonly scale?: number
  readonly noise?: number
}

const changes: readonly (readonly [name: string, Change])[] = [
  ...[1, 2, 3, 4].map((right) => [`moved ${right} px`, { right }] as const),
  ...[0.7, 0.85, 1.15, 1.3].map((scale) => [`${scale} times as large`, { scale }] as const),
  ...[0.1, 0.2, 0.4].map((noise) => [`noise of deviation ${noise}`, { noise }] as const),
]

async function readOut(features: Float32Array, labels: Float32Array): Promise<Model> {
  const length = features.length / labels.length
  const model = sequential([length], [flatten(), dense(10)])
  await model.fit({ x: features, y: labels }, { epochs: 15, batchSize: 50, optimizer: 'adam', verbose: false })
  return model
}

/** Rates on MNIST: `train` digits to learn from, `test` to be told. */
export async function mnistRates(train: number, test: number, planes: number, atLeast: number) {
  const digits = await mnist()
  const [shown, asked] = [valuesOf(take(digits.train, train)), valuesOf(take(digits.test, test))]
  const look = await learned(shown.x, planes)
  const model = await readOut(await look(shown.x), shown.y)
  const rate = async (values: Float32Array) => (await model.evaluate({ x: await look(values), y: asked.y })).accuracy!
  const lines: string[] = []
  for (const [name, change] of changes)
    lines.push(`  ${name.padEnd(24)} ${percent(await rate(changed(asked.x, change)), 1)}`)
  const name = `MNIST, ${train} digits to learn from, ${test} others told right`
  const measure: Measure = { name, value: await rate(asked.x), show: percent, atLeast }
  return { measure, lines: ['the same digits changed, nothing learned anew:', ...lines] }
}
