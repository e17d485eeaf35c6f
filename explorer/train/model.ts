import { type Frame, limitOf, type View } from '../shared/frame.ts'
import { mosaic, type Numbers, type Tile, tilesOf } from '../shared/mosaic.ts'
import { counted, decimals, grouped } from '../shared/numbers.ts'
import type { Facts, TrainFrame } from './protocol.ts'

/** What the strongest colours stand for, by view: it only grows during a training, so that colours don't flicker. */
export type Limits = ReadonlyMap<string, number>

/** Of every layer at most so many maps are shown. */
const mostMaps = 32

function view(
  name: string,
  title: string,
  tiles: readonly Tile[],
  across: number,
  noun: string,
  limits: Limits,
  scale: View['scale'] = 'signed',
): View {
  const seen = mosaic(tiles, across, noun)
  return { ...seen, name, title, scale, limit: Math.max(limitOf(seen.values), limits.get(name) ?? 0) }
}

/** In how many columns n kernels stand. */
const across = (n: number) => (n % 4 === 0 ? 4 : n % 5 === 0 ? 5 : 3)

function kernelViews({ kernels, firstKernels, gradients }: TrainFrame, step: number, limits: Limits): View[] {
  const columns = across(kernels.shape.at(-1)!)
  const make = (name: string, title: string, { shape, data }: Numbers) =>
    view(name, title, tilesOf({ shape, data }), columns, 'kernel', limits)
  const [now, then] = [
    make('kernels', `Kernels at step ${grouped(step)}`, kernels),
    make('start', 'Kernels at step 0: chance', firstKernels),
  ]
  const limit = Math.max(now.limit, then.limit)
  return [{ ...then, limit }, { ...now, limit }, make('slope', 'Slope of the loss at the last step', gradients)]
}

function mapViews(facts: Facts, { picture, maps }: TrainFrame, limits: Limits): View[] {
  const shown = maps.flatMap((map, i) => {
    if (map.shape.length !== 3) return []
    const { name, shape } = facts.layers[i]!
    const tiles = tilesOf(map).slice(0, mostMaps)
    return [view(name, `${titleOf(name)}: ${shape.join('×')}`, tiles, 4, 'map', limits)]
  })
  return [{ ...view('picture', 'Picture', tilesOf(picture), 1, 'picture', new Map(), 'grey'), limit: 1 }, ...shown]
}

const titles: readonly (readonly [RegExp, string])[] = [
  [/^conv2d_(\d+)/, 'Layer $1, convolution'],
  [/^maxPool2d_(\d+)/, 'Layer $1, pooled'],
]

function titleOf(name: string): string {
  for (const [pattern, words] of titles) if (pattern.test(name)) return name.replace(pattern, words)
  return name
}

/** The class with the largest share. */
export const guessOf = (shares: Float32Array): number => shares.indexOf(Math.max(...shares))

const percent = (share: number) => `${decimals(100 * share, 1)}%`

/** What a training shows at one step. */
export function frameOf(facts: Facts, frame: TrainFrame, limits: Limits = new Map()): Frame {
  const { step, accuracies, shares, label, losses } = frame
  const [at, share] = accuracies.at(-1) ?? [0, 0]
  const guess = guessOf(shares)
  const said = `${facts.classes[guess]} at ${percent(shares[guess]!)}`
  const loss = losses.values.at(-1)
  return {
    views: [...kernelViews(frame, step, limits), ...mapViews(facts, frame, limits)],
    answer: {
      name: 'held-out pictures right',
      text: `${percent(share)} at step ${grouped(at)}${step === 0 ? ', by chance' : ''}`,
    },
    facts: [
      { name: 'this picture', text: label < 0 ? `${said}` : `${said}; it is ${facts.classes[label]}` },
      { name: 'parameters', text: grouped(facts.parameters) },
      { name: 'multiply-adds', text: `${counted(facts.macs)} a picture` },
    ],
    speak:
      frame.state === 'running'
        ? ''
        : `Step ${step}. ${percent(share)} of the held-out pictures are right.${loss === undefined ? '' : ` Loss ${decimals(loss)}.`}`,
  }
}

/** The limits after a frame. */
export const limitsOf = ({ views }: Frame): Limits => new Map(views.map(({ name, limit }) => [name, limit]))
