import { showShape } from '../base/shape.ts'
import type { Explanation, LayerExplanation, LayerPlan } from './explain.ts'
import { grouped, showFields } from './summary.ts'

/** What times are shown beside. */
export interface PrintOptions {
  /** What the engine can do at most, GFLOP/s of multiply-adds on one thread: times are shown as shares of it. */
  readonly peak?: number
}

const row = (name: string, text: string) => `  ${name.padEnd(12)}${text}`

const planLine = (name: string, { algorithm, contraction, why }: LayerPlan) =>
  row(name, `${contraction}: ${algorithm}, ${why}`)

/** GFLOP/s of `macs` in a time, 1 MAC = 2 operations. */
const speedOf = (macs: number, milliseconds: number) => (2 * macs) / milliseconds / 1e6

function timeText(milliseconds: number, macs: number, peak: number | undefined): string {
  if (macs === 0) return `${milliseconds.toFixed(4)} ms`
  const speed = speedOf(macs, milliseconds)
  const share = peak === undefined ? '' : `, ${((100 * speed) / peak).toFixed(0)}% of peak`
  return `${milliseconds.toFixed(4)} ms, ${speed.toFixed(1)} GFLOP/s${share}`
}

function layerLines(layer: LayerExplanation, batchSize: number, { peak }: PrintOptions): string[] {
  const { name, shape, formulas, parameters, macs, fields, plans, gradientPlans, arenaBytes, milliseconds } = layer
  const sees = showFields(fields)
  return [
    `${name}  ->  ${showShape(shape)}`,
    ...formulas.map((formula, i) => row(i === 0 ? 'size' : '', formula)),
    row('parameters', grouped(parameters)),
    row('MACs', grouped(macs)),
    ...(sees === '-' ? [] : [row('sees', `${sees} of the input`)]),
    ...plans.map((plan, i) => planLine(i === 0 ? 'forward' : '', plan)),
    ...gradientPlans.map((plan, i) => planLine(i === 0 ? 'gradients' : '', plan)),
    row('arena', `${grouped(arenaBytes)} bytes`),
    ...(milliseconds === undefined ? [] : [row('time', timeText(milliseconds, macs * batchSize, peak))]),
    '',
  ]
}

/** An explanation as text: a paragraph for each layer, then totals. */
export function printExplanation(explanation: Explanation, options: PrintOptions = {}): string {
  const { name, inputShapes, outputShape, batchSize, layers, parameters, macs, milliseconds } = explanation
  const samples = batchSize === 1 ? 'one sample' : `${batchSize} samples`
  return [
    `${name}: ${inputShapes.map(showShape).join(', ')} -> ${showShape(outputShape)}`,
    '',
    ...layers.flatMap((layer) => layerLines(layer, batchSize, options)),
    'total',
    row('parameters', `${grouped(parameters)} (${grouped(4 * parameters)} bytes)`),
    row('MACs', `${grouped(macs)} for one sample`),
    row(
      'arena',
      `${grouped(explanation.arenaBytes)} bytes for ${samples}, trained ${grouped(explanation.trainingArenaBytes)}`,
    ),
    ...(milliseconds === undefined
      ? []
      : [row('time', `${timeText(milliseconds, macs * batchSize, options.peak)} for ${samples}`)]),
  ].join('\n')
}
