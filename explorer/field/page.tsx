import { computed, effect, signal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import chelsea from '../photo/chelsea.webp?url'
import type { View } from '../shared/frame.ts'
import { Choice } from '../shared/parts/controls.tsx'
import { Figure } from '../shared/parts/figure.tsx'
import { Legend } from '../shared/parts/legend.tsx'
import { mount } from '../shared/parts/mount.tsx'
import { type Cell, TensorView } from '../shared/parts/view.tsx'
import { fetchPicture, type Picture, PictureError } from '../shared/picture.ts'
import { rehearse } from '../shared/rehearse.ts'
import { pageState } from '../shared/state.ts'
import { code } from './code.ts'
import { picturesFor } from './effective.ts'
import { planOf, side } from './layers.ts'
import { frameOf, theoryOf, unitNear } from './model.ts'
import { wholePicture } from './pictures.ts'
import { Stack } from './stack.tsx'
import { type FieldState, presets, page as schema, unitOf } from './state.ts'
import type { Answer, Question } from './worker.ts'

const page = pageState(schema)
const photo = signal<Picture | null>(null)
const trouble = signal('')
/** The last gradient that came, with the state it belongs to. */
const answered = signal<{ job: string; gradient: Float32Array } | null>(null)

const shown = computed(() => (photo.value ? wholePicture(photo.value) : new Float32Array(side * side)))

const job = computed(() => schema.print(page.state.value))
const current = computed(() => (answered.value?.job === job.value ? answered.value.gradient : undefined))
const theory = computed(() => theoryOf(page.state.value, shown.value))
const frame = computed(() => frameOf(theory.value, current.value, picturesFor(page.state.value)))
/** The effective field that was shown last: it stays, faint, until the next is there. */
let last: View | undefined

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
let asked = 0
let askedJob = ''

worker.onmessage = ({ data }: MessageEvent<Answer>) => {
  if (data.id !== asked) return
  if ('error' in data) trouble.value = data.error
  else answered.value = { job: askedJob, gradient: data.gradient }
}
worker.onerror = () => {
  trouble.value = 'The worker that computes gradients could not start.'
}

effect(() => {
  const state = page.state.value
  if (!photo.value || state.l.length === 0) return
  trouble.value = ''
  askedJob = job.value
  const question: Question = { id: ++asked, network: { l: state.l, w: state.w }, unit: unitOf(state) }
  worker.postMessage(asked === 1 ? { ...question, photo: photo.value } : question)
})

fetchPicture(chelsea, 384).then(
  (picture) => {
    photo.value = picture
  },
  (error: unknown) => {
    trouble.value = error instanceof PictureError ? error.message : String(error)
  },
)

function FieldPage() {
  const state = page.state.value
  const controls = useMemo(() => <Controls state={state} />, [state])
  return (
    <Figure
      page={page}
      frame={frame.value}
      presets={presets}
      code={code(state, unitOf(state))}
      busy={!current.value && !trouble.value && state.l.length > 0}
      label="What one unit sees of a picture, in theory and in effect"
    >
      <div class="stage">
        <Views state={state} />
        {trouble.value && (
          <p class="why" role="alert">
            {trouble.value}
          </p>
        )}
      </div>
      {controls}
    </Figure>
  )
}

function Controls({ state }: { state: FieldState }) {
  return (
    <div class="controls">
      <Stack layers={state.l} onChange={(l) => page.change({ l, at: null })} />
      <Choice
        label="Weights"
        options={[
          { value: 'relu', label: 'random, ReLU' },
          { value: 'linear', label: 'random, no ReLU' },
          { value: 'ones', label: 'ones: count ways' },
        ]}
        value={state.w}
        onChange={(w) => page.change({ w })}
      />
    </div>
  )
}

function Views({ state }: { state: FieldState }) {
  const views = new Map(frame.value.views.map((view) => [view.name, view]))
  const [picture, cone] = [views.get('picture'), views.get('cone')]
  const effective = views.get('effective') ?? last
  last = effective
  const choose = ({ row, column }: Cell) => {
    const plan = planOf(state.l)
    page.change({ at: [unitNear(plan, row), unitNear(plan, column)] })
  }
  if (!picture || !cone) return null
  return (
    <>
      <div class="fields">
        <div class="room">
          <TensorView view={picture} largest={4} onPick={choose} />
        </div>
        <div class={`room ${views.has('effective') ? '' : 'stale'}`}>
          {effective ? <TensorView view={effective} largest={40} /> : <p class="waiting">Taking gradients…</p>}
          {effective && <Legend scale="heat" limit={effective.limit} values={effective.values} label="gradient" />}
        </div>
      </div>
      <div class="cone">
        <TensorView view={cone} largest={32} />
      </div>
    </>
  )
}

mount(<FieldPage />)
const even = new Float32Array(side * side).fill(1)
rehearse(
  presets.map(
    ({ fragment }) =>
      () =>
        frameOf(theoryOf(schema.read(fragment).state, even), even).views,
  ),
)
