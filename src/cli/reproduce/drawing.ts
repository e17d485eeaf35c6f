import { encodePng } from '../../data/index.ts'
import type { Picture } from '../../models/stimuli.ts'
import { drawRows, type Panel, type Row } from '../show.ts'
import type { ReportFile } from './report.ts'

/** A row of a picture, and what it shows. */
export interface CaptionedRow {
  readonly caption: string
  readonly row: Row
}

/** Rows below each other as one PNG. */
export const rowsFile = (name: string, rows: readonly CaptionedRow[]): ReportFile => ({
  name,
  caption: rows.length === 1 ? rows[0]!.caption : `from above: ${rows.map(({ caption }) => caption).join('; ')}`,
  content: encodePng(drawRows(rows.map(({ row }) => row))),
})

export const fixed = (value: number, digits = 2): string => value.toFixed(digits)
export const degrees = (radians: number): number => (radians * 180) / Math.PI

export const panelOf = ({ size, values }: Picture): Panel => ({ height: size, width: size, values })
export const kernelPanel = (kernel: ArrayLike<number>): Panel => {
  const size = Math.sqrt(kernel.length)
  return { height: size, width: size, values: Float32Array.from(kernel) }
}

/** A curve of values >= 0 as filled columns. */
export function curvePanel(values: readonly number[], height = 24, thick = 2): Panel {
  const top = Math.max(...values, 1e-12)
  const width = values.length * thick
  const filled = (i: number) => {
    const level = (values[Math.floor((i % width) / thick)]! / top) * height
    return height - Math.floor(i / width) <= level ? 1 : 0
  }
  return { height, width, values: Float32Array.from({ length: width * height }, (_, i) => filled(i)) }
}
