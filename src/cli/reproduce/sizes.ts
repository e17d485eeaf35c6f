// What each layer of a published network holds and computes, beside the published number of parameters.
import { sizeOf } from '../../base/shape.ts'
import { createModel, type LargeOptions } from '../../models/index.ts'
import { type Model, summaryRows } from '../../nn/index.ts'
import { grouped } from '../../nn/summary.ts'

/** A network to look at: without weights in memory. */
export const light: LargeOptions = { kernelInitializer: 'zeros' }

export const macsOf = (model: Model): number => summaryRows(model).reduce((sum, row) => sum + row.macs, 0)

/** Trained parameters, those with running statistics, multiply-accumulates of one picture. */
export function totalsOf(model: Model, published: string): string[] {
  const state = model.state.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  const trained = model.countParameters()
  const statistics = state > 0 ? ` (${grouped(trained + state)} with running statistics)` : ''
  const head = `${model.name} of ${model.inputShape.join('x')}, ${published}:`
  return [head, `  ${grouped(trained)} parameters${statistics}, ${grouped(macsOf(model))} multiply-adds`]
}

/** The same of a network of the zoo. */
export const totals = (name: string, published: string): string[] => totalsOf(createModel(name, light), published)

/** Steps with weights, or that change the size. */
export function layerLines(model: Model): string[] {
  const rows = summaryRows(model)
  return rows
    .filter((row, i) => row.parameters > 0 || row.shape.join() !== rows[i - 1]?.shape.join())
    .map(({ name, shape, parameters }) => `  ${name.padEnd(22)} ${shape.join('x').padEnd(12)} ${grouped(parameters)}`)
}
