// Changed by chance: readers of models answer with a model or with an error of ours, whatever the bytes.
import { describe, expect, inject, test } from 'vitest'
import { FoveaError } from '../../src/base/errors.ts'
import { type RandomSource, randomSource } from '../../src/base/random.ts'
import { loadGraphModel, loadLayersModel, saveLayersModel } from '../../src/formats/index.ts'
import { batchNorm, conv2d, dense, flatten, loadModel, maxPool2d, sequential, upsampling } from '../../src/nn/index.ts'
import { graphCases, graphFiles } from './tfjs/graph-cases.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** From `npm run fuzz -- --readers`. */
    readers?: { seconds: number; seed: number }
  }
}

const asked = inject('readers')
const { seconds = 3, seed = 1 } = asked ?? {}

/** What stands in place of a number, text or list of a JSON file. */
const odd = [-1, 0, 1, 3, 1e9, 2 ** 53, 1.5, null, true, '', 'same', 'x', [], {}, [1e9, 1e9], '__proto__', [[[]]]]

/** The places of a JSON value that can be changed: the record or list, and the key in it. */
function placesIn(value: unknown): [Record<string, unknown>, string][] {
  if (typeof value !== 'object' || value === null) return []
  const record = value as Record<string, unknown>
  return Object.keys(record).flatMap((key) => [[record, key] as [typeof record, string], ...placesIn(record[key])])
}

function changeJson(bytes: Uint8Array, random: RandomSource): Uint8Array {
  const model = JSON.parse(new TextDecoder().decode(bytes))
  for (let i = 0; i <= random.integer(3); i++) {
    const places = placesIn(model)
    const [record, key] = places[random.integer(places.length)]
    if (random.integer(4) === 0) delete record[key]
    else record[key] = structuredClone(odd[random.integer(odd.length)])
  }
  return new TextEncoder().encode(JSON.stringify(model))
}

function changeBytes(bytes: Uint8Array, random: RandomSource): Uint8Array {
  const copy = bytes.slice(0, random.integer(8) === 0 ? random.integer(bytes.length) : bytes.length)
  for (let i = 0; i <= random.integer(4) && copy.length > 0; i++)
    copy[random.integer(Math.min(copy.length, 4000))] = random.integer(256)
  return copy
}

const model = sequential(
  [6, 6, 2],
  [
    conv2d(4, 3, { padding: 'same', activation: 'relu' }),
    batchNorm(),
    maxPool2d(2, { padding: 'same' }),
    upsampling(2),
    flatten(),
    dense(3, { activation: 'softmax' }),
  ],
)

/** Changes files for as long as asked and reads them; every error must be one of ours, and quick. */
async function fuzz(change: (random: RandomSource) => () => Promise<unknown>, allowed: RegExp): Promise<void> {
  const end = Date.now() + 1000 * seconds
  let [rounds, refused] = [0, 0]
  while (Date.now() < end) {
    const round = seed * 1e6 + rounds++
    const start = performance.now()
    try {
      await change(randomSource(round))()
    } catch (error) {
      refused++
      const text = `round ${round}: ${(error as Error).stack}`
      expect(error, text).toBeInstanceOf(FoveaError)
      expect((error as Error).message, text).toMatch(allowed)
    }
    expect(performance.now() - start, `round ${round} takes too long`).toBeLessThan(5000)
  }
  expect(refused).toBeGreaterThan(rounds / 20)
}

describe('files changed by chance', () => {
  const files = saveLayersModel(model)
  const limits = 1000 * seconds + 30_000

  test('tfjs layers', { timeout: limits }, () =>
    fuzz((random) => {
      const change = random.integer(2) === 0 ? changeJson : changeBytes
      const changed = { ...files, 'model.json': change(files['model.json'], random) }
      return () => loadLayersModel(changed)
    }, /^loadTfjs: /),
  )

  test('tfjs graphs', { timeout: limits }, () =>
    fuzz((random) => {
      const graph = graphFiles(graphCases[random.integer(graphCases.length)])
      const change = random.integer(2) === 0 ? changeJson : changeBytes
      const changed = { ...graph, 'model.json': change(graph['model.json'], random) }
      return () => loadGraphModel(changed)
    }, /^loadTfjs: /),
  )

  test('safetensors', { timeout: limits }, () => {
    const bytes = model.toBytes()
    return fuzz((random) => {
      const changed = changeBytes(bytes, random)
      return async () => loadModel(changed)
    }, /^[a-zA-Z\d_]+: /)
  })
})
