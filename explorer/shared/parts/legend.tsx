import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { accents, colours, css, steps } from '../colour.ts'
import type { Scale } from '../frame.ts'
import { minus, short } from '../numbers.ts'
import { dark } from '../theme.ts'

export interface LegendProps {
  readonly scale: Scale
  readonly limit: number
  /** For the histogram above the bar. */
  readonly values?: ArrayLike<number>
  /** The value under the pointer. */
  readonly at?: number | undefined
  readonly label?: string
}

const [width, bar, above] = [240, 12, 26]

/** Where on the bar a value lies, 0..1. */
function shareOf(value: number, limit: number, signed: boolean): number {
  const part = Math.min(Math.max(value / limit, -1), 1)
  return signed ? (part + 1) / 2 : Math.max(part, 0)
}

function histogram(values: ArrayLike<number>, limit: number, signed: boolean): Float64Array {
  const bins = new Float64Array(48)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (!Number.isNaN(value)) bins[Math.min(Math.floor(shareOf(value, limit, signed) * 48), 47)]!++
  }
  return bins
}

/** The bar of colours with its ends and zero, how often each occurs, and where the pointed value lies. */
export function Legend({ scale, limit, values, at, label = 'colours' }: LegendProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const theme = dark.value ? 'dark' : 'light'
  const signed = scale === 'signed'
  const bins = useMemo(() => values && histogram(values, limit, signed), [values, limit, signed])
  useLayoutEffect(() => {
    const context = canvas.current!.getContext('2d')!
    const ratio = Math.max(1, devicePixelRatio)
    canvas.current!.width = width * ratio
    canvas.current!.height = (bar + above) * ratio
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    const table = colours(scale, theme)
    for (let x = 0; x < width; x++) {
      const entry = signed
        ? Math.round(1 + (x / (width - 1)) * (steps - 2))
        : steps / 2 + Math.round((x / (width - 1)) * (steps / 2 - 1))
      context.fillStyle = css(table[Math.min(entry, steps - 1)]!)
      context.fillRect(x, above, 1, bar)
    }
    context.strokeStyle = accents[theme].edge
    context.strokeRect(0.5, above + 0.5, width - 1, bar - 1)
    if (bins) {
      const most = Math.max(...bins, 1)
      context.fillStyle = accents[theme].muted
      bins.forEach((count, i) => {
        const tall = count === 0 ? 0 : Math.max(1, Math.sqrt(count / most) * (above - 6))
        context.fillRect(i * (width / bins.length), above - 1 - tall, width / bins.length - 1, tall)
      })
    }
    if (at !== undefined && !Number.isNaN(at)) {
      context.fillStyle = accents[theme].pin
      const place = width * shareOf(at, limit, signed)
      context.fillRect(Math.min(Math.max(place - 1, 0), width - 2), above - 4, 2, bar + 4)
    }
  }, [scale, limit, bins, at, theme])
  return (
    <div
      class="legend"
      role="img"
      aria-label={`${label}: from ${signed ? minus : ''}${signed ? short(limit) : 0} to ${short(limit)}`}
    >
      <span class="legend-name" aria-hidden="true">
        {label}
      </span>
      <canvas ref={canvas} style={{ width: `${width}px`, height: `${bar + above}px` }} />
      <div class="legend-ends" aria-hidden="true">
        <span>{signed ? `${minus}${short(limit)}` : '0'}</span>
        {signed && <span>0</span>}
        <span>{short(limit)}</span>
      </div>
    </div>
  )
}
