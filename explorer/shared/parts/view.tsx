import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { takeBack } from '../canvases.ts'
import { keyOf } from '../cells.ts'
import type { View } from '../frame.ts'
import { tileAt } from '../mosaic.ts'
import { decimals, spoken } from '../numbers.ts'
import { cellAt, layoutOf, paintView } from '../paint.ts'
import { dark } from '../theme.ts'
import { useWidth } from './width.ts'

export interface Cell {
  readonly row: number
  readonly column: number
}

export interface TensorViewProps {
  readonly view: View
  /** Largest size of a cell, px. */
  readonly largest?: number
  /** The cell under the pointer or the keyboard's cursor; null when left. */
  readonly onPoint?: (cell: Cell | null) => void
  /** Click or Enter. */
  readonly onPick?: (cell: Cell) => void
  /** Views that are `editable`: a new value for a cell. */
  readonly onEdit?: (cell: Cell, value: number) => void
}

/** A tensor as a picture that the keyboard can walk over. */
export function TensorView({ view, largest = 40, onPoint, onPick, onEdit }: TensorViewProps) {
  const holder = useRef<HTMLDivElement>(null)
  const place = useRef<HTMLDivElement>(null)
  const title = useId()
  const available = useWidth(holder)
  const [cursor, setCursor] = useState<Cell>({ row: 0, column: 0 })
  const [focused, setFocused] = useState(false)
  const [editing, setEditing] = useState<Cell | null>(null)
  const layout = layoutOf(view, available, largest)
  const at: Cell = { row: Math.min(cursor.row, view.rows - 1), column: Math.min(cursor.column, view.columns - 1) }
  const theme = dark.value ? 'dark' : 'light'
  const marked = focused ? at.row * view.columns + at.column : undefined
  useLayoutEffect(() => {
    if (available > 0) paintView(place.current!, view, layout, theme, marked)
  }, [view, available, largest, theme, marked])
  useLayoutEffect(() => {
    const own = place.current!
    return () => takeBack(own)
  }, [])
  const editable = view.editable === true && onEdit !== undefined
  const go = (cell: Cell) => {
    setCursor(cell)
    onPoint?.(cell)
  }
  function press(event: KeyboardEvent): void {
    if (event.target !== event.currentTarget || event.altKey) return
    const next = keyOf(event, at, view)
    if (next) go(next)
    else if (event.key === 'Enter' || event.key === 'F2') {
      if (event.key === 'Enter') onPick?.(at)
      if (editable) setEditing(at)
    } else if (event.key === 'Escape') onPoint?.(null)
    else if (editable && /^[-\d.]$/.test(event.key)) setEditing(at)
    else return
    if (!/^[-\d.]$/.test(event.key)) event.preventDefault()
  }
  function pointed(event: PointerEvent | MouseEvent): Cell | null {
    const box = place.current!.getBoundingClientRect()
    return cellAt(view, layout, event.clientX - box.left, event.clientY - box.top)
  }
  const first = { row: view.firstRow ?? 0, column: view.firstColumn ?? 0 }
  const value = view.values[at.row * view.columns + at.column]!
  return (
    <div class="view" ref={holder}>
      <p class="view-title" id={title}>
        {view.title}
      </p>
      <div
        class="view-grid"
        role="application"
        aria-roledescription={editable ? 'editable tensor' : 'tensor'}
        aria-labelledby={title}
        aria-description={`${view.rows} rows, ${view.columns} columns. Arrows move, ${
          editable ? 'Enter edits' : 'Enter chooses'
        }.`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrows move a cursor over the cells
        tabIndex={0}
        style={{ width: `${layout.width}px`, height: `${layout.height}px` }}
        onKeyDown={press}
        onFocus={() => setFocused(true)}
        onBlur={(event) => {
          if (event.target !== event.currentTarget) return
          setFocused(false)
          onPoint?.(null)
        }}
        onPointerMove={(event) => event.pointerType === 'mouse' && onPoint?.(pointed(event))}
        onPointerLeave={(event) => event.pointerType === 'mouse' && onPoint?.(null)}
        onClick={(event) => {
          const cell = pointed(event)
          if (!cell) return
          setCursor(cell)
          onPick?.(cell)
          if (editable && !onPick) setEditing(cell)
        }}
        onDblClick={(event) => {
          const cell = pointed(event)
          if (cell && editable) setEditing(cell)
        }}
      >
        <div class="view-cut" ref={place} style={{ width: `${layout.width}px`, height: `${layout.height}px` }} />
        {editing && (
          <CellEditor
            cell={editing}
            value={view.values[editing.row * view.columns + editing.column] ?? 0}
            left={layout.left + editing.column * layout.pitch}
            top={layout.top + editing.row * layout.pitch}
            size={layout.pitch}
            label={`${view.title}, row ${editing.row + first.row}, column ${editing.column + first.column}`}
            onDone={(value) => {
              if (value !== undefined) onEdit?.(editing, value)
              setEditing(null)
              holder.current?.querySelector<HTMLElement>('.view-grid')?.focus()
            }}
          />
        )}
      </div>
      <p class="hidden" aria-live="polite">
        {focused ? `${placeOf(view, at)}, ${Number.isNaN(value) ? 'empty' : spoken(value)}` : ''}
      </p>
    </div>
  )
}

/** "row 2, column 1", or of a mosaic "map 3, row 2, column 1". */
function placeOf(view: View, cell: Cell): string {
  const inTile = tileAt(view, cell)
  const row = (inTile?.row ?? cell.row) + (view.firstRow ?? 0)
  const column = (inTile?.column ?? cell.column) + (view.firstColumn ?? 0)
  return `${inTile ? `${view.tiles!.noun} ${inTile.tile}, ` : ''}row ${row}, column ${column}`
}

interface CellEditorProps {
  readonly cell: Cell
  readonly value: number
  readonly left: number
  readonly top: number
  readonly size: number
  readonly label: string
  /** The new value, or undefined when given up. */
  readonly onDone: (value: number | undefined) => void
}

function CellEditor({ value, left, top, size, label, onDone }: CellEditorProps) {
  const field = useRef<HTMLInputElement>(null)
  const over = useRef(false)
  useEffect(() => {
    field.current!.focus()
    field.current!.select()
  }, [])
  const finish = (given: number | undefined) => {
    if (over.current) return
    over.current = true
    onDone(given)
  }
  const read = () => {
    const number = Number(field.current!.value.replace('\u2212', '-').replace(',', '.'))
    return Number.isFinite(number) && field.current!.value.trim() !== ''
      ? Math.min(Math.max(Math.round(number * 1000) / 1000, -999), 999)
      : undefined
  }
  const width = Math.max(size + 12, 56)
  return (
    <input
      class="cell-editor"
      ref={field}
      type="text"
      inputMode="decimal"
      aria-label={label}
      value={decimals(value).replace('\u2212', '-')}
      style={{
        left: `${left - (width - size) / 2}px`,
        top: `${top - 2}px`,
        width: `${width}px`,
        height: `${Math.max(size, 28)}px`,
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter') finish(read())
        else if (event.key === 'Escape') finish(undefined)
        else return
        event.preventDefault()
        event.stopPropagation()
      }}
      onBlur={() => finish(read())}
    />
  )
}
