import { fail } from '../base/errors.ts'
import { showShape } from '../base/shape.ts'
import type { PaddingMode } from '../conv/padding.ts'
import {
  type Contraction,
  type ConvOptions,
  type ConvSpec,
  type ConvTransposeOptions,
  convSpec,
  convTransposeSpec,
  inputShape,
  kernelShape,
  outputShape,
} from '../conv/spec.ts'
import { pad } from './pad.ts'
import { adjointTable, resample } from './resample.ts'
import { reshape } from './reshape.ts'
import { placeholder, Tensor } from './tensor.ts'

/** What a convolution meets outside its input. */
export interface BorderOptions {
  /** What stands outside the input: one mode, or one per axis. Default 'zero'. */
  readonly paddingMode?: PaddingMode | readonly PaddingMode[]
  /** The value of paddingMode 'constant'. Default 0. */
  readonly paddingValue?: number
}

const shapeOf = { output: outputShape, inputGradient: inputShape, kernelGradient: kernelShape }

/** One contraction of the trilinear form; operands as in conv/reference.ts. */
export const contract = (contraction: Contraction, spec: ConvSpec, a: Tensor, b: Tensor): Tensor =>
  new Tensor({ kind: 'contract', contraction, spec }, [a, b], shapeOf[contraction](spec))

/** The derivative of any of the three by either operand is another of the three. */
export function contractDerivative(contraction: Contraction, spec: ConvSpec, node: Tensor, g: Tensor): Tensor[] {
  const [a, b] = node.inputs as [Tensor, Tensor]
  switch (contraction) {
    case 'output': // a = x, b = w, g like y
      return [contract('inputGradient', spec, g, b), contract('kernelGradient', spec, a, g)]
    case 'inputGradient': // a = gradient of y, b = w, g like x
      return [contract('output', spec, g, b), contract('kernelGradient', spec, g, a)]
    case 'kernelGradient': // a = x, b = gradient of y, g like w
      return [contract('inputGradient', spec, b, g), contract('output', spec, a, g)]
  }
}

function borders(spec: ConvSpec, options: BorderOptions) {
  const { paddingMode = 'zero', paddingValue = 0 } = options
  const modes = typeof paddingMode === 'string' ? spec.input.map(() => paddingMode) : paddingMode
  if (modes.length !== spec.rank)
    fail('conv', `paddingMode has ${modes.length} entries for ${spec.rank} axes`, 'Give one, or one per axis')
  const filled = modes.map((mode) => mode !== 'zero' && !(mode === 'constant' && paddingValue === 0))
  const pairs = spec.input.map((_, axis): [number, number] =>
    filled[axis] ? [Math.max(spec.padLow[axis]!, 0), Math.max(spec.padHigh[axis]!, 0)] : [0, 0],
  )
  const padded: ConvSpec = {
    ...spec,
    input: spec.input.map((n, axis) => n + pairs[axis]![0] + pairs[axis]![1]),
    padLow: spec.padLow.map((n, axis) => n - pairs[axis]![0]),
    padHigh: spec.padHigh.map((n, axis) => n - pairs[axis]![1]),
  }
  return { modes, pairs, padded, any: pairs.some((pair) => pair[0] + pair[1] > 0), value: paddingValue }
}

/**
 * Convolution (cross-correlation) of any spatial rank >= 1.
 * @param x [N, spatial..., C]
 * @param w [kernel..., C / groups, O]
 * @returns [N, spatial..., O]
 */
export function conv(x: Tensor, w: Tensor, options: ConvOptions & BorderOptions = {}): Tensor {
  const spec = convSpec(x.shape, w.shape, options)
  const { modes, pairs, padded, any, value } = borders(spec, options)
  if (!any) return contract('output', spec, x, w)
  const mode: PaddingMode[] = ['zero', ...modes, 'zero']
  return contract('output', padded, pad(x, [[0, 0], ...pairs, [0, 0]], { mode, value }), w)
}

/**
 * Transposed convolution: the adjoint of `conv` with the same kernel and options. With a border mode other than zero
 * it is the adjoint of the padded convolution: what falls on the border is added to where the border came from.
 * @param x [N, spatial..., C]
 * @param w [kernel..., O / groups, C], the same array as the convolution's
 * @returns [N, spatial..., O]
 */
export function convTranspose(x: Tensor, w: Tensor, options: ConvTransposeOptions & BorderOptions = {}): Tensor {
  const spec = convTransposeSpec(x.shape, w.shape, options)
  const { modes, pairs, padded, any } = borders(spec, options)
  if (!any) return contract('inputGradient', spec, x, w)
  const y = contract('inputGradient', padded, x, w)
  const mode: PaddingMode[] = ['zero', ...modes, 'zero']
  return padAdjoint(y, inputShape(spec), [[0, 0], ...pairs, [0, 0]], mode)
}

/** The adjoint of pad(x, pairs, {mode}) for an x of shape `shape`. */
function padAdjoint(
  y: Tensor,
  shape: readonly number[],
  pairs: readonly (readonly [number, number])[],
  mode: readonly PaddingMode[],
): Tensor {
  let result = y
  shape.forEach((n, axis) => {
    const [low, high] = pairs[axis]!
    if (low + high === 0) return
    const only = pairs.map((pair, i): [number, number] => (i === axis ? [pair[0], pair[1]] : [0, 0]))
    const template = pad(placeholder(result.shape.map((size, i) => (i === axis ? n : size))), only, {
      mode: mode.map((m, i) => (i === axis ? m : 'zero')),
    })
    const { operation } = template
    if (operation.kind === 'resample') result = resample(result, axis, adjointTable(operation.table))
    else
      result = pad(
        result,
        only.map(([a, b]): [number, number] => [-a, -b]),
      )
  })
  return result
}

/** Matrix product of a [M, K] and b [K, N]: a pointwise convolution of rank 1. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const [m, k] = a.shape as [number, number]
  const [k2, n] = b.shape as [number, number]
  if (a.shape.length !== 2 || b.shape.length !== 2 || k !== k2)
    fail('matmul', `shapes ${showShape(a.shape)} and ${showShape(b.shape)}`, 'Give [M, K] and [K, N] with the same K')
  return reshape(conv(reshape(a, [1, m, k]), reshape(b, [1, k, n])), [m, n])
}
