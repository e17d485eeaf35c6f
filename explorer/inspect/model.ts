import { type Frame, limitOf, type View } from '../shared/frame.ts'
import { mosaic, type Tile, tileBox, tilesOf } from '../shared/mosaic.ts'
import { counted, decimals, grouped } from '../shared/numbers.ts'
import type { Look, Row, Summary } from './protocol.ts'
import type { InspectState } from './state.ts'

/** At most so many tiles are shown of one tensor. */
const mostTiles = 64
/** A few stand large, many small. */
const acrossOf = (count: number) => (count <= 16 ? 4 : 8)

function kernelView({ kernel }: Look, ch: number): View | undefined {
  if (!kernel) return undefined
  const [height, width, inputs, outputs] = kernel.shape as [number, number, number, number]
  const one = Math.min(ch, outputs - 1)
  const tile = (i: number, o: number): Tile => ({
    rows: height,
    columns: width,
    values: Float32Array.from({ length: height * width }, (_, p) => kernel.data[(p * inputs + i) * outputs + o]!),
  })
  const alone = inputs === 1
  const tiles = Array.from({ length: Math.min(alone ? outputs : inputs, mostTiles) }, (_, k) =>
    alone ? tile(0, k) : tile(k, one),
  )
  const size = `${height}×${width}`
  const count = alone ? outputs : inputs
  const part = count > mostTiles ? `, first ${mostTiles}` : ''
  const title = alone
    ? `${outputs} kernels of ${size}${part}`
    : `Kernel of channel ${one}: ${inputs} slices of ${size}${part}`
  const seen = mosaic(tiles, acrossOf(tiles.length), alone ? 'kernel' : 'slice')
  return { ...seen, name: 'kernel', title, scale: 'signed', limit: limitOf(seen.values) }
}

/** Numbers without a place stand in rows of so many. */
const perRow = 32

function mapView({ maps }: Look, row: Row, off: readonly number[]): View | undefined {
  if (!maps) return undefined
  const { shape, data } = maps
  const channels = shape.at(-1)!
  if (shape.length < 3) {
    const columns = Math.min(perRow, data.length)
    const rows = Math.ceil(data.length / columns)
    const values = new Float32Array(rows * columns).fill(Number.NaN)
    values.set(data)
    const boxes = off
      .filter((c) => c < data.length)
      .map((c) => ({ row: Math.floor(c / columns), column: c % columns, rows: 1, columns: 1, kind: 'pin' as const }))
    return {
      name: 'maps',
      title: `${row.name}: ${data.length} numbers`,
      rows,
      columns,
      values,
      scale: 'signed',
      limit: limitOf(data),
      boxes,
    }
  }
  const tiles = tilesOf({ shape, data }).slice(0, mostTiles)
  const seen = mosaic(tiles, acrossOf(tiles.length), 'map')
  const boxes = off.filter((c) => c < tiles.length).map((c) => tileBox(seen, c))
  const part = channels > mostTiles ? `, first ${mostTiles}` : ''
  return {
    ...seen,
    name: 'maps',
    title: `${row.name}: ${channels} ${channels === 1 ? 'map' : 'maps'} of ${shape[0]}×${shape[1]}${part}`,
    scale: 'signed',
    limit: limitOf(seen.values),
    boxes,
  }
}

/** What the model is shown: values in 0..1 [H, W, C], and its class where that is known. */
export interface Shown {
  readonly values: Float32Array
  readonly label?: number
}

function pictureView({ picture: form }: Summary, shown: Shown | undefined): View | undefined {
  if (!form || !shown) return undefined
  const { height: rows, width: columns, channels } = form
  const title = shown.label === undefined ? 'The picture' : `The picture, a ${shown.label}`
  const view = { name: 'picture', title, rows, columns, scale: 'grey', limit: 1 } as const
  if (channels === 1) return { ...view, values: shown.values }
  const green = shown.values.filter((_, i) => i % 3 === 1)
  return { ...view, values: green, picture: shown.values }
}

const percent = (share: number) => `${decimals(100 * share, 1)}%`

/** Number of the largest share. */
export const bestOf = (shares: ArrayLike<number>): number => {
  let best = 0
  for (let c = 1; c < shares.length; c++) if (shares[c]! > shares[best]!) best = c
  return best
}

/** What switching off did to the answer, in words. */
export function changeOf({ before, shares }: Look, off: readonly number[]): string {
  if (!before || !shares) return ''
  const [was, is] = [bestOf(before), bestOf(shares)]
  if (off.length === 0) return `class ${was} at ${percent(before[was]!)}`
  const same = was === is
  return `class ${was}: ${percent(before[was]!)} → ${percent(shares[was]!)}${same ? '' : `; now class ${is} at ${percent(shares[is]!)}`}`
}

/** What is shown of a model: the chosen line's kernels and maps, and the numbers. */
export function frameOf(summary: Summary, look: Look | undefined, state: InspectState, shown?: Shown): Frame {
  const row = summary.rows[look?.row ?? 0]
  if (!row) return { views: [], facts: [], speak: '', problem: `${summary.name}: the model has no layers to show.` }
  const pictures = [
    look && kernelView(look, state.ch),
    look && mapView(look, row, state.off),
    pictureView(summary, shown),
  ]
  const views = pictures.filter((view) => view !== undefined)
  const answer = look ? changeOf(look, state.off) : ''
  return {
    views,
    facts: [
      { name: 'model', text: `${summary.name} (${summary.format}), ${summary.rows.length} layers` },
      { name: 'takes', text: summary.input || 'unknown' },
      { name: 'gives', text: summary.output || 'unknown' },
      { name: 'parameters', text: grouped(summary.parameters) },
      { name: 'multiply-adds', text: summary.macs > 0 ? `${counted(summary.macs)} for one sample` : 'unknown' },
    ],
    ...(summary.still || answer ? { answer: { name: 'answer', text: summary.still ?? answer } } : {}),
    speak: look ? `${row.op}, ${row.shape.join(' by ')}. ${answer}` : '',
  }
}
