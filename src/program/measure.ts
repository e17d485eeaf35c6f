import { affine, buffer, f32, kernel, loop, multiplyAdd, read, set, store, variable } from '../kernel/builder.ts'
import type { TargetFeatures } from '../kernel/ir.ts'
import { emitModule } from '../targets/wasm/emit.ts'
import { loadModule } from '../targets/wasm/load.ts'
import type { Executable } from './engine.ts'
import { features, runtime } from './state.ts'

/** Median, least and greatest of timings, in milliseconds. */
export interface Timing {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function timingOf(milliseconds: readonly number[]): Timing {
  const sorted = [...milliseconds].sort((a, b) => a - b)
  return { median: sorted[sorted.length >> 1]!, min: sorted[0]!, max: sorted.at(-1)! }
}

/** Times `run`: warmed up for `warmUp` ms, then for `budget` ms, in batches of 1 ms or more, for coarse clocks. */
export function time(run: () => void, budget = 400, warmUp = 200): Timing {
  const elapsed = (calls: number) => {
    const start = performance.now()
    for (let i = 0; i < calls; i++) run()
    return performance.now() - start
  }
  const start = performance.now()
  let batch = 1
  while (elapsed(batch) < 1) batch *= 2
  while (performance.now() - start < warmUp) elapsed(batch)
  while (elapsed(batch) < 1) batch *= 2
  const samples: number[] = []
  const measured = performance.now()
  while (performance.now() - measured < budget || samples.length < 5) samples.push(elapsed(batch) / batch)
  return timingOf(samples)
}

const rounds = 4096
const chains = 12

/** Independent chains of multiply-adds and nothing else. */
function peakKernel({ lanes }: TargetFeatures) {
  const sums = Array.from({ length: chains }, (_, i) => variable(`acc${i}`, f32(i, lanes)))
  const factor = variable('factor', f32(0.5, lanes))
  return kernel({
    name: 'peak',
    buffers: [buffer('y', 'f32', chains * lanes, 'write')],
    axes: [{ index: 'i', extent: 16 }],
    body: [
      sums,
      factor,
      loop('k', 0, rounds, 1, [sums.map((sum) => set(sum.name, multiplyAdd(read(sum), read(factor), read(factor))))]),
      sums.map((sum, i) => store('y', affine(i * lanes), read(sum))),
    ],
  })
}

/** Multiply-adds per second of one thread times two, in GFLOP/s: the most that any kernel can reach here. */
export async function measurePeak(): Promise<number> {
  const { memory } = runtime()
  const engine = features()
  const [run] = await loadModule(emitModule([peakKernel(engine)], engine), memory.memory)
  const address = memory.allocate(chains * 16)
  const { min } = time(() => run!(address, 0, 16), 300, 300)
  memory.free(address)
  return (16 * rounds * chains * engine.lanes * 2) / min / 1e6
}

/** Times every step of a program by itself, on what its last run left in memory. */
export const measureSteps = (executable: Executable, budget?: number): Timing[] =>
  executable.blueprint.steps.map((_, step) => time(() => executable.runStep(step), budget))
