import { computed, signal } from '@preact/signals'
import type { View } from '../shared/frame.ts'
import { Choice, Slider } from '../shared/parts/controls.tsx'
import { Equation } from '../shared/parts/equation.tsx'
import { Figure } from '../shared/parts/figure.tsx'
import { Legend } from '../shared/parts/legend.tsx'
import { mount } from '../shared/parts/mount.tsx'
import type { Cell } from '../shared/parts/view.tsx'
import { pageState } from '../shared/state.ts'
import { bordersCode } from './code.ts'
import { bordersModel } from './model.ts'
import { type BordersState, bordersPresets, bordersSchema, modes } from './state.ts'

const page = pageState(bordersSchema)
const pointed = signal<readonly [number, number] | null>(null)
const frame = computed(() => bordersModel(page.state.value, pointed.value))

function point(_: View, cell: Cell | null): void {
  const next = cell && ([cell.row, cell.column] as const)
  if (String(next) !== String(pointed.value)) pointed.value = next
}

function change(part: Partial<BordersState>, how?: 'drag' | 'commit'): void {
  pointed.value = null
  page.change(part, how)
}

function BordersPage() {
  const state = page.state.value
  const { views } = frame.value
  return (
    <Figure
      page={page}
      frame={frame.value}
      presets={bordersPresets}
      code={bordersCode(state)}
      label="Five borders of one picture"
    >
      <div class="stage">
        <Controls state={state} />
        <Equation
          rows={[views.slice(0, 3), [views[3]!, views[4]!, null]]}
          signs={[]}
          largest={24}
          onPoint={point}
          onPick={(_, { row, column }) => change({ at: [row, column] })}
        />
        <div class="counts">
          <h2>How often is each cell read?</h2>
          <div class="controls-row">
            <Choice
              label="border (of the counts and the code)"
              value={state.pa}
              options={modes.map((value) => ({ value, label: value }))}
              onChange={(pa) => change({ pa })}
            />
            <Slider
              label="kernel"
              value={state.k}
              min={1}
              max={Math.min(7, state.n)}
              onChange={(k, how) => change({ k }, how)}
            />
            <Slider label="stride" value={state.s} min={1} max={4} onChange={(s, how) => change({ s }, how)} />
          </div>
          <Equation rows={[views.slice(5)]} signs={[]} largest={32} />
          <Legend scale="heat" limit={views[5]!.limit} label="outputs that read a cell" />
        </div>
      </div>
    </Figure>
  )
}

function Controls({ state }: { state: BordersState }) {
  return (
    <div class="controls-row">
      <Choice
        label="picture"
        value={state.x}
        options={[
          { value: 'letter', label: 'letter F' },
          { value: 'numbers', label: 'numbers' },
          { value: 'slope', label: 'slope' },
        ]}
        onChange={(x) => change({ x })}
      />
      <Slider label="input" value={state.n} min={2} max={8} unit="cells" onChange={(n, how) => change({ n }, how)} />
      <Slider label="border" value={state.p} min={0} max={8} unit="cells" onChange={(p, how) => change({ p }, how)} />
    </div>
  )
}

mount(<BordersPage />)
