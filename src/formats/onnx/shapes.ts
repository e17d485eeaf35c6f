import { type Shape, stridesOf } from '../../base/shape.ts'
import { type PadOptions, pad } from '../../graph/pad.ts'
import { countOf, everywhere, type Fixed, fixed, integers, storageOf } from './elements.ts'
import type { Ops, Use } from './node.ts'
import { permuted } from './permute.ts'
import { asLive, isFixed, like, plainOrder, reshaped, transposed, type Value } from './value.ts'

function shapeOf(use: Use): Value {
  const { shape } = use.input(0)
  return integers(shape.slice(use.int('start', 0), use.hasAttribute('end') ? use.int('end') : undefined))
}

function constantOfShape(use: Use): Value {
  const shape = use.numbers(0)
  const value = use.tensor('value') ?? fixed('float32', [1], [0])
  countOf(use.node.title, shape)
  return everywhere(value.type, shape, value.data[0] ?? 0)
}

const modes: Readonly<Record<string, PadOptions['mode']>> = {
  constant: 'constant',
  reflect: 'reflect',
  edge: 'replicate',
  wrap: 'circular',
}

/** A known tensor with a border of one value: shapes are made so. */
function padFixed(value: Fixed, low: Shape, high: Shape, filler: number): Fixed {
  const shape = value.shape.map((n, axis) => n + low[axis] + high[axis])
  const data = storageOf(value.type, countOf('a padded constant', shape)).fill(filler)
  const [from, to] = [stridesOf(value.shape), stridesOf(shape)]
  value.data.forEach((v, i) => {
    const index = from.map((stride, axis) => (Math.floor(i / stride) % value.shape[axis]) + low[axis])
    if (index.every((n, axis) => n >= 0 && n < shape[axis])) data[index.reduce((sum, n, a) => sum + n * to[a], 0)] = v
  })
  return { type: value.type, shape, data }
}

function padded(use: Use): Value {
  const value = use.input(0)
  const rank = value.shape.length
  const old = use.opset < 11
  const list = old ? (use.ints('pads') ?? []) : use.numbers(1)
  const axes = (!old && use.has(3) ? use.numbers(3) : plainOrder(rank)).map((axis) => use.axis(axis, rank))
  if (list.length !== 2 * axes.length) use.fail(`${list.length} pads for ${axes.length} axes`, 'Check the model')
  const pairs = value.shape.map((_, axis): [number, number] => {
    const i = axes.indexOf(axis)
    return i < 0 ? [0, 0] : [list[i], list[axes.length + i]]
  })
  countOf(
    use.node.title,
    value.shape.map((n, axis) => n + pairs[axis][0] + pairs[axis][1]),
  )
  const name = use.text('mode', 'constant')
  const mode = Object.hasOwn(modes, name) ? modes[name] : use.fail(`mode '${name}' is unknown`)
  const filler = old ? use.float('value', 0) : (use.numbers(2, [0])[0] ?? 0)
  const [low, high] = [pairs.map((pair) => pair[0]), pairs.map((pair) => pair[1])]
  if (isFixed(value) && mode === 'constant') return padFixed(value, low, high, filler)
  const x = asLive(value)
  return like(x, pad(x.tensor, permuted(pairs, x.order), { mode, value: filler }))
}

/** The middle of an axis, or the axis in the middle of zeros; the odd element more is at the end. */
function centerCropPad(use: Use): Value {
  const value = use.input(0)
  const rank = value.shape.length
  const axes = use.ints('axes')?.map((axis) => use.axis(axis, rank)) ?? plainOrder(rank)
  const wanted = use.numbers(1)
  if (wanted.length !== axes.length || wanted.some((n) => !(n > 0)))
    use.fail(`sizes ${wanted} for ${axes.length} axes`, 'Check the model')
  const pairs = value.shape.map((n, axis): [number, number] => {
    const i = axes.indexOf(axis)
    const more = i < 0 ? 0 : wanted[i] - n
    const low = Math.trunc(more / 2)
    return [low, more - low]
  })
  countOf(
    use.node.title,
    value.shape.map((n, axis) => n + pairs[axis][0] + pairs[axis][1]),
  )
  const x = asLive(value)
  return like(x, pad(x.tensor, permuted(pairs, x.order)))
}

function transpose(use: Use): Value {
  const value = use.input(0)
  const rank = value.shape.length
  const order = use.ints('perm') ?? plainOrder(rank).reverse()
  if (order.length !== rank || new Set(order.map((axis) => use.axis(axis, rank))).size !== rank)
    use.fail(`perm ${order} of ${rank} axes`, 'Check the model')
  return transposed(value, order)
}

/** Channels to blocks of pixels: [N, C * b * b, H, W] to [N, C, H * b, W * b]. */
function depthToSpace(use: Use): Value {
  const value = use.input(0)
  const [n, c, h, w] = value.shape
  const b = use.int('blocksize')
  const depth = c / (b * b)
  if (value.shape.length !== 4 || !Number.isInteger(depth)) use.fail(`blocks of ${b} of [${value.shape}]`, 'Check it')
  const columnsFirst = use.text('mode', 'DCR') === 'CRD'
  const split = reshaped(value, columnsFirst ? [n, depth, b, b, h, w] : [n, b, b, depth, h, w])
  const moved = transposed(split, columnsFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2])
  return reshaped(moved, [n, depth, h * b, w * b])
}

function spaceToDepth(use: Use): Value {
  const value = use.input(0)
  const [n, c, h, w] = value.shape
  const b = use.int('blocksize')
  if (value.shape.length !== 4 || h % b !== 0 || w % b !== 0) use.fail(`blocks of ${b} of [${value.shape}]`, 'Check it')
  const moved = transposed(reshaped(value, [n, c, h / b, b, w / b, b]), [0, 3, 5, 1, 2, 4])
  return reshaped(moved, [n, c * b * b, h / b, w / b])
}

function rangeOf(use: Use): Value {
  const [start, limit, delta] = [0, 1, 2].map((i) => use.numbers(i)[0])
  const count = Math.max(Math.ceil((limit - start) / delta), 0)
  countOf(use.node.title, [count])
  return fixed(
    use.type(0),
    [count],
    Array.from({ length: count }, (_, i) => start + i * delta),
  )
}

function constant(use: Use): Value {
  const value = use.tensor('value')
  if (value) return value
  const floats = use.floats('value_floats') ?? []
  if (use.hasAttribute('value_float')) return fixed('float32', [], [use.float('value_float', 0)])
  if (use.hasAttribute('value_floats')) return fixed('float32', [floats.length], floats)
  if (use.hasAttribute('value_int')) return fixed('int64', [], [use.int('value_int')])
  if (use.hasAttribute('value_ints')) return integers(use.ints('value_ints') ?? [])
  return use.fail('its value is none of tensor, float(s), int(s)')
}

export const shapeOps: Ops = {
  CenterCropPad: centerCropPad,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  DepthToSpace: depthToSpace,
  Pad: padded,
  Range: rangeOf,
  Shape: shapeOf,
  Size: (use) => fixed('int64', [], [use.shape(0).reduce((a, b) => a * b, 1)]),
  SpaceToDepth: spaceToDepth,
  Transpose: transpose,
}
