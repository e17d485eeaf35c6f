import { sizeOf } from '../src/base/shape.ts'
import { inputShape, kernelShape, outputShape, transposedOutputSize } from '../src/conv/index.ts'
import type { Work } from './lists.ts'

/** Protocol buffers, as much as a model of one node needs: fields are numbered, a value is a varint or bytes. */
function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  return [...bytes, rest]
}

type Part = Uint8Array

function join(parts: readonly Part[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
const whole = (field: number, value: number): Part => Uint8Array.from([...varint(field * 8), ...varint(value)])
const bytes = (field: number, value: Part): Part =>
  join([Uint8Array.from([...varint(field * 8 + 2), ...varint(value.length)]), value])
const text = (field: number, value: string): Part => bytes(field, new TextEncoder().encode(value))
const message = (field: number, parts: readonly Part[]): Part => bytes(field, join(parts))

const float = 1
const attributeInt = 2
const attributeInts = 7

/** ValueInfoProto: a float tensor of this shape. */
function valueInfo(field: number, name: string, shape: readonly number[]): Part {
  const dims = shape.map((n) => message(1, [whole(1, n)]))
  const tensorType = message(1, [whole(1, float), message(2, dims)])
  return message(field, [text(1, name), message(2, [tensorType])])
}

const int = (name: string, value: number): Part => message(5, [text(1, name), whole(3, value), whole(20, attributeInt)])
const ints = (name: string, values: readonly number[]): Part =>
  message(5, [text(1, name), ...values.map((value) => whole(8, value)), whole(20, attributeInts)])

const first = (shape: readonly number[]) => [shape[0]!, shape.at(-1)!, ...shape.slice(1, -1)]

/** Why ONNX can't say this layer; undefined if it can. */
export function onnxRefusal({ operation, spec }: Work): string | undefined {
  if (operation === 'kernelGradient') return 'no kernel gradient in ONNX'
  if ([...spec.padLow, ...spec.padHigh].some((n) => n < 0)) return 'no negative padding in ONNX'
  return undefined
}

/** A model of one Conv or ConvTranspose, its weights [O, I / groups, k...] inside: x and y are [N, C, spatial...]. */
export function onnxModel({ operation, spec }: Work, weights: Float32Array): Uint8Array {
  const transposed = operation === 'inputGradient'
  const [x, y] = transposed ? [outputShape(spec), inputShape(spec)] : [inputShape(spec), outputShape(spec)]
  const wShape = kernelShape(spec)
  const onnxShape = [spec.outChannels, spec.inChannels / spec.groups, ...wShape.slice(0, -2)]
  const { kernel, stride, dilation, padLow, padHigh } = spec
  const extra = spec.input.map(
    (n, i) => n - transposedOutputSize(spec.output[i]!, kernel[i]!, stride[i]!, dilation[i]!, padLow[i]!, padHigh[i]!),
  )
  const attributes = [
    ints('kernel_shape', kernel),
    ints('strides', stride),
    ints('dilations', dilation),
    ints('pads', [...padLow, ...padHigh]),
    int('group', spec.groups),
    ...(transposed ? [ints('output_padding', extra)] : []),
  ]
  const node = message(1, [
    text(1, 'x'),
    text(1, 'w'),
    text(2, 'y'),
    text(4, transposed ? 'ConvTranspose' : 'Conv'),
    ...attributes,
  ])
  const raw = new Uint8Array(weights.buffer, weights.byteOffset, sizeOf(wShape) * 4)
  const initializer = message(5, [...onnxShape.map((n) => whole(1, n)), whole(2, float), text(8, 'w'), bytes(9, raw)])
  const graph = message(7, [
    node,
    text(2, 'layer'),
    initializer,
    valueInfo(11, 'x', first(x)),
    valueInfo(12, 'y', first(y)),
  ])
  return join([whole(1, 8), graph, message(8, [text(1, ''), whole(2, 13)])])
}
