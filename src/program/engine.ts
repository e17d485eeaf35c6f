import { debugs } from '../base/debug.ts'
import { sizeOf } from '../base/shape.ts'
import type { Variable } from '../graph/tensor.ts'
import { interpret } from '../kernel/interpret.ts'
import type { Kernel } from '../kernel/ir.ts'
import { printKernel } from '../kernel/print.ts'
import { printPlan } from '../plan/choose.ts'
import { createMemory, type Memory } from '../runtime/memory.ts'
import { printWat } from '../targets/wasm/assemble.ts'
import { emitFunctions, emitModule, type WasmFeatures } from '../targets/wasm/emit.ts'
import { wasmFeatures } from '../targets/wasm/features.ts'
import { loadModule } from '../targets/wasm/load.ts'
import type { Blueprint, Call, Location } from './layout.ts'

export type Target = 'wasm' | 'interpreter'

/** A kernel ready to run: (byte address of each buffer, begin, end). */
type KernelFunction = (...numbers: number[]) => void

/** Memory that all programs of this process share: variables, constants, and one arena for whoever runs. */
export interface Runtime {
  readonly memory: Memory
  /** Byte address of a variable, placed on first use. */
  addressOf(variable: Variable): number
  /** Byte address of the arena, at least `bytes` long. */
  arena(bytes: number): number
  /** How often variables were written, by programs or from outside. */
  writes: number
}

function createRuntime(): Runtime {
  const memory = createMemory()
  const addresses = new WeakMap<Variable, number>()
  const dropped = new FinalizationRegistry<number>((address) => memory.free(address))
  let arena = { address: 0, bytes: 0 }
  return {
    memory,
    writes: 0,
    addressOf(variable) {
      let address = addresses.get(variable)
      if (address === undefined) {
        const length = sizeOf(variable.shape)
        address = memory.allocate(length * 4)
        memory.floats(address, length).set(variable.initial!)
        variable.initial = undefined
        addresses.set(variable, address)
        dropped.register(variable, address)
      }
      return address
    },
    arena(bytes) {
      if (arena.bytes < bytes) {
        if (arena.bytes > 0) memory.free(arena.address)
        arena = { address: memory.allocate(bytes), bytes }
      }
      return arena.address
    },
  }
}

let shared: Runtime | undefined

export function runtime(): Runtime {
  shared ??= createRuntime()
  return shared
}

let known: WasmFeatures | undefined

/** What the engine can do, probed once. */
export function features(): WasmFeatures {
  known ??= wasmFeatures()
  return known
}

/** A program that can run. Nothing but variables persists between calls. */
export interface Executable {
  readonly blueprint: Blueprint
  run(inputs: readonly ArrayLike<number>[]): Float32Array[]
  /** Runs one step's kernels on whatever lies in memory: for measuring, after a `run`. */
  runStep(step: number): void
}

interface Ready {
  readonly run: KernelFunction
  readonly numbers: readonly number[]
}

/** What FOVEA_DEBUG asks to see of a program before it first runs. */
function printBlueprint({ steps, kernels, arenaBytes }: Blueprint): void {
  if (debugs('plan')) {
    const lines = steps.map(
      ({ label, node, plan }) => `  ${label} [${node.shape}]${plan ? `: ${printPlan(plan)}` : ''}`,
    )
    console.error(`fovea program: ${steps.length} steps, arena ${arenaBytes} bytes\n${lines.join('\n')}`)
  }
  if (debugs('kernel')) for (const kernel of kernels) console.error(printKernel(kernel))
  if (debugs('wat')) console.error(printWat(emitFunctions(kernels, features())))
}

function runTimed({ calls, steps }: Blueprint, ready: readonly Ready[]): void {
  const spent = steps.map(() => 0)
  ready.forEach(({ run, numbers }, i) => {
    const before = performance.now()
    run(...numbers)
    spent[calls[i]!.step]! += performance.now() - before
  })
  const lines = steps.map(({ label, node }, i) => `  ${spent[i]!.toFixed(3)} ms  ${label} [${node.shape}]`)
  console.error(`fovea run\n${lines.join('\n')}`)
}

const freed = new FinalizationRegistry<number>((address) => runtime().memory.free(address))

async function kernelFunctions(kernels: readonly Kernel[], target: Target): Promise<readonly KernelFunction[]> {
  const { memory } = runtime()
  if (target === 'wasm') return loadModule(emitModule(kernels, features()), memory.memory)
  return kernels.map((kernel) => (...numbers) => {
    const views = kernel.buffers.map((buffer, i) => {
      const view = buffer.element === 'f32' ? memory.floats : memory.ints
      return [buffer.name, view(numbers[i]!, buffer.length)] as const
    })
    const [begin, end] = numbers.slice(-2)
    interpret(kernel, Object.fromEntries(views), begin, end, { fused: features().fused })
  })
}

/** A program's own memory, with its tables in it. */
function ownMemory({ ownBytes, constants }: Blueprint): number {
  if (ownBytes === 0) return 0
  const { memory } = runtime()
  const address = memory.allocate(ownBytes)
  for (const { data, at } of constants) {
    const view = data instanceof Int32Array ? memory.ints : memory.floats
    view(address + at, data.length).set(data)
  }
  return address
}

/** Copies new values to variables; all are taken before any is written: one may be another variable's old value. */
function copyNews({ copies }: Blueprint, addressAt: (location: Location) => number): void {
  const { memory, addressOf } = runtime()
  const values = copies.map(({ from, to }) => memory.floats(addressAt(from), sizeOf(to.shape)).slice())
  copies.forEach(({ to }, i) => {
    memory.floats(addressOf(to), values[i]!.length).set(values[i]!)
  })
}

const runAll = (calls: readonly Ready[]) => {
  for (const { run, numbers } of calls) run(...numbers)
}

/** Makes a blueprint run: machine code, constants in memory, addresses filled in. */
export async function load(blueprint: Blueprint, target: Target): Promise<Executable> {
  printBlueprint(blueprint)
  const functions = await kernelFunctions(blueprint.kernels, target)
  const shared = runtime()
  const { memory, addressOf, arena } = shared
  const own = ownMemory(blueprint)
  let base = -1
  let steady: Ready[] = []
  let calls: Ready[] = []
  /** `shared.writes` when the steady calls last ran. */
  let steadyAt = -1
  const addressAt = (location: Location) => {
    if ('arena' in location) return base + location.arena
    return 'own' in location ? own + location.own : addressOf(location.variable)
  }
  const ready = ({ kernel, points, locations }: Call): Ready => ({
    run: functions[kernel]!,
    numbers: [...locations.map(addressAt), 0, points],
  })
  /** Addresses are worked out anew only when the arena has moved. */
  function prepare(): void {
    const address = arena(Math.max(blueprint.arenaBytes, 1))
    if (address !== base) {
      base = address
      steady = blueprint.steady.map(ready)
      calls = blueprint.calls.map(ready)
    }
    if (steadyAt !== shared.writes) runAll(steady)
    steadyAt = shared.writes
  }
  const executable: Executable = {
    blueprint,
    run(inputs) {
      prepare()
      if (debugs('check')) memory.floats(base, blueprint.arenaBytes >> 2).fill(Number.NaN)
      blueprint.inputs.forEach((location, i) => {
        if (location) memory.floats(addressAt(location), inputs[i]!.length).set(inputs[i]!)
      })
      if (debugs('time')) runTimed(blueprint, calls)
      else runAll(calls)
      const results = blueprint.outputs.map(({ location, length }) =>
        memory.floats(addressAt(location), length).slice(),
      )
      copyNews(blueprint, addressAt)
      if (blueprint.changesVariables) {
        // what this program changes, its own steady results don't depend on
        shared.writes++
        steadyAt = shared.writes
      }
      return results
    },
    runStep(step) {
      prepare()
      calls.forEach(({ run, numbers }, i) => {
        if (blueprint.calls[i]!.step === step) run(...numbers)
      })
    },
  }
  if (own > 0) freed.register(executable, own)
  return executable
}
