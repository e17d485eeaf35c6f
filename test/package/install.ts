import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = new URL('../..', import.meta.url).pathname

/** Runs a command; its output is returned, and is part of the error if it fails. */
export function run(folder: string, command: string, ...words: string[]): string {
  try {
    return execFileSync(command, words, { cwd: folder, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    const { message, stdout } = error as { message: string; stdout: string | null }
    throw new Error(`${message}\n${stdout ?? ''}`)
  }
}

/** TypeScript of this project, run in another folder. */
export const tsc = (folder: string, ...words: string[]): string =>
  run(folder, process.execPath, join(root, 'node_modules/typescript/bin/tsc'), ...words)

/** An empty project elsewhere with the packed tarball installed, and the files of `consumer`. */
export function installed() {
  const folder = mkdtempSync(join(tmpdir(), 'fovea-package-'))
  const [{ filename, files }] = JSON.parse(
    run(root, 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', folder),
  ) as [{ filename: string; files: { path: string; size: number }[] }]
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  run(folder, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', `./${filename}`)
  cpSync(new URL('./consumer', import.meta.url), folder, { recursive: true })
  return { folder, files, remove: () => rmSync(folder, { recursive: true }) }
}
