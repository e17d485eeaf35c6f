import { oneOf, whole } from '../shared/fields.ts'
import type { Preset } from '../shared/frame.ts'
import { type Mended, schema } from '../shared/schema.ts'
import { type SystemId, systemIds, systems } from './systems.ts'

export interface HistoryState {
  readonly e: SystemId
  /** Angle of the bar, degrees. */
  readonly a: number
  /** Number of the digit: of five glyphs, or of twenty samples. */
  readonly d: number
  /** Pixels that the glyph is moved to the right and down. */
  readonly x: number
  readonly y: number
}

export const glyphCount = 5
export const sampleCount = 20

function mend(state: HistoryState): Mended<HistoryState> {
  if (systems[state.e].shown !== 'glyph' || state.d < glyphCount) return { state, notes: [] }
  const d = state.d % glyphCount
  return { state: { ...state, d }, notes: [`d ${state.d} → ${d}: it learned five digits`] }
}

export const history = schema<HistoryState>(
  {
    e: oneOf(systemIds, 'cells'),
    a: whole(0, 179, 30),
    d: whole(0, sampleCount - 1, 2),
    x: whole(-3, 3, 0),
    y: whole(-3, 3, 0),
  },
  mend,
)

const notes: Partial<Record<SystemId, string>> = {
  neocognitron: 'Learned without labels.',
  lenet5: 'Learned by gradients.',
}

export const presets: readonly Preset[] = systemIds.map((e) => ({
  name: `${systems[e].year} ${systems[e].name}`,
  fragment: history.print({ ...history.usual, e }),
  ...(notes[e] ? { note: notes[e] } : {}),
}))
