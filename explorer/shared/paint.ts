import { cellColour, paintAtlas } from './atlas.ts'
import { canvasIn } from './canvases.ts'
import { accents, css, inked, panel, type Theme } from './colour.ts'
import type { Box, View } from './frame.ts'
import { short } from './numbers.ts'

/** Where a view's cells lie on its canvas, in CSS pixels. */
export interface Layout {
  /** From one cell to the next. */
  readonly pitch: number
  /** Between cells. */
  readonly gap: number
  /** Of the first cell. */
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

const pitches = [40, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1]
/** Room for indices at the left and above. */
const margin = 22

/** The largest cells that fit into `available` CSS pixels of width. */
export function layoutOf(view: Pick<View, 'rows' | 'columns' | 'tiles'>, available: number, largest = 40): Layout {
  // small cells have no indices beside them
  const room = (size: number) => Math.max(available - (size >= 12 && !view.tiles ? margin : 1) - 2, 1)
  // a picture that is wider than its place is made smaller
  const fits = (size: number) => size <= largest && size * view.columns <= room(size)
  const pitch = pitches.find(fits) ?? room(1) / view.columns
  const indexed = pitch >= 12 && !view.tiles
  const [left, top] = indexed ? [margin, margin] : [1, 1]
  return {
    pitch,
    gap: pitch >= 16 ? 1 : 0,
    left,
    top,
    width: left + pitch * view.columns + 2,
    height: top + pitch * view.rows + 2,
  }
}

/**
 * One size of cells for views that stand side by side, `apart` px from each other; where they would be too small,
 * for views below each other.
 */
export function commonPitch(
  views: readonly Pick<View, 'columns'>[],
  available: number,
  largest = 40,
  apart = 48,
): { readonly pitch: number; readonly inRow: boolean } {
  const fitting = (columns: number, besides: number) =>
    pitches.find((size) => size <= largest && size * columns + besides <= available) ?? 1
  const side = views.reduce((sum, { columns }) => sum + columns, 0)
  const row = fitting(side, views.length * (margin + 2) + (views.length - 1) * apart)
  const stacked = fitting(Math.max(...views.map(({ columns }) => columns)), margin + 4)
  return row >= Math.min(24, stacked) ? { pitch: row, inRow: true } : { pitch: stacked, inRow: false }
}

/** The cell at a point of the canvas, or null. */
export function cellAt(view: Pick<View, 'rows' | 'columns'>, layout: Layout, x: number, y: number) {
  const row = Math.floor((y - layout.top) / layout.pitch)
  const column = Math.floor((x - layout.left) / layout.pitch)
  return row >= 0 && row < view.rows && column >= 0 && column < view.columns ? { row, column } : null
}

/** Of all texts, drawn larger or smaller: to set a font makes the browser lay the page out. */
const fontSize = 11
const font = `${fontSize}px ui-monospace, "DejaVu Sans Mono", monospace`

/** Paints a view on a canvas in a place, and tells there what it painted. */
export function paintView(place: HTMLElement, view: View, layout: Layout, theme: Theme, cursor?: number): void {
  const ratio = Math.max(1, Math.round((globalThis.devicePixelRatio ?? 1) * 4) / 4)
  const canvas = canvasIn(place, layout.width, layout.height, ratio)
  const { name, rows, columns, scale, limit } = view
  const { pitch, gap, left, top } = layout
  Object.assign(canvas.dataset, { view: name, rows, columns, scale, limit, pitch, gap, left, top })
  const context = canvas.getContext('2d', { willReadFrequently: false })!
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, canvas.width / ratio, canvas.height / ratio)
  if (layout.pitch < 12) paintAtlas(context, view, layout, theme)
  else paintCells(context, view, layout, theme)
  if (layout.pitch >= 12 && !view.tiles) paintIndices(context, view, layout, theme)
  if (view.tiles && layout.pitch >= 2) paintFrames(context, view, layout, theme)
  for (const arrow of view.arrows ?? []) paintArrow(context, view, layout, theme, arrow)
  if (view.taps && layout.pitch >= 12) paintTaps(context, view, layout, theme)
  for (const box of view.boxes ?? []) paintBox(context, box, layout, theme)
  if (cursor !== undefined && cursor < view.values.length) paintCursor(context, view, layout, theme, cursor)
}

/** Large cells: all colours at once, then the lines between them, and what is drawn on single cells. */
function paintCells(context: CanvasRenderingContext2D, view: View, layout: Layout, theme: Theme): void {
  const { pitch, gap, left, top } = layout
  const { rows, columns, padding, unread } = view
  const accent = accents[theme]
  paintAtlas(context, view, layout, theme)
  for (let column = 1; column <= columns && gap > 0; column++)
    context.clearRect(left + column * pitch - gap, top, gap, rows * pitch)
  for (let row = 1; row <= rows && gap > 0; row++)
    context.clearRect(left, top + row * pitch - gap, columns * pitch, gap)
  if (padding) paintPattern(context, view, layout, accent.edge, 'dashes', padding)
  if (unread) paintPattern(context, view, layout, accent.edge, 'hatch', unread)
  if (pitch >= 14) paintNumbers(context, view, layout, theme)
}

/** The sign of each cell, and its number where there is room. */
function paintNumbers(context: CanvasRenderingContext2D, view: View, layout: Layout, theme: Theme): void {
  const { pitch, gap, left, top } = layout
  const size = pitch - gap
  const { a: ratio } = context.getTransform()
  context.font = font
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  const write = (text: string, x: number, y: number, ink: string) => {
    const pixels = Math.min(size * 0.4, (size * 1.5) / Math.max(text.length, 1))
    if (pixels < 6) return
    const scale = (ratio * pixels) / fontSize
    context.setTransform(scale, 0, 0, scale, ratio * (x + size / 2), ratio * (y + size * 0.54))
    context.fillStyle = ink
    context.fillText(text, 0, 0)
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
  }
  for (let index = 0; index < view.rows * view.columns; index++) {
    const x = left + (index % view.columns) * pitch
    const y = top + Math.floor(index / view.columns) * pitch
    const value = view.values[index]!
    const text = view.texts?.[index]
    if (Number.isNaN(value)) {
      if (text) write(text, x, y, accents[theme].muted)
      continue
    }
    const { ink } = inked(cellColour(view, index, theme))
    // the sign isn't colour alone: a bar at the bottom of negative cells
    if (view.scale === 'signed' && value < 0) {
      context.fillStyle = ink
      context.fillRect(x + size * 0.25, y + size - 3, size * 0.5, 1.5)
    }
    if (pitch >= 24) write(text ?? short(value), x, y, ink)
  }
}

/** Dashes or hatching over all cells that are marked, a run of a row at a time. */
function paintPattern(
  context: CanvasRenderingContext2D,
  { rows, columns }: View,
  { pitch, gap, left, top }: Layout,
  colour: string,
  kind: 'dashes' | 'hatch',
  marked: ArrayLike<number>,
): void {
  const ratio = context.getTransform().a
  const pattern = context.createPattern(spriteOf(kind, pitch, gap, colour, ratio), 'repeat')!
  pattern.setTransform(new DOMMatrix().translate(left, top).scale(1 / ratio))
  context.fillStyle = pattern
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      if (!marked[row * columns + column]) continue
      const from = column
      while (column + 1 < columns && marked[row * columns + column + 1]) column++
      context.fillRect(left + from * pitch, top + row * pitch, (column + 1 - from) * pitch, pitch)
    }
}

const sprites = new Map<string, OffscreenCanvas>()

/** A cell's dashes or hatching, drawn once: dashed lines are slow. */
function spriteOf(
  kind: 'dashes' | 'hatch',
  pitch: number,
  gap: number,
  colour: string,
  ratio: number,
): OffscreenCanvas {
  const key = `${kind} ${pitch} ${colour} ${ratio}`
  let known = sprites.get(key)
  if (!known) {
    known = new OffscreenCanvas(pitch * ratio, pitch * ratio)
    const context = known.getContext('2d')!
    context.scale(ratio, ratio)
    context.strokeStyle = colour
    context.lineWidth = 1
    if (kind === 'dashes') paintDashes(context, pitch - gap)
    else paintHatch(context, pitch - gap)
    sprites.set(key, known)
  }
  return known
}

function paintDashes(context: OffscreenCanvasRenderingContext2D, size: number): void {
  context.setLineDash([3, 3])
  context.strokeRect(0.5, 0.5, size - 1, size - 1)
}

/** 45 degree lines through the lower right half, so that the colour stays readable. */
function paintHatch(context: OffscreenCanvasRenderingContext2D, size: number): void {
  context.beginPath()
  for (let at = size * 0.7; at < 2 * size; at += 5) {
    const out = Math.max(0, at - size)
    context.moveTo(at - out, out)
    context.lineTo(out, at - out)
  }
  context.stroke()
}

/** A thin line around each tile, outside of it: zero has the panel's own colour. */
function paintFrames(context: CanvasRenderingContext2D, view: View, layout: Layout, theme: Theme): void {
  const { rows, columns, across, count } = view.tiles!
  const { pitch, gap, left, top } = layout
  context.strokeStyle = accents[theme].edge
  context.globalAlpha = 0.45
  context.lineWidth = 1
  for (let k = 0; k < count; k++)
    context.strokeRect(
      left + (k % across) * (columns + 1) * pitch - 0.5,
      top + Math.floor(k / across) * (rows + 1) * pitch - 0.5,
      columns * pitch - gap + 1,
      rows * pitch - gap + 1,
    )
  context.globalAlpha = 1
}

function paintIndices(context: CanvasRenderingContext2D, view: View, layout: Layout, theme: Theme): void {
  const { pitch, left, top } = layout
  context.font = font
  context.fillStyle = accents[theme].muted
  context.textBaseline = 'middle'
  const every = pitch >= 16 ? 1 : 2
  context.textAlign = 'center'
  for (let column = 0; column < view.columns; column += every)
    context.fillText(label(column + (view.firstColumn ?? 0)), left + (column + 0.5) * pitch, top - 9)
  context.textAlign = 'right'
  for (let row = 0; row < view.rows; row += every)
    context.fillText(label(row + (view.firstRow ?? 0)), left - 5, top + (row + 0.5) * pitch)
}

const label = (index: number) => String(index).replace('-', '\u2212')

function paintBox(context: CanvasRenderingContext2D, box: Box, layout: Layout, theme: Theme): void {
  const { pitch, gap, left, top } = layout
  context.strokeStyle = accents[theme][box.kind]
  context.lineWidth = box.kind === 'trace' ? 1.5 : 2.5
  context.strokeRect(
    left + box.column * pitch - gap / 2,
    top + box.row * pitch - gap / 2,
    box.columns * pitch,
    box.rows * pitch,
  )
}

/** A dot in the upper right corner of each cell that is read. */
function paintTaps(context: CanvasRenderingContext2D, view: View, layout: Layout, theme: Theme): void {
  const { pitch, gap, left, top } = layout
  for (const index of view.taps!) {
    const x = left + ((index % view.columns) + 1) * pitch - gap
    const y = top + Math.floor(index / view.columns) * pitch
    const radius = Math.min(3.5, pitch / 5)
    context.fillStyle = accents[theme].pin
    context.beginPath()
    context.arc(x - radius - 2, y + radius + 2, radius, 0, 2 * Math.PI)
    context.fill()
  }
}

function paintArrow(
  context: CanvasRenderingContext2D,
  view: View,
  layout: Layout,
  theme: Theme,
  [from, to]: readonly [number, number],
): void {
  const centre = (index: number) => [
    layout.left + ((index % view.columns) + 0.5) * layout.pitch,
    layout.top + (Math.floor(index / view.columns) + 0.5) * layout.pitch,
  ]
  const [x0, y0] = centre(from) as [number, number]
  const [x1, y1] = centre(to) as [number, number]
  const length = Math.hypot(x1 - x0, y1 - y0)
  if (length < 1) return
  const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length]
  const bend = Math.min(length / 4, layout.pitch)
  const [mx, my] = [(x0 + x1) / 2 - uy * bend, (y0 + y1) / 2 + ux * bend]
  context.strokeStyle = accents[theme].pin
  context.fillStyle = accents[theme].pin
  context.lineWidth = 1.5
  context.beginPath()
  context.moveTo(x0, y0)
  context.quadraticCurveTo(mx, my, x1, y1)
  context.stroke()
  const angle = Math.atan2(y1 - my, x1 - mx)
  context.beginPath()
  context.moveTo(x1, y1)
  for (const turn of [2.6, -2.6]) context.lineTo(x1 + 7 * Math.cos(angle + turn), y1 + 7 * Math.sin(angle + turn))
  context.fill()
}

/** The keyboard's place: two lines, so that it is seen on any colour. */
function paintCursor(
  context: CanvasRenderingContext2D,
  view: View,
  layout: Layout,
  theme: Theme,
  cursor: number,
): void {
  const { pitch, gap, left, top } = layout
  const x = left + (cursor % view.columns) * pitch
  const y = top + Math.floor(cursor / view.columns) * pitch
  const size = Math.max(pitch - gap, 3)
  context.lineWidth = 1.5
  context.strokeStyle = css(panel(theme))
  context.strokeRect(x + 2.5, y + 2.5, size - 5, size - 5)
  context.strokeStyle = accents[theme].ink
  context.strokeRect(x + 1, y + 1, size - 2, size - 2)
}
