import { FoveaError, invariant } from '../../base/errors.ts'
import { type RandomSource, randomSource } from '../../base/random.ts'
import { type Shape, sizeOf } from '../../base/shape.ts'
import type { Padding, PaddingMode } from '../../conv/padding.ts'
import { type ConvTransposeOptions, convSpec, convTransposeSpec } from '../../conv/spec.ts'
import type { BorderOptions } from '../../graph/index.ts'

export const ranks = [1, 2, 3, 4] as const
export const variants = [
  'standard',
  'grouped',
  'depthwise, multiplier',
  'separable',
  'dilated',
  'stride and dilation',
  'transposed',
] as const
export const borders = ['zero', 'constant', 'reflect', 'symmetric', 'replicate', 'circular', 'one per axis'] as const
export const paddings = ['valid', 'same', 'sameLower', 'full', 'causal', 'numbers', 'asymmetric', 'cropping'] as const

export type Variant = (typeof variants)[number]

export interface Cell {
  readonly variant: Variant
  readonly rank: number
  readonly border: (typeof borders)[number]
  readonly padding: (typeof paddings)[number]
}

export const cells: readonly Cell[] = variants.flatMap((variant) =>
  ranks.flatMap((rank) =>
    borders.flatMap((border) => paddings.map((padding): Cell => ({ variant, rank, border, padding }))),
  ),
)

/** A convolution of one cell, as its options and shapes. */
export interface Drawn {
  readonly cell: Cell
  /** [N, spatial..., C] */
  readonly x: Shape
  /** [kernel..., C / groups, O]; of a separable one also the pointwise kernel. */
  readonly kernels: readonly Shape[]
  readonly options: ConvTransposeOptions & BorderOptions
}

const largestInput = [0, 24, 9, 6, 4]
const largestKernel = [0, 7, 4, 3, 2]
/** Most multiply-accumulates of one application. */
const mostWork = 4000
const mostWorkWide = 40_000
const wideChannels = 16

const modes: readonly PaddingMode[] = ['zero', 'constant', 'reflect', 'symmetric', 'replicate', 'circular']

const between = (random: RandomSource, least: number, most: number) => least + random.integer(most - least + 1)

/** [groups, input channels a group, output channels a group]. */
function channels(random: RandomSource, variant: Variant, wide: boolean): [number, number, number] {
  const count = () => (wide ? wideChannels + random.integer(6) : between(random, 1, 9))
  const few = () => (wide ? wideChannels + random.integer(2) : between(random, 1, 5))
  switch (variant) {
    case 'standard':
    case 'dilated':
      return [1, count(), count()]
    case 'grouped':
      return [between(random, 2, 3), few(), few()]
    case 'depthwise, multiplier':
      return [between(random, 2, 9), 1, wide ? wideChannels : between(random, 2, 4)]
    case 'separable':
      return [wide ? wideChannels : between(random, 2, 9), 1, between(random, 1, 3)]
    case 'stride and dilation':
    case 'transposed':
      return [between(random, 1, 3), few(), few()]
  }
}

function drawPadding(random: RandomSource, { padding, rank }: Cell): Padding {
  const axes = <T>(value: () => T) => Array.from({ length: rank }, value)
  switch (padding) {
    case 'numbers':
      return random.integer(2) === 0 ? between(random, 1, 3) : axes(() => between(random, 0, 3))
    case 'asymmetric':
      return axes((): [number, number] => {
        const low = between(random, 0, 3)
        return [low, (low + between(random, 1, 3)) % 4]
      })
    case 'cropping': {
      const pairs = axes((): [number, number] => [between(random, -2, 2), between(random, -2, 2)])
      pairs[random.integer(rank)]![random.integer(2)] = -between(random, 1, 2)
      return pairs
    }
    default:
      return padding
  }
}

function drawBorder(random: RandomSource, { border, rank }: Cell): BorderOptions {
  const paddingValue = Math.fround(0.25 + random.next())
  if (border !== 'one per axis')
    return border === 'constant' ? { paddingMode: border, paddingValue } : { paddingMode: border }
  const first = random.integer(modes.length)
  const paddingMode = Array.from(
    { length: rank },
    (_, axis) => modes[(first + axis * between(random, 1, 5)) % modes.length]!,
  )
  return { paddingMode, paddingValue }
}

function attempt(random: RandomSource, cell: Cell, wide: boolean): Drawn {
  const { variant, rank } = cell
  const axes = (value: () => number) => Array.from({ length: rank }, value)
  const dilates = variant === 'dilated' || variant === 'stride and dilation'
  const transposed = variant === 'transposed'
  const kernel = axes(() => between(random, 1, largestKernel[rank]!))
  if (dilates || transposed) kernel[random.integer(rank)] = 2 + random.integer(2)
  const stride = axes(() => {
    if (variant === 'dilated') return 1
    return variant === 'stride and dilation' ? between(random, 2, 3) : between(random, 1, 3)
  })
  const dilation = axes(() => (dilates ? between(random, 2, 3) : transposed ? between(random, 1, 3) : 1))
  const [groups, within, each] = channels(random, variant, wide)
  const outChannels = groups * each
  const spatial = axes(() => between(random, 1, largestInput[rank]!))
  const batch = between(random, 1, 2)
  const shape = [...kernel, within, outChannels]
  const options = { stride, dilation, groups, padding: drawPadding(random, cell), ...drawBorder(random, cell) }
  if (transposed) {
    const outputPadding = stride.map((s, axis) => random.integer(Math.max(s, dilation[axis]!)))
    return { cell, x: [batch, ...spatial, outChannels], kernels: [shape], options: { ...options, outputPadding } }
  }
  const pointwise = [...kernel.map(() => 1), outChannels, wide ? wideChannels : between(random, 1, 9)]
  const kernels = variant === 'separable' ? [shape, pointwise] : [shape]
  return { cell, x: [batch, ...spatial, groups * within], kernels, options }
}

/** The convolution that a case is, with all numbers resolved. */
export function specOf({ cell, x, kernels, options }: Drawn) {
  const make = cell.variant === 'transposed' ? convTransposeSpec : convSpec
  return make(x, kernels[0]!, options)
}

/** Whether a draft is a convolution, and small enough. */
function suits(drawn: Drawn, most: number): boolean {
  try {
    const spec = specOf(drawn)
    const positions = spec.batch * sizeOf(spec.output)
    const all = spec.batch * sizeOf(spec.input) * spec.inChannels
    return positions * drawn.kernels.reduce((sum, kernel) => sum + sizeOf(kernel), 0) <= most && all <= most
  } catch (error) {
    if (error instanceof FoveaError) return false
    throw error
  }
}

/** Case `number` of a cell: the same for the same seed. Case 0 has at least 16 channels a group. */
export function draw(cell: Cell, number: number, seed: number): Drawn {
  const random = randomSource(seed * 1_000_003 + number, cells.indexOf(cell) + 1)
  const wide = number === 0
  for (let tries = 0; tries < 10_000; tries++) {
    const drawn = attempt(random, cell, wide)
    if (suits(drawn, wide ? mostWorkWide : mostWork)) return drawn
  }
  invariant(false, `no convolution of ${Object.values(cell)} was drawn`)
}
