import type { Target } from '../../compile.ts'
import { type Check, passes, shareOf } from './check.ts'
import { convolutions } from './convolutions.ts'
import { checkExpression, type Operation } from './expression.ts'
import type { Case, Folder } from './folder.ts'
import { layers } from './layers.ts'
import { losses } from './losses.ts'
import { checkNetwork, refusesNetwork } from './networks.ts'
import { checkOptimizer, knowsOptimizer } from './optimizers.ts'

export type Status = 'passed' | 'failed' | 'not supported'

/** What became of one case on one target. */
export interface Outcome {
  readonly id: string
  /** The file's group, and convTranspose apart from conv. */
  readonly group: string
  readonly op: string
  readonly target: Target
  readonly status: Status
  readonly checks: readonly Check[]
  /** An error while it ran, or what fovea can't do. */
  readonly message?: string
}

const operations: Readonly<Record<string, Operation>> = { ...convolutions, ...layers, ...losses }

export const groupOf = ({ group, op }: Case): string => (op.startsWith('convTranspose') ? 'convTranspose' : group)

/** What of a case fovea can't do; undefined if it can do all. */
function refusal(item: Case): string | undefined {
  if (item.group === 'optim') return knowsOptimizer(item.op) ? undefined : `optimiser '${item.op}'`
  if (item.group === 'nets') return refusesNetwork(item.fields)
  if (!Object.hasOwn(operations, item.op)) return `operation '${item.op}'`
  return operations[item.op]!.refuses?.(item.fields)
}

function check(item: Case, folder: Folder, target: Target): Promise<Check[]> {
  if (item.group === 'optim') return checkOptimizer(item, folder.torch, target)
  if (item.group === 'nets') return checkNetwork(item, folder.torch, target)
  return checkExpression(item, operations[item.op]!, target)
}

/** Runs one case on one target. What goes wrong is told, not thrown. */
export async function runCase(item: Case, folder: Folder, target: Target): Promise<Outcome> {
  const base = { id: item.id, group: groupOf(item), op: item.op, target }
  try {
    const message = refusal(item)
    if (message) return { ...base, status: 'not supported', checks: [], message }
    const checks = await check(item, folder, target)
    return { ...base, status: checks.every(passes) ? 'passed' : 'failed', checks }
  } catch (error) {
    return { ...base, status: 'failed', checks: [], message: (error as Error).message }
  }
}

/** The check that comes nearest to its bound, or farthest beyond it. */
export function worstOf(outcomes: readonly Outcome[]): { outcome: Outcome; check: Check } | undefined {
  const all = outcomes.flatMap((outcome) => outcome.checks.map((check) => ({ outcome, check })))
  return all.reduce<(typeof all)[number] | undefined>(
    (worst, one) => (worst && shareOf(worst.check) >= shareOf(one.check) ? worst : one),
    undefined,
  )
}
