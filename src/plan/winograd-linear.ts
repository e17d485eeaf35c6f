import { add, define, f32, mul, multiplyAdd, neg, read, type Statements, sub } from '../kernel/builder.ts'
import type { Expr, Lanes } from '../kernel/ir.ts'
import type { Bind } from '../kernel/math.ts'
import type { Namer } from './names.ts'

type Matrix = readonly (readonly number[])[]

interface Term {
  readonly factor: number
  readonly value: Expr
}

/** scale * value: the factor is left to whoever uses it, who may have a multiply-add for it. */
interface Scaled {
  readonly scale: number
  readonly value: Expr
}

/** Constants of a kernel, named once outside its loops: an engine may make one anew wherever it stands. */
export interface Constants {
  of(value: number): Expr
  /** For the start of the kernel's body, when all are known. */
  statements(): Statements
}

export function constants(name: Namer, lanes: Lanes): Constants {
  const known = new Map<number, ReturnType<typeof define>>()
  return {
    of(value) {
      const found = known.get(value) ?? define(name('const'), f32(value, lanes))
      known.set(value, found)
      return read(found)
    },
    statements: () => [...known.values()],
  }
}

/**
 * matrix * values as straight-line code: no multiplications by 0 and +-1, and what neighbouring columns or rows that
 * differ only by signs have in common (points of evaluation p and -p) is computed once.
 * @param values undefined where the value is zero
 */
export function linear(
  matrix: Matrix,
  values: readonly (Expr | undefined)[],
  bind: Bind,
  { of }: Pick<Constants, 'of'>,
): Expr[] {
  const { matrix: folded, values: terms } = foldColumns(matrix, values, bind)
  const rows = folded.map((row) =>
    row.flatMap((factor, i): Term[] => {
      const value = terms[i]
      return factor !== 0 && value ? [{ factor, value }] : []
    }),
  )
  const results: Expr[] = []
  while (results.length < rows.length) {
    const [row, next] = [rows[results.length]!, rows[results.length + 1]]
    const pair = next && splitPair(row, next)
    if (!pair) {
      results.push(bind(whole(sumOf(row, bind, of), of)))
      continue
    }
    const same = bind(whole(sumOf(pair.same, bind, of), of))
    const odd = anySum(pair.odd, bind, of)
    results.push(bind(plus(same, odd, of)), bind(plus(same, { scale: -odd.scale, value: odd.value }, of)))
  }
  return results
}

/** Neighbouring columns whose factors differ only by signs become their values' sum and difference. */
function foldColumns(matrix: Matrix, values: readonly (Expr | undefined)[], bind: Bind) {
  const folded = matrix.map((row) => [...row])
  const terms = [...values]
  for (let i = 0; i + 1 < terms.length; i++) {
    const [a, b] = [terms[i], terms[i + 1]]
    const alike = matrix.every((row) => Math.abs(row[i]!) === Math.abs(row[i + 1]!))
    const both = matrix.filter((row) => row[i] !== 0 && row[i] === row[i + 1]).length
    const opposed = matrix.filter((row) => row[i] !== 0 && row[i] === -row[i + 1]!).length
    if (!a || !b || !alike || both === 0 || opposed === 0 || both + opposed < 3) continue
    terms[i] = bind(add(a, b))
    terms[i + 1] = bind(sub(a, b))
    for (const row of folded) [row[i], row[i + 1]] = row[i] === row[i + 1] ? [row[i]!, 0] : [0, row[i]!]
    i++
  }
  return { matrix: folded, values: terms }
}

/** Two rows that differ only by signs as same + odd and same - odd, where that saves work. */
function splitPair(row: readonly Term[], next: readonly Term[]): { same: Term[]; odd: Term[] } | undefined {
  const alike = row.length === next.length && row.every((term, i) => term.value === next[i]!.value)
  if (!alike || !row.every((term, i) => Math.abs(term.factor) === Math.abs(next[i]!.factor))) return undefined
  const same = row.filter((term, i) => term.factor === next[i]!.factor)
  const odd = row.filter((term, i) => term.factor !== next[i]!.factor)
  return same.length > 0 && odd.length > 0 && row.length > 2 ? { same, odd } : undefined
}

function sumOf(terms: readonly Term[], bind: Bind, of: Constants['of']): Scaled | undefined {
  if (terms.length === 0) return undefined
  const common = Math.abs(terms[0]!.factor)
  const even = terms.every((term) => Math.abs(term.factor) === common)
  // start with a term that needs no multiplication; where its sign is wrong, the sum's is
  const unit = even ? common : 1
  const start = terms.find((term) => term.factor === unit) ?? terms.find((term) => term.factor === -unit) ?? terms[0]!
  const free = Math.abs(start.factor) === unit
  const scale = free ? start.factor : 1
  const first = free ? start.value : bind(mul(of(start.factor), start.value))
  const value = terms
    .filter((term) => term !== start)
    .reduce((sum, term) => bind(plus(sum, { scale: term.factor / scale, value: term.value }, of)), first)
  return { scale, value }
}

/** A sum with whatever scale makes it cheapest. */
function anySum(terms: readonly Term[], bind: Bind, of: Constants['of']): Scaled {
  const exact = (start: Term) =>
    terms.every(({ factor }) => Math.fround(factor / start.factor) === factor / start.factor)
  const start = terms.find(exact) ?? terms[0]!
  const value = terms
    .filter((term) => term !== start)
    .reduce((sum, term) => bind(plus(sum, { scale: term.factor / start.factor, value: term.value }, of)), start.value)
  return { scale: start.factor, value }
}

const plus = (sum: Expr, { scale, value }: Scaled, of: Constants['of']): Expr => {
  if (scale === 1) return add(sum, value)
  return scale === -1 ? sub(sum, value) : multiplyAdd(of(scale), value, sum)
}

function whole(sum: Scaled | undefined, of: Constants['of']): Expr {
  if (!sum) return of(0)
  if (sum.scale === 1) return sum.value
  return sum.scale === -1 ? neg(sum.value) : mul(of(sum.scale), sum.value)
}
