/**
 * Runs tensors through the program's own pipeline (rewriting, fusion, steps, kernels), but with every value in a block
 * of its own between guards, so that a kernel that reads or writes outside its buffers is caught.
 */
import { sizeOf } from '../../src/base/shape.ts'
import { Tensor } from '../../src/graph/tensor.ts'
import { checkKernel } from '../../src/kernel/check.ts'
import { interpret } from '../../src/kernel/interpret.ts'
import { type Kernel, pointsOf } from '../../src/kernel/ir.ts'
import { choose } from '../../src/plan/choose.ts'
import type { PlanFeatures } from '../../src/plan/types.ts'
import { fuse, programOrder } from '../../src/program/fuse.ts'
import { rewrite } from '../../src/program/rewrite.ts'
import { type Argument, type Step, stepsOf, storage } from '../../src/program/steps.ts'
import { emitModule, type WasmFeatures } from '../../src/targets/wasm/emit.ts'
import { wasmFeatures } from '../../src/targets/wasm/features.ts'
import { loadModule } from '../../src/targets/wasm/load.ts'

export const engine: WasmFeatures = wasmFeatures()
export const featureSets = {
  scalar: { ...engine, lanes: 1, simd: false, relaxed: false, fused: false },
  simd: { ...engine, lanes: 4, simd: true, relaxed: false, fused: false },
  relaxed: { ...engine, lanes: 4, simd: true, relaxed: true, fused: true },
} as const satisfies Record<string, WasmFeatures>
export type FeatureName = keyof typeof featureSets
export type Machine = 'wasm' | 'interpreter'

/** Why wasm can't run with these features here, or nothing where it can. The interpreter runs with all. */
export const skipped = (name: FeatureName): string | undefined =>
  name === 'relaxed' && !(engine.relaxed && engine.fused)
    ? 'relaxed SIMD on wasm skipped: this engine has no fused relaxed_madd'
    : undefined

export interface Steps {
  readonly roots: readonly Tensor[]
  readonly steps: readonly Step[]
}

/** The steps that a program of these tensors has; every kernel is checked. */
export function planSteps(tensors: readonly Tensor[], given: WasmFeatures & PlanFeatures): Steps {
  const features: PlanFeatures = { precision: 'direct', ...given }
  const roots = rewrite(tensors, features)
  const kept = new Set([...roots, ...roots.map(storage)])
  const fusion = fuse(programOrder(roots, []), kept, ({ operation }) => {
    return operation.kind === 'contract' && choose(operation.contraction, operation.spec, features).plan.fusable
  })
  const steps = stepsOf(fusion, kept, features)
  for (const kernel of kernelsOf(steps)) checkKernel(kernel)
  return { roots, steps }
}

export const kernelsOf = (steps: readonly Step[]): Kernel[] =>
  steps.flatMap((step) => step.calls.map((call) => call.kernel))

const guardBytes = 64
/** A NaN with a payload that no calculation makes. */
const guardBits = 0x7fcafe55

interface Block {
  readonly address: number
  readonly length: number
  readonly name: string
}

/** Blocks with guards on both sides for everything that the steps read or write. */
function placeBlocks(steps: readonly Step[]) {
  const blocks = new Map<unknown, Block>()
  let end = guardBytes
  const keyOf = (argument: Argument, step: Step): [unknown, number, string] => {
    if ('constant' in argument) return [argument.constant, argument.constant.length, 'constant']
    if ('scratch' in argument) return [argument.scratch, argument.scratch.floats, `scratch of ${step.label}`]
    const node = storage(argument.tensor)
    return [node, sizeOf(node.shape), node.operation.kind]
  }
  const block = (argument: Argument, step: Step): Block => {
    const [key, length, name] = keyOf(argument, step)
    let found = blocks.get(key)
    if (!found) {
      found = { address: end, length, name }
      end += Math.ceil((length * 4) / 4) * 4 + guardBytes
      blocks.set(key, found)
    }
    return found
  }
  for (const step of steps) for (const call of step.calls) for (const argument of call.arguments) block(argument, step)
  return { blocks, bytes: end, block }
}

let memory: WebAssembly.Memory | undefined

/** One memory for all runs, as large as the largest needed. */
function memoryOf(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / 65536)
  if (!memory || memory.buffer.byteLength < pages * 65536) memory = new WebAssembly.Memory({ initial: pages })
  return memory
}

/** The values that feeds, constants and variables have before the first step. */
function givenValues(node: Tensor, feeds: ReadonlyMap<Tensor, ArrayLike<number>>): ArrayLike<number> | undefined {
  const fed = feeds.get(node)
  if (fed) return fed
  if (node.operation.kind === 'constant') return node.operation.data
  if (node.operation.kind === 'variable') return node.operation.variable.initial ?? node.operation.variable.read()
  return undefined
}

export interface Run {
  /** One array per root, or the reason why there are none. */
  readonly values: readonly Float32Array[]
  /** Blocks whose guards or whose given values were written to. */
  readonly damage: readonly string[]
}

/** A function that runs the steps with given values of placeholders. */
export async function loadSteps(
  { roots, steps }: Steps,
  features: WasmFeatures,
  machine: Machine,
): Promise<(feeds: ReadonlyMap<Tensor, ArrayLike<number>>) => Run> {
  const { blocks, bytes, block } = placeBlocks(steps)
  const shared = memoryOf(bytes)
  const calls = steps.flatMap((step) => step.calls.map((call) => ({ step, call })))
  const functions =
    machine === 'wasm' && calls.length > 0
      ? await loadModule(emitModule(kernelsOf(steps), features), shared)
      : calls.map(({ call }) => interpreted(call.kernel, shared, features))
  return (feeds) => {
    new Uint32Array(shared.buffer, 0, bytes / 4).fill(guardBits)
    const given: { block: Block; values: Float32Array | Int32Array }[] = []
    for (const [key, at] of blocks) {
      const values = key instanceof Tensor ? givenValues(key, feeds) : (key as Int32Array | Float32Array)
      if (!values || !('length' in values)) continue
      const list = values instanceof Int32Array ? values : Float32Array.from(values)
      given.push({ block: at, values: list })
      viewOf(shared, at, list).set(list)
    }
    calls.forEach(({ step, call }, i) => {
      const addresses = call.arguments.map((argument) => block(argument, step).address)
      // the second half first, as threads may: points don't depend on each other
      const [first, end] = call.points ?? [0, pointsOf(call.kernel)]
      const middle = Math.floor((first + end) / 2)
      functions[i]!(...addresses, middle, end)
      if (middle > first) functions[i]!(...addresses, first, middle)
    })
    const values = roots.map((root) => {
      const at = blocks.get(storage(root))
      if (at) return new Float32Array(shared.buffer, at.address, at.length).slice()
      return Float32Array.from(givenValues(storage(root), feeds)!)
    })
    return { values, damage: damageOf(shared, [...blocks.values()], given) }
  }
}

const viewOf = ({ buffer }: WebAssembly.Memory, { address, length }: Block, like: Float32Array | Int32Array) =>
  like instanceof Int32Array ? new Int32Array(buffer, address, length) : new Float32Array(buffer, address, length)

function interpreted(kernel: Kernel, { buffer }: WebAssembly.Memory, { fused }: WasmFeatures) {
  return (...numbers: number[]) => {
    const views = kernel.buffers.map(({ name, element, length }, i) => [
      name,
      element === 'f32' ? new Float32Array(buffer, numbers[i], length) : new Int32Array(buffer, numbers[i], length),
    ])
    const [begin, end] = numbers.slice(-2)
    interpret(kernel, Object.fromEntries(views), begin, end, { fused })
  }
}

function damageOf(
  { buffer }: WebAssembly.Memory,
  blocks: Block[],
  given: { block: Block; values: ArrayLike<number> }[],
) {
  const bits = new Uint32Array(buffer)
  const intact = (from: number) => bits.subarray(from, from + guardBytes / 4).every((word) => word === guardBits)
  const damage: string[] = []
  for (const { address, length, name } of blocks) {
    if (!intact(address / 4 - guardBytes / 4)) damage.push(`written before ${name}`)
    if (!intact(address / 4 + length)) damage.push(`written after ${name}`)
  }
  for (const { block, values } of given) {
    const now = values instanceof Int32Array ? new Int32Array(buffer) : new Float32Array(buffer)
    const from = block.address / 4
    for (let i = 0; i < values.length; i++)
      if (!Object.is(now[from + i], values[i])) {
        damage.push(`${block.name}[${i}] was written, though it is only read`)
        break
      }
  }
  return damage
}
