import { type Timing, timingOf } from '../src/program/measure.ts'

export interface Effort {
  /** Calls before anything is timed, and the time they take at least, in ms. */
  readonly warmUpCalls: number
  readonly warmUp: number
  /** Samples at least, and the time they take at least, in ms. */
  readonly samples: number
  readonly budget: number
  /** Samples of calls longer than `slow` ms. */
  readonly slowSamples: number
}

/** Calls longer than this take fewer samples, in ms. */
const slow = 500
/** A call longer than this, in ms, is measured once: the result was computed before, so it is warm. */
const once = 10_000
/** Neither warming up nor measuring goes on for longer than this, in ms. */
const longest = 15_000

export const thorough: Effort = { warmUpCalls: 5, warmUp: 800, samples: 20, budget: 300, slowSamples: 5 }
export const quick: Effort = { warmUpCalls: 1, warmUp: 0, samples: 3, budget: 0, slowSamples: 1 }

async function elapsed(call: () => unknown, calls: number): Promise<number> {
  const start = performance.now()
  for (let i = 0; i < calls; i++) await call()
  return performance.now() - start
}

/** Median, least and greatest of one call, in ms; short calls are timed in batches of 1 ms or more. */
export async function timeCalls(call: () => unknown, effort: Effort): Promise<Timing> {
  const first = await elapsed(call, 1)
  if (first > once) return timingOf([first])
  const start = performance.now()
  const since = () => performance.now() - start
  let last = first
  for (let i = 1; (i < effort.warmUpCalls || since() < effort.warmUp) && since() < longest; i++)
    last = await elapsed(call, 1)
  let batch = 1
  for (let spent = last; spent < 1; spent = await elapsed(call, batch)) batch *= 2
  const wanted = last > slow ? effort.slowSamples : effort.samples
  const samples: number[] = []
  const measured = performance.now()
  for (let spent = 0; samples.length === 0 || (samples.length < wanted && spent < longest) || spent < effort.budget; ) {
    samples.push((await elapsed(call, batch)) / batch)
    spent = performance.now() - measured
  }
  return timingOf(samples)
}
