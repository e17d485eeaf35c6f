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
import type { Blueprint, Location } from './build.ts'

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
}

function createRuntime(): Runtime {
  const memory = createMemory()
  const addresses = new WeakMap<Variable, number>()
  const dropped = new FinalizationRegistry<number>((address) => memory.free(address))
  let arena = { address: 0, bytes: 0 }
  return {
    memory,
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

/** Makes a blueprint run: machine code, constants in memory, addresses filled in. */
export async function load(blueprint: Blueprint, target: Target): Promise<Executable> {
  printBlueprint(blueprint)
  const functions = await kernelFunctions(blueprint.kernels, target)
  const { memory, addressOf, arena } = runtime()
  const constants = blueprint.constantBytes > 0 ? memory.allocate(blueprint.constantBytes) : 0
  for (const { data, at } of blueprint.constants) {
    const view = data instanceof Int32Array ? memory.ints : memory.floats
    view(constants + at, data.length).set(data)
  }
  const timed = debugs('time')
  let base = -1
  let calls: Ready[] = []
  const addressAt = (location: Location) => {
    if ('arena' in location) return base + location.arena
    return 'constant' in location ? constants + location.constant : addressOf(location.variable)
  }
  /** Addresses are worked out anew only when the arena has moved. */
  function prepare(): void {
    const address = arena(Math.max(blueprint.arenaBytes, 1))
    if (address === base) return
    base = address
    calls = blueprint.calls.map(({ kernel, points, locations }) => ({
      run: functions[kernel]!,
      numbers: [...locations.map(addressAt), 0, points],
    }))
  }
  const executable: Executable = {
    blueprint,
    run(inputs) {
      prepare()
      if (debugs('check')) memory.floats(base, blueprint.arenaBytes >> 2).fill(Number.NaN)
      blueprint.inputs.forEach((location, i) => {
        if (location) memory.floats(addressAt(location), inputs[i]!.length).set(inputs[i]!)
      })
      if (timed) runTimed(blueprint, calls)
      else for (const { run, numbers } of calls) run(...numbers)
      const results = blueprint.outputs.map(({ location, length }) =>
        memory.floats(addressAt(location), length).slice(),
      )
      // all new values are taken before any is written: one may be another variable's old value
      const values = blueprint.copies.map(({ from, to }) => memory.floats(addressAt(from), sizeOf(to.shape)).slice())
      blueprint.copies.forEach(({ to }, i) => {
        memory.floats(addressOf(to), values[i]!.length).set(values[i]!)
      })
      return results
    },
    runStep(step) {
      prepare()
      blueprint.calls.forEach((call, i) => {
        if (call.step === step) calls[i]!.run(...calls[i]!.numbers)
      })
    },
  }
  if (constants > 0) freed.register(executable, constants)
  return executable
}
