import { type Box, type Fact, type Frame, limitOf, percentileLimit, type View } from '../shared/frame.ts'
import { decimals, grouped, minus, short } from '../shared/numbers.ts'
import { brightness, type Picture } from '../shared/picture.ts'
import {
  describe,
  divisor,
  type FeatureMap,
  filter,
  type Settings,
  type Summary,
  separability,
  sizeOf,
  summary,
  type Term,
  termsAt,
  titleOf,
} from './model.ts'
import type { PhotoState } from './state.ts'

export const settingsOf = ({ k, n, b, s, e, m }: PhotoState): Settings => ({
  kernel: k,
  norm: n,
  bias: b,
  stride: s,
  edge: e,
  mode: m,
})

/** All that is computed of a picture and a state. */
export interface Result {
  readonly state: PhotoState
  readonly picture: Picture
  readonly grey: FeatureMap
  /** Of the brightness: what is shown, unless as a picture. */
  readonly map: FeatureMap
  /** What the mode shows of it. */
  readonly values: Float32Array
  /** The value of the strongest colour. */
  readonly limit: number
  /** Of red, green and blue, where the result is shown as a picture. */
  readonly colour?: FeatureMap
  readonly summary: Summary
  /** Row and column of the largest magnitude. */
  readonly strongest: readonly [number, number]
}

export const greyOf = (picture: Picture): FeatureMap => ({
  width: picture.width,
  height: picture.height,
  channels: 1,
  data: brightness(picture),
})

/** Runs the library on a picture. `grey` is its brightness, which doesn't change with the kernel. */
export async function compute(state: PhotoState, picture: Picture, grey = greyOf(picture)): Promise<Result> {
  const settings = settingsOf(state)
  const map = await filter(grey, settings)
  const whole = { width: picture.width, height: picture.height, channels: 3, data: picture.data }
  const colour = state.m === 'clip' ? { colour: await filter(whole, settings) } : {}
  const values = state.m === 'abs' || state.m === 'relu' ? map.data.map(shown[state.m]) : map.data
  return {
    state,
    picture,
    grey,
    map,
    values,
    limit: percentileLimit(map.data),
    ...colour,
    summary: summary(map.data),
    strongest: strongest(map),
  }
}

function strongest({ data, width }: FeatureMap): [number, number] {
  let [best, at] = [-1, 0]
  for (let i = 0; i < data.length; i++) {
    const size = Math.abs(data[i]!)
    if (size > best) [best, at] = [size, i]
  }
  return [Math.floor(at / width), at % width]
}

/** What a mode makes of a value. */
const shown = { abs: Math.abs, relu: (value: number) => Math.max(value, 0) }

/** The result that is written out: the pointed one, the chosen one, or the strongest. */
export function chosenAt(result: Result, pointed?: readonly number[] | null): readonly [number, number] {
  const [row, column] = (pointed ?? result.state.at ?? result.strongest) as [number, number]
  return [Math.min(row, result.map.height - 1), Math.min(column, result.map.width - 1)]
}

/** Around a square, but not smaller than can be seen. */
function around(row: number, column: number, size: number): Box {
  const more = Math.max(Math.ceil((7 - size) / 2), 1)
  return { row: row - more, column: column - more, rows: size + 2 * more, columns: size + 2 * more, kind: 'pin' }
}

function beforeView({ picture, grey }: Result, window: Box): View {
  return {
    name: 'before',
    title: `Photo, ${picture.width}×${picture.height}`,
    rows: picture.height,
    columns: picture.width,
    values: grey.data,
    picture: picture.data,
    scale: 'grey',
    limit: 1,
    boxes: [window],
  }
}

function afterView({ map, values, limit, colour, state }: Result, [row, column]: readonly [number, number]): View {
  return {
    name: 'after',
    title: `${capital(titleOf(state.k))}: ${map.width}×${map.height}`,
    rows: map.height,
    columns: map.width,
    values,
    ...(colour ? { picture: colour.data } : {}),
    scale: 'signed',
    limit,
    boxes: [around(row, column, 1)],
  }
}

const capital = (text: string) => text[0]!.toUpperCase() + text.slice(1)

/** The patch under the kernel, the kernel, and their products. */
function loupe(terms: readonly Term[], state: PhotoState): View[] {
  const size = state.k.length
  const square = (name: string, title: string, values: readonly number[], more: Partial<View>): View => ({
    name,
    title,
    rows: size,
    columns: size,
    values,
    scale: 'signed',
    limit: limitOf(values),
    ...more,
  })
  const products = terms.map(({ weight, value }) => weight * value)
  return [
    square(
      'patch',
      'Brightness x',
      terms.map(({ value }) => value),
      {
        scale: 'grey',
        limit: 1,
        padding: terms.map(({ outside }) => Number(outside)),
      },
    ),
    square('kernel', 'Kernel w (edit it)', state.k.flat(), { editable: true }),
    square('products', 'Products x·w', products, {}),
  ]
}

/** `0.91·1 + 0.2·−1 + ... = 3.2`; of large kernels the terms of largest size. */
function sumText(terms: readonly Term[], bias: number): string {
  const used = terms.filter(({ weight }) => weight !== 0)
  const parts = [...used].sort((a, b) => Math.abs(b.weight * b.value) - Math.abs(a.weight * a.value))
  const few = used.length <= 9 ? used : parts.slice(0, 6)
  const written = few.map(({ weight, value }) => `${short(value)}·${weight < 0 ? `(${short(weight)})` : short(weight)}`)
  const rest = used.length - few.length
  const sum = terms.reduce((total, { weight, value }) => total + weight * value, bias)
  const tail = [rest > 0 ? `${rest} smaller terms` : '', bias === 0 ? '' : `bias ${short(bias)}`].filter(
    (part) => part !== '',
  )
  return `${[...written, ...tail].join(' + ') || '0'} = ${short(sum)}`
}

const percent = (share: number) => `${decimals(100 * share, 1)}%`

function rangeText({ least, most, negative, outside }: Summary): string {
  return `${short(least)} to ${short(most)}; ${percent(negative)} below zero; ${percent(outside)} outside 0..1, which a picture can't show`
}

function facts(result: Result, terms: readonly Term[], [row, column]: readonly [number, number]): Fact[] {
  const { state, grey } = result
  const { macs } = sizeOf(grey, settingsOf(state))
  return [
    { name: `y[${row}, ${column}]`, text: sumText(terms, state.b) },
    { name: 'results', text: rangeText(result.summary) },
    { name: 'cost', text: `${grouped(macs)} multiply-adds. ${separability(state.k).text}` },
  ]
}

/** @param pointed row and column of the result under the pointer */
export function frameOf(result: Result, pointed?: readonly number[] | null): Frame {
  const { state, grey, map } = result
  const settings = settingsOf(state)
  const at = chosenAt(result, pointed)
  const { padLow } = sizeOf(grey, settings)
  const size = state.k.length
  const window = around(at[0] * state.s - padLow[0], at[1] * state.s - padLow[1], size)
  const terms = termsAt(grey, settings, at[0], at[1])
  const { problem } = divisor(state.k, state.n)
  const value = decimals(map.data[at[0] * map.width + at[1]]!).replace(minus, 'minus ')
  return {
    views: [beforeView(result, window), afterView(result, at), ...loupe(terms, state)],
    answer: { name: 'It detects:', text: describe(state.k) },
    facts: facts(result, terms, at),
    speak: `${titleOf(state.k)}. Row ${at[0]}, column ${at[1]}: ${value}.`,
    ...(problem ? { problem: `kernel: ${problem}.` } : {}),
  }
}
