import { compile, conv, type Tensor, update, Variable } from 'fovea'
import type { ConvSpec } from 'fovea/conv'

export interface Measured {
  /** Milliseconds of one run: the middle of all, and the shortest. */
  readonly median: number
  readonly least: number
  readonly runs: number
}

/** What a layer with its numbers, made by the library. */
export type Timed = Pick<ConvSpec, 'input' | 'kernel' | 'inChannels' | 'outChannels' | 'groups'>

const variable = (shape: number[], value: number) =>
  new Variable(new Float32Array(shape.reduce((product, n) => product * n, 1)).fill(value), shape)

/**
 * Times the layers one after the other, as one program. Input, weights and result stay in the library's memory, so
 * that nothing but the layers is timed.
 * @param enough asked after each run, with the milliseconds spent: true ends it
 */
export async function measure(layers: readonly Timed[], enough: (spent: number) => boolean): Promise<Measured> {
  const [first, last] = [layers[0]!, layers.at(-1)!]
  const x = variable([1, ...first.input, first.inChannels], 0.5)
  const weights = layers.map((one) => variable([...one.kernel, one.inChannels / one.groups, one.outChannels], 0.01))
  const y = variable([1, ...last.input, last.outChannels], 0)
  const apply = (h: Tensor, one: Timed, i: number) =>
    conv(h, weights[i]!.value, { padding: 'same', groups: one.groups })
  const run = compile(() => update(y, layers.reduce(apply, x.value)), [])
  // the engine compiles twice: quickly at first, well after some milliseconds of work
  const start = performance.now()
  await run()
  while (performance.now() - start < 60) await run()
  const times: number[] = []
  const begin = performance.now()
  do {
    const before = performance.now()
    await run()
    times.push(performance.now() - before)
  } while (times.length < 3 || !enough(performance.now() - begin))
  times.sort((a, b) => a - b)
  return { median: times[times.length >> 1]!, least: times[0]!, runs: times.length }
}
