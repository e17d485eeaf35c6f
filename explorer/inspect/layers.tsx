import { counted, grouped } from '../shared/numbers.ts'
import { branches } from './layout.ts'
import type { Row, Summary } from './protocol.ts'

export interface LayersProps {
  readonly summary: Summary
  readonly chosen: number
  readonly onChoose: (row: number) => void
}

/** The model as a table: each line a layer, the chosen one marked. */
export function Layers({ summary: { rows }, chosen, onChoose }: LayersProps) {
  const joins = branches(rows)
  const most = Math.max(...rows.map(({ macs }) => macs), 1)
  const hasMacs = rows.some(({ macs }) => macs > 0)
  const hasFields = rows.some(({ sees }) => sees !== '')
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: long tables are scrolled by keyboard
    <section class="layers" tabIndex={0} aria-label="Layers">
      <table>
        <thead>
          <tr>
            <th scope="col">layer</th>
            {joins && <th scope="col">from</th>}
            <th scope="col">gives</th>
            <th scope="col">parameters</th>
            {hasMacs && <th scope="col">multiply-adds</th>}
            {hasFields && <th scope="col">sees</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={row.name} class={i === chosen ? 'chosen' : ''}>
              <th scope="row">
                <button type="button" aria-pressed={i === chosen} onClick={() => onChoose(i)} title={row.name}>
                  <span class="number">{i}</span> {row.op}
                </button>
              </th>
              {joins && <td>{fromText(row, i)}</td>}
              <td>{row.shape.join('×') || '1'}</td>
              <td>{row.parameters > 0 ? grouped(row.parameters) : ''}</td>
              {hasMacs && (
                <td class="macs">
                  {row.macs > 0 && <span class="bar" style={{ width: `${(56 * row.macs) / most}px` }} />}
                  {row.macs > 0 ? counted(row.macs) : ''}
                </td>
              )}
              {hasFields && <td>{row.sees}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

/** Nothing where it is just the line before. */
const fromText = ({ from }: Row, i: number) =>
  from.length === 1 && from[0] === i - 1 ? '' : from.map((k) => (k < 0 ? 'input' : k)).join(', ')
