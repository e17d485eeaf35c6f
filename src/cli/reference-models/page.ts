// What the page of `npm run models -- FOLDER --browser` runs: files come from beside it.
import type { Shape } from '../../base/shape.ts'
import { type Outcome, runCase } from './run.ts'

/** A case as a page gets it: addresses in place of values. */
export interface PageCase {
  readonly name: string
  readonly shape: Shape
  readonly input: string
  readonly model: string
  readonly references: readonly {
    readonly output: string
    readonly shape?: Shape
    readonly values: string
    readonly classes?: boolean
  }[]
}

async function bytesAt(address: string): Promise<Uint8Array> {
  const response = await fetch(address)
  if (!response.ok) throw new Error(`${address} answers ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

const floatsAt = async (address: string) => new Float32Array((await bytesAt(address)).buffer)

/** Runs one case on the page. */
export async function runPageCase({ name, shape, input, model, references }: PageCase): Promise<Outcome> {
  return runCase({
    name,
    shape,
    source: model.endsWith('.json') ? model : await bytesAt(model),
    input: () => floatsAt(input),
    references: references.map(({ values, ...rest }) => ({ ...rest, values: () => floatsAt(values) })),
  })
}
