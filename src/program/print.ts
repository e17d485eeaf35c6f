import { debugs } from '../base/debug.ts'
import { printKernel } from '../kernel/print.ts'
import { printPlan } from '../plan/explain.ts'
import { printWat } from '../targets/wasm/assemble.ts'
import { emitFunctions } from '../targets/wasm/emit.ts'
import type { Blueprint } from './layout.ts'
import { features } from './state.ts'

/** What FOVEA_DEBUG asks to see of a program before it first runs. */
export function printBlueprint({ steps, kernels, arenaBytes }: Blueprint): void {
  if (debugs('plan')) {
    const lines = steps.map(
      ({ label, node, plan }) => `  ${label} [${node.shape}]${plan ? `: ${printPlan(plan)}` : ''}`,
    )
    console.error(`fovea program: ${steps.length} steps, arena ${arenaBytes} bytes\n${lines.join('\n')}`)
  }
  if (debugs('kernel')) for (const kernel of kernels) console.error(printKernel(kernel))
  if (debugs('wat')) console.error(printWat(emitFunctions(kernels, features())))
}

/** Runs calls one after the other on this thread, and tells how long each step took. */
export function runTimed<Call extends { readonly step: number }>(
  { steps }: Blueprint,
  calls: readonly Call[],
  run: (call: Call) => void,
): void {
  const spent = steps.map(() => 0)
  for (const call of calls) {
    const before = performance.now()
    run(call)
    spent[call.step]! += performance.now() - before
  }
  const lines = steps.map(({ label, node }, i) => `  ${spent[i]!.toFixed(3)} ms  ${label} [${node.shape}]`)
  console.error(`fovea run\n${lines.join('\n')}`)
}
