// HDF5 by h5wasm, the HDF Group's library compiled to WebAssembly: it runs in Node and in pages, and it is only fetched
// when a file of Keras is read or written.
import type { Group } from 'h5wasm'
import { FoveaError, fail } from '../../base/errors.ts'
import { sizeOf } from '../../base/shape.ts'
import type { Weights } from '../../nn/layer.ts'

async function library(operation: string): Promise<typeof import('h5wasm')> {
  try {
    return await import('h5wasm')
  } catch {
    return fail(operation, 'the package h5wasm, which reads HDF5, is not installed', 'Install it: npm install h5wasm')
  }
}

/** What a file holds. */
export interface Hdf5 {
  /** Datasets of numbers by their paths. */
  readonly weights: ReadonlyMap<string, Weights>
  /** Texts among the attributes of the root. */
  readonly texts: ReadonlyMap<string, string>
}

/** Most groups and datasets of a file. */
const mostEntries = 100_000

/** The innermost of the library's many lines: '#002: file.c line 1 in f(): why'. */
function causeOf(error: unknown): string {
  const { message } = error as Error
  return [...message.matchAll(/#\d+: .*?\(\): (.*)/g)].at(-1)?.[1] ?? message
}

let count = 0

/** Runs `use` on a file in the library's own memory, which is emptied afterwards. */
async function withFile<T>(
  operation: string,
  use: (h5: typeof import('h5wasm'), path: string, fs: Fs) => T,
): Promise<T> {
  const h5 = await library(operation)
  const { FS, activate_throwing_error_handler, deactivate_throwing_error_handler } = await h5.ready
  const path = `/fovea-${count++}.h5`
  // else it prints what is wrong with a file, and leaves out what it can't read
  activate_throwing_error_handler()
  try {
    return use(h5, path, FS as unknown as Fs)
  } catch (error) {
    if (error instanceof FoveaError) throw error
    return fail(operation, `the HDF5 data can't be read (${causeOf(error)})`, 'Get the file again')
  } finally {
    deactivate_throwing_error_handler()
    if ((FS as unknown as Fs).analyzePath(path).exists) (FS as unknown as Fs).unlink(path)
  }
}

interface Fs {
  writeFile(path: string, bytes: Uint8Array): void
  readFile(path: string): Uint8Array
  unlink(path: string): void
  analyzePath(path: string): { readonly exists: boolean }
}

/** A file of `size` bytes may hold so many elements in all; what was left out or packed takes few of its bytes. */
const mostIn = (size: number) => size + 2 ** 24

/** All datasets of floats below a group; links out of the file are left alone. */
function datasetsIn(operation: string, h5: typeof import('h5wasm'), root: Group, size: number): Map<string, Weights> {
  const weights = new Map<string, Weights>()
  const open: { group: Group; path: string }[] = [{ group: root, path: '' }]
  let [entries, elements] = [0, 0]
  for (const { group, path } of open)
    for (const key of group.keys()) {
      if (entries++ > mostEntries || path.length > 4096)
        fail(operation, `the HDF5 data has more than ${mostEntries} entries`, 'Get the file again')
      const entity = group.get(key)
      const at = path === '' ? key : `${path}/${key}`
      if (entity instanceof h5.Group) open.push({ group: entity, path: at })
      if (!(entity instanceof h5.Dataset)) continue
      const { shape } = entity
      elements += sizeOf(shape ?? [Infinity])
      if (!shape || elements > mostIn(size))
        fail(operation, `with weight '${at}' the file of ${size} bytes has too many elements`, 'Get the file again')
      const { value } = entity
      if (ArrayBuffer.isView(value)) weights.set(at, { shape, data: Float32Array.from(value as Float32Array, Number) })
      else if (typeof value === 'number') weights.set(at, { shape, data: Float32Array.of(value) })
    }
  return weights
}

export function readHdf5(operation: string, bytes: Uint8Array): Promise<Hdf5> {
  return withFile(operation, (h5, path, fs) => {
    fs.writeFile(path, bytes)
    const file = new h5.File(path, 'r')
    try {
      const texts = new Map<string, string>()
      for (const [name, attribute] of Object.entries(file.attrs)) {
        const { value } = attribute
        if (typeof value === 'string') texts.set(name, value)
      }
      return { weights: datasetsIn(operation, h5, file, bytes.length), texts }
    } finally {
      file.close()
    }
  })
}

/** The bytes of a file that holds datasets by their paths. */
export function writeHdf5(
  operation: string,
  datasets: Iterable<readonly [path: string, weights: Weights]>,
): Promise<Uint8Array> {
  return withFile(operation, (h5, path, fs) => {
    const file = new h5.File(path, 'w')
    const groups = new Map<string, Group>([['', file]])
    const groupAt = (parts: readonly string[]): Group => {
      const key = parts.join('/')
      const known = groups.get(key)
      if (known) return known
      const made = groupAt(parts.slice(0, -1)).create_group(parts.at(-1)!)
      groups.set(key, made)
      return made
    }
    for (const [name, { shape, data }] of datasets) {
      const parts = name.split('/')
      groupAt(parts.slice(0, -1)).create_dataset({ name: parts.at(-1)!, data, shape: [...shape], dtype: '<f4' })
    }
    file.close()
    return fs.readFile(path)
  })
}
