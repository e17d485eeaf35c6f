import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { hashBits } from '../../src/base/random.ts'
import { encodePng } from '../../src/data/png.ts'

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Sends Ctrl-C as soon as this has been printed. */
  readonly interruptAt?: string
}

export interface Bench {
  /** An empty folder, in which commands run. */
  readonly folder: string
  fovea(args: readonly string[], options?: RunOptions): Promise<Outcome>
}

/** The built command, made for one test file of the sources as they are, and a folder to run it in. */
export function commandBench(): Bench {
  // inside the project, where packages and its own name are found
  const build = `runs/test-command-${process.pid}`
  const folder = mkdtempSync(join(tmpdir(), 'fovea-command-'))
  beforeAll(() => {
    const tsc = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--noCheck', '--outDir', build]
    const { status, stdout } = spawnSync(process.execPath, tsc, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`the command can't be built:\n${stdout}`)
  })
  afterAll(() => {
    rmSync(build, { recursive: true, force: true })
    rmSync(folder, { recursive: true, force: true })
  })
  const main = join(process.cwd(), build, 'cli/main.js')
  const fovea: Bench['fovea'] = (args, { env = {}, interruptAt } = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [main, ...args], { cwd: folder, env: { ...process.env, ...env } })
      let [stdout, stderr, interrupted] = ['', '', false]
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text
        if (interrupted || interruptAt === undefined || !stdout.includes(interruptAt)) return
        interrupted = true
        child.kill('SIGINT')
      })
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text
      })
      child.on('error', reject)
      child.on('close', (code) => resolve({ code, stdout, stderr }))
    })
  return { folder, fovea }
}

export const classNames = ['left', 'middle', 'right']

/** A PNG of 28x28 with a bright bar in one third, on noise. */
export function barPng(third: number, seed: number, invert = false): Uint8Array {
  const data = Uint8Array.from({ length: 28 * 28 }, (_, i) => {
    const column = Math.floor(((i % 28) - 2) / 8)
    const noise = hashBits(i, seed) & 63
    const value = column === third ? 255 - noise : noise
    return invert ? 255 - value : value
  })
  return encodePng({ width: 28, height: 28, channels: 1, data })
}

/** A folder of class folders. */
export function writeBars(folder: string, perClass: number): void {
  for (const [third, name] of classNames.entries()) {
    mkdirSync(join(folder, name), { recursive: true })
    for (let i = 0; i < perClass; i++) writeFileSync(join(folder, name, `${i}.png`), barPng(third, 1000 * third + i))
  }
}
