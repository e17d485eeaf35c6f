import type { Message } from './crew.ts'
import { participate, workerMain } from './crew.ts'

/** A thread that takes messages; it doesn't keep the process alive. */
export interface Thread {
  post(message: Message): void
  end(): void
}

/** What differs between Node and pages. */
export interface Platform {
  /** Threads that may run at once. */
  readonly cores: number
  /** Whether memory can be shared between threads. */
  readonly shares: boolean
  /** Whether the calling thread may wait, and so take part in the work; a page's main thread may not. */
  readonly mayWait: boolean
  startThread(receive: (message: string) => void, failed: (error: unknown) => void): Thread
}

interface NodeWorkers {
  Worker: new (
    source: string,
    options: object,
  ) => {
    on(event: string, listener: (value: unknown) => void): void
    postMessage(message: unknown): void
    unref(): void
    terminate(): unknown
  }
}

type BuiltIn = (name: string) => unknown

/** The text of a worker: both functions of crew.ts, and how it hears and speaks. */
const source = (listen: string, send: string) => `(${workerMain})(${participate}, ${listen}, ${send})`

function nodePlatform(builtIn: BuiltIn): Platform {
  const { Worker } = builtIn('node:worker_threads') as NodeWorkers
  const os = builtIn('node:os') as { availableParallelism(): number }
  const port = "require('node:worker_threads').parentPort"
  return {
    cores: os.availableParallelism(),
    shares: true,
    mayWait: true,
    startThread(receive, failed) {
      const text = source(`(receive) => ${port}.on('message', receive)`, `(message) => ${port}.postMessage(message)`)
      const worker = new Worker(text, { eval: true })
      worker.on('message', (message) => receive(message as string))
      worker.on('error', failed)
      worker.unref()
      return { post: (message) => worker.postMessage(message), end: () => void worker.terminate() }
    },
  }
}

function pagePlatform(): Platform {
  const isWindow = typeof document !== 'undefined'
  return {
    cores: Math.max(1, (globalThis.navigator?.hardwareConcurrency ?? 2) - (isWindow ? 1 : 0)),
    shares: globalThis.crossOriginIsolated === true && typeof Worker !== 'undefined',
    mayWait: !isWindow,
    startThread(receive, failed) {
      const text = source(
        '(receive) => { onmessage = (event) => receive(event.data) }',
        '(message) => postMessage(message)',
      )
      const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
      const worker = new Worker(url)
      worker.onmessage = (event) => receive(event.data as string)
      worker.onerror = (event) => failed(event.message)
      return {
        post: (message) => worker.postMessage(message),
        end() {
          worker.terminate()
          URL.revokeObjectURL(url)
        },
      }
    },
  }
}

let known: Platform | undefined

export function platform(): Platform {
  const { process } = globalThis as { process?: { getBuiltinModule?: BuiltIn; versions?: { node?: string } } }
  const builtIn = process?.versions?.node ? process.getBuiltinModule : undefined
  known ??= builtIn ? nodePlatform(builtIn) : pagePlatform()
  return known
}
