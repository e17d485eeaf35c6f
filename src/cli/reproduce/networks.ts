// The published networks: what each layer holds and computes, beside the published number of parameters.
import { sizeOf } from '../../base/shape.ts'
import { createModel, type LargeOptions } from '../../models/index.ts'
import { codes, connections } from '../../models/lenet5-1998.ts'
import { type Model, summaryRows } from '../../nn/index.ts'
import { grouped } from '../../nn/summary.ts'
import type { Row } from '../show.ts'
import { rowsFile } from './drawing.ts'
import type { Outcome } from './report.ts'

/** A network to look at: without weights in memory. */
const light: LargeOptions = { kernelInitializer: 'zeros' }

/** Trained parameters, those with running statistics, multiply-accumulates of one picture. */
function totals(name: string, published: string): string[] {
  const model = createModel(name, light)
  const state = model.state.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  const trained = model.countParameters()
  const macs = summaryRows(model).reduce((sum, row) => sum + row.macs, 0)
  const statistics = state > 0 ? ` (${grouped(trained + state)} with running statistics)` : ''
  const head = `${name} of ${model.inputShape.join('x')}, ${published}:`
  return [head, `  ${grouped(trained)} parameters${statistics}, ${grouped(macs)} multiply-adds`]
}

/** Steps with weights, or that change the size. */
function layerLines(model: Model): string[] {
  const rows = summaryRows(model)
  return rows
    .filter((row, i) => row.parameters > 0 || row.shape.join() !== rows[i - 1]?.shape.join())
    .map(({ name, shape, parameters }) => `  ${name.padEnd(22)} ${shape.join('x').padEnd(12)} ${grouped(parameters)}`)
}

const codeRow: Row = {
  panels: codes.map((code) => ({ height: 12, width: 7, values: Float32Array.from(code) })),
  pixel: 5,
}

/** A line for each map of S2, a column for each map of C3. */
const tableRow: Row = {
  panels: [
    {
      height: 6,
      width: connections.length,
      values: Float32Array.from({ length: 6 * connections.length }, (_, i) =>
        Number(connections[i % connections.length]!.includes(Math.floor(i / connections.length))),
      ),
    },
  ],
  pixel: 10,
}

/** `fovea reproduce lenet5`. */
export const reproduceLenet = async (): Promise<Outcome> => ({
  lines: [...layerLines(createModel('lenet5-1998')), ...totals('lenet5-1998', 'published with 60,000')],
  files: [
    rowsFile('lenet5.png', [
      { caption: 'which maps of S2 (down) each map of C3 (across) sees', row: tableRow },
      { caption: 'the codes of the output units', row: codeRow },
    ]),
  ],
})

/** `fovea reproduce alexnet`. */
export const reproduceAlexnet = async (): Promise<Outcome> => ({
  lines: [
    ...layerLines(createModel('alexnet', light)),
    ...totals('alexnet', 'two groups, in Caffe 60,965,224'),
    ...totals('alexnet-single', 'one tower, in torchvision 61,100,840'),
    ...totals('alexnet-mini', 'small'),
  ],
})

/** `fovea reproduce xception`. */
export const reproduceXception = async (): Promise<Outcome> => ({
  lines: [
    ...layerLines(createModel('xception', light)),
    ...totals('xception', 'in Keras 22,910,480, in the paper 22,855,952'),
    ...totals('xception-tiny', 'small'),
    ...totals('mobilenet', 'in Keras 4,253,864'),
    ...totals('mobilenet-v2', 'in torchvision 3,504,872'),
  ],
})
