// Our convolutions and poolings as Keras's, which pad by 'same', 'valid' or a layer of their own.
import { type Padding, resolvePadding } from '../../conv/padding.ts'
import type { PerAxis } from '../../conv/spec.ts'
import type { Weights } from '../../nn/layer.ts'
import { reshaped } from './pieces.ts'
import { activationOption } from './write-activations.ts'
import type { Value, Write, Writing } from './writer.ts'

interface Options {
  readonly stride?: PerAxis
  readonly padding?: Padding
  readonly paddingMode?: unknown
  readonly dilation?: PerAxis
  readonly groups?: number
  readonly multiplier?: number
  readonly outputPadding?: PerAxis
  readonly ceilMode?: boolean
  readonly countIncludePad?: boolean
  readonly bias?: boolean
  readonly activation?: string
}

type Pair = readonly [number, number]

const perAxis = (value: PerAxis | undefined, rank: number, usual = 1): number[] =>
  typeof value === 'object' ? [...value] : new Array<number>(rank).fill(value ?? usual)

const isZero = (pairs: readonly Pair[]) => pairs.every(([low, high]) => low === 0 && high === 0)

/** A border of zeros, or less than nothing: cropping. tfjs has both in two dimensions only. */
export function bordered(writing: Writing, x: Value, pairs: readonly Pair[], suffix?: string): Value {
  const { dialect, add, refuse } = writing
  const rank = pairs.length
  if (dialect === 'tfjs' && rank !== 2) return refuse(`padding of ${rank}-dimensional data`)
  const grown = (value: Value, by: readonly Pair[]) => [
    ...value.shape.slice(0, -1).map((n, axis) => n + by[axis][0] + by[axis][1]),
    value.shape.at(-1)!,
  ]
  const one = (list: readonly Pair[]) => (rank === 1 ? list[0] : list)
  const more = pairs.map(([low, high]): Pair => [Math.max(low, 0), Math.max(high, 0)])
  const less = pairs.map(([low, high]): Pair => [Math.max(-low, 0), Math.max(-high, 0)])
  const both = !isZero(more) && !isZero(less)
  let y = x
  if (!isZero(less)) {
    const shape = grown(
      y,
      less.map(([low, high]): Pair => [-low, -high]),
    )
    const config = { cropping: one(less) }
    y = add({ className: `Cropping${rank}D`, config, shape, suffix: both ? `${suffix ?? ''}crop` : suffix }, y)
  }
  if (isZero(more)) return y
  return add({ className: `ZeroPadding${rank}D`, config: { padding: one(more) }, shape: grown(y, more), suffix }, y)
}

interface Padded {
  readonly x: Value
  readonly padding: 'same' | 'valid' | 'causal'
}

/** Padding as Keras's, or as a layer in front. `zeros`: whether a border of zeros does the same. */
function padded(
  writing: Writing,
  options: Options,
  size: readonly number[],
  stride: readonly number[],
  zeros: boolean,
): Padded {
  const [x] = writing.inputs
  const { padding = 'valid', paddingMode } = options
  if (padding === 'same' || padding === 'valid') return { x, padding }
  if (padding === 'causal' && size.length === 1) return { x, padding }
  const spatial = x.shape.slice(0, -1)
  const dilation = perAxis(options.dilation, size.length)
  const resolve = (value: Padding) => resolvePadding('save', value, spatial, size, stride, dilation)
  const pairs = resolve(padding)
  const zero = paddingMode === undefined || paddingMode === 'zero'
  if (!zero && !isZero(pairs)) return writing.refuse(`paddingMode ${JSON.stringify(paddingMode)}`)
  if (isZero(pairs)) return { x, padding: 'valid' }
  if (JSON.stringify(pairs) === JSON.stringify(resolve('same'))) return { x, padding: 'same' }
  if (!zeros) return writing.refuse(`a border of padding ${JSON.stringify(padding)}`)
  return { x: bordered(writing, x, pairs, 'pad'), padding: 'valid' }
}

function checkMode(writing: Writing, { paddingMode, padding = 'valid' }: Options): void {
  const zero = paddingMode === undefined || paddingMode === 'zero'
  if (!zero && padding !== 'valid') writing.refuse(`paddingMode ${JSON.stringify(paddingMode)}`)
}

/** What all layers with a kernel have. */
function common(writing: Writing, options: Options, rank: number, size: PerAxis) {
  checkMode(writing, options)
  const [kernel, stride] = [perAxis(size, rank), perAxis(options.stride, rank)]
  const { x, padding } = padded(writing, options, kernel, stride, true)
  const { activation, behind } = activationOption(writing, options.activation)
  const config = {
    kernel_size: kernel,
    strides: stride,
    padding,
    data_format: 'channels_last',
    dilation_rate: perAxis(options.dilation, rank),
    activation,
    use_bias: options.bias !== false,
  }
  return { x, config, behind }
}

const named = (name: string, weights: Weights | undefined): [string, Weights][] => (weights ? [[name, weights]] : [])

/** Depthwise kernels [k..., 1, C * M] as Keras's [k..., C, M]. */
function split(writing: Writing, name: string): Weights {
  const kernel = writing.weight(name) ?? writing.refuse('it has no weights')
  const channels = writing.inputs[0].shape.at(-1)!
  return reshaped(kernel, [...kernel.shape.slice(0, -2), channels, kernel.shape.at(-1)! / channels])
}

const tfjsRanks: Readonly<Record<string, readonly number[]>> = {
  Conv: [1, 2, 3],
  ConvTranspose: [2, 3],
  Depthwise: [2],
  Separable: [2],
}

function checkRank(writing: Writing, kind: string, rank: number, keras: readonly number[]): void {
  const ranks = writing.dialect === 'tfjs' ? tfjsRanks[kind] : keras
  if (!ranks.includes(rank)) writing.refuse(`it is ${rank}-dimensional`)
}

function writeDepthwise(writing: Writing, rank: number, size: PerAxis, options: Options): Value {
  checkRank(writing, 'Depthwise', rank, [1, 2])
  const { x, config, behind } = common(writing, options, rank, size)
  const kernel = split(writing, 'weight')
  const name = writing.dialect === 'tfjs' ? 'depthwise_kernel' : 'kernel'
  const weights = [...named(name, kernel), ...named('bias', writing.weight('bias'))]
  const more = { depth_multiplier: kernel.shape.at(-1)! }
  return behind(writing.add({ className: `DepthwiseConv${rank}D`, config: { ...config, ...more }, weights }, x))
}

const conv =
  (rank: number): Write =>
  (writing) => {
    const [filters, size, options = {}] = writing.layer.config as [number, PerAxis, Options?]
    const { groups = 1 } = options
    if (groups > 1 && writing.dialect === 'tfjs') {
      if (groups === writing.inputs[0].shape.at(-1)) return writeDepthwise(writing, rank, size, options)
      return writing.refuse(`${groups} groups, which tfjs ignores`)
    }
    const { x, config, behind } = common(writing, options, rank, size)
    const weights = [...named('kernel', writing.weight('weight')), ...named('bias', writing.weight('bias'))]
    const more = { filters, ...(groups > 1 ? { groups } : {}) }
    return behind(writing.add({ className: `Conv${rank}D`, config: { ...more, ...config }, weights }, x))
  }

const depthwise =
  (rank: number): Write =>
  (writing) => {
    const [size, options = {}] = writing.layer.config as [PerAxis, Options?]
    return writeDepthwise(writing, rank, size, options)
  }

const separable =
  (rank: number): Write =>
  (writing) => {
    checkRank(writing, 'Separable', rank, [1, 2])
    const [filters, size, options = {}] = writing.layer.config as [number, PerAxis, Options?]
    const { x, config, behind } = common(writing, options, rank, size)
    const kernel = split(writing, 'depthwise')
    const weights = [
      ...named('depthwise_kernel', kernel),
      ...named('pointwise_kernel', writing.weight('pointwise')),
      ...named('bias', writing.weight('bias')),
    ]
    const more = { filters, depth_multiplier: kernel.shape.at(-1)! }
    return behind(writing.add({ className: `SeparableConv${rank}D`, config: { ...more, ...config }, weights }, x))
  }

/** Keras's 'valid' result is cut, or made longer, to the one that ours has. */
const convTranspose =
  (rank: number): Write =>
  (writing) => {
    checkRank(writing, 'ConvTranspose', rank, [1, 2, 3])
    const [filters, size, options = {}] = writing.layer.config as [number, PerAxis, Options?]
    checkMode(writing, options)
    if ((options.groups ?? 1) > 1) writing.refuse('its groups')
    if (perAxis(options.dilation, rank).some((n) => n > 1)) writing.refuse('its dilation')
    const [kernel, stride] = [perAxis(size, rank), perAxis(options.stride, rank)]
    const [x] = writing.inputs
    const extra = perAxis(options.outputPadding, rank, 0)
    const { padding = 'valid' } = options
    const spatial = x.shape.slice(0, -1)
    const sized = spatial.map((n, axis) => n * stride[axis])
    const same = padding === 'same' && extra.every((n) => n === 0)
    const ones = kernel.map(() => 1)
    const pairs = same ? [] : resolvePadding('save', padding, sized, kernel, stride, ones)
    if (padding === 'sameLower' || (padding === 'same' && !same)) writing.refuse(`padding '${padding}'`)
    const cuts = pairs.map(([low], axis): Pair => {
      const full = stride[axis] * (spatial[axis] - 1) + kernel[axis] + Math.max(stride[axis] - kernel[axis], 0)
      return [-low, writing.shape[axis] - (full - low)]
    })
    const { activation, behind } = activationOption(writing, options.activation)
    // zeros behind the result: the bias isn't added there
    if (cuts.some(([, high]) => high > 0)) writing.refuse('its outputPadding')
    const weights = [...named('kernel', writing.weight('weight')), ...named('bias', writing.weight('bias'))]
    const shape = same ? writing.shape : [...cuts.map(([low, high], i) => writing.shape[i] - low - high), filters]
    const config = { filters, kernel_size: kernel, strides: stride, padding: same ? 'same' : 'valid' }
    const rest = { data_format: 'channels_last', activation, use_bias: options.bias !== false }
    const cut = !same && !isZero(cuts)
    const className = `Conv${rank}DTranspose`
    const suffix = cut ? 'full' : undefined
    const y = writing.add({ className, config: { ...config, ...rest }, weights, shape, suffix }, x)
    return behind(cut ? bordered(writing, y, cuts) : y)
  }

const pool =
  (rank: number, kind: 'Max' | 'Average'): Write =>
  (writing) => {
    const [window, options = {}] = writing.layer.config as [PerAxis, Options?]
    const size = perAxis(window, rank)
    const stride = options.stride === undefined ? size : perAxis(options.stride, rank)
    if (perAxis(options.dilation, rank).some((n) => n > 1)) writing.refuse('its dilation')
    const average = kind === 'Average'
    const { x, padding } = padded(writing, options, size, stride, average && options.countIncludePad === true)
    if (average && padding === 'same' && options.countIncludePad) writing.refuse('countIncludePad')
    const plain = size.map((n, axis) => Math.floor((x.shape[axis] - n) / stride[axis]) + 1)
    const more = padding === 'valid' && plain.some((n, axis) => n !== writing.shape[axis])
    if (options.ceilMode && more) writing.refuse('ceilMode')
    const config = { pool_size: size, strides: stride, padding, data_format: 'channels_last' }
    return writing.add({ className: `${kind}Pooling${rank}D`, config }, x)
  }

const ranks = (kind: string, write: (rank: number) => Write) =>
  Object.fromEntries([1, 2, 3].map((rank) => [`${kind}${rank}d`, write(rank)]))

export const windowWrites: Readonly<Record<string, Write>> = {
  ...ranks('conv', conv),
  ...ranks('convTranspose', convTranspose),
  ...ranks('depthwiseConv', depthwise),
  ...ranks('separableConv', separable),
  ...ranks('maxPool', (rank) => pool(rank, 'Max')),
  ...ranks('averagePool', (rank) => pool(rank, 'Average')),
  ...ranks('zeroPad', (rank) => (writing) => {
    const { padding } = { padding: writing.layer.config[0] as Padding }
    const ones = new Array<number>(rank).fill(1)
    const spatial = writing.inputs[0].shape.slice(0, -1)
    return bordered(writing, writing.inputs[0], resolvePadding('save', padding, spatial, ones, ones, ones))
  }),
}
