import type { Page } from 'playwright'
import { expect } from 'vitest'
import { colours, mix, paddingShare, panel, type Rgb, type Theme } from '../../../explorer/shared/colour.ts'
import type { Frame, View } from '../../../explorer/shared/frame.ts'

/** What the page shows of a view. */
export interface Painted {
  readonly name: string
  readonly rows: number
  readonly columns: number
  readonly pitch: number
  /** Places of each cell that are off its number; a mark may cover one of them. */
  readonly places: number
  /** Red, green, blue and alpha of each place of each cell, bytes in base64. */
  readonly pixels: string
}

/** The colours of all views, read back from their canvases. */
export function readPictures(page: Page): Promise<Painted[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLCanvasElement>('canvas[data-view]')].map((canvas) => {
      const number = (name: string) => Number(canvas.dataset[name])
      const [rows, columns, pitch] = [number('rows'), number('columns'), number('pitch')]
      const ratio = canvas.width / canvas.clientWidth
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
      const size = pitch - number('gap')
      const near = Math.max(2.5, 0.2 * size)
      const places =
        pitch < 12
          ? [[pitch / 2, pitch / 2]]
          : [
              [near, near],
              [near, 0.82 * size],
              [0.5 * size, near],
            ]
      const words = new Uint32Array(data.buffer)
      const seen = new Uint32Array(rows * columns * places.length)
      for (let i = 0; i < rows * columns; i++)
        places.forEach(([right, down], k) => {
          const x = Math.floor((number('left') + (i % columns) * pitch + right!) * ratio)
          const y = Math.floor((number('top') + Math.floor(i / columns) * pitch + down!) * ratio)
          seen[i * places.length + k] = words[y * canvas.width + x]!
        })
      const bytes = new Uint8Array(seen.buffer)
      let text = ''
      for (let at = 0; at < bytes.length; at += 30_000)
        text += btoa(String.fromCharCode(...bytes.subarray(at, at + 30_000)))
      return { name: canvas.dataset.view!, rows, columns, pitch, places: places.length, pixels: text }
    }),
  )
}

const close = (a: ArrayLike<number>, b: Rgb) => b.every((c, i) => Math.abs(c - a[i]!) <= 1)

/** Whether a colour is that of a value, within one step of the table. */
function shows(pixel: ArrayLike<number>, view: View, index: number, theme: Theme): boolean {
  if (view.picture) {
    const byte = (c: number) => 255 * Math.min(Math.max(view.picture![3 * index + c]!, 0), 1)
    return close(pixel, [byte(0), byte(1), byte(2)])
  }
  const value = view.values[index]!
  // between tiles run their frames
  const free = view.texts?.[index] !== undefined || view.tiles !== undefined
  if (Number.isNaN(value)) return free || pixel[3] === 0 || close(pixel, panel(theme))
  const table = colours(view.scale, theme)
  const share = Math.min(Math.max(value / view.limit, -1), 1)
  const entry = Math.round(share * (table.length / 2 - 1)) + table.length / 2
  return [entry - 1, entry, entry + 1].some((step) => {
    const colour = table[Math.min(Math.max(step, 0), table.length - 1)]!
    return close(pixel, view.padding?.[index] ? mix(colour, panel(theme), paddingShare) : colour)
  })
}

/** Cells whose colour a mark may cover: on the edges of boxes, where cells are hardly larger than their lines. */
function marked(view: View, index: number, pitch: number): boolean {
  if (pitch >= 6) return false
  const [row, column] = [Math.floor(index / view.columns), index % view.columns]
  return (view.boxes ?? []).some(
    (box) =>
      row >= box.row - 2 &&
      row <= box.row + box.rows + 1 &&
      column >= box.column - 2 &&
      column <= box.column + box.columns + 1,
  )
}

/** Every cell of every view has the colour of the library's number. Returns the number of cells. */
export async function expectPicture(page: Page, frame: Frame, theme: Theme, state: string): Promise<number> {
  const painted = await readPictures(page)
  expect(
    painted.map(({ name, rows, columns }) => [name, rows, columns]),
    state,
  ).toEqual(frame.views.map(({ name, rows, columns }) => [name, rows, columns]))
  let count = 0
  frame.views.forEach((view, v) => {
    const { rows, columns, pitch, places, pixels } = painted[v]!
    const bytes = Buffer.from(pixels, 'base64')
    const wrong: string[] = []
    for (let i = 0; i < rows * columns; i++) {
      const seen = Array.from({ length: places }, (_, k) =>
        bytes.subarray(4 * (i * places + k), 4 * (i * places + k) + 4),
      )
      if (!marked(view, i, pitch) && !seen.some((pixel) => shows(pixel, view, i, theme)))
        wrong.push(`${view.name}[${i}] = ${view.values[i]}: ${seen.map((pixel) => [...pixel]).join(' or ')}`)
    }
    expect(wrong.slice(0, 5), `#${state}`).toEqual([])
    count += rows * columns
  })
  return count
}

/** Every number of every table is the library's, within `near` of its view's limit. */
export async function expectTables(page: Page, frame: Frame, state: string, near = 0): Promise<void> {
  const tables = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLTableElement>('table[data-table]')].map((table) => ({
      name: table.dataset.table!,
      rows: [...table.tBodies[0]!.rows].map((row) =>
        [...row.querySelectorAll('td')].map((cell) => cell.textContent ?? ''),
      ),
    })),
  )
  expect(
    tables.map(({ name }) => name),
    state,
  ).toEqual(frame.views.map(({ name }) => name))
  frame.views.forEach((view, v) => {
    const shown = tables[v]!.rows.map((row) => row.map((text) => (text === '' ? Number.NaN : Number(text))))
    const own = shown.map((row, r) => row.map((_, c) => view.values[r * view.columns + c]! + 0))
    if (near === 0) expect(shown, `${view.name} of #${state}`).toEqual(own)
    else expect(farthest(shown, own), `${view.name} of #${state}`).toBeLessThanOrEqual(near * view.limit)
  })
}

/** The largest difference; endless where one is empty and the other isn't. */
function farthest(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number {
  const distances = a.flatMap((row, r) =>
    row.map((value, c) => {
      const other = b[r]![c]!
      if (Number.isNaN(value) !== Number.isNaN(other)) return Number.POSITIVE_INFINITY
      return Number.isNaN(value) ? 0 : Math.abs(value - other)
    }),
  )
  return Math.max(...distances)
}
