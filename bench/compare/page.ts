// docs/compared.md: what each library made of each case.
import { allowedError, relativeError } from '../data.ts'
import { markdownTable } from '../table.ts'
import { type Answer, type Case, type Quantity, quantities, quantitiesOf } from './cases.ts'
import type { Judgement } from './judge.ts'

export interface Verdict {
  readonly kind: 'right' | 'wrong' | 'missing'
  /** What is wrong, or why there is nothing. */
  readonly note?: string
}

/** What a library's answer is worth. */
export function verdicts(item: Case, judged: Judgement, answer: Answer): Map<Quantity, Verdict> {
  return new Map(
    quantitiesOf(item).map((name): [Quantity, Verdict] => {
      const part = answer[name]
      const right = judged.get(name)!
      if (!part) return [name, { kind: 'missing', note: 'no answer' }]
      if ('missing' in part) {
        const wrong = part.missing.startsWith('wrong: ')
        return [name, { kind: wrong ? 'wrong' : 'missing', note: part.missing.replace('wrong: ', '') }]
      }
      const { values } = part
      if (values.length !== right.length)
        return [name, { kind: 'wrong', note: `${values.length} values instead of ${right.length}` }]
      const error = relativeError(right, values)
      if (error <= allowedError) return [name, { kind: 'right' }]
      const size = Number.isFinite(error) ? `${error.toPrecision(2)} of its size` : 'not numbers'
      return [name, { kind: 'wrong', note: `off by ${size}` }]
    }),
  )
}

export interface Row {
  readonly item: Case
  /** One for each library. */
  readonly cells: readonly Map<Quantity, Verdict>[]
}

const letters: Readonly<Record<Quantity, string>> = { value: 'y', 'by input': 'dx', 'by kernel': 'dw', second: 'd2' }

function cellOf(verdict: Map<Quantity, Verdict>): string {
  const of = (kind: Verdict['kind']) => [...verdict].filter(([, v]) => v.kind === kind).map(([name]) => letters[name])
  const [right, wrong] = [of('right'), of('wrong')]
  if (right.length === verdict.size) return 'all'
  const parts = [
    ...(right.length > 0 ? [right.join(' ')] : []),
    ...(wrong.length > 0 ? [`**wrong: ${wrong.join(' ')}**`] : []),
  ]
  return parts.join(', ') || '-'
}

/** One line of what a case is. */
function about(item: Case): string {
  const size = (list: readonly number[]) => list.join('x')
  const words: string[] = [`[${item.x}]`]
  if ('kernel' in item) words.push(`k${size(item.kernel)} s${size(item.stride)} d${size(item.dilation)}`)
  if ('groups' in item && item.groups > 1) words.push(`g${item.groups}`)
  if ('padding' in item) words.push(`p${item.padding.map(([low, high]) => `${low}:${high}`).join('x')}`)
  if ('size' in item) words.push(`to ${size(item.size)}`)
  return words.join(' ')
}

/** The tables of some rows, a section for each group. */
export function tables(names: readonly string[], rows: readonly Row[]): string {
  const groups = [...new Set(rows.map(({ item }) => item.group))]
  return groups
    .map((group) => {
      const lines = rows
        .filter(({ item }) => item.group === group)
        .map(({ item, cells }) => [`\`${item.id}\``, about(item), ...cells.map(cellOf)])
      return `## ${group[0]!.toUpperCase()}${group.slice(1)}\n\n${markdownTable([['id', 'case', ...names], ...lines])}`
    })
    .join('\n\n')
}

/** Every wrong number, and the reasons of what is missing, by library. */
export function notes(names: readonly string[], rows: readonly Row[]): string {
  const sections = names.map((name, i) => {
    const found = (kind: Verdict['kind']) =>
      rows.flatMap(({ item, cells }) =>
        [...cells[i]!].flatMap(([quantity, verdict]) =>
          verdict.kind === kind ? [{ id: item.id, quantity, note: verdict.note ?? '' }] : [],
        ),
      )
    const lines = (list: ReturnType<typeof found>) => {
      const byNote = new Map<string, string[]>()
      for (const { id, quantity, note } of list)
        byNote.set(note, [...(byNote.get(note) ?? []), `${id} ${letters[quantity]}`])
      return [...byNote].map(([note, where]) => {
        const shown = where.slice(0, 6).join(', ')
        return `- ${note.slice(0, 160)}: ${shown}${where.length > 6 ? ` and ${where.length - 6} more` : ''}`
      })
    }
    const wrong = lines(found('wrong'))
    const missing = lines(found('missing'))
    if (wrong.length + missing.length === 0) return `### ${name}\n\nNothing is wrong, nothing is missing.`
    const parts = [
      ...(wrong.length > 0 ? [`Wrong:\n\n${wrong.join('\n')}`] : []),
      ...(missing.length > 0 ? [`Missing:\n\n${missing.join('\n')}`] : []),
    ]
    return `### ${name}\n\n${parts.join('\n\n')}`
  })
  return `## What is wrong, what is missing\n\n${sections.join('\n\n')}`
}

/** How many numbers of each kind each library gave. */
export function summary(names: readonly string[], rows: readonly Row[]): string {
  const count = (i: number, kind: Verdict['kind'], quantity?: Quantity) =>
    rows.reduce(
      (total, { cells }) =>
        total + [...cells[i]!].filter(([name, v]) => v.kind === kind && (!quantity || name === quantity)).length,
      0,
    )
  const lines = names.map((name, i) => [
    name,
    ...quantities.map((quantity) => `${count(i, 'right', quantity)}`),
    `${count(i, 'wrong')}`,
    `${count(i, 'missing')}`,
  ])
  return markdownTable([['', ...quantities.map((name) => `${letters[name]} right`), 'wrong', 'missing'], ...lines])
}
