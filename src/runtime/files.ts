import { fail } from '../base/errors.ts'

/** Node's file functions, fetched so that bundlers for the page see no import; an error on a page. */
function files(operation: string) {
  const load = globalThis.process?.getBuiltinModule
  if (!load) fail(operation, 'there are no files on a page', 'Fetch the bytes, or offer them as a download')
  return load('node:fs/promises')
}

/** The bytes of a file. On a page: an error. */
export async function readFile(path: string): Promise<Uint8Array> {
  return files('readFile').readFile(path)
}

/** Writes a file beside `path` and renames it, so that `path` is never half written. On a page: an error. */
export async function writeFileAtomic(path: string, bytes: Uint8Array): Promise<void> {
  const { open, rename, rm } = files('writeFile')
  const beside = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}.tmp`
  try {
    const handle = await open(beside, 'wx')
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
}
