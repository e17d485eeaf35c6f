import { type ReadonlySignal, signal } from '@preact/signals'
import type { Schema } from './schema.ts'

/** `drag`: one of many changes in a row, no step of Back; `commit`: Back undoes it. */
export type Change = 'drag' | 'commit'

/** The page's state and its address, kept the same. */
export interface PageState<S extends object> {
  readonly schema: Schema<S>
  readonly state: ReadonlySignal<S>
  /** What had to be changed in the address or in the last change, and why. */
  readonly notes: ReadonlySignal<readonly string[]>
  change(part: Partial<S>, how?: Change): void
  reset(): void
}

/** Safari throws after 100 changes of the address in 10 s. */
const pause = 400

export function pageState<S extends object>(schema: Schema<S>): PageState<S> {
  const first = schema.read(location.hash)
  const state = signal(first.state)
  const notes = signal(first.notes)
  let timer: ReturnType<typeof setTimeout> | undefined
  const address = () => {
    const fragment = schema.print(state.value)
    const kept = new URLSearchParams(location.hash.slice(1)).get('hide')
    const all = [fragment, kept === null ? '' : `hide=${kept}`].filter((part) => part !== '').join('&')
    return all === '' ? location.pathname + location.search : `#${all}`
  }
  const same = () => new URL(address(), location.href).href === new URL(location.href).href
  /** A row of drags is one step of Back, up to the commit that ends it. */
  let dragging = false
  function write(how: Change): void {
    clearTimeout(timer)
    timer = undefined
    if (!same()) {
      if (dragging) history.replaceState(null, '', address())
      else history.pushState(null, '', address())
    }
    dragging = how === 'drag'
  }
  function follow(): void {
    clearTimeout(timer)
    timer = undefined
    dragging = false
    const read = schema.read(location.hash)
    started()
    state.value = read.state
    notes.value = read.notes
  }
  addEventListener('popstate', follow)
  return {
    schema,
    state,
    notes,
    change(part, how = 'commit') {
      started()
      const mended = schema.mend({ ...state.value, ...part })
      state.value = mended.state
      notes.value = mended.notes
      if (how === 'commit') write('commit')
      else timer ??= setTimeout(() => write('drag'), pause)
    },
    reset() {
      started()
      state.value = schema.usual
      notes.value = []
      write('commit')
    },
  }
}

let startedAt: number | undefined

/** Marks the beginning of an interaction. */
export function started(): void {
  startedAt ??= performance.now()
}

/** Its picture is painted: `performance.getEntriesByName('fovea-frame')` holds the script's own time, in ms. */
export function painted(): void {
  if (startedAt === undefined) return
  performance.measure('fovea-frame', { start: startedAt, end: performance.now() })
  startedAt = undefined
}
