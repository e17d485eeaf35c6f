import { fail } from '../base/errors.ts'
import { models } from '../models/index.ts'
import { explain } from '../nn/explain.ts'
import { printExplanation } from '../nn/explain-text.ts'
import type { Model } from '../nn/index.ts'
import { measurePeak } from '../program/measure.ts'
import { explainOnnx } from './explain-onnx.ts'
import { importedLayers, isImported } from './imported.ts'
import { isFile, trainedModel } from './sources.ts'
import type { Terminal } from './terminal.ts'

export interface ExplainCommand {
  readonly batchSize?: number
  readonly time?: boolean
  readonly json?: boolean
}

async function modelOf(name: string): Promise<Model> {
  if (isFile(name)) return (await trainedModel('explain', name)).model
  if (Object.hasOwn(models, name)) return models[name]!()
  return fail(
    'explain',
    `there is no file and no network '${name}'`,
    `Give a model's file, or one of ${Object.keys(models).join(', ')}`,
  )
}

/** `fovea explain`: what each layer of a model computes, how, and what it takes. */
export async function explainCommand(name: string, asked: ExplainCommand, terminal: Terminal): Promise<number> {
  const layers = isImported(name) ? await importedLayers(name) : undefined
  if (isImported(name) && !layers) return explainOnnx(name, asked, terminal)
  const { batchSize = 1, time = false, json = false } = asked
  const model = layers ?? (await modelOf(name))
  if (time) terminal.note('measuring each layer')
  const peak = time ? await measurePeak() : undefined
  const explanation = await explain(model, { batchSize, time })
  if (json) terminal.print(JSON.stringify({ ...explanation, peak }, undefined, 2))
  else {
    if (peak !== undefined) terminal.print(`peak of one thread: ${peak.toFixed(1)} GFLOP/s of multiply-adds\n`)
    terminal.print(printExplanation(explanation, { peak }))
  }
  return 0
}
