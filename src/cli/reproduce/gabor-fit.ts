// Fits a Gabor function to a kernel, as physiologists do with receptive fields (Jones & Palmer 1987):
// exp(-u^2 / 2 su^2 - v^2 / 2 sv^2) (a cos 2 pi f u + b sin 2 pi f u), u along the carrier, v across it.
import { Matrix, solve } from 'ml-matrix'
import type { Kernel } from '../../models/cells.ts'

export interface GaborFit {
  /** Share of the kernel's squares that the function explains, about 0 (the kernels have mean 0). */
  readonly quality: number
  /** Of the carrier, radians in [0, pi). */
  readonly orientation: number
  /** Cycles a pixel. */
  readonly frequency: number
  /** Deviations of the envelope along the carrier and across it, pixels. */
  readonly along: number
  readonly across: number
}

/** a, b, x0, y0, orientation, log su, log sv, f. */
type Parameters = number[]
const count = 8

/** Value and derivatives at a pixel, written into `slopes`. */
function valueAt(p: Parameters, x: number, y: number, slopes: Float64Array): number {
  const [a, b, x0, y0, angle, logU, logV, f] = p as [number, number, number, number, number, number, number, number]
  const [c, s] = [Math.cos(angle), Math.sin(angle)]
  const u = (x - x0) * c + (y - y0) * s
  const v = (y - y0) * c - (x - x0) * s
  const [pu, pv] = [Math.exp(-2 * logU), Math.exp(-2 * logV)]
  const envelope = Math.exp(-(u * u * pu + v * v * pv) / 2)
  const [cos, sin] = [envelope * Math.cos(2 * Math.PI * f * u), envelope * Math.sin(2 * Math.PI * f * u)]
  const value = a * cos + b * sin
  const turned = b * cos - a * sin
  const byU = -value * u * pu + turned * 2 * Math.PI * f
  const byV = -value * v * pv
  slopes[0] = cos
  slopes[1] = sin
  slopes[2] = -byU * c + byV * s
  slopes[3] = -byU * s - byV * c
  slopes[4] = byU * v - byV * u
  slopes[5] = value * u * u * pu
  slopes[6] = value * v * v * pv
  slopes[7] = turned * 2 * Math.PI * u
  return value
}

/** Squared error, what is left at each pixel, and its derivatives (a row for each pixel). */
function equations(p: Parameters, kernel: Kernel, size: number) {
  const slopes = new Matrix(kernel.length, count)
  const rest = new Matrix(kernel.length, 1)
  const row = new Float64Array(count)
  let error = 0
  for (let i = 0; i < kernel.length; i++) {
    const left = kernel[i]! - valueAt(p, i % size, Math.floor(i / size), row)
    slopes.setRow(i, row)
    rest.set(i, 0, left)
    error += left * left
  }
  return { error, rest, slopes }
}

const mostSteps = 60

/** Envelopes of half a pixel to twice the kernel, frequencies below Nyquist, the centre within the kernel. */
const allowed = ([, , x0, y0, , logU, logV, f]: Parameters, size: number) =>
  [logU!, logV!].every((log) => log > Math.log(0.5) && log < Math.log(2 * size)) &&
  [x0!, y0!].every((at) => at > -1 && at < size) &&
  f! > 0 &&
  f! < Math.SQRT1_2

/** Levenberg (1944) and Marquardt (1963): least squares from a first guess. */
function improved(start: Parameters, kernel: Kernel, size: number): { p: Parameters; error: number } {
  let p = start
  let now = equations(p, kernel, size)
  let damping = 1e-3
  for (let step = 0; step < mostSteps && damping < 1e8; step++) {
    const across = now.slopes.transpose()
    const normal = across.mmul(now.slopes)
    for (let i = 0; i < count; i++) normal.set(i, i, normal.get(i, i) * (1 + damping) + 1e-12)
    const change = solve(normal, across.mmul(now.rest))
    const next = p.map((v, i) => v + change.get(i, 0))
    const then = allowed(next, size) ? equations(next, kernel, size) : undefined
    if (!then || then.error >= now.error) {
      damping *= 4
      continue
    }
    const gained = now.error - then.error
    p = next
    now = then
    damping = Math.max(damping / 4, 1e-9)
    if (gained < 1e-9 * then.error) break
  }
  return { p, error: now.error }
}

/** Frequency and direction at which the kernel, padded with zeros, has most power. */
function carrier(kernel: Kernel, size: number): { f: number; angle: number } {
  const fine = 4 * size
  const angles = Array.from({ length: fine }, (_, i) => (2 * Math.PI * i) / fine)
  const [cos, sin] = [angles.map(Math.cos), angles.map(Math.sin)]
  let best = { power: -1, f: 0, angle: 0 }
  for (let kx = -fine / 2; kx < fine / 2; kx++) {
    // along each row first
    const re = new Float64Array(size)
    const im = new Float64Array(size)
    kernel.forEach((v, i) => {
      const at = (((kx * (i % size)) % fine) + fine) % fine
      re[Math.floor(i / size)]! += v * cos[at]!
      im[Math.floor(i / size)]! += v * sin[at]!
    })
    for (let ky = 0; ky <= fine / 2; ky++) {
      const f = Math.hypot(kx, ky) / fine
      if (f > 0.5 || (ky === 0 && kx <= 0)) continue
      let [a, b] = [0, 0]
      for (let y = 0; y < size; y++) {
        const at = (ky * y) % fine
        a += re[y]! * cos[at]! - im[y]! * sin[at]!
        b += re[y]! * sin[at]! + im[y]! * cos[at]!
      }
      const power = a * a + b * b
      if (power > best.power) best = { power, f, angle: Math.atan2(ky, kx) }
    }
  }
  return best
}

/** Centre of the kernel's squares. */
function centre(kernel: Kernel, size: number): [number, number] {
  let [sum, x, y] = [1e-12, 0, 0]
  kernel.forEach((v, i) => {
    sum += v * v
    x += v * v * (i % size)
    y += v * v * Math.floor(i / size)
  })
  return [x / sum, y / sum]
}

/** The best of a few fits from the strongest frequency, with a small and a large envelope. */
export function fitGabor(kernel: Kernel): GaborFit {
  const size = Math.sqrt(kernel.length)
  const energy = kernel.reduce((sum, v) => sum + v * v, 0)
  const { f, angle } = carrier(kernel, size)
  const [x0, y0] = centre(kernel, size)
  const scale = Math.sqrt(energy / kernel.length)
  const starts = [0.15 * size, 0.3 * size].map((deviation) => {
    const log = Math.log(Math.max(0.8, deviation))
    return [scale, scale, x0, y0, angle, log, log, f]
  })
  const fits = starts.map((start) => improved(start, kernel, size))
  const { p, error } = fits.reduce((a, b) => (b.error < a.error ? b : a))
  const turn = p[4]! % Math.PI
  return {
    quality: 1 - error / energy,
    orientation: turn < 0 ? turn + Math.PI : turn,
    frequency: p[7]!,
    along: Math.exp(p[5]!),
    across: Math.exp(p[6]!),
  }
}

/** Half width at half height of the frequency response, cycles a pixel. */
const halfWidth = (deviation: number) => Math.sqrt(2 * Math.LN2) / (2 * Math.PI * deviation)

/** Bandwidth in octaves; undefined where the response reaches down to frequency 0. */
export function octaves({ frequency, along }: GaborFit): number | undefined {
  const half = halfWidth(along)
  return frequency > 1.2 * half ? Math.log2((frequency + half) / (frequency - half)) : undefined
}

/** Largest share of the kernel's squares in a window of half the edge: 1 = localised, 1/4 = everywhere. */
export function localisation(kernel: Kernel): number {
  const size = Math.sqrt(kernel.length)
  const half = Math.round(size / 2)
  const energy = kernel.reduce((sum, v) => sum + v * v, 0)
  let most = 0
  for (let top = 0; top + half <= size; top++)
    for (let left = 0; left + half <= size; left++) {
      let inside = 0
      for (let y = top; y < top + half; y++)
        for (let x = left; x < left + half; x++) inside += kernel[y * size + x]! ** 2
      most = Math.max(most, inside / energy)
    }
  return most
}
