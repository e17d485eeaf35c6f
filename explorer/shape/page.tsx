import { computed, signal } from '@preact/signals'
import type { View } from '../shared/frame.ts'
import { Choice, Select, Slider, Toggle } from '../shared/parts/controls.tsx'
import { Equation } from '../shared/parts/equation.tsx'
import { Figure } from '../shared/parts/figure.tsx'
import { Legend } from '../shared/parts/legend.tsx'
import { mount } from '../shared/parts/mount.tsx'
import { Player } from '../shared/parts/player.tsx'
import type { Cell } from '../shared/parts/view.tsx'
import { flatAt, positionAt, sheetOf } from '../shared/sheet.ts'
import { type Change, pageState } from '../shared/state.ts'
import { shapeCode } from './code.ts'
import { type Focus, positionOf, type Side, shapeModel } from './model.ts'
import { axesOf, mostInput, mostKernel, mostPad, rankOf, type ShapeState, shapePresets, shapeSchema } from './state.ts'

const page = pageState(shapeSchema)
const focus = signal<Focus | null>(null)
const frame = computed(() => shapeModel(page.state.value, focus.value))

function change(part: Partial<ShapeState>, how?: Change): void {
  focus.value = null
  page.change(part, how)
}

function ShapePage() {
  const state = page.state.value
  const { problem, views, tensors } = frame.value
  return (
    <Figure
      page={page}
      frame={frame.value}
      presets={shapePresets}
      code={problem === undefined ? shapeCode(state) : undefined}
      label="Input, kernel and output of a convolution"
    >
      <div class="stage">
        {tensors && (
          <Equation
            rows={[views.slice(0, 3), views.slice(3)]}
            signs={state.t && state.w === 'scatter' ? ['\u00d7', '='] : ['\u2217', '=']}
            largest={rankOf(state) === 3 ? 24 : 40}
            onPoint={point}
            onPick={choose}
          />
        )}
        {tensors && <Under state={state} />}
      </div>
      <Controls state={state} />
    </Figure>
  )
}

const isSide = (name: string): name is Side => name === 'input' || name === 'kernel' || name === 'output'

function point(view: View, cell: Cell | null): void {
  const tensor = isSide(view.name) && frame.value.tensors?.[view.name]
  const flat = tensor && cell ? sheetOf(tensor.shape).flatOf(cell.row * view.columns + cell.column) : undefined
  const next = flat === undefined ? null : { side: view.name as Side, flat }
  if (next?.side !== focus.value?.side || next?.flat !== focus.value?.flat) focus.value = next
}

function choose(view: View, cell: Cell): void {
  if (view.name !== 'output') return
  const at = positionOf(frame.value.tensors!.output, cell.row * view.columns + cell.column)
  if (at?.every((n) => n >= 0)) page.change({ at })
}

/** Steps through the outputs; the colours' legend. */
function Under({ state }: { state: ShapeState }) {
  const { output } = frame.value.tensors!
  const inner = output.shape.map((size, a) => size + Math.min(output.first[a]!, 0))
  const at = inner.map((size, a) => Math.min(state.at?.[a] ?? 0, size - 1))
  const shown = frame.value.views[2]!
  const pointed = focus.value?.side === 'output' ? sheetOf(output.shape).cellOf(focus.value.flat) : undefined
  return (
    <div class="under">
      <Player
        label="output"
        value={flatAt(inner, at)}
        count={inner.reduce((count, size) => count * size, 1)}
        onStep={(flat, how) => change({ at: positionAt(inner, flat) }, how)}
      />
      <Legend
        scale={shown.scale}
        limit={shown.limit}
        values={shown.values}
        at={pointed === undefined ? undefined : shown.values[pointed]}
        label={shown.scale === 'heat' ? 'how often used' : 'colours of all grids; bars: the output'}
      />
    </div>
  )
}

function Controls({ state }: { state: ShapeState }) {
  const rank = rankOf(state) as 1 | 2 | 3
  const fixed = 'the strategy decides it: choose "own" to set it'
  const own = state.p === 'own'
  return (
    <div class="controls">
      <div class="pair">
        <Choice
          label="axes"
          value={state.v}
          options={(['1', '2', '3'] as const).map((value) => ({ value, label: `${value}D` }))}
          onChange={(v) => change({ v, at: null, ...(v === '3' ? { i: state.i.map((n) => Math.min(n, 5)) } : {}) })}
        />
        <Choice
          label="operation"
          value={state.t ? '1' : '0'}
          options={[
            { value: '0', label: 'conv' },
            { value: '1', label: 'transposed' },
          ]}
          onChange={(t) => change({ t: t === '1', at: null })}
        />
      </div>
      <Sizes state={state} name="i" label="input" min={1} max={state.t ? mostInput[rank] / 2 : mostInput[rank]} />
      <Sizes state={state} name="k" label="kernel" min={1} max={mostKernel[rank]} />
      <Sizes state={state} name="s" label="stride" min={1} max={rank === 3 ? 3 : 6} />
      <Sizes state={state} name="d" label="dilation" min={1} max={rank === 3 ? 2 : 4} />
      <Select
        label="padding"
        value={state.p}
        options={[
          { value: 'own', label: 'own: set below' },
          { value: 'valid', label: 'valid: none' },
          { value: 'same', label: 'same: output = \u2308input / stride\u2309' },
          { value: 'sameLower', label: 'same, odd zero in front' },
          { value: 'full', label: 'full: every overlap' },
          { value: 'causal', label: 'causal: in front only' },
        ]}
        onChange={(p) => change({ p })}
      />
      {own && <Sizes state={state} name="lo" label="before" min={0} max={mostPad[rank]} />}
      {own && <Sizes state={state} name="hi" label="behind" min={0} max={mostPad[rank]} />}
      {!own && <p class="why">before, behind: {fixed}</p>}
      {state.t ? <TransposedControls state={state} /> : <BorderChoice state={state} />}
      <Choice
        label="cells show"
        value={state.o}
        options={[
          { value: 'val', label: 'values' },
          { value: 'use', label: 'use counts' },
        ]}
        onChange={(o) => change({ o })}
      />
      <Choice
        label="backward pass"
        value={state.b}
        options={[
          { value: 'off', label: 'off' },
          { value: 'one', label: 'from one output' },
          { value: 'all', label: 'from all' },
        ]}
        onChange={(b) => change({ b })}
      />
    </div>
  )
}

type SizeName = 'i' | 'k' | 's' | 'd' | 'lo' | 'hi' | 'op'

interface SizesProps {
  readonly state: ShapeState
  readonly name: SizeName
  readonly label: string
  readonly min: number
  readonly max: number
}

const axisNames = { 1: ['time'], 2: ['rows', 'columns'], 3: ['slices', 'rows', 'columns'] }

/** One slider for all axes, or, unlocked, one for each. */
function Sizes({ state, name, label, min, max }: SizesProps) {
  const rank = rankOf(state) as 1 | 2 | 3
  const sizes = state[name]
  const set = (value: readonly number[], how: Change) => change({ [name]: value } as Partial<ShapeState>, how)
  const locked = sizes.length === 1
  return (
    <div class="sizes">
      {locked ? (
        <Slider label={label} value={sizes[0]!} min={min} max={max} onChange={(value, how) => set([value], how)} />
      ) : (
        axesOf(state, sizes).map((size, axis) => (
          <Slider
            key={axisNames[rank][axis]}
            label={`${label}, ${axisNames[rank][axis]}`}
            value={size}
            min={min}
            max={max}
            onChange={(value, how) =>
              set(
                axesOf(state, sizes).map((old, a) => (a === axis ? value : old)),
                how,
              )
            }
          />
        ))
      )}
      {rank > 1 && (
        <button
          type="button"
          class="lock"
          aria-pressed={locked}
          aria-label={`${label}: one number for all axes`}
          title={locked ? 'one number for all axes' : 'each axis its own'}
          onClick={() => set(locked ? axesOf(state, sizes) : [sizes[0]!], 'commit')}
        >
          {locked ? '=' : '\u2260'}
        </button>
      )}
    </div>
  )
}

function BorderChoice({ state }: { state: ShapeState }) {
  return (
    <Select
      label="what stands there"
      value={state.pa}
      options={(['zero', 'reflect', 'symmetric', 'replicate', 'circular'] as const).map((value) => ({
        value,
        label: value,
      }))}
      onChange={(pa) => change({ pa })}
    />
  )
}

function TransposedControls({ state }: { state: ShapeState }) {
  const limit = Math.max(...axesOf(state, state.s), ...axesOf(state, state.d)) - 1
  return (
    <>
      {limit === 0 ? (
        <p class="why">output padding: only with stride or dilation above 1</p>
      ) : (
        <Sizes state={state} name="op" label="out. padding" min={0} max={Math.min(limit, 5)} />
      )}
      <Toggle
        label="as an ordinary convolution (gather)"
        checked={state.w === 'gather'}
        onChange={(gather) => change({ w: gather ? 'gather' : 'scatter' })}
      />
    </>
  )
}

mount(<ShapePage />)
