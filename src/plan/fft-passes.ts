import {
  add,
  addAffine,
  affine,
  buffer,
  define,
  f32,
  kernel as kernelOf,
  load,
  loop,
  mul,
  multiplyAdd,
  neg,
  read,
  type Statements,
  shiftAffine,
  splat,
  store,
  sub,
} from '../kernel/builder.ts'
import type { Affine, Expr, Kernel, Lanes } from '../kernel/ir.ts'
import { channelVectors } from './channels.ts'
import type { Grid } from './fft-shape.ts'
import type { Namer } from './names.ts'

export interface Complex {
  readonly re: Expr
  readonly im: Expr
}

export interface Context {
  readonly lanes: Lanes
  readonly name: Namer
  /** Points of the longer axis: the table of its roots of unity serves both. */
  readonly points: number
}

/** Real parts, then imaginary parts of e^(-2 pi i m / points), m < points. */
export const rootsBuffer = 'roots'
const seedsBuffer = 'seeds'

/** Roots are products of a coarse and a fine one: that many fine ones. */
const fineCount = (points: number): number => 2 ** Math.ceil(Math.log2(points) / 2)

export const rootScratch = (points: number): Record<string, number> => ({
  [seedsBuffer]: 2 * (fineCount(points) + points / fineCount(points)),
  [rootsBuffer]: 2 * points,
})

/** The table of roots: few as constants, the others as their products. */
export function rootKernels(points: number): Kernel[] {
  const fine = fineCount(points)
  const coarse = points / fine
  const { [seedsBuffer]: seeds, [rootsBuffer]: roots } = rootScratch(points)
  const at = (m: number): [number, number] => {
    const angle = (-2 * Math.PI * m) / points
    return [Math.cos(angle), Math.sin(angle)]
  }
  const all = [
    ...Array.from({ length: fine }, (_, m) => at(m)),
    ...Array.from({ length: coarse }, (_, m) => at(m * fine)),
  ]
  const seed = (i: Affine, part: number) => load(seedsBuffer, shiftAffine(i, part))
  const [a, b] = [affine(0, { fine: 2 }), affine(2 * fine, { coarse: 2 })]
  const to = affine(0, { coarse: fine, fine: 1 })
  const [ar, ai, br, bi] = [seed(a, 0), seed(a, 1), seed(b, 0), seed(b, 1)]
  return [
    kernelOf({
      name: 'fftSeeds',
      buffers: [buffer(seedsBuffer, 'f32', seeds!, 'write')],
      axes: [],
      body: all.flatMap(([re, im], i) => [
        store(seedsBuffer, affine(2 * i), f32(re)),
        store(seedsBuffer, affine(2 * i + 1), f32(im)),
      ]),
    }),
    kernelOf({
      name: 'fftRoots',
      buffers: [buffer(seedsBuffer, 'f32', seeds!, 'read'), buffer(rootsBuffer, 'f32', roots!, 'write')],
      axes: [{ index: 'coarse', extent: coarse }],
      body: loop('fine', 0, fine, 1, [
        store(rootsBuffer, to, sub(mul(ar, br), mul(ai, bi))),
        store(rootsBuffer, shiftAffine(to, points), add(mul(ar, bi), mul(ai, br))),
      ]),
    }),
  ]
}

export const sum = (a: Complex, b: Complex): Complex => ({ re: add(a.re, b.re), im: add(a.im, b.im) })
const difference = (a: Complex, b: Complex): Complex => ({ re: sub(a.re, b.re), im: sub(a.im, b.im) })
/** -i a. */
const turned = (a: Complex): Complex => ({ re: a.im, im: neg(a.re) })

/** a * b, or a * conjugate of b. */
export function product(a: Complex, b: Complex, conjugate: boolean): Complex {
  const cross = (x: Expr, y: Expr, negative: boolean, plus: Expr) => multiplyAdd(negative ? neg(x) : x, y, plus)
  return {
    re: cross(a.im, b.im, !conjugate, mul(a.re, b.re)),
    im: cross(a.re, b.im, conjugate, mul(a.im, b.re)),
  }
}

/** Loads and stores of complex numbers of a grid, and names for what is used again. */
export function cells({ buffer: name, channels }: Grid, { lanes, name: naming }: Context) {
  const statements: Statements[] = []
  const bind = (value: Expr): Expr => {
    const definition = define(naming('v'), value)
    statements.push([definition])
    return read(definition)
  }
  const both = (value: Complex): Complex => ({ re: bind(value.re), im: bind(value.im) })
  return {
    statements,
    both,
    load: (at: Affine): Complex =>
      both({ re: load(name, at, lanes), im: load(name, shiftAffine(at, channels), lanes) }),
    store(at: Affine, { re, im }: Complex, count: number): void {
      statements.push([store(name, at, re, count), store(name, shiftAffine(at, channels), im, count)])
    },
  }
}

/** One stage of a transform: blocks of `length` points become `radix` blocks. */
interface Stage {
  readonly length: number
  readonly radix: 2 | 4
}

/** Of a forward transform, whose results lie in an order that the inverse one undoes. */
function stagesOf(points: number): Stage[] {
  const stages: Stage[] = []
  for (let length = points; length > 1; length /= stages.at(-1)!.radix)
    stages.push({ length, radix: length % 4 === 0 ? 4 : 2 })
  return stages
}

/** A butterfly of 2 or 4 points; the inverse is the forward one with i turned to -i. */
function butterfly(values: readonly Complex[], inverse: boolean, both: (value: Complex) => Complex): Complex[] {
  const [a, b, c, d] = values as [Complex, Complex, Complex, Complex]
  if (values.length === 2) return [sum(a, b), difference(a, b)]
  const [even, odd] = [both(sum(a, c)), both(difference(a, c))]
  const [crossed, side] = [both(sum(b, d)), turned(both(difference(b, d)))]
  const [first, last] = inverse ? [difference(odd, side), sum(odd, side)] : [sum(odd, side), difference(odd, side)]
  return [sum(even, crossed), first, difference(even, crossed), last]
}

/**
 * All stages of the transforms along one axis of a grid. Forward: decimation in frequency, natural order to shuffled;
 * inverse, without its factor: decimation in time, shuffled to natural. No point is moved.
 * @param at the first point @param step floats between points
 * @param over loops over what lies beside the axis, inside those of a stage
 */
export function transform(
  on: Grid,
  context: Context,
  { at, step, points, inverse }: { at: Affine; step: number; points: number; inverse: boolean },
  over: (body: (offset: Affine, count: number) => Statements) => Statements,
): Statements[] {
  const stages = stagesOf(points)
  return (inverse ? stages.reverse() : stages).map(({ length, radix }) => {
    const part = length / radix
    const [block, j] = [context.name('block'), context.name('j')]
    const many = points / length
    const start = addAffine(
      at,
      affine(0, { ...(many > 1 && { [block]: length * step }), ...(part > 1 && { [j]: step }) }),
    )
    const factors = Array.from({ length: radix - 1 }, (_, i) => {
      const m = affine(0, { [j]: (i + 1) * (context.points / length) })
      const [re, im] = [0, context.points].map((plane) =>
        define(context.name('root'), splat(load(rootsBuffer, shiftAffine(m, plane)), context.lanes)),
      )
      return { statements: [re!, im!], value: { re: read(re!), im: read(im!) } }
    })
    const body = over((offset, count) => {
      const { statements, both, load: get, store: put } = cells(on, context)
      const places = Array.from({ length: radix }, (_, i) => shiftAffine(addAffine(start, offset), i * part * step))
      const turn = (value: Complex, i: number) =>
        i === 0 || part === 1 ? value : both(product(value, factors[i - 1]!.value, inverse))
      const values = places.map((place, i) => (inverse ? turn(get(place), i) : get(place)))
      const results = butterfly(values, inverse, both)
      results.forEach((value, i) => {
        put(places[i]!, inverse ? value : turn(both(value), i), count)
      })
      return statements
    })
    const rounds = part > 1 ? loop(j, 0, part, 1, [factors.flatMap((factor) => factor.statements), body]) : body
    return many > 1 ? loop(block, 0, many, 1, rounds) : [rounds].flat()
  })
}

/** Vectors of a grid's channels, of all its lists. */
export const overChannels = (
  { lists, channels }: Grid,
  { lanes, name }: Context,
  body: (offset: Affine, count: number) => Statements,
): Statements => {
  const list = name('list')
  const at = affine(0, lists > 1 ? { [list]: 2 * channels } : {})
  const vectors = channelVectors(channels, lanes, name('c'), (c, count) => body(addAffine(at, c), count))
  return lists > 1 ? loop(list, 0, lists, 1, vectors) : vectors
}
