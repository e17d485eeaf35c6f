import { invariant } from '../base/errors.ts'
import type { MapFunction } from '../graph/map.ts'
import type { Tensor } from '../graph/tensor.ts'
import * as k from '../kernel/builder.ts'
import type { Expr } from '../kernel/ir.ts'
import type { Bind } from '../kernel/math.ts'
import * as math from '../kernel/math.ts'

/** A value while a group is written out; comparisons stay masks until a number is needed. */
interface Value {
  readonly number?: Expr
  readonly mask?: Expr
}

const one = (like: Expr) => k.f32(1, like.lanes)
const zero = (like: Expr) => k.f32(0, like.lanes)

const numberOf = ({ number, mask }: Value): Expr => number ?? k.select(mask!, one(mask!), zero(mask!))
const maskOf = ({ number, mask }: Value): Expr => mask ?? k.ne(number!, zero(number!))

function power(a: Expr, exponent: Tensor, b: Expr, bind: Bind): Expr {
  const { operation } = exponent
  return operation.kind === 'fill' ? math.powLiteral(a, operation.value, bind) : math.pow(a, b, bind)
}

function signOf(a: Expr): Expr {
  const negative = k.select(k.lt(a, zero(a)), k.f32(-1, a.lanes), a)
  return k.select(k.gt(a, zero(a)), one(a), negative)
}

const functions = {
  exp: math.exp,
  expm1: math.expm1,
  log: math.log,
  log1p: math.log1p,
  tanh: math.tanh,
  sigmoid: math.sigmoid,
  erf: math.erf,
}

const arithmetic = { add: k.add, sub: k.sub, mul: k.mul, div: k.div, min: k.min, max: k.max }

/** One elementwise function in the loop language. */
function applied(fn: MapFunction, node: Tensor, values: readonly Value[], bind: Bind): Value {
  if (fn === 'where') return { number: k.select(maskOf(values[0]!), numberOf(values[1]!), numberOf(values[2]!)) }
  const [a, b] = values.map(numberOf) as [Expr, Expr]
  switch (fn) {
    case 'identity':
      return { number: a }
    case 'neg':
      return { number: k.neg(a) }
    case 'abs':
      return { number: k.abs(a) }
    case 'sqrt':
      return { number: k.sqrt(a) }
    case 'floor':
      return { number: k.floor(a) }
    case 'round':
      return { number: k.nearest(a) }
    case 'sign':
      return { number: signOf(bind(a)) }
    case 'exp':
    case 'expm1':
    case 'log':
    case 'log1p':
    case 'tanh':
    case 'sigmoid':
    case 'erf':
      return { number: functions[fn](bind(a), bind) }
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'min':
    case 'max':
      return { number: arithmetic[fn](a, b) }
    case 'pow':
      return { number: power(bind(a), node.inputs[1]!, b, bind) }
    case 'less':
      return { mask: k.lt(a, b) }
    case 'equal':
      return { mask: k.eq(a, b) }
  }
}

function uniformAt(key: Expr, keyStep: Expr, salt: number, index: Expr, bind: Bind): Expr {
  const seed = k.toI32(key)
  const step = k.toI32(keyStep)
  const lanes = index.lanes
  const mixedSeed = math.hashBits(k.i32(salt, lanes), seed, bind)
  const mixed = bind(math.hashBits(step, mixedSeed, bind))
  return math.uniform(math.hashBits(index, mixed, bind))
}

/** What a group's operands are: tensors from outside, in the order in which `value` expects them. */
export interface GroupFormula {
  readonly operands: readonly Tensor[]
  /** Keys of its random numbers, each read whole wherever a number is made; a key may be an operand too. */
  readonly keys: readonly Tensor[]
  value(operands: readonly Expr[], bind: Bind, index: () => Expr, keys: (key: number) => [Expr, Expr]): Expr
}

/**
 * The expression that a group computes: `members` in order, of which the last is its result.
 */
export function groupFormula(members: readonly Tensor[]): GroupFormula {
  const inside = new Set(members)
  const operands: Tensor[] = []
  const keys: Tensor[] = []
  const uses = new Map<Tensor, number>()
  for (const member of members)
    for (const input of member.inputs) {
      uses.set(input, (uses.get(input) ?? 0) + 1)
      const list = member.operation.kind === 'uniform' ? keys : operands
      const given = list === operands && (inside.has(input) || input.operation.kind === 'fill')
      if (!given && !list.includes(input)) list.push(input)
    }
  return {
    operands,
    keys,
    value(expressions, bind, index, keyAt) {
      const lanes = (expressions[0] ?? index()).lanes
      const known = new Map<Tensor, Value>(operands.map((operand, i) => [operand, { number: expressions[i]! }]))
      for (const member of members) {
        const { operation } = member
        let value: Value
        if (operation.kind === 'map') {
          const values = member.inputs.map((input): Value => {
            if (input.operation.kind === 'fill') return { number: k.f32(input.operation.value, lanes) }
            return known.get(input)!
          })
          value = applied(operation.fn, member, values, bind)
        } else {
          invariant(operation.kind === 'uniform', `${operation.kind} in an elementwise group`)
          const [seed, step] = keyAt(keys.indexOf(member.inputs[0]!))
          value = { number: uniformAt(seed, step, operation.salt, index(), bind) }
        }
        if ((uses.get(member) ?? 0) > 1) value = { number: bind(numberOf(value)) }
        known.set(member, value)
      }
      return numberOf(known.get(members.at(-1)!)!)
    },
  }
}
