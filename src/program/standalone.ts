// A program made ahead of time: WebAssembly with all that runs it written down beside the kernels, and its weights.
import { sizeOf } from '../base/shape.ts'
import { Tensor, topological, Variable } from '../graph/tensor.ts'
import { emitModule, type WasmFeatures } from '../targets/wasm/emit.ts'
import { unsignedLeb } from '../targets/wasm/opcodes.ts'
import { blueprint } from './build.ts'
import type { Blueprint, Call, Location } from './layout.ts'

/** The custom section of the module that holds a `StandalonePlan` as JSON. */
export const planSection = 'fovea'

/** Values that go in or come out: row-major from byte `at` of the memory on. */
export interface StandalonePort {
  readonly name: string
  readonly shape: readonly number[]
  readonly at: number
  readonly length: number
}

/** Which kernel, the byte address of each of its buffers, its first point and the one after its last. */
export type StandaloneCall = readonly number[]

/** How to run a module: plain data. */
export interface StandalonePlan {
  /** Of memory, 65536 bytes each. */
  readonly pages: number
  /** Bytes of the file of weights. */
  readonly weightBytes: number
  /**
   * What is taken from the file of weights: byte address, first byte in the file, number of values, and bytes of each
   * there: 4 as they are, 1 for whole numbers (int8) that become float32.
   */
  readonly weights: readonly (readonly [at: number, from: number, count: number, bytes: number])[]
  /** Once, after the weights lie in memory. */
  readonly first: readonly StandaloneCall[]
  /** Each time. */
  readonly each: readonly StandaloneCall[]
  readonly inputs: readonly StandalonePort[]
  readonly outputs: readonly StandalonePort[]
}

export interface Standalone {
  /** For any engine with SIMD. */
  readonly wasm: Uint8Array<ArrayBuffer>
  /** The same for engines with relaxed SIMD, whose multiply-add is one instruction. */
  readonly relaxed: Uint8Array<ArrayBuffer>
  /** For either. */
  readonly weights: Uint8Array<ArrayBuffer>
}

type Named = ReadonlyMap<string, Tensor>

const simd: WasmFeatures = { name: 'wasm', lanes: 4, registers: 15, simd: true, relaxed: false, fused: false }
const relaxedSimd: WasmFeatures = { ...simd, relaxed: true, fused: true }

/** The same expressions with given values as variables, which lie in memory once and for all. */
function withoutConstants(roots: readonly Tensor[]): Tensor[] {
  const made = new Map<Tensor, Tensor>()
  for (const node of topological(roots)) {
    const inputs = node.inputs.map((input) => made.get(input)!)
    const same = inputs.every((input, i) => input === node.inputs[i])
    const { operation, shape } = node
    if (operation.kind === 'constant') made.set(node, new Variable(operation.data, shape).value)
    else made.set(node, same ? node : new Tensor(operation, inputs, shape))
  }
  return roots.map((root) => made.get(root)!)
}

type Values = Float32Array | Int32Array

/** A value's place in the file of weights. */
interface Part {
  readonly from: number
  readonly count: number
  readonly bytes: number
}

const isWhole = (value: number) => value === (value << 24) >> 24 && !Object.is(value, -0)

/** Collects what goes into the file of weights; equal tables are there once. */
function createFile() {
  const known = new Map<Variable | string, Part>()
  const pieces: Uint8Array[] = []
  let length = 0
  function add(key: Variable | string, values: () => Values): Part {
    const before = known.get(key)
    if (before) return before
    const data = values()
    const bytes = data instanceof Float32Array && data.every(isWhole) ? 1 : 4
    const piece = bytes === 1 ? Int8Array.from(data) : data
    pieces.push(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength))
    const part = { from: length, count: data.length, bytes }
    length += piece.byteLength
    known.set(key, part)
    return part
  }
  return {
    variable: (variable: Variable) => add(variable, () => variable.read()),
    table: (data: Values) => add(`${data.constructor.name} ${data.join()}`, () => data),
    length: () => length,
    content() {
      const all = new Uint8Array(length)
      let at = 0
      for (const piece of pieces) {
        all.set(piece, at)
        at += piece.length
      }
      return all
    },
  }
}

type File = ReturnType<typeof createFile>

/** The lowest addresses stay unused: an address computed wrongly is more likely to be noticed. */
const firstByte = 1024
const pageBytes = 65536
/** Vector loads may read a little past a buffer's end. */
const roomFor = (bytes: number) => Math.ceil((bytes + 16) / 64) * 64

const variablesIn = (calls: readonly Call[]): Variable[] =>
  calls.flatMap(({ locations }) => locations.flatMap((location) => ('variable' in location ? [location.variable] : [])))

/** Where everything lies: the program's own memory, variables, then the arena, which begins with what is read once. */
function placesOf({ ownBytes, arenaBytes, steady, calls, inputs, outputs }: Blueprint) {
  let end = firstByte + ownBytes
  const addresses = new Map<Variable, number>()
  const place = (variable: Variable) => {
    if (addresses.has(variable)) return
    addresses.set(variable, end)
    end += roomFor(sizeOf(variable.shape) * 4)
  }
  const given = [...outputs.map(({ location }) => location), ...inputs]
  for (const variable of variablesIn(calls)) place(variable)
  for (const location of given) if (location && 'variable' in location) place(location.variable)
  const arena = end
  for (const variable of variablesIn(steady)) place(variable)
  const addressAt = (location: Location) => {
    if ('own' in location) return firstByte + location.own
    return 'arena' in location ? arena + location.arena : addresses.get(location.variable)!
  }
  const pages = Math.ceil((Math.max(end, arena + arenaBytes) + 64) / pageBytes)
  return { addressAt, addresses, pages }
}

function planOf(made: Blueprint, file: File, inputs: Named, outputs: Named): Omit<StandalonePlan, 'weightBytes'> {
  const { addressAt, addresses, pages } = placesOf(made)
  const callsOf = (calls: readonly Call[]) =>
    calls.map(({ kernel, locations, first, points }) => [kernel, ...locations.map(addressAt), first, first + points])
  const port = (name: string, { shape }: Tensor, location: Location | undefined): StandalonePort => ({
    name,
    shape,
    // an input that nothing reads is checked like any other, and goes nowhere
    at: location ? addressAt(location) : -1,
    length: sizeOf(shape),
  })
  const parts: [number, Part][] = [
    ...made.constants.map(({ data, at }): [number, Part] => [addressAt({ own: at }), file.table(data)]),
    ...[...addresses].map(([variable, at]): [number, Part] => [at, file.variable(variable)]),
  ]
  return {
    pages,
    weights: parts.map(([at, { from, count, bytes }]) => [at, from, count, bytes] as const),
    first: callsOf(made.steady),
    each: callsOf(made.calls),
    inputs: [...inputs].map(([name, tensor], i) => port(name, tensor, made.inputs[i])),
    outputs: [...outputs].map(([name, tensor], i) => port(name, tensor, made.outputs[i]!.location)),
  }
}

/** A module's bytes with a custom section at the end. */
function withSection(module: Uint8Array, name: string, content: string): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder()
  const title = encoder.encode(name)
  const body = [...unsignedLeb(title.length), ...title]
  const data = encoder.encode(content)
  const head = [0, ...unsignedLeb(body.length + data.length), ...body]
  const all = new Uint8Array(module.length + head.length + data.length)
  all.set(module)
  all.set(head, module.length)
  all.set(data, module.length + head.length)
  return all
}

/**
 * Makes a program that runs without this library, on one thread.
 * @param inputs placeholders by name
 * @param outputs expressions of them and of variables, whose values now become the weights
 */
export function standalone(inputs: Named, outputs: Named): Standalone {
  const file = createFile()
  const results = withoutConstants([...outputs.values()])
  const plans = [simd, relaxedSimd].map((features) => {
    const made = blueprint([...inputs.values()], results, [], features)
    return { module: emitModule(made.kernels, features), plan: planOf(made, file, inputs, outputs) }
  })
  const [wasm, relaxed] = plans.map(({ module, plan }) => {
    const whole: StandalonePlan = { ...plan, weightBytes: file.length() }
    return withSection(module, planSection, JSON.stringify(whole))
  })
  return { wasm: wasm!, relaxed: relaxed!, weights: file.content() }
}
