/**
 * The definition of the loop language: runs a kernel with every access checked. The tree is translated once into a
 * list of instructions, closures over one file of 32-bit registers that is seen as f32 and as i32.
 */
import { fail, invariant } from '../base/errors.ts'
import {
  binaryInstruction,
  compareInstruction,
  convertInstruction,
  type Instruction,
  type Machine,
  multiplyAddInstruction,
  selectInstruction,
  shiftInstruction,
  splatInstruction,
  unaryInstruction,
} from './instructions.ts'
import type { Affine, Buffer, Element, Expr, Kernel, Statement } from './ir.ts'
import { pointsOf } from './ir.ts'
import { printHead } from './print.ts'

export type Memory = Readonly<Record<string, Float32Array | Int32Array | Int8Array | Uint8Array>>

export interface InterpretOptions {
  /** Whether multiplyAdd on vectors rounds once. Default false. */
  readonly fused?: boolean
}

interface Translation extends Machine {
  readonly buffers: ReadonlyMap<string, { readonly buffer: Buffer; readonly data: Memory[string] }>
  readonly fused: boolean
  /** Register of each local and index by name. */
  readonly names: Map<string, number>
  /** Registers given out so far. */
  used: number
}

/**
 * Runs points [begin, end) of `kernel` on `memory`, which holds one array of at least the declared length for every
 * buffer. Loads and stores outside a buffer throw.
 */
export function interpret(
  kernel: Kernel,
  memory: Memory,
  begin = 0,
  end: number = pointsOf(kernel),
  { fused = false }: InterpretOptions = {},
): void {
  if (!(begin >= 0 && begin <= end && end <= pointsOf(kernel)))
    fail('interpret', `points [${begin}, ${end}) are not within [0, ${pointsOf(kernel)})`, 'Give a range within them')
  const registers = new ArrayBuffer(16 * (countNodes(kernel.body) + kernel.axes.length + 1))
  const t: Translation = {
    f: new Float32Array(registers),
    i: new Int32Array(registers),
    buffers: new Map(kernel.buffers.map((buffer) => [buffer.name, { buffer, data: arrayFor(buffer, memory) }])),
    fused,
    names: new Map(),
    used: 0,
  }
  const axes = kernel.axes.map(({ index, extent }) => ({ extent, at: nameRegister(t, index, 1) }))
  const code = translateBody(t, kernel.body)
  for (let point = begin; point < end; point++) {
    let rest = point
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      const { extent, at } = axes[axis]!
      t.i[at] = rest % extent
      rest = Math.floor(rest / extent)
    }
    run(code)
  }
}

const arrays = { f32: Float32Array, i32: Int32Array, i8: Int8Array, u8: Uint8Array }

function arrayFor({ name, element, length }: Buffer, memory: Memory): Memory[string] {
  const data = memory[name]
  const expected = arrays[element]
  if (!(data instanceof expected) || data.length < length)
    fail('interpret', `buffer ${name} has no ${expected.name} of ${length} elements`, 'Pass one in memory')
  return data
}

/** An upper bound on the values a body makes. */
function countNodes(part: unknown): number {
  if (typeof part !== 'object' || part === null) return 0
  return Object.values(part).reduce((sum: number, inner) => sum + countNodes(inner), 1)
}

function run(code: readonly Instruction[]): void {
  for (let n = 0; n < code.length; n++) code[n]!()
}

function newRegister(t: Translation, lanes: number): number {
  t.used += lanes
  return t.used - lanes
}

function nameRegister(t: Translation, name: string, lanes: number): number {
  const register = newRegister(t, lanes)
  t.names.set(name, register)
  return register
}

function registerOf(t: Translation, name: string): number {
  const register = t.names.get(name)
  invariant(register !== undefined, `interpret: ${name} is not defined`)
  return register
}

function translateBody(t: Translation, body: readonly Statement[]): Instruction[] {
  const code: Instruction[] = []
  for (const statement of body) translateStatement(t, statement, code)
  return code
}

function translateStatement(t: Translation, statement: Statement, code: Instruction[]): void {
  const { i } = t
  switch (statement.kind) {
    case 'loop': {
      const { from, to, step } = statement
      const at = nameRegister(t, statement.index, 1)
      const inner = translateBody(t, statement.body)
      code.push(() => {
        for (let value = from; value < to; value += step) {
          i[at] = value
          run(inner)
        }
      })
      return
    }
    case 'let':
    case 'var': {
      const to = newRegister(t, statement.value.lanes)
      translateInto(t, statement.value, to, code)
      t.names.set(statement.name, to)
      return
    }
    case 'set':
      translateInto(t, statement.value, registerOf(t, statement.name), code)
      return
    case 'store':
      translateStore(t, statement, code)
      return
    case 'clampIndex': {
      const { low, high } = statement
      const value = translate(t, statement.value, code)
      const at = nameRegister(t, statement.index, 1)
      code.push(() => {
        i[at] = Math.min(Math.max(i[value]!, low), high)
      })
      return
    }
  }
}

/** The last instruction may write where it reads: every one reads a lane before it writes it. */
function translateInto(t: Translation, e: Expr, to: number, code: Instruction[]): void {
  const value = translate(t, e, code, to)
  if (value !== to) copy(t, to, value, e.lanes, code)
}

/** Moves bits, so NaNs keep theirs. */
function copy({ i }: Machine, to: number, from: number, lanes: number, code: Instruction[]): void {
  if (lanes === 1)
    code.push(() => {
      i[to] = i[from]!
    })
  else
    code.push(() => {
      i[to] = i[from]!
      i[to + 1] = i[from + 1]!
      i[to + 2] = i[from + 2]!
      i[to + 3] = i[from + 3]!
    })
}

function place(t: Translation, name: string, element: Element) {
  const found = t.buffers.get(name)
  invariant(found !== undefined && found.buffer.element === element, `interpret: no buffer ${name} of ${element}`)
  return { data: found.data, length: found.buffer.length }
}

function translateStore(t: Translation, statement: Extract<Statement, { kind: 'store' }>, code: Instruction[]): void {
  const { count, element, buffer } = statement
  const { data, length } = place(t, buffer, element)
  const value = translate(t, statement.value, code)
  const address = translateAddress(t, statement.at)
  const registers = element === 'f32' ? t.f : t.i
  code.push(() => {
    const at = address()
    if (at < 0 || at + count > length) outside(printHead(statement), at, count, length)
    for (let lane = 0; lane < count; lane++) data[at + lane] = registers[value + lane]!
  })
}

function translateLoad(t: Translation, e: Extract<Expr, { kind: 'load' }>, to: number, code: Instruction[]) {
  const { data, length } = place(t, e.buffer, e.element)
  const address = translateAddress(t, e.at)
  const registers = e.element === 'f32' ? t.f : t.i
  const { lanes } = e
  code.push(() => {
    const at = address()
    if (at < 0 || at + lanes > length) outside(`load from ${e.buffer}`, at, lanes, length)
    for (let lane = 0; lane < lanes; lane++) registers[to + lane] = data[at + lane]!
  })
}

function outside(what: string, at: number, count: number, length: number): never {
  invariant(false, `interpret: ${what}: elements ${at}..${at + count - 1} are outside [0, ${length})`)
}

function translateAddress(t: Translation, { offset, terms }: Affine): () => number {
  const { i } = t
  const parts = terms.map(({ index, scale }) => ({ register: registerOf(t, index), scale }))
  const [a, b] = parts
  if (a === undefined) return () => offset
  if (b === undefined) return () => offset + a.scale * i[a.register]!
  if (parts.length === 2) return () => offset + a.scale * i[a.register]! + b.scale * i[b.register]!
  return () => {
    let sum = offset
    for (let n = 0; n < parts.length; n++) sum += parts[n]!.scale * i[parts[n]!.register]!
    return sum
  }
}

/** Appends what computes `e` and tells the first register of its value: `to`, unless it lies somewhere already. */
function translate(t: Translation, e: Expr, code: Instruction[], to?: number): number {
  const operand = (part: Expr) => translate(t, part, code)
  switch (e.kind) {
    case 'const': {
      const at = newRegister(t, e.lanes)
      const registers = e.type === 'f32' ? t.f : t.i
      registers.fill(e.value, at, at + e.lanes)
      return at
    }
    case 'local':
      return registerOf(t, e.name)
    case 'load': {
      const at = to ?? newRegister(t, e.lanes)
      translateLoad(t, e, at, code)
      return at
    }
    case 'extract':
      return operand(e.a) + e.lane
    case 'iota': {
      const at = newRegister(t, 4)
      t.i.set([0, 1, 2, 3], at)
      return at
    }
    case 'convert':
      // One register file with two views: reinterpreting bits moves nothing.
      if (e.operation === 'bitsToF32' || e.operation === 'bitsToI32') return operand(e.a)
  }
  const instruction = instructionOf(t, e, operand)
  const at = to ?? newRegister(t, e.lanes)
  code.push(instruction(at))
  return at
}

type Computed = Exclude<Expr, { kind: 'const' | 'local' | 'load' | 'extract' | 'iota' }>

function instructionOf(t: Translation, e: Computed, operand: (part: Expr) => number): (to: number) => Instruction {
  switch (e.kind) {
    case 'affine': {
      const address = translateAddress(t, e.value)
      return (to) => () => {
        t.i[to] = address()
      }
    }
    case 'splat':
      return splatInstruction(t, operand(e.a))
    case 'unary':
      return unaryInstruction(t, e.operation, e.type, e.lanes, operand(e.a))
    case 'convert':
      return convertInstruction(t, e.operation, e.lanes, operand(e.a))
    case 'binary':
      return binaryInstruction(t, e.operation, e.type, e.lanes, operand(e.a), operand(e.b))
    case 'shift':
      return shiftInstruction(t, e.operation, e.lanes, operand(e.a), e.count)
    case 'compare':
      return compareInstruction(t, e.operation, e.a.type, e.lanes, operand(e.a), operand(e.b))
    case 'select':
      return selectInstruction(t, e.lanes, operand(e.mask), operand(e.a), operand(e.b))
    case 'multiplyAdd':
      return multiplyAddInstruction(t, t.fused && e.lanes === 4, e.lanes, operand(e.a), operand(e.b), operand(e.c))
  }
}
