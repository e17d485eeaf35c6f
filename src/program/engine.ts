import { debugs } from '../base/debug.ts'
import { sizeOf } from '../base/shape.ts'
import type { Kernel } from '../kernel/ir.ts'
import type { KernelFunction, KernelRun, ThreadCall } from '../runtime/crew.ts'
import type { Pool } from '../runtime/pool.ts'
import { emitModule } from '../targets/wasm/emit.ts'
import { kernelsOf } from '../targets/wasm/load.ts'
import type { Blueprint, Call, Location } from './layout.ts'
import { features, pool, runtime } from './state.ts'

export type Target = 'wasm' | 'interpreter'

/** A program that can run. Nothing but variables persists between calls. */
export interface Executable {
  readonly blueprint: Blueprint
  run(inputs: readonly ArrayLike<number>[]): Promise<Float32Array[]>
  /** Runs one step's kernels, on this thread alone, on whatever lies in memory: for measuring, after a `run`. */
  runStep(step: number): void
}

/** Kernels ready to be called, and the module that other threads need. */
interface Code {
  readonly kernels: readonly KernelFunction[]
  readonly module: WebAssembly.Module | undefined
}

const runAlone = ({ chunks }: ThreadCall, kernels: readonly KernelFunction[]): void => {
  for (const runs of chunks)
    for (const { kernel, addresses, first, points } of runs) kernels[kernel]!(...addresses, first, first + points)
}

const freed = new FinalizationRegistry<() => void>((release) => release())

async function compileKernels(kernels: readonly Kernel[], target: Target): Promise<Code> {
  const { memory } = runtime()
  if (target === 'wasm') {
    const module = await WebAssembly.compile(emitModule(kernels, features()))
    return { kernels: kernelsOf(module, memory.memory), module }
  }
  // fetched when it's needed, so that a page that only trains needn't load it
  const { interpret } = await import('../kernel/interpret.ts')
  const interpreted = kernels.map(
    (kernel): KernelFunction =>
      (...numbers) => {
        const views = kernel.buffers.map((buffer, i) => {
          const view = buffer.element === 'f32' ? memory.floats : memory.ints
          return [buffer.name, view(numbers[i]!, buffer.length)] as const
        })
        const [begin, end] = numbers.slice(-2)
        interpret(kernel, Object.fromEntries(views), begin, end, { fused: features().fused })
      },
  )
  return { kernels: interpreted, module: undefined }
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

/** From this many instructions on, a call is worth waking other threads for: about 15 microseconds. */
const worthSharing = 50_000
/** From this many instructions in such calls on, a run is worth waking threads for: about half a millisecond. */
const worthWaking = 4_000_000
/** Pieces of a shared call: enough that threads of different speed end together. */
const mostPieces = 16

type ReadyCall = ThreadCall & { readonly step: number; readonly work: number }

/** Calls in the order in which they run: alone, or in chunks of one step that may run at once. */
function groupCalls(calls: readonly Call[]): Call[][][] {
  const groups: Call[][][] = []
  let before: Call | undefined
  for (const call of calls) {
    const joins = before && call.chunk !== undefined && before.chunk !== undefined && before.step === call.step
    if (!joins) groups.push([[call]])
    else if (before!.chunk === call.chunk) groups.at(-1)!.at(-1)!.push(call)
    else groups.at(-1)!.push([call])
    before = call
  }
  return groups
}

/** A group of calls at its addresses. */
function readyCall(group: readonly (readonly Call[])[], addressAt: (location: Location) => number): ReadyCall {
  const all = group.flat()
  const chunks = group.map((calls) =>
    calls.map(({ kernel, locations, first, points }): KernelRun => {
      const copies = locations.map((location) => ('copy' in location ? location.copy! : 0))
      const run = { kernel, addresses: locations.map(addressAt), first, points }
      return copies.some((bytes) => bytes > 0) ? { ...run, copies } : run
    }),
  )
  const work = all.reduce((sum, call) => sum + call.work, 0)
  const parts = group.length > 1 ? group.length : Math.min(all[0]!.points, mostPieces)
  return {
    chunks,
    pieces: work >= worthSharing ? parts : 1,
    threads: Math.min(...all.map(({ threads }) => threads)),
    step: all[0]!.step,
    work,
  }
}

const isWorthWaking = (calls: readonly ReadyCall[]) =>
  calls.reduce((sum, { pieces, work }) => sum + (pieces > 1 ? work : 0), 0) >= worthWaking

/** Calls of a program at their addresses, run on one thread or on all. */
function callList(code: Code, calls: readonly ReadyCall[]) {
  const worthIt = code.module !== undefined && isWorthWaking(calls)
  let crew: Pool | undefined
  let id = -1
  return {
    calls,
    run(): void | Promise<void> {
      const now = worthIt ? pool() : undefined
      if (!now) {
        for (const call of calls) runAlone(call, code.kernels)
        return
      }
      if (now !== crew) id = now.add({ module: code.module!, calls, kernels: code.kernels })
      crew = now
      return now.run(id)
    },
    drop: () => crew?.drop(id),
  }
}

/** Makes a blueprint run: machine code, constants in memory, addresses filled in. */
export async function load(blueprint: Blueprint, target: Target): Promise<Executable> {
  if (debugs('plan') || debugs('kernel') || debugs('wat')) (await import('./print.ts')).printBlueprint(blueprint)
  if (debugs('check')) {
    const { checkKernel } = await import('../kernel/check.ts')
    for (const kernel of blueprint.kernels) checkKernel(kernel)
  }
  const code = await compileKernels(blueprint.kernels, target)
  const shared = runtime()
  const { memory, addressOf, arena } = shared
  const own = ownMemory(blueprint)
  let base = -1
  let steady = callList(code, [])
  let calls = callList(code, [])
  /** `shared.writes` when the steady calls last ran. */
  let steadyAt = -1
  const addressAt = (location: Location) => {
    if ('arena' in location) return base + location.arena
    return 'own' in location ? own + location.own : addressOf(location.variable)
  }
  const listOf = (planned: readonly Call[]) =>
    callList(
      code,
      groupCalls(planned).map((group) => readyCall(group, addressAt)),
    )
  /** Addresses are worked out anew only when the arena has moved. */
  function prepare(): void {
    const address = arena(Math.max(blueprint.arenaBytes, 1))
    if (address === base) return
    base = address
    steady.drop()
    calls.drop()
    steady = listOf(blueprint.steady)
    calls = listOf(blueprint.calls)
  }
  const executable: Executable = {
    blueprint,
    async run(inputs) {
      prepare()
      const { writes } = shared
      if (steadyAt !== writes) await steady.run()
      steadyAt = writes
      if (debugs('check')) memory.floats(base, blueprint.arenaBytes >> 2).fill(Number.NaN)
      blueprint.inputs.forEach((location, i) => {
        if (location) memory.floats(addressAt(location), inputs[i]!.length).set(inputs[i]!)
      })
      if (debugs('time'))
        (await import('./print.ts')).runTimed(blueprint, calls.calls, (call) => runAlone(call, code.kernels))
      else await calls.run()
      const results = blueprint.outputs.map(({ location, length }) =>
        memory.floats(addressAt(location), length).slice(),
      )
      copyNews(blueprint, addressAt)
      if (blueprint.changesVariables) {
        // what this program changes, its own steady results don't depend on
        if (steadyAt === shared.writes) steadyAt++
        shared.writes++
      }
      return results
    },
    runStep(step) {
      for (const call of calls.calls) if (call.step === step) runAlone(call, code.kernels)
    },
  }
  freed.register(executable, () => {
    steady.drop()
    calls.drop()
    if (own > 0) memory.free(own)
  })
  return executable
}
