// Cases of a folder of pretrained models: a model file, its input and what it must give.
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { fail } from '../../base/errors.ts'
import { type Shape, sizeOf } from '../../base/shape.ts'
import { readImage } from '../../data/index.ts'

export interface Reference {
  readonly output: string
  /** Undefined where the folder doesn't say. */
  readonly shape?: Shape
  readonly values: () => Promise<Float32Array>
  /** The values are numbers of classes: one is right or wrong, not near. */
  readonly classes?: boolean
}

export interface ModelCase {
  readonly name: string
  /** Path of ONNX, perhaps gzipped, or of tfjs's model.json. */
  readonly model: string
  readonly kind: 'onnx' | 'tfjs'
  readonly shape: Shape
  readonly input: () => Promise<Float32Array>
  readonly references: readonly Reference[]
}

/** The bytes of an ONNX file, which may be gzipped. */
export function onnxBytes(path: string): Uint8Array {
  const bytes = readFileSync(path)
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes
}

/** The float32 values of a file, little endian. */
function floatsIn(path: string): Float32Array {
  const bytes = readFileSync(path)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true))
}

function bytesIn(path: string): Float32Array {
  return Float32Array.from(gunzipSync(readFileSync(path)))
}

/** MurmurHash3's finaliser: numbers in -1..1 that follow from i and seed alone, as SOURCES of the folder says. */
function hashed(i: number, seed: number): number {
  let x = (i + Math.imul(seed, 0x9e3779b9)) >>> 0
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 31 - 1
}

const numbers = (count: number, make: (i: number) => number) => Float32Array.from({ length: count }, (_, i) => make(i))

/** Made-up inputs by name. */
const made: Readonly<Record<string, (count: number) => Float32Array>> = {
  synth1: (count) => numbers(count, (i) => Math.max(0, hashed(i, 1)) * 255),
  synth2: (count) => numbers(count, (i) => hashed(i, 2)),
  synth3: (count) => numbers(count, (i) => 2 * hashed(i, 3) + 2),
}

/** A picture as planes [3, H, W]. */
async function planes(path: string, order: readonly number[], value: (v: number, c: number) => number) {
  const { data, width, height, channels } = await readImage(path)
  const count = width * height
  return numbers(3 * count, (i) => {
    const c = Math.floor(i / count)
    return value(data[(i % count) * channels + order[c]], c)
  })
}

const means = [104, 117, 123]

/** What SqueezeNet (BGR minus means) and the networks of MobileNet ((v - 128) / 128) see of a picture. */
const picture = (model: string, path: string) =>
  model.startsWith('squeezenet')
    ? planes(path, [2, 1, 0], (v, c) => v - means[c])
    : planes(path, [0, 1, 2], (v) => (v - 128) / 128)

interface RefModel {
  readonly shape: Shape
  readonly outputName: string
  readonly cases: Readonly<Record<string, { readonly dims: Shape }>>
}

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'))

/** A model's file, gzipped or not, wherever in the folder its reference puts it. */
function modelFile(folder: string, name: string): string | undefined {
  const paths = [name, basename(name)].flatMap((file) => [file, `${file}.gz`])
  return paths.map((path) => join(folder, path)).find(existsSync)
}

function firstCases(folder: string): ModelCase[] {
  const path = join(folder, 'ref', 'reference.json')
  if (!existsSync(path)) return []
  const models = json(path).models as Readonly<Record<string, RefModel>>
  return Object.entries(models).flatMap(([model, { shape, outputName, cases }]) => {
    const file = modelFile(folder, `${model}.onnx`) ?? join(folder, `${model}.onnx`)
    return Object.entries(cases).map(([name, { dims }]): ModelCase => {
      const stem = join(folder, 'ref', `${model}--${name}`)
      const classes = !existsSync(`${stem}.f32`)
      const values = async () => (classes ? bytesIn(`${stem}.u8.gz`) : floatsIn(`${stem}.f32`))
      const image = join(folder, 'img', `${name}-${shape[2]}.png`)
      const input = async () => (Object.hasOwn(made, name) ? made[name](sizeOf(shape)) : picture(model, image))
      const references = [{ output: outputName, shape: dims, values, classes }]
      return { name: `${model}, ${name}`, model: file, kind: 'onnx', shape, input, references }
    })
  })
}

interface MoreCase {
  readonly model: string
  readonly input: { readonly shape: Shape; readonly file: string }
  readonly outputs: readonly { readonly name: string; readonly shape: Shape; readonly file: string }[]
}

function moreCases(folder: string): ModelCase[] {
  const path = join(folder, 'ref-more', 'index.json')
  if (!existsSync(path)) return []
  const at = (file: string) => join(folder, 'ref-more', file)
  return (json(path).cases as readonly MoreCase[]).map(({ model, input, outputs }) => ({
    name: basename(model).replace(/\.onnx$/, ''),
    model: modelFile(folder, model) ?? join(folder, model),
    kind: model.endsWith('.json') ? 'tfjs' : 'onnx',
    shape: input.shape,
    input: async () => floatsIn(at(input.file)),
    references: outputs.map(({ name, shape, file }) => ({
      output: name,
      shape,
      values: async () => floatsIn(at(file)),
    })),
  }))
}

const tone = (i: number, hertz: number) => Math.sin((2 * Math.PI * hertz * i) / 22050)

/** The two tfjs models, whose inputs tfjs.json describes in words. */
function tfjsCases(folder: string): ModelCase[] {
  const path = join(folder, 'ref', 'tfjs.json')
  if (!existsSync(path)) return []
  const { 'basic-pitch-tfjs': pitch, 'esrgan-slim-x2-tfjs': esrgan } = json(path)
  const values = (file: string) => async () => floatsIn(join(folder, 'ref', file))
  const outputs = Object.entries(pitch.outputs) as [string, { file: string; shape: Shape }][]
  return [
    {
      name: 'esrgan-slim-x2',
      model: join(folder, 'esrgan-slim-x2-tfjs', 'model.json'),
      kind: 'tfjs',
      shape: [1, 32, 32, 3],
      input: async () => Float32Array.from((await readImage(join(folder, 'img', 'esrgan-in-32.png'))).data),
      references: [{ output: '', shape: esrgan.output, values: values(esrgan.file) }],
    },
    {
      name: 'basic-pitch',
      model: join(folder, 'basic-pitch-tfjs', 'model.json'),
      kind: 'tfjs',
      shape: [1, 43844, 1],
      input: async () => numbers(43844, (i) => 0.5 * tone(i, 440) + 0.25 * tone(i, 659.255)),
      references: outputs.map(([name, { file, shape }]) => ({
        output: name.replace(/:0$/, ''),
        shape,
        values: values(file),
      })),
    },
  ]
}

/** Every case that a folder of models describes. */
export function casesIn(folder: string): ModelCase[] {
  const cases = [...firstCases(folder), ...moreCases(folder), ...tfjsCases(folder)]
  if (cases.length === 0) fail('models', `${folder} describes no cases`, 'Give a folder with ref/reference.json')
  return cases
}
