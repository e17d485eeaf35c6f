import { add, mul, resample, sub, type Table, tensor } from '../../graph/index.ts'
import { countOf } from './elements.ts'
import type { Ops, Use } from './node.ts'
import { permuted } from './permute.ts'
import { asLive, live, type Value } from './value.ts'

type Row = (readonly [index: number, weight: number])[]

/** How one axis is resized. */
interface Axis {
  readonly input: number
  readonly output: number
  readonly scale: number
  /** Part of the axis that is read, of tf_crop_and_resize. */
  readonly from: number
  readonly to: number
}

/** Where output i comes from, between the elements of the input. */
function source(use: Use, mode: string, i: number, axis: Axis): number {
  const { input, output, scale, from, to } = axis
  switch (mode) {
    case 'half_pixel':
      return (i + 0.5) / scale - 0.5
    case 'half_pixel_symmetric': {
      const adjusted = output / (scale * input)
      return (input / 2) * (1 - adjusted) + (i + 0.5) / scale - 0.5
    }
    case 'pytorch_half_pixel':
      return output > 1 ? (i + 0.5) / scale - 0.5 : 0
    case 'align_corners':
      return output > 1 ? (i * (input - 1)) / (output - 1) : 0
    case 'asymmetric':
      return i / scale
    case 'tf_half_pixel_for_nn':
      return (i + 0.5) / scale
    case 'tf_crop_and_resize':
      return output > 1
        ? from * (input - 1) + (i * (to - from) * (input - 1)) / (output - 1)
        : 0.5 * (from + to) * (input - 1)
    default:
      return use.fail(`coordinate_transformation_mode '${mode}' is unknown`)
  }
}

function nearest(use: Use, mode: string, x: number): number {
  switch (mode) {
    case 'round_prefer_floor':
      return Math.ceil(x - 0.5)
    case 'round_prefer_ceil':
      return Math.floor(x + 0.5)
    case 'floor':
      return Math.floor(x)
    case 'ceil':
      return Math.ceil(x)
    default:
      return use.fail(`nearest_mode '${mode}' is unknown`)
  }
}

/** Weight of an element at distance d: a triangle, or Keys' cubic (1981). */
function weightAt(cubic: boolean, a: number, d: number): number {
  const x = Math.abs(d)
  if (!cubic) return Math.max(1 - x, 0)
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
}

/** The elements around x with their weights; made wider by `stretch` where a smaller picture must not alias. */
function around(use: Use, x: number, input: number, stretch: number): Row {
  const cubic = use.text('mode', 'nearest') === 'cubic'
  const a = use.float('cubic_coeff_a', -0.75)
  const outside = use.int('exclude_outside', 0) === 1
  const reach = (cubic ? 2 : 1) * stretch
  const row = new Map<number, number>()
  let total = 0
  for (let i = Math.ceil(x - reach); i <= Math.floor(x + reach); i++) {
    const weight = weightAt(cubic, a, (i - x) / stretch)
    const inside = i >= 0 && i < input
    if (weight === 0 || (outside && !inside)) continue
    const at = Math.min(Math.max(i, 0), input - 1)
    row.set(at, (row.get(at) ?? 0) + weight)
    total += weight
  }
  return [...row].map(([index, weight]) => [index, weight / total] as const)
}

function tableOf(use: Use, axis: Axis): Table & { outside: boolean[] } {
  const mode = use.text('mode', 'nearest')
  const usual = use.opset < 11 ? 'asymmetric' : 'half_pixel'
  const coordinates = use.text('coordinate_transformation_mode', usual)
  const rounding = use.opset < 11 ? 'floor' : use.text('nearest_mode', 'round_prefer_floor')
  const { input, output, scale } = axis
  const stretch = use.int('antialias', 0) === 1 ? Math.max(1 / scale, 1) : 1
  const outside: boolean[] = []
  const rows = Array.from({ length: output }, (_, i): Row => {
    const x = source(use, coordinates, i, axis)
    outside.push(coordinates === 'tf_crop_and_resize' && (x < 0 || x > input - 1))
    if (mode !== 'nearest') return around(use, x, input, stretch)
    return [[Math.min(Math.max(nearest(use, rounding, x), 0), input - 1), 1]]
  })
  return { inputSize: input, rows, outside }
}

/** Scales and sizes of each of `axes`, one worked out from the other. */
function extents(use: Use, sizes: readonly number[], axes: readonly number[]): { output: number; scale: number }[] {
  const old = use.opset < 11
  const scalesAt = old ? 1 : 2
  const fromAttribute = use.floats('scales')
  const scales = fromAttribute ?? (use.has(scalesAt) ? use.numbers(scalesAt) : [])
  if (scales.length > 0) {
    if (scales.length !== axes.length || scales.some((scale) => !(scale > 0)))
      use.fail(`scales ${scales} for ${axes.length} axes`, 'Check the model')
    return sizes.map((n, i) => ({ output: Math.floor(n * scales[i] + 1e-9), scale: scales[i] }))
  }
  const asked = use.numbers(3)
  if (asked.length !== axes.length || asked.some((n) => n < 1))
    use.fail(`sizes ${asked} for ${axes.length} axes`, 'Check the model')
  const policy = use.text('keep_aspect_ratio_policy', 'stretch')
  const ratios = asked.map((n, i) => n / sizes[i])
  if (policy === 'stretch') return asked.map((output, i) => ({ output, scale: ratios[i] }))
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios)
  return sizes.map((n) => ({ output: Math.floor(n * scale + 0.5), scale }))
}

/** Every kind of resizing is a linear map along each axis. */
function resize(use: Use): Value {
  const value = asLive(use.input(0))
  const rank = value.shape.length
  const mode = use.text('mode', 'nearest')
  if (!['nearest', 'linear', 'cubic'].includes(mode)) use.fail(`mode '${mode}' is unknown`)
  const axes = use.ints('axes')?.map((axis) => use.axis(axis, rank)) ?? value.shape.map((_, i) => i)
  const sizes = axes.map((axis) => value.shape[axis])
  const wanted = extents(use, sizes, axes)
  const result = [...value.shape]
  wanted.forEach(({ output }, i) => {
    result[axes[i]] = output
  })
  countOf(use.node.title, result)
  const crops = use.text('coordinate_transformation_mode', '') === 'tf_crop_and_resize'
  const region = crops ? use.numbers(1) : []
  let x = value.tensor
  const masks = value.shape.map(() => [false])
  axes.forEach((axis, i) => {
    const [from, to] = crops ? [region[i], region[axes.length + i]] : [0, 1]
    const { output, scale } = wanted[i]
    if (output === sizes[i] && scale === 1 && !crops) return
    const table = tableOf(use, { input: sizes[i], output, scale, from, to })
    masks[axis] = table.outside
    x = resample(x, value.order.indexOf(axis), table)
  })
  if (!crops || !masks.some((mask) => mask.includes(true))) return live(value.type, x, value.order)
  return live(
    value.type,
    extrapolated(x, permuted(masks, value.order), use.float('extrapolation_value', 0)),
    value.order,
  )
}

/** x with `filler` wherever some axis lies outside. */
function extrapolated(x: Parameters<typeof add>[0], masks: readonly (readonly boolean[])[], filler: number) {
  let keep = [1]
  for (const mask of masks) keep = keep.flatMap((k) => mask.map((out) => (out ? 0 : k)))
  const kept = tensor(
    keep,
    masks.map((mask) => mask.length),
  )
  return add(mul(x, kept), mul(sub(1, kept), filler))
}

export const resizeOps: Ops = { Resize: resize, Upsample: resize }
