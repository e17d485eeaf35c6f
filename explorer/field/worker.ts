import { effectiveField } from './effective.ts'
import type { FieldState } from './state.ts'

/** A later question makes an earlier one void. */
export interface Question {
  readonly id: number
  readonly network: Pick<FieldState, 'l' | 'w'>
  /** [N, side, side, 1]. */
  readonly pictures: Float32Array
  readonly unit: readonly [number, number]
}

export type Answer =
  | { readonly id: number; readonly gradient: Float32Array }
  | { readonly id: number; readonly error: string }

let waiting: Question | undefined
let working = false

async function work(): Promise<void> {
  if (working) return
  working = true
  while (waiting) {
    const { id, network, pictures, unit } = waiting
    waiting = undefined
    try {
      const gradient = await effectiveField(network, pictures, unit)
      postMessage({ id, gradient } satisfies Answer, { transfer: [gradient.buffer] })
    } catch (error) {
      postMessage({ id, error: error instanceof Error ? error.message : String(error) } satisfies Answer)
    }
    // lets questions in that came meanwhile: of them only the last counts
    await new Promise((done) => setTimeout(done, 0))
  }
  working = false
}

addEventListener('message', ({ data }: MessageEvent<Question>) => {
  waiting = data
  void work()
})
