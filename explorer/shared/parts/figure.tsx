import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Code, Frame, Preset } from '../frame.ts'
import { type PageState, painted } from '../state.ts'
import { CodeView } from './code.tsx'
import { TableView } from './table.tsx'

export interface FigureProps<S extends object> {
  readonly page: PageState<S>
  readonly frame: Frame
  readonly presets: readonly Preset[]
  readonly code?: Code | undefined
  /** Work goes on in a worker. */
  readonly busy?: boolean
  /** Of the whole figure. */
  readonly label: string
  readonly children: ComponentChildren
}

/** What every page's figure has around its views and controls. */
export function Figure<S extends object>(props: FigureProps<S>) {
  const { page, frame, presets, code, busy = false, label, children } = props
  const [open, setOpen] = useState<'code' | 'table' | null>(null)
  const root = useRef<HTMLElement>(null)
  const count = useRef(0)
  useLayoutEffect(() => {
    count.current++
    root.current!.dataset.frame = String(count.current)
    root.current!.dataset.state = busy ? 'busy' : 'idle'
    painted()
  })
  const hidden = new URLSearchParams(location.hash.slice(1)).get('hide')?.split(',') ?? []
  const fragment = page.schema.print(page.state.value)
  const examples = useMemo(() => <Presets presets={presets} fragment={fragment} />, [presets, fragment])
  const toggle = (name: 'code' | 'table') => setOpen(open === name ? null : name)
  return (
    <figure class="figure" ref={root} aria-label={label}>
      {!hidden.includes('presets') && examples}
      <div role="status" class="notes">
        {page.notes.value.map((note) => (
          <p key={note}>{note}</p>
        ))}
        {frame.problem && <p class="problem">{frame.problem}</p>}
      </div>
      {frame.answer && (
        <p class="answer">
          <span>{frame.answer.name}</span> {frame.answer.text}
        </p>
      )}
      <div class="figure-body">
        {children}
        <dl class="facts">
          {frame.facts.map(({ name, text }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
      </div>
      <div class="toolbar">
        <CopyLink />
        {code && !hidden.includes('code') && (
          <button type="button" aria-expanded={open === 'code'} onClick={() => toggle('code')}>
            Code
          </button>
        )}
        <button type="button" aria-expanded={open === 'table'} onClick={() => toggle('table')}>
          Numbers as a table
        </button>
        <button type="button" disabled={fragment === ''} onClick={page.reset}>
          Reset
        </button>
      </div>
      {open === 'code' && code && <CodeView code={code} />}
      {open === 'table' && frame.views.map((view) => <TableView key={view.name} view={view} />)}
      <Live text={frame.speak} />
    </figure>
  )
}

function Presets({ presets, fragment }: { presets: readonly Preset[]; fragment: string }) {
  const chosen = presets.find((preset) => preset.fragment === fragment)
  return (
    <nav class="presets" aria-label="Examples">
      <ul>
        {presets.map((preset) => (
          <li key={preset.name}>
            <a href={`#${preset.fragment}`} aria-current={preset === chosen ? 'true' : undefined}>
              {preset.name}
            </a>
          </li>
        ))}
      </ul>
      <p class="preset-note">{chosen?.note}</p>
    </nav>
  )
}

function CopyLink() {
  const [told, setTold] = useState('')
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(location.href)
      setTold('Copied')
    } catch {
      setTold('The browser forbids it: copy the address')
    }
    setTimeout(() => setTold(''), 2000)
  }
  return (
    <>
      <button type="button" onClick={copy}>
        Copy link
      </button>
      <span role="status" class="told">
        {told}
      </span>
    </>
  )
}

/** A polite word to screen readers, half a second after the last change. */
function Live({ text }: { text: string }) {
  const [said, setSaid] = useState('')
  useEffect(() => {
    const timer = setTimeout(() => setSaid(text), 500)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <p class="hidden live" aria-live="polite">
      {said}
    </p>
  )
}
