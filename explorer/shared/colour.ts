/** Colours as [red, green, blue] in 0..255. */
export type Rgb = readonly [number, number, number]

const hex = (text: string): Rgb => [1, 3, 5].map((at) => Number.parseInt(text.slice(at, at + 2), 16)) as unknown as Rgb

/** Stops at |value| / limit: lightness says the magnitude, hue the sign; zero is the panel's own colour. */
const at = [0, 0.125, 0.25, 0.5, 0.75, 1]
const legs = {
  light: {
    positive: ['#f7f7f7', '#d6e2f3', '#b5ceef', '#74a5e4', '#2c7ad6', '#0053a5'],
    negative: ['#f7f7f7', '#eeddd4', '#e4c4b3', '#cf9270', '#b76027', '#873d00'],
  },
  dark: {
    positive: ['#181818', '#212b34', '#283f52', '#356993', '#3e97da', '#80c5ff'],
    negative: ['#181818', '#33271e', '#4f3723', '#8b5627', '#cd7822', '#ffa658'],
  },
}
/** Cividis (Nunez, Anderton and Renslow 2018), for counts and costs. */
const cividis = ['#002051', '#3c4d6e', '#7f7c75', '#bbaf71', '#fdea45']

export type Theme = keyof typeof legs

/** Entries of a table of colours; the middle one is zero. */
export const steps = 512

const linear = (c: number) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
const gamma = (c: number) => (c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055)

/** OKLab (Ottosson 2020). */
function toLab(rgb: Rgb): Rgb {
  const [r, g, b] = rgb.map((c) => linear(c / 255)) as [number, number, number]
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ]
}

function fromLab([lightness, a, b]: Rgb): Rgb {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  const rgb = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ]
  return rgb.map((c) => Math.round(255 * gamma(Math.min(Math.max(c, 0), 1)))) as unknown as Rgb
}

/** Colour at t in 0..1 between stops, linear in OKLab. */
function between(places: readonly number[], stops: readonly Rgb[], t: number): Rgb {
  let i = 1
  while (i < places.length - 1 && t > places[i]!) i++
  const part = (t - places[i - 1]!) / (places[i]! - places[i - 1]!)
  const [from, to] = [stops[i - 1]!, stops[i]!]
  return fromLab(from.map((c, axis) => c + part * (to[axis]! - c)) as unknown as Rgb)
}

const table = (colour: (t: number) => Rgb): readonly Rgb[] =>
  Array.from({ length: steps }, (_, i) => colour(position(i)))

/** What an entry stands for: -1 at entry 0, 0 at 256, almost 1 at 511. */
export const position = (entry: number) => (entry - steps / 2) / (steps / 2 - 1)

/** The entry of a value: 256 is zero. */
export const entryOf = (value: number, limit: number) =>
  Math.min(Math.max(Math.round((value / limit) * (steps / 2 - 1)) + steps / 2, 1), steps - 1)

function signedTable(theme: Theme): readonly Rgb[] {
  const [positive, negative] = [legs[theme].positive, legs[theme].negative].map((leg) => leg.map((c) => toLab(hex(c))))
  return table((t) => between(at, t < 0 ? negative! : positive!, Math.min(Math.abs(t), 1)))
}

function heatTable(): readonly Rgb[] {
  const stops = cividis.map((c) => toLab(hex(c)))
  return table((t) => between([0, 0.25, 0.5, 0.75, 1], stops, Math.max(t, 0)))
}

const greyTable = (): readonly Rgb[] =>
  table((t) => {
    const c = Math.round(255 * Math.max(t, 0))
    return [c, c, c]
  })

const tables = new Map<string, readonly Rgb[]>()

/** 512 colours from -limit to limit. Heat and grey use the upper half, and don't depend on the theme. */
export function colours(scale: 'signed' | 'heat' | 'grey', theme: Theme): readonly Rgb[] {
  const key = scale === 'signed' ? `signed ${theme}` : scale
  let known = tables.get(key)
  if (!known) {
    known = scale === 'signed' ? signedTable(theme) : scale === 'heat' ? heatTable() : greyTable()
    tables.set(key, known)
  }
  return known
}

/** The panel's colour, which is that of zero. */
export const panel = (theme: Theme): Rgb => panels[theme]

const panels = { light: hex(legs.light.positive[0]!), dark: hex(legs.dark.positive[0]!) }

/** The colour of `share` of a over b, as a canvas mixes them. */
export const mix = (a: Rgb, b: Rgb, share: number): Rgb =>
  a.map((c, i) => Math.round(share * c + (1 - share) * b[i]!)) as unknown as Rgb

/** WCAG's relative luminance. */
export const luminance = (rgb: Rgb): number => {
  const [r, g, b] = rgb.map((c) => linear(c / 255)) as [number, number, number]
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

/** Black or white, whichever reads better: always 4.58:1 or more. */
export const inkOn = (rgb: Rgb): '#000' | '#fff' => (luminance(rgb) > 0.1791 ? '#000' : '#fff')

export const css = ([r, g, b]: Rgb) => `rgb(${r} ${g} ${b})`

const faintTables = new Map<string, readonly Rgb[]>()

/** The same colours as padding has them: `paddingShare` of each over the panel. */
export function faint(scale: 'signed' | 'heat' | 'grey', theme: Theme): readonly Rgb[] {
  const key = `${scale} ${theme}`
  let known = faintTables.get(key)
  if (!known) {
    known = colours(scale, theme).map((colour) => mix(colour, panel(theme), paddingShare))
    faintTables.set(key, known)
  }
  return known
}

const inks = new WeakMap<Rgb, { readonly fill: string; readonly ink: '#000' | '#fff' }>()

/** A colour as a canvas takes it, and that of the text on it. */
export function inked(colour: Rgb): { readonly fill: string; readonly ink: '#000' | '#fff' } {
  let known = inks.get(colour)
  if (!known) {
    known = { fill: css(colour), ink: inkOn(colour) }
    inks.set(colour, known)
  }
  return known
}

/** Colours of marks and lines, never used for values. */
export const accents = {
  light: { pin: '#c01d7f', window: '#1b1f24', trace: '#c01d7f', edge: '#7a828c', ink: '#1b1f24', muted: '#5b6570' },
  dark: { pin: '#ff7ac6', window: '#e6e9ed', trace: '#ff7ac6', edge: '#6b7480', ink: '#e6e9ed', muted: '#a3adb8' },
}

/** Share of its own colour that a cell of padding has over the panel. */
export const paddingShare = 0.55
