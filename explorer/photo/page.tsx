import { computed, effect, signal } from '@preact/signals'
import { useState } from 'preact/hooks'
import type { View } from '../shared/frame.ts'
import { decimals } from '../shared/numbers.ts'
import { Choice, Select, Slider } from '../shared/parts/controls.tsx'
import { Equation } from '../shared/parts/equation.tsx'
import { Figure } from '../shared/parts/figure.tsx'
import { Legend } from '../shared/parts/legend.tsx'
import { mount } from '../shared/parts/mount.tsx'
import { type Cell, TensorView } from '../shared/parts/view.tsx'
import { pageState, started } from '../shared/state.ts'
import { code } from './code.ts'
import { chosenAt, compute, frameOf, greyOf, type Result, settingsOf } from './frame.ts'
import { fromPatch, type Kernel, type KernelName, kernelNames, kernels, maxSize, nameOf, resize } from './kernels.ts'
import { type FeatureMap, patchAt, sizeOf } from './model.ts'
import { filming, followPhoto, showFile, showPhoto, source, toggleCamera, trouble } from './source.ts'
import {
  edges,
  modes,
  norms,
  type PhotoState,
  photoNames,
  photos,
  presets,
  roundWeight,
  page as schema,
} from './state.ts'

const page = pageState(schema)
const result = signal<Result | null>(null)
const busy = signal(true)
/** Row and column of the result under the pointer. */
const pointed = signal<readonly [number, number] | null>(null)
const empty = { views: [], facts: [], speak: '' }
const frame = computed(() => (result.value ? frameOf(result.value, pointed.value) : empty))

/** By itself: another kernel must not load the photo again. */
const name = computed(() => page.state.value.p)
followPhoto(() => name.value)

let running = false
let again = false

/** Computes until nothing has changed meanwhile: of many changes only the last counts. */
async function update(): Promise<void> {
  again = true
  if (running) return
  running = true
  busy.value = true
  while (again && source.value) {
    again = false
    started()
    const { picture } = source.value
    const known = result.peek()
    const grey = known?.picture === picture ? known.grey : greyOf(picture)
    result.value = await compute(page.state.value, picture, grey)
  }
  running = false
  busy.value = false
}

effect(() => {
  const { p } = page.state.value
  const shown = source.value
  const waits = shown?.name !== undefined && shown.name !== p && trouble.value === ''
  // another photo is on its way: nothing is computed of the one before
  if (waits) busy.value = true
  else if (shown) void update()
})

function PhotoPage() {
  const [dropping, setDropping] = useState(false)
  const over = (event: DragEvent) => {
    event.preventDefault()
    setDropping(true)
  }
  const drop = (event: DragEvent) => {
    event.preventDefault()
    setDropping(false)
    const file = event.dataTransfer?.files[0]
    if (file) void showFile(file)
  }
  const shown = result.value
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping a file is a short cut for the button
    <div class={dropping ? 'dropping' : ''} onDragOver={over} onDragLeave={() => setDropping(false)} onDrop={drop}>
      <Figure
        page={page}
        frame={frame.value}
        presets={presets}
        code={shown ? code(shown.state, shown.picture) : undefined}
        busy={busy.value}
        label="A photo, a kernel and what it makes of the photo"
      >
        <div class="stage">
          {shown && <Stage shown={shown} views={frame.value.views} />}
          {trouble.value && (
            <p class="why" role="alert">
              {trouble.value}
            </p>
          )}
        </div>
        <Controls state={page.state.value} />
      </Figure>
    </div>
  )
}

/** The result whose kernel lies around a pixel of the photo. */
function resultAt({ row, column }: Cell, { state, grey, map }: Result): [number, number] {
  const { padLow } = sizeOf(grey, settingsOf(state))
  const middle = (state.k.length - 1) / 2
  const near = (at: number, low: number, size: number) =>
    Math.min(Math.max(Math.round((at - middle + low) / state.s), 0), size - 1)
  return [near(row, padLow[0], map.height), near(column, padLow[1], map.width)]
}

/** Cells of the sum, px: all three squares side by side. */
const cellSize = (size: number) => (size <= 3 ? 40 : size <= 5 ? 32 : size <= 7 ? 24 : size <= 11 ? 16 : 12)

function Stage({ shown, views }: { shown: Result; views: readonly View[] }) {
  const [before, after, patch, kernel, products] = views as [View, View, View, View, View]
  const at = chosenAt(shown, pointed.value)
  const value = after.values[at[0] * after.columns + at[1]]!
  const pin = (place: readonly number[]) => page.change({ at: place })
  const picture = shown.state.m === 'clip'
  const sum = shown.map.data[at[0] * shown.map.width + at[1]]!
  return (
    <>
      <div class="pair">
        <div class="room">
          <TensorView
            view={before}
            largest={2}
            onPoint={(cell) => {
              pointed.value = cell && resultAt(cell, shown)
            }}
            onPick={(cell) => pin(resultAt(cell, shown))}
          />
          <PhotoTools />
        </div>
        <div class="room">
          <TensorView
            view={after}
            largest={2}
            onPoint={(cell) => {
              pointed.value = cell && [cell.row, cell.column]
            }}
            onPick={(cell) => pin([cell.row, cell.column])}
          />
          {!picture && <Legend scale="signed" limit={after.limit} values={after.values} at={value} label="results" />}
        </div>
      </div>
      <div class="loupe">
        <Equation
          rows={[[patch, kernel, products]]}
          signs={['×', '=']}
          largest={cellSize(shown.state.k.length)}
          onEdit={(view, cell, weight) => view === kernel && edit(cell, weight)}
        />
        <p class="sum">
          <small>{shown.state.b === 0 ? 'sum' : 'sum and bias'}</small>= {decimals(sum, 3)}
        </p>
      </div>
    </>
  )
}

function PhotoTools() {
  return (
    <div class="photo-tools">
      <label class="file">
        Your picture
        <input
          class="hidden"
          type="file"
          accept="image/png,image/jpeg,image/webp,image/gif"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0]
            if (file) void showFile(file)
            event.currentTarget.value = ''
          }}
        />
      </label>
      <button type="button" aria-pressed={filming.value} onClick={() => void toggleCamera()}>
        {filming.value ? 'Stop the webcam' : 'Webcam'}
      </button>
      <p class="credit">{source.value?.credit}</p>
    </div>
  )
}

const changed = (k: Kernel) => page.change({ k: k.map((row) => row.map(roundWeight)) })

function edit(cell: Cell, weight: number): void {
  changed(page.state.value.k.map((row, y) => row.map((w, x) => (y === cell.row && x === cell.column ? weight : w))))
}

const turned = (k: Kernel): Kernel => k.map((_, y) => k.map((row) => row[y]!).reverse())

/** A kernel made of the photo around the chosen result. */
function cut(grey: FeatureMap): void {
  const shown = result.value!
  const { k, s } = page.state.value
  const { padLow } = sizeOf(grey, settingsOf(shown.state))
  const [row, column] = chosenAt(shown)
  const middle = Math.floor(k.length / 2)
  changed(fromPatch(patchAt(grey, k.length, row * s - padLow[0] + middle, column * s - padLow[1] + middle)))
}

function Controls({ state }: { state: PhotoState }) {
  const name = nameOf(state.k)
  const options = [
    ...kernelNames.map((value) => ({ value: value as KernelName | 'own', label: kernels[value].label })),
    { value: 'own' as const, label: 'your own', why: name ? 'edit a weight' : undefined },
  ]
  return (
    <div class="controls">
      <Choice
        label="Photo"
        options={photoNames.map((value) => ({ value, label: photos[value].label }))}
        value={state.p}
        onChange={(p) => {
          page.change({ p, at: null })
          if (source.value?.name === undefined) void showPhoto(p)
        }}
      />
      <Select
        label="Kernel"
        options={options}
        value={name ?? 'own'}
        onChange={(chosen) => chosen !== 'own' && page.change({ k: kernels[chosen].make(state.k.length) })}
      />
      <Slider
        label="Size"
        value={state.k.length}
        min={1}
        max={maxSize}
        unit="px"
        onChange={(size, how) => page.change({ k: name ? kernels[name].make(size) : resize(state.k, size) }, how)}
      />
      <div class="kernel-tools">
        <button type="button" onClick={() => changed(turned(state.k))}>
          Turn ↻
        </button>
        <button type="button" onClick={() => changed(state.k.map((row) => row.map((w) => -w)))}>
          Negate
        </button>
        <button type="button" disabled={!result.value} onClick={() => cut(result.value!.grey)}>
          Cut from the photo
        </button>
      </div>
      <Choice
        label="Show the result"
        options={(Object.keys(modes) as (keyof typeof modes)[]).map((value) => ({ value, label: modes[value] }))}
        value={state.m}
        onChange={(m) => page.change({ m })}
      />
      <details class="more">
        <summary>More: bias, stride, edge, divisor</summary>
        <Slider
          label="Bias"
          value={state.b}
          min={-4}
          max={4}
          step={0.1}
          onChange={(b, how) => page.change({ b }, how)}
        />
        <Slider
          label="Stride"
          value={state.s}
          min={1}
          max={8}
          unit="px"
          onChange={(s, how) => page.change({ s, at: null }, how)}
        />
        <Select
          label="Outside the photo"
          options={(Object.keys(edges) as (keyof typeof edges)[]).map((value) => ({ value, label: edges[value] }))}
          value={state.e}
          onChange={(e) => page.change({ e })}
        />
        <Choice
          label="Divide the weights by"
          options={(Object.keys(norms) as (keyof typeof norms)[]).map((value) => ({ value, label: norms[value] }))}
          value={state.n}
          onChange={(n) => page.change({ n })}
        />
      </details>
    </div>
  )
}

mount(<PhotoPage />)
