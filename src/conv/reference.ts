import { forEachIndex, sizeOf, stridesOf } from '../base/shape.ts'
import { type ConvSpec, inputShape, kernelShape, outputShape } from './spec.ts'

/**
 * The definition. A convolution is the trilinear form
 *
 *   T(x, w, g) = sum over n, p, k, c, o of  x[n, stride*p + dilation*k - padLow, c] * w[k, c, o] * g[n, p, o]
 *
 * with c and o of one group. This calls `visit` with the flat indices of x, w and g (or y) of each term whose x lies
 * inside the input, in a fixed order; its three contractions are below.
 */
export function forEachTerm(spec: ConvSpec, visit: (x: number, w: number, y: number) => void): void {
  const { stride, dilation, padLow, input, groups } = spec
  const inPerGroup = spec.inChannels / groups
  const outPerGroup = spec.outChannels / groups
  const xStrides = stridesOf(inputShape(spec))
  const wStrides = stridesOf(kernelShape(spec))
  const yStrides = stridesOf(outputShape(spec))
  forEachIndex([spec.batch, ...spec.output], ([n, ...p]) => {
    const y = n! * yStrides[0]! + p.reduce((sum, at, axis) => sum + at * yStrides[axis + 1]!, 0)
    forEachIndex(spec.kernel, (k) => {
      let x = n! * xStrides[0]!
      let w = 0
      for (let axis = 0; axis < spec.rank; axis++) {
        const at = stride[axis]! * p[axis]! + dilation[axis]! * k[axis]! - padLow[axis]!
        if (at < 0 || at >= input[axis]!) return
        x += at * xStrides[axis + 1]!
        w += k[axis]! * wStrides[axis]!
      }
      for (let group = 0; group < groups; group++)
        for (let c = 0; c < inPerGroup; c++)
          for (let o = group * outPerGroup; o < (group + 1) * outPerGroup; o++)
            visit(x + group * inPerGroup + c, w + c * spec.outChannels + o, y + o)
    })
  })
}

/** y[n, p, o] = sum over k, c of x * w; x [N, spatial..., C], w [kernel..., C/groups, O], y [N, spatial..., O]. */
export function output(spec: ConvSpec, x: ArrayLike<number>, w: ArrayLike<number>): Float64Array {
  const y = new Float64Array(sizeOf(outputShape(spec)))
  forEachTerm(spec, (xi, wi, yi) => {
    y[yi]! += x[xi]! * w[wi]!
  })
  return y
}

/** dx[n, q, c] = sum over p, k, o of g * w: the transposed convolution. Returns [N, spatial..., C]. */
export function inputGradient(spec: ConvSpec, g: ArrayLike<number>, w: ArrayLike<number>): Float64Array {
  const dx = new Float64Array(sizeOf(inputShape(spec)))
  forEachTerm(spec, (xi, wi, yi) => {
    dx[xi]! += g[yi]! * w[wi]!
  })
  return dx
}

/** dw[k, c, o] = sum over n, p of x * g. Returns [kernel..., C/groups, O]. */
export function kernelGradient(spec: ConvSpec, x: ArrayLike<number>, g: ArrayLike<number>): Float64Array {
  const dw = new Float64Array(sizeOf(kernelShape(spec)))
  forEachTerm(spec, (xi, wi, yi) => {
    dw[wi]! += x[xi]! * g[yi]!
  })
  return dw
}
