import type { Box, Fact, Frame, View } from '../shared/frame.ts'
import { limitOf } from '../shared/frame.ts'
import { decimals, grouped } from '../shared/numbers.ts'
import { pathCounts } from './cone.ts'
import { extent, outputsOf, type Planned, planOf, side } from './layers.ts'
import { type FieldState, unitOf } from './state.ts'

/** Brightness of a picture [side, side], in 0..1. */
export type Brightness = ArrayLike<number>

/** The part of a field that lies inside the input. */
function boxOf({ field }: Planned, [row, column]: readonly [number, number], kind: Box['kind']): Box {
  const [down, across] = [extent(field, row), extent(field, column)]
  const clip = (at: number) => Math.min(Math.max(at, 0), side)
  const [top, left] = [clip(down.first), clip(across.first)]
  return {
    row: top,
    column: left,
    rows: clip(down.first + down.size) - top,
    columns: clip(across.first + across.size) - left,
    kind,
  }
}

/** Where the middle of a unit's field lies in the input. */
export const centreOf = ({ field }: Planned, at: number) => field.start + at * field.jump

/** The unit whose field has its middle nearest to a pixel, along one axis. */
export function unitNear(plan: readonly Planned[], pixel: number): number {
  const { field } = plan.at(-1)!
  return Math.min(Math.max(Math.round((pixel - field.start) / field.jump), 0), outputsOf(plan) - 1)
}

/** The fields of units one above the other over the same spot, the last layer's last. */
function boxes(plan: readonly Planned[], unit: readonly [number, number]): Box[] {
  const last = plan.at(-1)!
  return plan.map((one, i) => {
    const near = unit.map((at) => unitNear(plan.slice(0, i + 1), centreOf(last, at))) as [number, number]
    return i === plan.length - 1 ? boxOf(one, unit, 'pin') : boxOf(one, near, 'trace')
  })
}

/** The section: a row of the input's pixels for each level, the unit on top; a unit is as wide as its stride in pixels. */
function cone(plan: readonly Planned[], unit: readonly [number, number]): View {
  const { first, size } = extent(plan.at(-1)!.field, unit[1])
  const from = Math.max(first, 0)
  const columns = Math.min(first + size, side) - from
  const levels = pathCounts(plan, unit[1])
  const fields = [...plan.map(({ field }) => field).reverse(), { size: 1, jump: 1, start: 0 }]
  const values = new Float64Array(levels.length * columns).fill(Number.NaN)
  const texts = new Array<string>(values.length).fill('')
  levels.forEach((counts, level) => {
    const largest = Math.max(...counts)
    const { start, jump } = fields[level]!
    counts.forEach((count, i) => {
      if (count === 0) return
      const left = Math.round(start + i * jump - (jump - 1) / 2)
      for (let x = Math.max(left, from); x < Math.min(left + jump, from + columns); x++) {
        values[level * columns + x - from] = count / largest
        if (x === Math.max(left, from))
          texts[level * columns + x - from] = count < 1e5 ? `${count}` : count.toExponential(0)
      }
    })
  })
  return {
    name: 'cone',
    title: `Ways to the unit, along one row: the unit on top, ${plan.length} layers, the input at the bottom`,
    rows: levels.length,
    columns,
    values,
    texts,
    scale: 'heat',
    limit: 1,
    firstColumn: from,
  }
}

export interface Reach {
  /** Side of the smallest square around the field's middle that holds 95% of the sum. */
  readonly side: number
  /** Share of the theoretical field's area. */
  readonly share: number
  /** Share of the field's pixels that are 0. */
  readonly unread: number
}

/** How far the unit really sees: from the gradient [side, side]. */
export function reachOf(gradient: ArrayLike<number>, plan: readonly Planned[], unit: readonly [number, number]): Reach {
  const last = plan.at(-1)!
  const box = boxOf(last, unit, 'window')
  const [row, column] = unit.map((at) => centreOf(last, at)) as [number, number]
  let [total, zero] = [0, 0]
  for (let i = 0; i < side * side; i++) total += gradient[i]!
  for (let y = box.row; y < box.row + box.rows; y++)
    for (let x = box.column; x < box.column + box.columns; x++) if (gradient[y * side + x] === 0) zero++
  const area = Math.max(box.rows * box.columns, 1)
  for (let size = 1; size < last.field.size; size++) {
    let sum = 0
    const half = (size - 1) / 2
    for (let y = Math.ceil(row - half - 0.25); y <= row + half + 0.25; y++)
      for (let x = Math.ceil(column - half - 0.25); x <= column + half + 0.25; x++)
        if (y >= 0 && y < side && x >= 0 && x < side) sum += gradient[y * side + x]!
    if (sum >= 0.95 * total) return { side: size, share: (size * size) / last.field.size ** 2, unread: zero / area }
  }
  return { side: last.field.size, share: 1, unread: zero / area }
}

/** `7 = 5 + 1·(3−1)·1`: the field grows by d(k - 1) steps of the layers before. */
function growth(plan: readonly Planned[], i: number): string {
  const { layer, field, times } = plan[i]!
  const before = i === 0 ? { size: 1, jump: 1 } : plan[i - 1]!.field
  const twice = times === 2 ? '2·' : ''
  return `${field.size} = ${before.size} + ${twice}${layer.dilation}·(${layer.kernel}−1)·${before.jump}`
}

function facts(plan: readonly Planned[], reach: Reach | undefined): Fact[] {
  const { jump } = plan.at(-1)!.field
  const steps = plan.map((one, i): Fact => ({ name: `${i + 1}. ${one.name}`, text: `field ${growth(plan, i)} px` }))
  const effect =
    reach && `95% of the gradient in ${reach.side}×${reach.side} px, ${decimals(100 * reach.share, 1)}% of the field`
  const holes = reach && reach.unread > 0.005 ? `; ${decimals(100 * reach.unread, 1)}% of the field is never read` : ''
  return [
    { name: 'in effect', text: effect ? effect + holes : 'taking gradients…' },
    ...steps,
    { name: 'one unit further', text: `a square ${jump} px further` },
  ]
}

function pictureView(picture: Brightness, plan: readonly Planned[], unit: readonly [number, number]): View {
  const size = plan.at(-1)!.field.size
  return {
    name: 'picture',
    title: `In theory: unit ${unit.join(', ')} sees ${size}×${size} of ${side}×${side} px`,
    rows: side,
    columns: side,
    values: picture,
    scale: 'grey',
    limit: 1,
    boxes: boxes(plan, unit),
  }
}

/** The gradient in the part of the field that lies inside the input: outside of it there is none. */
function gradientView(gradient: Float32Array, plan: readonly Planned[], state: FieldState, pictures: number): View {
  const box = boxOf(plan.at(-1)!, unitOf(state), 'pin')
  const values = Float32Array.from(
    { length: box.rows * box.columns },
    (_, i) => gradient[(box.row + Math.floor(i / box.columns)) * side + box.column + (i % box.columns)]!,
  )
  const what = state.w === 'ones' ? 'ways from each pixel to it' : `mean |∂y/∂x| over ${pictures} pictures`
  return {
    name: 'effective',
    title: `In effect: ${what}`,
    rows: box.rows,
    columns: box.columns,
    values,
    scale: 'heat',
    limit: limitOf(values),
    firstRow: box.row,
    firstColumn: box.column,
  }
}

/** What is known of a state without taking gradients. */
export interface Theory {
  readonly state: FieldState
  readonly plan: readonly Planned[]
  readonly views: readonly [picture: View, cone: View]
}

/** None of a state without layers. */
export function theoryOf(state: FieldState, picture: Brightness): Theory | undefined {
  if (state.l.length === 0) return undefined
  const plan = planOf(state.l)
  const unit = unitOf(state)
  return { state, plan, views: [pictureView(picture, plan, unit), cone(plan, unit)] }
}

/**
 * @param gradient the effective field of this state [side * side], where it is computed already
 * @param pictures how many pictures it was averaged over
 */
export function frameOf(theory: Theory | undefined, gradient?: Float32Array, pictures = 1): Frame {
  if (!theory)
    return {
      views: [],
      facts: [],
      speak: 'No layers.',
      problem: 'field: there is no layer, so a unit is a pixel. Add one.',
    }
  const { state, plan, views } = theory
  const unit = unitOf(state)
  const reach = gradient && reachOf(gradient, plan, unit)
  const { size } = plan.at(-1)!.field
  const effective = gradient ? [gradientView(gradient, plan, state, pictures)] : []
  const seen = reach ? ` 95% of its gradient lies in ${reach.side} by ${reach.side}.` : ''
  const parameters = state.l.reduce(
    (sum, { kind, kernel }) => sum + (kind === 'conv' ? 1 : kind === 'residual' ? 2 : 0) * kernel ** 2,
    0,
  )
  const all = reach?.side === size
  const most =
    reach && `, ${all ? 'and' : 'but'} 95% of its gradient lies in ${all ? 'no less' : `${reach.side}×${reach.side}`}`
  return {
    views: [views[0], ...effective, views[1]],
    answer: { name: 'In theory', text: `${size}×${size} px${most ?? ''}.` },
    facts: [...facts(plan, reach), { name: 'weights', text: `${grouped(parameters)} for one channel` }],
    speak: `Unit ${unit.join(', ')} of the last layer sees ${size} by ${size} pixels in theory.${seen}`,
  }
}
