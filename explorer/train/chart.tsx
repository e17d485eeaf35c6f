import { useEffect, useRef, useState } from 'preact/hooks'
import type uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { accents } from '../shared/colour.ts'
import { decimals, grouped } from '../shared/numbers.ts'
import { useWidth } from '../shared/parts/width.ts'
import { dark } from '../shared/theme.ts'

export interface ChartProps {
  /** Loss of each step, from step 1 on. */
  readonly losses: readonly number[]
  /** Share of the held-out pictures that are right, by step. */
  readonly accuracies: ReadonlyMap<number, number>
  /** The step that is shown. */
  readonly step: number
  /** Steps that can be gone to, and what goes there. */
  readonly onSeek: (step: number) => void
}

const series = {
  light: { blue: '#0a63b0', orange: '#b4530a' },
  dark: { blue: '#6cb6f5', orange: '#f2a65a' },
}
const height = 220
/** Share of the past in the running mean of the loss. */
const memory = 0.95

/** Steps, losses, their running mean, and percents; null where nothing was measured. */
export function chartData({ losses, accuracies }: Pick<ChartProps, 'losses' | 'accuracies'>) {
  const steps = Array.from({ length: losses.length + 1 }, (_, i) => i)
  let mean = 0
  const means = losses.map((loss, i) => {
    mean = memory * mean + (1 - memory) * loss
    return mean / (1 - memory ** (i + 1))
  })
  return [
    steps,
    [null, ...losses],
    [null, ...means],
    steps.map((step) => (accuracies.has(step) ? 100 * accuracies.get(step)! : null)),
  ] as const
}

type Make = typeof uPlot

function optionsOf(width: number, step: { current: number }, onSeek: (step: number) => void): uPlot.Options {
  const theme = dark.peek() ? 'dark' : 'light'
  const { blue, orange } = series[theme]
  const { muted, edge, pin } = accents[theme]
  const axis = {
    stroke: muted,
    grid: { stroke: edge, width: 0.3 },
    ticks: { stroke: edge, width: 0.5 },
    font: '13px system-ui, sans-serif',
  }
  const mark = (chart: uPlot) => {
    const x = Math.round(chart.valToPos(step.current, 'x', true))
    const { top, height: tall } = chart.bbox
    chart.ctx.fillStyle = pin
    chart.ctx.fillRect(x - 1, top, 2, tall)
  }
  return {
    width,
    height,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: {
      x: { time: false, range: (_, __, most) => [0, Math.max(most, 20)] },
      loss: { range: (_, __, most) => [0, most * 1.05] },
      right: { range: [0, 100] },
    },
    axes: [
      { ...axis, label: 'step', labelSize: 18, labelFont: axis.font, size: 36 },
      { ...axis, scale: 'loss', stroke: blue, size: 44 },
      {
        ...axis,
        scale: 'right',
        side: 1,
        stroke: orange,
        size: 50,
        grid: { show: false },
        values: (_, list) => list.map((v) => `${v}%`),
      },
    ],
    series: [
      {},
      { scale: 'loss', stroke: blue, alpha: 0.3, width: 1, points: { show: false } },
      { scale: 'loss', stroke: blue, width: 2, points: { show: false } },
      {
        scale: 'right',
        stroke: orange,
        width: 2,
        dash: [6, 3],
        spanGaps: true,
        points: { show: true, size: 4, fill: orange },
      },
    ],
    hooks: {
      draw: [mark],
      ready: [
        (chart) =>
          chart.over.addEventListener('click', (event) => onSeek(Math.round(chart.posToVal(event.offsetX, 'x')))),
      ],
    },
  }
}

/** Loss and accuracy over the steps. The arrows read it out; the curve itself is loaded when it is needed. */
export function Chart(props: ChartProps) {
  const { losses, accuracies, step, onSeek } = props
  const holder = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | null>(null)
  const marked = useRef(step)
  const seek = useRef(onSeek)
  seek.current = onSeek
  marked.current = step
  const width = useWidth(holder)
  const [make, setMake] = useState<{ readonly of: Make } | null>(null)
  const [at, setAt] = useState<number | null>(null)
  const isDark = dark.value
  useEffect(() => void import('uplot').then((module) => setMake({ of: module.default })), [])
  useEffect(() => {
    if (!make || width === 0) return
    const options = optionsOf(width, marked, (to) => seek.current(to))
    const made = new make.of(
      options,
      chartData({ losses, accuracies }) as unknown as uPlot.AlignedData,
      holder.current!,
    )
    chart.current = made
    return () => {
      made.destroy()
      chart.current = null
    }
  }, [make, width, isDark])
  useEffect(() => {
    chart.current?.setData(chartData({ losses, accuracies }) as unknown as uPlot.AlignedData)
  }, [losses, accuracies, step])
  function press(event: KeyboardEvent): void {
    const last = losses.length
    const now = at ?? step
    const jump = Math.max(1, Math.round(last / 40))
    const to: Record<string, number> = { ArrowLeft: now - jump, ArrowRight: now + jump, Home: 0, End: last }
    const next = to[event.key]
    if (next !== undefined) {
      const place = Math.min(Math.max(next, 0), last)
      setAt(place)
      chart.current?.setCursor({ left: chart.current.valToPos(place, 'x'), top: 1 })
    } else if (event.key === 'Enter') onSeek(now)
    else return
    event.preventDefault()
  }
  return (
    <div class="chart">
      <p class="chart-key" aria-hidden="true">
        <span class="loss">loss of each batch, and its running mean</span>
        <span class="right">held-out pictures right</span>
      </p>
      <div
        ref={holder}
        class="chart-plot"
        style={{ height: `${height}px` }}
        role="application"
        aria-roledescription="chart"
        aria-label="Loss and held-out accuracy by step"
        aria-description="Left and Right read the curve, Home and End its ends, Enter goes to the step."
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrows read the curve
        tabIndex={0}
        onKeyDown={press}
        onBlur={() => setAt(null)}
      />
      <p class="chart-said" aria-live="polite">
        {at === null ? '' : saidAt(at, props)}
      </p>
    </div>
  )
}

/** What the curve says at a step, and at the last measured one before. */
export function saidAt(step: number, { losses, accuracies }: Pick<ChartProps, 'losses' | 'accuracies'>): string {
  const loss = losses[step - 1]
  const measured = [...accuracies.keys()].filter((other) => other <= step).at(-1)
  const right =
    measured === undefined
      ? ''
      : `; ${decimals(100 * accuracies.get(measured)!, 1)}% right at step ${grouped(measured)}`
  return `step ${grouped(step)}${loss === undefined ? '' : `: loss ${decimals(loss)}`}${right}`
}
