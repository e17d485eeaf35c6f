// What physiologists measure of simple, complex and end-stopped cells, measured of ours.
import { compile } from '../../compile.ts'
import { angleOf, cells, differenceOfGaussians, evenKernels, oddKernels, orientations } from '../../models/cells.ts'
import { bar, batchOf, disc, grating, type Picture, picture } from '../../models/stimuli.ts'
import { type Row, rowOfMaps } from '../show.ts'
import { curvePanel, degrees, fixed, kernelPanel, panelOf, rowsFile } from './drawing.ts'
import type { Measure, Outcome } from './report.ts'

type Kind = 'simple' | 'energy' | 'pooled' | 'endStopped'
const kinds: readonly Kind[] = ['simple', 'energy', 'pooled', 'endStopped']
const channelsOf = { simple: 4 * orientations, energy: orientations, pooled: orientations, endStopped: orientations }

/** Of each kind, response `[stimulus][channel]` in the middle of the picture. */
type Responses = Record<Kind, number[][]>

async function responses(pictures: readonly Picture[]): Promise<Responses> {
  const { size } = pictures[0]!
  const program = compile((x) => ({ ...cells(x) }), [[pictures.length, size, size, 1]])
  const results = await program(batchOf(pictures))
  const middle = (size * size - 1) / 2
  const of = (kind: Kind) => {
    const channels = channelsOf[kind]
    return pictures.map((_, n) => [
      ...results[kind].subarray((n * size * size + middle) * channels).subarray(0, channels),
    ])
  }
  return { simple: of('simple'), energy: of('energy'), pooled: of('pooled'), endStopped: of('endStopped') }
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i)
/** Of the drifting gratings: angles over half a turn, steps of one period. */
const angles = 36
const steps = 12
const field = 31

export interface Tuning {
  /** Mean response over one period of a drifting grating, at each of 36 angles, for the 8 orientations. */
  readonly curves: readonly (readonly number[])[]
  /** Degrees between the angle of the peak and the cell's own, the largest of the 8. */
  readonly peakError: number
  /** Degrees from the peak to half of its height, mean of both sides and of the 8. */
  readonly halfWidth: number
  /** Amplitude of the response at the grating's frequency by its mean, at the best angle: the largest of the 8. */
  readonly modulation: number
  readonly leastModulation: number
}

/** F1 / F0 of the responses over one period. */
function modulationOf(values: readonly number[]): number {
  const part = (wave: (angle: number) => number) =>
    values.reduce((sum, v, i) => sum + v * wave((2 * Math.PI * i) / values.length), 0)
  return (2 * Math.hypot(part(Math.cos), part(Math.sin))) / part(() => 1)
}

/** Steps from the peak to half of it, linear between the samples, mean of both sides. */
function halfWidthOf(curve: readonly number[]): number {
  const peak = curve.indexOf(Math.max(...curve))
  const half = curve[peak]! / 2
  const side = (direction: number) => {
    const at = (i: number) => curve[(peak + direction * i + 2 * curve.length) % curve.length]!
    for (let i = 1; i < curve.length / 2; i++) if (at(i) < half) return i - 1 + (at(i - 1) - half) / (at(i - 1) - at(i))
    return curve.length / 2
  }
  return (side(1) + side(-1)) / 2
}

function tuningOf(results: readonly (readonly number[])[], channels: readonly number[]): Tuning {
  const perCell = channels.map((channel, orientation) => {
    const over = (angle: number) => range(steps).map((step) => results[angle * steps + step]![channel]!)
    const curve = range(angles).map((angle) => over(angle).reduce((sum, v) => sum + v, 0) / steps)
    const peak = curve.indexOf(Math.max(...curve))
    const apart = Math.abs((peak * Math.PI) / angles - angleOf(orientation))
    return {
      curve,
      error: degrees(Math.min(apart, Math.PI - apart)),
      halfWidth: (halfWidthOf(curve) * 180) / angles,
      modulation: modulationOf(over(peak)),
    }
  })
  return {
    curves: perCell.map(({ curve }) => curve),
    peakError: Math.max(...perCell.map(({ error }) => error)),
    halfWidth: perCell.reduce((sum, cell) => sum + cell.halfWidth, 0) / perCell.length,
    modulation: Math.max(...perCell.map(({ modulation }) => modulation)),
    leastModulation: Math.min(...perCell.map(({ modulation }) => modulation)),
  }
}

/** Orientation tuning and modulation by drifting gratings of the cells' wavelength. */
export async function gratingTuning(): Promise<Record<'simple' | 'energy' | 'pooled', Tuning>> {
  const pictures = range(angles * steps).map((i) =>
    grating(field, (Math.floor(i / steps) * Math.PI) / angles, 8, (2 * Math.PI * (i % steps)) / steps),
  )
  const measured = await responses(pictures)
  const own = range(orientations)
  return {
    simple: tuningOf(measured.simple, own),
    energy: tuningOf(measured.energy, own),
    pooled: tuningOf(measured.pooled, own),
  }
}

/** Responses of orientation 0's cells to a bar that moves half a wavelength, by the largest of each. */
export async function translation(): Promise<Record<'simple' | 'energy' | 'pooled', readonly number[]>> {
  const pictures = range(9).map((i) => bar(field, 0, { offset: -2 + i / 2 }))
  const measured = await responses(pictures)
  const curve = (values: readonly (readonly number[])[]) => {
    const list = values.map((channels) => channels[0]!)
    return list.map((v) => v / Math.max(...list))
  }
  return { simple: curve(measured.simple), energy: curve(measured.energy), pooled: curve(measured.pooled) }
}

/** Lengths of bars in pixels, and how an energy cell and its end-stopped cell respond, of orientation 0. */
export async function lengthTuning(): Promise<{ lengths: number[]; energy: number[]; endStopped: number[] }> {
  const lengths = range(15).map((i) => 3 + 4 * i)
  const measured = await responses(lengths.map((length) => bar(63, 0, { length })))
  const curve = (kind: Kind) => measured[kind].map((channels) => channels[0]!)
  return { lengths, energy: curve('energy'), endStopped: curve('endStopped') }
}

type Tunings = Awaited<ReturnType<typeof gratingTuning>>
type Moved = Awaited<ReturnType<typeof translation>>

const whole = (share: number) => `${fixed(100 * share, 0)}%`
const one = (value: number) => fixed(value, 1)

/** What the cells must do: be tuned, simple ones depend on place and complex ones not, end-stopped ones on length. */
function measuresOf(tuning: Tunings, moved: Moved, long: { endStopped: number; energy: number }): Measure[] {
  const { simple, energy, pooled } = tuning
  const tunings = [simple, energy, pooled]
  const error = Math.max(...tunings.map(({ peakError }) => peakError))
  const widths = tunings.map(({ halfWidth }) => halfWidth)
  const modulation = Math.max(energy.modulation, pooled.modulation)
  const complex = Math.min(...moved.energy, ...moved.pooled)
  return [
    { name: 'peak of orientation tuning off by, degrees', value: error, show: one, atMost: 5 },
    { name: 'half-width of tuning, degrees: narrowest', value: Math.min(...widths), show: one, atLeast: 15 },
    { name: 'half-width of tuning, degrees: widest', value: Math.max(...widths), show: one, atMost: 35 },
    { name: 'drifting grating, F1/F0: simple', value: simple.leastModulation, atLeast: 1, paper: 'pi / 2 in theory' },
    { name: 'drifting grating, F1/F0: complex', value: modulation, atMost: 0.5 },
    { name: 'bar moved half a wavelength: simple', value: Math.min(...moved.simple), show: whole, atMost: 0.5 },
    { name: 'bar moved half a wavelength: complex', value: complex, show: whole, atLeast: 0.8 },
    { name: 'long bar by the best: end-stopped', value: long.endStopped, show: whole, atMost: 0.5 },
    { name: 'long bar by the same: energy', value: long.energy, show: whole, atLeast: 0.8 },
  ]
}

const least = (values: readonly number[]) => whole(Math.min(...values))

function scene(): Picture {
  const ring = disc(96, 26, 3)
  return picture(96, (x, y) => {
    const i = Math.round(y + 47.5) * 96 + Math.round(x + 47.5)
    return Math.max(ring.values[i]!, Math.abs(x - 38) < 1.5 && Math.abs(y) < 40 ? 1 : 0, Math.abs(y + 38) < 1.5 ? 1 : 0)
  })
}

const captions = { simple: 'simple', energy: 'complex (energy)', pooled: 'complex (pooled)', endStopped: 'end-stopped' }

/** Of simple cells the even ones only. */
function firstMaps(values: Float32Array, size: number, channels: number): Row {
  const row = rowOfMaps(values, [size, size, channels])
  return { ...row, panels: row.panels.slice(0, orientations) }
}

/** `fovea reproduce cells`. */
export async function reproduceCells(): Promise<Outcome> {
  const tuning = await gratingTuning()
  const moved = await translation()
  const { lengths, endStopped, energy } = await lengthTuning()
  const drawn = scene()
  const maps = await compile((x) => ({ ...cells(x) }), [[1, drawn.size, drawn.size, 1]])(drawn.values)
  const best = endStopped.indexOf(Math.max(...endStopped))
  const long = { endStopped: endStopped.at(-1)! / endStopped[best]!, energy: energy.at(-1)! / energy[best]! }
  const row = ({ peakError, halfWidth, modulation, leastModulation }: Tuning) =>
    `peak off by ${fixed(peakError, 1)} deg at most, half-width ${fixed(halfWidth, 1)} deg, ` +
    `F1/F0 ${fixed(leastModulation)} to ${fixed(modulation)}`
  return {
    measures: measuresOf(tuning, moved, long),
    lines: [
      'drifting gratings, 36 angles',
      `  simple   ${row(tuning.simple)} (in theory pi/2 = 1.57)`,
      `  energy   ${row(tuning.energy)}`,
      `  pooled   ${row(tuning.pooled)}`,
      'a bar that moves half a wavelength: least response by the largest',
      `  simple ${least(moved.simple)}, energy ${least(moved.energy)}, pooled ${least(moved.pooled)}`,
      `bars of ${lengths[0]} to ${lengths.at(-1)} px`,
      `  end-stopped: best at ${lengths[best]} px; at ${lengths.at(-1)} px ${whole(long.endStopped)} of that`,
      `  energy: at ${lengths.at(-1)} px ${whole(long.energy)} of what it is at ${lengths[best]} px`,
    ],
    files: [
      rowsFile('cells.png', [
        {
          caption: 'even and odd Gabor kernels of 8 orientations',
          row: { panels: [...evenKernels, ...oddKernels].map(kernelPanel), pixel: 3 },
        },
        {
          caption: 'differences of Gaussians: on-centre, off-centre',
          row: {
            panels: [1, -1].map((sign) => kernelPanel(differenceOfGaussians(21, 1.5, 4).map((v) => v * sign))),
            pixel: 3,
          },
        },
        {
          caption: 'tuning curves over 180 degrees: simple, energy, pooled cell of orientation 90',
          row: {
            panels: [tuning.simple, tuning.energy, tuning.pooled].map(({ curves }) => curvePanel(curves[4]!)),
            pixel: 3,
          },
        },
        { caption: 'a picture', row: { panels: [panelOf(drawn)], pixel: 1 } },
        ...kinds.map((kind) => ({
          caption: `${captions[kind]} cells of 8 orientations`,
          row: firstMaps(maps[kind], drawn.size, channelsOf[kind]),
        })),
      ]),
    ],
  }
}
