import { setThreads } from 'fovea'
import { digits, type Split, shapes } from './pictures.ts'
import type { FromWorker, ToWorker, TrainFrame } from './protocol.ts'
import { Session } from './session.ts'

// The worker of the page: it trains in slices, so that a message is heard within a few milliseconds.
const sliceTime = 12

// the page paints meanwhile: it keeps a core
setThreads(Math.max(1, navigator.hardwareConcurrency - 1))

let session: Session | undefined
let known: Promise<Split> | undefined
let looping = false
/** Messages are answered one after another. */
let queue = Promise.resolve()

const send = (message: FromWorker, transfer: readonly ArrayBuffer[] = []) =>
  (globalThis as unknown as { postMessage(message: FromWorker, transfer: readonly ArrayBuffer[]): void }).postMessage(
    message,
    transfer,
  )

const report = (error: unknown) =>
  send({ kind: 'error', message: error instanceof Error ? error.message : String(error) })

const sendState = () => session && send({ kind: 'state', state: session.state, step: session.step })

/** Lets messages in that came meanwhile. */
const turn = () =>
  new Promise<void>((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(0)
  })

async function loop(): Promise<void> {
  if (looping) return
  looping = true
  while (session?.state === 'running') {
    const current = session
    await then(() => current.slice(sliceTime))
    await turn()
  }
  looping = false
  sendState()
}

/** Runs a task after those that came before; an error in it is told. */
function then(task: () => Promise<void>): Promise<void> {
  queue = queue.then(task).catch(report)
  return queue
}

const buffersOf = (frame: TrainFrame): ArrayBuffer[] =>
  [
    frame.losses.values,
    frame.kernels.data,
    frame.firstKernels.data,
    frame.gradients.data,
    frame.picture.data,
    frame.shares,
    ...frame.maps.map(({ data }) => data),
  ].map(({ buffer }) => buffer as ArrayBuffer)

async function start({ settings, digits: file }: Extract<ToWorker, { kind: 'start' }>): Promise<void> {
  if (file) known = digits(file)
  session = undefined
  const data =
    settings.data === 'digits' ? await (known ?? Promise.reject(new Error('the digits are missing'))) : shapes()
  const next = new Session(settings, data)
  await next.begin()
  session = next
  send({ kind: 'facts', facts: next.facts })
}

async function answer(message: ToWorker): Promise<void> {
  if (message.kind === 'start') return start(message)
  if (!session) return
  if (message.kind === 'run') {
    session.run()
    sendState()
    void loop()
  } else if (message.kind === 'pause') {
    session.pause()
    sendState()
  } else if (message.kind === 'step') {
    session.pause()
    await session.advance(message.count)
    sendState()
  } else if (message.kind === 'seek') {
    session.seek(message.step)
    sendState()
  } else if (message.kind === 'frame') {
    const frame = await session.frame(message.chosen, message.lossesFrom)
    send({ kind: 'frame', frame }, buffersOf(frame))
  } else {
    const { buffer } = session.save()
    send({ kind: 'saved', bytes: buffer }, [buffer])
  }
}

globalThis.addEventListener('message', (event) => {
  const { data } = event as MessageEvent<ToWorker>
  void then(() => answer(data))
})
