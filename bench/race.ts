import type { Timing } from '../src/program/measure.ts'
import type { Job, Names, Times } from './contender.ts'
import { allowedError, relativeError } from './data.ts'
import type { Process, Starter } from './processes.ts'
import type { Effort } from './timing.ts'

/** How a contender did: its times, or why it has none. */
export type Outcome =
  | { readonly times: Times; readonly threads: number; readonly error: number; readonly how: string | undefined }
  | { readonly cannot: string }
  | { readonly wrong: number }

export type Outcomes = ReadonlyMap<Names, Outcome>

export const timesOf = (outcome: Outcome | undefined): Times | undefined =>
  outcome && 'times' in outcome ? outcome.times : undefined

export interface Field {
  readonly peers: readonly Names[]
  readonly threads: readonly number[]
  readonly effort: Effort
  /** The first result may take so long, and the measuring, in ms. */
  readonly limit: number
  readonly starter: Starter
}

/** One process of each contender; one for each number of threads where that is fixed at its start. */
export function stable({ starter }: Field) {
  const processes = new Map<string, Process>()
  return (name: Names, threads: number): Process => {
    const key = starter.fixed.includes(name) ? `${name} ${threads}` : name
    const process = processes.get(key) ?? starter.start(name)
    processes.set(key, process)
    return process
  }
}

export type Stable = ReturnType<typeof stable>

/** Error of a first result: of ours against the definition or a stored result, of a peer's against ours. */
export type Judge = (output: Float32Array) => number

/** One contender at one job: its result is judged, and timed if it is right. */
export async function compete(
  process: Process,
  job: Job,
  threads: number,
  judge: Judge,
  { effort, limit }: Pick<Field, 'effort' | 'limit'>,
): Promise<Outcome> {
  try {
    const { output, how } = await process.ask({ kind: 'prepare', job, threads }, limit)
    const error = judge(output)
    if (!(error <= allowedError)) return { wrong: error }
    return { times: await process.ask({ kind: 'time', effort }, limit), threads, error, how }
  } catch (error) {
    return { cannot: (error as Error).message }
  } finally {
    await process.ask({ kind: 'drop' }).catch(() => undefined)
  }
}

const faster = (a: Outcome, b: Outcome | undefined) => {
  const [x, y] = [timesOf(a), timesOf(b)]
  return x !== undefined && (y === undefined || x.call.median < y.call.median)
}

/**
 * Everyone at one job, ours first, at each number of threads. A peer is taken at its best of all numbers of threads
 * up to the row's.
 */
export async function race(field: Field, get: Stable, job: Job, judge: Judge): Promise<Map<number, Outcomes>> {
  const { alwaysOne } = field.starter
  let ours: Float32Array | undefined
  const judgeOurs: Judge = (output) => {
    ours = output
    return judge(output)
  }
  // where ours can't, the peers are judged by whatever judges ours
  const judgePeer: Judge = (output) => (ours ? relativeError(ours, output) : judge(output))
  const rows = new Map<number, Outcomes>()
  const best = new Map<Names, Outcome>()
  for (const threads of [...field.threads].sort((a, b) => a - b)) {
    const outcomes = new Map<Names, Outcome>()
    outcomes.set('fovea', await compete(get('fovea', threads), job, threads, judgeOurs, field))
    for (const name of field.peers) {
      if (!(alwaysOne.includes(name) && best.has(name))) {
        const asked = alwaysOne.includes(name) ? 1 : threads
        const outcome = await compete(get(name, asked), job, asked, judgePeer, field)
        if (faster(outcome, best.get(name)) || !best.has(name)) best.set(name, outcome)
      }
      outcomes.set(name, best.get(name)!)
    }
    rows.set(threads, outcomes)
  }
  return rows
}

/** Our time to compare with a peer's: the runtimes of ONNX take and give numbers of the caller's, so ours does too. */
export function ourTime({ call, roundTrip }: Times, peer: Names): Timing {
  return roundTrip && peer.startsWith('onnxruntime') ? roundTrip : call
}
