import { sizeOf } from '../../base/shape.ts'
import { compile, type Program } from '../../compile.ts'
import { inputShape, kernelShape, parseSpec, printSpec } from '../../conv/index.ts'
import type { PaddingMode } from '../../conv/padding.ts'
import { conv } from '../../graph/index.ts'

export const costlyModes = ['circular', 'reflect'] as const
/** 3x3 convolutions: dense ones, by whatever algorithm is chosen for them, and a depthwise one. */
export const costlyLayers = [
  'n1 56x56 c64 -> 64 k3 p1',
  'n1 28x28 c128 -> 128 k3 p1',
  'n1 14x14 c256 -> 256 k3 p1',
  'n1 56x56 c144 -> 144 k3 p1 g144',
] as const

/** Times of one layer with each border over its time with zeros, on as many threads as are set. */
export interface BorderCost {
  readonly layer: string
  /** Of the layer with zeros. */
  readonly milliseconds: number
  readonly ratios: Readonly<Record<(typeof costlyModes)[number], number>>
}

/** The least time of all steps together: what a quiet moment of the machine gives. */
async function timeOf(program: Program<readonly (readonly number[])[], unknown>): Promise<number> {
  const timings = await program.profile()
  return timings.reduce((sum, { min }) => sum + min, 0)
}

async function costOf(layer: string, rounds: number): Promise<BorderCost> {
  const spec = parseSpec(layer)
  const shapes = [inputShape(spec), kernelShape(spec)]
  const modes: readonly PaddingMode[] = ['zero', ...costlyModes]
  const programs = modes.map((paddingMode) =>
    compile((x, w) => conv(x!, w!, { padding: 1, groups: spec.groups, paddingMode }), shapes),
  )
  for (const program of programs) await program(...shapes.map((shape) => new Float32Array(sizeOf(shape)).fill(0.5)))
  const least = modes.map(() => Number.POSITIVE_INFINITY)
  // in turn, so that all meet the same machine
  for (let round = 0; round < rounds; round++)
    for (const [i, program] of programs.entries()) least[i] = Math.min(least[i]!, await timeOf(program))
  const [zero, circular, reflect] = least
  return {
    layer: printSpec(spec),
    milliseconds: zero!,
    ratios: { circular: circular! / zero!, reflect: reflect! / zero! },
  }
}

/** What borders cost that aren't zeros. */
export async function borderCosts(layers: readonly string[] = costlyLayers, rounds = 5): Promise<BorderCost[]> {
  const costs: BorderCost[] = []
  for (const layer of layers) costs.push(await costOf(layer, rounds))
  return costs
}
