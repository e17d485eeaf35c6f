import { checkCount, FoveaError, fail } from '../base/errors.ts'
import { randomSource } from '../base/random.ts'
import { showShape, sizeOf } from '../base/shape.ts'
import { gradient } from './gradient.ts'
import { mul } from './map.ts'
import { sum } from './reduce.ts'
import { referenceValues } from './reference.ts'
import { placeholder, Tensor, tensor, Variable } from './tensor.ts'

/** How closely `gradcheck` looks. */
export interface GradcheckOptions {
  /** Largest relative error that passes. Default 1e-5. */
  readonly tolerance?: number
  /** Half the distance of the two points that a difference is taken of, per unit of the element. Default 1e-4. */
  readonly step?: number
  /** Most elements of each input that are checked; larger inputs are checked at random ones. Default 200. */
  readonly samples?: number
  /** Decides the weights of several results, and which elements are checked. Default 0. */
  readonly seed?: number
  /** Whether a wrong gradient is thrown as an error whose message is the report. Default true; else read `passed`. */
  readonly throws?: boolean
}

/** One element of one input. */
export interface GradcheckEntry {
  /** Number of the input. */
  readonly input: number
  /** Name of a variable, else 'input 0', ... */
  readonly name: string
  /** Place in the input, one number per axis. */
  readonly index: readonly number[]
  /** What `gradient` says. */
  readonly analytic: number
  /** What central differences say. */
  readonly numeric: number
  /** |analytic - numeric| over the larger of both, or over the input's mean derivative where that is larger. */
  readonly relativeError: number
  /** Whether the function has a corner or a jump there: finer differences don't come to one value. */
  readonly corner: boolean
}

/** What `gradcheck` found; as text, a table. */
export interface GradcheckReport {
  readonly passed: boolean
  /** Every element that was checked, worst first. */
  readonly entries: readonly GradcheckEntry[]
  readonly tolerance: number
  /** A table of the wrong ones, or of the worst if none is. */
  toString(): string
}

const name = (input: Tensor | Variable, i: number) => (input instanceof Variable ? input.name : `input ${i}`)

/** The values an input starts from. */
function valuesOf(input: Tensor | Variable, i: number): Float64Array {
  if (input instanceof Variable) return Float64Array.from(input.initial ?? input.read())
  const { operation, shape } = input
  if (operation.kind === 'constant') return Float64Array.from(operation.data)
  if (operation.kind === 'fill') return new Float64Array(sizeOf(shape)).fill(operation.value)
  fail('gradcheck', `input ${i} is the result of '${operation.kind}', not given numbers`, 'Use tensor(data, shape)')
}

/** Row-major place `at` as one number per axis. */
function indexOf(at: number, shape: readonly number[]): number[] {
  let rest = at
  return [...shape]
    .reverse()
    .map((n) => {
      const index = rest % n
      rest = Math.floor(rest / n)
      return index
    })
    .reverse()
}

/** Elements to check: all, or `most` different ones at random. */
function places(count: number, most: number, next: (n: number) => number): number[] {
  const list = Array.from({ length: count }, (_, i) => i)
  if (count <= most) return list
  for (let i = 0; i < most; i++) {
    const other = i + next(count - i)
    ;[list[i], list[other]] = [list[other]!, list[i]!]
  }
  return list.slice(0, most)
}

const shown = 10

/** What the wrong ones call for. */
function remedyOf(wrong: readonly GradcheckEntry[]): string {
  const corners = wrong.filter(({ corner }) => corner).length
  const others = wrong.length - corners
  return [
    ...(corners > 0
      ? [`${corners} at a corner or jump (relu at 0, equal maxima, floor): move these inputs away from it.`]
      : []),
    ...(others > 0
      ? [`${others} where the function is smooth: there the derivative is wrong, or has the wrong factor or sign.`]
      : []),
  ].join('\n')
}

const number = (value: number) =>
  Math.abs(value) >= 1e-3 || value === 0 ? value.toPrecision(8) : value.toExponential(6)

const isWrong =
  (tolerance: number) =>
  ({ relativeError }: GradcheckEntry) =>
    !(relativeError <= tolerance)

function show(entries: readonly GradcheckEntry[], tolerance: number): string {
  const wrong = entries.filter(isWrong(tolerance))
  const listed = wrong.length > 0 ? wrong : entries
  const rows = listed
    .slice(0, shown)
    .map(({ name, index, analytic, numeric, relativeError, corner }) => [
      name,
      showShape(index),
      number(analytic),
      number(numeric),
      relativeError.toExponential(1),
      ...(wrong.length > 0 ? [corner ? 'at a corner' : 'wrong'] : []),
    ])
  const head = ['input', 'index', 'analytic', 'numeric', 'relative error', ...(wrong.length > 0 ? ['why'] : [])]
  const table = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  const lines = table.map((row) =>
    `  ${row.map((field, column) => field.padEnd(widths[column]!)).join('  ')}`.trimEnd(),
  )
  const rest = listed.length - rows.length
  const more = rest > 0 ? [`  and ${rest} ${wrong.length > 0 ? 'more' : 'better ones'}`] : []
  if (wrong.length === 0) {
    const summary = `all ${entries.length} derivatives agree with differences (relative error up to ${tolerance})`
    return [summary, ...lines, ...more].join('\n')
  }
  const summary = `${wrong.length} of ${entries.length} derivatives differ from differences by more than ${tolerance}`
  return [summary, ...lines, ...more, remedyOf(wrong)].join('\n')
}

/** A central difference, and how far the differences to either side are apart. */
interface Slopes {
  readonly numeric: number
  readonly bend: number
}

/** Beside the error: differences keep their value with a finer step, and their sides come closer. Not so with NaN. */
const isSmooth = (coarse: Slopes, fine: Slopes, error: number) =>
  Math.abs(coarse.numeric - fine.numeric) < error / 2 && (fine.bend < error / 2 || fine.bend < coarse.bend / 2)

function checkOptions({ tolerance = 1e-5, step = 1e-4, samples = 200, seed = 0 }: GradcheckOptions) {
  for (const [option, value] of Object.entries({ tolerance, step }))
    if (!(value > 0 && Number.isFinite(value)))
      fail('gradcheck', `${option} is ${value}, but must be a number above 0`, `Leave ${option} out`)
  checkCount('gradcheck', 'samples', samples, 1)
  return { tolerance, step, samples, seed: checkCount('gradcheck', 'seed', seed) }
}

/**
 * Compares the derivatives of a function with central differences, both in float64. Where a function has a corner
 * (relu at 0, equal maxima) they rightly differ: choose inputs away from it.
 * @param fn is called once, with one tensor per input; a result of several numbers is checked as their sum weighted by
 * random numbers from `seed`
 * @param inputs tensors of given numbers, or variables (a layer's weights), which stay as they are
 * @throws FoveaError with the report as its message when a derivative is wrong, unless `throws` is false
 */
export function gradcheck(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly (Tensor | Variable)[],
  options: GradcheckOptions = {},
): GradcheckReport {
  const { tolerance, step, samples, seed } = checkOptions(options)
  if (inputs.length === 0) fail('gradcheck', 'no inputs', 'Give at least one tensor or variable')
  const values = inputs.map(valuesOf)
  const nodes = inputs.map((input) => (input instanceof Variable ? input.value : placeholder(input.shape)))
  const result = fn(...nodes)
  if (!(result instanceof Tensor)) fail('gradcheck', `the function returned ${String(result)}`, 'Return one tensor')
  const random = randomSource(seed)
  const weights = Float32Array.from({ length: sizeOf(result.shape) }, () => random.normal())
  const loss = weights.length === 1 ? sum(result) : sum(mul(result, tensor(weights, result.shape)))
  const feeds = new Map(nodes.map((node, i) => [node, values[i]!]))
  const [here] = referenceValues([loss], feeds)[0]!
  if (!Number.isFinite(here)) fail('gradcheck', `the function is ${here} at these inputs`, 'Choose where it is finite')
  const analytic = referenceValues(gradient(loss, nodes), feeds)
  const slopes = (i: number, at: number, distance: number): Slopes => {
    const h = distance * Math.max(Math.abs(values[i]![at]!), 1)
    const [above, below] = [h, -h].map((by) => {
      const moved = values[i]!.with(at, values[i]![at]! + by)
      return referenceValues([loss], new Map(feeds).set(nodes[i]!, moved))[0]![0]!
    })
    return { numeric: (above! - below!) / (2 * h), bend: Math.abs(above! - 2 * here! + below!) / h }
  }
  const entries = inputs.flatMap((input, i) => {
    const chosen = places(values[i]!.length, samples, random.integer)
    const finite = analytic[i]!.filter(Number.isFinite)
    const typical = finite.reduce((total, value) => total + Math.abs(value), 0) / Math.max(finite.length, 1)
    return chosen.map((at): GradcheckEntry => {
      const coarse = slopes(i, at, step)
      const { numeric } = coarse
      const a = analytic[i]![at]!
      const error = a === numeric ? 0 : Math.abs(a - numeric)
      const relativeError = error === 0 ? 0 : error / Math.max(Math.abs(a), Math.abs(numeric), typical)
      const place = { input: i, name: name(input, i), index: indexOf(at, input.shape) }
      const corner = !(relativeError <= tolerance) && !isSmooth(coarse, slopes(i, at, step / 10), error)
      return { ...place, analytic: a, numeric, relativeError, corner }
    })
  })
  const rank = ({ relativeError }: GradcheckEntry) => (Number.isNaN(relativeError) ? Infinity : relativeError)
  entries.sort((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)))
  const passed = entries.every(({ relativeError }) => relativeError <= tolerance)
  if (!passed && options.throws !== false) throw new FoveaError(`gradcheck: ${show(entries, tolerance)}`)
  return { passed, entries, tolerance, toString: () => show(entries, tolerance) }
}
