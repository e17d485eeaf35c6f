import { invariant } from '../base/errors.ts'

/** Matrices of a minimal algorithm for `outputs` outputs of a correlation with `taps` taps: y = A^T [(Gg) * (B^Td)]. */
export interface CookToom {
  readonly outputs: number
  readonly taps: number
  /** Inputs, and multiplications: outputs + taps - 1. */
  readonly size: number
  /** [outputs][size] */
  readonly outputTransform: readonly (readonly number[])[]
  /** [size][taps] */
  readonly kernelTransform: readonly (readonly number[])[]
  /** [size][size] */
  readonly inputTransform: readonly (readonly number[])[]
}

/**
 * Finite points of evaluation, by their number: in pairs of opposite sign, which share most of their work; of those
 * with quarters as their sizes the ones that amplify rounding errors least.
 */
const points: Readonly<Record<number, readonly number[]>> = {
  3: [0, 1, -1],
  5: [0, 0.5, -0.5, 2, -2],
  7: [0, 1, -1, 2, -2, 0.5, -0.5],
}

/** Coefficients of the product of (x - root), lowest power first. */
function product(roots: readonly number[]): number[] {
  let polynomial = [1]
  for (const root of roots)
    polynomial = Array.from(
      { length: polynomial.length + 1 },
      (_, i) => (polynomial[i - 1] ?? 0) - root * (polynomial[i] ?? 0),
    )
  return polynomial
}

/**
 * F(outputs, taps) by evaluating at small points and at infinity (Winograd, "Arithmetic Complexity of Computations",
 * 1980; used for convolutional networks by Lavin and Gray, 2016).
 */
export function cookToom(outputs: number, taps: number): CookToom {
  const size = outputs + taps - 1
  const finite = points[size - 1]
  invariant(finite !== undefined, `F(${outputs}, ${taps}) needs ${size - 1} points`)
  const others = (i: number) => finite.filter((_, j) => j !== i)
  const scale = (i: number) => others(i).reduce((factor, point) => factor * (finite[i]! - point), 1)
  const powers = (i: number, count: number) => Array.from({ length: count }, (_, j) => finite[i]! ** j)
  const infinity = (count: number) => Array.from({ length: count }, (_, j) => (j === count - 1 ? 1 : 0))
  return {
    outputs,
    taps,
    size,
    outputTransform: Array.from({ length: outputs }, (_, j) => [
      ...finite.map((point) => point ** j),
      j === outputs - 1 ? 1 : 0,
    ]),
    kernelTransform: [...finite.map((_, i) => powers(i, taps).map((p) => p / scale(i))), infinity(taps)],
    inputTransform: [...finite.map((_, i) => [...product(others(i)), 0]), product(finite)],
  }
}
