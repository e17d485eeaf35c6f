/**
 * Addresses by strength reduction. Every index (of an axis, a loop, or read from data) opens a level. An address is
 * base + sum of scale * index + constant: all addresses of a kernel with equal base, terms and scales share one
 * pointer, kept at the level of their innermost index and made from the pointer of the remaining terms one level or
 * more outside; their constants become the `offset=` of the instructions. Offsets are unsigned and the sum doesn't
 * wrap, so a pointer includes the least constant it serves: then it's the address of an access that is really made.
 */
import { invariant } from '../../base/errors.ts'
import type { Affine } from '../../kernel/ir.ts'
import type { Instruction, Local } from './assemble.ts'

/** The extent of one value of one index. `depth` counts enclosing levels; the root, depth 0, has no index. */
export interface Level {
  readonly depth: number
  readonly pointers: Map<string, Pointer>
}

/** What an index name stands for: the level that it varies in, or a number (axes and loops with a single point). */
export type Scope = ReadonlyMap<string, Level | number>

export interface Pointer {
  /** Undefined only for the constant zero, base of affine values. */
  readonly local: Local | undefined
  /** The pointer without this level's term. */
  readonly outer?: Pointer
  /** Factor of this level's index, in bytes. */
  readonly stride: number
  /** Included in the local: the least constant in bytes of the memory accesses through it, if there are any. */
  lowest: number | undefined
  /** Numbers in instructions to lower by `lowest` once it is known. */
  readonly corrections: { readonly numbers: number[]; readonly place: number }[]
}

/** A pointer and what remains to be added to it, in bytes. */
export interface Address {
  readonly pointer: Pointer
  readonly constant: number
}

export const openLevel = (outer: Level): Level => ({ depth: outer.depth + 1, pointers: new Map() })

/** The outermost level: one pointer per buffer, held by a parameter, and the constant zero under the name ''. */
export function rootLevel(parameters: ReadonlyMap<string, Local>): Level {
  const pointers = new Map<string, Pointer>()
  const add = (name: string, local: Local | undefined) =>
    pointers.set(name, { local, stride: 0, lowest: undefined, corrections: [] })
  add('', undefined)
  for (const [name, local] of parameters) add(name, local)
  return { depth: 0, pointers }
}

type Term = readonly [level: Level, stride: number]

function pointerOf(base: string, terms: readonly Term[], root: Level): Pointer {
  const last = terms.at(-1)
  if (last === undefined) {
    const pointer = root.pointers.get(base)
    invariant(pointer !== undefined, `address in a buffer that isn't declared: ${base}`)
    return pointer
  }
  const [level, stride] = last
  const key = [base, ...terms.map(([{ depth }, factor]) => `${depth}*${factor}`)].join(' ')
  const known = level.pointers.get(key)
  if (known) return known
  const outer = pointerOf(base, terms.slice(0, -1), root)
  const local: Local = { type: 'i', name: `${base || 'value'}_${level.depth}` }
  const pointer: Pointer = { local, outer, stride, lowest: undefined, corrections: [] }
  level.pointers.set(key, pointer)
  return pointer
}

/** The address of element `at` of a buffer, or an affine value if `base` is '' and `elementSize` 1. */
export function addressOf(base: string, at: Affine, elementSize: number, scope: Scope, root: Level): Address {
  const strides = new Map<Level, number>()
  let constant = at.offset * elementSize
  for (const { index, scale } of at.terms) {
    const place = scope.get(index)
    invariant(place !== undefined, `address uses index ${index} outside of its loop`)
    const stride = scale * elementSize
    if (typeof place === 'number') constant += stride * place
    else strides.set(place, (strides.get(place) ?? 0) + stride)
  }
  const terms = [...strides].filter(([, stride]) => stride !== 0).sort(([a], [b]) => a.depth - b.depth)
  return { pointer: pointerOf(base, terms, root), constant }
}

/** Immediates [alignment, offset, ...rest] of a memory access at `address`. */
export function memoryNumbers({ pointer, constant }: Address, align: number, ...rest: number[]): number[] {
  const numbers = [align, constant, ...rest]
  pointer.lowest = Math.min(pointer.lowest ?? constant, constant)
  pointer.corrections.push({ numbers, place: 1 })
  return numbers
}

/** Instructions that push the value of an address. */
export function addressValue({ pointer, constant }: Address): Instruction[] {
  const numbers = [constant]
  pointer.corrections.push({ numbers, place: 0 })
  if (pointer.local === undefined) return [{ op: 'i32.const', numbers }]
  return [{ op: 'local.get', local: pointer.local }, { op: 'i32.const', numbers }, { op: 'i32.add' }]
}

/**
 * To be called once everything inside the level has been emitted. Gives the instructions that set the level's
 * pointers for the index's value: a number (the first of a loop), or a local.
 */
export function closeLevel(level: Level, index: number | Local): Instruction[] {
  return [...level.pointers.values()].flatMap((pointer) => {
    const { outer, stride, lowest = 0, local, corrections } = pointer
    for (const { numbers, place } of corrections) numbers[place]! -= lowest
    const fixed = typeof index === 'number' ? stride * index : 0
    const start = addressValue({ pointer: outer!, constant: fixed + lowest })
    const moving: Instruction[] =
      typeof index === 'number'
        ? []
        : [
            { op: 'local.get', local: index },
            { op: 'i32.const', numbers: [stride] },
            { op: 'i32.mul' },
            { op: 'i32.add' },
          ]
    return [...start, ...moving, { op: 'local.set', local: local! }]
  })
}

/** local += amount. */
export const advance = (local: Local, amount: number): Instruction[] => [
  { op: 'local.get', local },
  { op: 'i32.const', numbers: [amount] },
  { op: 'i32.add' },
  { op: 'local.set', local },
]

/** Leaves out additions of 0 and multiplications by 1, which are only known once all levels are closed. */
export function withoutNeutral(code: readonly Instruction[]): Instruction[] {
  const out: Instruction[] = []
  for (const instruction of code) {
    const last = out.at(-1)
    const constant = last?.op === 'i32.const' ? last.numbers![0] : undefined
    const neutral = (instruction.op === 'i32.add' && constant === 0) || (instruction.op === 'i32.mul' && constant === 1)
    if (neutral) out.pop()
    else out.push(instruction)
  }
  return out
}
