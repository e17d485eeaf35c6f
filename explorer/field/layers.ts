import { type ConvSpec, convSpec, nextField, ownField, type ReceptiveField } from 'fovea/conv'
import type { Read, Source } from '../shared/fields.ts'

/** conv; max or average pooling; residual = two convolutions whose input is added to their result. */
export type Kind = 'conv' | 'max' | 'average' | 'residual'

export interface Layer {
  readonly kind: Kind
  readonly kernel: number
  readonly stride: number
  readonly dilation: number
}

/** Side of the input, px. */
export const side = 96
export const mostLayers = 10
/** What a layer's numbers may be. */
export const most = { kernel: 9, stride: 4, dilation: 8 }

const letters: Record<Kind, string> = { conv: 'c', max: 'm', average: 'a', residual: 'r' }
export const kinds = Object.keys(letters) as Kind[]
/** A residual layer adds its input to its result, so it can't make it smaller; pooling isn't dilated here. */
export const canStride = (kind: Kind) => kind !== 'residual'
export const canDilate = (kind: Kind) => kind === 'conv' || kind === 'residual'

/** A layer of this kind as it usually is. */
export const usualLayer = (kind: Kind): Layer =>
  canDilate(kind) ? { kind, kernel: 3, stride: 1, dilation: 1 } : { kind, kernel: 2, stride: 2, dilation: 1 }

/** `c3` a 3x3 convolution, `c3d2` dilated, `c3s2` strided, `m2s2` max and `a2s2` average pooling, `r3` residual. */
export const printLayer = ({ kind, kernel, stride, dilation }: Layer): string =>
  `${letters[kind]}${kernel}${stride === 1 ? '' : `s${stride}`}${dilation === 1 ? '' : `d${dilation}`}`

const bounded = (value: number, high: number) => Math.min(Math.max(value, 1), high)

/** The nearest layer that there is. */
export const mendLayer = ({ kind, kernel, stride, dilation }: Layer): Layer => ({
  kind,
  kernel: bounded(kernel, most.kernel),
  stride: canStride(kind) ? bounded(stride, most.stride) : 1,
  dilation: canDilate(kind) ? bounded(dilation, most.dilation) : 1,
})

export function readLayer(text: string): Read<Layer> {
  const parts = /^([cmar])(\d{1,3})(?:s(\d{1,3}))?(?:d(\d{1,3}))?$/.exec(text)
  if (!parts)
    return { value: usualLayer('conv'), note: `"${text.slice(0, 12)}" isn't a layer like c3, c3d2 or m2s2: c3` }
  const given: Layer = {
    kind: kinds.find((kind) => letters[kind] === parts[1])!,
    kernel: Number(parts[2]),
    stride: Number(parts[3] ?? 1),
    dilation: Number(parts[4] ?? 1),
  }
  const value = mendLayer(given)
  return printLayer(value) === printLayer(given) ? { value } : { value, note: `${text} → ${printLayer(value)}` }
}

export function randomLayer(source: Source): Layer {
  const kind = kinds[source.integer(kinds.length)]!
  const layer = { kind, kernel: 1 + source.integer(5), stride: 1 + source.integer(2), dilation: 1 + source.integer(3) }
  return mendLayer(layer)
}

const sizeText = (kernel: number) => `${kernel}×${kernel}`

/** In words: "conv 3×3, dilation 2". */
export function layerName({ kind, kernel, stride, dilation }: Layer): string {
  const what = { conv: 'conv', max: 'max pool', average: 'average pool', residual: 'residual, two' }[kind]
  return `${what} ${sizeText(kernel)}${stride === 1 ? '' : `, stride ${stride}`}${dilation === 1 ? '' : `, dilation ${dilation}`}`
}

/** A layer with what it does along one axis; a residual layer applies its spec twice. */
export interface Planned {
  readonly layer: Layer
  readonly name: string
  /** Along one axis, one channel: rows and columns are alike. */
  readonly spec: ConvSpec
  readonly times: number
  /** Of one of its outputs, in the input of the whole network. */
  readonly field: ReceptiveField
}

/** Shapes and receptive fields of layers one after the other. */
export function planOf(layers: readonly Layer[], input = side): Planned[] {
  let size = input
  let field = ownField
  return layers.map((layer) => {
    const { kernel, stride, dilation } = layer
    const spec = convSpec([1, size, 1], [kernel, 1, 1], { stride, dilation, padding: 'same' })
    const times = layer.kind === 'residual' ? 2 : 1
    for (let i = 0; i < times; i++) field = nextField(field, { kernel, stride, dilation, padLow: spec.padLow[0]! })
    size = spec.output[0]!
    return { layer, name: layerName(layer), spec, times, field }
  })
}

/** Units along one side of the last layer. */
export const outputsOf = (plan: readonly Planned[]) => plan.at(-1)?.spec.output[0] ?? side

/** The first pixel and the size of the field of unit `at` along one axis, which may reach beyond the input. */
export function extent({ size, jump, start }: ReceptiveField, at: number): { first: number; size: number } {
  return { first: Math.round(start + at * jump - (size - 1) / 2), size }
}
