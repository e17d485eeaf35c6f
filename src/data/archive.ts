import { parseTar } from 'nanotar'
import { fail } from '../base/errors.ts'
import { inflate } from './inflate.ts'

/** No archive may decompress to more than this many bytes. */
const mostBytes = 2 ** 30

/** The files in a .tar.gz by their names, all in memory; `what` names it in errors. */
export async function filesInTarGz(bytes: Uint8Array, what: string): Promise<Map<string, Uint8Array>> {
  const tar = await inflate('filesInTarGz', what, bytes, 'gzip', mostBytes)
  try {
    const files = parseTar(tar).filter(({ type }) => type === 'file')
    return new Map(files.map(({ name, data }) => [name, data ?? new Uint8Array()]))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return fail('filesInTarGz', `${what} is no tar archive that can be read (${reason})`, 'Fetch it again')
  }
}

/**
 * Where a data set lies: at the path given, else under the first of `names` that there is in the folder FOVEA_DATA.
 * Node only.
 */
export async function findData(
  operation: string,
  given: string | undefined,
  names: readonly string[],
  remedy: string,
): Promise<string> {
  const { existsSync } = await import('node:fs')
  const root = process.env.FOVEA_DATA
  const places = given !== undefined ? [given] : root ? names.map((name) => `${root}/${name}`) : []
  const found = places.find(existsSync)
  if (found !== undefined) return found
  const looked = places.length > 0 ? `there is no ${places.join(' or ')}` : 'no path is given and FOVEA_DATA is not set'
  return fail(operation, looked, `${remedy}; or set FOVEA_DATA to the folder that has ${names.join(' or ')}`)
}
