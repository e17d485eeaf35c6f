import type { ConvSpec } from '../conv/spec.ts'
import type { Table } from '../graph/resample.ts'
import type { Tensor } from '../graph/tensor.ts'

/** A border of up to this many elements along an axis is read in code of its own. */
const mostBorder = 8

/** The index that each row of a border's table copies, and where the input itself begins; undefined if it's another. */
function borderOf({ inputSize, rows }: Table): { source: number[]; low: number } | undefined {
  const source = rows.map((row) => (row.length === 1 && row[0]![1] === 1 ? row[0]![0] : -1))
  const begins = (low: number) => source.slice(low, low + inputSize).every((index, i) => index === i)
  const most = rows.length - inputSize
  const low = source.findIndex((_, at) => at <= most && begins(at))
  return low < 0 || most > mostBorder || source.includes(-1) ? undefined : { source, low }
}

/** The convolution of `a` on the tensor whose border was copied to make `a`: the same sums in the same order. */
export function withoutBorders(a: Tensor, spec: ConvSpec): { x: Tensor; spec: ConvSpec } {
  const { padLow, padHigh } = spec
  if (a.operation.kind !== 'resample') return { x: a, spec }
  const axis = a.operation.axis - 1
  const border = borderOf(a.operation.table)
  // what is zero beyond the border isn't in it
  if (!border || axis < 0 || axis >= spec.rank || spec.sources?.[axis] || padLow[axis]! > 0 || padHigh[axis]! > 0)
    return { x: a, spec }
  const { inputSize } = a.operation.table
  const set = <T>(list: readonly T[], value: T) => list.map((old, i) => (i === axis ? value : old))
  const low = border.low + padLow[axis]!
  return withoutBorders(a.inputs[0]!, {
    ...spec,
    input: set(spec.input, inputSize),
    padLow: set(padLow, low),
    padHigh: set(padHigh, border.source.length - inputSize - border.low + padHigh[axis]!),
    sources: set(spec.sources ?? spec.input.map(() => undefined), border.source.slice(-padLow[axis]!)),
  })
}
