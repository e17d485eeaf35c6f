// Every way to compute one contraction, with what each would take: for explanations, so no page loads it unasked.
import { type Contraction, type ConvSpec, inputShape, kernelShape, outputShape } from '../conv/spec.ts'
import { contract } from '../graph/conv.ts'
import { placeholder, Variable } from '../graph/tensor.ts'
import { type Expr, type Kernel, pointsOf, type Statement, type TargetFeatures } from '../kernel/ir.ts'
import { choose } from '../plan/choose.ts'
import { closeTiles, type Tile } from '../plan/tiles.ts'
import type { PlanFeatures } from '../plan/types.ts'
import { blueprint } from './build.ts'
import type { Blueprint } from './layout.ts'

/** One way to compute a contraction, and what it would take. */
export interface Candidate {
  /** The algorithm; where only the tile differs from the chosen plan's, the tile too. */
  readonly name: string
  /** Whether it gives the bits of the chosen one: then a measurement may choose between them. */
  readonly sameBits: boolean
  readonly blueprint: Blueprint
  /** Of one core, by reckoning, without what is done once for all runs. */
  readonly cycles: number
}

export interface Refused {
  readonly name: string
  readonly refused: string
}

/** Instructions of a piece of straight code: two of each kind start in a cycle. */
interface Count {
  arithmetic: number
  moves: number
}

const free: readonly Expr['kind'][] = ['const', 'local', 'affine', 'iota', 'splat', 'load']

function countExpr(expr: Expr, count: Count, fused: boolean): void {
  const { kind } = expr
  if (kind === 'load') count.moves++
  else if (kind === 'multiplyAdd') count.arithmetic += fused ? 1 : 2
  else if (!free.includes(kind)) count.arithmetic++
  const parts = expr as { readonly a?: Expr; readonly b?: Expr; readonly c?: Expr; readonly mask?: Expr }
  for (const part of [parts.a, parts.b, parts.c, parts.mask]) if (part) countExpr(part, count, fused)
}

/** The latency of a multiply-add: no round of an innermost loop is shorter. */
const latency = 4

function cyclesOf(body: readonly Statement[], engine: TargetFeatures): number {
  const count: Count = { arithmetic: 0, moves: 0 }
  let inner = 0
  for (const statement of body) {
    if (statement.kind === 'loop') {
      const rounds = Math.ceil((statement.to - statement.from) / statement.step)
      const innermost = !statement.body.some(({ kind }) => kind === 'loop')
      inner += rounds * Math.max(cyclesOf(statement.body, engine), innermost ? latency : 1)
      continue
    }
    if (statement.kind === 'store') count.moves++
    countExpr(statement.value, count, engine.fused)
  }
  return inner + Math.max(count.arithmetic, count.moves) / 2
}

/** Bytes that a cache holds, and what comes from beyond it in a cycle. */
const near = 2 ** 20
const bytesPerCycle = 8

function callCycles(kernel: Kernel, points: number, engine: TargetFeatures): number {
  const bytes = kernel.buffers.reduce((sum, { length }) => sum + 4 * length, 0) * (points / pointsOf(kernel))
  return points * cyclesOf(kernel.body, engine) + Math.max(0, bytes - near) / bytesPerCycle
}

/** Cycles of one core that a run of a program takes, by reckoning. */
export const predictedCycles = ({ calls, kernels }: Blueprint, engine: TargetFeatures): number =>
  calls.reduce((sum, { kernel, points }) => sum + callCycles(kernels[kernel]!, points, engine), 0)

/** Milliseconds of that, where a core does `peak` GFLOP/s of multiply-adds at most: two vectors a cycle. */
export const predictedMilliseconds = (cycles: number, peak: number, { lanes }: TargetFeatures): number =>
  (cycles * 4 * lanes) / peak / 1e6

/** The program of one contraction whose weights are a variable, as in a model. */
export function contractionProgram(contraction: Contraction, spec: ConvSpec, features: PlanFeatures): Blueprint {
  const a = placeholder(contraction === 'inputGradient' ? outputShape(spec) : inputShape(spec))
  const gradient = contraction === 'kernelGradient'
  const b = gradient ? placeholder(outputShape(spec)) : new Variable(undefined, kernelShape(spec)).value
  return blueprint(gradient ? [a, b] : [a], [contract(contraction, spec, a, b)], [], features)
}

/** Names of algorithms that can be asked for, whatever they cost. */
const forcedNames = ([k]: readonly number[]): string[] =>
  [2, 4, 6].flatMap((n) => [`winograd F(${n}x${n}, ${k}x${k})`, `winograd F(${k}x${k}, ${n}x${n})`])

const planOf = ({ steps }: Blueprint) => steps.findLast(({ plan }) => plan)!.plan!

/** The chosen way first, then others: the same in other tiles, other algorithms, and those that refuse. */
export function candidates(
  contraction: Contraction,
  spec: ConvSpec,
  features: PlanFeatures,
): { readonly candidates: readonly Candidate[]; readonly refused: readonly Refused[] } {
  const found = new Map<string, Candidate>()
  const add = (asked: PlanFeatures, tile?: Tile) => {
    const made = contractionProgram(contraction, spec, asked)
    const { algorithm } = planOf(made)
    const name = tile ? `${algorithm}, tiles of ${tile.rows} x ${tile.vectors * features.lanes}` : algorithm
    const [chosen] = found.values()
    const sameBits = !chosen || planOf(chosen.blueprint).algorithm === algorithm
    if (!found.has(name) && sameBits !== (tile === undefined && chosen !== undefined))
      found.set(name, { name, sameBits, blueprint: made, cycles: predictedCycles(made, asked) })
  }
  add(features)
  const { algorithm, tile: used } = planOf([...found.values()][0]!.blueprint)
  if (used.vectors * used.rows > 1 && algorithm !== 'depthwise')
    for (const tile of closeTiles(features))
      if (tile.rows !== used.rows || tile.vectors !== used.vectors)
        add({ ...features, tiles: [{ ...tile, slowness: 1 }] }, tile)
  add({ ...features, precision: 'direct' })
  for (const name of forcedNames(spec.kernel)) add({ ...features, algorithm: name })
  const { refusals } = choose(contraction, spec, features)
  return {
    candidates: [...found.values()],
    refused: refusals.map(({ algorithm, refused }) => ({ name: algorithm, refused })),
  }
}
