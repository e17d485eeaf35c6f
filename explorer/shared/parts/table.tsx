import type { View } from '../frame.ts'
import { full } from '../numbers.ts'

/** Tables of more cells aren't shown whole. */
const most = 64
/** Cells of a table of tiles. */
const mostOfTiles = 500

/** A view's numbers as a table, for screen readers, copying and whoever likes numbers. */
export function TableView({ view }: { view: View }) {
  // of many tiles only the first ones: the cursor over the picture reads the others
  const wide = Math.min(view.columns, view.tiles ? most / 2 : most)
  const high = Math.min(view.rows, view.tiles ? Math.ceil(mostOfTiles / wide) : most)
  const rows = Array.from({ length: high }, (_, row) => row)
  const columns = Array.from({ length: wide }, (_, column) => column)
  const cut = rows.length < view.rows || columns.length < view.columns
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: wide tables are scrolled by keyboard
    <section class="table" tabIndex={0} aria-label={`${view.title}: numbers`}>
      <table data-table={view.name}>
        <caption>
          {view.title}
          {cut ? `, first ${rows.length} rows and ${columns.length} columns` : ''}
        </caption>
        <thead>
          <tr>
            <td />
            {columns.map((column) => (
              <th key={column} scope="col">
                {column + (view.firstColumn ?? 0)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row}>
              <th scope="row">{row + (view.firstRow ?? 0)}</th>
              {columns.map((column) => (
                <td key={column}>{cellText(view.values[row * view.columns + column]!)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

const cellText = (value: number) => (Number.isNaN(value) ? '' : full(value))
