import { batch, type Signal, signal } from '@preact/signals'
import type { Compiled, Drawing, FromWorker, Look, LookOrder, Summary, ToWorker } from './protocol.ts'

/** What the page knows of the model in its worker. */
export interface Client {
  readonly summary: Signal<Summary | undefined>
  /** Of a graph that branches. */
  readonly drawing: Signal<Drawing | undefined>
  readonly look: Signal<Look | undefined>
  readonly compiled: Signal<Compiled | undefined>
  readonly problem: Signal<string | undefined>
  /** Something is being worked on. */
  readonly busy: Signal<boolean>
  open(files: Readonly<Record<string, ArrayBuffer>>): void
  lookAt(order: LookOrder): void
  compile(row: number): void
  /** There is no model any more. */
  forget(): void
  /** Ends whatever is worked on; the model is gone. */
  stop(): void
}

type Order = ToWorker extends infer M ? (M extends ToWorker ? Omit<M, 'id'> : never) : never

export function client(start: () => Worker): Client {
  const summary = signal<Summary | undefined>(undefined)
  const drawing = signal<Drawing | undefined>(undefined)
  const look = signal<Look | undefined>(undefined)
  const compiled = signal<Compiled | undefined>(undefined)
  const problem = signal<string | undefined>(undefined)
  const busy = signal(false)
  let worker: Worker | undefined
  let last = 0
  /** The newest order of each kind: answers to older ones come too late. */
  const newest = new Map<string, number>()
  function hear({ data }: MessageEvent<FromWorker>): void {
    batch(() => take(data))
  }
  function take(data: FromWorker): void {
    const kind = [...newest].find(([, id]) => id === data.id)?.[0]
    if (kind === undefined) return
    newest.delete(kind)
    busy.value = newest.size > 0
    if (data.kind === 'error') problem.value = data.message
    else if (data.kind === 'opened') {
      summary.value = data.summary
      drawing.value = data.drawing
    } else if (data.kind === 'looked') look.value = data.look
    else compiled.value = data.compiled
  }
  function send(order: Order, transfer: Transferable[] = []): void {
    if (!worker) {
      worker = start()
      worker.addEventListener('message', hear)
      worker.addEventListener('error', (event) => {
        problem.value = `The worker failed: ${event.message || 'it could not be loaded'}. Load the page again.`
        newest.clear()
        busy.value = false
      })
    }
    newest.set(order.kind, ++last)
    busy.value = true
    worker.postMessage({ ...order, id: last } as ToWorker, transfer)
  }
  const forget = () => batch(clear)
  function clear(): void {
    newest.clear()
    busy.value = false
    summary.value = undefined
    drawing.value = undefined
    look.value = undefined
    compiled.value = undefined
    problem.value = undefined
  }
  return {
    summary,
    drawing,
    look,
    compiled,
    problem,
    busy,
    open(files) {
      forget()
      send({ kind: 'open', files }, Object.values(files))
    },
    lookAt: (order) => send({ kind: 'look', order }),
    compile(row) {
      compiled.value = undefined
      send({ kind: 'compile', row })
    },
    forget,
    stop() {
      worker?.terminate()
      worker = undefined
      forget()
      problem.value = 'Stopped. Choose a model.'
    },
  }
}
