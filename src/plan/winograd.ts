import type { Contraction, ConvSpec } from '../conv/spec.ts'
import { type Kernel, pointsOf, type TargetFeatures } from '../kernel/ir.ts'
import { contractionKernels } from './contraction.ts'
import { amplification, cookToom, roundings } from './cook-toom.ts'
import { chooseTile } from './tiles.ts'
import {
  type Algorithm,
  allPoints,
  defaultPrecision,
  type KernelCall,
  noEpilogue,
  type Plan,
  type Precision,
} from './types.ts'
import { bands, groups, rowsMade, rowsRead, scratchOf, type Tiling, tiling, weightPitch } from './winograd-shape.ts'
import { inputKernel, outputKernel } from './winograd-transforms.ts'
import { weightKernels } from './winograd-weights.ts'

/** Outputs of a tile along each axis, by size of the kernel and what error is allowed. */
const variants: Record<number, Record<Exclude<Precision, 'direct'>, readonly number[]>> = {
  3: { high: [2], fast: [2, 4, 6] },
  5: { high: [2], fast: [2, 4] },
}

/** Why the convolution has no such algorithm at all, or nothing. */
function unfit(contraction: Contraction, spec: ConvSpec): string | undefined {
  const { rank, kernel, groups, stride, dilation } = spec
  if (contraction === 'kernelGradient') return 'the gradient of the kernel is no sum over taps'
  if (rank !== 2) return `rank ${rank} isn't 2`
  if (kernel[0] !== kernel[1] || !variants[kernel[0]!]) return `kernel ${kernel.join('x')} is neither 3x3 nor 5x5`
  if (stride.some((s) => s !== 1) || dilation.some((d) => d !== 1)) return 'stride and dilation must be 1'
  if (groups > 1) return `${groups} groups`
  return undefined
}

/** Cycles by the roughest reckoning: vectors of multiply-adds two a cycle, others three, bytes from far away. */
function cost(t: Tiling, { lanes }: TargetFeatures): number {
  const tiles = t.batch * t.tiles[0] * t.tiles[1]
  const { size, outputs } = t.transform
  const products = (tiles * size ** 2 * t.inChannels * t.outChannels) / lanes / 2
  const instructions = (side: number) => side * size * (3 * size + side)
  const transforms =
    (tiles * (t.inChannels * instructions(size) + t.outChannels * instructions(outputs))) / lanes / 3 / 2
  const weights = Math.max(0, 4 * size ** 2 * t.inChannels * t.outChannels - near) / bytesPerCycle
  return products * 1.05 + transforms + weights
}

/** A larger tile has larger errors and weights: it must take at most this part of a smaller one's time. */
const worth = 0.9

/** Bytes that a cache holds, and what comes from beyond it. */
const near = 2 ** 20
const bytesPerCycle = 8

const directCost = (t: Tiling, { lanes }: TargetFeatures): number => {
  const taps = t.transform.taps ** 2
  return ((t.batch * t.output[0] * t.output[1] * taps * t.inChannels * t.outChannels) / lanes / 2) * 1.05
}

const nameOf = (outputs: number, taps: number) => `winograd F(${outputs}x${outputs}, ${taps}x${taps})`

/**
 * Minimal filtering (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016): tiles of the input and
 * the weights are transformed, so that the convolution becomes one matrix product per point of a tile, with fewer
 * multiplications than taps; the products are transformed back.
 */
export const winograd: Algorithm = {
  name: 'winograd',
  plan(contraction, spec, features) {
    const refuse = (refused: string) => ({ algorithm: 'winograd', refused })
    const problem = unfit(contraction, spec)
    if (problem) return refuse(problem)
    const taps = spec.kernel[0]!
    const precision = features.precision ?? defaultPrecision
    const forced = variants[taps]!.fast.find((outputs) => nameOf(outputs, taps) === features.algorithm)
    if (forced === undefined && precision === 'direct') return refuse(`precision is 'direct'`)
    const allowed = forced !== undefined ? [forced] : variants[taps]![precision as 'high' | 'fast']
    const best = allowed
      .map((outputs) => tiling(contraction, spec, outputs, features.cache))
      .reduce((a, b) => (cost(b, features) < worth * cost(a, features) ? b : a))
    const gain = directCost(best, features) / cost(best, features)
    if (forced === undefined && (gain < 1.15 || Math.min(best.inChannels, best.outChannels) < 16))
      return refuse(`${describe(best)} would take ${(1 / gain).toFixed(2)} of the direct time`)
    const tiles = best.samples * best.rows * best.tiles[1]
    return Object.freeze({
      algorithm: nameOf(best.transform.outputs, taps),
      contraction,
      spec,
      tile: chooseTile(features, tiles, best.outChannels),
      scratch: scratchOf(best, features.lanes),
      fusable: true,
      padsItself: true,
      why: `${describe(best)}, ${gain.toFixed(2)} times as fast as direct by reckoning`,
    })
  },
  calls(plan, features, epilogue) {
    const t = tiling(plan.contraction, plan.spec, outputsOf(plan.algorithm), features.cache)
    const chunks = bands(t).flatMap((band) => {
      const before = groups(band, (row) => rowsRead(t, row)).map((group) => inputKernel(t, band, group, features))
      const products = allPoints(productKernels(t, band.rows, plan, features))
      const after = groups(band, (row) => rowsMade(t, row)).map((group) =>
        outputKernel(t, band, group, features, epilogue),
      )
      const count = (t.batch / t.samples) * band.many
      return Array.from({ length: count }, (_, chunk) => {
        const part = (kernel: Kernel): KernelCall => {
          const points = pointsOf(kernel) / count
          return { kernel, points: [chunk * points, (chunk + 1) * points] }
        }
        return [...before.map(part), ...products, ...after.map(part)]
      })
    })
    // with fewer chunks than threads, threads share the points of each kernel instead
    const numbered = chunks.flatMap((calls, chunk) =>
      chunks.length < 2 || chunks.length < (features.threads ?? 1) ? calls : calls.map((call) => ({ ...call, chunk })),
    )
    return [...allPoints(weightKernels(t, plan.tile.vectors * features.lanes, features)), ...numbered]
  },
}

/**
 * The largest rounding error that a plan of this kind can have: `size` * max |a| * max |b| (to first order; it is met
 * only if every rounding errs the same way).
 */
export function winogradError({ contraction, spec, algorithm }: Plan): number | undefined {
  if (!algorithm.startsWith(winograd.name)) return undefined
  const t = cookToom(outputsOf(algorithm), spec.kernel[0]!)
  const channels = contraction === 'output' ? spec.inChannels : spec.outChannels
  return roundings(t, channels) * 2 ** -24 * amplification(t) ** 2 * t.taps ** 2 * channels
}

const outputsOf = (algorithm: string): number => Number(/F\((\d)/.exec(algorithm)![1])

function describe({ transform, tiles, batch, samples, rows }: Tiling): string {
  const { outputs, taps, size } = transform
  const growth = Math.round(amplification(transform) ** 2)
  return (
    `F(${outputs}x${outputs}, ${taps}x${taps}): ${batch * tiles[0] * tiles[1]} tiles of ${size}x${size}, ` +
    `${samples * rows * tiles[1]} at a time, rounding errors grow at most ${growth} times`
  )
}

/** One matrix product [tiles of a chunk][channels read] x [channels read][channels made] for every point. */
function productKernels(t: Tiling, rows: number, plan: Plan, features: TargetFeatures): Kernel[] {
  const { packed, inputs, products } = plan.scratch as { packed: number; inputs: number; products: number }
  return contractionKernels(
    {
      name: 'winogradProduct',
      x: { buffer: 'inputs', length: inputs, offset: 0 },
      w: { buffer: 'packed', length: packed, offset: 0 },
      y: { buffer: 'products', length: products, offset: 0 },
      outer: [
        {
          extent: t.transform.size ** 2,
          x: t.inputPitch,
          w: weightPitch(t, features.lanes),
          y: t.productPitch,
        },
      ],
      rows: { extent: t.samples * rows * t.tiles[1], x: t.inChannels, y: t.outChannels },
      columns: t.outChannels,
      reduce: [{ extent: t.inChannels, x: 1, w: 1 }],
      sums: [],
      packed: true,
      rowsFirst: true,
    },
    plan.tile,
    features,
    noEpilogue,
  )
}
