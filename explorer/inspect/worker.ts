import { layout } from './layout.ts'
import { openFiles } from './open.ts'
import type { FromWorker, Look, ToWorker } from './protocol.ts'
import type { Subject } from './subject.ts'

type Answer = FromWorker extends infer A ? (A extends FromWorker ? Omit<A, 'id'> : never) : never

let subject: Subject | undefined
let queue = Promise.resolve()
/** The newest order of each kind: older ones that wait are skipped. */
const newest = new Map<ToWorker['kind'], number>()

const buffersOf = ({ maps, kernel, shares, before }: Look): ArrayBuffer[] => [
  ...new Set([maps?.data, kernel?.data, shares, before].flatMap((data) => (data ? [data.buffer as ArrayBuffer] : []))),
]

async function answer(message: ToWorker): Promise<Answer> {
  if (message.kind === 'open') {
    subject = undefined
    const files = Object.entries(message.files).map(([name, buffer]) => [name, new Uint8Array(buffer)] as const)
    subject = await openFiles(Object.fromEntries(files))
    const { summary } = subject
    return { kind: 'opened', summary, drawing: await layout(summary.rows) }
  }
  if (!subject) throw new Error('No model is open. Choose one.')
  if (message.kind === 'look') return { kind: 'looked', look: await subject.look(message.order) }
  return { kind: 'compiled', compiled: await subject.compile(message.row) }
}

globalThis.addEventListener('message', (event) => {
  const { data } = event as MessageEvent<ToWorker>
  newest.set(data.kind, data.id)
  queue = queue.then(async () => {
    if (newest.get(data.kind) !== data.id) return
    const reply = await answer(data).catch(
      (error: unknown): Answer => ({ kind: 'error', message: error instanceof Error ? error.message : String(error) }),
    )
    const transfer = reply.kind === 'looked' ? buffersOf(reply.look) : []
    const scope = globalThis as unknown as { postMessage(message: FromWorker, transfer: ArrayBuffer[]): void }
    scope.postMessage({ ...reply, id: data.id } as FromWorker, transfer)
  })
})
