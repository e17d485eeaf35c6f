import { control, type KernelFunction, type Message, participate, type ThreadCall } from './crew.ts'
import { platform, type Thread } from './platform.ts'

/** Calls that threads run together, over and over. */
export interface CallList {
  readonly module: WebAssembly.Module
  readonly calls: readonly ThreadCall[]
  /** The module's kernels in the calling thread. */
  readonly kernels: readonly KernelFunction[]
}

/** Threads that share one memory. */
export interface Pool {
  readonly threads: number
  /** Makes a list known to all threads; returns its number. */
  add(list: CallList): number
  /** Forgets a list. */
  drop(id: number): void
  /** Runs a list on all threads. */
  run(id: number): void | Promise<void>
  end(): void
}

const sharedInts = (length: number) => new Int32Array(new SharedArrayBuffer(4 * length))

export function createPool(memory: WebAssembly.Memory, threads: number): Pool {
  const { mayWait, startThread } = platform()
  const words = sharedInts(control.words)
  const lists = new Map<number, CallList & { counters: Int32Array; runs: number }>()
  /** Messages wait here until the next run: to listen, the workers must leave their loop. */
  const mail: Message[] = []
  let broken: unknown
  let waiting: { done: () => void; failed: (error: unknown) => void } | undefined
  let next = 0
  const receive = (message: string) => {
    if (message === 'done') waiting?.done()
    else {
      broken ??= message
      waiting?.failed(new Error(message))
    }
  }
  const failed = (error: unknown) => {
    broken = error
    waiting?.failed(error)
  }
  /** The calling thread is number 0 if it may wait; else a worker is. */
  const first = mayWait ? 1 : 0
  const workers: Thread[] = Array.from({ length: threads - first }, () => startThread(receive, failed))
  workers.forEach((worker, i) => {
    worker.post({ kind: 'start', memory, words, thread: i + first, reports: !mayWait })
    worker.post({ kind: 'work', generation: 0 })
  })

  /** Names the list that workers shall run next; a negative one sends them to their messages. */
  function announce(id: number, run: number): number {
    Atomics.add(words, control.generation, 1)
    Atomics.store(words, control.list, id)
    Atomics.store(words, control.run, run)
    const generation = Atomics.add(words, control.generation, 1) + 1
    Atomics.notify(words, control.generation)
    return generation
  }

  function deliver(): void {
    if (mail.length === 0) return
    const generation = announce(-1, 0)
    for (const worker of workers) {
      for (const message of mail) worker.post(message)
      worker.post({ kind: 'work', generation })
    }
    mail.length = 0
  }

  return {
    threads,
    add(list) {
      const id = next++
      const counters = sharedInts(2 * list.calls.length)
      lists.set(id, { ...list, counters, runs: 0 })
      mail.push({ kind: 'list', id, module: list.module, calls: list.calls, counters })
      return id
    },
    drop(id) {
      if (lists.delete(id)) mail.push({ kind: 'drop', id })
    },
    run(id) {
      if (broken) throw new Error(`fovea: a thread failed before (${broken}); call setThreads to start anew`)
      deliver()
      const list = lists.get(id)!
      const run = list.runs++
      if (!mayWait) {
        const result = new Promise<void>((done, reject) => {
          waiting = { done, failed: reject }
        })
        announce(id, run)
        return result
      }
      announce(id, run)
      const failure = participate(list.counters, run, 0, list.calls, list.kernels)
      if (failure !== undefined) throw failure
      if (Atomics.load(words, control.failed) !== 0) throw new Error('fovea: a kernel failed on another thread')
    },
    end() {
      for (const worker of workers) worker.end()
    },
  }
}
