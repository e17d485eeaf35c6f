import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import lenetUrl from '../history/lenet5-1998.safetensors?url'
import type { Frame, View } from '../shared/frame.ts'
import { tileAt } from '../shared/mosaic.ts'
import { Select, Slider } from '../shared/parts/controls.tsx'
import { Figure } from '../shared/parts/figure.tsx'
import { Legend } from '../shared/parts/legend.tsx'
import { mount } from '../shared/parts/mount.tsx'
import { type Cell, TensorView } from '../shared/parts/view.tsx'
import { pageState } from '../shared/state.ts'
import { trainedModel } from '../shared/trained.ts'
import { DrawPad } from '../train/draw.tsx'
import { Answers } from './answers.tsx'
import branchesUrl from './branches.onnx?url'
import { client } from './client.ts'
import { Compiled } from './compiled.tsx'
import digitsUrl from './digits.safetensors?url'
import { Graph } from './graph.tsx'
import { Layers } from './layers.tsx'
import { frameOf, type Shown } from './model.ts'
import { pictureFor, takesDigits } from './pictures.ts'
import type { Drawing, Look, Summary } from './protocol.ts'
import { type InspectState, inspect, presets, sampleCount } from './state.ts'
import './style.css'

const page = pageState(inspect)
const models = client(() => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }))
const empty: Frame = { views: [], facts: [], speak: '' }

/** No file larger than this is read. */
const mostBytes = 1e9

type Files = Readonly<Record<string, ArrayBuffer>>

async function bundled(url: string, name: string): Promise<Files> {
  const answer = await fetch(url)
  if (!answer.ok) throw new Error(`the example isn't there (${answer.status}): load the page again`)
  return { [name]: await answer.arrayBuffer() }
}

/** Files of the model that the address names; undefined for a file of the reader, which no address holds. */
async function filesOf(name: InspectState['m']): Promise<Files | undefined> {
  if (name === 'digits') return bundled(digitsUrl, 'digits.safetensors')
  if (name === 'branches') return bundled(branchesUrl, 'branches.onnx')
  if (name === 'lenet') return bundled(lenetUrl, 'lenet5-1998.safetensors')
  if (name === 'file') return undefined
  const bytes = trainedModel()
  if (!bytes) throw new Error('Nothing was trained in this tab yet. Train a network on the page Train, then come back.')
  return { 'trained.safetensors': bytes }
}

async function readFiles(list: readonly File[]): Promise<Files> {
  const total = list.reduce((sum, { size }) => sum + size, 0)
  if (total > mostBytes)
    throw new Error(`The files have ${Math.round(total / 1e6)} MB, at most ${mostBytes / 1e6} are read.`)
  return Object.fromEntries(await Promise.all(list.map(async (file) => [file.name, await file.arrayBuffer()] as const)))
}

/** Opens whatever the address or the reader names. */
function useModel(own: readonly File[] | null): void {
  const { m } = page.state.value
  useLayoutEffect(() => {
    let current = true
    models.forget()
    const files = m === 'file' && own ? readFiles(own) : filesOf(m)
    files.then(
      (found) => {
        if (!current) return
        if (found) models.open(found)
        else models.problem.value = 'The link was made with a file of its author. Open a model of your own.'
      },
      (error: Error) => {
        if (current) models.problem.value = error.message
      },
    )
    return () => {
      current = false
    }
  }, [m, own])
}

/** What the model is shown: a sample, a file, or a drawing. */
function usePicture(summary: Summary | undefined, own: Blob | null, drawn: Float32Array | null): Shown | undefined {
  const { img } = page.state.value
  const [shown, setShown] = useState<Shown | undefined>()
  const form = summary?.picture
  useLayoutEffect(() => {
    setShown(undefined)
    if (!form) return
    if (drawn) {
      setShown({ values: drawn })
      return
    }
    let current = true
    pictureFor(form, img, own).then(
      (found) => current && setShown(found),
      (error: Error) => {
        if (current) models.problem.value = error.message
      },
    )
    return () => {
      current = false
    }
  }, [form, img, own, drawn])
  return shown
}

function rowOf(summary: Summary | undefined, row: number): number {
  return summary ? Math.min(row, summary.rows.length - 1) : 0
}

/** Asks for kernels and maps whenever something has changed that they depend on. */
function useLook(summary: Summary | undefined, picture: Shown | undefined): void {
  const { row, off, norm } = page.state.value
  const chosen = rowOf(summary, row)
  useLayoutEffect(() => {
    if (!summary || (summary.picture && !picture && summary.still === undefined)) return
    models.lookAt({ row: chosen, off, norm, ...(picture ? { picture: picture.values } : {}) })
  }, [summary, picture, chosen, off, norm])
}

interface Seen {
  readonly summary: Summary | undefined
  readonly look: Look | undefined
  readonly picture: Shown | undefined
  readonly drawing: Drawing | undefined
}

/** What is drawn: the newest that is complete. Until then the old stays, so that nothing is taken down and built anew. */
function useSeen(now: Seen, failed: boolean): Seen {
  const seen = useRef(now)
  const { summary, look, picture } = now
  const complete = look !== undefined && (picture !== undefined || !summary?.picture)
  if (failed || complete || !seen.current.summary) {
    const old = seen.current
    if (old.summary !== summary || old.look !== look || old.picture !== picture) seen.current = now
  }
  return seen.current
}

function Page() {
  const [own, setOwn] = useState<readonly File[] | null>(null)
  const [image, setImage] = useState<Blob | null>(null)
  const [drawn, setDrawn] = useState<Float32Array | null>(null)
  useModel(own)
  const state = page.state.value
  const summary = models.summary.value
  const picture = usePicture(summary, image, drawn)
  useLook(summary, picture)
  const look = models.look.value
  const problem = models.problem.value
  const waits = summary ? summary.picture && !picture && summary.still === undefined : true
  const seen = useSeen({ summary, look, picture, drawing: models.drawing.value }, problem !== undefined)
  const frame = useMemo(() => {
    const made = seen.summary ? frameOf(seen.summary, seen.look, state, seen.picture) : empty
    return problem === undefined ? made : { ...made, problem }
  }, [seen, state, problem])
  const busy = models.busy.value || (waits === true && problem === undefined)
  // the same node is not gone through again while only the worker's state changes
  const shown = useMemo(() => seen.summary && <Model {...seen} summary={seen.summary} frame={frame} />, [seen, frame])
  const open = (list: readonly File[]) => {
    const pictures = list.filter(({ type }) => type.startsWith('image/'))
    const others = list.filter((file) => !pictures.includes(file))
    if (pictures[0]) setImage(pictures[0])
    if (others.length === 0) return
    setOwn(others)
    page.change({ m: 'file', row: 0, off: [] })
  }
  return (
    <Figure page={page} frame={frame} presets={presets} busy={busy} label="A model, layer by layer">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the button does the same by keyboard */}
      <div
        class="stage inspect"
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault()
          open([...(event.dataTransfer?.files ?? [])])
        }}
      >
        <Opener onOpen={open} busy={models.busy.value && !summary} />
        {shown}
      </div>
      {seen.summary && (
        <Controls
          summary={seen.summary}
          view={frame.views.find(({ name }) => name === 'picture')}
          drawn={drawn}
          onDraw={setDrawn}
          onImage={setImage}
        />
      )}
    </Figure>
  )
}

function Opener({ onOpen, busy }: { readonly onOpen: (files: readonly File[]) => void; readonly busy: boolean }) {
  const field = useRef<HTMLInputElement>(null)
  return (
    <div class="opener">
      <button type="button" class="go" onClick={() => field.current!.click()}>
        Open a model
      </button>
      <span>
        or drop it here: .onnx, .safetensors, tfjs (model.json with its .bin files). It stays on this machine.
      </span>
      {trainedModel() !== undefined && page.state.value.m !== 'trained' && (
        <button type="button" onClick={() => page.change({ m: 'trained', row: 0, off: [] })}>
          Open what was trained last
        </button>
      )}
      {busy && (
        <button type="button" onClick={models.stop}>
          Stop
        </button>
      )}
      <input
        ref={field}
        class="hidden"
        type="file"
        multiple
        tabIndex={-1}
        aria-label="Model files"
        onChange={(event) => {
          onOpen([...(event.currentTarget.files ?? [])])
          event.currentTarget.value = ''
        }}
      />
    </div>
  )
}

interface ModelProps {
  readonly summary: Summary
  readonly look: Look | undefined
  readonly drawing: Drawing | undefined
  readonly frame: Frame
}

function Model({ summary, look, drawing, frame }: ModelProps) {
  const { off, ch } = page.state.value
  const chosen = rowOf(summary, page.state.value.row)
  const row = summary.rows[chosen]!
  const choose = (next: number) => page.change({ row: next, off: [], ch: 0 })
  const [kernel, maps] = ['kernel', 'maps'].map((name) => frame.views.find((view) => view.name === name))
  const toggle = (cell: Cell) => {
    if (!maps) return
    const channel = maps.tiles ? tileAt(maps, cell)?.tile : cell.row * maps.columns + cell.column
    if (channel === undefined || channel >= row.shape.at(-1)!) return
    const next = off.includes(channel) ? off.filter((c) => c !== channel) : [...off, channel].sort((a, b) => a - b)
    page.change({ off: next, ch: channel })
  }
  const compiled = models.compiled.value?.row === chosen ? models.compiled.value : undefined
  return (
    <>
      <div class="overview">
        <Layers summary={summary} chosen={chosen} onChoose={choose} />
        {drawing && <Graph rows={summary.rows} drawing={drawing} chosen={chosen} onChoose={choose} />}
      </div>
      <section class="detail" aria-label={`Layer ${chosen}`}>
        <h2>
          Layer {chosen}: {row.op}
        </h2>
        <div class="look">
          <div class="pictures">
            {kernel && <TensorView view={kernel} largest={12} />}
            {kernel && row.kernel && row.kernel.at(-2)! > 1 && (
              <Slider
                label="channel"
                value={ch}
                min={0}
                max={row.kernel.at(-1)! - 1}
                onChange={(value, how) => page.change({ ch: value }, how)}
              />
            )}
            {maps && (
              <TensorView
                view={maps}
                largest={maps.tiles ? Math.max(1, Math.floor(84 / maps.tiles.columns)) : 16}
                onPick={toggle}
              />
            )}
            {maps && (
              <p class="hint">
                {off.length === 0 ? 'Click a map (or press Enter on it) to switch it off.' : `Off: ${off.join(', ')}. `}
                {off.length > 0 && (
                  <button type="button" onClick={() => page.change({ off: [] })}>
                    Switch all on
                  </button>
                )}
              </p>
            )}
            {maps && <Legend scale="signed" limit={maps.limit} values={maps.values} label="values" />}
          </div>
          {look && <Answers look={look} changed={off.length > 0} />}
        </div>
        {summary.still === undefined && !compiled && <Ask row={chosen} />}
        {compiled && <Compiled compiled={compiled} />}
      </section>
    </>
  )
}

function Ask({ row }: { readonly row: number }) {
  return (
    <button type="button" disabled={models.busy.value} onClick={() => models.compile(row)}>
      What did the compiler make of it?
    </button>
  )
}

interface ControlsProps {
  readonly summary: Summary
  readonly view: View | undefined
  readonly drawn: Float32Array | null
  readonly onDraw: (picture: Float32Array | null) => void
  readonly onImage: (image: Blob | null) => void
}

function Controls({ summary, view, drawn, onDraw, onImage }: ControlsProps) {
  const { img, norm } = page.state.value
  const form = summary.picture
  if (!form) return null
  return (
    <div class="controls">
      {view && <TensorView view={view} largest={Math.max(1, Math.floor(168 / view.columns))} />}
      <Slider
        label={takesDigits(form) ? 'digit' : 'photo'}
        value={img}
        min={0}
        max={sampleCount - 1}
        onChange={(value, how) => {
          onDraw(null)
          onImage(null)
          page.change({ img: value }, how)
        }}
      />
      {takesDigits(form) && (
        <div class="control">
          <p class="label">or draw one {drawn ? '(this link doesn\u2019t hold your drawing)' : ''}</p>
          <DrawPad size={form.height} centre onDraw={onDraw} />
        </div>
      )}
      <Select
        label="pixels are given as"
        options={[
          { value: 'unit', label: '0 to 1' },
          { value: 'signed', label: '−1 to 1' },
          { value: 'imagenet', label: 'ImageNet: less the mean, by the deviation' },
          { value: 'byte', label: '0 to 255' },
        ]}
        value={norm}
        onChange={(next) => page.change({ norm: next })}
      />
      <p class="label">A photo of your own can be dropped on the figure.</p>
    </div>
  )
}

mount(<Page />)
