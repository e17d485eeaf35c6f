import { referenceValues, type Tensor, type Update } from '../../graph/index.ts'
import type { Case } from './folder.ts'

type Values = ArrayLike<number>

/** Results by their names in the file. */
export type Named = ReadonlyMap<string, Values>

/** One step by the definitions: results, and variables updated. `rounded`: in float32. */
export function defined(
  outputs: Readonly<Record<string, Tensor>>,
  updates: readonly Update[],
  feeds: ReadonlyMap<Tensor, Values>,
  rounded: boolean,
): Map<string, Values> {
  const names = Object.keys(outputs)
  const roots = [...Object.values(outputs), ...updates.map((update) => update.value)]
  const values = referenceValues(roots, feeds, rounded)
  updates.forEach(({ variable }, i) => {
    variable.write(values[names.length + i]!)
  })
  return new Map(names.map((name, i) => [name, values[i]!]))
}

const known = new WeakMap<Case, ReadonlyMap<string, number>>()

function difference(a: Values, b: Values): number {
  let largest = 0
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!))
  return largest
}

/**
 * Float32 errors of a case whose file tells none: the definitions once in float64 and once in float32, compared with
 * each other, never with the file.
 */
export function float32Errors(item: Case, run: (rounded: boolean) => Named): ReadonlyMap<string, number> {
  let errors = known.get(item)
  if (!errors) {
    const [exact, rounded] = [run(false), run(true)]
    errors = new Map([...exact].map(([name, values]) => [name, difference(values, rounded.get(name)!)]))
    known.set(item, errors)
  }
  return errors
}
