import { computed, signal } from '@preact/signals'
import type { Matrix } from '../shared/fields.ts'
import type { View } from '../shared/frame.ts'
import { Choice, Select, Slider, Toggle } from '../shared/parts/controls.tsx'
import { Equation } from '../shared/parts/equation.tsx'
import { Figure } from '../shared/parts/figure.tsx'
import { Legend } from '../shared/parts/legend.tsx'
import { mount } from '../shared/parts/mount.tsx'
import { Player } from '../shared/parts/player.tsx'
import type { Cell } from '../shared/parts/view.tsx'
import { pageState } from '../shared/state.ts'
import { slideCode } from './code.ts'
import { slideModel, type Tap, tapAt } from './model.ts'
import { inputs, kernels, mostInput, mostKernel, type SlideState, slidePresets, slideSchema } from './state.ts'

const page = pageState(slideSchema)
const tap = signal<Tap | null>(null)
const frame = computed(() => slideModel(page.state.value, tap.value))

function SlidePage() {
  const state = page.state.value
  const { views, problem } = frame.value
  return (
    <Figure
      page={page}
      frame={frame.value}
      presets={slidePresets}
      code={problem === undefined ? slideCode(state) : undefined}
      label="One output of a convolution as a sum of products"
    >
      <div class="stage">
        {views.length > 0 && (
          <Equation
            rows={[views.slice(0, 4), [views[4]!, views[5]!, null, views[6]!]]}
            signs={['\u00d7', '=', '\u03a3']}
            onPoint={point}
            onPick={pick}
            onEdit={edit}
          />
        )}
        {views.length > 0 && <Under state={state} />}
        <Controls state={state} />
      </div>
    </Figure>
  )
}

function Under({ state }: { state: SlideState }) {
  const output = frame.value.views[3]!
  return (
    <div class="under">
      <Player
        label="output"
        value={state.n}
        count={output.rows * output.columns}
        onStep={(n, how) => page.change({ n }, how)}
      />
      <Legend
        scale="signed"
        limit={output.limit}
        values={output.values}
        at={output.values[state.n]!}
        label="colours of all grids; bars: the output"
      />
    </div>
  )
}

/** Pointing at an input, a weight or a product shows the three that belong together. */
function point(view: View, cell: Cell | null): void {
  const flat = cell === null ? null : cell.row * view.columns + cell.column
  if (flat === null) tap.value = null
  else if (view.name === 'input') tap.value = tapAt(page.state.value, flat) ?? null
  else tap.value = view.name.startsWith('output') || view.name === 'input-gradient' ? null : flat
}

function pick(view: View, cell: Cell): void {
  if (view.name.startsWith('output')) page.change({ n: cell.row * view.columns + cell.column })
}

const replaced = (matrix: Matrix, row: number, column: number, value: number): Matrix =>
  matrix.map((cells, r) => (r === row ? cells.map((old, c) => (c === column ? value : old)) : cells))

function edit(view: View, { row, column }: Cell, value: number): void {
  const { X, K, p, f } = page.state.value
  const near = Math.min(Math.max(value, -99), 99)
  if (view.name === 'input') {
    const [r, c] = [row - p, column - p]
    if (X[r]?.[c] !== undefined) page.change({ X: replaced(X, r, c, near) })
  } else if (view.name === 'kernel') {
    const [r, c] = f ? [K.length - 1 - row, K[0]!.length - 1 - column] : [row, column]
    page.change({ K: replaced(K, r, c, near) })
  }
}

const resized = (matrix: Matrix, size: number): Matrix =>
  Array.from({ length: size }, (_, r) => Array.from({ length: size }, (_, c) => matrix[r]?.[c] ?? 0))

const same = (a: Matrix, b: Matrix) => a.map((row) => row.join()).join(';') === b.map((row) => row.join()).join(';')
const own = { value: 'own', label: 'edited by you' }

function Controls({ state }: { state: SlideState }) {
  const size = Math.max(state.X.length, state.X[0]!.length)
  const names = Object.keys(inputs) as (keyof typeof inputs)[]
  const picture = names.find((name) => same(inputs[name](size), state.X))
  const kernel = Object.keys(kernels).find((name) => same(kernels[name]!, state.K))
  return (
    <div class="controls-row">
      <Select
        label="input"
        value={picture ?? 'own'}
        options={[...(picture ? [] : [own]), ...names.map((name) => ({ value: name, label: name }))]}
        onChange={(name) => name !== 'own' && page.change({ X: inputs[name as keyof typeof inputs](size) })}
      />
      <Select
        label="kernel"
        value={kernel ?? 'own'}
        options={[...(kernel ? [] : [own]), ...Object.keys(kernels).map((name) => ({ value: name, label: name }))]}
        onChange={(name) => name !== 'own' && page.change({ K: kernels[name]! })}
      />
      <Choice
        label="gradient arrives at"
        value={state.g}
        options={[
          { value: 'one', label: 'this output' },
          { value: 'all', label: 'every output' },
        ]}
        onChange={(g) => page.change({ g })}
      />
      <Toggle label="turn the kernel first (true convolution)" checked={state.f} onChange={(f) => page.change({ f })} />
      <Slider label="bias" value={state.b} min={-9} max={9} step={0.5} onChange={(b, how) => page.change({ b }, how)} />
      <Slider label="stride" value={state.s} min={1} max={4} onChange={(s, how) => page.change({ s }, how)} />
      <Slider label="padding" value={state.p} min={0} max={3} onChange={(p, how) => page.change({ p }, how)} />
      <Slider
        label="input size"
        value={size}
        min={1}
        max={mostInput}
        onChange={(n, how) => page.change({ X: picture ? inputs[picture](n) : resized(state.X, n) }, how)}
      />
      <Slider
        label="kernel size"
        value={Math.max(state.K.length, state.K[0]!.length)}
        min={1}
        max={mostKernel}
        onChange={(n, how) => page.change({ K: resized(state.K, n) }, how)}
      />
    </div>
  )
}

mount(<SlidePage />)
