/**
 * What each thread does, the calling one included. These two functions are also sent to workers as text, so they may
 * use nothing but their parameters and the engine's own globals.
 */

/** A kernel function: (byte address of each buffer, begin, end). */
export type KernelFunction = (...numbers: number[]) => void

/** One kernel to run: its number in the module, its addresses and its points. */
export interface KernelRun {
  readonly kernel: number
  readonly addresses: readonly number[]
  /** Bytes from one thread's copy of a buffer to the next's, where each thread has its own. */
  readonly copies?: readonly number[]
  /** The first point, and how many. */
  readonly first: number
  readonly points: number
}

/** What threads share: the points of a single run, or chunks of runs that each belong to one thread. */
export interface ThreadCall {
  readonly chunks: readonly (readonly KernelRun[])[]
  /** How many pieces points or chunks are cut in; 1 = thread 0 runs it alone. */
  readonly pieces: number
  /** Threads from this number on have no scratch to take part with. */
  readonly threads: number
}

/**
 * Words that all threads look at. `generation` is odd while list and run are being written, and grows with every run:
 * that is what workers wait for.
 */
export const control = { generation: 0, list: 1, run: 2, failed: 3, words: 4 } as const

/**
 * Runs a list of calls together with whichever other threads are there. Each call's points are cut in pieces that
 * threads claim one by one; a call begins when all pieces of the one before are finished. A thread that comes late, or
 * not at all, is not waited for: the others claim its share.
 * @param counters two words a call, never reset: pieces claimed and pieces finished in all runs so far
 * @param run how often this list has run before; what older runs left can't be mistaken for this one's
 * @returns the first error of this thread, after which it only claims pieces
 */
export function participate(
  counters: Int32Array,
  run: number,
  thread: number,
  calls: readonly ThreadCall[],
  kernels: readonly KernelFunction[],
): unknown {
  let failure: unknown
  for (let i = 0; i < calls.length; i++) {
    const { chunks, pieces, threads } = calls[i]!
    const before = run * pieces
    const last = before + pieces
    const mine = thread === 0 || (pieces > 1 && thread < threads)
    for (let claimed = Atomics.load(counters, 2 * i); mine && claimed < last; ) {
      const seen = Atomics.compareExchange(counters, 2 * i, claimed, claimed + 1)
      if (seen !== claimed) {
        claimed = seen
        continue
      }
      const piece = claimed - before
      try {
        // many chunks are shared as wholes, one by its points
        const whole = chunks.length > 1 ? chunks.length : 1
        const from = whole > 1 ? Math.floor((whole * piece) / pieces) : 0
        const to = whole > 1 ? Math.floor((whole * (piece + 1)) / pieces) : 1
        for (let c = from; c < to && failure === undefined; c++)
          for (const { kernel, addresses, copies, first, points } of chunks[c]!) {
            const begin = whole > 1 ? first : first + Math.floor((points * piece) / pieces)
            const end = whole > 1 ? first + points : first + Math.floor((points * (piece + 1)) / pieces)
            const here = copies ? addresses.map((address, i) => address + copies[i]! * thread) : addresses
            if (begin < end) kernels[kernel]!(...here, begin, end)
          }
      } catch (error) {
        failure = error ?? 'unknown'
      }
      if (Atomics.add(counters, 2 * i + 1, 1) + 1 === last) Atomics.notify(counters, 2 * i + 1)
      claimed = Atomics.load(counters, 2 * i)
    }
    for (let spin = 0; ; spin++) {
      const finished = Atomics.load(counters, 2 * i + 1)
      if (finished >= last) break
      if (spin > 50_000) Atomics.wait(counters, 2 * i + 1, finished, 5)
    }
  }
  return failure
}

/** What the calling thread tells a worker. */
export type Message =
  | {
      readonly kind: 'start'
      readonly memory: WebAssembly.Memory
      readonly words: Int32Array
      readonly thread: number
      /** Whether thread 0 says when a run is done. */
      readonly reports: boolean
    }
  | {
      readonly kind: 'list'
      readonly id: number
      readonly module: WebAssembly.Module
      readonly calls: readonly ThreadCall[]
      readonly counters: Int32Array
    }
  | { readonly kind: 'drop'; readonly id: number }
  | { readonly kind: 'work'; readonly generation: number }

/**
 * The whole of a worker: it waits for the control block's generation to change and runs the list named there; a
 * negative list sends it back to its messages.
 */
export function workerMain(
  together: typeof participate,
  listen: (receive: (message: Message) => void) => void,
  send: (message: string) => void,
): void {
  let words: Int32Array = new Int32Array(0)
  let thread = 0
  let reports = false
  let memory: WebAssembly.Memory | undefined
  const lists = new Map<number, { calls: readonly ThreadCall[]; kernels: KernelFunction[]; counters: Int32Array }>()
  /** The last generation that this worker is done with. */
  let seen = 0
  const work = () => {
    for (;;) {
      for (let spin = 0; spin < 50_000 && Atomics.load(words, 0) === seen; spin++);
      while (Atomics.load(words, 0) === seen) Atomics.wait(words, 0, seen)
      const generation = Atomics.load(words, 0)
      if (generation % 2 !== 0) continue
      const id = Atomics.load(words, 1)
      const run = Atomics.load(words, 2)
      // what was read belongs together only if nothing has changed meanwhile
      if (Atomics.load(words, 0) !== generation) continue
      const list = lists.get(id)
      if (id < 0) seen = generation
      // a list that isn't known yet is among the messages that wait
      if (!list) return
      seen = generation
      const failure = together(list.counters, run, thread, list.calls, list.kernels)
      if (failure !== undefined) {
        Atomics.store(words, 3, 1)
        send(`failed: ${failure}`)
      } else if (reports && thread === 0) send('done')
    }
  }
  const kernelsOf = (module: WebAssembly.Module) => {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: memory! } })
    return WebAssembly.Module.exports(module).map(({ name }) => exports[name] as KernelFunction)
  }
  listen((message) => {
    if (message.kind === 'start') {
      memory = message.memory
      words = message.words
      thread = message.thread
      reports = message.reports
    } else if (message.kind === 'list') {
      const { id, calls, counters } = message
      lists.set(id, { calls, kernels: kernelsOf(message.module), counters })
    } else if (message.kind === 'drop') lists.delete(message.id)
    else {
      seen = Math.max(seen, message.generation)
      work()
    }
  })
}
