import { oneOf, whole } from '../shared/fields.ts'
import type { Preset } from '../shared/frame.ts'
import { schema } from '../shared/schema.ts'

/** One setting for each of the small figures. */
export interface OverviewState {
  /** Kernel of the feature map. */
  readonly k: 'sobelX' | 'sobelY' | 'laplace' | 'blur'
  /** Which of the nine results is summed. */
  readonly at: number
  readonly s: number
  readonly p: 'valid' | 'same' | 'full'
  /** Border algorithm. */
  readonly e: 'zero' | 'reflect' | 'symmetric' | 'replicate' | 'circular'
  /** Groups are 2 to the power of g. */
  readonly g: number
  readonly d: number
  /** Stride of the transposed convolution. */
  readonly t: number
}

export const page = schema<OverviewState>({
  k: oneOf(['sobelX', 'sobelY', 'laplace', 'blur'], 'sobelX'),
  at: whole(0, 8, 4),
  s: whole(1, 3, 2),
  p: oneOf(['valid', 'same', 'full'], 'valid'),
  e: oneOf(['zero', 'reflect', 'symmetric', 'replicate', 'circular'], 'reflect'),
  g: whole(0, 3, 3),
  d: whole(1, 4, 2),
  t: whole(1, 3, 2),
})

export const presets: readonly Preset[] = [
  { name: 'all as it opens', fragment: '' },
  {
    name: 'small steps',
    fragment: 's=1&d=1&t=1',
    note: 'Stride, dilation and transposed stride 1: everything is read and written evenly inside.',
  },
  { name: 'full padding', fragment: 'p=full', note: 'Only full padding reads every pixel equally often.' },
  { name: 'no groups', fragment: 'g=0', note: 'One group: the two layers cost more than the one they stand for.' },
]
