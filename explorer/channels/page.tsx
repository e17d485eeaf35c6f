import { computed, effect, signal } from '@preact/signals'
import type { View } from '../shared/frame.ts'
import { counted, decimals, grouped } from '../shared/numbers.ts'
import { Slider, Toggle } from '../shared/parts/controls.tsx'
import { Figure } from '../shared/parts/figure.tsx'
import { mount } from '../shared/parts/mount.tsx'
import { type Cell, TensorView } from '../shared/parts/view.tsx'
import { pageState } from '../shared/state.ts'
import { code } from './code.ts'
import type { Measured } from './measure.ts'
import { type Design, designs, model, ratioText, readingOf } from './model.ts'
import { type ChannelState, groupsOf, presets, page as schema } from './state.ts'
import type { Answer, Question } from './worker.ts'

const page = pageState(schema)
const frame = computed(() => model(page.state.value))
/** Times of the standard layer and of the chosen design; null while they are measured. */
const times = signal<readonly [Measured, Measured] | null>(null)
const trouble = signal('')
const pointed = signal<{ view: string; cell: Cell } | null>(null)

/** Layers that would take seconds aren't timed. */
const mostMacs = 4e9
const tooLarge = computed(() => designs(page.state.value).standard.macs > mostMacs)

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
let asked = 0

worker.onmessage = ({ data }: MessageEvent<Answer>) => {
  if (data.id !== asked) return
  if ('error' in data) trouble.value = data.error
  else times.value = [data.times[0]!, data.times[1]!]
}
worker.onerror = () => {
  trouble.value = 'The worker that measures could not start.'
}

/** The numbers that change the time. */
const job = computed(() => {
  const { ci, co, k, n, g, pw } = page.state.value
  return JSON.stringify([ci, co, k, n, g, pw])
})

effect(() => {
  void job.value
  times.value = null
  trouble.value = ''
  const id = ++asked
  if (tooLarge.value) return
  const { standard, chosen } = designs(page.state.peek())
  const layersOf = ({ layers }: Design) =>
    layers.map(({ spec }) => ({
      input: spec.input,
      kernel: spec.kernel,
      inChannels: spec.inChannels,
      outChannels: spec.outChannels,
      groups: spec.groups,
    }))
  const question: Question = { id, designs: [layersOf(standard), layersOf(chosen)], budget: 250 }
  // while a slider is dragged nothing is measured
  setTimeout(() => id === asked && worker.postMessage(question), 150)
})

function ChannelsPage() {
  const state = page.state.value
  return (
    <Figure
      page={page}
      frame={frame.value}
      presets={presets}
      code={code(state)}
      label="Connections and cost of a standard layer and of a cheaper design"
    >
      <div class="stage">
        <Matrices views={frame.value.views} state={state} />
        <Costs state={state} />
      </div>
      <Controls state={state} />
    </Figure>
  )
}

function Matrices({ views, state }: { views: readonly View[]; state: ChannelState }) {
  // all matrices to the same scale: at most as many columns and rows as the standard one
  const rows = Math.max(...views.map((view) => view.rows))
  const columns = views.reduce((sum, view) => sum + view.columns, 0)
  const size = Math.max(1, Math.min(24, Math.floor(640 / columns), Math.floor(320 / rows)))
  const grid = (view: View) => (
    <TensorView
      key={view.name}
      view={view}
      largest={size}
      onPoint={(cell) => {
        pointed.value = cell && { view: view.name, cell }
      }}
    />
  )
  const at = pointed.value
  const reading = at && readingOf(state, at.view, at.cell)
  return (
    <>
      <div class="matrices">
        {grid(views[0]!)}
        <span class="then">or</span>
        {grid(views[1]!)}
        {views[2] && <span class="then">then</span>}
        {views[2] && grid(views[2])}
      </div>
      <p class="reading">
        {reading ??
          'Rows are output channels, columns input channels; colour: weights between the two, none where it is empty.'}
      </p>
    </>
  )
}

function Costs({ state }: { state: ChannelState }) {
  const { standard, chosen } = designs(state)
  const measured = times.value
  const most = measured ? Math.max(measured[0].least, measured[1].least) : 1
  const parameters = Math.max(standard.parameters, chosen.parameters)
  const macs = Math.max(standard.macs, chosen.macs)
  const row = (one: Design, other: Design | null, i: number) => (
    <tr class={i === 1 ? 'chosen' : ''}>
      <th scope="row">{one.name}</th>
      <Bar
        name="parameters"
        share={one.parameters / parameters}
        text={grouped(one.parameters)}
        saved={other && ratioText(other.parameters, one.parameters)}
      />
      <Bar
        name="multiply-adds"
        share={one.macs / macs}
        text={counted(one.macs)}
        saved={other && ratioText(other.macs, one.macs)}
      />
      {measured ? (
        <Bar
          name="measured here"
          share={measured[i]!.least / most}
          text={`${decimals(measured[i]!.least, 3)} ms`}
          saved={speedText(one, other, measured[i]!, measured[0])}
        />
      ) : (
        <td data-name="measured here" class="saved">
          {trouble.value || (tooLarge.value ? 'too large to time here' : 'measuring…')}
        </td>
      )}
    </tr>
  )
  return (
    <table class="bars" data-timed={measured ? 'yes' : 'no'}>
      <thead>
        <tr>
          <th scope="col">layers</th>
          <th scope="col" class="measure">
            parameters
          </th>
          <th scope="col" class="measure">
            multiply-adds
          </th>
          <th scope="col" class="measure">
            measured here, best of many runs
          </th>
        </tr>
      </thead>
      <tbody>
        {row(standard, null, 0)}
        {row(chosen, standard, 1)}
      </tbody>
    </table>
  )
}

/** `2.1 times less; 45 G/s`: multiply-adds a second say why time isn't saved as they are. */
function speedText({ macs }: Design, other: Design | null, own: Measured, standard: Measured): string {
  const speed = `${counted(macs / (own.least / 1000))}/s`
  return other ? `${ratioText(standard.least, own.least)}; ${speed}` : speed
}

interface BarProps {
  readonly name: string
  readonly share: number
  readonly text: string
  readonly saved: string | null
}

function Bar({ name, share, text, saved }: BarProps) {
  return (
    <td data-name={name}>
      <span class="bar" style={{ width: `${Math.max(100 * share, 0.5)}%` }} />
      <span class="number">{text}</span> {saved && <span class="saved">{saved}</span>}
    </td>
  )
}

function Controls({ state }: { state: ChannelState }) {
  const groups = groupsOf(state)
  const index = groups.indexOf(state.g)
  const give = <K extends keyof ChannelState>(key: K) => ({
    value: state[key] as number,
    onChange: (value: number, how: 'drag' | 'commit') => page.change({ [key]: value } as Partial<ChannelState>, how),
  })
  return (
    <div class="controls">
      <div class="control slider groups">
        <label for="groups">groups</label>
        <input
          id="groups"
          type="range"
          min={0}
          max={groups.length - 1}
          value={index}
          aria-valuetext={`${state.g} groups`}
          onInput={(event) => page.change({ g: groups[Number(event.currentTarget.value)]! }, 'drag')}
          onChange={(event) => page.change({ g: groups[Number(event.currentTarget.value)]! })}
        />
        <output for="groups">{state.g}</output>
      </div>
      <Toggle label="then a pointwise 1×1 layer" checked={state.pw} onChange={(pw) => page.change({ pw })} />
      <Slider label="channels in" min={1} max={256} {...give('ci')} />
      <Slider label="channels out" min={1} max={256} {...give('co')} />
      <Slider label="kernel" min={1} max={9} unit="px" {...give('k')} />
      <Slider label="input side" min={1} max={112} unit="px" {...give('n')} />
      <Toggle label="biases" checked={state.bias} onChange={(bias) => page.change({ bias })} />
    </div>
  )
}

mount(<ChannelsPage />)
