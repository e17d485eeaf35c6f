import { invariant } from '../base/errors.ts'
import { sameShape } from '../base/shape.ts'
import { type ConvSpec, inputShape, kernelShape, outputShape } from '../conv/spec.ts'
import { contract } from '../graph/conv.ts'
import { broadcastTo } from '../graph/map.ts'
import { padConstant } from '../graph/pad.ts'
import { sum } from '../graph/reduce.ts'
import { reshape } from '../graph/reshape.ts'
import { Tensor, topological } from '../graph/tensor.ts'
import { choose } from '../plan/choose.ts'
import { readsBorders } from '../plan/depthwise.ts'
import { gradientPadding } from '../plan/phases.ts'
import type { PlanFeatures } from '../plan/types.ts'
import { withoutBorders } from './borders.ts'

/** Zeros around the spatial axes of x; negative entries stay for the spec to crop. */
function padSpatial(x: Tensor, low: readonly number[], high: readonly number[], value = 0): Tensor {
  const positive = (pads: readonly number[]) => [0, ...pads.map((n) => Math.max(n, 0)), 0]
  return padConstant(x, positive(low), positive(high), value)
}

/** The spec on an input that `padSpatial` has padded. */
function paddedSpec(spec: ConvSpec): ConvSpec {
  const rest = (pads: readonly number[]) => pads.map((n) => Math.min(n, 0))
  const grown = spec.input.map((n, i) => n + Math.max(spec.padLow[i]!, 0) + Math.max(spec.padHigh[i]!, 0))
  return { ...spec, input: grown, padLow: rest(spec.padLow), padHigh: rest(spec.padHigh) }
}

/** Each channel repeated `times` times, neighbours. */
function repeatChannels(x: Tensor, times: number): Tensor {
  const repeated = broadcastTo(reshape(x, [...x.shape, 1]), [...x.shape, times])
  return reshape(repeated, [...x.shape.slice(0, -1), x.shape.at(-1)! * times])
}

/** A multiplier of a depthwise convolution up to this is a plain depthwise one on repeated channels. */
const mostRepeated = 3

function rewriteContract(node: Tensor, a: Tensor, b: Tensor, features: PlanFeatures): Tensor {
  const { operation } = node
  invariant(operation.kind === 'contract', 'a contraction')
  const { contraction, spec } = operation
  const times = spec.outChannels / spec.groups
  const repeats = spec.groups > 1 && spec.groups === spec.inChannels && times > 1 && times <= mostRepeated
  if (contraction === 'output' && (times === 1 || repeats) && readsBorders(spec)) {
    const plain = withoutBorders(a, spec)
    if (plain.x !== a) return rewriteContract(contract(contraction, plain.spec, node, node), plain.x, b, features)
  }
  if (repeats) {
    const wide = { ...spec, inChannels: spec.outChannels, groups: spec.outChannels }
    if (contraction !== 'inputGradient')
      return rewriteContract(contract(contraction, wide, node, node), repeatChannels(a, times), b, features)
    const g = rewriteContract(contract(contraction, wide, node, node), a, b, features)
    return sum(reshape(g, [...g.shape.slice(0, -1), spec.inChannels, times]), [-1])
  }
  if (choose(contraction, spec, features).plan.padsItself) return contract(contraction, spec, a, b)
  if (contraction === 'inputGradient') {
    const { low, high } = gradientPadding(spec)
    return contract(contraction, spec, padSpatial(a, low, high), b)
  }
  return contract(contraction, paddedSpec(spec), padSpatial(a, spec.padLow, spec.padHigh), b)
}

function rewriteWindow(node: Tensor, inputs: readonly Tensor[]): Tensor {
  const { operation } = node
  invariant(
    operation.kind === 'windowMax' || operation.kind === 'windowMaxGather' || operation.kind === 'windowMaxScatter',
    'a window',
  )
  const { kind, spec } = operation
  const padded = paddedSpec(spec)
  const x = padSpatial(inputs[0]!, spec.padLow, spec.padHigh, -Infinity)
  if (kind === 'windowMax') return new Tensor({ kind, spec: padded }, [x], outputShape(spec))
  if (kind === 'windowMaxGather') {
    const t = padSpatial(inputs[2]!, spec.padLow, spec.padHigh)
    return new Tensor({ kind, spec: padded }, [x, inputs[1]!, t], outputShape(spec))
  }
  const dx = new Tensor({ kind, spec: padded }, [x, inputs[1]!, inputs[2]!], inputShape(padded))
  const crop = (pads: readonly number[]) => [0, ...pads.map((n) => -Math.max(n, 0)), 0]
  return padConstant(dx, crop(spec.padLow), crop(spec.padHigh))
}

const specKeys = new WeakMap<ConvSpec, string>()

function specKey(spec: ConvSpec): string {
  let key = specKeys.get(spec)
  if (!key) {
    key = JSON.stringify(spec)
    specKeys.set(spec, key)
  }
  return key
}

const identities = new WeakMap<object, number>()
let nextIdentity = 0

function identity(value: object): number {
  let id = identities.get(value)
  if (id === undefined) {
    id = nextIdentity++
    identities.set(value, id)
  }
  return id
}

/** Text that is the same for nodes that compute the same from the same inputs. Leaves with data differ by identity. */
export function operationKey(node: Tensor): string {
  const { operation, shape } = node
  switch (operation.kind) {
    case 'placeholder':
    case 'constant':
      return `${operation.kind} #${identity(node)}`
    case 'variable':
      return `variable #${identity(operation.variable)}`
    case 'fill':
      return `fill ${Object.is(operation.value, -0) ? '-0' : operation.value} ${shape}`
    case 'map':
      return `${operation.fn} ${shape}`
    case 'uniform':
      return `uniform ${operation.salt} ${shape}`
    case 'reduce':
      return `${operation.fn}Over ${operation.axes}`
    case 'reshape':
      return `reshape ${shape}`
    case 'transpose':
      return `transpose ${operation.order}`
    case 'pad':
      return `pad ${operation.low} ${operation.high} ${operation.value}`
    case 'concat':
      return `concat ${operation.axis}`
    case 'resample':
      return `resample ${operation.axis} #${identity(operation.table)}`
    case 'contract':
      return `${operation.contraction} ${specKey(operation.spec)}`
    case 'windowMax':
    case 'windowMaxGather':
    case 'windowMaxScatter':
      return `${operation.kind} ${specKey(operation.spec)}`
  }
}

/**
 * The same values with padding made explicit (so that several users share one padded copy), depthwise multipliers
 * unrolled, and equal nodes made one.
 */
export function rewrite(roots: readonly Tensor[], features: PlanFeatures): Tensor[] {
  const unique = new Map<string, Tensor>()
  const known = new Map<Tensor, Tensor>()
  const share = (node: Tensor): Tensor => {
    const before = known.get(node)
    if (before) return before
    const inputs = node.inputs.map(share)
    const key = `${operationKey(node)} (${inputs.map(identity)})`
    let same = unique.get(key)
    if (!same) {
      const kept = inputs.every((input, i) => input === node.inputs[i])
      same = kept ? node : new Tensor(node.operation, inputs, node.shape)
      unique.set(key, same)
    }
    known.set(node, same)
    known.set(same, same)
    return same
  }
  const rewritten = new Map<Tensor, Tensor>()
  for (const node of topological(roots)) {
    const inputs = node.inputs.map((input) => rewritten.get(input)!)
    const { operation } = node
    let result: Tensor
    if (operation.kind === 'contract') {
      result = rewriteContract(node, inputs[0]!, inputs[1]!, features)
      const { spec, contraction } = operation
      const shape = { output: outputShape, inputGradient: inputShape, kernelGradient: kernelShape }[contraction](spec)
      if (!sameShape(result.shape, shape)) result = reshape(result, shape)
    } else if (operation.kind.startsWith('windowMax')) result = rewriteWindow(node, inputs)
    else result = new Tensor(operation, inputs, node.shape)
    // leaves stand for themselves: feeds and variables are found by identity
    if (node.inputs.length === 0) result = node
    rewritten.set(node, share(result))
  }
  return roots.map((root) => rewritten.get(root)!)
}
