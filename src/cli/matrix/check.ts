import { type RandomSource, randomSource } from '../../base/random.ts'
import { type Shape, sizeOf } from '../../base/shape.ts'
import { compile, type Target } from '../../compile.ts'
import { convSpec } from '../../conv/spec.ts'
import { add, conv, convTranspose, gradient, mul, referenceValues, sum, type Tensor } from '../../graph/index.ts'
import { errorBounds } from './bound.ts'
import { type Drawn, specOf } from './cells.ts'
import { defineConv, defineTransposed } from './define.ts'

export const quantities = ['output', 'by input', 'by kernel', 'by bias', 'second derivative'] as const
export type Quantity = (typeof quantities)[number]

export interface Result {
  /** Largest error over the derived bound, of each quantity. At most 1 is right. */
  readonly shares: Readonly<Record<Quantity, number>>
  /** Algorithms that computed the contractions. */
  readonly algorithms: readonly string[]
  /** Where the float64 values themselves contradict the definition. */
  readonly problem: string | undefined
}

interface Graph {
  /** x, kernels, bias, then g, then a direction for each of the first. */
  readonly inputs: readonly Tensor[]
  readonly parameters: number
  readonly loss: Tensor
  /** The first derivatives along the directions: its derivatives are the second ones. */
  readonly along: Tensor
  readonly first: readonly Tensor[]
  readonly second: readonly Tensor[]
  readonly roots: readonly { readonly tensor: Tensor; readonly quantity: Quantity }[]
}

function apply({ cell, options }: Drawn, x: Tensor, [w, pointwise]: readonly Tensor[]): Tensor {
  if (cell.variant === 'transposed') return convTranspose(x, w!, options)
  const y = conv(x, w!, options)
  return pointwise ? conv(y, pointwise) : y
}

function shapesOf(drawn: Drawn): Shape[] {
  const spec = specOf(drawn)
  const transposed = drawn.cell.variant === 'transposed'
  const [spatial, channels] = transposed ? [spec.input, spec.inChannels] : [spec.output, spec.outChannels]
  const last = drawn.kernels[1]?.at(-1) ?? channels
  const parameters = [drawn.x, ...drawn.kernels, [last]]
  return [...parameters, [spec.batch, ...spatial, last], ...parameters]
}

function graphOf(drawn: Drawn, inputs: readonly Tensor[]): Graph {
  const parameters = drawn.kernels.length + 2
  const given = inputs.slice(0, parameters)
  const g = inputs[parameters]!
  const y = add(apply(drawn, given[0]!, given.slice(1, -1)), given.at(-1)!)
  const loss = sum(mul(y, g))
  const first = gradient(loss, given)
  const along = first.map((d, i) => sum(mul(d, inputs[parameters + 1 + i]!))).reduce(add)
  // the bias is nowhere in `along`
  const second = gradient(along, [...given.slice(0, -1), g])
  const firstNames: Quantity[] = ['by input', ...drawn.kernels.map((): Quantity => 'by kernel'), 'by bias']
  const roots = [
    { tensor: y, quantity: 'output' as const },
    ...first.map((tensor, i) => ({ tensor, quantity: firstNames[i]! })),
    ...second.map((tensor) => ({ tensor, quantity: 'second derivative' as const })),
  ]
  return { inputs, parameters, loss, along, first, second, roots }
}

type Feeds = ReadonlyMap<Tensor, Float64Array>

const inner = (a: Float64Array, b: Float64Array) => a.reduce((total, value, i) => total + value * b[i]!, 0)

/** Agreement of float64 calculations, relative to the sum of the terms' sizes. */
const float64Agrees = 1e-11

/** The output by its definition, with the bias. */
function defined(drawn: Drawn, [x, w, ...rest]: readonly Float64Array[]): Float64Array {
  const spec = specOf(drawn)
  const bias = drawn.kernels.length > 1 ? rest[1]! : rest[0]!
  let y = (drawn.cell.variant === 'transposed' ? defineTransposed : defineConv)(spec, drawn.options, x!, w!)
  const pointwise = drawn.kernels[1]
  if (pointwise) y = defineConv(convSpec([spec.batch, ...spec.output, spec.outChannels], pointwise), {}, y, rest[0]!)
  return y.map((value, i) => value + bias[i % bias.length]!)
}

/**
 * Checks the float64 values: the output against the loops that define it; and, because loss and derivatives are affine
 * in each input, first and second derivatives by one of the inputs against a difference, which is exact.
 */
function contradiction(drawn: Drawn, graph: Graph, feeds: Feeds, values: readonly Float64Array[], which: number) {
  const { inputs, parameters, loss, along, first, second } = graph
  const list = inputs.map((input) => feeds.get(input)!)
  const y = defined(drawn, list)
  const off = y.findIndex((value, i) => !(Math.abs(value - values[0]![i]!) <= float64Agrees * (1 + Math.abs(value))))
  if (off >= 0) return `output ${off} is ${values[0]![off]} in float64, by the definition ${y[off]}`
  const at = which % parameters
  const [place, direction] = [inputs[at]!, list[parameters + 1 + at]!]
  const moved = (some: Feeds) =>
    new Map(some).set(
      place,
      some.get(place)!.map((value, i) => value + direction[i]!),
    )
  const absolute = new Map([...feeds].map(([node, data]) => [node, data.map(Math.abs)]))
  absolute.set(
    place,
    absolute.get(place)!.map((value, i) => value + Math.abs(direction[i]!)),
  )
  const [from, to, sizes] = [feeds, moved(feeds), absolute].map((some) => referenceValues([loss, along], some))
  const derivatives = [values[1 + at]!, at < second.length - 1 ? values[1 + first.length + at] : undefined]
  for (const [order, derivative] of derivatives.entries()) {
    if (!derivative) continue
    const error = Math.abs(to![order]![0]! - from![order]![0]! - inner(derivative, direction))
    if (!(error <= float64Agrees * (1 + sizes![order]![0]!)))
      return `the derivative of order ${order + 1} by input ${at} is off by ${error} in float64`
  }
  return undefined
}

function drawValues(random: RandomSource, shape: Shape): Float64Array {
  return Float64Array.from({ length: sizeOf(shape) }, () => Math.fround(random.normal()))
}

/** Largest error over its bound; infinite where it isn't a number, or where there may be none. */
function shareOf(actual: Float32Array, expected: Float64Array, bound: Float64Array): number {
  let largest = 0
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!)
    if (!(error <= 0)) largest = Math.max(largest, error / bound[i]! || Infinity)
  }
  return largest
}

/** Compiles one convolution with all its derivatives and compares every value with float64. */
export async function check(drawn: Drawn, number: number, seed: number, target: Target): Promise<Result> {
  let graph: Graph | undefined
  const program = compile(
    (...inputs: Tensor[]) => {
      graph = graphOf(drawn, inputs)
      return graph.roots.map(({ tensor }) => tensor)
    },
    shapesOf(drawn),
    { target, precision: 'direct' },
  )
  const { inputs, roots } = graph!
  const random = randomSource(seed * 1_000_003 + number)
  const data = inputs.map(({ shape }) => drawValues(random, shape))
  const feeds = new Map(inputs.map((input, i) => [input, data[i]!]))
  const tensors = roots.map(({ tensor }) => tensor)
  const expected = referenceValues(tensors, feeds)
  const bounds = errorBounds(tensors, new Map(inputs.map((input, i) => [input, data[i]!.map(Math.abs)])))
  const actual = await program(...data)
  const shares = { output: 0, 'by input': 0, 'by kernel': 0, 'by bias': 0, 'second derivative': 0 }
  roots.forEach(({ quantity }, i) => {
    shares[quantity] = Math.max(shares[quantity], shareOf(actual[i]!, expected[i]!, bounds[i]!))
  })
  const algorithms = program.steps.flatMap(({ plan }) => (plan ? [plan.algorithm] : []))
  return { shares, algorithms, problem: contradiction(drawn, graph!, feeds, expected, number) }
}
