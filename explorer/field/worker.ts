import type { Picture } from '../shared/picture.ts'
import { effectiveField, picturesFor } from './effective.ts'
import { squaresOf } from './pictures.ts'
import type { FieldState } from './state.ts'

/** A later question makes an earlier one void. */
export interface Question {
  readonly id: number
  readonly network: Pick<FieldState, 'l' | 'w'>
  readonly unit: readonly [number, number]
  /** What squares are taken of; sent once, with the first question. */
  readonly photo?: Picture
}

export type Answer =
  | { readonly id: number; readonly gradient: Float32Array }
  | { readonly id: number; readonly error: string }

let photo: Picture | undefined
/** Squares of the photo, by how many. */
const squares = new Map<number, Float32Array>()

function picturesOf(count: number): Float32Array {
  const known = squares.get(count) ?? squaresOf(photo!, count)
  squares.set(count, known)
  return known
}

let waiting: Question | undefined
let working = false

async function work(): Promise<void> {
  if (working) return
  working = true
  while (waiting) {
    const { id, network, unit } = waiting
    waiting = undefined
    try {
      const gradient = await effectiveField(network, picturesOf(picturesFor(network)), unit)
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
  photo ??= data.photo
  waiting = data
  void work()
})
