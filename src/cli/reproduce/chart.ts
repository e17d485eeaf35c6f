import { scaleBand, scaleLinear } from 'd3-scale'
import { line } from 'd3-shape'

/** Of an axis, or of the whole chart. */
export interface ChartTexts {
  readonly title: string
  readonly x: string
  readonly y: string
}

export interface Curve {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Columns {
  readonly name: string
  /** One height for each label. */
  readonly values: readonly number[]
}

const [width, height] = [520, 320]
const margin = { top: 40, right: 150, bottom: 48, left: 56 }
const [left, right, top, bottom] = [margin.left, width - margin.right, margin.top, height - margin.bottom]
/** Of Okabe and Ito (2008): told apart with any kind of colour vision. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000']
const colourOf = (i: number) => colours[i % colours.length]!

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }
const escaped = (text: string) => text.replace(/[&<>]/g, (sign) => entities[sign]!)

const text = (x: number, y: number, words: string, more = 'text-anchor="middle"') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escaped(words)}</text>`

type Scale = (value: number) => number

function frame({ title, x, y }: ChartTexts, yScale: Scale, yTicks: readonly number[], names: readonly string[]) {
  const middle = (top + bottom) / 2
  return [
    text((left + right) / 2, 20, title, 'text-anchor="middle" font-weight="bold"'),
    text((left + right) / 2, height - 10, x),
    text(14, middle, y, `text-anchor="middle" transform="rotate(-90 14 ${middle})"`),
    ...yTicks.map((value) => {
      const at = yScale(value)
      const rule = `<path d="M${left} ${at.toFixed(1)}H${right}" stroke="#ddd"/>`
      return rule + text(left - 6, at + 4, String(value), 'text-anchor="end"')
    }),
    ...names.map((name, i) => {
      const at = top + 8 + 20 * i
      const box = `<rect x="${right + 12}" y="${at - 6}" width="12" height="12" fill="${colourOf(i)}"/>`
      return box + text(right + 30, at + 4, name, 'text-anchor="start"')
    }),
  ]
}

const svg = (title: string, parts: readonly string[]) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
  `font-family="sans-serif" font-size="12"><title>${escaped(title)}</title>` +
  `<rect width="100%" height="100%" fill="white"/>\n${parts.join('\n')}\n</svg>\n`

/** Curves of y by x, as an SVG. */
export function lineChart(texts: ChartTexts, curves: readonly Curve[]): string {
  const points = curves.flatMap((curve) => curve.points)
  const span = (values: readonly number[]) => [Math.min(...values), Math.max(...values)]
  const x = scaleLinear(span(points.map((point) => point[0])), [left, right])
  const y = scaleLinear(span([0, ...points.map((point) => point[1])]), [bottom, top]).nice()
  const path = line<readonly [number, number]>(
    (point) => x(point[0]),
    (point) => y(point[1]),
  )
  return svg(texts.title, [
    ...frame(
      texts,
      y,
      y.ticks(5),
      curves.map((curve) => curve.name),
    ),
    ...x.ticks(6).map((value) => text(x(value), bottom + 18, String(value))),
    ...curves.map(
      (curve, i) => `<path d="${path([...curve.points])}" fill="none" stroke="${colourOf(i)}" stroke-width="2"/>`,
    ),
  ])
}

/** A group of columns for each label, as an SVG: a histogram, or several beside each other. */
export function columnChart(texts: ChartTexts, labels: readonly string[], groups: readonly Columns[]): string {
  const x = scaleBand(labels, [left, right]).paddingInner(0.2)
  const y = scaleLinear([0, Math.max(...groups.flatMap((group) => group.values))], [bottom, top]).nice()
  const thick = x.bandwidth() / groups.length
  const column = (label: string, i: number, value: number) =>
    `<rect x="${(x(label)! + i * thick).toFixed(1)}" y="${y(value).toFixed(1)}" width="${thick.toFixed(1)}" ` +
    `height="${(bottom - y(value)).toFixed(1)}" fill="${colourOf(i)}"/>`
  return svg(texts.title, [
    ...frame(
      texts,
      y,
      y.ticks(5),
      groups.map((group) => group.name),
    ),
    ...labels.map((label) => text(x(label)! + x.bandwidth() / 2, bottom + 18, label)),
    ...groups.flatMap((group, i) => labels.map((label, k) => column(label, i, group.values[k]!))),
  ])
}
