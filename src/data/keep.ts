// Files that a page keeps: in the browser's IndexedDB, or as a download.
import { fail } from '../base/errors.ts'

const database = 'fovea'
const store = 'files'

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

/** Runs `work` on the files, and waits until it is written. */
async function within<T>(mode: IDBTransactionMode, work: (files: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  if (!globalThis.indexedDB)
    fail('browser files', 'there is no IndexedDB here', 'In Node write a file: model.save(path)')
  const opening = indexedDB.open(database, 1)
  opening.onupgradeneeded = () => opening.result.createObjectStore(store)
  const open = await settled(opening)
  try {
    const transaction = open.transaction(store, mode)
    const written = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error)
    })
    const result = await settled(work(transaction.objectStore(store)))
    await written
    return result
  } finally {
    open.close()
  }
}

/** Keeps bytes in the browser (IndexedDB) under a name: `keepInBrowser('digits', model.toBytes())`. */
export async function keepInBrowser(name: string, bytes: Uint8Array): Promise<void> {
  await within('readwrite', (files) => files.put(bytes, name))
}

/** The bytes that `keepInBrowser` kept under a name; undefined if there are none. */
export async function keptInBrowser(name: string): Promise<Uint8Array | undefined> {
  return within('readonly', (files) => files.get(name) as IDBRequest<Uint8Array | undefined>)
}

/** Names of all that is kept, in order. */
export async function namesInBrowser(): Promise<string[]> {
  return (await within('readonly', (files) => files.getAllKeys())).map(String)
}

/** Forgets what is kept under a name. */
export async function forgetInBrowser(name: string): Promise<void> {
  await within('readwrite', (files) => files.delete(name))
}

/** Offers bytes as a download of a page: `download('digits.safetensors', model.toBytes())`. */
export function download(name: string, bytes: Uint8Array): void {
  if (!globalThis.document) fail('download', 'there is no page here', 'In Node write a file: model.save(path)')
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'application/octet-stream' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // the browser has taken hold of it by then
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
