import type { View } from './frame.ts'

/** One matrix of a mosaic, row by row. */
export interface Tile {
  readonly rows: number
  readonly columns: number
  readonly values: ArrayLike<number>
}

export interface Numbers {
  readonly shape: readonly number[]
  readonly data: ArrayLike<number>
}

/** The channels of [H, W, C] as tiles; of [k, k, I, O] the O kernels over input channel `input`; of [N] one row. */
export function tilesOf({ shape, data }: Numbers, input = 0): Tile[] {
  if (shape.length < 3) return [{ rows: 1, columns: data.length, values: data }]
  const [rows, columns] = shape as [number, number]
  const all = data.length / (rows * columns)
  const count = shape.at(-1)!
  const first = shape.length === 4 ? input * count : 0
  return Array.from({ length: count }, (_, c) => ({
    rows,
    columns,
    values: Float32Array.from({ length: rows * columns }, (_, i) => data[i * all + first + c]!),
  }))
}

type Mosaic = Pick<View, 'rows' | 'columns' | 'values' | 'tiles'>

/** Tiles of one size side by side, `across` in a row, an empty cell between them. */
export function mosaic(tiles: readonly Tile[], across: number, noun: string): Mosaic {
  const { rows: height, columns: width } = tiles[0]!
  const inRow = Math.min(across, tiles.length)
  const rows = Math.ceil(tiles.length / inRow) * (height + 1) - 1
  const columns = inRow * (width + 1) - 1
  const values = new Float32Array(rows * columns).fill(Number.NaN)
  tiles.forEach((tile, k) => {
    const [top, left] = [Math.floor(k / inRow) * (height + 1), (k % inRow) * (width + 1)]
    for (let i = 0; i < height * width; i++)
      values[(top + Math.floor(i / width)) * columns + left + (i % width)] = tile.values[i]!
  })
  return { rows, columns, values, tiles: { rows: height, columns: width, across: inRow, count: tiles.length, noun } }
}

/** The tile that a cell of a mosaic lies in, with the place in it; undefined between tiles. */
export function tileAt(
  { tiles }: Pick<View, 'tiles'>,
  { row, column }: { readonly row: number; readonly column: number },
): { readonly tile: number; readonly row: number; readonly column: number } | undefined {
  if (!tiles) return undefined
  const [down, right] = [Math.floor(row / (tiles.rows + 1)), Math.floor(column / (tiles.columns + 1))]
  const at = { row: row - down * (tiles.rows + 1), column: column - right * (tiles.columns + 1) }
  const tile = down * tiles.across + right
  return at.row < tiles.rows && at.column < tiles.columns && tile < tiles.count ? { tile, ...at } : undefined
}

/** An outline around tile k. */
export function tileBox({ tiles }: Pick<View, 'tiles'>, k: number) {
  const { rows, columns, across } = tiles!
  return {
    row: Math.floor(k / across) * (rows + 1),
    column: (k % across) * (columns + 1),
    rows,
    columns,
    kind: 'pin' as const,
  }
}
