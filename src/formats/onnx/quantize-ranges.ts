import { fail } from '../../base/errors.ts'
import type { OnnxGraph } from './graph.ts'
import { OnnxModel } from './model.ts'
import type { CalibrationBatch } from './quantize.ts'

/** Smallest and largest value that a tensor takes; 0 is within. */
export interface Range {
  readonly low: number
  readonly high: number
}

/** The values that leave a share `cut` of all below and above them. */
function ends(data: ArrayLike<number>, cut: number): Range {
  const skip = Math.floor(cut * data.length)
  if (skip > 0) {
    const sorted = Float32Array.from(data).sort()
    return { low: sorted[skip], high: sorted[sorted.length - 1 - skip] }
  }
  let [low, high] = [0, 0]
  for (let i = 0; i < data.length; i++) {
    if (data[i] < low) low = data[i]
    if (data[i] > high) high = data[i]
  }
  return { low, high }
}

/** Ranges of the named tensors over all batches. */
export async function rangesOf(
  graph: OnnxGraph,
  names: readonly string[],
  batches: Iterable<CalibrationBatch> | AsyncIterable<CalibrationBatch>,
  cut: number,
): Promise<Map<string, Range>> {
  const given = new Set(graph.inputs.map(({ name }) => name))
  const made = names.filter((name) => !given.has(name))
  const outputs = made.map((name) => ({ name, type: 'float32' as const, shape: undefined }))
  const model = new OnnxModel({ ...graph, outputs })
  const ranges = new Map<string, Range>(names.map((name) => [name, { low: 0, high: 0 }]))
  let seen = 0
  for await (const batch of batches) {
    const results: Record<string, { readonly data: ArrayLike<number> }> = {
      ...model.valuesOf(batch),
      ...(await model.run(batch)),
    }
    for (const name of names) {
      const { low, high } = ends(results[name].data, cut)
      if (!Number.isFinite(low) || !Number.isFinite(high))
        fail('quantize', `tensor '${name}' has values from ${low} to ${high}`, 'Check the model and the batches')
      const before = ranges.get(name)!
      ranges.set(name, { low: Math.min(before.low, low), high: Math.max(before.high, high) })
    }
    seen++
  }
  if (seen === 0) fail('quantize', 'there are no batches', 'Give some inputs like those that will come')
  return ranges
}
