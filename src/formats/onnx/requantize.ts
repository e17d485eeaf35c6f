// Sums of whole numbers that become whole numbers again: as little as can be is done to each value in between.
import { add, div, maximum, minimum, mul, round, sub, type Tensor } from '../../graph/index.ts'
import { isConvInteger } from '../../int8.ts'
import { type ElementType, rangeOf } from './elements.ts'

const known = ({ operation }: Tensor): number | undefined => (operation.kind === 'fill' ? operation.value : undefined)

/**
 * x / scale, where x is sums of whole numbers times their unit, with a bias and limits or without: then unit, bias and
 * limits are divided, once, instead of every value. Undefined where x is something else.
 */
function inUnitsOf(scale: Tensor, x: Tensor): Tensor | undefined {
  const { operation } = x
  const [a, b] = x.inputs as [Tensor, Tensor]
  if (operation.kind !== 'map') return undefined
  if (operation.fn === 'mul') return isConvInteger(a) ? mul(a, div(b, scale)) : undefined
  const isLimit = operation.fn === 'max' || operation.fn === 'min'
  const fits = isLimit ? known(b) !== undefined : operation.fn === 'add' && b.operation.kind === 'variable'
  const inner = fits ? inUnitsOf(scale, a) : undefined
  if (!inner) return undefined
  const other = div(b, scale)
  if (operation.fn === 'add') return add(inner, other)
  return operation.fn === 'max' ? maximum(inner, other) : minimum(inner, other)
}

/** x / scale, one number for all. */
export const scaledDown = (x: Tensor, scale: Tensor): Tensor =>
  ((known(scale) ?? 0) > 0 ? inUnitsOf(scale, x) : undefined) ?? div(x, scale)

/** x kept within limits that are known; limits that it has already are joined with them. */
function limited(x: Tensor, low: number, high: number): Tensor {
  const { operation } = x
  const [inner, limit] = x.inputs as [Tensor, Tensor]
  const fn = operation.kind === 'map' ? operation.fn : undefined
  const value = fn === 'max' || fn === 'min' ? known(limit) : undefined
  if (value !== undefined && fn === 'max' && value <= high) return limited(inner, Math.max(low, value), high)
  if (value !== undefined && fn === 'min' && value >= low) return limited(inner, low, Math.min(high, value))
  return minimum(maximum(x, low), high)
}

/** Rounded and kept within the type's range, less the zero point. */
export function centred(x: Tensor, zero: Tensor | number, type: ElementType): Tensor {
  const [low, high] = rangeOf(type).map((end) => sub(end, zero)) as [Tensor, Tensor]
  const [least, most] = [known(low), known(high)]
  // the ends are whole, so that it is the same to round before
  return round(least === undefined || most === undefined ? minimum(maximum(x, low), high) : limited(x, least, most))
}
