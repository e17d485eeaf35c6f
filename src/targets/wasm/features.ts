/** What this engine can do, found by trying. */
import { assemble, floatBytes, type Instruction, type Local } from './assemble.ts'
import type { WasmFeatures } from './expression.ts'
import { loadModuleSync } from './load.ts'

const memory = { shared: false, minimum: 0 }
const pointer: Local = { type: 'i', name: 'pointer' }

const probe = (code: readonly Instruction[]) =>
  assemble([{ name: 'probe', parameters: [pointer], locals: [], code }], memory)

const splatOf = (value: number): Instruction => ({
  op: 'v128.const',
  bytes: [0, 0, 0, 0].flatMap(() => floatBytes(value)),
})

/** Stores `value` at the pointer. */
const storing = (...value: Instruction[]): Instruction[] => [
  { op: 'local.get', local: pointer },
  ...value,
  { op: 'v128.store', numbers: [2, 0] },
]

// (1 + e)(1 - e) - 1 with e = 2^-12 is -2^-24 when rounded once; rounded twice it's 0, as the product becomes 1.
const epsilon = 2 ** -12
const fusedDiffers = storing(splatOf(1 + epsilon), splatOf(1 - epsilon), splatOf(-1), { op: 'f32x4.relaxed_madd' })

function isFused(): boolean {
  const tiny = new WebAssembly.Memory({ initial: 1 })
  loadModuleSync(probe(fusedDiffers), tiny)[0]!(0)
  return new Float32Array(tiny.buffer)[0] !== 0
}

/**
 * Of 128-bit SIMD code on x86-64, the smallest in use, but for one that holds zeros. V8 before 13.5 (Node 20 and 22),
 * which is known by what came with that version, spills from 13 on: with tiles of 4x8 most layers run there 1.2 to
 * 1.5 times as fast as with 6x8.
 */
const registers = 'f16round' in Math ? 15 : 12

/** What the engine that runs this can do: SIMD and relaxed SIMD by validating tiny modules, fused by running one. */
export function wasmFeatures(): WasmFeatures {
  const simd = WebAssembly.validate(probe(storing(splatOf(0))))
  const relaxed = simd && WebAssembly.validate(probe(fusedDiffers))
  return { name: 'wasm', lanes: simd ? 4 : 1, registers, fused: relaxed && isFused(), simd, relaxed }
}
