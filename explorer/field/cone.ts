import { inputGradient } from 'fovea/conv'
import type { Planned } from './layers.ts'

/**
 * In how many ways each unit of each level leads to unit `at` of the last, along one axis: the derivative with all
 * weights 1, taken back layer by layer. The last level comes first, the input last.
 */
export function pathCounts(plan: readonly Planned[], at: number): Float64Array[] {
  const last = plan.at(-1)!
  let counts = new Float64Array(last.spec.output[0]!)
  counts[at] = 1
  const levels = [counts]
  for (const { spec, times, layer } of [...plan].reverse()) {
    const ones = new Float64Array(layer.kernel).fill(1)
    let below = counts
    for (let i = 0; i < times; i++) below = inputGradient(spec, below, ones) as Float64Array<ArrayBuffer>
    // the shortcut of a residual layer is one more way
    if (layer.kind === 'residual') below = below.map((count, i) => count + counts[i]!)
    counts = below
    levels.push(counts)
  }
  return levels
}
