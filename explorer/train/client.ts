import { batch, type Signal, signal } from '@preact/signals'
import type { Chosen, Facts, FromWorker, Settings, State, ToWorker, TrainFrame } from './protocol.ts'

/** What is shown of a training at one moment. */
export interface Shown {
  readonly facts: Facts
  readonly frame: TrainFrame
  /** Loss of every step so far, also of those beyond the step that is shown. */
  readonly losses: readonly number[]
  readonly accuracies: ReadonlyMap<number, number>
}

/** What the page knows of the training in its worker. */
export interface Client {
  /** The last moment that came; that of an earlier training stays until the next one stands ready. */
  readonly shown: Signal<Shown | undefined>
  readonly state: Signal<State>
  readonly problem: Signal<string | undefined>
  /** What was asked for isn't shown yet. */
  readonly waiting: Signal<boolean>
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
  if (!response.ok) throw new Error(`no digits (${response.status}): load the page again`)
  return response.arrayBuffer()
}

/** @param digits address of the file of digits, fetched when it is first needed */
export function client(worker: Worker, digits: string): Client {
  const shown = signal<Shown | undefined>(undefined)
  const state = signal<State>('idle')
  const problem = signal<string | undefined>(undefined)
  const waiting = signal(true)
  /** Of the training that stands ready in the worker. */
  let facts: Facts | undefined
  let chosen: Chosen = { heldOut: 0 }
  /** A frame is asked for; another one is wanted after it. */
  let [asked, wanted] = [false, false]
  let sentDigits = false
  /** Counts beginnings: what an earlier one still fetches isn't sent. */
  let beginning = 0
  let saved: ((bytes: ArrayBuffer) => void) | undefined
  const send = (message: ToWorker, transfer: Transferable[] = []) => worker.postMessage(message, transfer)
  /** What is shown already of the same training. */
  const before = () => (shown.value?.facts === facts ? shown.value : undefined)
  function ask(): void {
    if (!facts) return
    wanted = asked
    if (asked) return
    asked = true
    send({ kind: 'frame', chosen, lossesFrom: before()?.losses.length ?? 0 })
  }
  function take(of: Facts, frame: TrainFrame): void {
    const { losses, accuracies } = before() ?? { losses: [], accuracies: new Map<number, number>() }
    const { from, values } = frame.losses
    shown.value = {
      facts: of,
      frame,
      losses: from === losses.length && values.length > 0 ? [...losses, ...values] : losses,
      accuracies: frame.accuracies.some(([step]) => !accuracies.has(step))
        ? new Map([...accuracies, ...frame.accuracies])
        : accuracies,
    }
    state.value = frame.state
  }
  function hear(message: FromWorker): void {
    if (message.kind === 'facts') {
      facts = message.facts
      ask()
    } else if (message.kind === 'error') {
      problem.value = message.message
      asked = false
      if (facts) ask()
      else waiting.value = false
    } else if (message.kind === 'saved') saved?.(message.bytes)
    // the rest is of a training that is given up
    else if (!facts) return
    else if (message.kind === 'state') {
      state.value = message.state
      ask()
    } else {
      asked = false
      take(facts, message.frame)
      waiting.value = wanted
      if (wanted) ask()
      else if (message.frame.state === 'running') setTimeout(() => requestAnimationFrame(ask), frameTime)
    }
  }
  // one painting for all that a message changes
  worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => batch(() => hear(data)))
  worker.addEventListener('error', (event) => {
    waiting.value = false
    problem.value = `The worker failed: ${event.message || 'it could not be loaded'}. Load the page again.`
  })
  async function start(settings: Settings): Promise<void> {
    const own = ++beginning
    facts = undefined
    ;[asked, wanted] = [false, false]
    batch(() => {
      problem.value = undefined
      waiting.value = true
      state.value = 'idle'
    })
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
    shown,
    state,
    problem,
    waiting,
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
