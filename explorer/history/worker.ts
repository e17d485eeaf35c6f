import { setThreads } from 'fovea'
import samplesUrl from '../inspect/samples.bin?url'
import type { Frame } from '../shared/frame.ts'
import lenetUrl from './lenet5-1998.safetensors?url'
import { type Load, show } from './show.ts'
import sparseUrl from './sparse-16x16.safetensors?url'
import type { HistoryState } from './state.ts'

export interface Order {
  readonly id: number
  readonly state: HistoryState
}

export type Answer = { readonly id: number } & ({ readonly frame: Frame } | { readonly problem: string })

const urls: Readonly<Record<Parameters<Load>[0], string>> = {
  'lenet5-1998.safetensors': lenetUrl,
  'sparse-16x16.safetensors': sparseUrl,
  'samples.bin': samplesUrl,
}

const load: Load = async (name) => {
  const answer = await fetch(urls[name])
  if (!answer.ok) throw new Error(`${name} isn't there (${answer.status}): load the page again`)
  return new Uint8Array(await answer.arrayBuffer())
}

// small programs: a second thread would only wait for the first
setThreads(1)

let newest = 0
let queue = Promise.resolve()

globalThis.addEventListener('message', ({ data }: MessageEvent<Order>) => {
  newest = data.id
  queue = queue.then(async () => {
    if (data.id !== newest) return
    const answer = await show(data.state, load).then(
      (frame): Answer => ({ id: data.id, frame }),
      (error: Error): Answer => ({ id: data.id, problem: error.message }),
    )
    const scope = globalThis as unknown as { postMessage(message: Answer): void }
    scope.postMessage(answer)
  })
})
