// Drawn figures through the layers of 1969 and 1970, and how well the layers find what is in them.
import { compile } from '../../compile.ts'
import { type Features, fukushima1969, lineAngle, lineAngles } from '../../models/fukushima1969.ts'
import { bar, batchOf, disc, type Picture, picture } from '../../models/stimuli.ts'
import { rowOfMaps } from '../show.ts'
import { degrees, fixed, panelOf, rowsFile } from './drawing.ts'
import type { Measure, Outcome } from './report.ts'

export const size = 64
const channels = { contrast: 1, lines: 12, complexLines: 12, ends: 24, dots: 1, bends: 24, curvature: 1 } as const
type Layer = keyof Features
type Maps = Record<'dots' | 'complexLines', Float32Array>

const layers = Object.keys(channels) as Layer[]

/** The maps of each picture; of the layers named, and what they need, only. */
export async function mapsOf<L extends Layer = Layer>(
  pictures: readonly Picture[],
  names: readonly L[] = layers as L[],
): Promise<Record<L, Float32Array>[]> {
  const shape: readonly number[] = [pictures.length, size, size, 1]
  const program = compile(
    (x) => {
      const features = fukushima1969(x)
      return names.map((name) => features[name])
    },
    [shape] as const,
  )
  const results = await program(batchOf(pictures))
  return pictures.map((_, n) => {
    const part = (name: L, values: Float32Array): [L, Float32Array] => {
      const length = size * size * channels[name]
      return [name, values.subarray(n * length, (n + 1) * length)]
    }
    return Object.fromEntries(names.map((name, i) => part(name, results[i]!))) as Record<L, Float32Array>
  })
}

/** The largest over the channels at each place. */
export function strongestOf(values: Float32Array, count: number): Float32Array {
  const at = (i: number) => Math.max(...values.subarray(i * count, (i + 1) * count))
  return Float32Array.from({ length: values.length / count }, (_, i) => at(i))
}

export interface Place {
  readonly x: number
  readonly y: number
}

const placeOf = (i: number): Place => ({ x: (i % size) - (size - 1) / 2, y: Math.floor(i / size) - (size - 1) / 2 })

/** Maxima within 5 pixels that are at least half of the largest. */
export function peaksOf(map: Float32Array): Place[] {
  const largest = Math.max(...map)
  const candidates = [...map.keys()].filter((i) => map[i]! >= largest / 2).sort((a, b) => map[b]! - map[a]!)
  const near = (a: Place, b: Place) => Math.hypot(a.x - b.x, a.y - b.y) <= 5
  return candidates
    .filter((i, rank) => !candidates.slice(0, rank).some((other) => near(placeOf(i), placeOf(other))))
    .map(placeOf)
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i)
const middle = (size / 2) * size + size / 2
/** A line along (cos t, sin t): a bar lies at right angles to its orientation. */
const line = (angle: number, options: Parameters<typeof bar>[2]) =>
  bar(size, angle + Math.PI / 2, { width: 2, ...options })

/** Degrees between a line's angle and the strongest plane's, the largest of 36 lines. */
export async function orientationError(): Promise<number> {
  const angles = range(36).map((i) => (i * Math.PI) / 36)
  const maps = await mapsOf(
    angles.map((angle) => line(angle, { length: 40 })),
    ['complexLines'],
  )
  const errors = maps.map(({ complexLines }, i) => {
    const planes = complexLines.subarray(middle * lineAngles, (middle + 1) * lineAngles)
    const apart = Math.abs(lineAngle(planes.indexOf(Math.max(...planes))) - angles[i]!)
    return degrees(Math.min(apart, Math.PI - apart))
  })
  return Math.max(...errors)
}

export interface EndsFound {
  /** Of each line, how many maxima the layer of ends has; 2 is right. */
  readonly counts: readonly number[]
  /** The largest distance of a true end to the nearest maximum, in pixels. */
  readonly distance: number
}

/** Ends of lines of 20 to 40 pixels at 12 angles (off the planes' own by 5 degrees). */
export async function lineEnds(): Promise<EndsFound> {
  const cases = [20, 30, 40].flatMap((length) => range(12).map((i) => ({ length, angle: (i * Math.PI) / 12 + 0.09 })))
  const maps = await mapsOf(
    cases.map(({ length, angle }) => line(angle, { length })),
    ['ends'],
  )
  const found = maps.map(({ ends }) => peaksOf(strongestOf(ends, channels.ends)))
  const distances = cases.flatMap(({ length, angle }, i) =>
    [1, -1].map((sign) => {
      const [x, y] = [(sign * length * Math.cos(angle)) / 2, (sign * length * Math.sin(angle)) / 2]
      return Math.min(...found[i]!.map((peak) => Math.hypot(peak.x - x, peak.y - y)))
    }),
  )
  return { counts: found.map((peaks) => peaks.length), distance: Math.max(...distances) }
}

export interface DotFound {
  /** Pixels between the dot and the maximum of the layer of dots. */
  readonly distance: number
  /** The strongest line element's response to the dot, by that to a line. */
  readonly lineShare: number
  /** The largest dot element's response to a line, by that to the dot. */
  readonly dotShare: number
}

export async function singleDot(): Promise<DotFound> {
  const dot = picture(size, (x, y) => (Math.hypot(x - 5.5, y + 8.5) < 1.2 ? 1 : 0))
  const [ofDot, ofLine] = (await mapsOf([dot, line(0.3, { length: 40 })], ['dots', 'complexLines'])) as [Maps, Maps]
  const peak = peaksOf(ofDot.dots)[0]!
  const largest = (values: Float32Array) => Math.max(...values)
  return {
    distance: Math.max(Math.abs(peak.x - 5.5), Math.abs(peak.y + 8.5)),
    lineShare: largest(ofDot.complexLines) / largest(ofLine.complexLines),
    dotShare: largest(ofLine.dots) / largest(ofDot.dots),
  }
}

export const radii = [32, 24, 16, 12, 8] as const

/** Mean response of the last layer of 1970 along a straight line and along circles of the radii. */
export async function curvatures(): Promise<number[]> {
  // of a radius that doesn't fit, an arc through the middle
  const arc = (radius: number) => {
    const centre = radius > 24 ? radius : 0
    return picture(size, (x, y) => Math.max(0, Math.min(1, 1.5 - Math.abs(Math.hypot(x - centre, y) - radius))))
  }
  const pictures = [line(0.4, {}), ...radii.map(arc)]
  const maps = await mapsOf(pictures, ['curvature'])
  return maps.map(({ curvature }, i) => {
    const inside = range(size * size).filter((p) => {
      const { x, y } = placeOf(p)
      return pictures[i]!.values[p]! > 0.9 && Math.max(Math.abs(x), Math.abs(y)) < 20 + (i > 1 ? 8 : 0)
    })
    return inside.reduce((total, p) => total + curvature[p]!, 0) / inside.length
  })
}

/** Pearson's correlation. */
export function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((total, v) => total + v, 0) / values.length
  const [ma, mb] = [mean(a), mean(b)]
  const product = (f: (i: number) => number) => a.reduce((total, _, i) => total + f(i), 0)
  const covariance = product((i) => (a[i]! - ma) * (b[i]! - mb))
  return covariance / Math.sqrt(product((i) => (a[i]! - ma) ** 2) * product((i) => (b[i]! - mb) ** 2))
}

/** A triangle, an arc and two dots. */
function figure(): Picture {
  const ring = disc(size, 11, 2)
  const corners: readonly Place[] = [
    { x: -24, y: 24 },
    { x: -4, y: -24 },
    { x: 8, y: 20 },
  ]
  const distance = (x: number, y: number, a: Place, b: Place) => {
    const [ux, uy] = [b.x - a.x, b.y - a.y]
    const t = Math.min(1, Math.max(0, ((x - a.x) * ux + (y - a.y) * uy) / (ux * ux + uy * uy)))
    return Math.hypot(x - a.x - t * ux, y - a.y - t * uy)
  }
  return picture(size, (x, y) => {
    const sides = corners.slice(0, 2).map((corner, i) => distance(x, y, corner, corners[i + 1]!))
    const arc = y > 8 ? ring.values[Math.round(y - 15 + 31.5) * size + Math.round(x - 18 + 31.5)]! : 0
    const dots = [Math.hypot(x - 16, y + 20), Math.hypot(x - 24, y + 6)]
    return Math.max(arc ?? 0, Math.min(...sides) < 1.1 || Math.min(...dots) < 1.5 ? 1 : 0)
  })
}

const share = (value: number) => `${fixed(100 * value, 0)}%`

const captions: Record<Layer, string> = {
  contrast: 'U1, contrast',
  lines: 'U2, lines of 12 orientations',
  complexLines: 'U3, the same, whatever the exact place',
  ends: 'U4, ends of lines: 12 orientations, two sides',
  dots: 'U5, dots',
  bends: '1970, U5, bent lines: 12 orientations, two directions',
  curvature: '1970, U6, curvature',
}

const pixels = (value: number) => `${fixed(value, 1)} px`
const degreesOf = (value: number) => `${fixed(value, 1)} deg`

/** What the abstracts say that the layers find. */
function measuresOf(error: number, ends: EndsFound, dot: DotFound, bent: readonly number[], r: number): Measure[] {
  const right = ends.counts.filter((count) => count === 2).length / ends.counts.length
  const rises = bent.slice(1).filter((value, i) => value > bent[i]!).length
  return [
    { name: 'lines at 36 angles: strongest plane off by', value: error, show: degreesOf, atMost: 15 },
    { name: 'lines with exactly two ends found', value: right, show: share, atLeast: 1 },
    { name: 'ends off by', value: ends.distance, show: pixels, atMost: 3 },
    { name: 'a dot off by', value: dot.distance, show: pixels, atMost: 1 },
    { name: 'a dot excites lines, by what a line does', value: dot.lineShare, show: share, atMost: 0.25 },
    { name: 'a line excites dots, by what a dot does', value: dot.dotShare, show: share, atMost: 0.5 },
    { name: 'steps of curvature that the last layer follows', value: rises, show: String, atLeast: radii.length },
    { name: 'its correlation with 1 / radius', value: r, show: (v) => fixed(v, 3), atLeast: 0.9 },
  ]
}

/** `fovea reproduce fukushima1969`. */
export async function reproduceFukushima(): Promise<Outcome> {
  const error = await orientationError()
  const ends = await lineEnds()
  const dot = await singleDot()
  const bent = await curvatures()
  const drawn = figure()
  const maps = (await mapsOf([drawn]))[0]!
  const r = correlation(bent, [0, ...radii.map((radius) => 1 / radius)])
  return {
    measures: measuresOf(error, ends, dot, bent, r),
    lines: [
      `the last layer for a straight line, radius ${radii.join(', ')}: ${bent.map((v) => fixed(v, 3)).join(', ')}`,
    ],
    files: [
      rowsFile('fukushima1969.png', [
        { caption: 'a figure', row: { panels: [panelOf(drawn)], pixel: 1 } },
        ...layers.map((layer) => ({
          caption: captions[layer],
          row: rowOfMaps(maps[layer], [size, size, channels[layer]]),
        })),
      ]),
    ],
  }
}
