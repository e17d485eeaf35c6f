import { fail } from '../base/errors.ts'
import type { Dataset } from '../data/index.ts'
import { evaluate } from '../nn/evaluate.ts'
import type { Model } from '../nn/index.ts'
import { checkData, classesOf, loadData, trainedModel } from './sources.ts'
import { confusionLines, percent, type Terminal } from './terminal.ts'

export interface EvaluateCommand {
  /** Default: the data that the model was trained on. */
  readonly data?: string
  readonly batchSize?: number
}

/** Prints loss, accuracy and confusion matrix of a model on `data`. */
export async function printEvaluation(
  model: Model,
  data: Dataset,
  terminal: Terminal,
  { batchSize = 100, classes = data.classes }: { batchSize?: number; classes?: readonly string[] } = {},
): Promise<void> {
  const results = await evaluate(model, data, { batchSize, metrics: ['accuracy', 'confusionMatrix'] })
  const wrong = Math.round((1 - results.accuracy!) * data.length)
  terminal.print(
    `loss ${results.loss.toFixed(4)}  accuracy ${percent(results.accuracy!)} (${wrong} of ${data.length} wrong)`,
  )
  for (const line of confusionLines(results.confusionMatrix as number[][], classes)) terminal.print(line)
}

/** `fovea evaluate`: a model on the test part of a data set. */
export async function evaluateCommand(path: string, asked: EvaluateCommand, terminal: Terminal): Promise<number> {
  const { model, note } = await trainedModel('evaluate', path)
  const name = asked.data ?? note?.settings.data
  if (name === undefined)
    return fail('evaluate', `${path} doesn't say which data it was trained on`, 'Name the data: --data mnist')
  const { test } = await loadData(name, model.inputShape)
  checkData('evaluate', model, test)
  await printEvaluation(model, test, terminal, { batchSize: asked.batchSize, classes: classesOf(model, note) })
  return 0
}
