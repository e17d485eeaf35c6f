// Operations that read or write where other values say. Each place weighs all it may come from, so they are for small
// inputs: a limit tells when that would take too much memory.
import { sizeOf } from '../../base/shape.ts'
import {
  add,
  concat,
  conv,
  equal,
  less,
  max,
  mul,
  pad,
  resample,
  slice,
  sub,
  sum,
  type Tensor,
  tensor,
} from '../../graph/index.ts'
import { reshape, transpose } from '../../graph/reshape.ts'
import { gridSample, readPixels } from '../../nn/grid-sample.ts'
import { fold } from '../../nn/patches.ts'
import { countOf, fixed } from './elements.ts'
import { elementwise } from './elementwise.ts'
import type { Ops, Use } from './node.ts'
import {
  arranged,
  asLive,
  channelsLast,
  lastOrder,
  like,
  live,
  plain,
  plainOrder,
  reshaped,
  type Value,
} from './value.ts'
import { windowOf } from './windows.ts'

/** Most elements of a step between: 256 MB. */
const mostBetween = 2 ** 26

function checkBetween(use: Use, count: number): void {
  if (count > mostBetween) use.fail(`it would take ${count} numbers at once`, 'Use it on smaller inputs')
}

/** Whether a node's steps in between are small enough for a program. */
const fits = (count: number) => count <= mostBetween

export const fitsDeformable = (use: Use): boolean => {
  const [n, channels, height, width] = use.shape(0)
  const [, , ...out] = use.shape(2)
  return use.shape(0).length === 4 && fits(n * sizeOf(out) * sizeOf(use.shape(1).slice(2)) * height * width * channels)
}

export const fitsGrid = (use: Use): boolean => {
  const [, channels, height] = use.shape(0)
  const isPlain = use.shape(0).length === 4 && !use.text('mode', 'linear').includes('cubic')
  return isPlain && fits(sizeOf(use.shape(1)) * height * channels)
}

export const fitsUnpool = (use: Use): boolean => {
  const [n, c, ...spatial] = use.shape(0)
  const { kernel, stride, padding } = windowOf(use, spatial, use.ints('kernel_shape') ?? [])
  const out = spatial.map((size, i) => (size - 1) * stride[i] + kernel[i] - padding[i][0] - padding[i][1])
  return fits(n * c * sizeOf(out) * sizeOf(spatial))
}

/** Where each tap of each window reads without offsets, in one axis: [OH * OW * taps]. */
function positions(axis: number, out: readonly number[], window: ReturnType<typeof windowOf>): Tensor {
  const { kernel, stride, dilation, padding } = window
  const values: number[] = []
  const at = (p: number, k: number) => p * stride[axis] - padding[axis][0] + k * dilation[axis]
  for (let y = 0; y < out[0]; y++)
    for (let x = 0; x < out[1]; x++)
      for (let i = 0; i < kernel[0]; i++)
        for (let j = 0; j < kernel[1]; j++) values.push(axis === 0 ? at(y, i) : at(x, j))
  return tensor(values)
}

/** Channels `from` to `to` of a tensor with channels last. */
const channels = (x: Tensor, from: number, to: number) =>
  slice(
    x,
    x.shape.map((_, i) => (i === x.shape.length - 1 ? from : 0)),
    x.shape.map((n, i) => (i === x.shape.length - 1 ? to : n)),
  )

/** A convolution whose taps are moved by offsets between pixels (Dai et al. 2017; with a mask Zhu et al. 2019). */
function deformConv(use: Use): Value {
  const x = channelsLast(use.input(0))
  const [n, height, width, inputs] = x.shape
  const weight = use.input(1)
  const offsets = channelsLast(use.input(2))
  if (x.shape.length !== 4) use.fail('only images are supported')
  const window = windowOf(use, [height, width], use.ints('kernel_shape') ?? weight.shape.slice(2))
  const out = offsets.shape.slice(1, 3)
  const taps = sizeOf(window.kernel)
  const groups = use.int('offset_group', 1)
  checkBetween(use, n * sizeOf(out) * taps * height * width * inputs)
  const points = sizeOf(out) * taps
  const bases = [0, 1].map((axis) => positions(axis, out, window))
  const parts = Array.from({ length: groups }, (_, g) => {
    const moved = reshape(channels(offsets, g * taps * 2, (g + 1) * taps * 2), [n, points, 2])
    const [rows, columns] = bases.map((base, axis) => add(reshape(channels(moved, axis, axis + 1), [n, points]), base))
    const part = channels(x, (g * inputs) / groups, ((g + 1) * inputs) / groups)
    const read = reshape(readPixels(part, rows, columns), [n, ...out, taps, inputs / groups])
    if (!use.has(4)) return read
    const mask = channels(channelsLast(use.input(4)), g * taps, (g + 1) * taps)
    return mul(read, reshape(mask, [n, ...out, taps, 1]))
  })
  const read = reshape(transpose(concat(parts), [0, 1, 2, 4, 3]), [n, ...out, inputs * taps])
  const kernel = reshape(arranged(weight, [1, 2, 3, 0]), [1, 1, weight.shape[1] * taps, weight.shape[0]])
  const y = conv(read, kernel, { groups: use.int('group', 1) })
  return live(use.type(0), use.has(3) ? add(y, arranged(use.input(3), [0])) : y, lastOrder(4))
}

function gridSampled(use: Use): Value {
  const x = channelsLast(use.input(0))
  const mode = use.text('mode', 'linear').replace('bi', '')
  if (x.shape.length !== 4 || mode.includes('cubic')) use.fail(`mode '${mode}' of ${x.shape.length - 2} spatial axes`)
  const grid = plain(use.input(1))
  checkBetween(use, sizeOf(grid.shape) * x.shape[1] * x.shape[3])
  const padding = use.text('padding_mode', 'zeros') as 'zeros'
  const options = { mode: mode === 'nearest' ? 'nearest' : 'bilinear', padding } as const
  const y = gridSample(x, grid, { ...options, alignCorners: use.int('align_corners', 0) === 1 })
  return live(use.type(0), y, lastOrder(4))
}

/** Puts values back where a max pooling took them from: indices count N, C, spatial. Larger shapes get zeros behind. */
function maxUnpool(use: Use): Value {
  const { shape } = use.input(0)
  const [n, c, ...spatial] = shape
  const { kernel, stride, padding } = windowOf(use, spatial, use.ints('kernel_shape') ?? [])
  const inferred = spatial.map((size, i) => (size - 1) * stride[i] + kernel[i] - padding[i][0] - padding[i][1])
  const whole = [n, c, ...inferred]
  const places = sizeOf(inferred)
  const points = sizeOf(spatial)
  checkBetween(use, n * c * places * points)
  const starts = Array.from({ length: n * c }, (_, i) => i * places)
  const rows = (value: Value) => reshape(plain(value), [n * c, 1, points])
  if (points !== sizeOf(use.shape(1).slice(2))) use.fail('as many indices as values are needed', 'Check the model')
  const local = sub(rows(use.input(1)), tensor(starts, [n * c, 1, 1]))
  const numbers = tensor(
    Array.from({ length: places }, (_, i) => i),
    [1, places, 1],
  )
  const y = sum(mul(equal(local, numbers), rows(use.input(0))), [2])
  const wanted = use.has(2) ? use.numbers(2) : whole
  const behind = whole.map((size, i): [number, number] => [0, wanted[i] - size])
  return live(use.type(0), pad(reshape(y, whole), behind))
}

function columnsToImage(use: Use): Value {
  const [size, window] = [use.numbers(1), use.numbers(2)]
  const x = use.input(0)
  const [n, rows, count] = x.shape
  const { stride, dilation, padding } = windowOf(use, size, window)
  const blocks = size.map((m, i) => {
    const reach = m + padding[i][0] + padding[i][1] - dilation[i] * (window[i] - 1) - 1
    return Math.floor(reach / stride[i]) + 1
  })
  if (sizeOf(blocks) !== count) use.fail(`${count} columns for ${blocks.join('x')} windows`, 'Check the model')
  const windows = channelsLast(reshaped(x, [n, rows, ...blocks]))
  const y = fold(windows, size, window, { stride, dilation, padding })
  return live(use.type(0), y, lastOrder(y.shape.length))
}

function oneHot(use: Use): Value {
  const depth = use.numbers(1)[0]
  const [off, on] = use.numbers(2)
  const indices = use.input(0)
  const rank = indices.shape.length + 1
  const axis = use.axis(use.int('axis', -1), rank)
  const wide = reshaped(indices, [...indices.shape.slice(0, axis), 1, ...indices.shape.slice(axis)])
  const shape = plainOrder(rank).map((i) => (i === axis ? depth : 1))
  countOf(use.node.title, [...indices.shape, depth])
  const classes = fixed(
    'int64',
    shape,
    Array.from({ length: depth }, (_, i) => i),
  )
  const hit = (i: Tensor, k: Tensor) => equal(add(i, mul(less(i, 0), depth)), k)
  return elementwise([wide, classes], (i, k) => add(mul(hit(i, k), on - off), off), use.type(2))
}

/** Sums of all before: a triangle of ones along the axis. */
function cumulative(use: Use): Value {
  const x = asLive(use.input(0))
  const axis = use.axis(use.numbers(1)[0], x.shape.length)
  const n = x.shape[axis]
  checkBetween(use, n * n)
  const [exclusive, reverse] = [use.int('exclusive', 0), use.int('reverse', 0) === 1]
  const rows = Array.from({ length: n }, (_, i) => {
    const [from, to] = reverse ? [i + exclusive, n] : [0, i + 1 - exclusive]
    return Array.from({ length: Math.max(to - from, 0) }, (_, k): [number, number] => [from + k, 1])
  })
  return like(x, resample(x.tensor, x.order.indexOf(axis), { inputSize: n, rows }))
}

/** 1 at the first of the largest elements, else 0. */
function hardmax(use: Use): Value {
  const x = asLive(use.input(0))
  const axis = use.axis(use.int('axis', use.opset < 13 ? 1 : -1), x.shape.length)
  if (use.opset < 13 && axis !== x.shape.length - 1) use.fail(`axis ${axis} before opset 13`)
  const at = x.order.indexOf(axis)
  const n = x.shape[axis]
  const from = tensor(
    Array.from({ length: n }, (_, i) => n - i),
    x.tensor.shape.map((_, i) => (i === at ? n : 1)),
  )
  const ranks = mul(equal(x.tensor, max(x.tensor, [at], { keepAxes: true })), from)
  return like(x, mul(equal(ranks, max(ranks, [at], { keepAxes: true })), less(0, ranks)))
}

/** One triangle of matrices, the rest 0. */
function triangle(use: Use): Value {
  const value = use.input(0)
  if (sizeOf(value.shape) === 0) return value
  const [rows, columns] = value.shape.slice(-2)
  const k = use.numbers(1, [0])[0]
  const upper = use.int('upper', 1) === 1
  const keep = Array.from({ length: rows * columns }, (_, i) => {
    const ahead = (i % columns) - Math.floor(i / columns) - k
    return (upper ? ahead >= 0 : ahead <= 0) ? 1 : 0
  })
  return elementwise([value, fixed('float32', [rows, columns], keep)], mul, value.type)
}

export const samplingOps: Ops = {
  Col2Im: columnsToImage,
  CumSum: cumulative,
  DeformConv: deformConv,
  GridSample: gridSampled,
  Hardmax: hardmax,
  MaxUnpool: maxUnpool,
  OneHot: oneHot,
  Trilu: triangle,
}
