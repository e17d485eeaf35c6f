// The libraries that are compared, each in a process of its own, so that one that falls doesn't take others with it.
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { sizeOf } from '../../src/base/shape.ts'
import { type Answer, type Case, operandsOf, type Quantity, quantitiesOf } from './cases.ts'
import { resultShape } from './judge.ts'

export interface Library {
  readonly name: string
  readonly version: string
  answers(cases: readonly Case[], told: (item: Case) => void): Promise<Answer[]>
}

const root = new URL('../../../../', import.meta.url).pathname

const versionOf = (packageName: string): string =>
  (JSON.parse(readFileSync(`${root}bench/node_modules/${packageName}/package.json`, 'utf8')) as { version: string })
    .version

/** Longest time for one case. */
const limit = 60_000

const all = (item: Case, missing: string): Answer =>
  Object.fromEntries(quantitiesOf(item).map((name) => [name, { missing }]))

function ask(child: ChildProcess, item: Case): Promise<Answer> {
  return new Promise((resolve) => {
    const settle = (answer: Answer) => {
      clearTimeout(timer)
      child.off('message', receive).off('exit', died)
      resolve(answer)
    }
    const receive = (message: unknown) => {
      const { answer, failed } = message as { answer?: Answer; failed?: string }
      settle(answer ?? all(item, failed!))
    }
    const died = (code: number | null, signal: string | null) =>
      settle(all(item, `its process ended (${signal ?? code})`))
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      settle(all(item, `no answer in ${limit / 1000} s`))
    }, limit)
    child.on('message', receive).once('exit', died)
    child.send(item)
  })
}

function inNode(name: string, version: string): Library {
  return {
    name,
    version,
    async answers(cases, told) {
      let child: ChildProcess | undefined
      const answers: Answer[] = []
      for (const item of cases) {
        if (!child || child.exitCode !== null || child.killed)
          child = fork(new URL('./child.js', import.meta.url), [name], {
            stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
            serialization: 'advanced',
          })
        answers.push(await ask(child, item))
        told(item)
      }
      child?.kill()
      return answers
    },
  }
}

/** The first Python here that has PyTorch (Debian's package is seen by the system's own only). */
function pytorch(): Library | undefined {
  const say = ['-c', 'import torch; print(torch.__version__)']
  const found = ['python3', '/usr/bin/python3']
    .map((path) => ({ path, ...spawnSync(path, say, { encoding: 'utf8' }) }))
    .find(({ status }) => status === 0)
  if (!found) return undefined
  const encoded = (values: Float32Array, shape: readonly number[]) => ({
    shape,
    base64: Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64'),
  })
  return {
    name: 'PyTorch',
    version: found.stdout.trim(),
    async answers(cases) {
      const jobs = cases.map((item) => {
        const { x, w, g, h } = operandsOf(item)
        const shape = resultShape(item)
        const kernel = 'w' in item ? { w: encoded(w, item.w) } : {}
        const given = { x: encoded(x, item.x), g: encoded(g(sizeOf(shape)), shape), h: encoded(h, item.x), ...kernel }
        return { case: item, quantities: quantitiesOf(item), ...given }
      })
      const script = `${root}bench/compare/torch_cases.py`
      const done = spawnSync(found.path, [script], {
        input: JSON.stringify(jobs),
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
      })
      if (done.status !== 0) throw new Error(`python: ${done.stderr.trim().split('\n').at(-1)}`)
      type Part = { missing: string } | { base64: string }
      const list = JSON.parse(done.stdout) as Partial<Record<Quantity, Part>>[]
      return list.map((answer): Answer => {
        const parts = Object.entries(answer).map(([name, part]) => {
          if ('missing' in part) return [name, part] as const
          const bytes = Uint8Array.from(Buffer.from(part.base64, 'base64'))
          return [name, { values: new Float32Array(bytes.buffer) }] as const
        })
        return Object.fromEntries(parts)
      })
    },
  }
}

/** Those that are here. */
export function libraries(): Library[] {
  const fovea = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string }
  const torch = pytorch()
  return [
    inNode('fovea', fovea.version),
    inNode('tfjs cpu', versionOf('@tensorflow/tfjs')),
    inNode('tfjs wasm', versionOf('@tensorflow/tfjs-backend-wasm')),
    inNode('jax-js', versionOf('@jax-js/jax')),
    inNode('onnxruntime-web', versionOf('onnxruntime-web')),
    ...(torch ? [torch] : []),
  ]
}
