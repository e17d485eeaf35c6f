/** Proves, before any code is made, that a kernel is well formed and stays within its buffers. */
import { invariant } from '../base/errors.ts'
import type { Affine, Buffer, Element, Expr, Kernel, Statement } from './ir.ts'
import { printAffine, printHead } from './print.ts'

/** Both ends included. */
interface Interval {
  readonly low: number
  readonly high: number
}

interface Scope {
  readonly kernel: Kernel
  readonly buffers: ReadonlyMap<string, Buffer>
  /** Names given so far anywhere in the kernel: a `let`, `var` or clamped index may not repeat one. */
  readonly named: Set<string>
  /** Loop indices so far: two loops may share a name, unless one is inside the other. */
  readonly looped: Set<string>
  readonly indices: ReadonlyMap<string, Interval>
  readonly locals: Map<string, { readonly value: Expr; readonly mutable: boolean }>
  /** For messages. */
  readonly where: () => string
}

/**
 * Checks types, lanes, scopes, names, access and, by interval arithmetic over the loops' ranges, that every load and
 * store lies within its buffer. Throws with the statement and the interval that broke the rule.
 */
export function checkKernel(kernel: Kernel): void {
  const scope: Scope = {
    kernel,
    buffers: new Map(kernel.buffers.map((buffer) => [buffer.name, buffer])),
    named: new Set(kernel.buffers.map((buffer) => buffer.name)),
    looped: new Set(),
    indices: new Map(),
    locals: new Map(),
    where: () => 'its head',
  }
  demand(scope, scope.named.size === kernel.buffers.length, () => 'two buffers have one name')
  for (const { name, length } of kernel.buffers)
    demand(scope, Number.isSafeInteger(length) && length >= 1, () => `buffer ${name} has length ${length}`)
  const indices = new Map<string, Interval>()
  for (const { index, extent } of kernel.axes) {
    demand(scope, Number.isSafeInteger(extent) && extent >= 1, () => `axis ${index} has extent ${extent}`)
    takeName(scope, index)
    indices.set(index, { low: 0, high: extent - 1 })
  }
  checkBody(kernel.body, { ...scope, indices })
}

function demand(scope: Scope, holds: boolean, problem: () => string): void {
  if (!holds) invariant(false, `kernel ${scope.kernel.name}: ${problem()}, in: ${scope.where()}`)
}

function takeName(scope: Scope, name: string): void {
  demand(scope, !scope.named.has(name) && !scope.looped.has(name), () => `the name ${name} is used twice`)
  scope.named.add(name)
}

function checkBody(body: readonly Statement[], outer: Scope): void {
  const indices = new Map(outer.indices)
  const inner = { ...outer, indices, locals: new Map(outer.locals) }
  for (const statement of body) {
    const scope = { ...inner, where: () => printHead(statement) }
    checkStatement(statement, scope)
    if (statement.kind === 'clampIndex') indices.set(statement.index, { low: statement.low, high: statement.high })
  }
}

function checkStatement(statement: Statement, scope: Scope): void {
  switch (statement.kind) {
    case 'loop':
      checkLoop(statement, scope)
      return
    case 'let':
    case 'var':
      checkExpr(statement.value, scope)
      takeName(scope, statement.name)
      scope.locals.set(statement.name, { value: statement.value, mutable: statement.kind === 'var' })
      return
    case 'set': {
      const target = scope.locals.get(statement.name)
      checkExpr(statement.value, scope)
      demand(scope, target?.mutable === true, () => `${statement.name} is no variable in scope`)
      demand(scope, target !== undefined && alike(target.value, statement.value), () => 'the variable has another type')
      return
    }
    case 'store': {
      const { value, count, element } = statement
      checkExpr(value, scope)
      demand(scope, isLane(count - 1, value.lanes), () => `${count} of ${value.lanes} lanes stored`)
      demand(scope, value.type === typeOf(element), () => `${value.type} stored into ${element}`)
      checkAccess(scope, statement.buffer, element, statement.at, count, 'read')
      return
    }
    case 'clampIndex': {
      const { value, low, high } = statement
      checkExpr(value, scope)
      demand(scope, value.type === 'i32' && value.lanes === 1, () => 'an index must be an i32 scalar')
      demand(scope, Number.isSafeInteger(low) && Number.isSafeInteger(high) && low <= high, () => 'clamp to nothing')
      takeName(scope, statement.index)
      return
    }
  }
}

function checkLoop(loop: Extract<Statement, { kind: 'loop' }>, scope: Scope): void {
  const { index, from, to, step } = loop
  const whole = [from, to, step].every(Number.isSafeInteger)
  demand(scope, whole && from >= 0 && from < to && step >= 1, () => 'loop bounds must be 0 <= from < to, step >= 1')
  demand(scope, !scope.named.has(index) && !scope.indices.has(index), () => `the name ${index} is used twice`)
  scope.looped.add(index)
  const high = from + Math.floor((to - from - 1) / step) * step
  checkBody(loop.body, { ...scope, indices: new Map(scope.indices).set(index, { low: from, high }) })
}

/** Smallest and largest value of an affine form: exact, because indices vary independently. */
function intervalOf(scope: Scope, form: Affine): Interval {
  let { offset: low, offset: high } = form
  for (const { index, scale } of form.terms) {
    const range = scope.indices.get(index)
    demand(scope, range !== undefined, () => `index ${index} is not in scope`)
    const ends = [scale * range!.low, scale * range!.high]
    low += Math.min(...ends)
    high += Math.max(...ends)
  }
  demand(scope, Number.isSafeInteger(low) && Number.isSafeInteger(high), () => `${printAffine(form)} is not whole`)
  return { low, high }
}

function checkAccess(
  scope: Scope,
  name: string,
  element: Element,
  at: Affine,
  count: number,
  forbidden: Buffer['access'],
) {
  const buffer = scope.buffers.get(name)
  if (buffer === undefined) return demand(scope, false, () => `there is no buffer ${name}`)
  demand(scope, buffer.element === element, () => `${name} holds ${buffer.element}, not ${element}`)
  demand(scope, buffer.access !== forbidden, () => `${name} is for ${buffer.access} only`)
  const { low, high } = intervalOf(scope, at)
  const last = high + count - 1
  demand(scope, low >= 0 && last < buffer.length, () => {
    return `${name}[${printAffine(at)}] spans [${low}, ${last}], outside [0, ${buffer.length - 1}]`
  })
}

function checkExpr(e: Expr, scope: Scope): void {
  for (const operand of operandsOf(e)) checkExpr(operand, scope)
  const problem = typeProblem(e)
  demand(scope, problem === undefined, () => problem!)
  if (e.kind === 'load') checkAccess(scope, e.buffer, e.element, e.at, e.lanes, 'write')
  if (e.kind === 'affine') {
    const { low, high } = intervalOf(scope, e.value)
    demand(scope, low >= -(2 ** 31) && high < 2 ** 31, () => `${printAffine(e.value)} spans [${low}, ${high}]`)
  }
  if (e.kind === 'local') {
    const found = scope.locals.get(e.name)
    demand(scope, found !== undefined, () => `${e.name} is not in scope`)
    demand(scope, alike(found!.value, e), () => `${e.name} is ${show(found!.value)}, not ${show(e)}`)
  }
}

function operandsOf(e: Expr): readonly Expr[] {
  switch (e.kind) {
    case 'const':
    case 'local':
    case 'affine':
    case 'load':
    case 'iota':
      return []
    case 'splat':
    case 'extract':
    case 'unary':
    case 'convert':
    case 'shift':
      return [e.a]
    case 'binary':
    case 'compare':
      return [e.a, e.b]
    case 'select':
      return [e.mask, e.a, e.b]
    case 'multiplyAdd':
      return [e.a, e.b, e.c]
  }
}

/** What is wrong with a node, given that its operands are right. */
function typeProblem(e: Expr): string | undefined {
  const expect = (holds: boolean) => (holds ? undefined : `types and lanes of ${e.kind} do not agree`)
  switch (e.kind) {
    case 'const':
      return expect(Object.is(e.type === 'f32' ? Math.fround(e.value) : e.value | 0, e.value))
    case 'load':
      return expect(e.type === typeOf(e.element))
    case 'splat':
      return expect(e.a.lanes === 1 && e.a.type === e.type)
    case 'extract':
      return expect(e.a.lanes === 4 && e.a.type === e.type && isLane(e.lane, 4))
    case 'unary':
      return expect(alike(e, e.a) && (e.type === 'f32' || e.operation === 'neg' || e.operation === 'abs'))
    case 'convert': {
      const toFloat = e.operation === 'toF32' || e.operation === 'bitsToF32'
      return expect(e.lanes === e.a.lanes && e.type !== e.a.type && (e.type === 'f32') === toFloat)
    }
    case 'binary': {
      const bitwise = e.operation === 'and' || e.operation === 'or' || e.operation === 'xor'
      const pairs = e.operation === 'dot'
      const defined = e.type === 'f32' ? !bitwise && !pairs : e.operation !== 'div' && (!pairs || e.lanes === 4)
      return expect(defined && alike(e, e.a) && alike(e, e.b))
    }
    case 'shift':
      return expect(alike(e, e.a) && Number.isInteger(e.count) && e.count >= 0 && e.count < 32)
    case 'compare':
      return expect(alike(e.a, e.b) && e.lanes === e.a.lanes)
    case 'select':
      return expect(alike(e, e.a) && alike(e, e.b) && e.mask.type === 'i32' && e.mask.lanes === e.lanes)
    case 'multiplyAdd':
      return expect(alike(e, e.a) && alike(e, e.b) && alike(e, e.c))
    default:
      return undefined
  }
}

const typeOf = (element: Element) => (element === 'f32' ? 'f32' : 'i32')
const alike = (a: Expr, b: Expr): boolean => a.type === b.type && a.lanes === b.lanes
const isLane = (lane: number, lanes: number): boolean => Number.isInteger(lane) && lane >= 0 && lane < lanes
const show = (e: Expr): string => `${e.type}x${e.lanes}`
