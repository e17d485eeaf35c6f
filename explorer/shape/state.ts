import { type PaddingMode, type PaddingStrategy, transposedOutputSize } from 'fovea/conv'
import { type Field, flag, onAxis, oneOf, perAxis } from '../shared/fields.ts'
import type { Preset } from '../shared/frame.ts'
import { type Mended, schema } from '../shared/schema.ts'

export type Sizes = readonly number[]

export interface ShapeState {
  /** Spatial axes. */
  readonly v: '1' | '2' | '3'
  /** Transposed. */
  readonly t: boolean
  /** How a transposed convolution is drawn. */
  readonly w: 'scatter' | 'gather'
  readonly i: Sizes
  readonly k: Sizes
  readonly s: Sizes
  readonly d: Sizes
  /** 'own': `lo` and `hi` say how much. */
  readonly p: PaddingStrategy | 'own'
  readonly lo: Sizes
  readonly hi: Sizes
  readonly pa: Exclude<PaddingMode, 'constant'>
  readonly op: Sizes
  /** What the cells show. */
  readonly o: 'val' | 'use'
  /** The backward pass too: from the chosen output, or from all. */
  readonly b: 'off' | 'one' | 'all'
  /** The chosen output; null is the first. */
  readonly at: Sizes | null
}

export const rankOf = (state: ShapeState) => Number(state.v)

/** Numbers of all axes of the state's rank. */
export const axesOf = (state: ShapeState, sizes: Sizes): number[] =>
  Array.from({ length: rankOf(state) }, (_, axis) => onAxis(sizes, axis))

/** Largest inputs and kernels that can be drawn, by rank. */
export const mostInput = { 1: 24, 2: 12, 3: 5 }
export const mostKernel = { 1: 9, 2: 7, 3: 3 }
/** Of padding, by rank. */
export const mostPad = { 1: 8, 2: 7, 3: 2 }

/** One to three indices. */
const place: Field<Sizes | null> = {
  usual: null,
  read(text) {
    const parts = text.split(',')
    if (parts.length > 3 || !parts.every((part) => /^\d{1,3}$/.test(part)))
      return { value: null, note: 'an index of each axis, like 2,1; the first output is chosen' }
    return { value: parts.map(Number) }
  },
  print: (value) => (value === null ? '' : value.join(',')),
  random: (source) => Array.from({ length: 2 }, () => source.integer(3)),
}

export const shapeSchema = schema<ShapeState>(
  {
    v: oneOf(['1', '2', '3'], '2'),
    t: flag(),
    w: oneOf(['scatter', 'gather'], 'scatter'),
    i: perAxis(3, 1, 24, 5),
    k: perAxis(3, 1, 9, 3),
    s: perAxis(3, 1, 6, 2),
    d: perAxis(3, 1, 4, 1),
    p: oneOf(['own', 'valid', 'same', 'sameLower', 'full', 'causal'], 'own'),
    lo: perAxis(3, 0, 8, 1),
    hi: perAxis(3, 0, 8, 1),
    pa: oneOf(['zero', 'reflect', 'symmetric', 'replicate', 'circular'], 'zero'),
    op: perAxis(3, 0, 5, 0),
    o: oneOf(['val', 'use'], 'val'),
    b: oneOf(['off', 'one', 'all'], 'off'),
    at: place,
  },
  mend,
)

function mend(state: ShapeState): Mended<ShapeState> {
  const notes: string[] = []
  const rank = rankOf(state) as 1 | 2 | 3
  const limited = (name: string, sizes: Sizes, most: number, why: string): Sizes => {
    const cut = sizes.length === 1 ? sizes : Array.from({ length: rank }, (_, axis) => onAxis(sizes, axis))
    const near = cut.map((size) => Math.min(size, most))
    if (near.some((size, axis) => size !== cut[axis]))
      notes.push(`${name} ${cut.join('x')} -> ${near.join('x')}: ${why}`)
    return near
  }
  const room = `the largest that is drawn in ${rank}D`
  const next: ShapeState = {
    ...state,
    i: limited('input', state.i, state.t ? Math.ceil(mostInput[rank] / 2) : mostInput[rank], room),
    k: limited('kernel', state.k, mostKernel[rank], room),
    s: limited('stride', state.s, rank === 3 ? 3 : 6, room),
    d: limited('dilation', state.d, rank === 3 ? 2 : 4, room),
    lo: limited('padding', state.lo, mostPad[rank], room),
    hi: limited('padding', state.hi, mostPad[rank], room),
    pa: state.pa,
    op: limited('output padding', state.op, 5, room),
  }
  const op = axesOf(next, next.op).map((extra, axis) => {
    const limit = Math.max(onAxis(next.s, axis), onAxis(next.d, axis)) - 1
    if (extra > limit && next.t)
      notes.push(`output padding ${extra} -> ${limit}: it must be smaller than the larger of stride and dilation`)
    return next.t ? Math.min(extra, limit) : 0
  })
  const at = placed(next, notes)
  return { state: { ...next, op: next.op.length === 1 ? [Math.min(...op)] : op, at }, notes }
}

/** The chosen output, if it has as many axes as the state; whether it lies inside is the model's question. */
function placed(state: ShapeState, notes: string[]): Sizes | null {
  if (state.at === null || state.at.length === rankOf(state)) return state.at
  notes.push(`the chosen output ${state.at.join(',')} has ${state.at.length} indices for ${state.v} axes: left out`)
  return null
}

/** Input sizes that a forward convolution maps to `size`: what output padding chooses among. */
export const sizesWithSameOutput = (size: number, k: number, s: number, d: number, low: number, high: number) =>
  Array.from({ length: s }, (_, extra) => transposedOutputSize(size, k, s, d, low, high, extra))

export const shapePresets: readonly Preset[] = [
  { name: 'stride 2', fragment: '', note: '5×5 with one zero around it, every second position: 3×3.' },
  {
    name: 'no padding',
    fragment: 's=1&p=valid',
    note: 'The kernel stays inside, so the output loses k − 1 cells: 3×3.',
  },
  { name: 'same', fragment: 's=1&p=same', note: 'Just enough zeros that output and input are equally large.' },
  { name: 'full', fragment: 's=1&p=full', note: 'Every overlap counts, even of one cell: the output grows to 7×7.' },
  {
    name: 'left over',
    fragment: 'i=6',
    note: 'A 6×6 input gives the same 3×3: the last row and column of the padded input are never read.',
  },
  {
    name: 'dilated',
    fragment: 'i=7&s=1&d=2&p=valid',
    note: 'Nine taps, two apart, see 5×5 cells: same cost, wider view.',
  },
  {
    name: 'transposed',
    fragment: 't=1&i=3&lo=0&hi=0',
    note: 'Each input paints a kernel; where paintings overlap, they add. Turn on use counts to see the checkerboard.',
  },
  {
    name: 'SAME at stride 2',
    fragment: 'i=6&p=same&at=2,2',
    note: "TensorFlow's SAME puts its one zero at the end; PyTorch's padding=1 puts one on each side. Other cells are read.",
  },
  {
    name: 'causal 1D',
    fragment: 'v=1&i=12&s=1&d=2&p=causal&at=5',
    note: 'All padding in front: an output reads its own time and earlier ones only.',
  },
  { name: '3D', fragment: 'v=3&i=4&s=1&p=valid&at=0,0,1', note: 'Slices side by side: the kernel is a 3×3×3 block.' },
]
