import { cell, oneOf, whole } from '../shared/fields.ts'
import type { Preset } from '../shared/frame.ts'
import { type Mended, schema } from '../shared/schema.ts'

export const modes = ['zero', 'reflect', 'symmetric', 'replicate', 'circular'] as const
export type Mode = (typeof modes)[number]

export interface BordersState {
  /** What the input shows. */
  readonly x: 'letter' | 'numbers' | 'slope'
  /** Rows and columns of the input. */
  readonly n: number
  /** Cells around it. */
  readonly p: number
  /** Of the kernel whose use counts stand below. */
  readonly k: number
  readonly s: number
  /** Whose border the counts are of. */
  readonly pa: Mode
  /** The cell looked at: row and column of the padded grid. */
  readonly at: readonly number[] | null
}

export const bordersSchema = schema<BordersState>(
  {
    x: oneOf(['letter', 'numbers', 'slope'], 'letter'),
    n: whole(2, 8, 5),
    p: whole(0, 8, 3),
    k: whole(1, 7, 3),
    s: whole(1, 4, 1),
    pa: oneOf(modes, 'zero'),
    at: cell(2, 23),
  },
  mend,
)

function mend(state: BordersState): Mended<BordersState> {
  const notes: string[] = []
  const k = Math.min(state.k, state.n)
  if (k !== state.k) notes.push(`kernel ${state.k} -> ${k}: without padding it must fit into ${state.n} cells`)
  const size = state.n + 2 * state.p
  const inside = state.at === null || state.at.every((n) => n < size)
  if (!inside) notes.push(`cell ${state.at} lies outside of the ${size}\u00d7${size} grid: none chosen`)
  return { state: { ...state, k, at: inside ? state.at : null }, notes }
}

export const bordersPresets: readonly Preset[] = [
  {
    name: 'five borders',
    fragment: '',
    note: 'The same F, three cells of border: nothing, mirrored, mirrored with the edge twice, smeared, or from the other side.',
  },
  {
    name: 'numbers',
    fragment: 'x=numbers&n=4&p=2',
    note: 'Follow one number: reflect skips the edge cell, symmetric repeats it.',
  },
  {
    name: 'the whole plane',
    fragment: 'n=4&p=4',
    note: 'With as much border as picture: circular tiles the plane like a torus, symmetric like a kaleidoscope.',
  },
  {
    name: 'longer than the input',
    fragment: 'x=numbers&n=3&p=5',
    note: 'Mirrors in mirrors: a border may be longer than the input. (PyTorch refuses this; NumPy and fovea go on.)',
  },
  {
    name: 'a slope',
    fragment: 'x=slope&n=6&p=2',
    note: 'On a smooth slope zero makes a cliff and circular a jump; reflect and replicate bend least.',
  },
  {
    name: 'equal importance?',
    fragment: 'n=7&p=1',
    note: 'Below: "same" padding reads a corner 4 times and the middle 9 times. Only "full" treats all cells alike.',
  },
  {
    name: 'full at stride 2',
    fragment: 'n=7&p=1&s=2',
    note: 'At stride 2 even full padding is uneven: every second cell counts less.',
  },
  {
    name: 'copies count too',
    fragment: 'n=7&p=1&pa=symmetric',
    note: 'With mirrored borders the copies read the edge cells again: "same" becomes even.',
  },
]
