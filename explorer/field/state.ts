import { cell, list, oneOf } from '../shared/fields.ts'
import type { Preset } from '../shared/frame.ts'
import { type Mended, schema } from '../shared/schema.ts'
import { type Layer, mostLayers, outputsOf, planOf, printLayer, randomLayer, readLayer, usualLayer } from './layers.ts'

export interface FieldState {
  /** From the input on. */
  readonly l: readonly Layer[]
  /** The unit, [row, column] of the last layer; null = the one in the middle. */
  readonly at: readonly number[] | null
  /** Random weights with ReLU between layers, random weights without, or ones: then gradients count paths. */
  readonly w: 'relu' | 'linear' | 'ones'
}

function mend(state: FieldState): Mended<FieldState> {
  const size = outputsOf(planOf(state.l))
  if (!state.at || state.at.every((at) => at < size)) return { state, notes: [] }
  const at = state.at.map((index) => Math.min(index, size - 1))
  return {
    state: { ...state, at },
    notes: [`unit ${state.at.join(',')} → ${at.join(',')}: the last layer is ${size}×${size}`],
  }
}

const three = [usualLayer('conv'), usualLayer('conv'), usualLayer('conv')]

export const page = schema<FieldState>(
  {
    l: list({ read: readLayer, print: printLayer, random: randomLayer }, mostLayers, three),
    at: cell(2),
    w: oneOf(['relu', 'linear', 'ones'], 'relu'),
  },
  mend,
)

/** The unit chosen, or the middle one. */
export function unitOf({ l, at }: FieldState): readonly [number, number] {
  const middle = Math.floor(outputsOf(planOf(l)) / 2)
  return at ? [at[0]!, at[1]!] : [middle, middle]
}

export const presets: readonly Preset[] = [
  {
    name: 'three 3×3',
    fragment: '',
    note: 'Three small kernels see as far as one of 7×7, with 27 weights instead of 49.',
  },
  {
    name: 'dilation 1, 2, 4',
    fragment: 'l=c3,c3d2,c3d4',
    note: 'The field doubles with each layer: 15 pixels, every one of them used.',
  },
  {
    name: 'dilation 2, 2, 2',
    fragment: 'l=c3d2,c3d2,c3d2&w=ones',
    note: '13 pixels, but only every second one is ever read: the grid effect.',
  },
  {
    name: 'LeNet-5',
    fragment: 'l=c5,a2s2,c5,a2s2,c5',
    note: 'Pooling makes each later kernel reach twice as far: 32 pixels, the whole digit.',
  },
  {
    name: 'ten 3×3',
    fragment: 'l=c3,c3,c3,c3,c3,c3,c3,c3,c3,c3',
    note: 'A deep stack sees 21 pixels in theory; the gradient says that most of its sight is in the middle.',
  },
  {
    name: 'residual',
    fragment: 'l=c3,r3,r3,r3',
    note: 'Shortcuts leave the theory as it is and draw the sight to the middle.',
  },
]
