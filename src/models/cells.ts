// Cells of the visual cortex (Hubel & Wiesel 1959, 1962, 1968) in their standard models: fixed kernels, nothing
// learned. Simple cells: Gabor functions (Marcelja 1980, Daugman 1985); complex cells: the energy of a quadrature pair
// (Adelson & Bergen 1985) or a pool of simple cells; end-stopped cells: a complex cell less its neighbours along it.
import { conv } from '../graph/conv.ts'
import { add, mul, neg, relu, sqrt } from '../graph/map.ts'
import { concat } from '../graph/pad.ts'
import { maxPool } from '../graph/pool.ts'
import { max } from '../graph/reduce.ts'
import { reshape } from '../graph/reshape.ts'
import { type Tensor, tensor } from '../graph/tensor.ts'

/** A square kernel, row by row. */
export type Kernel = Float64Array

/** size x size values of a function of x to the right and y downwards, 0 in the middle. */
export function kernelOf(size: number, value: (x: number, y: number) => number): Kernel {
  const middle = (size - 1) / 2
  return Float64Array.from({ length: size * size }, (_, i) => value((i % size) - middle, Math.floor(i / size) - middle))
}

export const sumOf = (values: Kernel): number => values.reduce((sum, v) => sum + v, 0)

/** Scaled so that the values sum to 1. */
export function unitSum(kernel: Kernel): Kernel {
  const sum = sumOf(kernel)
  return kernel.map((v) => v / sum)
}

/** Mean taken away, then scaled to length 1. */
export function unitNorm(kernel: Kernel): Kernel {
  const mean = sumOf(kernel) / kernel.length
  const centred = kernel.map((v) => v - mean)
  const norm = Math.sqrt(sumOf(centred.map((v) => v * v)))
  return centred.map((v) => v / norm)
}

export const gaussian = (size: number, deviation: number): Kernel =>
  unitSum(kernelOf(size, (x, y) => Math.exp(-(x * x + y * y) / (2 * deviation * deviation))))

/** On-centre, off-surround: a narrow Gaussian less a wide one, each of sum 1 (Rodieck 1965); sum 0. */
export function differenceOfGaussians(size: number, centre: number, surround: number): Kernel {
  const wide = gaussian(size, surround)
  return gaussian(size, centre).map((v, i) => v - wide[i]!)
}

export interface GaborOptions {
  /** Pixels of one period. Default 8. */
  readonly wavelength?: number
  /** Deviation of the envelope across the bars, in pixels. Default 0.56 wavelengths: one octave of bandwidth. */
  readonly deviation?: number
  /** Deviation across the bars by that along them. Default 0.6 (Jones & Palmer 1987 measured 0.23 to 0.92). */
  readonly aspect?: number
  /** Default 21. */
  readonly size?: number
}

/** A Gabor function whose bars lie at right angles to `orientation` (radians); mean 0, length 1. */
export function gabor(orientation: number, phase: number, options: GaborOptions = {}): Kernel {
  const { wavelength = 8, deviation = 0.56 * wavelength, aspect = 0.6, size = 21 } = options
  const [c, s] = [Math.cos(orientation), Math.sin(orientation)]
  const value = (x: number, y: number) => {
    const across = x * c + y * s
    const along = y * c - x * s
    const envelope = Math.exp(-(across ** 2 + (aspect * along) ** 2) / (2 * deviation ** 2))
    return envelope * Math.cos((2 * Math.PI * across) / wavelength + phase)
  }
  return unitNorm(kernelOf(size, value))
}

/** Kernels of one input channel as [size, size, 1, count]. */
export function bankOf(kernels: readonly Kernel[]): Tensor {
  const size = Math.sqrt(kernels[0]!.length)
  const values = new Float32Array(kernels.length * size * size)
  kernels.forEach((kernel, k) => {
    kernel.forEach((v, i) => {
      values[i * kernels.length + k] = v
    })
  })
  return tensor(values, [size, size, 1, kernels.length])
}

/** How many orientations the cells are tuned to: every 22.5 degrees. */
export const orientations = 8
export const angleOf = (orientation: number): number => (orientation * Math.PI) / orientations
const all = Array.from({ length: orientations }, (_, i) => angleOf(i))

/** The quadrature pairs: even (cosine) and odd (sine) kernels of the 8 orientations. */
export const evenKernels: readonly Kernel[] = all.map((angle) => gabor(angle, 0))
/** Gabor functions of odd symmetry (an edge), one per orientation. */
export const oddKernels: readonly Kernel[] = all.map((angle) => gabor(angle, Math.PI / 2))

const same = { padding: 'same', paddingMode: 'reflect' } as const

export interface CellOptions {
  /** Edge of the neighbourhood that a pooling complex cell sees. Default 9. */
  readonly pool?: number
  /** How far along the bar an end-stopped cell's inhibition comes from, in pixels. Default 14. */
  readonly reach?: number
  /** Strength of that inhibition. Default 0.6. */
  readonly inhibition?: number
}

/** Responses of the cells at every place. */
export interface Cells {
  /** [N, H, W, 4 * 8]: phases 0, 90, 180, 270 degrees, each with its 8 orientations. */
  readonly simple: Tensor
  /** [N, H, W, 8]: sqrt(even^2 + odd^2). */
  readonly energy: Tensor
  /** [N, H, W, 8]: the strongest simple cell of any phase in the neighbourhood. */
  readonly pooled: Tensor
  /** [N, H, W, 8]: energy less what lies ahead and behind along the bar. */
  readonly endStopped: Tensor
}

/** 1 in the middle, -inhibition at `reach` pixels along each orientation's bars (bilinear): [size, size, 1, 8]. */
function endStopping(reach: number, inhibition: number): Tensor {
  const size = 2 * Math.ceil(reach) + 3
  const near = (distance: number) => Math.max(0, 1 - Math.abs(distance))
  const kernels = all.map((angle) => {
    const [dx, dy] = [-reach * Math.sin(angle), reach * Math.cos(angle)]
    return kernelOf(size, (x, y) => {
      const ends = near(x - dx) * near(y - dy) + near(x + dx) * near(y + dy)
      return (x === 0 && y === 0 ? 1 : 0) - inhibition * ends
    })
  })
  return bankOf(kernels)
}

/** All cells' responses to x [N, H, W, 1]. */
export function cells(x: Tensor, { pool = 9, reach = 14, inhibition = 0.6 }: CellOptions = {}): Cells {
  const even = conv(x, bankOf(evenKernels), same)
  const odd = conv(x, bankOf(oddKernels), same)
  const simple = relu(concat([even, odd, neg(even), neg(odd)]))
  const energy = sqrt(add(mul(even, even), mul(odd, odd)))
  const anyPhase = max(reshape(simple, [...x.shape.slice(0, 3), 4, orientations]), [3])
  const pooled = maxPool(anyPhase, pool, { stride: 1, padding: 'same' })
  const endStopped = relu(conv(energy, endStopping(reach, inhibition), { ...same, groups: orientations }))
  return { simple, energy, pooled, endStopped }
}
