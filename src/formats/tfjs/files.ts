// Where a tfjs model comes from: `model.json` and the files of weights beside it.
import { fail } from '../../base/errors.ts'

/** Files by the names that the model gives them, with 'model.json' among them: what a page's file dialog gives. */
export type TfjsFiles = Readonly<Record<string, Uint8Array>>
/** A path (Node only) or http(s) address of `model.json`, or the files themselves. */
export type TfjsSource = string | URL | TfjsFiles

/** Progress and end of loading a tfjs model. */
export interface LoadTfjsOptions {
  /** Told, as files of weights come in, how many bytes are here of how many in all. */
  readonly onProgress?: (loaded: number, total: number) => void
  /** Ends it: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Gives the bytes of `model.json`, or of a file beside it, which may not be larger than `most` bytes. */
export interface Folder {
  model(): Promise<Uint8Array>
  file(name: string, most: number, received: (bytes: number) => void): Promise<Uint8Array>
}

/** Longest `model.json`, bytes: the graphs of the largest networks take a few megabytes. */
const longestModel = 256 * 2 ** 20

const operation = 'loadTfjs'

/** A name that can only mean a file inside the model's folder. */
function checkName(name: string): void {
  const parts = name.split(/[/\\]/)
  const odd = name === '' || /[\0?#%]|^[/\\]|^[A-Za-z][A-Za-z\d+.-]*:/.test(name)
  if (odd || parts.includes('..'))
    fail(operation, `the file of weights '${name}' isn't inside the model's folder`, 'Put it beside model.json')
}

/** What the body of an answer holds; stops as soon as it's more than allowed. */
async function received(url: URL, response: Response, most: number, count: (bytes: number) => void) {
  if (!response.ok || !response.body)
    return fail(operation, `${url.href} answers ${response.status} ${response.statusText}`, 'Check the address')
  const reader = response.body.getReader()
  const parts: Uint8Array[] = []
  let total = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    total += value.length
    if (total > most) {
      await reader.cancel()
      fail(operation, `${url.href} is longer than the ${most} bytes that the model says`, 'Check the address')
    }
    parts.push(value)
    count(value.length)
  }
  return joined(parts)
}

/** All parts, one after another. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Fetched; the query of the model's address is that of the others, too. */
function fromUrl(model: URL, signal: AbortSignal | undefined): Folder {
  const get = async (url: URL, most: number, count: (bytes: number) => void) =>
    received(url, await fetch(url, { signal }), most, count)
  return {
    model: () => get(model, longestModel, () => {}),
    file(name, most, count) {
      checkName(name)
      const url = new URL(name.split('/').map(encodeURIComponent).join('/'), model)
      url.search = model.search
      return get(url, most, count)
    },
  }
}

/** Read from disk; links that lead out of the folder are refused. */
function fromDisk(path: string, signal: AbortSignal | undefined): Folder {
  const load = globalThis.process?.getBuiltinModule
  if (!load) return fail(operation, `there are no files on a page: '${path}'`, 'Give an address, or the files')
  const { readFile, realpath, stat } = load('node:fs/promises')
  const { dirname, resolve, sep } = load('node:path')
  const read = async (file: string, most: number) => {
    const { size } = await stat(file)
    if (size > most) fail(operation, `${file} has ${size} bytes, the model says ${most}`, 'Copy it again')
    return readFile(file, { signal })
  }
  return {
    model: () => read(path, longestModel),
    async file(name, most, count) {
      checkName(name)
      const folder = await realpath(dirname(resolve(path)))
      const real = await realpath(resolve(folder, name)).catch(() => undefined)
      if (!real) return fail(operation, `the file of weights '${name}' is missing`, 'Put it beside model.json')
      if (!real.startsWith(folder + sep))
        fail(operation, `the file of weights '${name}' leads out of the model's folder`, 'Put it beside model.json')
      const bytes = await read(real, most)
      count(bytes.length)
      return bytes
    },
  }
}

function fromFiles(files: TfjsFiles): Folder {
  const get = (name: string) =>
    Object.hasOwn(files, name) ? files[name] : fail(operation, `the file '${name}' is missing`, 'Give it, too')
  return {
    model: async () => get('model.json'),
    async file(name, most, count) {
      checkName(name)
      const bytes = get(name)
      if (bytes.length > most)
        fail(operation, `'${name}' has ${bytes.length} bytes, the model says ${most}`, 'Copy it again')
      count(bytes.length)
      return bytes
    },
  }
}

export function folderOf(source: TfjsSource, signal: AbortSignal | undefined): Folder {
  if (source instanceof URL) return fromUrl(source, signal)
  if (typeof source !== 'string') return fromFiles(source)
  if (/^https?:/.test(source)) return fromUrl(new URL(source), signal)
  // on a page a path means an address beside the page
  return globalThis.document ? fromUrl(new URL(source, document.baseURI), signal) : fromDisk(source, signal)
}
