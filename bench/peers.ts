/** Where the files of a page's own server lie; set by page.ts, undefined in Node. */
const served = () => (globalThis as { fovea?: { readonly peers: string } }).fovea?.peers

/** A peer's module: its package in Node, in a page what the server has of it. Typed by who asks, for it may be missing. */
export async function loadPeer(name: string): Promise<unknown> {
  const from = served()
  if (from === undefined) return import(name)
  return import(
    /* @vite-ignore */ `${from}${name === 'onnxruntime-web' ? 'ort/ort.wasm.min.mjs' : `${plain(name)}.js`}`
  )
}

/** The folder of tfjs's WebAssembly files. */
export async function tfjsWasmFolder(): Promise<string> {
  const from = served()
  if (from !== undefined) return `${from}tfjs-wasm/`
  const [{ createRequire }, { dirname }] = await Promise.all([import('node:module'), import('node:path')])
  return `${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`
}

export const inPage = (): boolean => served() !== undefined

/** A package's name as a file's. */
export const plain = (name: string): string => name.replace('@', '').replace('/', '-')

/** A model's bytes, unpacked; in a page its server has unpacked them. */
export async function readModel(path: string): Promise<Uint8Array> {
  if (inPage()) return new Uint8Array(await (await fetch(path)).arrayBuffer())
  const { unpackedModel } = await import('./network-files.ts')
  return unpackedModel(path)
}
