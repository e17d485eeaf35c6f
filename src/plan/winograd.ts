import type { ConvSpec } from '../conv/spec.ts'
import { type Kernel, pointsOf, type TargetFeatures } from '../kernel/ir.ts'
import { regionsOf } from './borders.ts'
import { contractionKernels } from './contraction.ts'
import type { CookToom } from './cook-toom.ts'
import { type Axis, chooseTile } from './tiles.ts'
import {
  type Algorithm,
  allPoints,
  defaultPrecision,
  type Epilogue,
  type KernelCall,
  noEpilogue,
  type Plan,
  type Precision,
} from './types.ts'
import {
  bands,
  groupOf,
  groupPitch,
  rowGroups,
  rowsMade,
  rowsRead,
  type Side,
  scratchOf,
  type Tiling,
  tileCount,
  tilings,
  weightPitch,
} from './winograd-shape.ts'
import { inputKernel, outputKernel } from './winograd-transforms.ts'
import { kernelGradientKernel, weightKernels } from './winograd-weights.ts'

/** Outputs of a tile along each axis, by size of the kernel and what error is allowed. */
const variants: Record<number, Record<Exclude<Precision, 'direct'>, readonly number[]>> = {
  3: { high: [2], fast: [2, 4, 6] },
  5: { high: [2], fast: [2, 4] },
}

/** Why the convolution has no such algorithm at all, or nothing. */
function unfit(spec: ConvSpec): string | undefined {
  const { rank, kernel, stride, dilation, input, output, padLow } = spec
  if (rank !== 2) return `rank ${rank} isn't 2`
  if (kernel[0] !== kernel[1] || !variants[kernel[0]!]) return `kernel ${kernel.join('x')} is neither 3x3 nor 5x5`
  if (stride.some((s) => s !== 1)) return `stride ${stride.join('x')} isn't 1`
  const fits = (d: number, axis: number) => padLow[axis]! % d === 0 && d <= Math.min(input[axis]!, output[axis]!)
  if (!dilation.every(fits)) return `dilation ${dilation.join('x')} exceeds the map or doesn't divide the padding`
  return undefined
}

/** Cycles by the roughest reckoning: vectors of multiply-adds two a cycle, others three, bytes from far away. */
function cost(all: readonly Tiling[], { lanes }: TargetFeatures): number {
  const [t] = all as [Tiling]
  const { size, outputs } = t.transform
  const gradient = t.sides.length > 1
  const channels = (t.inChannels * t.outChannels) / t.groups
  const instructions = (side: number) => side * size * (3 * size + side)
  const cycles = all.map((t) => {
    const tiles = tileCount(t)
    const products = (tiles * size ** 2 * channels) / lanes / 2
    // sums of products pass through memory once a chunk
    const sums = gradient ? 2 / (t.samples * t.rows * t.tiles[1]) : 0
    const last = gradient ? 0 : tiles * t.outChannels * instructions(outputs)
    const first = tiles * (t.inChannels * instructions(size) + (gradient ? t.outChannels * instructions(t.step) : 0))
    return products * (1.05 + sums) + (first + last) / lanes / 3 / 2
  })
  const weights = Math.max(0, 4 * size ** 2 * channels - near) / bytesPerCycle
  const made = gradient ? (channels * instructions(outputs)) / lanes / 3 / 2 : 0
  return cycles.reduce((sum, n) => sum + n, weights + made)
}

/** A larger tile has larger errors and weights: it must take at most this part of a smaller one's time. */
const worth = 0.9

/** Bytes that a cache holds, and what comes from beyond it. */
const near = 2 ** 20
const bytesPerCycle = 8

/** The same of the plain sum, without the taps that meet only padding. */
function directCost(spec: ConvSpec, { lanes }: TargetFeatures): number {
  const { batch, inChannels, outChannels, groups } = spec
  const met = regionsOf(spec, 2)
    .map((region) => region.reduce((product, { count, from, to }) => product * count * (to - from), 1))
    .reduce((sum, n) => sum + n, 0)
  return ((batch * met * inChannels * outChannels) / groups / lanes / 2) * 1.05
}

/** F(outputs, taps); for the gradient of the kernel the taps are the outputs, and tiles of the gradient the kernel. */
const nameOf = ({ outputs, taps }: CookToom) => `F(${outputs}x${outputs}, ${taps}x${taps})`

/**
 * Minimal filtering (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016): tiles of the input and
 * the weights are transformed, so that the convolution becomes one matrix product per point of a tile, with fewer
 * multiplications than taps; the products are transformed back.
 */
export const winograd: Algorithm = {
  name: 'winograd',
  plan(contraction, spec, features) {
    const refuse = (refused: string) => ({ algorithm: 'winograd', refused })
    const problem = unfit(spec)
    if (problem) return refuse(problem)
    const gradient = contraction === 'kernelGradient'
    const taps = spec.kernel[0]!
    const precision = features.precision ?? defaultPrecision
    const all = variants[taps]!.fast.map((step) => tilings(contraction, spec, step, features.cache))
    const forced = all.filter(([t]) => `winograd ${nameOf(t!.transform)}` === features.algorithm)
    if (forced.length === 0 && precision === 'direct') return refuse(`precision is 'direct'`)
    const allowed = all.filter(([t]) => variants[taps]![precision as 'high' | 'fast']?.includes(t!.step))
    const best = (forced.length > 0 ? forced : allowed).reduce((a, b) =>
      cost(b, features) < worth * cost(a, features) ? b : a,
    )
    const gain = directCost(spec, features) / cost(best, features)
    const first = best[0]!
    const name = nameOf(first.transform)
    const group = groupOf(first)
    if (forced.length === 0 && (gain < 1.15 || Math.min(group.inChannels, group.outChannels) < 16))
      return refuse(`${name} would take ${(1 / gain).toFixed(2)} of the direct time`)
    const tiles = first.samples * first.rows * first.tiles[1]
    return Object.freeze({
      algorithm: `winograd ${name}`,
      contraction,
      spec,
      tile: chooseTile(features, gradient ? group.inChannels : tiles, group.outChannels),
      scratch: scratchOf(best, features.lanes),
      fusable: !gradient,
      padsItself: true,
      why: `${gain.toFixed(2)} times as fast as direct by reckoning`,
    })
  },
  calls(plan, features, epilogue) {
    const all = tilings(plan.contraction, plan.spec, stepOf(plan), features.cache)
    const [t] = all as [Tiling]
    const gradient = t.sides.length > 1
    const chunks = all.flatMap((t) => chunksOf(t, plan, features, epilogue, t !== all[0]))
    if (gradient) return [...chunks.flat(), ...allPoints([kernelGradientKernel(t, features)])]
    // with fewer chunks than threads, threads share the points of each kernel instead
    const numbered = chunks.flatMap((calls, chunk) =>
      chunks.length < 2 || chunks.length < (features.threads ?? 1) ? calls : calls.map((call) => ({ ...call, chunk })),
    )
    return [...allPoints(weightKernels(t, plan.tile.vectors * features.lanes, plan.scratch, features)), ...numbered]
  },
}

/** The calls of each chunk. `adds`: whether others came before whose sums the gradient of the kernel has in common. */
function chunksOf(t: Tiling, plan: Plan, features: TargetFeatures, epilogue: Epilogue, adds: boolean): KernelCall[][] {
  const { scratch } = plan
  const gradient = t.sides.length > 1
  return bands(t).flatMap((band) => {
    const before = t.sides.flatMap((side) =>
      rowGroups(band, (row) => rowsRead(t, side, row)).map((group) =>
        inputKernel(t, side, band, group, scratch, features),
      ),
    )
    const products = (more: boolean) => allPoints(productKernels(t, band.rows, plan, features, more))
    const [first, others] = [products(gradient && (adds || band.first > 0)), products(gradient)]
    const after = gradient
      ? []
      : rowGroups(band, (row) => rowsMade(t, row)).map((group) =>
          outputKernel(t, band, group, scratch, features, epilogue),
        )
    const count = (t.images.reduce((product, n) => product * n, 1) / t.samples) * band.many
    return Array.from({ length: count }, (_, chunk) => {
      const part = (kernel: Kernel): KernelCall => {
        const points = pointsOf(kernel) / count
        return { kernel, points: [chunk * points, (chunk + 1) * points] }
      }
      return [...before.map(part), ...(chunk === 0 ? first : others), ...after.map(part)]
    })
  })
}

/** Tiles' steps are written first, F(4x4, 3x3), but for the gradient of the kernel last, F(3x3, 4x4). */
export const stepOf = ({ contraction, algorithm }: Plan): number =>
  Number(/F\((\d)x\d, (\d)/.exec(algorithm)![contraction === 'kernelGradient' ? 2 : 1])

/**
 * For every point one matrix product [tiles of a chunk][channels read] x [channels read][channels made]; for the
 * gradient of the kernel [channels of a][tiles of a chunk] x [tiles of a chunk][channels of b], added to `packed`.
 */
function productKernels(t: Tiling, rows: number, plan: Plan, features: TargetFeatures, adds: boolean): Kernel[] {
  const { inChannels, outChannels } = groupOf(t)
  const [read, gradients] = t.sides as [Side, Side?]
  const place = (buffer: string) => ({ buffer, length: plan.scratch[buffer]!, offset: 0 })
  const [x, weights, products] = [place('inputs'), place('packed'), place('products')]
  const [pitch, groupWeights] = [weightPitch(t, features.lanes), groupPitch(t, features.lanes)]
  const outer = (point: Omit<Axis, 'extent'>, group: Omit<Axis, 'extent'>): Axis[] =>
    [
      { extent: t.transform.size ** 2, x: read.pitch, ...point },
      { extent: t.groups, x: inChannels, ...group },
    ].filter((axis) => axis.extent > 1)
  const tiles = t.samples * rows * t.tiles[1]
  const shape = { name: 'winogradProduct', x, columns: outChannels, sums: [], adds, rowsFirst: true }
  return contractionKernels(
    gradients
      ? {
          ...shape,
          w: products,
          y: weights,
          outer: outer({ w: t.productPitch, y: pitch }, { w: outChannels, y: groupWeights }),
          rows: { extent: inChannels, x: 1, y: outChannels },
          reduce: [{ extent: tiles, x: read.row, w: gradients.row }],
          packed: false,
        }
      : {
          ...shape,
          w: weights,
          y: products,
          outer: outer({ w: pitch, y: t.productPitch }, { w: groupWeights, y: outChannels }),
          rows: { extent: tiles, x: t.inChannels, y: t.outChannels },
          reduce: [{ extent: inChannels, x: 1, w: 1 }],
          packed: true,
        },
    plan.tile,
    features,
    noEpilogue,
  )
}
