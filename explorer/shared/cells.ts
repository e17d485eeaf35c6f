interface Place {
  readonly row: number
  readonly column: number
}

interface Key {
  readonly key: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
}

/** Where a key leads from a cell of a grid (ARIA's grid pattern), or undefined for other keys. */
export function keyOf(event: Key, { row, column }: Place, grid: { rows: number; columns: number }): Place | undefined {
  const [lastRow, lastColumn] = [grid.rows - 1, grid.columns - 1]
  const all = event.ctrlKey || event.metaKey
  const place = (r: number, c: number) => ({
    row: Math.min(Math.max(r, 0), lastRow),
    column: Math.min(Math.max(c, 0), lastColumn),
  })
  switch (event.key) {
    case 'ArrowLeft':
      return place(row, column - 1)
    case 'ArrowRight':
      return place(row, column + 1)
    case 'ArrowUp':
      return place(row - 1, column)
    case 'ArrowDown':
      return place(row + 1, column)
    case 'PageUp':
      return place(row - 5, column)
    case 'PageDown':
      return place(row + 5, column)
    case 'Home':
      return all ? place(0, 0) : place(row, 0)
    case 'End':
      return all ? place(lastRow, lastColumn) : place(row, lastColumn)
    default:
      return undefined
  }
}
