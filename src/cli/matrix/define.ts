import { forEachIndex, sizeOf, stridesOf } from '../../base/shape.ts'
import { sourceIndex } from '../../conv/padding.ts'
import { type ConvSpec, inputShape, kernelShape, outputShape } from '../../conv/spec.ts'
import type { BorderOptions } from '../../graph/index.ts'

type Values = ArrayLike<number>

/**
 * The trilinear form of conv/reference.ts with borders: `visit` gets the flat indices of x, w and y of each term; x is
 * -1 where the border's own value stands. With the graph, which pads first, it shares `sourceIndex` alone.
 */
function forEachBorderTerm(spec: ConvSpec, border: BorderOptions, visit: (x: number, w: number, y: number) => void) {
  const { paddingMode = 'zero' } = border
  const within = spec.inChannels / spec.groups
  const each = spec.outChannels / spec.groups
  const xStrides = stridesOf(inputShape(spec))
  const wStrides = stridesOf(kernelShape(spec))
  let y = 0
  forEachIndex(outputShape(spec), (index) => {
    const o = index.at(-1)!
    const firstChannel = Math.floor(o / each) * within
    forEachIndex(spec.kernel, (k) => {
      let x = index[0]! * xStrides[0]! + firstChannel
      let w = o
      let outside = false
      for (let axis = 0; axis < spec.rank; axis++) {
        const at = spec.stride[axis]! * index[axis + 1]! + spec.dilation[axis]! * k[axis]! - spec.padLow[axis]!
        const mode = typeof paddingMode === 'string' ? paddingMode : paddingMode[axis]!
        const source = sourceIndex(mode, at, spec.input[axis]!)
        if (source < 0 && mode === 'zero') return
        outside ||= source < 0
        x += source * xStrides[axis + 1]!
        w += k[axis]! * wStrides[axis]!
      }
      for (let c = 0; c < within; c++) visit(outside ? -1 : x + c, w + c * spec.outChannels, y)
    })
    y++
  })
}

/** conv(x, w) in float64. */
export function defineConv(spec: ConvSpec, border: BorderOptions, x: Values, w: Values): Float64Array {
  const y = new Float64Array(sizeOf(outputShape(spec)))
  forEachBorderTerm(spec, border, (xi, wi, yi) => {
    y[yi]! += (xi < 0 ? border.paddingValue! : x[xi]!) * w[wi]!
  })
  return y
}

/** convTranspose(g, w) in float64; the spec is that of the convolution it is the adjoint of. */
export function defineTransposed(spec: ConvSpec, border: BorderOptions, g: Values, w: Values): Float64Array {
  const x = new Float64Array(sizeOf(inputShape(spec)))
  forEachBorderTerm(spec, border, (xi, wi, yi) => {
    if (xi >= 0) x[xi]! += g[yi]! * w[wi]!
  })
  return x
}
