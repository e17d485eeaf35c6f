import { type Signal, signal } from '@preact/signals'
import type { Chosen, Facts, FromWorker, Settings, State, ToWorker, TrainFrame } from './protocol.ts'

/** What the page knows of the training in its worker. */
export interface Client {
  /** undefined until a training stands ready. */
  readonly facts: Signal<Facts | undefined>
  readonly frame: Signal<TrainFrame | undefined>
  readonly state: Signal<State>
  readonly problem: Signal<string | undefined>
  /** What was asked for isn't shown yet. */
  readonly waiting: Signal<boolean>
  /** Loss of every step so far, also of those beyond the step that is shown. */
  readonly losses: Signal<readonly number[]>
  readonly accuracies: Signal<ReadonlyMap<number, number>>
  start(settings: Settings): void
  run(): void
  pause(): void
  step(count: number): void
  seek(step: number): void
  choose(chosen: Chosen): void
  /** The model's file. */
  save(): Promise<ArrayBuffer>
}

/** Milliseconds from one frame to the next while it trains. */
const frameTime = 80

async function fetched(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`the digits can't be loaded (${response.status}): load the page again`)
  return response.arrayBuffer()
}

/** @param digits address of the file of digits, fetched when it is first needed */
export function client(worker: Worker, digits: string): Client {
  const facts = signal<Facts | undefined>(undefined)
  const frame = signal<TrainFrame | undefined>(undefined)
  const state = signal<State>('idle')
  const problem = signal<string | undefined>(undefined)
  const waiting = signal(true)
  const losses = signal<readonly number[]>([])
  const accuracies = signal<ReadonlyMap<number, number>>(new Map())
  let chosen: Chosen = { heldOut: 0 }
  /** A frame is asked for; another one is wanted after it. */
  let [asked, wanted] = [false, false]
  let sentDigits = false
  /** Counts beginnings: what an earlier one still fetches isn't sent. */
  let beginning = 0
  let saved: ((bytes: ArrayBuffer) => void) | undefined
  const send = (message: ToWorker, transfer: Transferable[] = []) => worker.postMessage(message, transfer)
  function ask(): void {
    if (!facts.value) return
    wanted = asked
    if (asked) return
    asked = true
    send({ kind: 'frame', chosen, lossesFrom: losses.value.length })
  }
  function take(next: TrainFrame): void {
    const { from, values } = next.losses
    if (from === losses.value.length && values.length > 0) losses.value = [...losses.value, ...values]
    if (next.accuracies.some(([step]) => !accuracies.value.has(step)))
      accuracies.value = new Map([...accuracies.value, ...next.accuracies])
    frame.value = next
    state.value = next.state
  }
  worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
    if (data.kind === 'facts') {
      facts.value = data.facts
      ask()
    } else if (data.kind === 'error') {
      problem.value = data.message
      asked = false
      if (facts.value) ask()
      else waiting.value = false
    } else if (data.kind === 'saved') saved?.(data.bytes)
    else if (!facts.value) return
    else if (data.kind === 'state') {
      state.value = data.state
      ask()
    } else {
      asked = false
      take(data.frame)
      waiting.value = wanted
      if (wanted) ask()
      else if (data.frame.state === 'running') setTimeout(() => requestAnimationFrame(ask), frameTime)
    }
  })
  worker.addEventListener('error', (event) => {
    waiting.value = false
    problem.value = `The worker failed: ${event.message || 'it could not be loaded'}. Load the page again.`
  })
  async function start(settings: Settings): Promise<void> {
    const own = ++beginning
    facts.value = undefined
    frame.value = undefined
    problem.value = undefined
    waiting.value = true
    state.value = 'idle'
    losses.value = []
    accuracies.value = new Map()
    ;[asked, wanted] = [false, false]
    try {
      const file = settings.data === 'digits' && !sentDigits ? await fetched(digits) : undefined
      if (own !== beginning) return
      sentDigits ||= file !== undefined
      send({ kind: 'start', settings, ...(file ? { digits: file } : {}) }, file ? [file] : [])
    } catch (error) {
      problem.value = error instanceof Error ? error.message : String(error)
      waiting.value = false
    }
  }
  return {
    facts,
    frame,
    state,
    problem,
    waiting,
    losses,
    accuracies,
    start: (settings) => void start(settings),
    run: () => send({ kind: 'run' }),
    pause: () => send({ kind: 'pause' }),
    step(count) {
      waiting.value = true
      send({ kind: 'step', count })
    },
    seek(step) {
      waiting.value = true
      send({ kind: 'seek', step })
    },
    choose(next) {
      chosen = next
      waiting.value = true
      ask()
    },
    save: () =>
      new Promise((resolve) => {
        saved = resolve
        send({ kind: 'save' })
      }),
  }
}
