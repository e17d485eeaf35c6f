import { type Field, oneOf, whole } from '../shared/fields.ts'
import type { Preset } from '../shared/frame.ts'
import { schema } from '../shared/schema.ts'
import type { Norm } from './protocol.ts'

export type ModelName = 'digits' | 'branches' | 'lenet' | 'trained' | 'file'

export interface InspectState {
  readonly m: ModelName
  /** Line of the table that is looked at. */
  readonly row: number
  /** Channels of it that are switched off. */
  readonly off: readonly number[]
  /** Number of the sample picture. */
  readonly img: number
  readonly norm: Norm
  /** Channel whose kernel is shown where kernels see several maps. */
  readonly ch: number
}

const mostOff = 64

/** Whole numbers joined by commas, each once, in order. */
const channels: Field<readonly number[]> = {
  usual: [],
  read(text) {
    const parts = text === '' ? [] : text.split(',')
    const fine = parts.every((part) => /^\d{1,4}$/.test(part)) && parts.length <= mostOff
    if (!fine) return { value: [], note: `at most ${mostOff} channel numbers joined by commas; none is switched off` }
    return { value: [...new Set(parts.map(Number))].sort((a, b) => a - b) }
  },
  print: (value) => value.join(','),
  random: (source) =>
    [...new Set(Array.from({ length: source.integer(4) }, () => source.integer(8)))].sort((a, b) => a - b),
}

/** Sample digits, two of each. */
export const sampleCount = 20

export const inspect = schema<InspectState>({
  m: oneOf(['digits', 'branches', 'lenet', 'trained', 'file'], 'digits'),
  row: whole(0, 9999, 0),
  off: channels,
  img: whole(0, sampleCount - 1, 10),
  norm: oneOf(['unit', 'signed', 'imagenet', 'byte'], 'unit'),
  ch: whole(0, 9999, 0),
})

export const presets: readonly Preset[] = [
  {
    name: 'A chain',
    fragment: '',
    note: 'Two convolutions that learned digits, and a 5. Click a map to switch it off.',
  },
  { name: 'Without map 1', fragment: 'off=1', note: 'One kernel of eight is gone, and the 5 becomes a 6.' },
  { name: 'Without map 0', fragment: 'off=0', note: 'Another one is hardly missed.' },
  { name: 'Deeper', fragment: 'row=2', note: 'The second layer: each kernel has a slice for every map below.' },
  {
    name: 'LeNet-5, 1998',
    fragment: 'm=lenet&row=9',
    note: 'The layers of the paper: 60 kernels between chosen maps, learned pooling, and distances to drawn digits.',
  },
  { name: 'Branches', fragment: 'm=branches&row=11', note: 'An ONNX file whose graph branches and joins again.' },
]
