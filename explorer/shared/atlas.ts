import { colours, entryOf, faint, panel, type Rgb, type Theme } from './colour.ts'
import type { View } from './frame.ts'
import type { Layout } from './paint.ts'

const byte = (value: number) => Math.round(255 * Math.min(Math.max(value, 0), 1))

/** The colour of a cell without its marks. */
export function cellColour(view: View, index: number, theme: Theme): Rgb {
  if (view.picture)
    return [byte(view.picture[3 * index]!), byte(view.picture[3 * index + 1]!), byte(view.picture[3 * index + 2]!)]
  const value = view.values[index]!
  if (Number.isNaN(value)) return panel(theme)
  const table = view.padding?.[index] ? faint(view.scale, theme) : colours(view.scale, theme)
  return table[entryOf(value, view.limit)]!
}

/** Small cells: one pixel each, enlarged without smoothing. */
export function paintAtlas(context: CanvasRenderingContext2D, view: View, layout: Layout, theme: Theme): void {
  context.imageSmoothingEnabled = layout.pitch < 1
  const { rows, columns } = view
  const many = rows * columns >= 1 << 14
  const atlas =
    many && !view.padding ? keptAtlas(context.canvas, view, theme) : drawAtlas(view, theme, scratchOf(rows, columns))
  const { pitch, left, top } = layout
  context.drawImage(atlas, 0, 0, columns, rows, left, top, pitch * columns, pitch * rows)
}

let scratch: OffscreenCanvas | undefined

/** For what is drawn once: the same canvas again, since a new one takes longer than the drawing. */
function scratchOf(rows: number, columns: number): OffscreenCanvas {
  if (!scratch || scratch.width < columns || scratch.height < rows)
    scratch = new OffscreenCanvas(Math.max(columns, scratch?.width ?? 0), Math.max(rows, scratch?.height ?? 0))
  return scratch
}

const atlases = new WeakMap<HTMLCanvasElement, { numbers: unknown; key: string; atlas: OffscreenCanvas }>()

/** A canvas's last atlas, when its numbers and colours are still the same: a moved box alone changes nothing. */
function keptAtlas(canvas: HTMLCanvasElement, view: View, theme: Theme): OffscreenCanvas {
  const numbers = view.picture ?? view.values
  const { rows, columns } = view
  const key = `${view.scale} ${view.limit} ${theme}`
  const kept = atlases.get(canvas)
  const fits = kept?.atlas.width === columns && kept.atlas.height === rows
  if (kept && fits && kept.numbers === numbers && kept.key === key) return kept.atlas
  const atlas = drawAtlas(view, theme, kept && fits ? kept.atlas : new OffscreenCanvas(columns, rows))
  atlases.set(canvas, { numbers, key, atlas })
  return atlas
}

function drawAtlas(view: View, theme: Theme, atlas: OffscreenCanvas): OffscreenCanvas {
  const small = atlas.getContext('2d')!
  const image = small.createImageData(view.columns, view.rows)
  if (view.picture) putPicture(image.data, view.picture)
  else putValues(new Uint32Array(image.data.buffer), view, theme)
  small.putImageData(image, 0, 0)
  return atlas
}

/** `bytes` rounds and clamps by itself. */
function putPicture(bytes: Uint8ClampedArray, picture: ArrayLike<number>): void {
  for (let from = 0, to = 0; to < bytes.length; from += 3, to += 4) {
    bytes[to] = 255 * picture[from]!
    bytes[to + 1] = 255 * picture[from + 1]!
    bytes[to + 2] = 255 * picture[from + 2]!
    bytes[to + 3] = 255
  }
}

function putValues(words: Uint32Array, view: View, theme: Theme): void {
  const table = packed(view.scale, theme)
  const blank = pack(panel(theme))
  const { limit, values, padding } = view
  for (let i = 0; i < words.length; i++) {
    const value = values[i]!
    if (padding?.[i]) words[i] = pack(cellColour(view, i, theme))
    else words[i] = Number.isNaN(value) ? blank : table[entryOf(value, limit)]!
  }
}

const pack = ([r, g, b]: Rgb) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0
const packedTables = new Map<readonly Rgb[], Uint32Array>()

/** Colours as little-endian RGBA words. */
export function packed(scale: View['scale'], theme: Theme): Uint32Array {
  const table = colours(scale, theme)
  let words = packedTables.get(table)
  if (!words) {
    words = Uint32Array.from(table, pack)
    packedTables.set(table, words)
  }
  return words
}
