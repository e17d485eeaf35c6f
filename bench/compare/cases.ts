// The rows of docs/compared.md: small operations, each with inputs that its name determines.
import { randomSource } from '../../src/base/random.ts'
import { type Shape, sizeOf } from '../../src/base/shape.ts'
import { type PaddingMode, resolvePadding } from '../../src/conv/padding.ts'

export type Pair = readonly [low: number, high: number]

interface Common {
  /** What `--only` takes. */
  readonly id: string
  readonly group: string
  /** [N, spatial..., C] */
  readonly x: Shape
}
/** Windows over the spatial axes; every number resolved. */
interface Window {
  readonly kernel: Shape
  readonly stride: Shape
  readonly dilation: Shape
  readonly padding: readonly Pair[]
  /** A library that has this word for the padding is asked for it by the word. */
  readonly word?: 'same' | 'valid' | 'number'
}
export interface ConvCase extends Common, Window {
  readonly op: 'conv' | 'convTranspose'
  /** [k..., C / groups, O]; of a transposed one [k..., O / groups, C]. */
  readonly w: Shape
  readonly groups: number
  /** One for each axis. */
  readonly border: readonly PaddingMode[]
  readonly outputPadding: Shape
  /** Asked of the library's layer, not of its function. */
  readonly layer?: boolean
}
export interface PoolCase extends Common, Window {
  readonly op: 'maxPool' | 'averagePool'
  readonly ceil: boolean
  readonly countPadding: boolean
  /** All inputs are below zero. */
  readonly negative?: boolean
}
export interface PadCase extends Common {
  readonly op: 'pad'
  readonly padding: readonly Pair[]
  readonly border: readonly PaddingMode[]
}
export interface ResizeCase extends Common {
  readonly op: 'resize'
  readonly size: Shape
  readonly mode: 'nearest' | 'linear' | 'cubic'
  readonly alignCorners: boolean
}
export type Case = ConvCase | PoolCase | PadCase | ResizeCase

export const quantities = ['value', 'by input', 'by kernel', 'second'] as const
export type Quantity = (typeof quantities)[number]
export const quantitiesOf = ({ op }: Case): readonly Quantity[] =>
  op === 'conv' || op === 'convTranspose' ? quantities : ['value', 'by input']

/** What a library made of a case: numbers in our layout, or why there are none. */
export type Answer = Partial<Record<Quantity, { readonly values: Float32Array } | { readonly missing: string }>>

const sizes = [[], [13], [8, 7], [5, 4, 6]]
const kernels = [[], [4], [3, 2], [2, 3, 2]]
const each = <T>(rank: number, value: T): T[] => new Array<T>(rank).fill(value)

type ConvOptions = Partial<Omit<ConvCase, 'padding' | 'border' | 'stride' | 'dilation' | 'outputPadding'>> & {
  readonly channels?: number
  readonly filters?: number
  readonly stride?: number
  readonly dilation?: number
  readonly outputPadding?: number
  readonly padding?: number | 'same' | 'sameLower' | 'full' | 'causal' | readonly Pair[]
  readonly border?: PaddingMode | readonly PaddingMode[]
}

function conv(id: string, group: string, rank: number, options: ConvOptions = {}): ConvCase {
  const { op = 'conv', channels = 4, filters = 6, groups = 1, padding = 1, border = 'zero' } = options
  const kernel = options.kernel ?? kernels[rank]!
  const x = options.x ?? [2, ...sizes[rank]!, channels]
  const stride = each(rank, options.stride ?? 1)
  const dilation = each(rank, options.dilation ?? 1)
  const sized = x.slice(1, -1).map((n, axis) => (op === 'conv' ? n : n * stride[axis]!))
  const w = op === 'conv' ? [...kernel, channels / groups, filters] : [...kernel, filters / groups, channels]
  return {
    ...{ id, group, op, x, kernel, w, stride, dilation, groups },
    padding: resolvePadding(id, padding, sized, kernel, stride, dilation),
    word: options.word ?? (padding === 'same' ? 'same' : undefined),
    border: typeof border === 'string' ? each(rank, border) : border,
    outputPadding: each(rank, options.outputPadding ?? 0),
    layer: options.layer,
  }
}

const variants = [1, 2, 3].flatMap((rank) => {
  const of = (suffix: string, options: ConvOptions = {}) =>
    conv(`conv${rank}d${suffix}`, 'convolutions', rank, { ...options })
  const transposed = (suffix: string, options: ConvOptions = {}) =>
    conv(`convTranspose${rank}d${suffix}`, 'transposed convolutions', rank, {
      op: 'convTranspose',
      stride: 2,
      ...options,
    })
  return [
    of(''),
    of('-strided', { stride: 2 }),
    of('-grouped', { groups: 2 }),
    of('-depthwise', { groups: 4, filters: 8 }),
    of('-dilated', { dilation: 2 }),
    of('-strided-dilated', { stride: 2, dilation: 2, padding: 2 }),
    transposed(''),
    transposed('-output-padding', { outputPadding: 1 }),
    transposed('-dilated', { dilation: 2 }),
    transposed('-grouped', { groups: 2 }),
  ]
})

const paddings = [
  conv('conv2d-same', 'padding', 2, { padding: 'same' }),
  conv('conv2d-same-strided', 'padding', 2, { padding: 'same', stride: 2, kernel: [3, 4] }),
  conv('conv2d-sameLower', 'padding', 2, { padding: 'sameLower', kernel: [3, 4] }),
  conv('conv2d-full', 'padding', 2, { padding: 'full' }),
  conv('conv1d-causal', 'padding', 1, { padding: 'causal', dilation: 2 }),
  conv('conv2d-asymmetric', 'padding', 2, {
    padding: [
      [2, 0],
      [0, 1],
    ],
  }),
  conv('conv2d-cropping', 'padding', 2, {
    padding: [
      [-1, -2],
      [0, -1],
    ],
  }),
  conv('conv2d-number-3x5', 'padding', 2, { kernel: [3, 5], padding: 1, word: 'number' }),
]

const modes = ['constant', 'reflect', 'symmetric', 'replicate', 'circular'] as const
const borders = [
  ...[1, 2, 3].flatMap((rank) =>
    modes
      .filter((mode) => mode !== 'constant')
      .map((border) => conv(`conv${rank}d-${border}`, 'borders', rank, { border, padding: 2 })),
  ),
  conv('conv2d-reflect-circular', 'borders', 2, { border: ['reflect', 'circular'], padding: 2 }),
  ...modes
    .slice(1)
    .map((border) =>
      conv(`convTranspose2d-${border}`, 'borders', 2, { op: 'convTranspose', border, padding: 1, stride: 2 }),
    ),
  ...modes.slice(1).map((mode): PadCase => {
    const padding: Pair[] = [
      [2, 1],
      [1, 3],
    ]
    return { id: `pad2d-${mode}`, group: 'borders', op: 'pad', x: [2, 6, 5, 3], padding, border: [mode, mode] }
  }),
]

type PoolOptions = Partial<PoolCase> & { readonly pads?: number | 'same' }
function pool(id: string, rank: number, op: PoolCase['op'], options: PoolOptions = {}): PoolCase {
  const { pads = 0, ceil = false, countPadding = false, negative } = options
  const kernel = options.kernel ?? each(rank, 3)
  const stride = each(rank, 2)
  const dilation = options.dilation ?? each(rank, 1)
  const x = [2, ...sizes[rank]!.map((n) => n + 1), 3]
  const padding = resolvePadding(id, pads, x.slice(1, -1), kernel, stride, dilation)
  const word = pads === 'same' ? 'same' : pads === 0 ? 'valid' : undefined
  return { id, group: 'pooling', op, x, kernel, stride, dilation, padding, word, ceil, countPadding, negative }
}
const pools = [
  ...[1, 2, 3].flatMap((rank) => [
    pool(`maxPool${rank}d`, rank, 'maxPool'),
    pool(`averagePool${rank}d`, rank, 'averagePool'),
  ]),
  pool('maxPool2d-same', 2, 'maxPool', { pads: 'same' }),
  pool('maxPool2d-padded', 2, 'maxPool', { pads: 1 }),
  pool('maxPool2d-negative', 2, 'maxPool', { pads: 'same', negative: true }),
  pool('maxPool2d-negative-padded', 2, 'maxPool', { pads: 1, negative: true }),
  pool('maxPool3d-negative', 3, 'maxPool', { negative: true }),
  pool('maxPool2d-dilated', 2, 'maxPool', { dilation: [2, 2] }),
  pool('maxPool2d-ceil', 2, 'maxPool', { kernel: [2, 3], ceil: true }),
  pool('averagePool2d-same', 2, 'averagePool', { pads: 'same' }),
  pool('averagePool2d-padded', 2, 'averagePool', { pads: 1 }),
  pool('averagePool2d-count-padding', 2, 'averagePool', { pads: 1, countPadding: true }),
  pool('averagePool2d-ceil', 2, 'averagePool', { kernel: [2, 3], ceil: true }),
]

type ResizeOptions = Pick<ResizeCase, 'mode' | 'size'> & { readonly alignCorners?: boolean }
const resize = (id: string, { mode, size, alignCorners = false }: ResizeOptions): ResizeCase => ({
  ...{ id, group: 'resizing', op: 'resize', x: [2, 5, 4, 3] },
  ...{ mode, size, alignCorners },
})
const resizes = [
  resize('nearest2d-double', { mode: 'nearest', size: [10, 8] }),
  resize('nearest2d', { mode: 'nearest', size: [7, 9] }),
  resize('bilinear-half-pixel', { mode: 'linear', size: [10, 7] }),
  resize('bilinear-align-corners', { mode: 'linear', size: [9, 7], alignCorners: true }),
  resize('bicubic-half-pixel', { mode: 'cubic', size: [10, 7] }),
]

const layers = [
  conv('layer-conv2d-groups', "a library's layers", 2, { groups: 2, layer: true, padding: 'same' }),
  conv('layer-conv2d-strided-dilated', "a library's layers", 2, {
    stride: 2,
    dilation: 2,
    layer: true,
    padding: 'same',
  }),
  conv('layer-convTranspose2d-dilated', "a library's layers", 2, {
    ...{ op: 'convTranspose', stride: 1, dilation: 2, layer: true, padding: 0 },
  }),
  conv('layer-convTranspose2d-output-padding', "a library's layers", 2, {
    ...{ op: 'convTranspose', stride: 2, outputPadding: 1, layer: true, padding: 0, kernel: [3, 3] },
  }),
]

export const cases: readonly Case[] = [...variants, ...paddings, ...borders, ...pools, ...resizes, ...layers]

const hash = (text: string) => [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 2 ** 31, 7)

export interface Operands {
  readonly x: Float32Array
  readonly w: Float32Array
  /** Weighs the result: derivatives are those of sum(y g). */
  readonly g: (size: number) => Float32Array
  /** Weighs the gradient by the input: the second derivative is that of sum(dx h) by the kernel. */
  readonly h: Float32Array
}

/** The same numbers in every process. */
export function operandsOf(item: Case): Operands {
  const values = (size: number, stream: number) => {
    const random = randomSource(hash(item.id), stream)
    return Float32Array.from({ length: size }, () => random.normal())
  }
  const negative = item.op === 'maxPool' && item.negative
  const size = sizeOf(item.x)
  return {
    x: values(size, 1).map((value) => (negative ? -Math.abs(value) - 0.5 : value)),
    w: 'w' in item ? values(sizeOf(item.w), 2) : new Float32Array(),
    g: (count) => values(count, 3),
    h: values(size, 4),
  }
}
