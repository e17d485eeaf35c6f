/** Random kernels whose accesses are all within bounds, made to be awkward for the emitter. */
import { type RandomSource, randomSource } from '../../../src/base/random.ts'
import * as b from '../../../src/kernel/builder.ts'
import type { Affine, Buffer, Element, Expr, Kernel, Lanes, Statement, ValueType } from '../../../src/kernel/ir.ts'

interface Index {
  readonly name: string
  readonly low: number
  readonly high: number
}

interface Local {
  readonly name: string
  readonly type: ValueType
  readonly lanes: Lanes
}

/** What is in scope at one place of the kernel being made. */
interface Scope {
  readonly indices: readonly Index[]
  readonly depth: number
  /** Grows as a body is made; inner bodies start from a copy. */
  readonly locals: Local[]
}

interface Draft {
  readonly random: RandomSource
  readonly lanes: Lanes
  /** Least length of each buffer that holds all accesses so far. */
  readonly lengths: Map<string, number>
  names: number
}

const elements: Record<string, Element> = { x: 'f32', y: 'f32', p: 'i32', q: 'i32', s: 'i8', t: 'u8' }
const names: Record<ValueType, readonly string[]> = { f32: ['x', 'y'], i32: ['p', 'q', 's', 't'] }

const pick = <T>(draft: Draft, list: readonly T[]): T => list[draft.random.integer(list.length)]!
const between = (draft: Draft, low: number, high: number) => low + draft.random.integer(high - low + 1)
const newName = (draft: Draft, prefix: string) => `${prefix}${draft.names++}`

/** Random terms; the offset makes the least value small, so it's negative where the indices start above 0. */
function randomAffine(draft: Draft, scope: Scope, least: number): { affine: Affine; highest: number } {
  const scales: Record<string, number> = {}
  let low = 0
  let high = 0
  for (const index of scope.indices) {
    if (draft.random.integer(3) === 0) continue
    const scale = pick(draft, [1, 1, 2, 3, 4, 8, 17, -1, -3])
    scales[index.name] = scale
    low += Math.min(scale * index.low, scale * index.high)
    high += Math.max(scale * index.low, scale * index.high)
  }
  const offset = least - low + draft.random.integer(6)
  return { affine: b.affine(offset, scales), highest: high + offset }
}

function randomPlace(draft: Draft, scope: Scope, buffer: string, count: number): Affine {
  const { affine, highest } = randomAffine(draft, scope, 0)
  draft.lengths.set(buffer, Math.max(draft.lengths.get(buffer) ?? 1, highest + count))
  return affine
}

function leaf(draft: Draft, scope: Scope, type: ValueType, lanes: Lanes): Expr {
  const locals = scope.locals.filter((local) => local.type === type && local.lanes === lanes)
  switch (draft.random.integer(5)) {
    case 0:
      return type === 'f32' ? b.f32(between(draft, -4, 4) / 3, lanes) : b.i32(between(draft, -99, 99), lanes)
    case 1:
      if (type === 'i32') return b.splat(b.indexValue(randomAffine(draft, scope, -50).affine), lanes)
      break
    case 2:
    case 3:
      if (locals.length > 0) return b.local(pick(draft, locals).name, type, lanes)
  }
  const buffer = pick(draft, names[type])
  const splat = lanes === 4 && draft.random.integer(3) === 0
  const width = splat ? 1 : lanes
  const load = b.load(buffer, randomPlace(draft, scope, buffer, width), width, elements[buffer])
  return splat ? b.splat(load) : load
}

function expression(draft: Draft, scope: Scope, type: ValueType, lanes: Lanes, size: number): Expr {
  if (size <= 0) return leaf(draft, scope, type, lanes)
  const part = (of: ValueType = type, width: Lanes = lanes) =>
    expression(draft, scope, of, width, size - 1 - draft.random.integer(2))
  const mask = () => {
    const of = pick(draft, ['f32', 'i32'] as const)
    return pick(draft, [b.eq, b.ne, b.lt, b.le, b.gt, b.ge])(part(of), part(of))
  }
  switch (draft.random.integer(9)) {
    case 0:
      return pick(draft, type === 'f32' ? [b.neg, b.abs, b.sqrt, b.floor, b.nearest] : [b.neg, b.abs])(part())
    case 1:
      return type === 'f32' ? b.toF32(part('i32')) : b.toI32(part('f32'))
    case 2:
      return type === 'f32' ? b.multiplyAdd(part(), part(), part()) : b.shrSigned(part(), draft.random.integer(32))
    case 3:
      return b.select(mask(), part(), part())
    case 4:
      return type === 'i32' ? b.and(mask(), mask()) : b.div(part(), part())
    case 5:
      return lanes === 4
        ? b.splat(part(type, 1))
        : draft.lanes === 4
          ? b.extract(part(type, 4), draft.random.integer(4))
          : part()
    default:
      return pick(draft, [b.add, b.sub, b.mul, b.min, b.max])(part(), part())
  }
}

function randomLoop(draft: Draft, scope: Scope): readonly Statement[] {
  const index = pick(
    draft,
    ['i', 'j', 'k', 'l'].filter((name) => scope.indices.every((other) => other.name !== name)),
  )
  const from = draft.random.integer(4)
  const step = between(draft, 1, 3)
  const trips = between(draft, 1, 5)
  const last = from + step * (trips - 1)
  const indices = [...scope.indices, { name: index, low: from, high: last }]
  const inner = { indices, depth: scope.depth + 1, locals: [...scope.locals] }
  return b.loop(index, from, last + 1 + draft.random.integer(step), step, body(draft, inner))
}

function statement(draft: Draft, scope: Scope): b.Statements {
  const type = pick(draft, ['f32', 'f32', 'i32'] as const)
  const lanes = pick(draft, [1, draft.lanes] as const)
  const value = () => expression(draft, scope, type, lanes, draft.random.integer(4))
  const choice = draft.random.integer(8)
  if (choice <= 1 && scope.depth < 4) return randomLoop(draft, scope)
  if (choice === 2) {
    const name = newName(draft, 'v')
    const definition = b.variable(name, value())
    scope.locals.push({ name, type, lanes })
    return [definition]
  }
  if (choice === 3 && scope.locals.length > 0) {
    const { name, ...of } = pick(draft, scope.locals)
    return [b.set(name, expression(draft, scope, of.type, of.lanes, 2))]
  }
  const buffer = pick(draft, names[type])
  const count = between(draft, 1, lanes)
  return [b.store(buffer, randomPlace(draft, scope, buffer, count), value(), count, elements[buffer])]
}

function body(draft: Draft, scope: Scope): b.Statements {
  const statements = Array.from({ length: between(draft, 1, 4) }, () => statement(draft, scope))
  if (draft.random.integer(5) > 0) return statements
  const name = newName(draft, 'c')
  const low = between(draft, -3, 3)
  const high = low + draft.random.integer(5)
  const clamp = b.clampIndex(name, expression(draft, scope, 'i32', 1, 1), low, high)
  const rest = { ...scope, indices: [...scope.indices, { name, low, high }] }
  return [...statements, clamp, ...Array.from({ length: 2 }, () => statement(draft, rest))]
}

/** A kernel that the seed determines, with vectors if `lanes` is 4. */
export function randomKernel(seed: number, lanes: Lanes): Kernel {
  const draft: Draft = { random: randomSource(seed), lanes, lengths: new Map(), names: 0 }
  const axes = Array.from({ length: draft.random.integer(4) }, (_, n) => ({
    index: `a${n}`,
    extent: between(draft, 1, 4),
  }))
  const indices = axes.map(({ index, extent }) => ({ name: index, low: 0, high: extent - 1 }))
  const made = [
    body(draft, { indices, depth: 0, locals: [] }),
    b.store('y', randomPlace(draft, { indices, depth: 0, locals: [] }, 'y', 1), b.f32(1)),
  ]
  const buffers = Object.entries(elements).map(
    ([name, element]): Buffer => b.buffer(name, element, draft.lengths.get(name) ?? 1, 'update'),
  )
  return b.kernel({ name: `random ${seed}`, buffers, axes, body: made })
}
