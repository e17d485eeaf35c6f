import type { Tensor, Update, Variable } from '../graph/tensor.ts'
import { choose } from '../plan/choose.ts'
import type { PlanFeatures } from '../plan/types.ts'
import { fuse, programOrder } from './fuse.ts'
import { type Blueprint, layOut, type NewValue, variableOf } from './layout.ts'
import { rewrite } from './rewrite.ts'
import { type Step, stepsOf, storage } from './steps.ts'

/** Variables whose new values may be written where the old ones lie: nobody reads the old ones afterwards. */
function inPlace(steps: readonly Step[], results: readonly Tensor[], updates: readonly NewValue[]) {
  const asked = new Set([...results, ...updates.map((u) => u.value)].map((node) => variableOf({ tensor: node })))
  const chosen = new Map<Tensor, Variable>()
  for (const { variable, value } of updates) {
    const at = steps.findIndex((step) => step.node === value)
    const elementwise = at >= 0 && value.operation.kind === 'map' && steps[at]!.plan === undefined
    const others = updates.filter((u) => u.value === value || u.variable === variable).length > 1
    const readLater = steps.slice(at + 1).some((step) => readsVariable(step, variable))
    const isKey = at >= 0 && readsKey(steps[at]!, variable)
    if (elementwise && !others && !readLater && !isKey && !asked.has(variable)) chosen.set(value, variable)
  }
  return chosen
}

const readsVariable = (step: Step, variable: Variable) =>
  step.calls.some((call) => call.arguments.some((argument) => variableOf(argument) === variable))

/** Whether the variable is read there as a key of random numbers: as a whole, not element by element. */
const readsKey = (step: Step, variable: Variable) =>
  step.calls.some(({ kernel, arguments: list }) =>
    kernel.buffers.some(({ name }, i) => name.startsWith('key') && variableOf(list[i]!) === variable),
  )

/** Plans a whole program: what is fused, which kernels run in which order, and where everything lies. */
export function blueprint(
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  updates: readonly Update[],
  features: PlanFeatures,
): Blueprint {
  const roots = rewrite([...outputs, ...updates.map((u) => u.value)], features)
  const results = roots.slice(0, outputs.length)
  const news = updates.map((u, i) => ({ variable: u.variable, value: roots[outputs.length + i]! }))
  const order = programOrder(
    results,
    news.map((u) => u.value),
  )
  const kept = new Set(roots)
  for (const root of roots) kept.add(storage(root))
  const fusion = fuse(order, kept, (node) => {
    const { operation } = node
    return operation.kind === 'contract' && choose(operation.contraction, operation.spec, features).plan.fusable
  })
  const steps = stepsOf(fusion, kept, features)
  return layOut({ inputs, results, news, steps, replaced: inPlace(steps, results, news) }, features.threads)
}
