import { flag, whole } from '../shared/fields.ts'
import type { Preset } from '../shared/frame.ts'
import { type Mended, schema } from '../shared/schema.ts'

export interface ChannelState {
  /** Channels in and out. */
  readonly ci: number
  readonly co: number
  /** Kernel, k by k. */
  readonly k: number
  /** Input, n by n. */
  readonly n: number
  /** From 1 (standard) to ci (depthwise). */
  readonly g: number
  /** Whether a pointwise layer follows that mixes the groups. */
  readonly pw: boolean
  readonly bias: boolean
}

const divides = (n: number) => (d: number) => n % d === 0
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

/** Numbers of groups that divide the channels they must divide. */
export function groupsOf({ ci, co, pw }: Pick<ChannelState, 'ci' | 'co' | 'pw'>): number[] {
  const common = pw ? ci : greatestCommonDivisor(ci, co)
  return upTo(common).filter(divides(common))
}

function mend(state: ChannelState): Mended<ChannelState> {
  const possible = groupsOf(state)
  if (possible.includes(state.g)) return { state, notes: [] }
  const g = possible.findLast((groups) => groups <= state.g)!
  const rule = state.pw
    ? `it must divide the ${state.ci} channels in`
    : `without a pointwise layer it must divide both ${state.ci} channels in and ${state.co} out`
  return { state: { ...state, g }, notes: [`groups ${state.g} → ${g}: ${rule}`] }
}

export const page = schema<ChannelState>(
  {
    ci: whole(1, 256, 64),
    co: whole(1, 256, 128),
    k: whole(1, 9, 3),
    n: whole(1, 112, 56),
    g: whole(1, 256, 64),
    pw: flag(true),
    bias: flag(false),
  },
  mend,
)

export const presets: readonly Preset[] = [
  {
    name: 'separable',
    fragment: '',
    note: 'Depthwise, then pointwise: 8.4 times fewer multiply-adds than the standard layer.',
  },
  { name: 'standard', fragment: 'g=1&pw=0', note: 'One group: every output reads every input.' },
  {
    name: '2 groups',
    fragment: 'g=2&pw=0',
    note: 'As in AlexNet (2012): two halves on two graphics cards, neither reads the other.',
  },
  {
    name: '8 groups',
    fragment: 'g=8&pw=0',
    note: 'An eighth of the weights; outputs read their own eighth of the inputs only.',
  },
  { name: 'depthwise alone', fragment: 'co=64&pw=0', note: 'Each channel by itself: nothing is ever mixed.' },
  {
    name: 'few outputs',
    fragment: 'co=4',
    note: 'The depthwise half costs the same for 4 outputs as for 400: with few of them little is saved.',
  },
]
