/** Kernels of the loop language as WebAssembly functions (pointer of each buffer in bytes, begin, end). */
import { invariant } from '../../base/errors.ts'
import { elementBytes, type Kernel, type Statement } from '../../kernel/ir.ts'
import { assemble, type Instruction, type Local, type WasmFunction } from './assemble.ts'
import {
  alignmentOf,
  expressionCode,
  get,
  integer,
  memoryAddress,
  type Place,
  pointerCode,
  set,
  stackType,
  tee,
  type WasmFeatures,
} from './expression.ts'
import { advance, closeLevel, type Level, memoryNumbers, openLevel, rootLevel, withoutNeutral } from './pointers.ts'

export type { WasmFeatures } from './expression.ts'

type Of<Kind extends Statement['kind']> = Extract<Statement, { kind: Kind }>

/** A module with kernel number n as export `kn`, importing `env.memory` (shared if `features.shared`). */
export function emitModule(kernels: readonly Kernel[], features: WasmFeatures): Uint8Array<ArrayBuffer> {
  const memory = features.shared ? { shared: true, minimum: 0, maximum: 65536 } : { shared: false, minimum: 0 }
  return assemble(emitFunctions(kernels, features), memory)
}

/** The functions of `emitModule`, for printing. */
export const emitFunctions = (kernels: readonly Kernel[], features: WasmFeatures): WasmFunction[] =>
  kernels.map((kernel, index) => emitKernel(kernel, `k${index}`, features))

function emitKernel(kernel: Kernel, name: string, features: WasmFeatures): WasmFunction {
  const buffers = new Map<string, Local>(
    kernel.buffers.map((buffer) => [buffer.name, { type: 'i', name: buffer.name }]),
  )
  const root = rootLevel(buffers)
  const place: Place = { features, root, named: new Map(), scope: new Map(), level: root }
  const begin: Local = { type: 'i', name: 'begin' }
  const end: Local = { type: 'i', name: 'end' }
  const code = withoutNeutral(pointsCode(place, kernel, begin, end))
  const parameters = [...buffers.values(), begin, end]
  const used = new Set(code.flatMap(({ local }) => (local ? [local] : [])))
  return { name, parameters, locals: [...used].filter((local) => !parameters.includes(local)), code }
}

interface Axis {
  readonly extent: number
  readonly index: Local
  readonly level: Level
}

/** The body for every point in [begin, end); `begin` counts up. */
function pointsCode(outer: Place, kernel: Kernel, begin: Local, end: Local): Instruction[] {
  const moving = kernel.axes.filter(({ extent }) => extent > 1)
  const scope = new Map<string, Level | number>(kernel.axes.map((axis) => [axis.index, 0]))
  const axes: Axis[] = []
  let level = outer.level
  for (const { index, extent } of moving) {
    level = openLevel(level)
    scope.set(index, level)
    axes.push({ level, extent, index: moving.length === 1 ? begin : { type: 'i', name: index } })
  }
  const body = bodyCode({ ...outer, scope, level }, kernel.body)
  // Inner levels are closed first, as closing them may use pointers of outer ones.
  const pointers = axes.toReversed().map((axis) => closeLevel(axis.level, axis.index))
  return [
    { op: 'block' },
    get(begin),
    get(end),
    { op: 'i32.ge_s' },
    { op: 'br_if', numbers: [0] },
    ...(axes.length > 1 ? splitPoint(begin, axes) : []),
    { op: 'loop' },
    ...pointers.toReversed().flat(),
    ...body,
    ...(axes.length > 1 ? nextPoint(axes) : []),
    ...advance(begin, 1),
    get(begin),
    get(end),
    { op: 'i32.ne' },
    { op: 'br_if', numbers: [0] },
    { op: 'end' },
    { op: 'end' },
  ]
}

/** Sets the indices of the axes for the first point. */
function splitPoint(point: Local, axes: readonly Axis[]): Instruction[] {
  let inner = 1
  return axes.toReversed().flatMap(({ extent, index }) => {
    const divide: Instruction[] = [integer(inner), { op: 'i32.div_u' }, integer(extent), { op: 'i32.rem_u' }]
    inner *= extent
    return [get(point), ...divide, set(index)]
  })
}

/** Moves the indices to the next point: the last axis, and with a carry the ones before it. */
function nextPoint(axes: readonly Axis[]): Instruction[] {
  const { index, extent } = axes.at(-1)!
  const outer = axes.slice(0, -1)
  if (outer.length === 0) return advance(index, 1)
  const carry = [integer(0), set(index), ...nextPoint(outer)]
  return [...advance(index, 1), get(index), integer(extent), { op: 'i32.eq' }, { op: 'if' }, ...carry, { op: 'end' }]
}

function bodyCode(place: Place, body: readonly Statement[]): Instruction[] {
  const parts: Instruction[][] = []
  for (const [position, statement] of body.entries()) {
    if (statement.kind === 'clampIndex') {
      // The index holds for the rest of the body: a level of its own.
      parts.push(clampIndexCode(place, statement, body.slice(position + 1)))
      break
    }
    parts.push(statementCode(place, statement))
  }
  return parts.flat()
}

function statementCode(place: Place, statement: Exclude<Statement, { kind: 'clampIndex' }>): Instruction[] {
  switch (statement.kind) {
    case 'loop':
      return loopCode(place, statement)
    case 'store':
      return storeCode(place, statement)
    case 'let':
    case 'var':
    case 'set': {
      const { name, value, kind } = statement
      const code = expressionCode(place, value)
      if (kind !== 'set') place.named.set(name, { type: stackType(value), name })
      const local = place.named.get(name)
      invariant(local?.type === stackType(value), `${name} is set before it's defined, or to a value of another type`)
      return [...code, set(local)]
    }
  }
}

function loopCode(outer: Place, { index, from, to, step, body }: Of<'loop'>): Instruction[] {
  const trips = Math.ceil((to - from) / step)
  if (trips === 1) return bodyCode({ ...outer, scope: new Map(outer.scope).set(index, from) }, body)
  const level = openLevel(outer.level)
  const inside = bodyCode({ ...outer, level, scope: new Map(outer.scope).set(index, level) }, body)
  const start = closeLevel(level, from)
  const moves = [...level.pointers.values()].map(({ local, stride }) => ({ local: local!, bytes: stride * step }))
  const again: Instruction[] = [{ op: 'br_if', numbers: [0] }, { op: 'end' }]
  const advances = moves.flatMap(({ local, bytes }) => advance(local, bytes))
  const repeated: Instruction[] = [{ op: 'loop' }, ...inside, ...advances]
  const first = moves[0]
  if (first === undefined) {
    const counter: Local = { type: 'i', name: index }
    const countDown: Instruction[] = [get(counter), integer(1), { op: 'i32.sub' }, tee(counter)]
    return [integer(trips), set(counter), ...repeated, ...countDown, ...again]
  }
  // A pointer that moves tells the end too.
  const end: Local = { type: 'i', name: `${first.local.name}_end` }
  const setEnd: Instruction[] = [get(first.local), integer(first.bytes * trips), { op: 'i32.add' }, set(end)]
  return [...start, ...setEnd, ...repeated, get(first.local), get(end), { op: 'i32.ne' }, ...again]
}

function clampIndexCode(outer: Place, statement: Of<'clampIndex'>, rest: readonly Statement[]): Instruction[] {
  const { index, value, low, high } = statement
  const type = { type: 'i32', lanes: 1 } as const
  const bound = (value: number) => ({ kind: 'const', ...type, value }) as const
  const raised = { kind: 'binary', operation: 'max', ...type, a: value, b: bound(low) } as const
  const clamped = { kind: 'binary', operation: 'min', ...type, a: raised, b: bound(high) } as const
  const local: Local = { type: 'i', name: index }
  const level = openLevel(outer.level)
  const code = expressionCode(outer, clamped)
  const inside = bodyCode({ ...outer, level, scope: new Map(outer.scope).set(index, level) }, rest)
  return [...code, set(local), ...closeLevel(level, local), ...inside]
}

const scalarStores = { f32: 'f32.store', i32: 'i32.store', i8: 'i32.store8', u8: 'i32.store8' } as const

/** Stores of one lane, by its bytes. */
const laneStores = {
  8: 'v128.store64_lane',
  4: 'v128.store32_lane',
  2: 'v128.store16_lane',
  1: 'v128.store8_lane',
} as const

/** Byte 0 of each 32-bit lane, then anything. */
const lowByteOfLanes = [0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12]

function storeCode(place: Place, { buffer, element, at, value, count }: Of<'store'>): Instruction[] {
  const address = memoryAddress(place, buffer, element, at)
  const align = alignmentOf(element)
  const code = expressionCode(place, value)
  if (value.lanes === 1 || (elementBytes(element) === 4 && count === 4)) {
    const op = value.lanes === 4 ? 'v128.store' : scalarStores[element]
    return [pointerCode(address), ...code, { op, numbers: memoryNumbers(address, align) }]
  }
  const local: Local = { type: 'v', name: 'stored' }
  if (elementBytes(element) === 1) code.push(tee(local), get(local), { op: 'i8x16.shuffle', bytes: lowByteOfLanes })
  code.push(set(local))
  // The vector's first bytes in pieces of 8, 4, 2 and 1, largest first, so that each starts at a multiple of its size.
  const bytes = count * elementBytes(element)
  let done = 0
  for (const size of [8, 4, 2, 1] as const) {
    if (done + size > bytes) continue
    const piece = { pointer: address.pointer, constant: address.constant + done }
    code.push(pointerCode(address), get(local))
    code.push({ op: laneStores[size], numbers: memoryNumbers(piece, align, done / size) })
    done += size
  }
  return code
}
