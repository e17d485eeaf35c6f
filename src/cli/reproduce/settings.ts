import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Terminal } from '../terminal.ts'

/** What a system's reproduction was asked for. */
export interface Settings {
  /** Small enough to finish in 20 seconds. */
  readonly quick: boolean
  /** Holds the data sets, if one was given. */
  readonly data: string | undefined
  /** Where progress is told: `note` for people, `progress` for training. */
  readonly terminal: Terminal
}

/**
 * A data set that isn't part of fovea: the first of `names` that there is in the folder that was given, or that
 * FOVEA_DATA names. Where there is none it tells what is skipped and how to get it, and returns undefined.
 */
export function dataFolder(
  { data, terminal }: Settings,
  names: string | readonly string[],
  origin: string,
): string | undefined {
  const root = data ?? process.env.FOVEA_DATA
  const places = root ? [names].flat().map((name) => join(root, name)) : []
  const found = places.find(existsSync)
  if (found) return found
  const name = [names].flat().join(' or ')
  const why = root ? `there is no ${name} in ${root}` : 'neither --data nor FOVEA_DATA names a folder'
  terminal.note(`skipped: what is measured on ${name}, because ${why}. ${origin}`)
  return undefined
}
