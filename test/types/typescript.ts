// Runs TypeScript's compiler on texts, as an editor would on a user's file.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = new URL('../..', import.meta.url).pathname
/** Where a text finds `fovea/nn`. */
export const library = '../../../src/nn/index.ts'

export interface Diagnostic {
  /** From 1. */
  readonly line: number
  readonly column: number
  readonly message: string
}

/** The errors that tsc has about a text, and how many types it instantiated: a measure of its work that is exact. */
export function check(text: string): { errors: Diagnostic[]; instantiations: number } {
  // inside the project, so that the compiler finds its packages
  const folder = mkdtempSync(join(root, 'test/types/tmp-'))
  try {
    writeFileSync(join(folder, 'text.ts'), text)
    const config = { extends: `${root}tsconfig.json`, include: ['text.ts'], exclude: [] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const arguments_ = ['node_modules/typescript/bin/tsc', '-p', folder, '--extendedDiagnostics', '--singleThreaded']
    const { stdout } = spawnSync(process.execPath, arguments_, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 })
    const errors = [...stdout.matchAll(/^.*text\.ts\((\d+),(\d+)\): error TS\d+: (.*)$/gm)].map(
      ([, line, column, message]) => ({ line: Number(line), column: Number(column), message }),
    )
    return { errors, instantiations: Number(/^Instantiations:\s+(\d+)$/m.exec(stdout)?.[1]) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
