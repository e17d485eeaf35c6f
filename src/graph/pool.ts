import { fail } from '../base/errors.ts'
import type { Padding } from '../conv/padding.ts'
import { type ConvSpec, convSpec, dilatedExtent, inputShape, outputShape, type PerAxis } from '../conv/spec.ts'
import { contract } from './conv.ts'
import { mul } from './map.ts'
import { fill, Tensor, tensor } from './tensor.ts'

/** How the window of a pooling moves. */
export interface PoolOptions {
  /** Default: the window's size. */
  readonly stride?: PerAxis
  /** Default 'valid'. */
  readonly padding?: Padding
  /** Distance between neighbouring elements of the window. Default 1. */
  readonly dilation?: PerAxis
  /** Round output sizes up; windows that start outside the padded input are dropped. Default false. */
  readonly ceilMode?: boolean
}

/** How the window of an average pooling moves, and what counts. */
export interface AveragePoolOptions extends PoolOptions {
  /** Whether padding counts in the divisor. Default false, as in ONNX and Keras. */
  readonly countIncludePad?: boolean
}

interface Pool {
  spec: ConvSpec
  /** Padding without what ceilMode adds at the end. */
  padHigh: readonly number[]
}

function poolSpec(operation: string, x: Tensor, window: PerAxis, options: PoolOptions): Pool {
  const rank = x.shape.length - 2
  const kernel = typeof window === 'number' ? new Array<number>(Math.max(rank, 0)).fill(window) : [...window]
  if (kernel.length !== rank)
    fail(operation, `window has ${kernel.length} entries for ${rank} spatial axes`, 'Give one number, or one per axis')
  const channels = x.shape.at(-1)!
  const kernelShape = [...kernel, 1, channels]
  const base = { stride: options.stride ?? kernel, dilation: options.dilation ?? 1, groups: channels }
  const spec = convSpec(x.shape, kernelShape, { ...base, padding: options.padding ?? 'valid' }, operation)
  if (!options.ceilMode) return { spec, padHigh: spec.padHigh }
  const high = spec.padHigh.map((pad, axis) => {
    const reach = spec.input[axis]! + spec.padLow[axis]! + pad - dilatedExtent(spec.kernel[axis]!, spec.dilation[axis]!)
    const s = spec.stride[axis]!
    const extra = (s - (reach % s)) % s
    const startsInside = Math.ceil(reach / s) * s < spec.input[axis]! + spec.padLow[axis]!
    return startsInside ? pad + extra : pad
  })
  const padding = high.map((n, axis): [number, number] => [spec.padLow[axis]!, n])
  return { spec: convSpec(x.shape, kernelShape, { ...base, padding }, operation), padHigh: spec.padHigh }
}

/** Elements of each window along one axis that count in an average. */
function counts({ spec, padHigh }: Pool, axis: number, includePad: boolean): number[] {
  const [size, low] = [spec.input[axis]!, spec.padLow[axis]!]
  const from = includePad ? -low : 0
  const to = includePad ? size + padHigh[axis]! : size
  return Array.from({ length: spec.output[axis]! }, (_, p) => {
    let count = 0
    for (let k = 0; k < spec.kernel[axis]!; k++) {
      const at = p * spec.stride[axis]! + k * spec.dilation[axis]! - low
      if (at >= from && at < to) count++
    }
    return count
  })
}

/**
 * Average pooling of any spatial rank: a depthwise convolution whose kernel is constant.
 * @param x [N, spatial..., C]
 */
export function averagePool(x: Tensor, window: PerAxis, options: AveragePoolOptions = {}): Tensor {
  const pool = poolSpec('averagePool', x, window, options)
  const { spec } = pool
  const perAxis = spec.input.map((_, axis) => counts(pool, axis, options.countIncludePad ?? false))
  const taps = [...spec.kernel, 1, spec.inChannels]
  const uniform = perAxis.every((list) => list.every((n) => n === list[0]))
  if (uniform) {
    const divisor = perAxis.reduce((product, list) => product * list[0]!, 1)
    return contract('output', spec, x, fill(taps, 1 / divisor))
  }
  let weights = [1]
  for (const list of perAxis) weights = weights.flatMap((w) => list.map((n) => w / Math.max(n, 1)))
  const divisors = tensor(weights, [1, ...spec.output, 1])
  return mul(contract('output', spec, x, fill(taps, 1)), divisors)
}

/**
 * Max pooling of any spatial rank; padding never wins. At a tie the gradient goes to the first element.
 * @param x [N, spatial..., C]
 */
export function maxPool(x: Tensor, window: PerAxis, options: PoolOptions = {}): Tensor {
  const { spec } = poolSpec('maxPool', x, window, options)
  for (let axis = 0; axis < spec.rank; axis++)
    if (counts({ spec, padHigh: spec.padHigh }, axis, false).some((n) => n === 0))
      fail('maxPool', `padding makes a window without any element on axis ${axis}`, 'Use less padding')
  return new Tensor({ kind: 'windowMax', spec }, [x], outputShape(spec))
}

export function windowMaxDerivative(node: Tensor, g: Tensor): (Tensor | undefined)[] {
  const { operation } = node
  if (operation.kind === 'windowMax') {
    const { spec } = operation
    const inputs = [node.inputs[0]!, node, g]
    return [new Tensor({ kind: 'windowMaxScatter', spec }, inputs, inputShape(spec))]
  }
  const [x, y] = node.inputs as [Tensor, Tensor]
  if (operation.kind === 'windowMaxScatter') {
    const { spec } = operation
    return [undefined, undefined, new Tensor({ kind: 'windowMaxGather', spec }, [x, y, g], outputShape(spec))]
  }
  if (operation.kind === 'windowMaxGather') {
    const { spec } = operation
    return [undefined, undefined, new Tensor({ kind: 'windowMaxScatter', spec }, [x, y, g], inputShape(spec))]
  }
  return []
}
