import type { Page } from 'playwright'

/** A task of the page's thread, in ms. */
export interface Task {
  /** From its begin to its end. */
  readonly lasted: number
  /** Less what other processes took of that. */
  readonly computed: number
}

interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  readonly ts: number
  readonly dur?: number
  readonly tdur?: number
  readonly args?: { readonly name?: string }
}

/** Every task of the page's thread while something is done, by Chromium's own tracing. */
export async function tasksWhile(page: Page, act: () => Promise<void>): Promise<Task[]> {
  const browser = page.context().browser()!
  await browser.startTracing(page, { categories: ['__metadata', 'toplevel', 'blink.user_timing'] })
  await page.evaluate(() => performance.mark('fovea-tasks'))
  await act()
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] }
  const mark = traceEvents.find(({ name }) => name === 'fovea-tasks')
  if (!mark) throw new Error('the trace has no mark of the page')
  const own = traceEvents.filter(({ pid, tid, ph }) => pid === mark.pid && tid === mark.tid && ph === 'X')
  const tasks = own.filter(({ name, ts }) => name === 'ThreadControllerImpl::RunTask' && ts > mark.ts)
  if (tasks.length === 0)
    throw new Error(`the trace has no tasks, only ${[...new Set(own.map(({ name }) => name))].join(', ')}`)
  return tasks.map(({ dur = 0, tdur = dur }) => ({ lasted: dur / 1000, computed: tdur / 1000 }))
}
