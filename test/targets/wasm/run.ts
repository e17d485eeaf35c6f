/** Runs kernels on the wasm target and on the interpreter with the same memory, and compares every byte. */
import { expect } from 'vitest'
import type { RandomSource } from '../../../src/base/random.ts'
import { checkKernel } from '../../../src/kernel/check.ts'
import { interpret, type Memory } from '../../../src/kernel/interpret.ts'
import { type Buffer, elementBytes, type Kernel, pointsOf } from '../../../src/kernel/ir.ts'
import { printWat } from '../../../src/targets/wasm/assemble.ts'
import { emitFunctions, emitModule, type WasmFeatures } from '../../../src/targets/wasm/emit.ts'
import { wasmFeatures } from '../../../src/targets/wasm/features.ts'
import { loadModuleSync } from '../../../src/targets/wasm/load.ts'

const engine = wasmFeatures()
export const scalar: WasmFeatures = { ...engine, lanes: 1, simd: false, relaxed: false, fused: false }
export const simd: WasmFeatures = { ...engine, lanes: 4, simd: true, relaxed: false, fused: false }
export const relaxed: WasmFeatures = { ...engine, lanes: 4, simd: true, relaxed: true, fused: true }

/** Kernels with vectors run under these; relaxed SIMD only where the engine has it. */
export const vectorTargets = engine.relaxed ? [simd, relaxed] : [simd]
export const relaxedNote = engine.relaxed ? '' : ' (relaxed SIMD skipped: this engine has none)'

const guard = 64
const arrays = { f32: Float32Array, i32: Int32Array, i8: Int8Array, u8: Uint8Array }

/** Awkward values of f32, then plain ones. */
const specials = [0, -0, NaN, Infinity, -Infinity, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-40, -1e-40, 3e9, -3e9, 1e30, 16777217]

function fill(data: Memory[string], random: RandomSource, special: boolean): void {
  for (let n = 0; n < data.length; n++) {
    if (!(data instanceof Float32Array)) data[n] = random.integer(2 ** 32) >> (special ? 0 : random.integer(32))
    else if (special && random.integer(2) === 0) data[n] = specials[random.integer(specials.length)]!
    else data[n] = random.normal()
  }
}

/** Byte address of each buffer, with a gap after each: f32 and i32 at multiples of 4, bytes anywhere. */
function layout(buffers: readonly Buffer[]): { addresses: number[]; size: number } {
  let size = guard
  const addresses = buffers.map(({ element, length }) => {
    const bytes = elementBytes(element)
    size = Math.ceil(size / bytes) * bytes
    const address = size
    size += length * bytes + guard + 1
    return address
  })
  return { addresses, size }
}

const views = (kernel: Kernel, memory: ArrayBuffer, addresses: readonly number[]): Memory =>
  Object.fromEntries(
    kernel.buffers.map(({ name, element, length }, n) => [name, new arrays[element](memory, addresses[n]!, length)]),
  )

export interface Comparison {
  readonly ranges?: readonly (readonly [number, number])[]
  /** Whether f32 data has NaN, infinities and the like. Default false. */
  readonly special?: boolean
}

/** Expects the same bits from wasm and the interpreter; any NaN equals any NaN in f32 buffers. */
export function compareWithInterpreter(
  kernel: Kernel,
  features: WasmFeatures,
  random: RandomSource,
  { ranges = [[0, pointsOf(kernel)]], special = false }: Comparison = {},
): void {
  checkKernel(kernel)
  const { addresses, size } = layout(kernel.buffers)
  const memory = new WebAssembly.Memory({ initial: Math.ceil((size + guard) / 65536) })
  for (const data of Object.values(views(kernel, memory.buffer, addresses))) fill(data, random, special)
  const copy = memory.buffer.slice(0)
  const [run] = loadModuleSync(emitModule([kernel], features), memory)
  for (const [begin, end] of ranges) {
    run!(...addresses, begin, end)
    interpret(kernel, views(kernel, copy, addresses), begin, end, { fused: features.fused })
  }
  const actual = views(kernel, memory.buffer, addresses)
  const expected = views(kernel, copy, addresses)
  for (const [name, values] of Object.entries(actual)) {
    const others = expected[name]!
    for (let n = 0; n < values.length; n++)
      if (!Object.is(values[n], others[n]))
        expect.fail(`${kernel.name}: ${name}[${n}] is ${values[n]}, should be ${others[n]}\n${watOf(kernel, features)}`)
    // Compared; made equal so that what's left are the gaps, NaN aside.
    values.set(others as never)
  }
  expect(new Uint8Array(memory.buffer).findIndex((byte, n) => byte !== new Uint8Array(copy)[n])).toBe(-1)
}

export const watOf = (kernel: Kernel, features: WasmFeatures): string => printWat(emitFunctions([kernel], features))
