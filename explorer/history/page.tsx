import { useLayoutEffect, useState } from 'preact/hooks'
import type { Frame, View } from '../shared/frame.ts'
import { Slider } from '../shared/parts/controls.tsx'
import { Figure } from '../shared/parts/figure.tsx'
import { Legend } from '../shared/parts/legend.tsx'
import { mount } from '../shared/parts/mount.tsx'
import { TensorView } from '../shared/parts/view.tsx'
import { pageState } from '../shared/state.ts'
import { glyphCount, type HistoryState, history, presets, sampleCount } from './state.ts'
import { type System, systemIds, systems } from './systems.ts'
import './style.css'
import type { Answer, Order } from './worker.ts'

const page = pageState(history)
const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
const empty: Frame = { views: [], facts: [], speak: '' }

interface Shown {
  readonly state: HistoryState
  readonly frame: Frame
}

/** What the worker makes of the state; the last one stays until the next is there. */
function useShown(): Shown | undefined {
  const state = page.state.value
  const [shown, setShown] = useState<Shown | undefined>()
  useLayoutEffect(() => {
    const order: Order = { id: performance.now(), state }
    const hear = ({ data }: MessageEvent<Answer>) => {
      if (data.id !== order.id) return
      setShown({ state, frame: 'frame' in data ? data.frame : { ...empty, problem: data.problem } })
    }
    const failed = (event: ErrorEvent) =>
      setShown({ state, frame: { ...empty, problem: `The worker failed: ${event.message}. Load the page again.` } })
    worker.addEventListener('message', hear)
    worker.addEventListener('error', failed)
    worker.postMessage(order)
    return () => {
      worker.removeEventListener('message', hear)
      worker.removeEventListener('error', failed)
    }
  }, [state])
  return shown
}

/** Pictures and kernels stand large, maps about as large as each other. */
function pitchOf(view: View): number {
  if (!view.tiles) return 40
  const edge =
    view.name === 'picture'
      ? 168
      : view.name === 'kernels'
        ? 60
        : view.scale === 'heat' && view.tiles.rows > 1
          ? 144
          : view.tiles.rows === 1
            ? 24 * view.tiles.columns
            : 84
  return Math.max(2, Math.floor(edge / view.tiles.columns))
}

function Page() {
  const state = page.state.value
  const shown = useShown()
  const frame = shown?.frame ?? empty
  const system: System = systems[(shown?.state ?? state).e]
  const legend = frame.views.find(({ name, scale }) => name !== 'picture' && scale === 'signed')
  return (
    <Figure page={page} frame={frame} presets={presets} busy={shown?.state !== state} label="A system of the history">
      <div class="stage history">
        <Eras state={state} />
        <header class="era">
          <h2>
            <span class="year">{system.year}</span> {system.name}
          </h2>
          <p class="by">{system.by}</p>
          <p>{system.idea}</p>
          <p class="look">{system.look}</p>
        </header>
        <Controls state={state} shown={system.shown} />
        <section class="works" aria-label={`${system.name} at work`}>
          {frame.views.map((view, place) => (
            // places stay when systems change: to make one takes longer than to paint it
            <TensorView key={place} view={view} largest={pitchOf(view)} />
          ))}
        </section>
        {legend && <Legend scale="signed" limit={legend.limit} values={legend.values} label={legend.title} />}
      </div>
    </Figure>
  )
}

/** The years as a slider: each stop a system. */
function Eras({ state }: { readonly state: HistoryState }) {
  const index = systemIds.indexOf(state.e)
  const { year, name } = systems[state.e]
  return (
    <div class="eras">
      <input
        type="range"
        min={0}
        max={systemIds.length - 1}
        value={index}
        aria-label="Year"
        aria-valuetext={`${year}, ${name}`}
        onInput={(event) => page.change({ e: systemIds[Number(event.currentTarget.value)]! }, 'drag')}
        onChange={(event) => page.change({ e: systemIds[Number(event.currentTarget.value)]! })}
      />
      <ol aria-hidden="true">
        {systemIds.map((id) => (
          <li key={id} class={id === state.e ? 'now' : ''}>
            {systems[id].year}
          </li>
        ))}
      </ol>
    </div>
  )
}

/** What the system is shown can be changed. */
function Controls({ state, shown }: { readonly state: HistoryState; readonly shown: System['shown'] }) {
  const { change } = page
  if (shown === 'nothing') return null
  return (
    <div class="shown">
      {shown === 'bar' && (
        <Slider
          label="turn"
          value={state.a}
          min={0}
          max={179}
          unit="degrees"
          onChange={(a, how) => change({ a }, how)}
        />
      )}
      {shown === 'glyph' && (
        <>
          <Slider
            label="digit"
            value={state.d % glyphCount}
            min={0}
            max={glyphCount - 1}
            onChange={(d, how) => change({ d }, how)}
          />
          <Slider
            label="to the right"
            value={state.x}
            min={-3}
            max={3}
            unit="pixels"
            onChange={(x, how) => change({ x }, how)}
          />
          <Slider
            label="down"
            value={state.y}
            min={-3}
            max={3}
            unit="pixels"
            onChange={(y, how) => change({ y }, how)}
          />
        </>
      )}
      {shown === 'digit' && (
        <Slider label="digit" value={state.d} min={0} max={sampleCount - 1} onChange={(d, how) => change({ d }, how)} />
      )}
    </div>
  )
}

mount(<Page />)
