import { add, compile, conv } from 'fovea'
import { convSpec, multiplyAccumulates, type PaddingMode, sourceIndex } from 'fovea/conv'
import { short } from '../shared/numbers.ts'
import { type Kernel, type KernelName, kernels, nameOf, rankOf } from './kernels.ts'

/** A feature map of one or three channels, [height, width, channels]. */
export interface FeatureMap {
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly data: Float32Array
}

/** How results become colours: signed; their size; the positive ones; or a picture clipped to 0..1. */
export type Mode = 'signed' | 'abs' | 'relu' | 'clip'
/** What stands outside the picture, or nothing: then the result is smaller. */
export type Edge = Exclude<PaddingMode, 'constant'> | 'valid'
/** The weights are divided by nothing, by their sum, or by the sum of their magnitudes. */
export type Norm = 'none' | 'sum' | 'abs'

export interface Settings {
  readonly kernel: Kernel
  readonly norm: Norm
  readonly bias: number
  readonly stride: number
  readonly edge: Edge
  readonly mode: Mode
}

/** What the weights are divided by; 1 where the rule can't be kept, with the reason. */
export function divisor(kernel: Kernel, norm: Norm): { value: number; problem?: string } {
  if (norm === 'none') return { value: 1 }
  const sum = kernel.flat().reduce((total, w) => total + (norm === 'abs' ? Math.abs(w) : w), 0)
  if (Math.abs(sum) > 1e-6) return { value: sum }
  const what = norm === 'abs' ? 'all weights are 0' : 'the weights add up to 0'
  return { value: 1, problem: `${what}, so they can't be divided by their sum: left as they are` }
}

const padded = (edge: Edge) =>
  edge === 'valid' ? { padding: 'valid' as const } : { padding: 'same' as const, paddingMode: edge }

/** Size of the result and its cost, by the rules of the library. */
export function sizeOf(map: Pick<FeatureMap, 'width' | 'height' | 'channels'>, settings: Settings) {
  const { kernel, stride, edge } = settings
  const size = kernel.length
  const spec = convSpec([1, map.height, map.width, map.channels], [size, size, 1, map.channels], {
    stride,
    groups: map.channels,
    padding: padded(edge).padding,
  })
  const [height, width] = spec.output as [number, number]
  return {
    height,
    width,
    padLow: spec.padLow as [number, number],
    padHigh: spec.padHigh as [number, number],
    macs: multiplyAccumulates(spec),
  }
}

type Run = (x: Float32Array, w: Float32Array, b: Float32Array) => Promise<Float32Array>
const programs = new Map<string, Run>()

/** One program for each combination of sizes; the last few are kept. */
function programFor(map: FeatureMap, { kernel, stride, edge }: Settings): Run {
  const { height, width, channels } = map
  const size = kernel.length
  const key = [height, width, channels, size, stride, edge].join(' ')
  const known = programs.get(key)
  if (known) return known
  const program = compile(
    (x, w, b) => add(conv(x, w, { stride, groups: channels, ...padded(edge) }), b),
    [[1, height, width, channels], [size, size, 1, channels], [channels]],
  )
  if (programs.size >= 8) programs.delete(programs.keys().next().value!)
  programs.set(key, program)
  return program
}

/** The weights as they are used: divided by the norm, the same for each channel, [size, size, 1, channels]. */
export function weightsOf({ kernel, norm }: Settings, channels: number): Float32Array {
  const { value } = divisor(kernel, norm)
  const weights = new Float32Array(kernel.length * kernel.length * channels)
  kernel.flat().forEach((w, i) => {
    weights.fill(w / value, i * channels, (i + 1) * channels)
  })
  return weights
}

/** The feature map of `map` under the kernel, plus bias: computed by the library's compiled convolution. */
export async function filter(map: FeatureMap, settings: Settings): Promise<FeatureMap> {
  const { channels } = map
  const { width, height } = sizeOf(map, settings)
  const bias = new Float32Array(channels).fill(settings.bias)
  const data = await programFor(map, settings)(map.data, weightsOf(settings, channels), bias)
  return { width, height, channels, data }
}

/** One multiplication of the sum that makes an output. */
export interface Term {
  readonly weight: number
  readonly value: number
  /** Where the value comes from, [row, column] of the picture; undefined for a zero outside of it. */
  readonly from?: readonly [number, number]
  /** The value lies outside the picture: what stands there is what the edge says. */
  readonly outside: boolean
}

/** The terms of the output at `row`, `column`, kernel cell by kernel cell; the bias is left out. */
export function termsAt(map: FeatureMap, settings: Settings, row: number, column: number, channel = 0): Term[] {
  const { kernel, stride, edge } = settings
  const { padLow } = sizeOf(map, settings)
  const mode: PaddingMode = edge === 'valid' ? 'zero' : edge
  const { value: by } = divisor(kernel, settings.norm)
  return kernel.flatMap((weights, y) =>
    weights.map((weight, x): Term => {
      const at = [row * stride + y - padLow[0], column * stride + x - padLow[1]] as const
      const from = [sourceIndex(mode, at[0], map.height), sourceIndex(mode, at[1], map.width)] as const
      const outside = at[0] !== from[0] || at[1] !== from[1]
      if (from[0] < 0 || from[1] < 0) return { weight: weight / by, value: 0, outside }
      const value = map.data[(from[0] * map.width + from[1]) * map.channels + channel]!
      return { weight: weight / by, value, from, outside }
    }),
  )
}

/** The square of `size` cells around a pixel, moved inside the picture: what a kernel can be cut from. */
export function patchAt(map: FeatureMap, size: number, row: number, column: number): number[][] {
  const start = (at: number, most: number) => Math.min(Math.max(at - Math.floor(size / 2), 0), most - size)
  const [top, left] = [start(row, map.height), start(column, map.width)]
  return Array.from({ length: size }, (_, y) =>
    Array.from({ length: size }, (_, x) => map.data[((top + y) * map.width + left + x) * map.channels]!),
  )
}

export interface Summary {
  readonly least: number
  readonly most: number
  /** Shares of all values below 0, and below 0 or above 1. */
  readonly negative: number
  readonly outside: number
}

export function summary(values: ArrayLike<number>): Summary {
  let [least, most, negative, outside] = [Infinity, -Infinity, 0, 0]
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (value < least) least = value
    if (value > most) most = value
    if (value < 0) negative++
    if (value < 0 || value > 1) outside++
  }
  return { least, most, negative: negative / values.length, outside: outside / values.length }
}

const directions = ['right', 'down and right', 'down', 'down and left', 'left', 'up and left', 'up', 'up and right']

/** What any kernel answers to, from its sum and its symmetry. */
export function describe(kernel: Kernel): string {
  const size = kernel.length
  const flat = kernel.flat()
  const magnitude = flat.reduce((sum, w) => sum + Math.abs(w), 0)
  if (magnitude === 0) return 'All weights are 0: every answer is 0.'
  const sum = flat.reduce((total, w) => total + w, 0)
  const zeroSum = Math.abs(sum) < 1e-3 * magnitude
  const mirrored = [...flat].reverse()
  const asymmetry = flat.reduce((total, w, i) => total + Math.abs(w - mirrored[i]!), 0)
  const [even, odd] = [asymmetry < 1e-3 * magnitude, asymmetry > 1.999 * magnitude]
  const flatAreas = zeroSum
    ? 'The weights add up to 0: even areas give 0, whatever their brightness.'
    : Math.abs(sum - 1) < 1e-3
      ? 'The weights add up to 1: even areas keep their brightness.'
      : `The weights add up to ${short(sum)}: an even area of brightness v gives ${short(sum)}·v.`
  if (odd) return `${flatAreas} One half is the other with its sign turned: ${slope(kernel)}`
  const middle = (kernel[(size - 1) >> 1]?.[(size - 1) >> 1] ?? 0) + (kernel[size >> 1]?.[size >> 1] ?? 0)
  if (zeroSum && even && middle !== 0)
    return `${flatAreas} It is the same turned by half a turn: it answers ${middle > 0 ? 'blue' : 'orange'} where the \
middle is brighter than around it: to lines and spots.`
  if (zeroSum) return `${flatAreas} It answers to what looks like its own pattern.`
  if (flat.every((w) => w >= 0)) return `${flatAreas} No weight is negative: it averages, and fine detail is lost.`
  return `${flatAreas} Weights of both signs set each pixel off from those around it.`
}

/** Where brightness must rise for the strongest positive answer of an odd kernel. */
function slope(kernel: Kernel): string {
  const middle = (kernel.length - 1) / 2
  let [across, down] = [0, 0]
  kernel.forEach((row, y) => {
    row.forEach((w, x) => {
      across += w * (x - middle)
      down += w * (y - middle)
    })
  })
  if (Math.hypot(across, down) < 1e-9) return 'it answers to what looks like its own pattern.'
  const eighth = (Math.round(Math.atan2(down, across) / (Math.PI / 4)) + 8) % 8
  return `blue where brightness rises to the ${directions[eighth]}, orange where it falls.`.replace(
    /to the (down|up)/,
    '$1wards',
  )
}

/** What taking the kernel as a column times a row saves. */
export function separability(kernel: Kernel): { rank: number; text: string } {
  const size = kernel.length
  const { rank, share } = rankOf(kernel)
  const full = size * size
  if (size === 1) return { rank, text: 'One weight: nothing to take apart.' }
  if (rank === 0) return { rank, text: 'All weights are 0.' }
  if (rank === 1)
    return {
      rank,
      text: `Separable: a column of ${size} times a row of ${size}, ${full} \u2192 ${2 * size} multiplies a pixel.`,
    }
  const cost = 2 * size * rank
  const verdict =
    cost < full ? `${full} \u2192 ${cost} multiplies a pixel` : `no saving (${full} against ${cost} multiplies)`
  const best = `the largest alone holds ${(100 * share).toFixed(0)}% of it`
  return { rank, text: `Not separable: a sum of ${rank} columns times rows, ${verdict}; ${best}.` }
}

/** A kernel's name for titles. */
export function titleOf(kernel: Kernel): string {
  const name: KernelName | undefined = nameOf(kernel)
  const size = `${kernel.length}\u00d7${kernel.length}`
  return name === undefined ? `your kernel, ${size}` : `${kernels[name].label}, ${size}`
}
