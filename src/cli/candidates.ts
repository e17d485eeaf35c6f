import { sizeOf } from '../base/shape.ts'
import type { Contraction, ConvSpec } from '../conv/index.ts'
import type { PlanFeatures } from '../plan/types.ts'
import { type Candidate, candidates, predictedMilliseconds } from '../program/candidates.ts'
import { load } from '../program/engine.ts'
import { time } from '../program/measure.ts'

/** Least milliseconds of a run, all steps on one thread. */
async function measured({ blueprint }: Candidate, shapes: readonly (readonly number[])[]): Promise<number> {
  const executable = await load(blueprint, 'wasm')
  await executable.run(blueprint.inputs.map((_, i) => new Float32Array(sizeOf(shapes[i]!)).fill(0.5)))
  const runAll = () => {
    for (const step of blueprint.steps.keys()) executable.runStep(step)
  }
  return time(runAll, 60, 100).min
}

/**
 * Prints every way to compute a contraction: predicted time, the measured one where a peak is given, or why it's
 * refused.
 * @param shapes of both operands
 * @param peak GFLOP/s of multiply-adds of one thread; undefined: cycles are printed, and nothing is measured
 */
export async function printCandidates(
  contraction: Contraction,
  spec: ConvSpec,
  features: PlanFeatures,
  { shapes, peak }: { shapes: readonly (readonly number[])[]; peak: number | undefined },
  print: (line: string) => void,
): Promise<void> {
  const { candidates: list, refused } = candidates(contraction, spec, features)
  const wide = Math.max(...list.map(({ name }) => name.length))
  for (const [i, candidate] of list.entries()) {
    const { name, cycles, sameBits } = candidate
    const times =
      peak === undefined
        ? `predicted ${(cycles / 1000).toFixed(1).padStart(9)} thousand cycles`
        : `predicted ${predictedMilliseconds(cycles, peak, features).toFixed(4)} ms, ` +
          `measured ${(await measured(candidate, shapes)).toFixed(4)} ms`
    const note = i === 0 ? ', chosen' : sameBits ? ', the same bits' : ''
    print(`candidate  ${name.padEnd(wide)}  ${times}${note}`)
  }
  for (const { name, refused: why } of refused) print(`refused    ${name}: ${why}`)
}
