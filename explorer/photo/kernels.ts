/** A square kernel: rows of weights. */
export type Kernel = readonly (readonly number[])[]

export const maxSize = 15

const build = (size: number, weight: (y: number, x: number) => number): number[][] => {
  const middle = (size - 1) / 2
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, column) => weight(row - middle, column - middle) + 0),
  )
}

/** Width of a bell curve that fits a kernel of this size. */
const sigmaOf = (size: number) => Math.max(size / 5, 0.4)
const bell = (distance2: number, sigma: number) => Math.exp(-distance2 / (2 * sigma * sigma))

const total = (kernel: Kernel) => kernel.flat().reduce((sum, w) => sum + w, 0)

/** Scaled so that the weights of each sign add up to at most 1: the answer to a picture in 0..1 stays in -1..1. */
function toUnit(kernel: number[][]): number[][] {
  const flat = kernel.flat()
  const positive = flat.reduce((sum, w) => sum + Math.max(w, 0), 0)
  const negative = flat.reduce((sum, w) => sum - Math.min(w, 0), 0)
  const most = Math.max(positive, negative)
  return most === 0 ? kernel : kernel.map((row) => row.map((w) => w / most))
}

/** Takes the mean off where the bell is, so that the weights add up to 0. */
function toZeroSum(size: number, weight: (y: number, x: number) => number): number[][] {
  const sigma = sigmaOf(size)
  const raw = build(size, weight)
  const envelope = build(size, (y, x) => bell(y * y + x * x, sigma))
  const excess = total(raw) / total(envelope)
  return raw.map((row, y) => row.map((w, x) => w - excess * envelope[y]![x]!))
}

/** A grating under a bell: what simple cells answer to. `angle` 0 = the wave runs along a row, so the bars stand. */
export function gabor(size: number, angle: number, phase: number): number[][] {
  const sigma = sigmaOf(size)
  const wave = (2 * Math.PI) / Math.max(2.6, size / 1.7)
  return toUnit(
    toZeroSum(size, (y, x) => {
      const along = x * Math.cos(angle) + y * Math.sin(angle)
      return bell(y * y + x * x, sigma) * Math.cos(wave * along + phase)
    }),
  )
}

const offset = (size: number, y: number, x: number) => {
  const middle = size % 2 === 1 ? 0 : 0.5
  return Math.abs(y - middle) < 0.25 && Math.abs(x - middle) < 0.25
}

/** Derivative of a bell: Sobel's kernel at 3x3, [-1 0 1] times [1 2 1]. */
function sobel(size: number, axis: 'x' | 'y'): number[][] {
  if (size === 3) {
    const [smooth, slope] = [
      [1, 2, 1],
      [-1, 0, 1],
    ]
    return build(3, (y, x) => (axis === 'x' ? smooth[y + 1]! * slope[x + 1]! : slope[y + 1]! * smooth[x + 1]!))
  }
  const sigma = sigmaOf(size)
  const slope = build(size, (y, x) => (axis === 'x' ? x : y) * bell(y * y + x * x, sigma))
  return toUnit(slope)
}

function laplace(size: number): number[][] {
  if (size === 3) return build(3, (y, x) => (y === 0 && x === 0 ? -4 : Math.abs(y) + Math.abs(x) === 1 ? 1 : 0))
  const sigma = sigmaOf(size)
  return toUnit(toZeroSum(size, (y, x) => ((y * y + x * x) / (2 * sigma * sigma) - 1) * bell(y * y + x * x, sigma)))
}

function average(size: number, weight: (y: number, x: number) => number): number[][] {
  const raw = build(size, weight)
  const sum = total(raw)
  return raw.map((row) => row.map((w) => w / sum))
}

function sharpen(size: number): number[][] {
  if (size === 3) return build(3, (y, x) => (y === 0 && x === 0 ? 5 : Math.abs(y) + Math.abs(x) === 1 ? -1 : 0))
  const blur = average(size, (y, x) => bell(y * y + x * x, sigmaOf(size)))
  return build(size, (y, x) => {
    const middle = (size - 1) / 2
    return (offset(size, y, x) ? 2 : 0) - blur[y + middle]![x + middle]!
  })
}

/** The named kernels, each at any size from 1 to 15. */
export const kernels = {
  sobelX: { label: 'vertical edges (Sobel x)', make: (size: number) => sobel(size, 'x') },
  sobelY: { label: 'horizontal edges (Sobel y)', make: (size: number) => sobel(size, 'y') },
  laplace: { label: 'spots and lines (Laplace)', make: laplace },
  gabor0: { label: 'vertical bars (Gabor)', make: (size: number) => gabor(size, 0, 0) },
  gabor45: { label: 'slanting bars (Gabor)', make: (size: number) => gabor(size, Math.PI / 4, 0) },
  gaussian: {
    label: 'blur (Gauss)',
    make: (size: number) => average(size, (y, x) => bell(y * y + x * x, sigmaOf(size))),
  },
  box: { label: 'blur (box)', make: (size: number) => build(size, () => 1 / (size * size)) },
  motion: {
    label: 'motion blur',
    make: (size: number) => build(size, (y, x) => (Math.abs(y - x) < 0.25 ? 1 / size : 0)),
  },
  sharpen: { label: 'sharpen', make: sharpen },
  emboss: {
    label: 'emboss',
    make: (size: number) => {
      const far = (size - 1) / 2
      return build(
        size,
        (y, x) => (size > 1 && Math.abs(y - x) < 0.25 ? (y + x) / far / 2 : 0) + Number(offset(size, y, x)),
      )
    },
  },
  identity: { label: 'nothing (identity)', make: (size: number) => build(size, (y, x) => Number(offset(size, y, x))) },
} as const

export type KernelName = keyof typeof kernels
export const kernelNames = Object.keys(kernels) as KernelName[]

/** The name of the kernel with these weights, if it has one. */
export function nameOf(kernel: Kernel): KernelName | undefined {
  const same = (other: Kernel) => other.every((row, y) => row.every((w, x) => Math.abs(w - kernel[y]![x]!) < 1e-9))
  return kernelNames.find((name) => same(kernels[name].make(kernel.length)))
}

/** The same kernel in another size: the middle is kept, new cells are 0. */
export function resize(kernel: Kernel, size: number): number[][] {
  const shift = Math.floor(kernel.length / 2) - Math.floor(size / 2)
  return Array.from({ length: size }, (_, y) =>
    Array.from({ length: size }, (_, x) => kernel[y + shift]?.[x + shift] ?? 0),
  )
}

/** A kernel that looks for what it was cut from: the patch without its mean, scaled to weights of at most 1. */
export function fromPatch(patch: Kernel): number[][] {
  const flat = patch.flat()
  const mean = flat.reduce((sum, v) => sum + v, 0) / flat.length
  const most = Math.max(...flat.map((v) => Math.abs(v - mean)))
  const scaled = patch.map((row) => row.map((v) => (most === 0 ? 0 : (v - mean) / most)))
  return toUnit(scaled)
}

export interface Rank {
  /** How many products of a column and a row add up to the kernel; 0 for a kernel of zeros. */
  readonly rank: number
  /** Column and row of the largest of them: kernel[y][x] is near column[y] * row[x]. */
  readonly column: readonly number[]
  readonly row: readonly number[]
  /** Share of the sum of squares that this one holds. */
  readonly share: number
}

/** Largest singular value with its vectors, by power iteration on A'A. */
function largest(a: number[][]): { value: number; u: number[]; v: number[] } {
  const size = a.length
  const times = (v: readonly number[]) => a.map((row) => row.reduce((sum, w, x) => sum + w * v[x]!, 0))
  const back = (u: readonly number[]) =>
    Array.from({ length: size }, (_, x) => a.reduce((sum, row, y) => sum + row[x]! * u[y]!, 0))
  const norm = (v: readonly number[]) => Math.hypot(...v)
  // the longest row is never at right angles to the first singular vector of a matrix that isn't 0
  let v = [...a.reduce((best, row) => (norm(row) > norm(best) ? row : best))]
  let value = 0
  for (let i = 0; i < 200; i++) {
    const length = norm(v)
    if (length === 0) break
    v = v.map((w) => w / length)
    const before = value
    value = norm(times(v))
    if (i > 5 && Math.abs(value - before) <= 1e-13 * value) break
    v = back(times(v))
  }
  const length = norm(v) || 1
  v = v.map((w) => w / length)
  const u = times(v)
  value = norm(u)
  return { value, u: value === 0 ? u : u.map((w) => w / value), v }
}

/** Singular values by deflation: how many products of a column and a row make the kernel. */
export function rankOf(kernel: Kernel): Rank {
  let rest = kernel.map((row) => [...row])
  const squares = kernel.flat().reduce((sum, w) => sum + w * w, 0)
  if (squares === 0) return { rank: 0, column: kernel.map(() => 0), row: kernel.map(() => 0), share: 1 }
  const first = largest(rest)
  let part = first
  let rank = 0
  // edited weights have four digits, so what is smaller than that isn't there
  while (rank < kernel.length && part.value > 5e-4 * Math.sqrt(squares)) {
    rank++
    const { value, u, v } = part
    rest = rest.map((row, y) => row.map((w, x) => w - value * u[y]! * v[x]!))
    part = largest(rest)
  }
  const scale = Math.sqrt(first.value)
  const sign = Math.sign(first.u.reduce((best, w) => (Math.abs(w) > Math.abs(best) + 1e-9 ? w : best), 0))
  return {
    rank,
    column: first.u.map((w) => sign * scale * w),
    row: first.v.map((w) => sign * scale * w),
    share: (first.value * first.value) / squares,
  }
}
