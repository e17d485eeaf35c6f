import { sizeOf } from '../base/shape.ts'
import type { Tensor, Update, Variable } from '../graph/tensor.ts'
import { checkKernel } from '../kernel/check.ts'
import type { Kernel, TargetFeatures } from '../kernel/ir.ts'
import { choose } from '../plan/choose.ts'
import { placeBuffers } from '../plan/place.ts'
import { fuse, programOrder } from './fuse.ts'
import { rewrite } from './rewrite.ts'
import { type Argument, type Constant, type Step, stepsOf, storage } from './steps.ts'

/** Where a kernel's buffer lies when the program runs. */
export type Location =
  /** Bytes from the start of the arena. */
  | { readonly arena: number }
  /** Bytes from the start of the program's constants. */
  | { readonly constant: number }
  | { readonly variable: Variable }

export interface Call {
  /** Number of the kernel in `kernels`. */
  readonly kernel: number
  readonly points: number
  readonly locations: readonly Location[]
  /** Number of the step in `steps`. */
  readonly step: number
}

/** Everything about a program but its machine code and its memory: plain data. */
export interface Blueprint {
  readonly steps: readonly Step[]
  readonly kernels: readonly Kernel[]
  readonly calls: readonly Call[]
  readonly arenaBytes: number
  readonly constants: readonly { readonly data: Constant; readonly at: number }[]
  readonly constantBytes: number
  /** Where values that are given with each call go, in the order of the inputs and of `given`. */
  readonly inputs: readonly (Location | undefined)[]
  readonly outputs: readonly { readonly location: Location; readonly length: number }[]
  /** What is copied to variables after the last step (new values that couldn't be computed in place). */
  readonly copies: readonly { readonly from: Location; readonly to: Variable }[]
}

const pointsOf = (kernel: Kernel) => kernel.axes.reduce((product, axis) => product * axis.extent, 1)

/** Variables whose new values may be written where the old ones lie: nobody reads the old ones afterwards. */
function inPlace(
  steps: readonly Step[],
  results: readonly Tensor[],
  updates: readonly { variable: Variable; value: Tensor }[],
) {
  const asked = new Set([...results, ...updates.map((u) => u.value)].map((node) => variableOf({ tensor: node })))
  const chosen = new Map<Tensor, Variable>()
  for (const { variable, value } of updates) {
    const at = steps.findIndex((step) => step.node === value)
    const elementwise = at >= 0 && value.operation.kind === 'map' && steps[at]!.plan === undefined
    const others = updates.filter((u) => u.value === value || u.variable === variable).length > 1
    const readLater = steps.slice(at + 1).some((step) => readsVariable(step, variable))
    const broadcast =
      elementwise && steps[at]!.calls.some((call) => call.arguments.some((a) => isPartOf(a, variable, value)))
    if (elementwise && !others && !readLater && !broadcast && !asked.has(variable)) chosen.set(value, variable)
  }
  return chosen
}

const variableOf = (argument: Argument): Variable | undefined => {
  if (!('tensor' in argument)) return undefined
  const { operation } = storage(argument.tensor)
  return operation.kind === 'variable' ? operation.variable : undefined
}

const readsVariable = (step: Step, variable: Variable) =>
  step.calls.some((call) => call.arguments.some((argument) => variableOf(argument) === variable))

/** Whether the variable is read there in another shape than the result's, so not at the same places. */
const isPartOf = (argument: Argument, variable: Variable, value: Tensor) =>
  variableOf(argument) === variable && 'tensor' in argument && argument.tensor.shape.join() !== value.shape.join()

/** Plans a whole program: what is fused, which kernels run in which order, and where everything lies. */
export function blueprint(
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  updates: readonly Update[],
  features: TargetFeatures,
): Blueprint {
  const roots = rewrite([...outputs, ...updates.map((u) => u.value)])
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
  return assemble(inputs, results, news, steps)
}

interface Slot {
  readonly length: number
  first: number
  last: number
}

function assemble(
  inputs: readonly Tensor[],
  results: readonly Tensor[],
  news: readonly { variable: Variable; value: Tensor }[],
  steps: readonly Step[],
): Blueprint {
  const replaced = inPlace(steps, results, news)
  const slots = new Map<Tensor | Step, Slot>()
  const end = steps.length
  const isVariable = (node: Tensor) => node.operation.kind === 'variable' || replaced.has(node)
  const touch = (key: Tensor | Step, length: number, at: number) => {
    const slot = slots.get(key)
    if (slot) slot.last = Math.max(slot.last, at)
    else slots.set(key, { length, first: at, last: at })
  }
  const touchTensor = (tensor: Tensor, at: number) => {
    const node = storage(tensor)
    if (isVariable(node)) return
    const given = node.operation.kind === 'placeholder' || node.operation.kind === 'constant'
    if (given && !slots.has(node)) touch(node, sizeOf(node.shape), -1)
    touch(node, sizeOf(node.shape), at)
  }
  steps.forEach((step, at) => {
    for (const call of step.calls)
      for (const argument of call.arguments) {
        if ('tensor' in argument) touchTensor(argument.tensor, at)
        else if ('scratch' in argument) touch(step, argument.scratch, at)
      }
  })
  for (const node of [...results, ...news.map((u) => u.value)]) touchTensor(node, end)
  const keys = [...slots.keys()]
  const { offsets, bytes } = placeBuffers(
    keys.map((key) => {
      const slot = slots.get(key)!
      return { bytes: slot.length * 4, first: slot.first, last: slot.last }
    }),
  )
  const at = new Map(keys.map((key, i) => [key, offsets[i]!]))
  const constants = placeConstants(steps)
  const locate = (argument: Argument, step: Step): Location => {
    if ('constant' in argument) return { constant: constants.at.get(argument.constant)! }
    if ('scratch' in argument) return { arena: at.get(step)! }
    return locateTensor(argument.tensor)
  }
  const locateTensor = (tensor: Tensor): Location => {
    const node = storage(tensor)
    if (node.operation.kind === 'variable') return { variable: node.operation.variable }
    const variable = replaced.get(node)
    return variable ? { variable } : { arena: at.get(node)! }
  }
  const { kernels, calls } = numberKernels(steps, locate)
  return {
    steps,
    kernels,
    calls,
    arenaBytes: bytes,
    constants: constants.list,
    constantBytes: constants.bytes,
    inputs: inputs.map((input) => (slots.has(input) ? locateTensor(input) : undefined)),
    outputs: results.map((node) => ({ location: locateTensor(node), length: sizeOf(node.shape) })),
    copies: news
      .filter((u) => replaced.get(u.value) !== u.variable)
      .map((u) => ({ from: locateTensor(u.value), to: u.variable })),
  }
}

function placeConstants(steps: readonly Step[]) {
  const at = new Map<Constant, number>()
  const list: { data: Constant; at: number }[] = []
  let bytes = 0
  for (const step of steps)
    for (const call of step.calls)
      for (const argument of call.arguments) {
        if (!('constant' in argument) || at.has(argument.constant)) continue
        at.set(argument.constant, bytes)
        list.push({ data: argument.constant, at: bytes })
        bytes += Math.ceil((argument.constant.byteLength + 16) / 64) * 64
      }
  return { at, list, bytes }
}

/** Equal kernels are compiled once. Each is checked before. */
function numberKernels(steps: readonly Step[], locate: (argument: Argument, step: Step) => Location) {
  const numbers = new Map<string, number>()
  const kernels: Kernel[] = []
  const calls: Call[] = []
  steps.forEach((step, number) => {
    for (const call of step.calls) {
      const key = JSON.stringify(call.kernel)
      let index = numbers.get(key)
      if (index === undefined) {
        checkKernel(call.kernel)
        index = kernels.push(call.kernel) - 1
        numbers.set(key, index)
      }
      calls.push({
        kernel: index,
        points: pointsOf(call.kernel),
        locations: call.arguments.map((argument) => locate(argument, step)),
        step: number,
      })
    }
  })
  return { kernels, calls }
}
