import type { Shape } from '../base/shape.ts'

/** Where a command writes, and what can be shown there. */
export interface Terminal {
  /** One line of results, to standard output. */
  print(line?: string): void
  /** One line about what is going on, to standard error. */
  note(line: string): void
  /** Does someone watch? If not: whole lines and no escape codes. */
  readonly interactive: boolean
  /** Are there shades of grey? */
  readonly greys: boolean
  /** Characters of a line. */
  readonly columns: number
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { stdout, stderr } = process
  return {
    print: (line = '') => {
      stdout.write(`${line}\n`)
    },
    note: (line) => {
      stderr.write(`${line}\n`)
    },
    interactive: Boolean(stdout.isTTY && stderr.isTTY),
    greys: Boolean(stdout.isTTY && stdout.hasColors(256)),
    columns: stdout.columns || 80,
  }
}

/** 0.1234 as '12.34%'. */
export const percent = (share: number, digits = 2): string => `${(100 * share).toFixed(digits)}%`

/** A row of blocks for a share of 1, `width` characters at most. */
export const bar = (share: number, width: number): string => '█'.repeat(Math.round(share * width))

/** A grey picture to draw. */
export interface Picture {
  /** [height, width] or [height, width, 1], 0 black to 1 white. */
  readonly values: ArrayLike<number>
  readonly shape: Shape
  /** Below it. */
  readonly caption: string
}

/** From black to white by how much of its cell a character fills. */
const shades = ' .:-=+*#%@'
/** Number of the first of 24 greys among a terminal's 256 colours. */
const firstGrey = 232

const clamp = (value: number) => Math.min(1, Math.max(0, value))
const greyOf = (value: number) => firstGrey + Math.round(clamp(value) * 23)

/** Two rows of a picture in one line of characters, which are about twice as high as wide. */
function lineOf({ values, shape }: Picture, row: number, greys: boolean): string {
  const [height, width] = shape as [number, number]
  const at = (y: number, x: number) => (y < height ? values[y * width + x]! : 0)
  const cells = Array.from({ length: width }, (_, x) => {
    const [top, bottom] = [at(row, x), at(row + 1, x)]
    if (!greys) return shades[Math.round(clamp((top + bottom) / 2) * (shades.length - 1))]
    return `\x1b[38;5;${greyOf(top)};48;5;${greyOf(bottom)}m▀`
  })
  return cells.join('') + (greys ? '\x1b[0m' : '')
}

/** Pictures side by side with captions, as many to a row as fit into `columns`. */
export function drawPictures(pictures: readonly Picture[], { greys, columns }: Pick<Terminal, 'greys' | 'columns'>) {
  const lines: string[] = []
  const width = Math.max(...pictures.map(({ shape, caption }) => Math.max(shape[1]!, caption.length)))
  const perRow = Math.max(1, Math.floor((columns + 2) / (width + 2)))
  for (let first = 0; first < pictures.length; first += perRow) {
    const row = pictures.slice(first, first + perRow)
    const height = Math.max(...row.map(({ shape }) => shape[0]!))
    for (let y = 0; y < height; y += 2)
      lines.push(
        row
          .map((one) => lineOf(one, y, greys) + ' '.repeat(width - one.shape[1]!))
          .join('  ')
          .trimEnd(),
      )
    lines.push(
      row
        .map(({ caption }) => caption.padEnd(width))
        .join('  ')
        .trimEnd(),
    )
  }
  return lines
}

/** More classes than this make a matrix too wide to read. */
const mostColumns = 20

/** How often each class was taken for each: a matrix, or the ten most frequent mistakes if there are many classes. */
export function confusionLines(matrix: readonly (readonly number[])[], classes: readonly string[]): string[] {
  if (classes.length > mostColumns) return mistakes(matrix, classes)
  const numbered = classes.some((name) => name.length > 5)
  const heads = classes.map((name, i) => (numbered ? String(i) : name))
  const names = classes.map((name, i) => (numbered ? `${i} ${name}` : name))
  const left = Math.max(...names.map((name) => name.length), 'true'.length)
  const wide = Math.max(...heads.map((head) => head.length), ...matrix.flat().map((n) => String(n).length)) + 1
  const rows = matrix.map((row, i) => names[i]!.padEnd(left) + row.map((n) => String(n || '.').padStart(wide)).join(''))
  return [`${'true'.padEnd(left)}${heads.map((head) => head.padStart(wide)).join('')}  predicted`, ...rows]
}

function mistakes(matrix: readonly (readonly number[])[], classes: readonly string[]): string[] {
  const all = matrix.flatMap((row, i) =>
    row.map((count, k) => ({ count, text: `${classes[i]} taken for ${classes[k]}`, wrong: i !== k })),
  )
  const most = all
    .filter(({ wrong, count }) => wrong && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, 10)
  return ['most frequent mistakes', ...most.map(({ count, text }) => `${String(count).padStart(6)}  ${text}`)]
}
