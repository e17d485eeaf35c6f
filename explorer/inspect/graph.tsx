import { box } from './layout.ts'
import type { Drawing, Row } from './protocol.ts'

export interface GraphProps {
  readonly rows: readonly Row[]
  readonly drawing: Drawing
  readonly chosen: number
  readonly onChoose: (row: number) => void
}

/** A graph that branches, as a picture beside the table; chains need none. The table is what the keyboard uses. */
export function Graph({ rows, drawing, chosen, onChoose }: GraphProps) {
  const { width, height, places, lines } = drawing
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: large graphs are scrolled by keyboard
    <section class="graph" tabIndex={0} aria-label="Picture of the graph; the table holds the same">
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        {lines.map((points, i) => (
          <polyline key={i} points={points.map(({ x, y }) => `${x},${y}`).join(' ')} />
        ))}
        {rows.map((row, i) => {
          const { x, y } = places[i]!
          return (
            // biome-ignore lint/a11y/noStaticElementInteractions: hidden from them, too
            <g key={row.name} class={i === chosen ? 'chosen' : ''} onClick={() => onChoose(i)}>
              <rect x={x - box.width / 2} y={y - box.height / 2} width={box.width} height={box.height} rx="4" />
              <text x={x} y={y - 3}>
                {row.op.length > 15 ? `${row.op.slice(0, 14)}…` : row.op}
              </text>
              <text class="small" x={x} y={y + 11}>
                {row.shape.join('×')}
              </text>
            </g>
          )
        })}
      </svg>
    </section>
  )
}
