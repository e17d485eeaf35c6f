import { decimal, oneOf, whole } from '../shared/fields.ts'
import type { Preset } from '../shared/frame.ts'
import { type Mended, schema } from '../shared/schema.ts'
import type { DataName, NetworkName, OptimizerName, Settings } from './protocol.ts'

export interface TrainState {
  readonly data: DataName
  readonly net: NetworkName
  readonly opt: OptimizerName
  readonly lr: number
  readonly batch: number
  readonly seed: number
  /** Percent of held-out pictures at which it stops. */
  readonly stop: 'off' | '90' | '95' | '96' | '97' | '98'
  /** Number of the held-out picture whose maps are shown. */
  readonly img: number
}

/** Held-out pictures of each data set. */
export const heldOutCounts: Record<DataName, number> = { digits: 1000, shapes: 600 }

function mend(state: TrainState): Mended<TrainState> {
  const most = heldOutCounts[state.data] - 1
  if (state.img <= most) return { state, notes: [] }
  return { state: { ...state, img: most }, notes: [`img ${state.img} -> ${most}: so many ${state.data} are held out`] }
}

export const train = schema<TrainState>(
  {
    data: oneOf(['digits', 'shapes'], 'digits'),
    net: oneOf(['small', 'lenet5', 'one', 'strided', 'dense'], 'small'),
    opt: oneOf(['adam', 'momentum', 'sgd'], 'adam'),
    lr: decimal(0.001, 1, 0.003),
    batch: whole(1, 256, 32),
    seed: whole(0, 9999, 1),
    stop: oneOf(['off', '90', '95', '96', '97', '98'], '96'),
    img: whole(0, 999, 0),
  },
  mend,
)

export const presets: readonly Preset[] = [
  { name: 'Digits', fragment: '', note: 'Noise turns into detectors of edges.' },
  {
    name: 'Shapes',
    fragment: 'data=shapes&img=4',
    note: 'Kernels soon prefer a direction.',
  },
  {
    name: 'Large kernels',
    fragment: 'net=one',
    note: 'One layer of 9×9 kernels: they look like pieces of strokes.',
  },
  {
    name: 'No convolution',
    fragment: 'net=dense&stop=off',
    note: 'One weight per pixel: templates of digits, about 90% right.',
  },
  {
    name: 'Plain descent',
    fragment: 'opt=sgd&lr=.05',
    note: 'Without momentum it takes longer.',
  },
  {
    name: 'Steps too large',
    fragment: 'opt=momentum&lr=1',
    note: 'The loss jumps, maps go blank: units die.',
  },
]

export const settingsOf = ({ data, net, opt, lr, batch, seed, stop }: TrainState): Settings => ({
  data,
  network: net,
  optimizer: opt,
  learningRate: lr,
  batchSize: batch,
  seed,
  stopAt: stop === 'off' ? 1 : Number(stop) / 100,
})

/** A change of these begins a new training; of others it doesn't. */
export const settingsKey = (state: TrainState) => JSON.stringify(settingsOf(state))
