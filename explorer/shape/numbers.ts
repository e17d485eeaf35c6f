import {
  borderGradient,
  type ConvSpec,
  convSpec,
  convTransposeSpec,
  forEachTerm,
  inputGradient,
  kernelGradient,
  output,
  useCounts,
  withBorder,
} from 'fovea/conv'
import { flatAt } from '../shared/sheet.ts'
import { axesOf, type ShapeState } from './state.ts'

/** The tensors of a state, by name; all by the library's reference loops. */
export interface Numbers {
  /** What is on the input's side of the picture: the input with its border, or, gathered, with zeros between. */
  readonly input: Tensor
  readonly kernel: Tensor
  readonly output: Tensor
  /** The terms (input, kernel, output) that are summed, as flat indices of the three. */
  readonly terms: readonly Term[]
  /** Of `terms`, how many use each input and each output. */
  readonly inputUses: Float64Array
  readonly outputUses: Float64Array
  /** The spec as the user gave it. */
  readonly spec: ConvSpec
  /** Derivatives by the input (without its border), the kernel and the output, when asked for. */
  readonly backward?: { readonly input: Tensor; readonly kernel: Tensor; readonly output: Tensor }
}

export interface Tensor {
  readonly shape: readonly number[]
  readonly values: Float64Array
  /** 1 where the element is border, a zero put between, or cropped. */
  readonly outside?: Uint8Array
  /** Position of the first element; negative where a border comes first. */
  readonly first: readonly number[]
}

export type Term = readonly [input: number, kernel: number, output: number]

const sizeOf = (shape: readonly number[]) => shape.reduce((size, n) => size * n, 1)

/** Small whole numbers that look like nothing in particular. */
const inputValues = (shape: readonly number[]) =>
  Float64Array.from({ length: sizeOf(shape) }, (_, i) => ((i * i * 7 + i * 3) % 11) % 4)
const kernelValues = (shape: readonly number[]) =>
  Float64Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 7 + 3) % 5) - 2)

/** x and w of a shape. */
export const givenNumbers = { x: inputValues, w: kernelValues }

const whole = (shape: readonly number[], values: Float64Array): Tensor => ({
  shape,
  values,
  first: shape.map(() => 0),
})

const plane = (shape: readonly number[]) => [1, ...shape, 1]
const kernelOf = (shape: readonly number[]) => [...shape, 1, 1]

/** Throws the library's own error where nothing fits. */
export function numbersOf(state: ShapeState): Numbers {
  return state.t ? (state.w === 'gather' ? gathered(state) : scattered(state)) : convolved(state)
}

export const optionsOf = (state: ShapeState) => ({
  stride: axesOf(state, state.s),
  dilation: axesOf(state, state.d),
  padding:
    state.p === 'own'
      ? axesOf(state, state.lo).map((low, a): [number, number] => [low, axesOf(state, state.hi)[a]!])
      : state.p,
})

const marks = (shape: readonly number[], low: readonly number[], size: readonly number[]): Uint8Array =>
  Uint8Array.from(
    withBorder(new Uint8Array(sizeOf(size)).fill(1), size, {
      low,
      high: shape.map((n, a) => n - size[a]! - low[a]!),
      mode: 'zero',
    }),
    (inside) => 1 - inside,
  )

function termsOf(spec: ConvSpec, order: (x: number, w: number, y: number) => Term): Term[] {
  const terms: Term[] = []
  forEachTerm(spec, (x, w, y) => terms.push(order(x, w, y)))
  return terms
}

/** 1 at the chosen output, or at all. */
function arriving(state: ShapeState, shape: readonly number[]): Float64Array {
  const g = new Float64Array(sizeOf(shape))
  if (state.b === 'all') return g.fill(1)
  const chosen = shape.map((size, a) => Math.min(state.at?.[a] ?? 0, size - 1))
  g[flatAt(shape, chosen)] = 1
  return g
}

function convolved(state: ShapeState): Numbers {
  const [size, kernel] = [axesOf(state, state.i), axesOf(state, state.k)]
  const spec = convSpec(plane(size), kernelOf(kernel), optionsOf(state))
  const border = { low: spec.padLow, high: spec.padHigh, mode: state.pa }
  const padded = size.map((n, a) => n + spec.padLow[a]! + spec.padHigh[a]!)
  const inner = convSpec(plane(padded), kernelOf(kernel), { stride: spec.stride, dilation: spec.dilation })
  const x = withBorder(inputValues(size), size, border)
  const w = kernelValues(kernel)
  const y = output(inner, x, w)
  const outside = marks(padded, spec.padLow, size)
  // taps that fall on the input itself
  const taps = output(
    inner,
    outside.map((out) => 1 - out),
    new Float64Array(w.length).fill(1),
  )
  const numbers: Numbers = {
    input: {
      shape: padded,
      values: x,
      outside,
      first: spec.padLow.map((low) => -low),
    },
    kernel: whole(kernel, w),
    output: whole(spec.output, y),
    terms: termsOf(inner, (xi, wi, yi) => [xi, wi, yi]),
    inputUses: useCounts(inner),
    outputUses: taps,
    spec,
  }
  if (state.b === 'off') return numbers
  const g = arriving(state, spec.output)
  return {
    ...numbers,
    backward: {
      input: whole(size, borderGradient(inputGradient(inner, g, w), size, border)),
      kernel: whole(kernel, kernelGradient(inner, x, g)),
      output: whole(spec.output, g),
    },
  }
}

/** The transposed convolution of a state: its spec is the convolution that it is the adjoint of. */
export const transposedSpec = (state: ShapeState) =>
  convTransposeSpec(plane(axesOf(state, state.i)), kernelOf(axesOf(state, state.k)), {
    ...optionsOf(state),
    outputPadding: axesOf(state, state.op),
  })

/** Each input paints a kernel; what lies beyond the output is cropped. */
function scattered(state: ShapeState): Numbers {
  const spec = transposedSpec(state)
  const { output: size, input: result, kernel, padLow: low, stride, dilation } = spec
  const reach = size.map((n, a) => stride[a]! * (n - 1) + dilation[a]! * (kernel[a]! - 1) + 1)
  const canvas = result.map((n, a) => Math.max(low[a]! + n, reach[a]!))
  const uncropped: ConvSpec = { ...spec, input: canvas, padLow: low.map(() => 0) }
  const [x, w] = [inputValues(size), kernelValues(kernel)]
  const numbers: Numbers = {
    input: whole(size, x),
    kernel: whole(kernel, w),
    output: {
      shape: canvas,
      values: inputGradient(uncropped, x, w),
      outside: marks(canvas, low, result),
      first: low.map((n) => -n),
    },
    terms: termsOf(uncropped, (xi, wi, yi) => [yi, wi, xi]),
    inputUses: new Float64Array(x.length).fill(sizeOf(kernel)),
    outputUses: useCounts(uncropped),
    spec,
  }
  return withTransposedBackward(state, numbers, x, w)
}

/** The same numbers as an ordinary convolution: zeros between the inputs, and the kernel turned round. */
function gathered(state: ShapeState): Numbers {
  const spec = transposedSpec(state)
  const { output: size, input: result, kernel, stride, dilation, padLow } = spec
  const spread = size.map((n, a) => stride[a]! * (n - 1) + 1)
  const dot = convTransposeSpec(plane(size), kernelOf(size.map(() => 1)), { stride })
  const between = inputGradient(dot, inputValues(size), [1])
  const own = inputGradient(dot, new Float64Array(sizeOf(size)).fill(1), [1])
  const low = kernel.map((k, a) => dilation[a]! * (k - 1) - padLow[a]!)
  // enough behind to give every output: n + low + high - d(k-1) = result
  const high = spread.map((n, a) => result[a]! + dilation[a]! * (kernel[a]! - 1) - n - low[a]!)
  const border = { low, high, mode: 'zero' as const }
  const padded = spread.map((n, a) => n + low[a]! + high[a]!)
  const x = withBorder(between, spread, border)
  const w = kernelValues(kernel)
  const inner = convSpec(plane(padded), kernelOf(kernel), { dilation })
  const numbers: Numbers = {
    input: {
      shape: padded,
      values: x,
      outside: Uint8Array.from(withBorder(own, spread, border), (inside) => 1 - inside),
      first: low.map((n) => -n),
    },
    kernel: whole(kernel, Float64Array.from(w).reverse()),
    output: whole(result, output(inner, x, Float64Array.from(w).reverse())),
    terms: termsOf(inner, (xi, wi, yi) => [xi, wi, yi]),
    inputUses: useCounts(inner),
    outputUses: useCounts(spec),
    spec,
  }
  return withTransposedBackward(state, numbers, inputValues(size), w)
}

function withTransposedBackward(state: ShapeState, numbers: Numbers, x: Float64Array, w: Float64Array): Numbers {
  if (state.b === 'off') return numbers
  const { spec } = numbers
  const g = arriving(state, spec.input)
  return {
    ...numbers,
    backward: {
      input: whole(spec.output, output(spec, g, w)),
      kernel: whole(spec.kernel, kernelGradient(spec, g, x)),
      output: whole(spec.input, g),
    },
  }
}
