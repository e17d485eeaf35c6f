import type { Target } from '../../compile.ts'
import { type Check, passes, shareOf } from './check.ts'
import { type Outcome, type Status, worstOf } from './run.ts'

const statuses: readonly Status[] = ['passed', 'failed', 'not supported']

const countOf = (outcomes: readonly Outcome[]) =>
  statuses.map((status) => outcomes.filter((outcome) => outcome.status === status).length)

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)]

const showCheck = (check: Check) =>
  `${check.tensor} ${check.problem ?? `off by ${check.error.toExponential(2)}, bound ${check.bound.toExponential(2)}`}`

function showFailure({ target, id, checks, message }: Outcome): string {
  const wrong = checks.filter((check) => !passes(check)).map(showCheck)
  return `failed  ${target}  ${id}  ${message ?? wrong.join('; ')}`
}

/** Rows of a table: per target, each group and all. */
function rows(outcomes: readonly Outcome[], seconds: ReadonlyMap<Target, number>): string[][] {
  return unique(outcomes.map(({ target }) => target)).flatMap((target) => {
    const here = outcomes.filter((outcome) => outcome.target === target)
    const row = (name: string, some: readonly Outcome[]) => {
      const worst = worstOf(some)
      const share = worst ? shareOf(worst.check).toPrecision(3) : '-'
      return [
        target,
        name,
        ...countOf(some).map(String),
        share,
        worst ? `${worst.outcome.id} ${worst.check.tensor}` : '-',
      ]
    }
    const groups = unique(here.map(({ group }) => group))
    const table = groups.map((group) =>
      row(
        group,
        here.filter((outcome) => outcome.group === group),
      ),
    )
    return [...table, row(`all, ${(seconds.get(target) ?? 0).toFixed(1)} s`, here)]
  })
}

/** What a run printed: failures, what isn't supported, and a table per target and group. */
export function printReport(
  outcomes: readonly Outcome[],
  seconds: ReadonlyMap<Target, number>,
  print: (line: string) => void,
): void {
  for (const outcome of outcomes) if (outcome.status === 'failed') print(showFailure(outcome))
  const missing = outcomes.filter(({ status }) => status === 'not supported')
  for (const message of unique(missing.map((outcome) => `${outcome.id}  ${outcome.message}`)))
    print(`not supported  ${message}`)
  const head = ['target', 'group', 'passed', 'failed', 'not supported', 'error / bound', 'worst case']
  const table = [head, ...rows(outcomes, seconds)]
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  for (const row of table)
    print(
      row
        .map((cell, column) =>
          column < 2 || column > 5 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
  const measured = outcomes.flatMap(({ checks }) => checks.filter((check) => check.measured))
  if (measured.length > 0)
    print(`The files tell no float32 error of ${measured.length} of these tensors; it was measured on the definitions.`)
  const [passed, failed, unsupported] = countOf(outcomes)
  print(`${passed} passed, ${failed} failed, ${unsupported} not supported`)
}

/** The same as data. An error that isn't a number is null. */
export function reportData(folder: string, outcomes: readonly Outcome[], seconds: ReadonlyMap<Target, number>) {
  const counts = (some: readonly Outcome[]) => {
    const [passed, failed, notSupported] = countOf(some)
    const worst = worstOf(some)
    return {
      passed,
      failed,
      notSupported,
      worst: worst && { id: worst.outcome.id, tensor: worst.check.tensor, errorOverBound: shareOf(worst.check) },
    }
  }
  const by = <K extends string>(some: readonly Outcome[], key: (outcome: Outcome) => K) =>
    unique(some.map(key)).map((name) => [name, some.filter((outcome) => key(outcome) === name)] as const)
  const targets = by(outcomes, ({ target }) => target).map(([target, some]) => [
    target,
    {
      ...counts(some),
      seconds: seconds.get(target),
      groups: Object.fromEntries(by(some, ({ group }) => group).map(([group, list]) => [group, counts(list)])),
    },
  ])
  return { folder, ...counts(outcomes), targets: Object.fromEntries(targets), cases: outcomes }
}
