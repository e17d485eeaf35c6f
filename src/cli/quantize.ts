import { existsSync, statSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { fail } from '../base/errors.ts'
import type { Dataset } from '../data/index.ts'
import { loadOnnx, type OnnxModel, type OnnxTensor, quantize, saveOnnx } from '../formats/index.ts'
import { writeFileAtomic } from '../runtime/files.ts'
import { bytesOf, loadData, trainedModel } from './sources.ts'
import { percent, type Terminal } from './terminal.ts'

export interface QuantizeCommand {
  readonly output?: string
  /** Training samples that ranges are taken from. Default 256. */
  readonly samples?: number
  /** Per cent of values that ranges leave out at either end. Default 0. */
  readonly cut?: number
  readonly mean?: readonly number[]
  readonly std?: readonly number[]
}

/** How a model takes pictures. */
interface Pictures {
  /** [H, W, C]. */
  readonly shape: readonly [number, number, number]
  readonly channelsLast: boolean
  /** undefined = any number. */
  readonly batch: number | undefined
}

function picturesOf(model: OnnxModel): Pictures {
  const [port, more] = model.inputs
  const [batch, ...shape] = port?.shape ?? []
  const [a, b, c] = shape as [number, number, number]
  if (more || shape.length !== 3 || !shape.every((n) => typeof n === 'number'))
    return fail(
      'quantize',
      'the model takes something other than pictures of one size',
      'Use quantize of fovea/formats',
    )
  const count = typeof batch === 'number' ? batch : undefined
  const channelsFirst = a === 1 || a === 3
  return { shape: channelsFirst ? [b, c, a] : [a, b, c], channelsLast: !channelsFirst, batch: count }
}

/** Samples `from` to `to` of a data set as the model takes them. */
function inputFor(data: Dataset, from: number, to: number, how: Pictures, asked: QuantizeCommand): OnnxTensor {
  const { x } = data.batch(Uint32Array.from({ length: to - from }, (_, i) => from + i))
  const [height, width, channels] = how.shape
  const { mean = [0], std = [255] } = asked
  const values = new Float32Array(x.length)
  const pixels = height * width
  for (let i = 0; i < x.length; i++) {
    const c = i % channels
    const pixel = (i - c) / channels
    const sample = Math.floor(pixel / pixels)
    const to = how.channelsLast ? i : (sample * channels + c) * pixels + (pixel % pixels)
    values[to] = (x[i]! * 255 - mean[c % mean.length]!) / std[c % std.length]!
  }
  const shape = how.channelsLast ? [height, width, channels] : [channels, height, width]
  return { shape: [to - from, ...shape], data: values }
}

function* batchesOf(data: Dataset, count: number, how: Pictures, asked: QuantizeCommand): Generator<OnnxTensor> {
  const size = how.batch ?? 32
  // spread over the whole of the data, which may be sorted by class
  const apart = Math.max(Math.floor(data.length / count), 1)
  for (let i = 0; i + size <= Math.min(count, data.length); i += size) {
    const from = Math.min(i * apart, data.length - size)
    yield inputFor(data, from, from + size, how, asked)
  }
}

/** Share of test pictures whose class is found. */
async function accuracyOf(model: OnnxModel, data: Dataset, how: Pictures, asked: QuantizeCommand): Promise<number> {
  const size = Math.min(how.batch ?? 100, data.length)
  let right = 0
  for (let from = 0; from + size <= data.length; from += size) {
    const input = inputFor(data, from, from + size, how, asked)
    const result = await model.run(input)
    const values = Array.from(result[model.outputs[0]!.name]!.data)
    const classes = values.length / size
    for (let i = 0; i < size; i++) {
      const scores = values.slice(i * classes, (i + 1) * classes)
      if (scores.indexOf(Math.max(...scores)) === data.labels[from + i]) right++
    }
  }
  return right / (data.length - (data.length % size))
}

/** Least time of a run of each model, in ms: in turn, so that all meet the same machine, for `budget` ms in all. */
async function timesOf(models: readonly OnnxModel[], input: OnnxTensor, budget = 3000): Promise<number[]> {
  const least = models.map(() => Infinity)
  const begin = performance.now()
  for (let round = 0; round < 5 || performance.now() - begin < budget; round++)
    for (const [i, model] of models.entries()) {
      const start = performance.now()
      await model.run(input)
      least[i] = Math.min(least[i]!, performance.now() - start)
    }
  return least
}

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} KB`

/** The float model as ONNX: a file, or a network of ours with its inputs as here. */
async function floatBytes(path: string): Promise<Uint8Array> {
  const remedy = 'Give an ONNX model, or one that fovea train wrote'
  if (path.endsWith('.onnx')) return bytesOf('quantize', path, remedy)
  return saveOnnx((await trainedModel('quantize', path)).model, { channelsLast: true })
}

/** `fovea quantize`: int8 weights and activations, with ranges from a few training samples; both models are tested. */
export async function quantizeCommand(
  path: string,
  dataName: string,
  asked: QuantizeCommand,
  terminal: Terminal,
): Promise<number> {
  const output = asked.output ?? path.replace(/\.[^./\\]+$/, '.int8.onnx')
  if (existsSync(output) && statSync(output).isDirectory())
    fail('quantize', `${output} is a folder`, 'Give --output a file')
  const bytes = await floatBytes(path)
  const model = await loadOnnx(path.endsWith('.onnx') ? path : bytes)
  const how = picturesOf(model)
  const { train, test } = await loadData(dataName, how.shape)
  if (train.shape.some((n, i) => n !== how.shape[i]))
    fail(
      'quantize',
      `the pictures are [${train.shape}], the model takes [${how.shape}]`,
      'Use the data it was made for',
    )
  const batches = batchesOf(train, asked.samples ?? 256, how, asked)
  const small = await quantize(path.endsWith('.onnx') ? path : bytes, batches, { cut: asked.cut })
  await writeFileAtomic(output, small)
  const size = path.endsWith('.onnx') ? statSync(path).size : bytes.length
  terminal.print(`${output}: ${kilobytes(small.length)}, ${percent(small.length / size, 1)} of ${kilobytes(size)}`)
  const models = [model, await loadOnnx(small)] as const
  const [before, after] = [await accuracyOf(models[0], test, how, asked), await accuracyOf(models[1], test, how, asked)]
  const [real, whole] = await timesOf(models, inputFor(test, 0, Math.min(how.batch ?? 100, test.length), how, asked))
  terminal.print(
    `accuracy ${percent(after)}, of float32 ${percent(before)} (${test.length} test pictures); ` +
      `time ${(whole! / real!).toFixed(2)} of float32's`,
  )
  return 0
}
