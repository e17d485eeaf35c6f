/** Rows of text with columns as wide as needed; the first column is aligned left, the others right. */
export function printTable(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)))
  return rows
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '))
    .map((line) => line.trimEnd())
    .join('\n')
}

/** The same as a table of Markdown; the first row is its head. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length))
  const line = (row: readonly string[]) =>
    `| ${Array.from({ length: columns }, (_, i) => (row[i] ?? '').replaceAll('|', '\\|')).join(' | ')} |`
  const rule = `|${Array.from({ length: columns }, (_, i) => (i === 0 ? '---' : '---:')).join('|')}|`
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)].join('\n')
}

export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)

/** Three significant digits, never an exponent. */
export const milliseconds = (ms: number): string =>
  ms >= 100 ? ms.toFixed(0) : ms.toFixed(ms >= 10 ? 1 : ms >= 1 ? 2 : ms >= 0.1 ? 3 : 4)

export const ratio = (value: number): string => `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)}x`
