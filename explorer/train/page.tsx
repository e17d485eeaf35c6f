import { computed, effect, signal, untracked } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import type { Frame, View } from '../shared/frame.ts'
import { Choice, Select, Slider } from '../shared/parts/controls.tsx'
import { Figure } from '../shared/parts/figure.tsx'
import { Legend } from '../shared/parts/legend.tsx'
import { mount } from '../shared/parts/mount.tsx'
import { TensorView } from '../shared/parts/view.tsx'
import { pageState } from '../shared/state.ts'
import { keepTrained } from '../shared/trained.ts'
import { Answers } from './answers.tsx'
import { Chart } from './chart.tsx'
import { client, type Shown } from './client.ts'
import { codeOf } from './code.ts'
import digitsUrl from './digits.bin?url'
import { DrawPad } from './draw.tsx'
import { frameOf, type Limits, limitsOf } from './model.ts'
import { networkNames } from './names.ts'
import type { Chosen, Facts } from './protocol.ts'
import { heldOutCounts, presets, settingsKey, settingsOf, type TrainState, train } from './state.ts'
import './style.css'
import { Transport } from './transport.tsx'

const page = pageState(train)
const training = client(new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }), digitsUrl)

const loading: Frame = { views: [], facts: [], speak: '' }

/** A drawing that takes the place of the held-out picture, as large as pictures of its data are. */
const drawing = signal<{ readonly data: TrainState['data']; readonly picture: Float32Array } | null>(null)
const drawn = computed(() => (drawing.value?.data === page.state.value.data ? drawing.value.picture : undefined))
const settings = computed(() => settingsKey(page.state.value))
const chosen = computed((): Chosen => (drawn.value ? { drawn: drawn.value } : { heldOut: page.state.value.img }))

// begins anew whenever a setting changes that decides the training
effect(() => {
  if (settings.value) training.start(settingsOf(page.state.peek()))
})
effect(() => {
  const next = chosen.value
  // what it reads isn't what it depends on: each frame would ask for another
  untracked(() => training.choose(next))
})

let limits: { readonly of: Facts | undefined; readonly limits: Limits } = { of: undefined, limits: new Map() }

const painted = computed((): Frame => {
  const shown = training.shown.value
  if (!shown) return loading
  const made = frameOf(shown.facts, shown.frame, limits.of === shown.facts ? limits.limits : new Map())
  limits = { of: shown.facts, limits: limitsOf(made) }
  return made
})
const frame = computed((): Frame => {
  const problem = training.problem.value
  return problem ? { ...painted.value, problem } : painted.value
})

const kernelNames = ['start', 'kernels', 'slope']

function Page() {
  const state = page.state.value
  const shown = training.shown.value
  const code = useMemo(() => (shown ? codeOf(state, shown.facts.code) : undefined), [shown?.facts, state])
  const running = training.state.value === 'running'
  const busy = training.waiting.value || running
  return (
    <Figure page={page} frame={frame.value} presets={presets} code={code} busy={busy} label="A network that learns">
      <div class="stage training">
        <Transport training={training} shown={shown?.frame} />
        {useMemo(() => pictures(painted.value, shown), [painted.value, shown])}
        <p class="next">
          <button type="button" disabled={!shown || running} onClick={inspect}>
            Look inside this network
          </button>
        </p>
      </div>
      <Controls state={state} size={shown?.facts.size ?? 28} />
    </Figure>
  )
}

function pictures({ views }: Frame, shown: Shown | undefined) {
  const kernels = views.filter(({ name }) => kernelNames.includes(name))
  const [picture, ...maps] = views.filter(({ name }) => !kernelNames.includes(name))
  return (
    <>
      <section class="kernels" aria-label="Kernels">
        {kernels.map((view) => (
          <TensorView key={view.name} view={view} largest={view.name === 'slope' ? 8 : 12} />
        ))}
        {kernels[1] && <Legend scale="signed" limit={kernels[1].limit} values={kernels[1].values} label="weights" />}
      </section>
      <Chart
        losses={shown?.losses ?? []}
        accuracies={shown?.accuracies ?? new Map()}
        step={shown?.frame.step ?? 0}
        onSeek={(step) => training.seek(nearest(shown?.frame.kept ?? [0], step))}
      />
      <section class="maps" aria-label="One picture through the network">
        {picture && <TensorView view={picture} largest={4} />}
        {shown && <Answers classes={shown.facts.classes} shares={shown.frame.shares} label={shown.frame.label} />}
        {maps.map((view, layer) => (
          <TensorView key={layer} view={view} largest={pitchOf(view)} />
        ))}
      </section>
    </>
  )
}

/** The network as it stands, on the page Inspect. */
async function inspect(): Promise<void> {
  keepTrained(await training.save())
  location.href = '../inspect/#m=trained'
}

/** So that maps of every layer are about as large, however coarse. */
const pitchOf = ({ tiles }: View) => Math.max(1, Math.floor(60 / tiles!.columns))

/** The kept step next to a step. */
const nearest = (kept: readonly number[], step: number) =>
  kept.reduce((best, other) => (Math.abs(other - step) < Math.abs(best - step) ? other : best), 0)

interface ControlsProps {
  readonly state: TrainState
  readonly size: number
}

const names = (entries: Readonly<Record<string, string>>) =>
  Object.entries(entries).map(([value, label]) => ({ value, label }))

function Controls({ state, size }: ControlsProps) {
  const { change } = page
  return (
    <div class="controls">
      <Choice
        label="pictures to learn"
        options={[
          { value: 'digits', label: 'digits' },
          { value: 'shapes', label: 'shapes' },
        ]}
        value={state.data}
        onChange={(data) => change({ data })}
      />
      <Select
        label="network"
        options={names(networkNames)}
        value={state.net as string}
        onChange={(net) => change({ net: net as TrainState['net'] })}
      />
      <Choice
        label="optimiser"
        options={[
          { value: 'adam', label: 'Adam' },
          { value: 'momentum', label: 'momentum' },
          { value: 'sgd', label: 'plain' },
        ]}
        value={state.opt}
        onChange={(opt) => change({ opt })}
      />
      <Select
        label="learning rate"
        options={rates(state.lr).map((rate) => ({ value: String(rate), label: String(rate) }))}
        value={String(state.lr)}
        onChange={(lr) => change({ lr: Number(lr) })}
      />
      <Choice
        label="stop when so many held-out pictures are right"
        options={(['off', '90', '95', '96', '97', '98'] as const).map((value) => ({
          value,
          label: value === 'off' ? 'never' : `${value}%`,
        }))}
        value={state.stop}
        onChange={(stop) => change({ stop })}
      />
      <details class="more">
        <summary>Batch and seed</summary>
        <Slider
          label="batch"
          value={state.batch}
          min={1}
          max={256}
          unit="pictures"
          onChange={(batch, how) => how === 'commit' && change({ batch })}
        />
        <Slider
          label="seed"
          value={state.seed}
          min={0}
          max={9999}
          onChange={(seed, how) => how === 'commit' && change({ seed })}
        />
      </details>
      <Slider
        label="picture"
        value={state.img}
        min={0}
        max={heldOutCounts[state.data] - 1}
        onChange={(img, how) => {
          drawing.value = null
          change({ img }, how)
        }}
      />
      <div class="control">
        <p class="label">or draw one {drawn.value ? '(this link doesn\u2019t hold your drawing)' : ''}</p>
        <DrawPad
          size={size}
          centre={state.data === 'digits'}
          onDraw={(picture) => {
            drawing.value = { data: state.data, picture }
          }}
        />
      </div>
    </div>
  )
}

const usualRates = [0.001, 0.003, 0.01, 0.03, 0.05, 0.1, 0.3, 1]
const rates = (own: number) => [...new Set([...usualRates, own])].sort((a, b) => a - b)

mount(<Page />)
