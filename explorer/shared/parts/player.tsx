import { useEffect, useId, useState } from 'preact/hooks'
import type { Change } from '../state.ts'
import { reducedMotion } from '../theme.ts'

export interface PlayerProps {
  /** What a step is: "output". */
  readonly label: string
  /** In [0, count). */
  readonly value: number
  readonly count: number
  readonly onStep: (value: number, how: Change) => void
}

/** Steps a second. */
const speeds = [1, 2, 4]

/** Back, play, on, and a scrubber. It starts paused; with reduced motion it only steps by hand. */
export function Player({ label, value, count, onStep }: PlayerProps) {
  const id = useId()
  const [playing, setPlaying] = useState(false)
  const [speed, setSpeed] = useState(2)
  const still = reducedMotion.value
  const to = (step: number, how: Change = 'commit') => onStep((step + count) % count, how)
  useEffect(() => {
    if (!playing || still) return
    const timer = setInterval(() => document.hidden || to(value + 1, 'drag'), 1000 / speed)
    return () => clearInterval(timer)
  })
  function press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const own = (event.target as HTMLElement).tagName
    const key = event.key
    if (key === 'k' && !still) setPlaying(!playing)
    else if (key === 'j') to(value - 1)
    else if (key === 'l') to(value + 1)
    else if (key === 'Home' && own !== 'INPUT') to(0)
    else if (key === 'End' && own !== 'INPUT') to(count - 1)
    else if (key === '<') setSpeed(speeds[Math.max(speeds.indexOf(speed) - 1, 0)]!)
    else if (key === '>') setSpeed(speeds[Math.min(speeds.indexOf(speed) + 1, speeds.length - 1)]!)
    else return
    event.preventDefault()
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: its buttons are the controls; the keys are short cuts
    <div class="player" onKeyDown={press}>
      <button type="button" aria-label={`Previous ${label}`} title="j" onClick={() => to(value - 1)}>
        ‹
      </button>
      <button
        type="button"
        class="play"
        aria-pressed={playing}
        aria-label={playing ? 'Pause' : 'Play'}
        title={still ? 'Your system asks for no motion: step by hand' : 'k'}
        disabled={still}
        onClick={() => setPlaying(!playing)}
      >
        {playing ? '❚❚' : '▶'}
      </button>
      <button type="button" aria-label={`Next ${label}`} title="l" onClick={() => to(value + 1)}>
        ›
      </button>
      <input
        id={id}
        type="range"
        min={0}
        max={count - 1}
        value={value}
        aria-label={label}
        aria-valuetext={`${value + 1} of ${count}`}
        onInput={(event) => to(Number(event.currentTarget.value), 'drag')}
        onChange={(event) => to(Number(event.currentTarget.value))}
      />
      <output for={id}>
        {value + 1}/{count}
      </output>
      <button
        type="button"
        class="speed"
        aria-label={`Speed ${speed}/s`}
        title="< slower, > faster"
        onClick={() => setSpeed(speeds[(speeds.indexOf(speed) + 1) % speeds.length]!)}
      >
        {speed}/s
      </button>
    </div>
  )
}
