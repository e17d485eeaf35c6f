import { fixed } from './drawing.ts'

/** One number that a system is held against. */
export interface Measure {
  readonly name: string
  readonly value: number
  /** How a number of this kind is written. Default: two digits after the point. */
  readonly show?: (value: number) => string
  /** What must be reached, if anything must. */
  readonly atLeast?: number
  readonly atMost?: number
  /** What the paper says. */
  readonly paper?: string
}

/** A picture (.png, .svg) or weights (.safetensors) that the report names. */
export interface ReportFile {
  readonly name: string
  readonly caption: string
  readonly content: Uint8Array | string
}

/** What came of building, training and measuring a system. */
export interface Outcome {
  readonly measures?: readonly Measure[]
  /** Further text, printed as it is. */
  readonly lines?: readonly string[]
  readonly files?: readonly ReportFile[]
}

/** The line that a measure without a target is shown with. */
const nothing = ''

export const isMet = ({ value, atLeast, atMost }: Measure): boolean =>
  Number.isFinite(value) && value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity)

/** Name, target, paper's figure, result of a measure. */
function cellsOf(measure: Measure): string[] {
  const { name, value, show = fixed, atLeast, atMost, paper = nothing } = measure
  const bounds = [
    ...(atLeast === undefined ? [] : [`>= ${show(atLeast)}`]),
    ...(atMost === undefined ? [] : [`<= ${show(atMost)}`]),
  ]
  return [name, bounds.join(', '), paper, show(value) + (isMet(measure) ? '' : ' MISSED')]
}

const heads = ['measure', 'target', 'paper', 'result']

/** The measures as a table of text. */
export function tableLines(measures: readonly Measure[]): string[] {
  if (measures.length === 0) return []
  const rows = [heads, ...measures.map(cellsOf)]
  const widths = heads.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd()
  return rows.map(line)
}

/** How and where a report came to be. */
export interface Origin {
  readonly title: string
  readonly command: string
  readonly date: string
  readonly machine: string
  readonly seconds: number
}

const marked = (cell: string) => cell.replaceAll('|', '\\|')

/** The report as Markdown; its files lie beside it. */
export function reportText({ measures = [], lines = [], files = [] }: Outcome, origin: Origin): string {
  const table = measures.length === 0 ? [] : [heads, heads.map(() => '---'), ...measures.map(cellsOf)]
  const shown = (name: string) => /\.(png|svg)$/.test(name)
  const parts = [
    `# ${origin.title}`,
    `\`${origin.command}\`, ${origin.date}, ${fixed(origin.seconds, 0)} s on ${origin.machine}`,
    table.map((row) => `| ${row.map(marked).join(' | ')} |`).join('\n'),
    lines.length === 0 ? '' : ['```text', ...lines, '```'].join('\n'),
    ...files.map(({ name, caption }) =>
      shown(name) ? `${caption}\n\n![${caption}](${name})` : `[${name}](${name}): ${caption}`,
    ),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}
