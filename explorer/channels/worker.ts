import { type Measured, measure, type Timed } from './measure.ts'

/** Which designs to time, and how long each, in ms. A later question makes an earlier one void. */
export interface Question {
  readonly id: number
  readonly designs: readonly (readonly Timed[])[]
  readonly budget: number
}

export type Answer =
  | { readonly id: number; readonly times: readonly Measured[] }
  | { readonly id: number; readonly error: string }

let latest = 0
const isVoid = (id: number) => id !== latest

/** Lets messages in that came meanwhile. */
const breath = () => new Promise((done) => setTimeout(done, 0))

async function answer({ id, designs, budget }: Question): Promise<void> {
  const times: Measured[] = []
  try {
    for (const layers of designs) {
      await breath()
      if (isVoid(id)) return
      times.push(await measure(layers, (spent) => spent >= budget || isVoid(id)))
    }
    if (!isVoid(id)) postMessage({ id, times } satisfies Answer)
  } catch (error) {
    postMessage({ id, error: error instanceof Error ? error.message : String(error) } satisfies Answer)
  }
}

addEventListener('message', ({ data }: MessageEvent<Question>) => {
  latest = data.id
  void answer(data)
})
