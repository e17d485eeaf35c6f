/**
 * How a tensor of one to three spatial axes lies on a sheet of cells: a signal is one row, a volume its slices side by
 * side with an empty column between them.
 */
export interface Sheet {
  readonly rows: number
  readonly columns: number
  readonly shape: readonly number[]
  /** Cell of the element with a flat index, row-major. */
  cellOf(flat: number): number
  /** Flat index of the element in a cell; undefined between slices. */
  flatOf(cell: number): number | undefined
}

export function sheetOf(shape: readonly number[]): Sheet {
  const [depth, height, width] = [shape.at(-3) ?? 1, shape.at(-2) ?? 1, shape.at(-1)!]
  const columns = depth * (width + 1) - 1
  return {
    rows: height,
    columns,
    shape,
    cellOf(flat) {
      const slice = Math.floor(flat / (height * width))
      const row = Math.floor(flat / width) % height
      return row * columns + slice * (width + 1) + (flat % width)
    },
    flatOf(cell) {
      const [row, column] = [Math.floor(cell / columns), cell % columns]
      const [slice, at] = [Math.floor(column / (width + 1)), column % (width + 1)]
      return at === width ? undefined : (slice * height + row) * width + at
    },
  }
}

/** Values of a tensor on its sheet; NaN between slices. */
export function onSheet(sheet: Sheet, values: ArrayLike<number>): Float64Array {
  const cells = new Float64Array(sheet.rows * sheet.columns).fill(Number.NaN)
  for (let flat = 0; flat < values.length; flat++) cells[sheet.cellOf(flat)] = values[flat]!
  return cells
}

/** Flat index of a position. */
export const flatAt = (shape: readonly number[], at: readonly number[]) =>
  shape.reduce((flat, size, axis) => flat * size + at[axis]!, 0)

/** Position of a flat index. */
export function positionAt(shape: readonly number[], flat: number): number[] {
  const at = new Array<number>(shape.length)
  for (let axis = shape.length - 1, rest = flat; axis >= 0; axis--) {
    at[axis] = rest % shape[axis]!
    rest = Math.floor(rest / shape[axis]!)
  }
  return at
}
