import { add, div, mean, mul, pow, resample, sqrt, sub, sum, type Tensor } from '../../graph/index.ts'
import { abs } from '../../graph/map.ts'
import { fixed } from './elements.ts'
import { elementwise } from './elementwise.ts'
import type { Ops, Use } from './node.ts'
import { arranged, asLive, channelsLast, isFixed, lastOrder, like, live, reshaped, type Value } from './value.ts'

interface Moments {
  readonly centre: Tensor
  readonly inverse: Tensor
  readonly y: Tensor
}

/** (x - mean) / sqrt(variance + eps) over `axes`. */
function standardized(x: Tensor, axes: readonly number[], eps: number): Moments {
  const centre = mean(x, axes, { keepAxes: true })
  const apart = sub(x, centre)
  const inverse = div(1, sqrt(add(mean(mul(apart, apart), axes, { keepAxes: true }), eps)))
  return { centre, inverse, y: mul(apart, inverse) }
}

const vector = (value: Value): Tensor => arranged(value, [0])

/** Scale and shift per channel where all statistics are known. */
function known(use: Use, eps: number): { scale: Tensor; shift: Tensor } | undefined {
  const [scale, bias, centre, variance] = [1, 2, 3, 4].map((i) => use.input(i))
  if (!isFixed(scale) || !isFixed(bias) || !isFixed(centre) || !isFixed(variance)) return undefined
  const made = use.once(1, () => {
    const factors = Array.from(scale.data, (s, c) => s / Math.sqrt(variance.data[c] + eps))
    const shifts = Array.from(bias.data, (b, c) => b - centre.data[c] * factors[c])
    return { scale: fixed('float32', scale.shape, factors), shift: fixed('float32', scale.shape, shifts) }
  })
  return { scale: vector(made.scale), shift: vector(made.shift) }
}

function batchNorm(use: Use): readonly Value[] {
  const value = use.input(0)
  const x = channelsLast(value)
  const eps = use.float('epsilon', 1e-5)
  const order = lastOrder(value.shape.length)
  if (use.opset < 9 && use.int('spatial', 1) === 0) use.fail('spatial is 0')
  if (use.int('training_mode', 0) === 1) return trained(use, x, eps)
  const constants = known(use, eps)
  if (constants) return [live(value.type, add(mul(x, constants.scale), constants.shift), order)]
  const [scale, bias, centre, variance] = [1, 2, 3, 4].map((i) => vector(use.input(i)))
  const factor = mul(scale, div(1, sqrt(add(variance, eps))))
  return [live(value.type, add(mul(sub(x, centre), factor), bias), order)]
}

/** With the batch's statistics, and the running ones moved towards them. */
function trained(use: Use, x: Tensor, eps: number): readonly Value[] {
  const momentum = use.float('momentum', 0.9)
  const axes = x.shape.slice(1).map((_, axis) => axis)
  const { centre, y } = standardized(x, axes, eps)
  const variance = mean(pow(sub(x, centre), 2), axes)
  const moved = (i: number, now: Tensor) => add(mul(vector(use.input(i)), momentum), mul(now, 1 - momentum))
  const scaled = add(mul(y, vector(use.input(1))), vector(use.input(2)))
  return [
    live(use.type(0), scaled, lastOrder(x.shape.length)),
    live(use.type(3), moved(3, mean(x, axes))),
    live(use.type(4), moved(4, variance)),
  ]
}

/** Each group of channels of each sample by itself; scale and bias per channel, or per group before opset 21. */
function grouped(use: Use, groups: number): Value {
  const x = use.input(0)
  const [n, channels, ...spatial] = x.shape
  if (channels % groups !== 0) use.fail(`${groups} groups of ${channels} channels`, 'Check the model')
  const split = asLive(reshaped(x, [n, groups, channels / groups, ...spatial]))
  const axes = split.order.flatMap((axis, i) => (axis > 1 ? [i] : []))
  const { y } = standardized(split.tensor, axes, use.float('epsilon', 1e-5))
  const perGroup = use.shape(1)[0] !== channels
  const wide = (i: number) => {
    const value = use.input(i)
    const count = perGroup ? [groups, 1] : [groups, channels / groups]
    return reshaped(value, [1, ...count, ...spatial.map(() => 1)])
  }
  const scaled = elementwise([like(split, y), wide(1), wide(2)], (t, scale, bias) => add(mul(t, scale), bias))
  return reshaped(scaled, x.shape)
}

function layerNorm(use: Use): readonly Value[] {
  const x = asLive(use.input(0))
  const rank = x.shape.length
  const first = use.axis(use.int('axis', -1), rank)
  const axes = x.order.flatMap((axis, i) => (axis >= first ? [i] : []))
  const { y, centre, inverse } = standardized(x.tensor, axes, use.float('epsilon', 1e-5))
  const values = [like(x, y), use.input(1), ...(use.has(2) ? [use.input(2)] : [])]
  const scaled = elementwise(values, (t, scale, bias) => (bias ? add(mul(t, scale), bias) : mul(t, scale)))
  return [scaled, like(x, centre), like(x, inverse)]
}

/** x / (bias + alpha / size * sum of squares of `size` neighbouring channels)^beta. */
function localResponse(use: Use): Value {
  const x = channelsLast(use.input(0))
  const size = use.int('size')
  const channels = x.shape.at(-1)!
  const before = Math.floor((size - 1) / 2)
  const rows = Array.from({ length: channels }, (_, c) => {
    const [from, to] = [Math.max(c - before, 0), Math.min(c - before + size, channels)]
    return Array.from({ length: Math.max(to - from, 0) }, (_, i): [number, number] => [from + i, 1 / size])
  })
  const squares = resample(mul(x, x), x.shape.length - 1, { inputSize: channels, rows })
  const scale = add(mul(squares, use.float('alpha', 1e-4)), use.float('bias', 1))
  return live(use.type(0), mul(x, pow(scale, -use.float('beta', 0.75))), lastOrder(x.shape.length))
}

function lpNormalization(use: Use): Value {
  const x = asLive(use.input(0))
  const axes = [x.order.indexOf(use.axis(use.int('axis', -1), x.shape.length))]
  const keep = { keepAxes: true }
  const size = use.int('p', 2) === 1 ? sum(abs(x.tensor), axes, keep) : sqrt(sum(mul(x.tensor, x.tensor), axes, keep))
  return like(x, div(x.tensor, size))
}

export const normOps: Ops = {
  BatchNormalization: batchNorm,
  GroupNormalization: (use) => grouped(use, use.int('num_groups')),
  InstanceNormalization: (use) => grouped(use, use.shape(0)[1]),
  LayerNormalization: layerNorm,
  LRN: localResponse,
  LpNormalization: lpNormalization,
  MeanVarianceNormalization: (use) => {
    const x = asLive(use.input(0))
    const axes = (use.ints('axes') ?? [0, 2, 3]).map((axis) => x.order.indexOf(axis))
    return like(x, standardized(x.tensor, axes, 1e-9).y)
  },
  RMSNormalization: (use) => {
    const x = asLive(use.input(0))
    const first = use.axis(use.int('axis', -1), x.shape.length)
    const axes = x.order.flatMap((axis, i) => (axis >= first ? [i] : []))
    const squares = add(mean(mul(x.tensor, x.tensor), axes, { keepAxes: true }), use.float('epsilon', 1e-5))
    return elementwise([like(x, div(x.tensor, sqrt(squares))), use.input(1)], mul)
  },
}
