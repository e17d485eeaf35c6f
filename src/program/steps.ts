import { invariant } from '../base/errors.ts'
import { broadcastStrides, sizeOf, stridesOf } from '../base/shape.ts'
import type { Tensor } from '../graph/tensor.ts'
import { affine, buffer, f32, load, splat } from '../kernel/builder.ts'
import type { Expr, Kernel } from '../kernel/ir.ts'
import { bandKernel } from '../plan/band.ts'
import { choose, planCalls } from '../plan/choose.ts'
import { padKernel, type ResampleShape, resampleKernel, resampleTables } from '../plan/copies.ts'
import { mapKernels, reduceKernel, type Strided } from '../plan/map.ts'
import {
  allPoints,
  type Epilogue,
  type KernelCall,
  noEpilogue,
  type Plan,
  type PlanFeatures,
  slack,
} from '../plan/types.ts'
import { windowMaxGatherKernel, windowMaxKernel, windowMaxScatterKernel } from '../plan/windows.ts'
import { type GroupFormula, groupFormula } from './formula.ts'
import { type Fusion, operandKind } from './fuse.ts'
import { inPlace } from './in-place.ts'

/** Constant data of a step: tables. */
export type Constant = Int32Array | Float32Array

/** Memory that one step alone uses. */
export interface Scratch {
  readonly floats: number
}

/** What lies behind a kernel's buffer: a tensor, scratch of the step, or constant data. */
export type Argument = { readonly tensor: Tensor } | { readonly scratch: Scratch } | { readonly constant: Constant }

/** One node (with what is fused into it) as kernels. Plain data. */
export interface Step {
  readonly node: Tensor
  readonly label: string
  readonly plan: Plan | undefined
  readonly calls: readonly (KernelCall & { readonly arguments: readonly Argument[] })[]
}

/** The tensor whose memory a node's values lie in: reshapes share their input's. */
export function storage(node: Tensor): Tensor {
  let at = node
  while (at.operation.kind === 'reshape') at = at.inputs[0]!
  return at
}

const strided = (name: string, operand: Tensor, over: readonly number[]): Strided => ({
  buffer: name,
  length: sizeOf(operand.shape),
  offset: 0,
  strides: broadcastStrides(operand.shape, over),
})

const whole = (name: string, shape: readonly number[]): Strided => ({
  buffer: name,
  length: sizeOf(shape),
  offset: 0,
  strides: stridesOf(shape),
})

/** Calls whose buffers are found by name. */
const callsOf = (list: readonly KernelCall[], named: Readonly<Record<string, Argument>>): Step['calls'] =>
  list.map((call) => ({ ...call, arguments: call.kernel.buffers.map(({ name }) => named[name]!) }))

const calls = (kernels: readonly Kernel[], named: Readonly<Record<string, Argument>>) =>
  callsOf(allPoints(kernels), named)

const tensors = (entries: Readonly<Record<string, Tensor>>): Record<string, Argument> =>
  Object.fromEntries(Object.entries(entries).map(([name, tensor]) => [name, { tensor }]))

const labelOf = (members: readonly Tensor[]): string =>
  members.map(({ operation }) => (operation.kind === 'map' ? operation.fn : operation.kind)).join(' ')

/** A key of `uniform` is read as two scalars, whatever the iteration. */
const keyReader =
  (lanes: 1 | 4) =>
  (key: number): [Expr, Expr] => [
    splat(load(`key${key}`, affine(0)), lanes),
    splat(load(`key${key}`, affine(1)), lanes),
  ]

const groupOperands = (formula: GroupFormula, over: readonly number[]): Strided[] => [
  ...formula.operands.map((operand, i) => strided(`x${i}`, operand, over)),
  ...formula.keys.map((key, i) => ({
    buffer: `key${i}`,
    length: sizeOf(key.shape),
    offset: 0,
    strides: over.map(() => 0),
  })),
]

const groupArguments = (formula: GroupFormula, result: Tensor): Record<string, Argument> => ({
  ...tensors(Object.fromEntries(formula.operands.map((operand, i) => [`x${i}`, operand]))),
  ...tensors(Object.fromEntries(formula.keys.map((key, i) => [`key${i}`, key]))),
  y: { tensor: result },
})

function mapStep(node: Tensor, members: readonly Tensor[], features: PlanFeatures): Step {
  const formula = groupFormula(members)
  const kernels = mapKernels(
    {
      name: 'map',
      shape: node.shape,
      operands: groupOperands(formula, node.shape),
      result: whole('y', node.shape),
      formula: (values, bind, index) =>
        formula.value(values, bind, index, keyReader(values[0]?.lanes ?? index().lanes)),
    },
    features,
  )
  const label = labelOf(members)
  return { node, label, plan: undefined, calls: calls(kernels, groupArguments(formula, node)) }
}

function reduceStep(node: Tensor, members: readonly Tensor[], features: PlanFeatures): Step {
  const { operation } = node
  invariant(operation.kind === 'reduce', 'a reduction')
  const x = node.inputs[0]!
  const formula: GroupFormula =
    members.length > 0 ? groupFormula(members) : { operands: [x], keys: [], value: (values) => values[0]! }
  const kernel = reduceKernel(
    {
      name: operation.fn,
      fn: operation.fn,
      shape: x.shape,
      axes: operation.axes,
      operands: groupOperands(formula, x.shape),
      result: strided('y', node, x.shape),
      formula: (values, bind, index) =>
        formula.value(values, bind, index, keyReader(values[0]?.lanes ?? index().lanes)),
    },
    features,
  )
  const label = [operation.fn, labelOf(members)].filter(Boolean).join(' of ')
  return { node, label, plan: undefined, calls: calls([kernel], groupArguments(formula, node)) }
}

function epilogueOf(contraction: Tensor, members: readonly Tensor[], result: Tensor) {
  const formula = groupFormula(members)
  const named: Record<string, Argument> = {}
  const isResult = (operand: Tensor) => storage(operand) === contraction
  formula.operands.forEach((operand, i) => {
    if (!isResult(operand)) named[`e${i}`] = { tensor: operand }
  })
  const epilogue: Epilogue = {
    buffers: formula.operands.flatMap((operand, i) =>
      isResult(operand) ? [] : [buffer(`e${i}`, 'f32', sizeOf(operand.shape) + slack, 'read')],
    ),
    apply(value, at, channel, bind) {
      const values = formula.operands.map((operand, i) => {
        if (isResult(operand)) return bind(value)
        const kind = operandKind(operand, result)
        if (kind === 'scalar') return bind(splat(load(`e${i}`, affine(0)), value.lanes))
        return bind(load(`e${i}`, kind === 'full' ? at : channel, value.lanes))
      })
      return formula.value(values, bind, noIndex, noKeys)
    },
  }
  return { epilogue, named }
}

const noIndex = (): never => invariant(false, 'an epilogue has no element number') as never
const noKeys = noIndex

function contractStep(contraction: Tensor, result: Tensor, members: readonly Tensor[], features: PlanFeatures): Step {
  const { operation } = contraction
  invariant(operation.kind === 'contract', 'a contraction')
  const { plan } = choose(operation.contraction, operation.spec, features)
  const { epilogue, named } =
    members.length > 0 ? epilogueOf(contraction, members, result) : { epilogue: noEpilogue, named: {} }
  const [a, b] = contraction.inputs as [Tensor, Tensor]
  const fused = members.length > 0 ? ` + ${labelOf(members)}` : ''
  return {
    node: result,
    label: `${operation.contraction}${fused}`,
    plan,
    calls: callsOf(planCalls(plan, features, epilogue), {
      ...tensors({ a, b, y: result }),
      ...Object.fromEntries(Object.entries(plan.scratch).map(([name, floats]) => [name, { scratch: { floats } }])),
      ...named,
    }),
  }
}

function copyKernels(
  name: string,
  shape: readonly number[],
  operand: Strided,
  result: Strided,
  features: PlanFeatures,
) {
  return mapKernels({ name, shape, operands: [operand], result, formula: ([value]) => value! }, features)
}

function concatStep(node: Tensor, axis: number, features: PlanFeatures): Step {
  const strides = stridesOf(node.shape)
  let from = 0
  const parts = node.inputs.map((input, i) => {
    const result = { buffer: 'y', length: sizeOf(node.shape), offset: from * strides[axis]!, strides }
    from += input.shape[axis]!
    const kernels = copyKernels('concat', input.shape, whole(`x${i}`, input.shape), result, features)
    return calls(kernels, tensors({ [`x${i}`]: input, y: node }))
  })
  return { node, label: 'concat', plan: undefined, calls: parts.flat() }
}

function resampleStep(node: Tensor, features: PlanFeatures): Step {
  const { operation } = node
  invariant(operation.kind === 'resample', 'a resampling')
  const x = node.inputs[0]!
  const shape: ResampleShape = {
    outer: sizeOf(x.shape.slice(0, operation.axis)),
    inputSize: operation.table.inputSize,
    rows: operation.table.rows,
    inner: sizeOf(x.shape.slice(operation.axis + 1)),
  }
  const band = bandKernel(shape, features)
  if (band) return simpleStep(node, [band], { x, y: node })
  const { index, weight } = resampleTables(shape)
  return {
    node,
    label: 'resample',
    plan: undefined,
    calls: calls([resampleKernel(shape, features)], {
      ...tensors({ x, y: node }),
      index: { constant: index },
      weight: { constant: weight },
    }),
  }
}

function simpleStep(node: Tensor, kernels: readonly Kernel[], named: Readonly<Record<string, Tensor>>): Step {
  return { node, label: node.operation.kind, plan: undefined, calls: calls(kernels, tensors(named)) }
}

function fillStep(node: Tensor, value: number, features: PlanFeatures): Step {
  const shape = { name: 'fill', shape: node.shape, operands: [], result: whole('y', node.shape) }
  const kernels = mapKernels({ ...shape, formula: (_, __, index) => f32(value, index().lanes) }, features)
  return simpleStep(node, kernels, { y: node })
}

/** The step that computes a node's values, or undefined where they need no computation of their own. */
function stepOf(node: Tensor, fusion: Fusion, members: readonly Tensor[], features: PlanFeatures): Step | undefined {
  const { operation, inputs } = node
  const [x, y, z] = inputs as [Tensor, Tensor, Tensor]
  switch (operation.kind) {
    case 'placeholder':
    case 'constant':
    case 'variable':
    case 'reshape':
      return undefined
    case 'fill':
      return fillStep(node, operation.value, features)
    case 'map':
    case 'uniform': {
      if (fusion.groupOf.get(node) !== node) return undefined
      const contraction = fusion.epilogueOf.get(node)
      return contraction ? contractStep(contraction, node, members, features) : mapStep(node, members, features)
    }
    case 'reduce':
      return reduceStep(node, members.slice(0, -1), features)
    case 'transpose': {
      const strides = stridesOf(x.shape)
      const operand = { ...whole('x', x.shape), strides: operation.order.map((axis) => strides[axis]!) }
      const kernels = copyKernels('transpose', node.shape, operand, whole('y', node.shape), features)
      return simpleStep(node, kernels, { x, y: node })
    }
    case 'pad':
      return simpleStep(node, [padKernel({ ...operation, shape: x.shape }, features)], { x, y: node })
    case 'concat':
      return concatStep(node, operation.axis, features)
    case 'resample':
      return resampleStep(node, features)
    case 'contract':
      return fusion.absorbed.has(node) ? undefined : contractStep(node, node, [], features)
    case 'windowMax':
      return simpleStep(node, [windowMaxKernel(operation.spec, features)], { x, y: node })
    case 'windowMaxScatter':
      return simpleStep(node, [windowMaxScatterKernel(operation.spec, features)], { x, y, g: z, dx: node })
    case 'windowMaxGather':
      return simpleStep(node, [windowMaxGatherKernel(operation.spec, features)], { x, y, t: z, out: node })
  }
}

/** All steps of a program in order; values that only fused neighbours use have none. */
export function stepsOf(fusion: Fusion, kept: ReadonlySet<Tensor>, features: PlanFeatures): Step[] {
  const membersOf = new Map<Tensor, Tensor[]>()
  for (const node of fusion.order) {
    const group = fusion.groupOf.get(node)
    if (group) membersOf.set(group, [...(membersOf.get(group) ?? []), node])
  }
  const made = new Map<Tensor, Step>()
  for (const node of fusion.order) {
    const step = stepOf(node, fusion, membersOf.get(node) ?? [], features)
    if (step) made.set(node, step)
  }
  // constants that every user wrote into its formula need no memory
  const read = new Set([...kept].map(storage))
  const steps = inPlace([...made.values()], kept)
  for (const step of steps)
    for (const call of step.calls)
      for (const argument of call.arguments)
        if ('tensor' in argument && storage(argument.tensor) !== step.node) read.add(storage(argument.tensor))
  return steps.filter((step) => step.node.operation.kind !== 'fill' || read.has(step.node))
}
