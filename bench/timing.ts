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
/** Calls longer than this are neither warmed up nor measured more than this often: a peer's 8 s step. */
const verySlow = { ms: 3000, warmUpCalls: 1, samples: 3 }

export const thorough: Effort = { warmUpCalls: 5, warmUp: 200, samples: 20, budget: 300, slowSamples: 5 }
export const quick: Effort = { warmUpCalls: 1, warmUp: 0, samples: 3, budget: 0, slowSamples: 1 }

async function elapsed(call: () => unknown, calls: number): Promise<number> {
  const start = performance.now()
  for (let i = 0; i < calls; i++) await call()
  return performance.now() - start
}

/** Median, least and greatest of one call, in ms; short calls are timed in batches of 1 ms or more. */
export async function timeCalls(call: () => unknown, effort: Effort): Promise<Timing> {
  const first = await elapsed(call, 1)
  const start = performance.now()
  const warmUps = first > verySlow.ms ? verySlow.warmUpCalls : effort.warmUpCalls
  for (let i = 1; i < warmUps || performance.now() - start < effort.warmUp; i++) await call()
  let batch = 1
  while ((await elapsed(call, batch)) < 1) batch *= 2
  const samples: number[] = [(await elapsed(call, batch)) / batch]
  const wanted = samples[0]! > slow ? effort.slowSamples : effort.samples
  const count = samples[0]! > verySlow.ms ? Math.min(wanted, verySlow.samples) : wanted
  const measured = performance.now()
  while (samples.length < count || performance.now() - measured < effort.budget)
    samples.push((await elapsed(call, batch)) / batch)
  return timingOf(samples)
}
