import { computed } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { createPortal } from 'preact/compat'
import { Choice, Slider } from '../shared/parts/controls.tsx'
import { Figure } from '../shared/parts/figure.tsx'
import { Legend } from '../shared/parts/legend.tsx'
import { mount } from '../shared/parts/mount.tsx'
import { type Cell, TensorView } from '../shared/parts/view.tsx'
import { pageState } from '../shared/state.ts'
import { minis, model } from './model.ts'
import { type OverviewState, presets, page as schema } from './state.ts'

const page = pageState(schema)
const figures = computed(() => minis(page.state.value))
const frame = computed(() => model(page.state.value))

/** Cells of each small figure, px. */
const sizes: Record<string, number> = {
  map: 6,
  stride: 24,
  padding: 32,
  border: 40,
  separable: 16,
  dilation: 24,
  transposed: 24,
  number: 40,
}

function Views({ name, onPoint }: { name: string; onPoint?: (view: string, cell: Cell | null) => void }) {
  const mini = figures.value.find((one) => one.name === name)!
  return (
    <div class="mini-views">
      {mini.views.map((view) => (
        <TensorView
          key={view.name}
          view={view}
          largest={view.name === 'kernel' ? 40 : sizes[name]!}
          onPick={(cell) => onPoint?.(view.name, cell)}
        />
      ))}
    </div>
  )
}

const says = (name: string) => figures.value.find((one) => one.name === name)!.text

/** The figures of the sections; portals, since ids are unique within one tree only. */
const places = [...document.querySelectorAll<HTMLElement>('[data-mini]')]
for (const place of places) place.replaceChildren()

function Overview() {
  const { k } = page.state.value
  const map = figures.value[0]!.views[2]!
  return (
    <>
      <Figure page={page} frame={frame.value} presets={presets} label="A photo, a kernel and the feature map">
        <div class="stage">
          <Views name="map" />
          <div class="under-map">
            <Choice
              label="Kernel"
              options={[
                { value: 'sobelX', label: 'vertical edges' },
                { value: 'sobelY', label: 'horizontal edges' },
                { value: 'laplace', label: 'lines' },
                { value: 'blur', label: 'blur' },
              ]}
              value={k}
              onChange={(chosen) => page.change({ k: chosen })}
            />
            <Legend scale="signed" limit={map.limit} values={map.values} label="feature map" />
          </div>
          <p class="says">
            {says('map')} <a href="./photo/">Your own photo, larger kernels</a>
          </p>
        </div>
      </Figure>
      {places.map((place) => createPortal(<MiniFigure name={place.dataset.mini!} />, place))}
    </>
  )
}

type NumberKey = 'at' | 's' | 'g' | 'd' | 't'

const slider = (key: NumberKey, label: string, min: number, max: number, unit?: string) => (
  <Slider
    label={label}
    value={page.state.value[key]}
    min={min}
    max={max}
    {...(unit ? { unit } : {})}
    onChange={(value, how) => page.change({ [key]: value } as Partial<OverviewState>, how)}
  />
)

const choice = <K extends 'p' | 'e'>(key: K, label: string, options: readonly OverviewState[K][]) => (
  <Choice
    label={label}
    options={options.map((value) => ({ value, label: value === 'zero' ? 'zeros' : value }))}
    value={page.state.value[key]}
    onChange={(value) => page.change({ [key]: value } as Partial<OverviewState>)}
  />
)

const controls: Record<string, () => ComponentChildren> = {
  number: () => slider('at', 'result', 0, 8),
  stride: () => slider('s', 'stride', 1, 3, 'px'),
  padding: () => choice('p', 'Padding', ['valid', 'same', 'full']),
  border: () => choice('e', 'Outside stand', ['zero', 'reflect', 'symmetric', 'replicate', 'circular']),
  separable: () => <Groups />,
  dilation: () => slider('d', 'dilation', 1, 4, 'px'),
  transposed: () => slider('t', 'stride', 1, 3, 'px'),
}

function Groups() {
  const { g } = page.state.value
  return (
    <Choice
      label="Groups"
      options={['1', '2', '4', '8'].map((value) => ({ value, label: value }))}
      value={String(2 ** g)}
      onChange={(value) => page.change({ g: Math.log2(Number(value)) })}
    />
  )
}

function MiniFigure({ name }: { name: string }) {
  const point = (view: string, { row, column }: Cell) => {
    if (view === 'result') page.change({ at: 3 * row + column })
  }
  return (
    <div class="room">
      <Views name={name} onPoint={(view, cell) => cell && point(view, cell)} />
      <div class="mini-control">{controls[name]!()}</div>
      <p class="says" aria-live="polite">
        {says(name)}
      </p>
    </div>
  )
}

mount(<Overview />)
