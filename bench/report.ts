import { inPages, type Names } from './contender.ts'
import { type Outcome, type Outcomes, ourTime, timesOf } from './race.ts'
import { geometricMean, milliseconds, ratio } from './table.ts'

/** One measured job, as written to --json. */
export interface Row {
  readonly kind: 'layer' | 'network' | 'training'
  readonly list: string
  readonly work: string
  readonly operation: string
  readonly threads: number
  /** Ours: from memory of its own to memory of its own; null where it has no time. */
  readonly ms: number | null
  readonly minMs: number | null
  readonly maxMs: number | null
  /** Ours with copies in and out. */
  readonly roundTripMs: number | null
  readonly gflops: number | null
  readonly how: string | undefined
  /** Largest error of ours, relative to the root mean square of the result. */
  readonly error: number | null
  /** Medians, or why there is none. */
  readonly peers: Readonly<Record<string, number>>
  readonly without: Readonly<Record<string, string>>
  /** Peer's time / our time; > 1 = ours is faster. */
  readonly ratios: Readonly<Record<string, number>>
}

export const whyNot = (outcome: Outcome): string => {
  if ('wrong' in outcome) return `wrong (error ${outcome.wrong.toExponential(1)})`
  return 'cannot' in outcome ? outcome.cannot : ''
}

export interface Description {
  readonly kind: Row['kind']
  readonly list: string
  readonly work: string
  readonly operation: string
  /** Floating-point operations; undefined where not counted. */
  readonly flops?: number
}

export function rowOf(about: Description, threads: number, outcomes: Outcomes): Row {
  const { flops, ...rest } = about
  const own = outcomes.get('fovea')!
  const times = timesOf(own)
  const peers: Record<string, number> = {}
  const without: Record<string, string> = times ? {} : { fovea: whyNot(own) }
  const ratios: Record<string, number> = {}
  for (const [name, outcome] of outcomes) {
    if (name === 'fovea') continue
    const theirs = timesOf(outcome)
    if (!theirs) without[name] = whyNot(outcome)
    else peers[name] = theirs.call.median
    if (theirs && times) ratios[name] = theirs.call.median / ourTime(times, name).median
  }
  return {
    ...rest,
    threads,
    ms: times?.call.median ?? null,
    minMs: times?.call.min ?? null,
    maxMs: times?.call.max ?? null,
    roundTripMs: times?.roundTrip?.median ?? null,
    gflops: times && flops ? flops / times.call.median / 1e6 : null,
    how: 'how' in own ? own.how : undefined,
    error: 'error' in own ? own.error : null,
    peers,
    without,
    ratios,
  }
}

/** Ratio to the fastest of the peers that run in pages. */
export function bestInPages({ ratios }: Row): number | undefined {
  const known = inPages.flatMap((name) => ratios[name] ?? [])
  return known.length > 0 ? Math.min(...known) : undefined
}

const orDash = (value: number | null | undefined, print: (value: number) => string) =>
  value === null || value === undefined ? '-' : print(value)

function summary(name: string, rows: readonly Row[], peers: readonly Names[], of: (values: number[]) => number) {
  const cell = (values: (number | undefined)[]) => {
    const known = values.filter((value) => value !== undefined)
    return known.length > 0 ? ratio(of(known)) : '-'
  }
  return [
    name,
    ...['', '', '', '', '', ''],
    ...peers.map((peer) => cell(rows.map((row) => row.ratios[peer]))),
    cell(rows.map(bestInPages)),
  ]
}

/** The line, and its operation where that isn't the line's own. */
function named({ kind, operation, work }: Row): string {
  const own = work.startsWith('transposed') ? 'inputGradient' : 'output'
  return kind !== 'layer' || operation === own ? work : `${work} ${operation}`
}

/** Table of one list at one number of threads: its head, its rows, geometric mean and worst of each ratio. */
export function tableOf(title: string, rows: readonly Row[], peers: readonly Names[], peak: number): string[][] {
  const shown = peers.filter((peer) => rows.some((row) => row.peers[peer] !== undefined || row.without[peer]))
  const head = [title, 'ms', 'min', 'max', 'with copies', 'GFLOP/s', '% of peak', ...shown, 'best in pages']
  const lines = rows.map((row) => [
    named(row),
    row.ms === null ? (row.without.fovea?.startsWith('wrong') ? 'WRONG' : '-') : milliseconds(row.ms),
    orDash(row.minMs, milliseconds),
    orDash(row.maxMs, milliseconds),
    orDash(row.roundTripMs, milliseconds),
    orDash(row.gflops, (value) => value.toFixed(1)),
    orDash(row.gflops, (value) => `${((100 * value) / peak).toFixed(0)}%`),
    ...shown.map((peer) => peerCell(row, peer)),
    orDash(bestInPages(row), ratio),
  ])
  const least = (values: number[]) => Math.min(...values)
  const last = [summary('geometric mean', rows, shown, geometricMean), summary('worst', rows, shown, least)]
  return withoutEmptyColumns([head, ...lines, ...last])
}

/** A ratio; a peer's own time where ours has none. */
function peerCell({ without, ratios, peers }: Row, peer: Names): string {
  if (without[peer]?.startsWith('wrong')) return 'wrong'
  const [own, time] = [ratios[peer], peers[peer]]
  if (own !== undefined) return ratio(own)
  return time === undefined ? '-' : `${milliseconds(time)} ms`
}

function withoutEmptyColumns(rows: readonly (readonly string[])[]): string[][] {
  const says = (i: number) => rows.slice(1).some((row) => row[i] !== '-' && row[i] !== '')
  return rows.map((row) => row.filter((_, i) => says(i)))
}

/** Why a contender has no time, each reason once with how many rows it stands for. */
export function reasonsOf(rows: readonly Row[]): string[] {
  const counts = new Map<string, number>()
  for (const { without } of rows)
    for (const [name, why] of Object.entries(without)) {
      const key = `${name}: ${why}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  return [...counts].map(([key, count]) => `  ${key} (${count} ${count === 1 ? 'row' : 'rows'})`)
}
