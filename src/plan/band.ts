import {
  add,
  addAffine,
  affine,
  buffer,
  define,
  f32,
  kernel,
  load,
  loop,
  mul,
  read,
  type Statements,
  shiftAffine,
  store,
} from '../kernel/builder.ts'
import type { Affine, Kernel, Lanes, TargetFeatures } from '../kernel/ir.ts'
import type { ResampleShape } from './copies.ts'
import { namer } from './names.ts'
import { slack } from './types.ts'

type Row = ResampleShape['rows'][number]

/** A row's entries relative to its own place: equal for all rows of a band. */
const relative = (row: Row, at: number): string => row.map(([index, weight]) => `${index - at}:${weight}`).join()

/** The longest run of rows with the same entries: [first, end). */
function longestRun(rows: ResampleShape['rows']): [number, number] {
  const keys = rows.map(relative)
  let best: [number, number] = [0, 0]
  for (let first = 0, at = 1; at <= keys.length; at++) {
    if (keys[at] === keys[first]) continue
    if (at - first > best[1] - best[0]) best = [first, at]
    first = at
  }
  return best
}

/** Rows outside the band are written out one by one, up to this many. */
const mostOutside = 32

/**
 * A linear map along the last axis whose rows are all alike but for the first and last ones, such as sums over windows
 * of channels: vectors of neighbouring results. Undefined where it isn't one.
 */
export function bandKernel(
  { outer, inputSize, rows, inner }: ResampleShape,
  { lanes }: TargetFeatures,
): Kernel | undefined {
  const [first, end] = longestRun(rows)
  const outside = rows.length - (end - first)
  if (inner !== 1 || end - first < 2 * lanes || outside > mostOutside || rows[first]!.length === 0) return undefined
  const name = namer()
  const x = affine(0, { o: inputSize })
  const y = affine(0, { o: rows.length })
  /** `count` neighbouring results like that of row `row`, the first at `at`. */
  const results = (row: number, at: Affine, width: Lanes, count: number): Statements => {
    const sums: ReturnType<typeof define>[] = []
    for (const [index, weight] of rows[row]!) {
      const value = load('x', shiftAffine(addAffine(x, at), index - row), width)
      const before = sums.at(-1)
      const sum = add(before ? read(before) : f32(0, width), mul(value, f32(weight, width)))
      sums.push(define(name('sum'), sum))
    }
    const last = sums.at(-1)
    return [sums, store('y', addAffine(y, at), last ? read(last) : f32(0, width), count)]
  }
  const alone = (row: number) => results(row, affine(row), 1, 1)
  const whole = end - ((end - first) % lanes)
  const body: Statements[] = [
    Array.from({ length: first }, (_, i) => alone(i)),
    loop('c', first, whole, lanes, results(first, affine(0, { c: 1 }), lanes, lanes)),
    whole < end ? results(first, affine(whole), lanes, end - whole) : [],
    Array.from({ length: rows.length - end }, (_, i) => alone(end + i)),
  ]
  return kernel({
    name: 'band',
    buffers: [
      buffer('x', 'f32', outer * inputSize + slack, 'read'),
      buffer('y', 'f32', outer * rows.length + slack, 'write'),
    ],
    axes: [{ index: 'o', extent: outer }],
    body,
  })
}
