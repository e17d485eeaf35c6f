import { checkCount, fail } from '../base/errors.ts'
import type { PerAxis } from '../conv/spec.ts'
import { maxPool } from '../graph/pool.ts'
import { resample, type Table } from '../graph/resample.ts'
import { reshape, transpose } from '../graph/reshape.ts'
import type { Tensor } from '../graph/tensor.ts'
import { checkNames, perAxis } from './checks.ts'
import { dual, type Layer } from './layer.ts'
import type { Scaled, Shuffled, Sized } from './types/shapes.ts'

/** How values between elements are found. */
export interface ResizeOptions {
  /** 'linear' along each axis is bilinear on images, 'cubic' bicubic. Default 'nearest'. */
  readonly mode?: 'nearest' | 'nearestExact' | 'linear' | 'cubic'
  /** Keep the centres of the first and last element in place, instead of the outer edges. Default false. */
  readonly alignCorners?: boolean
}

type Row = [index: number, weight: number][]

/** Weights of the four neighbours at distances 1 + t, t, 1 - t, 2 - t (Keys 1981, a = -0.75 as in PyTorch). */
function cubicWeights(t: number): number[] {
  const a = -0.75
  const near = (x: number) => ((a + 2) * x - (a + 3)) * x * x + 1
  const far = (x: number) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
  return [far(1 + t), near(t), near(1 - t), far(2 - t)]
}

/** Where each output of one axis comes from, as PyTorch's F.interpolate without antialiasing. */
function resizeTable(input: number, output: number, { mode = 'nearest', alignCorners = false }: ResizeOptions): Table {
  const inside = (index: number) => Math.min(Math.max(index, 0), input - 1)
  const aligned = output > 1 ? (input - 1) / (output - 1) : 0
  const rows = Array.from({ length: output }, (_, i): Row => {
    if (mode === 'nearest') return [[inside(Math.floor((i * input) / output)), 1]]
    if (mode === 'nearestExact') return [[inside(Math.floor(((i + 0.5) * input) / output)), 1]]
    const source = alignCorners ? i * aligned : ((i + 0.5) * input) / output - 0.5
    const at = mode === 'linear' ? Math.max(source, 0) : source
    const first = Math.floor(at)
    const weights = mode === 'linear' ? [1 - (at - first), at - first] : cubicWeights(at - first)
    const from = mode === 'linear' ? first : first - 1
    const row = new Map<number, number>()
    weights.forEach((weight, k) => {
      const index = inside(from + k)
      if (weight !== 0) row.set(index, (row.get(index) ?? 0) + weight)
    })
    return [...row]
  })
  return { inputSize: input, rows }
}

/** Applies a table to every spatial axis of x [N, spatial..., C]. */
function alongSpatial(x: Tensor, sizes: readonly number[], table: (input: number, output: number) => Table): Tensor {
  return sizes.reduce((y, size, i) => resample(y, i + 1, table(y.shape[i + 1]!, size)), x)
}

const modes = ['nearest', 'nearestExact', 'linear', 'cubic']

function resizeTo(kind: string, x: Tensor, sizes: readonly number[], options: ResizeOptions): Tensor {
  checkNames(kind, options, ['mode', 'alignCorners'])
  const { mode = 'nearest', alignCorners = false } = options
  if (!modes.includes(mode))
    fail(kind, `mode '${mode}' is unknown`, `Use one of ${modes.join(', ')} (linear is bilinear on images)`)
  if (alignCorners && mode.startsWith('nearest'))
    fail(kind, `alignCorners has no meaning with mode '${mode}'`, "Use mode 'linear' or 'cubic'")
  return alongSpatial(x, sizes, (input, output) => resizeTable(input, output, options))
}

interface Resize {
  <const Size extends PerAxis>(size: Size, options?: ResizeOptions): Layer<Sized<Size>>
  (x: Tensor, size: PerAxis, options?: ResizeOptions): Tensor
}

interface Upsampling {
  <const Factor extends PerAxis>(factor: Factor, options?: ResizeOptions): Layer<Scaled<Factor>>
  (x: Tensor, factor: PerAxis, options?: ResizeOptions): Tensor
}

interface AdaptivePool {
  <const Size extends PerAxis>(size: Size): Layer<Sized<Size>>
  (x: Tensor, size: PerAxis): Tensor
}

interface PixelShuffle {
  <const Factor extends number>(factor: Factor): Layer<Shuffled<Factor>>
  (x: Tensor, factor: number): Tensor
}

/** [N, spatial..., C] to `size` positions per spatial axis. */
export const resize: Resize = dual('resize', (x: Tensor, size: PerAxis, options: ResizeOptions = {}) =>
  resizeTo('resize', x, perAxis('resize', 'size', size, x.shape.length - 2), options),
)

/** [N, spatial..., C] to `factor` times as many positions per spatial axis. */
export const upsampling: Upsampling = dual('upsampling', (x: Tensor, factor: PerAxis, options: ResizeOptions = {}) => {
  const factors = perAxis('upsampling', 'factor', factor, x.shape.length - 2)
  const sizes = factors.map((n, i) => n * x.shape[i + 1]!)
  return resizeTo('upsampling', x, sizes, options)
})

/** First and one-past-last input of output i when `input` elements are shared among `output` windows. */
const share = (i: number, input: number, output: number): [number, number] => [
  Math.floor((i * input) / output),
  Math.ceil(((i + 1) * input) / output),
]

/** Mean of as many windows per axis as asked: [N, spatial..., C] to [N, size..., C]. */
export const adaptiveAveragePool: AdaptivePool = dual('adaptiveAveragePool', (x: Tensor, size: PerAxis) => {
  const sizes = perAxis('adaptiveAveragePool', 'size', size, x.shape.length - 2)
  return alongSpatial(x, sizes, (input, output) => ({
    inputSize: input,
    rows: Array.from({ length: output }, (_, i) => {
      const [from, to] = share(i, input, output)
      return Array.from({ length: to - from }, (_, k): [number, number] => [from + k, 1 / (to - from)])
    }),
  }))
})

/**
 * Largest of as many windows per axis as asked: [N, spatial..., C] to [N, size..., C]. Windows of unequal length are
 * laid side by side, shorter ones with their last element repeated, and pooled in equal windows.
 */
export const adaptiveMaxPool: AdaptivePool = dual('adaptiveMaxPool', (x: Tensor, size: PerAxis) => {
  const sizes = perAxis('adaptiveMaxPool', 'size', size, x.shape.length - 2)
  const windows = sizes.map((output, axis) => {
    const input = x.shape[axis + 1]!
    const lengths = Array.from({ length: output }, (_, i) => share(i, input, output)[1] - share(i, input, output)[0])
    return Math.max(...lengths)
  })
  const laid = sizes.map((n, axis) => n * windows[axis]!)
  let axis = 0
  const side = alongSpatial(x, laid, (input, total) => {
    const window = windows[axis++]!
    const rows = Array.from({ length: total }, (_, j): Row => {
      const [from, to] = share(Math.floor(j / window), input, total / window)
      return [[Math.min(from + (j % window), to - 1), 1]]
    })
    return { inputSize: input, rows }
  })
  return maxPool(side, windows)
})

/**
 * Channels to positions (Shi et al. 2016): [N, spatial..., C r^rank] to [N, spatial * r..., C]. Channel
 * (c r + i) r + j goes to row offset i, column offset j of channel c, as in PyTorch.
 */
export const pixelShuffle: PixelShuffle = dual('pixelShuffle', (x: Tensor, factor: number) => {
  const rank = x.shape.length - 2
  const taps = checkCount('pixelShuffle', 'factor', factor, 1) ** rank
  const channels = x.shape.at(-1)! / taps
  if (!Number.isInteger(channels))
    fail('pixelShuffle', `${x.shape.at(-1)} channels aren't a multiple of ${taps}`, `Give ${taps} times the channels`)
  const spatial = x.shape.slice(1, -1)
  const factors = spatial.map(() => factor)
  const split = reshape(x, [x.shape[0]!, ...spatial, channels, ...factors])
  const order = [0, ...spatial.flatMap((_, i) => [i + 1, rank + 2 + i]), rank + 1]
  return reshape(transpose(split, order), [x.shape[0]!, ...spatial.map((n) => n * factor), channels])
})

/** Positions to channels, the inverse of pixelShuffle: [N, spatial * r..., C] to [N, spatial..., C r^rank]. */
export const pixelUnshuffle = dual('pixelUnshuffle', (x: Tensor, factor: number) => {
  checkCount('pixelUnshuffle', 'factor', factor, 1)
  const spatial = x.shape.slice(1, -1).map((n) => n / factor)
  if (!spatial.every(Number.isInteger))
    fail('pixelUnshuffle', `size ${x.shape.slice(1, -1).join('x')} isn't a multiple of ${factor}`, 'Pad or crop first')
  const rank = spatial.length
  const channels = x.shape.at(-1)!
  const split = reshape(x, [x.shape[0]!, ...spatial.flatMap((n) => [n, factor]), channels])
  const order = [0, ...spatial.map((_, i) => 1 + 2 * i), 2 * rank + 1, ...spatial.map((_, i) => 2 + 2 * i)]
  return reshape(transpose(split, order), [x.shape[0]!, ...spatial, channels * factor ** rank])
})
