import { invariant } from '../../base/errors.ts'
import { sizeOf } from '../../base/shape.ts'
import { referenceValues, type Tensor } from '../../graph/index.ts'

/** Terms of the longest sum of a contraction's element. */
function termsOf({ operation }: Tensor): number {
  invariant(operation.kind === 'contract', 'a contraction')
  const { contraction, spec } = operation
  const taps = sizeOf(spec.kernel) / spec.groups
  if (contraction === 'output') return taps * spec.inChannels
  return contraction === 'inputGradient' ? taps * spec.outChannels : spec.batch * sizeOf(spec.output)
}

/** The most roundings that a part of a value has gone through, when the node's inputs have gone through as many. */
function roundingsOf(node: Tensor, before: readonly number[]): number {
  const most = Math.max(0, ...before)
  const { operation, inputs } = node
  switch (operation.kind) {
    case 'map':
      if (operation.fn === 'identity') return most
      if (operation.fn === 'mul') return before[0]! + before[1]! + 1
      invariant(operation.fn === 'add', `only sums and products, not ${operation.fn}`)
      return most + 1
    case 'reduce':
      return most + sizeOf(inputs[0]!.shape) / sizeOf(node.shape)
    case 'resample':
      return most + Math.max(...operation.table.rows.map((row) => row.length))
    case 'contract':
      return before[0]! + before[1]! + termsOf(node)
    default:
      return most
  }
}

/**
 * What float32 may differ by, element by element, for expressions of sums and products only: each part of a value goes
 * through at most K roundings, so the error is at most K u / (1 - K u) times the same expression of absolute values,
 * u = 2^-24 (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, section 3.1), in whatever order it sums.
 * @param absolute values of the inputs without their signs
 */
export function errorBounds(roots: readonly Tensor[], absolute: ReadonlyMap<Tensor, ArrayLike<number>>) {
  const known = new Map<Tensor, number>()
  const roundings = (node: Tensor): number => {
    let count = known.get(node)
    if (count === undefined) {
      count = roundingsOf(node, node.inputs.map(roundings))
      known.set(node, count)
    }
    return count
  }
  return referenceValues(roots, absolute).map((values, i) => {
    const ku = roundings(roots[i]!) * 2 ** -24
    return values.map((value) => (value * ku) / (1 - ku))
  })
}
