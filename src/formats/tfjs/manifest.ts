// Weights of a tfjs model: model.json lists them in groups; the files of a group, one after another, hold them all.
import { fail } from '../../base/errors.ts'
import { type Shape, sizeOf } from '../../base/shape.ts'
import { mostElements } from '../limits.ts'
import { type ElementType, type Fixed, fromHalf, storageOf } from '../onnx/elements.ts'
import { Entries, type Json } from '../record.ts'
import { type Folder, joined, type LoadTfjsOptions } from './files.ts'

const operation = 'loadTfjs'

type Dtype = 'float32' | 'int32' | 'bool' | 'uint8' | 'uint16' | 'float16'

interface Stored {
  readonly bytes: number
  read(view: DataView, at: number): number
}

const stored: Readonly<Record<Dtype, Stored>> = {
  float32: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  int32: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  bool: { bytes: 1, read: (view, at) => view.getUint8(at) },
  uint8: { bytes: 1, read: (view, at) => view.getUint8(at) },
  uint16: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  float16: { bytes: 2, read: (view, at) => fromHalf(view.getUint16(at, true)) },
}

interface Entry {
  readonly name: string
  readonly shape: Shape
  readonly count: number
  /** TensorFlow counts with int32 where ONNX has int64. */
  readonly type: ElementType
  readonly stored: Stored
  /** What a stored number stands for. */
  value(raw: number): number
}

interface Group {
  readonly paths: readonly string[]
  readonly entries: readonly Entry[]
  readonly bytes: number
}

function dtypeOf(entries: Entries, name: string): Dtype {
  const dtype = entries.text(name)
  if (Object.hasOwn(stored, dtype)) return dtype as Dtype
  return entries.fail(`its ${name} is '${dtype}'`, `Convert it to one of ${Object.keys(stored).join(', ')}`)
}

const types: Readonly<Record<Dtype, ElementType>> = {
  float32: 'float32',
  float16: 'float32',
  int32: 'int64',
  bool: 'bool',
  uint8: 'int64',
  uint16: 'int64',
}

function entryOf(value: unknown, i: number): Entry {
  const entries = new Entries(operation, `weight ${i} of the manifest`, value)
  const name = entries.text('name')
  const shape = entries.counts('shape', undefined, undefined, 0)
  const count = sizeOf(shape)
  if (count > mostElements) entries.fail(`'${name}' of shape [${shape}] has more than ${mostElements} elements`)
  const dtype = dtypeOf(entries, 'dtype')
  if (!entries.has('quantization'))
    return { name, shape, count, type: types[dtype], stored: stored[dtype], value: (raw) => raw }
  const quantization = entries.inner('quantization')
  const kept = dtypeOf(quantization, 'dtype')
  const common = { name, shape, count, type: types[dtype], stored: stored[kept] }
  if (kept === 'float16') return { ...common, value: (raw) => raw }
  if (kept !== 'uint8' && kept !== 'uint16') return quantization.fail(`weights quantised to ${kept}`)
  const [scale, min] = [quantization.number('scale'), quantization.number('min')]
  const real = (raw: number) => raw * scale + min
  return { ...common, value: dtype === 'float32' ? real : (raw) => Math.round(real(raw)) }
}

function groupOf(value: unknown, i: number): Group {
  const entries = new Entries(operation, `group ${i} of the weights' manifest`, value)
  const paths = entries.list('paths')
  if (!paths.every((path) => typeof path === 'string')) return entries.fail("'paths' aren't texts")
  const list = entries.list('weights').map(entryOf)
  const bytes = list.reduce((sum, entry) => sum + entry.count * entry.stored.bytes, 0)
  return { paths: paths as string[], entries: list, bytes }
}

function groupsIn(model: Json): Group[] {
  const groups = new Entries(operation, 'model.json', model).list('weightsManifest').map(groupOf)
  const names = new Set<string>()
  for (const { name } of groups.flatMap((group) => group.entries)) {
    if (names.has(name)) fail(operation, `weight '${name}' is listed twice`, 'The file is damaged: get it again')
    names.add(name)
  }
  return groups
}

function valuesOf(entry: Entry, view: DataView, at: number): Fixed {
  const { type, shape, count, value } = entry
  const data = storageOf(type, count)
  for (let i = 0; i < count; i++) data[i] = value(entry.stored.read(view, at + i * entry.stored.bytes))
  return { type, shape, data }
}

/** All weights of a model by name; quantised ones as the numbers that they stand for. */
export async function readWeights(model: Json, folder: Folder, options: LoadTfjsOptions): Promise<Map<string, Fixed>> {
  const groups = groupsIn(model)
  const total = groups.reduce((sum, group) => sum + group.bytes, 0)
  const weights = new Map<string, Fixed>()
  let loaded = 0
  const count = (bytes: number) => {
    loaded += bytes
    options.onProgress?.(loaded, total)
  }
  for (const group of groups) {
    const parts: Uint8Array[] = []
    let left = group.bytes
    for (const path of group.paths) {
      options.signal?.throwIfAborted()
      const part = await folder.file(path, left, count)
      left -= part.length
      parts.push(part)
    }
    if (left > 0)
      fail(operation, `${group.paths.join(', ')}: ${left} of ${group.bytes} bytes are missing`, 'Copy them again')
    const bytes = joined(parts)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let at = 0
    for (const entry of group.entries) {
      weights.set(entry.name, valuesOf(entry, view, at))
      at += entry.count * entry.stored.bytes
    }
  }
  return weights
}
