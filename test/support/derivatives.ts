/** Derivatives against central differences, both in float64 by the definitions. */
import { expect } from 'vitest'
import type { RandomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import { gradient, mul, sum } from '../../src/graph/index.ts'
import { referenceValues } from '../../src/graph/reference.ts'
import { placeholder, type Tensor } from '../../src/graph/tensor.ts'

type Values = Float64Array
type Feeds = Map<Tensor, Values>

const randoms = (random: RandomSource, node: Tensor): Values =>
  Float64Array.from({ length: sizeOf(node.shape) }, random.normal)

const computed = (node: Tensor, feeds: Feeds) => referenceValues([node], feeds)[0]!

const inner = (a: ArrayLike<number>, b: Values) => b.reduce((total, value, i) => total + value * a[i]!, 0)

const step = 1e-4

/** The derivative of a scalar along a direction: differences at h and h/2, extrapolated, with an error of order h^4. */
function slope(loss: Tensor, x: Tensor, direction: Values, feeds: Feeds): number {
  const at = (h: number) => {
    const moved = new Map(feeds).set(
      x,
      feeds.get(x)!.map((value, i) => value + h * direction[i]!),
    )
    return computed(loss, moved)[0]!
  }
  const difference = (h: number) => (at(h) - at(-h)) / (2 * h)
  return (4 * difference(step / 2) - difference(step)) / 3
}

function expectSlope(loss: Tensor, x: Tensor, derivative: Tensor, feeds: Feeds, random: RandomSource, what: string) {
  expect(derivative.shape).toEqual(x.shape)
  const direction = randoms(random, x)
  const values = computed(derivative, feeds)
  const size = values.reduce((total, value, i) => total + Math.abs(value * direction[i]!), 1)
  const error = Math.abs(inner(values, direction) - slope(loss, x, direction, feeds))
  if (!(error <= 1e-7 * size)) expect.fail(`${what} is off by ${error} of ${size}`)
}

export interface DerivativeCheck {
  /** Values for the inputs; normal numbers if left out. */
  readonly values?: (random: RandomSource, node: Tensor) => Values
  /** Whether the derivatives' own derivatives are checked too. Default true. */
  readonly second?: boolean
}

/** Checks first derivatives of y = make(inputs) and, unless told not to, their derivatives by every input. */
export function checkDerivatives(
  make: (...inputs: Tensor[]) => Tensor,
  shapes: readonly (readonly number[])[],
  random: RandomSource,
  { values = randoms, second = true }: DerivativeCheck = {},
): void {
  const inputs = shapes.map((shape) => placeholder(shape))
  const feeds: Feeds = new Map(inputs.map((x) => [x, values(random, x)]))
  const y = make(...inputs)
  const g = placeholder(y.shape)
  feeds.set(g, randoms(random, g))
  const loss = sum(mul(y, g))
  const first = gradient(loss, inputs)
  inputs.forEach((x, i) => {
    expectSlope(loss, x, first[i]!, feeds, random, `derivative by input ${i}`)
    if (!second) return
    const t = placeholder(x.shape)
    feeds.set(t, randoms(random, t))
    const along = sum(mul(first[i]!, t))
    const others = [...inputs, g]
    gradient(along, others).forEach((d, j) => {
      expectSlope(along, others[j]!, d, feeds, random, `second derivative by inputs ${i} and ${j}`)
    })
  })
}
