import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fail } from '../base/errors.ts'
import { showShape } from '../base/shape.ts'
import { augment, type Dataset, rotate, type Split, shift } from '../data/index.ts'
import { fit } from '../nn/fit.ts'
import type { History } from '../nn/history.ts'
import type { Model } from '../nn/index.ts'
import { optimizerOf } from '../nn/optimizers.ts'
import type { ScheduleConfig } from '../nn/schedules.ts'
import { writeFileAtomic } from '../runtime/files.ts'
import { type FineTuneCommand, planOf } from './fine-tune.ts'
import { onInterrupt } from './interrupt.ts'
import { progress } from './progress.ts'
import { type Recipe, recipeOf } from './recipes.ts'
import {
  bytesOf,
  checkData,
  loadData,
  noteIn,
  type Trained,
  type TrainSettings,
  usualBackground,
  withNote,
} from './sources.ts'
import type { Terminal } from './terminal.ts'

/** Options of `fovea train`; those left out are the checkpoint's, else the recipe's. */
export interface TrainCommand extends Partial<TrainSettings>, FineTuneCommand {
  /** File of the trained model. Default runs/NAME.safetensors. */
  readonly output?: string
  /** A checkpoint's file, or true for the one beside the output. */
  readonly resume?: string | true
}

/** A training that came to its end. */
export interface TrainResult {
  readonly model: Model
  readonly split: Split
  readonly history: History
  readonly output: string
}

export const outputOf = (name: string, output = `runs/${name}.safetensors`): string => output

/** runs/lenet5.safetensors to runs/lenet5.checkpoint.safetensors */
export const checkpointOf = (output: string): string => `${output.replace(/\.safetensors$/, '')}.checkpoint.safetensors`

function optimizerConfig({ optimizer }: Recipe, name: string, learningRate: number | undefined) {
  const config = name === optimizer.name ? optimizer : { name }
  return learningRate === undefined ? config : { ...config, learningRate }
}

/** A recipe's rise of the learning rate is made for its own data: of a short training it takes a tenth at most. */
function scheduleOf({ schedule }: Recipe, { epochs, batchSize }: TrainSettings, samples: number): ScheduleConfig {
  const { warmUp } = schedule
  if (typeof warmUp !== 'number') return schedule
  return { ...schedule, warmUp: Math.min(warmUp, Math.floor((epochs * Math.ceil(samples / batchSize)) / 10)) }
}

/** What to do, from what was asked for, what the checkpoint did, and the recipe. */
function settingsOf(recipe: Recipe, asked: TrainCommand, before: Partial<TrainSettings> = {}): TrainSettings {
  const optimizer = asked.optimizer ?? before.optimizer ?? recipe.optimizer.name
  const rate = asked.learningRate ?? (optimizer === before.optimizer ? before.learningRate : undefined)
  const { data, epochs, batchSize, seed, augment } = { ...recipe, seed: 1, ...before, ...defined(asked) }
  const { learningRate } = optimizerOf(optimizerConfig(recipe, optimizer, rate))
  return { data, epochs, batchSize, optimizer, learningRate, seed, augment }
}

const defined = ({ data, epochs, batchSize, seed, augment }: TrainCommand) =>
  Object.fromEntries(
    Object.entries({ data, epochs, batchSize, seed, augment }).filter(([, value]) => value !== undefined),
  ) as Partial<TrainSettings>

async function checkpointBytes(name: string, path: string): Promise<Uint8Array> {
  if (!existsSync(path)) fail('resume', `there is no checkpoint ${path}`, `Train from the start: fovea train ${name}`)
  return bytesOf('resume', path, 'Give a checkpoint that fovea train wrote')
}

const changed = (data: Dataset, seed: number): Dataset => augment(data, [shift(2), rotate(10)], seed)

/**
 * Trains a network of the zoo, or an imported model with a new head, and saves it. Ctrl-C leaves a checkpoint.
 * @returns the training, or the checkpoint's path if it was interrupted
 */
export async function train(network: string, asked: TrainCommand, terminal: Terminal): Promise<TrainResult | string> {
  const { name, inputShape, make } = await planOf(network, asked)
  const output = outputOf(name, asked.output)
  const checkpoint = checkpointOf(output)
  const from = asked.resume === true ? checkpoint : asked.resume
  const resume = from === undefined ? undefined : await checkpointBytes(name, from)
  const recipe = recipeOf(name)
  const settings = settingsOf(recipe, asked, resume && noteIn(resume)?.settings)
  const split = await loadData(settings.data, inputShape)
  const { shape, classes } = split.train
  const model = make(classes.length, settings.seed, shape)
  checkData('train', model, split.test)
  const note: Trained = { settings, classes, background: usualBackground(split.train) }
  await mkdir(dirname(output), { recursive: true })
  terminal.print(
    `${resume ? 'resuming' : 'training'} ${name} (${model.countParameters()} parameters) on ${settings.data}: ` +
      `${split.train.length} pictures of ${showShape(shape)}, ${classes.length} classes`,
  )
  const watcher = progress(terminal, settings.batchSize)
  const interrupt = onInterrupt((line) => {
    watcher.clear()
    terminal.note(line)
  })
  process.once('exit', watcher.clear)
  try {
    const history = await fit(model, settings.augment ? changed(split.train, settings.seed) : split.train, {
      epochs: settings.epochs,
      batchSize: settings.batchSize,
      optimizer: optimizerConfig(recipe, settings.optimizer, settings.learningRate),
      schedule: scheduleOf(recipe, settings, split.train.length),
      seed: settings.seed,
      validation: split.test,
      callbacks: [watcher],
      checkpoint: { sink: (bytes) => writeFileAtomic(checkpoint, withNote(bytes, note)) },
      resume,
      signal: interrupt.signal,
      verbose: false,
    })
    if (history.stopped === 'aborted') return checkpoint
    await writeFileAtomic(output, withNote(model.toBytes(), note))
    await rm(checkpoint, { force: true })
    return { model, split, history, output }
  } finally {
    watcher.clear()
    process.off('exit', watcher.clear)
    interrupt.release()
  }
}

/** `fovea train NETWORK`, or `fovea train --from MODEL DATA`. Returns the exit code. */
export async function trainCommand(name: string, options: TrainCommand, terminal: Terminal): Promise<number> {
  const asked = options.from === undefined ? options : { ...options, data: name }
  const result = await train(name, asked, terminal)
  if (typeof result === 'string') {
    const output = asked.output === undefined ? '' : ` --output ${asked.output}`
    const from =
      asked.from === undefined ? '' : ` --from ${asked.from}${asked.cut === undefined ? '' : ` --cut ${asked.cut}`}`
    terminal.print(`stopped; checkpoint: ${result}. Go on with: fovea train ${name}${from}${output} --resume`)
    return 130
  }
  terminal.print(`saved ${result.output}`)
  return 0
}
