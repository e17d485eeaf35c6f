import { useRef } from 'preact/hooks'
import type { View } from '../frame.ts'
import { commonPitch } from '../paint.ts'
import { type Cell, TensorView } from './view.tsx'
import { useWidth } from './width.ts'

export interface EquationProps {
  /** Rows of as many views: the first is forward, the second what flows back. */
  readonly rows: readonly (readonly (View | null)[])[]
  /** Between the views of the first row: * and =. */
  readonly signs: readonly string[]
  readonly largest?: number
  readonly onPoint?: (view: View, cell: Cell | null) => void
  readonly onPick?: (view: View, cell: Cell) => void
  readonly onEdit?: (view: View, cell: Cell, value: number) => void
}

/** Views side by side with signs between them, cells of one size; below each other where it is narrow. */
export function Equation({ rows, signs, largest = 40, onPoint, onPick, onEdit }: EquationProps) {
  const holder = useRef<HTMLDivElement>(null)
  const available = useWidth(holder)
  const widest = rows[0]!.map((_, i) => ({ columns: Math.max(...rows.map((row) => row[i]?.columns ?? 0)) }))
  const { pitch, inRow } = commonPitch(widest, available, largest)
  return (
    <div
      ref={holder}
      class={`equation ${inRow ? 'in-row' : 'stacked'}`}
      style={{ '--views': String(inRow ? rows[0]!.length : 1) }}
    >
      {rows.map((row, r) =>
        row.map((view, i) =>
          view === null ? (
            <div key={`none-${signs[i] ?? 'last'}`} class="term none" />
          ) : (
            <div key={view.name} class="term" data-sign={r === 0 && i > 0 ? signs[i - 1] : undefined}>
              <TensorView
                view={view}
                largest={pitch}
                onPoint={(cell) => onPoint?.(view, cell)}
                onPick={onPick && ((cell) => onPick(view, cell))}
                onEdit={onEdit && ((cell, value) => onEdit(view, cell, value))}
              />
            </div>
          ),
        ),
      )}
    </div>
  )
}
