import { useEffect, useRef, useState } from 'preact/hooks'
import { keyOf } from '../shared/cells.ts'
import { accents } from '../shared/colour.ts'
import { dark } from '../shared/theme.ts'
import { blank, centred, fine, type Ink, pixelsOf, stroke } from './drawing.ts'

export interface DrawPadProps {
  /** Edge of a picture in pixels. */
  readonly size: number
  /** Moved and scaled as the digits are that were learned. */
  readonly centre: boolean
  readonly onDraw: (picture: Float32Array) => void
}

const edge = 168
/** Of the pen, in points. */
const radius = 4.5

/** A place to draw on, with the pointer or with the keyboard. */
export function DrawPad({ size, centre, onDraw }: DrawPadProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [ink, setInk] = useState<Ink>(() => blank(size))
  const last = useRef<readonly [number, number] | null>(null)
  const [pen, setPen] = useState({ row: Math.floor(size / 2), column: Math.floor(size / 2), down: false })
  const [focused, setFocused] = useState(false)
  const theme = dark.value ? 'dark' : 'light'
  useEffect(() => setInk(blank(size)), [size])
  useEffect(() => {
    const context = canvas.current!.getContext('2d')!
    const { side, points } = ink
    const unit = edge / side
    context.fillStyle = '#000'
    context.fillRect(0, 0, edge, edge)
    context.fillStyle = '#fff'
    points.forEach((point, i) => {
      if (point) context.fillRect((i % side) * unit, Math.floor(i / side) * unit, unit + 0.5, unit + 0.5)
    })
    if (!focused) return
    context.strokeStyle = accents.dark.pin
    context.lineWidth = pen.down ? 3 : 1.5
    const cell = edge / size
    context.strokeRect(pen.column * cell + 1, pen.row * cell + 1, cell - 2, cell - 2)
  }, [ink, pen, focused, size, theme])
  const give = (next: Ink) => {
    setInk(next)
    onDraw(centre ? centred(next) : pixelsOf(next))
  }
  const pointAt = (event: PointerEvent): readonly [number, number] => {
    const box = canvas.current!.getBoundingClientRect()
    const scale = (size * fine) / box.width
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale]
  }
  const pointOf = ({ row, column }: { row: number; column: number }): readonly [number, number] => [
    (column + 0.5) * fine,
    (row + 0.5) * fine,
  ]
  function move(event: PointerEvent): void {
    if (!last.current) return
    const to = pointAt(event)
    give(stroke(ink, last.current, to, radius))
    last.current = to
  }
  function press(event: KeyboardEvent): void {
    const next = keyOf(event, pen, { rows: size, columns: size })
    if (next) {
      if (pen.down) give(stroke(ink, pointOf(pen), pointOf(next), radius))
      setPen({ ...pen, ...next })
    } else if (event.key === ' ' || event.key === 'Enter') {
      if (!pen.down) give(stroke(ink, pointOf(pen), pointOf(pen), radius))
      setPen({ ...pen, down: !pen.down })
    } else if (event.key === 'Delete' || event.key === 'Backspace') give(blank(size))
    else return
    event.preventDefault()
  }
  return (
    <div class="draw">
      <div
        role="application"
        aria-label="Draw here"
        aria-roledescription="drawing"
        aria-description="Arrows move the pen, Space puts it down and takes it up, Delete clears."
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrows move the pen
        tabIndex={0}
        onKeyDown={press}
        onFocus={() => setFocused(true)}
        onBlur={() => setFocused(false)}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          last.current = pointAt(event)
          give(stroke(ink, last.current, last.current, radius))
        }}
        onPointerMove={move}
        onPointerUp={() => {
          last.current = null
        }}
      >
        <canvas ref={canvas} width={edge} height={edge} />
      </div>
      <button type="button" onClick={() => give(blank(size))}>
        Clear
      </button>
      <p class="hidden" aria-live="polite">
        {focused ? `pen ${pen.down ? 'down' : 'up'}, row ${pen.row}, column ${pen.column}` : ''}
      </p>
    </div>
  )
}
