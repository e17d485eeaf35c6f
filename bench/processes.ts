import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import type { Answers, Names, Request } from './contender.ts'

/** Node 20 has relaxed SIMD behind a flag, later versions have it on; asked for everybody, peers use it too. */
const relaxedSimd = '--experimental-wasm-relaxed-simd'

const knowsFlag = () => spawnSync(process.execPath, [relaxedSimd, '-e', '0']).status === 0

export interface Process {
  readonly name: Names
  /** Fails, and ends the process, when there is no answer after `limit` ms. */
  ask<K extends Request['kind']>(request: Request & { kind: K }, limit?: number): Promise<Answers[K]>
  end(): void
}

export interface Starter {
  start(name: Names): Process
  /** Libraries whose number of threads is fixed when they start. */
  readonly fixed: readonly Names[]
  /** Libraries that run on one thread whatever they are asked. */
  readonly alwaysOne: readonly Names[]
  endAll(): void
  close(): Promise<void>
}

export interface StartOptions {
  /** Whether the engine may use relaxed SIMD where it is behind a flag. */
  readonly relaxed: boolean
  readonly precision: string
}

/** Starts processes of contenders; one that died is started anew by the next request. */
export function processStarter({ relaxed, precision }: StartOptions): Starter {
  const execArgv = relaxed && process.versions.node.startsWith('20.') && knowsFlag() ? [relaxedSimd] : []
  const all = new Set<ChildProcess>()
  const env = { ...process.env, FOVEA_BENCH_PRECISION: precision }

  function start(name: Names): Process {
    let child: ChildProcess | undefined
    const running = () => {
      if (child) return child
      const stdio: ('ignore' | 'pipe' | 'ipc')[] = ['ignore', 'ignore', 'pipe', 'ipc']
      const made = fork(new URL('./child.js', import.meta.url), [name], {
        execArgv,
        env,
        stdio,
        serialization: 'advanced',
      })
      all.add(made)
      made.once('exit', () => {
        all.delete(made)
        if (child === made) child = undefined
      })
      child = made
      return made
    }
    return {
      name,
      ask: (request, limit = 600_000) =>
        new Promise((resolve, reject) => {
          const process = running()
          let said = ''
          const hear = (chunk: Buffer) => {
            said = (said + chunk).slice(-400)
          }
          const settle = (act: () => void) => {
            clearTimeout(timer)
            process.off('message', receive).off('exit', died)
            process.stderr?.off('data', hear)
            act()
          }
          const receive = (message: unknown) => {
            const { failed, value } = message as { failed?: string; value: never }
            settle(() => (failed === undefined ? resolve(value) : reject(new Error(failed))))
          }
          const died = (code: number | null, signal: string | null) =>
            settle(() => reject(new Error(`its process ended (${signal ?? code}) ${said.trim().split('\n').at(-1)}`)))
          const timer = setTimeout(() => {
            settle(() => reject(new Error(`no answer in ${limit / 1000} s`)))
            process.kill('SIGKILL')
            if (child === process) child = undefined
          }, limit)
          process.on('message', receive).once('exit', died)
          process.stderr?.on('data', hear)
          process.send(request)
        }),
      end() {
        child?.kill()
        child = undefined
      },
    }
  }
  const endAll = () => {
    for (const child of all) child.kill()
  }
  return {
    start,
    fixed: ['onnxruntime-web'],
    alwaysOne: ['tfjs-wasm', 'tfjs-cpu', 'jax-js'],
    endAll,
    close: async () => endAll(),
  }
}
