import { unzipSync } from 'fflate'
import { FoveaError, fail } from '../../base/errors.ts'
import type { Model } from '../../nn/index.ts'
import type { Weights } from '../../nn/layer.ts'
import { readFile } from '../../runtime/files.ts'
import { parseJson } from '../record.ts'
import { readHdf5 } from './hdf5.ts'
import { namedWeights } from './named.ts'
import { type ReadOptions, readKeras, type WeightSource } from './read.ts'

const operation = 'loadKeras'

const starts = (bytes: Uint8Array, ...values: readonly number[]) => values.every((value, i) => bytes[i] === value)
const isZip = (bytes: Uint8Array) => starts(bytes, 0x50, 0x4b, 3, 4)
const isHdf5 = (bytes: Uint8Array) => starts(bytes, 0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a)

const parts = ['metadata.json', 'config.json', 'model.weights.h5']

/** The parts of an archive; together they may not be much larger than the archive itself. */
function unzipped(bytes: Uint8Array): Readonly<Record<string, Uint8Array>> {
  let left = 2 * bytes.length + 2 ** 24
  try {
    return unzipSync(bytes, {
      filter({ name, originalSize }) {
        if (!parts.includes(name)) return false
        left -= originalSize
        if (left < 0) fail(operation, `'${name}' grows to ${originalSize} bytes`, 'Get the file again')
        return true
      },
    })
  } catch (error) {
    if (error instanceof FoveaError) throw error
    return fail(operation, `the archive can't be read (${(error as Error).message})`, 'Get the file again')
  }
}

/** 2 for tf.keras and whatever says nothing. */
const versionOf = (text: unknown): 2 | 3 => (typeof text === 'string' && /^[3-9]/.test(text) ? 3 : 2)

/** Weights in the folders of Keras 3: layers/conv2d_1/vars/0. */
function foldered(weights: ReadonlyMap<string, Weights>): WeightSource {
  return ({ folders, path, names }, name) => {
    const i = names.indexOf(name)
    const own = [...folders.slice(0, -1), path.at(-1)!]
    const paths = [folders, own].flatMap((list) =>
      ['layers', '_layer_checkpoint_dependencies'].map(
        (root) => `${list.map((part) => `${root}/${part}`).join('/')}/vars/${i}`,
      ),
    )
    return paths.map((at) => weights.get(at)).find((found) => found !== undefined)
  }
}

async function fromArchive(bytes: Uint8Array, options: ReadOptions): Promise<Model> {
  const files = unzipped(bytes)
  const text = (name: string) => {
    const file = Object.hasOwn(files, name) ? files[name] : undefined
    return file
      ? new TextDecoder().decode(file)
      : fail(operation, `the archive has no '${name}'`, 'Save it with Keras 3')
  }
  const topology = parseJson(operation, 'config.json', text('config.json'))
  const metadata = parseJson(operation, 'metadata.json', text('metadata.json'))
  if (!files['model.weights.h5']) fail(operation, "the archive has no 'model.weights.h5'", 'Save it with Keras 3')
  const { weights } = await readHdf5(operation, files['model.weights.h5'])
  const version = versionOf(metadata.keras_version)
  return readKeras({ operation, version, topology, weights: foldered(weights) }, options)
}

async function fromHdf5(bytes: Uint8Array, options: ReadOptions): Promise<Model> {
  const { weights, texts } = await readHdf5(operation, bytes)
  const config = texts.get('model_config')
  if (config === undefined)
    return fail(operation, 'the file holds weights, but no model', 'Save the whole model: model.save()')
  const prefix = 'model_weights/'
  const own = [...weights].filter(([name]) => name.startsWith(prefix))
  const named = new Map(own.map(([name, value]) => [name.slice(prefix.length), value]))
  const topology = parseJson(operation, 'model_config', config)
  const version = versionOf(texts.get('keras_version'))
  return readKeras({ operation, version, topology, weights: namedWeights(named) }, options)
}

/**
 * Reads a model that Keras saved: an archive `.keras` (Keras 3) or `.h5` (all versions), as a model of ours that
 * predicts the same and trains on. Needs the package h5wasm.
 * @param source the file's bytes, or its path (Node only)
 */
export async function loadKeras(source: Uint8Array | string, options: ReadOptions = {}): Promise<Model> {
  const bytes = typeof source === 'string' ? await readFile(source) : source
  if (isZip(bytes)) return fromArchive(bytes, options)
  if (isHdf5(bytes)) return fromHdf5(bytes, options)
  const start = [...bytes.subarray(0, 4)].join(' ')
  return fail(operation, `a file that starts with the bytes ${start}`, 'Give a .keras or .h5 file')
}
