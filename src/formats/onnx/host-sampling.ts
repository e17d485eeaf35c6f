// Sampling of any size beside programs; small ones are part of a program (sampling.ts).
import { forEachIndex, type Shape, sizeOf, stridesOf } from '../../base/shape.ts'
import { countOf, type Fixed, fixed } from './elements.ts'
import type { HostOp, HostOps, Use } from './node.ts'
import { alone } from './places.ts'
import { fitsDeformable, fitsGrid, fitsUnpool } from './sampling.ts'
import { windowOf } from './windows.ts'

/** An index with its share of the value. */
type Taps = readonly { readonly at: number; readonly weight: number }[]

/** Rounds halves to the even number, as NumPy does. */
const nearestEven = (x: number) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x))

/** Folds the line between two ends, as often as it takes. */
function reflected(x: number, low: number, high: number): number {
  const span = high - low
  if (span <= 0) return low
  const away = Math.abs(x - low) % (2 * span)
  return low + Math.min(away, 2 * span - away)
}

/** Keys' cubic (1981) with a = -0.75 at distance d. */
function cubicAt(d: number): number {
  const [x, a] = [Math.abs(d), -0.75]
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
}

interface Sampling {
  readonly mode: 'linear' | 'nearest' | 'cubic'
  readonly padding: string
  readonly corners: boolean
}

/** What a coordinate from -1 to 1 reads of an axis of `size` elements; what lies outside reads nothing. */
function tapsAt(value: number, size: number, { mode, padding, corners }: Sampling): Taps {
  const [low, high] = corners ? [0, size - 1] : [-0.5, size - 0.5]
  let x = corners ? ((value + 1) / 2) * (size - 1) : ((value + 1) * size - 1) / 2
  if (padding === 'border') x = Math.min(Math.max(x, 0), size - 1)
  else if (padding === 'reflection') x = reflected(x, low, high)
  const inside = (at: number) => {
    if (padding === 'border') return Math.min(Math.max(at, 0), size - 1)
    return padding === 'reflection' ? reflected(at, low, high) : at
  }
  if (!Number.isFinite(x)) return []
  const first = Math.floor(x)
  const taps: Taps =
    mode === 'nearest'
      ? [{ at: nearestEven(x), weight: 1 }]
      : mode === 'linear'
        ? [0, 1].map((i) => ({ at: first + i, weight: Math.max(1 - Math.abs(x - first - i), 0) }))
        : [-1, 0, 1, 2].map((i) => ({ at: first + i, weight: cubicAt(x - first - i) }))
  return taps.map(({ at, weight }) => ({ at: inside(at), weight })).filter(({ at }) => at >= 0 && at < size)
}

/** The sum of the products of taps of all axes over one plane. */
function readPlane(data: ArrayLike<number>, at: number, strides: Shape, taps: readonly Taps[]): number {
  const [axis, ...rest] = taps
  if (!axis) return data[at]
  let sum = 0
  for (const tap of axis) sum += tap.weight * readPlane(data, at + tap.at * strides[0], strides.slice(1), rest)
  return sum
}

function gridSample(use: Use): readonly Fixed[] {
  const [x, grid] = [use.fixed(0), use.fixed(1)]
  const [n, channels, ...sizes] = x.shape
  const rank = sizes.length
  const out = grid.shape.slice(1, -1)
  if (grid.shape[0] !== n || out.length !== rank || grid.shape.at(-1) !== rank)
    use.fail(`a grid [${grid.shape}] for [${x.shape}]`, 'Check the model')
  const mode = use.text('mode', 'linear').replace('bi', '') as Sampling['mode']
  const padding = use.text('padding_mode', 'zeros')
  const how = { mode, padding, corners: use.int('align_corners', 0) === 1 }
  const strides = stridesOf(sizes)
  const [plane, points] = [sizeOf(sizes), sizeOf(out)]
  const shape = [n, channels, ...out]
  const y = new Float32Array(countOf(use.node.title, shape))
  for (let b = 0; b < n; b++)
    for (let p = 0; p < points; p++) {
      const at = (b * points + p) * rank
      // a point is (x, y, z): the last axis comes first
      const taps = sizes.map((size, axis) => tapsAt(grid.data[at + rank - 1 - axis], size, how))
      for (let c = 0; c < channels; c++)
        y[(b * channels + c) * points + p] = readPlane(x.data, (b * channels + c) * plane, strides, taps)
    }
  return [fixed(x.type, shape, y)]
}

/** Points of an image that an affine map of the result's points meets: [N, spatial..., rank]. */
function affineGrid(use: Use): readonly Fixed[] {
  const theta = use.fixed(0)
  const [n, , ...sizes] = use.numbers(1)
  const rank = sizes.length
  const corners = use.int('align_corners', 0) === 1
  const shape = [n, ...sizes, rank]
  const y = new Float32Array(countOf(use.node.title, shape))
  const along = (i: number, size: number) => {
    if (corners) return size > 1 ? (2 * i) / (size - 1) - 1 : 0
    return (2 * i + 1) / size - 1
  }
  let to = 0
  for (let b = 0; b < n; b++)
    forEachIndex(sizes, (index) => {
      const point = [...index.map((i, axis) => along(i, sizes[axis]))].reverse()
      for (let row = 0; row < rank; row++) {
        const from = (b * rank + row) * (rank + 1)
        y[to++] = point.reduce((sum, v, i) => sum + v * theta.data[from + i], theta.data[from + rank])
      }
    })
  return [fixed(theta.type, shape, y)]
}

/** A convolution whose taps are moved by offsets between pixels (Dai et al. 2017; with a mask Zhu et al. 2019). */
function deformConv(use: Use): readonly Fixed[] {
  const [x, w, offset] = [use.fixed(0), use.fixed(1), use.fixed(2)]
  const [bias, mask] = [use.has(3) ? use.fixed(3) : undefined, use.has(4) ? use.fixed(4) : undefined]
  const [n, channels, height, width] = x.shape
  if (x.shape.length !== 4) use.fail('only images are supported')
  const [filters, perGroup] = w.shape
  const { kernel, stride, dilation, padding } = windowOf(use, [height, width], w.shape.slice(2))
  const [rows, columns] = offset.shape.slice(2)
  const [taps, points] = [kernel[0] * kernel[1], rows * columns]
  const perOffset = channels / use.int('offset_group', 1)
  const perFilter = filters / use.int('group', 1)
  const shape = [n, filters, rows, columns]
  const y = new Float32Array(countOf(use.node.title, shape))
  const read = new Float32Array(countOf(use.node.title, [channels, taps, points]))
  const tapsOf = (at: number, size: number): Taps => {
    const low = Math.floor(at)
    const both = [
      { at: low, weight: 1 - (at - low) },
      { at: low + 1, weight: at - low },
    ]
    return both.filter((tap) => tap.at >= 0 && tap.at < size)
  }
  for (let b = 0; b < n; b++) {
    for (let c = 0; c < channels; c++)
      for (let t = 0; t < taps; t++)
        for (let p = 0; p < points; p++) {
          const group = Math.floor(c / perOffset)
          const groups = offset.shape[1] / (2 * taps)
          const at = (which: number) => offset.data[(((b * groups + group) * taps + t) * 2 + which) * points + p]
          const [i, j] = [Math.floor(p / columns), p % columns]
          const row = i * stride[0] - padding[0][0] + Math.floor(t / kernel[1]) * dilation[0] + at(0)
          const column = j * stride[1] - padding[1][0] + (t % kernel[1]) * dilation[1] + at(1)
          const plane = (b * channels + c) * height * width
          const value = readPlane(x.data, plane, [width, 1], [tapsOf(row, height), tapsOf(column, width)])
          const factor = mask ? mask.data[((b * groups + group) * taps + t) * points + p] : 1
          read[(c * taps + t) * points + p] = value * factor
        }
    for (let f = 0; f < filters; f++) {
      const first = Math.floor(f / perFilter) * perGroup
      const to = y.subarray((b * filters + f) * points, (b * filters + f + 1) * points)
      to.fill(bias?.data[f] ?? 0)
      for (let k = 0; k < perGroup * taps; k++) {
        const weight = w.data[f * perGroup * taps + k]
        const from = (first * taps + k) * points
        for (let p = 0; p < points; p++) to[p] += weight * read[from + p]
      }
    }
  }
  return [fixed(x.type, shape, y)]
}

/** Puts values back where a max pooling took them from. */
function maxUnpool(use: Use): readonly Fixed[] {
  const [x, indices] = [use.fixed(0), use.fixed(1)]
  const [n, c, ...spatial] = x.shape
  const { kernel, stride, padding } = windowOf(use, spatial, use.ints('kernel_shape') ?? [])
  const inferred = spatial.map((size, i) => (size - 1) * stride[i] + kernel[i] - padding[i][0] - padding[i][1])
  const [from, shape] = [[n, c, ...inferred], use.has(2) ? [...use.numbers(2)] : [n, c, ...inferred]]
  const [own, to] = [stridesOf(from), stridesOf(shape)]
  const y = new Float32Array(countOf(use.node.title, shape))
  indices.data.forEach((index, i) => {
    const at = own.map((stride, axis) => Math.floor(index / stride) % from[axis])
    if (at.some((v, axis) => !(v >= 0 && v < shape[axis]))) use.fail(`index ${index} of [${shape}]`, 'Check the model')
    y[at.reduce((sum, v, axis) => sum + v * to[axis], 0)] = x.data[i]
  })
  return [fixed(x.type, shape, y)]
}

/** Beside programs where it doesn't fit into one. */
const large = (fits: (use: Use) => boolean, run: HostOp['run']): HostOp => ({
  needs: (use) => (fits(use) ? [] : use.inputs.map((_, i) => i)),
  run,
})

export const hostSamplingOps: HostOps = {
  AffineGrid: alone(affineGrid),
  DeformConv: large(fitsDeformable, deformConv),
  GridSample: large(fitsGrid, gridSample),
  MaxUnpool: large(fitsUnpool, maxUnpool),
}
