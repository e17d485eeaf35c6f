import { checkCount, fail } from '../base/errors.ts'
import { sizeOf } from '../base/shape.ts'
import type { Variable } from '../graph/tensor.ts'
import type { RatedTile } from '../plan/tiles.ts'
import type { PlanFeatures } from '../plan/types.ts'
import { createMemory, type Memory } from '../runtime/memory.ts'
import { platform } from '../runtime/platform.ts'
import { createPool, type Pool } from '../runtime/pool.ts'
import type { WasmFeatures } from '../targets/wasm/emit.ts'
import { wasmFeatures } from '../targets/wasm/features.ts'

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
  const memory = createMemory(platform().shares)
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
        const values = memory.floats(address, length)
        if (variable.initial) values.set(variable.initial)
        else values.fill(0)
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
let wanted: number | undefined

const mostThreads = () => {
  const { cores, shares } = platform()
  return shares ? (wanted ?? Math.min(cores, 8)) : 1
}

let tiles: readonly RatedTile[] | undefined

/** What the engine can do, probed once, how many threads there may be, and tiles that were measured. */
export function features(): WasmFeatures & Pick<PlanFeatures, 'threads' | 'tiles'> {
  known ??= { ...wasmFeatures(), shared: platform().shares }
  return { ...known, threads: mostThreads(), tiles }
}

/** Programs that are planned from now on choose among these; undefined: as before any was measured. */
export function setTiles(rated: readonly RatedTile[] | undefined): void {
  tiles = rated
}

let crew: Pool | undefined
let told = false

/** The threads that programs run on, started when first needed; undefined = the calling one alone. */
export function pool(): Pool | undefined {
  const { cores, shares } = platform()
  if (!shares) {
    if (!told && cores > 1 && (wanted ?? 2) > 1)
      console.info('fovea: one thread, for this page is not cross-origin isolated and so has no shared memory')
    told = true
    return undefined
  }
  const threads = mostThreads()
  if (threads > 1) crew ??= createPool(runtime().memory.memory, threads)
  return crew
}

/**
 * How many threads programs run on from now on. Results have the same bits for any number. Default: one for each core,
 * at most 8 (in a page one fewer, and one alone unless it is cross-origin isolated).
 */
export function setThreads(count: number): void {
  checkCount('setThreads', 'count', count, 1)
  if (count > 64) fail('setThreads', `${count} threads`, 'Use at most 64')
  wanted = count
  crew?.end()
  crew = undefined
}
