import { fail } from '../base/errors.ts'
import { type Shape, showShape } from '../base/shape.ts'
import { type PaddingMode, sourceIndex } from '../conv/padding.ts'
import { resample, type Table } from './resample.ts'
import { checkAxes, Tensor } from './tensor.ts'

/** Pads with a constant, or crops where an entry is negative. */
export function padConstant(x: Tensor, low: Shape, high: Shape, value = 0): Tensor {
  if (low.every((n) => n === 0) && high.every((n) => n === 0)) return x
  const shape = x.shape.map((n, axis) => n + low[axis]! + high[axis]!)
  if (shape.some((n) => n < 1))
    fail('pad', `nothing is left of ${showShape(x.shape)} with ${low} before and ${high} after`, 'Crop less')
  if (x.operation.kind === 'fill' && x.operation.value === value) return new Tensor(x.operation, [], shape)
  return new Tensor({ kind: 'pad', low, high, value }, [x], shape)
}

const modes: readonly PaddingMode[] = ['zero', 'constant', 'reflect', 'symmetric', 'replicate', 'circular']

const tables = new Map<string, Table>()

function borderTable(mode: PaddingMode, size: number, low: number, high: number): Table {
  const key = `${mode} ${size} ${low} ${high}`
  let table = tables.get(key)
  if (!table) {
    const rows = Array.from({ length: low + size + high }, (_, i): [number, number][] => [
      [sourceIndex(mode, i - low, size), 1],
    ])
    table = { inputSize: size, rows }
    if (tables.size > 256) tables.clear()
    tables.set(key, table)
  }
  return table
}

/** What `pad` puts around a tensor. */
export interface PadOptions {
  /** One for all axes, or one per axis. Default 'zero'. */
  readonly mode?: PaddingMode | readonly PaddingMode[]
  /** The value of mode 'constant'. Default 0. */
  readonly value?: number
}

/**
 * Pads every axis of x by [low, high] elements; negative entries crop. `reflect` doesn't repeat the edge, `symmetric`
 * does; pads may be longer than the axis (as in NumPy).
 * @param padding one pair per axis of x
 */
export function pad(x: Tensor, padding: readonly (readonly [number, number])[], options: PadOptions = {}): Tensor {
  const { mode = 'zero', value = 0 } = options
  if (padding.length !== x.shape.length)
    fail('pad', `${padding.length} pairs for ${x.shape.length} axes`, 'Give one pair [low, high] per axis')
  if (typeof mode !== 'string' && mode.length !== x.shape.length)
    fail('pad', `${mode.length} modes for ${x.shape.length} axes`, 'Give one mode, or one per axis')
  const zero = () => x.shape.map(() => 0)
  const low = zero()
  const high = zero()
  let y = x
  padding.forEach((pair, axis) => {
    const axisMode = typeof mode === 'string' ? mode : mode[axis]!
    if (!modes.includes(axisMode)) fail('pad', `mode '${axisMode}' is unknown`, `Use one of ${modes.join(', ')}`)
    if (!pair.every(Number.isSafeInteger)) fail('pad', `padding [${pair}] isn't whole`, 'Round it')
    const size = x.shape[axis]!
    const [before, after] = [Math.max(pair[0], 0), Math.max(pair[1], 0)]
    const constant = axisMode === 'zero' || axisMode === 'constant'
    low[axis] = constant ? pair[0] : Math.min(pair[0], 0)
    high[axis] = constant ? pair[1] : Math.min(pair[1], 0)
    if (!constant && (before > 0 || after > 0)) y = resample(y, axis, borderTable(axisMode, size, before, after))
  })
  return padConstant(y, low, high, mode === 'zero' ? 0 : value)
}

/** The part of x from `start` (default 0) to `end` (exclusive, default the size) of each axis; < 0: from the end. */
export function slice(x: Tensor, start: readonly number[], end: readonly number[] = []): Tensor {
  const low = x.shape.map((n, axis) => {
    const from = start[axis] ?? 0
    return -(from < 0 ? from + n : from)
  })
  const high = x.shape.map((n, axis) => {
    const to = end[axis] ?? n
    return (to < 0 ? to + n : to) - n
  })
  if ([...low, ...high].some((n) => n > 0 || !Number.isInteger(n)))
    fail('slice', `[${start}] to [${end}] of ${showShape(x.shape)}`, 'Start and end must lie within the shape')
  return padConstant(x, low, high)
}

/** Joins tensors along `axis` (default the last: channels). Other sizes must agree. */
export function concat(tensors: readonly Tensor[], axis = -1): Tensor {
  const first = tensors[0]
  if (!first) fail('concat', 'no tensors', 'Give at least one')
  const at = checkAxes('concat', [axis], first.shape.length)[0]!
  for (const { shape } of tensors)
    if (shape.length !== first.shape.length || shape.some((n, i) => i !== at && n !== first.shape[i]))
      fail(
        'concat',
        `shapes ${tensors.map((t) => showShape(t.shape)).join(' and ')} differ outside axis ${at}`,
        'Only the joined axis may differ',
      )
  if (tensors.length === 1) return first
  const total = tensors.reduce((size, t) => size + t.shape[at]!, 0)
  const shape = first.shape.map((n, i) => (i === at ? total : n))
  return new Tensor({ kind: 'concat', axis: at }, tensors, shape)
}

export function padDerivative(low: Shape, high: Shape, g: Tensor): Tensor {
  const flipped = (pads: Shape) => pads.map((n) => -n)
  return padConstant(g, flipped(low), flipped(high))
}

export function concatDerivative(node: Tensor, axis: number, g: Tensor): Tensor[] {
  let from = 0
  return node.inputs.map((input) => {
    const start = node.shape.map((_, i) => (i === axis ? from : 0))
    from += input.shape[axis]!
    return slice(
      g,
      start,
      node.shape.map((n, i) => (i === axis ? from : n)),
    )
  })
}
