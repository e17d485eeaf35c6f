/** From instruction lists to the bytes of a WebAssembly module, and to its text. */
import { invariant } from '../../base/errors.ts'
import { type OpcodeName, opcodes, type StackType, unsignedLeb } from './opcodes.ts'

export interface Local {
  readonly type: StackType
  /** For the printed text only; locals are told apart by identity. */
  readonly name: string
}

/** One instruction; which of the optional fields it has follows from `opcodes[op].immediate`. */
export interface Instruction {
  readonly op: OpcodeName
  readonly local?: Local
  /** Depth, constant, lane; [log2 of the alignment, offset in bytes] for memory, then the lane if it has one. */
  readonly numbers?: readonly number[]
  /** 16 bytes. */
  readonly bytes?: readonly number[]
}

/** A function without result, exported under its name. */
export interface WasmFunction {
  readonly name: string
  readonly parameters: readonly Local[]
  readonly locals: readonly Local[]
  readonly code: readonly Instruction[]
}

/** The import `env.memory`; sizes in pages of 65536 bytes. A shared memory needs a maximum. */
export interface MemoryImport {
  readonly shared: boolean
  readonly minimum: number
  readonly maximum?: number
}

const typeBytes: Record<StackType, number> = { i: 0x7f, f: 0x7d, v: 0x7b }
const typeNames: Record<StackType, string> = { i: 'i32', f: 'f32', v: 'v128' }

/** Signed LEB128 of a 32-bit integer. */
export function signedLeb(value: number): number[] {
  const bytes: number[] = []
  let rest = value | 0
  for (;;) {
    const low = rest & 127
    rest >>= 7
    if ((rest === 0 && low < 64) || (rest === -1 && low >= 64)) {
      bytes.push(low)
      return bytes
    }
    bytes.push(low | 128)
  }
}

/** Little-endian bytes of a 32-bit float. */
export const floatBytes = (value: number): number[] => [...new Uint8Array(new Float32Array([value]).buffer)]

const text = (value: string): number[] => {
  const bytes = [...new TextEncoder().encode(value)]
  return [...unsignedLeb(bytes.length), ...bytes]
}

type Bytes = readonly number[] | Uint8Array<ArrayBuffer>

/** All parts in one piece of memory: modules are too long to be copied byte by byte. */
function join(parts: readonly Bytes[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

const vector = (items: readonly Bytes[]): Bytes => join([unsignedLeb(items.length), ...items])

const sized = (bytes: Bytes): Bytes => join([unsignedLeb(bytes.length), bytes])

const section = (id: number, bytes: Bytes): Bytes => join([[id], sized(bytes)])

function append(out: number[], bytes: readonly number[]): void {
  for (let i = 0; i < bytes.length; i++) out.push(bytes[i]!)
}

/** Adds one instruction's bytes to `out`. */
function encode(out: number[], instruction: Instruction, indices: ReadonlyMap<Local, number>): void {
  const { bytes, immediate } = opcodes[instruction.op]
  const numbers = instruction.numbers ?? []
  append(out, bytes)
  switch (immediate) {
    case 'none':
      break
    case 'block':
      out.push(0x40)
      break
    case 'local': {
      const index = indices.get(instruction.local!)
      invariant(index !== undefined, `${instruction.op} of a local that isn't declared: ${instruction.local?.name}`)
      append(out, unsignedLeb(index))
      break
    }
    case 'i32':
      append(out, signedLeb(numbers[0]!))
      break
    case 'f32':
      append(out, floatBytes(numbers[0]!))
      break
    case 'bytes':
      append(out, instruction.bytes!)
      break
    case 'depth':
    case 'lane':
    case 'memory':
    case 'memoryLane':
      for (const value of numbers) {
        invariant(value >= 0, `${instruction.op} has a negative immediate: ${numbers}`)
        append(out, unsignedLeb(value))
      }
  }
}

/** Locals sorted by type, so that the code section declares at most three runs of them. */
function functionBody(definition: WasmFunction): Bytes {
  const runs = (['i', 'f', 'v'] as const)
    .map((type) => ({ type, locals: definition.locals.filter((local) => local.type === type) }))
    .filter((run) => run.locals.length > 0)
  const indices = new Map<Local, number>()
  for (const local of definition.parameters) indices.set(local, indices.size)
  for (const run of runs) for (const local of run.locals) indices.set(local, indices.size)
  const declarations = vector(runs.map((run) => [...unsignedLeb(run.locals.length), typeBytes[run.type]]))
  const code: number[] = []
  for (const instruction of definition.code) encode(code, instruction, indices)
  return sized(join([declarations, code, opcodes.end.bytes]))
}

function memoryLimits({ shared, minimum, maximum }: MemoryImport): number[] {
  invariant(!shared || maximum !== undefined, 'a shared memory needs a maximum')
  const flag = shared ? 3 : maximum === undefined ? 0 : 1
  return [flag, ...unsignedLeb(minimum), ...(maximum === undefined ? [] : unsignedLeb(maximum))]
}

/** The bytes of a module that imports `env.memory` and exports every function under its name. */
export function assemble(functions: readonly WasmFunction[], memory: MemoryImport): Uint8Array<ArrayBuffer> {
  const signatures = functions.map(({ parameters }) => parameters.map((local) => local.type).join(''))
  const types = [...new Set(signatures)]
  const typeSection = types.map((types) => [0x60, ...vector([...types].map((t) => [typeBytes[t as StackType]])), 0])
  const exports = functions.map(({ name }, index) => [...text(name), 0, ...unsignedLeb(index)])
  const sections = [
    section(1, vector(typeSection)),
    section(2, vector([[...text('env'), ...text('memory'), 2, ...memoryLimits(memory)]])),
    section(3, vector(signatures.map((signature) => unsignedLeb(types.indexOf(signature))))),
    section(7, vector(exports)),
    section(10, vector(functions.map(functionBody))),
  ]
  return join([[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], ...sections])
}

function immediateText(instruction: Instruction, names: ReadonlyMap<Local, string>): string {
  const numbers = instruction.numbers ?? []
  switch (opcodes[instruction.op].immediate) {
    case 'none':
    case 'block':
      return ''
    case 'local':
      return ` ${names.get(instruction.local!)}`
    case 'bytes': {
      const shape = instruction.op === 'v128.const' ? ' i8x16' : ''
      return `${shape} ${instruction.bytes!.join(' ')}`
    }
    case 'memory':
    case 'memoryLane': {
      const [align, offset, lane] = numbers
      return `${offset === 0 ? '' : ` offset=${offset}`} align=${2 ** align!}${lane === undefined ? '' : ` ${lane}`}`
    }
    case 'f32':
      return ` ${String(numbers[0]).replace('Infinity', 'inf').replace('NaN', 'nan')}`
    default:
      return ` ${numbers.join(' ')}`
  }
}

/** `$name`, with a number added where two locals have the same name. */
function localNames(locals: readonly Local[]): Map<Local, string> {
  const taken = new Map<string, number>()
  const names = new Map<Local, string>()
  for (const local of locals) {
    const count = taken.get(local.name) ?? 0
    taken.set(local.name, count + 1)
    names.set(local, `$${local.name}${count === 0 ? '' : `.${count}`}`)
  }
  return names
}

/** The functions in WebAssembly's text format (flat form), as `--show wat` prints them. */
export function printWat(functions: readonly WasmFunction[]): string {
  return functions.map(printFunction).join('\n')
}

function printFunction({ name, parameters, locals, code }: WasmFunction): string {
  const names = localNames([...parameters, ...locals])
  const declare = (keyword: string) => (local: Local) => `(${keyword} ${names.get(local)} ${typeNames[local.type]})`
  const lines = [`(func $${name} (export "${name}") ${parameters.map(declare('param')).join(' ')}`]
  if (locals.length > 0) lines.push(`  ${locals.map(declare('local')).join(' ')}`)
  let depth = 1
  for (const instruction of code) {
    if (instruction.op === 'end') depth--
    lines.push(`${'  '.repeat(depth)}${instruction.op}${immediateText(instruction, names)}`)
    if (opcodes[instruction.op].immediate === 'block') depth++
  }
  return `${lines.join('\n')})`
}
