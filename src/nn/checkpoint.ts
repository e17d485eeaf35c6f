import { checkCount, fail } from '../base/errors.ts'
import { sameShape, showShape } from '../base/shape.ts'
import type { Variable } from '../graph/index.ts'
import { readFile, writeFileAtomic } from '../runtime/files.ts'
import { checkNames } from './checks.ts'
import type { EpochRecord } from './history.ts'
import { readSafetensors, type SafeFile } from './safetensors.ts'
import type { Tally, Trainable } from './training.ts'
import { writeSafetensors } from './write-safetensors.ts'

/** What must be the same for a resumed training to go on as if it had never stopped. */
export interface Settings {
  readonly samples: number
  readonly seed: number
  readonly batchSize: number
  readonly shuffle: boolean
  readonly optimizer: unknown
  readonly schedule: unknown
  readonly loss: string
  readonly metrics: readonly string[]
  readonly clip: unknown
  readonly earlyStopping: unknown
  readonly precision: unknown
}

/** Where a training stands: plain data that a file can keep. */
export interface Position {
  /** Epochs done. */
  epoch: number
  /** Steps done of this epoch. */
  step: number
  /** Steps done in all. */
  totalSteps: number
  /** Sums of this epoch so far. */
  tally: Tally
  /** Of this epoch so far. */
  seconds: number
  /** Of the last step. */
  learningRate: number
  epochs: EpochRecord[]
}

/** The part of a training that a checkpoint keeps beside the model. */
export interface Kept {
  readonly position: Position
  readonly settings: Settings
  /** How the engine rounds: the same bits need the same. */
  readonly arithmetic: string | undefined
}

/** Values of the model's variables at the best epoch. */
export type BestWeights = Map<Variable, Float32Array>

/** Variables that a checkpoint holds: the model's under their own names, the training's under 'training/...'. */
function* variablesOf(model: Trainable, slots: readonly Variable[]): Generator<readonly [string, Variable]> {
  for (const variable of [...model.parameters, ...model.state, model.rng]) yield [variable.name, variable]
  for (const variable of slots) yield [`training/${variable.name}`, variable]
}

const bestName = (variable: Variable) => `training/best.${variable.name}`

/** JSON has no words for NaN and the infinities. */
const encoded = (_: string, value: unknown) =>
  typeof value === 'number' && !Number.isFinite(value) ? { number: String(value) } : value
const decoded = (_: string, value: unknown) =>
  typeof value === 'object' && value !== null && 'number' in value ? Number(value.number) : value

/** The model's file with the whole state of its training in it. */
export function writeCheckpoint(
  model: Trainable,
  slots: readonly Variable[],
  best: BestWeights,
  kept: Kept,
): Uint8Array<ArrayBuffer> {
  const { metadata } = readSafetensors(model.toBytes())
  const tensors = [...variablesOf(model, slots)].map(
    ([name, variable]) => [name, { shape: variable.shape, data: variable.read() }] as const,
  )
  const saved = [...best].map(([variable, data]) => [bestName(variable), { shape: variable.shape, data }] as const)
  return writeSafetensors([...tensors, ...saved], {
    ...Object.fromEntries(metadata),
    training: JSON.stringify(kept, encoded),
  })
}

function valuesIn(file: SafeFile, name: string, variable: Variable): Float32Array {
  const saved = file.tensors.get(name)
  if (!saved || !sameShape(saved.shape, variable.shape))
    fail(
      'resume',
      `the checkpoint has ${saved ? `${name} of shape ${showShape(saved.shape)}` : `no ${name}`}, ` +
        `the model's is ${showShape(variable.shape)}`,
      'Resume with the model and optimiser that the checkpoint was made with',
    )
  return saved.data as Float32Array
}

/** That the training goes on with the settings that it began with. */
function checkSettings(then: Settings, now: Settings): void {
  const text = (settings: Settings, name: keyof Settings) => JSON.stringify(settings[name]) ?? 'nothing'
  const names = Object.keys(now) as (keyof Settings)[]
  const changes = names.filter((name) => text(then, name) !== text(now, name))
  if (changes.length > 0)
    fail(
      'resume',
      changes.map((name) => `${name} was ${text(then, name)} and is ${text(now, name)}`).join('; '),
      'Give the options that the checkpoint was made with, or load it as a model and train anew',
    )
}

/** Puts the state of a checkpoint into the model and the optimiser; the best weights are added to `best`. */
export function readCheckpoint(
  bytes: Uint8Array,
  model: Trainable,
  slots: readonly Variable[],
  best: BestWeights,
  settings: Settings,
): Kept {
  const file = readSafetensors(bytes)
  const text = file.metadata.get('training')
  if (text === undefined)
    return fail(
      'resume',
      'the file holds a model, but not the state of its training',
      'Give a checkpoint that fit wrote',
    )
  const kept = JSON.parse(text, decoded) as Kept
  checkSettings(kept.settings, settings)
  const variables = [...variablesOf(model, slots)]
  const values = variables.map(([name, variable]) => valuesIn(file, name, variable))
  variables.forEach(([, variable], i) => {
    variable.write(values[i])
  })
  for (const variable of [...model.parameters, ...model.state])
    if (file.tensors.has(bestName(variable))) best.set(variable, valuesIn(file, bestName(variable), variable))
  return kept
}

/** Where and how often a training is saved, so that it can go on to the same bits. */
export interface CheckpointOptions {
  /** A file, which is never half written. Node only. */
  readonly path?: string
  /** What takes the bytes of each checkpoint, beside or instead of a file. */
  readonly sink?: (bytes: Uint8Array<ArrayBuffer>) => void | Promise<void>
  /** After so many steps each; default: only at the ends of epochs. */
  readonly everySteps?: number
  /** After so many epochs each. Default 1. */
  readonly everyEpochs?: number
}

export function checkCheckpointOptions(options: CheckpointOptions): void {
  checkNames('fit', options, ['path', 'sink', 'everySteps', 'everyEpochs'])
  checkCount('fit', 'checkpoint.everySteps', options.everySteps ?? 1, 1)
  checkCount('fit', 'checkpoint.everyEpochs', options.everyEpochs ?? 1, 1)
  if (options.path === undefined && !options.sink)
    fail('fit', 'checkpoint has no path and no sink', 'Say where checkpoints go')
}

export async function keepCheckpoint({ path, sink }: CheckpointOptions, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  if (path !== undefined) await writeFileAtomic(path, bytes)
  await sink?.(bytes)
}

/** The bytes of a checkpoint that is given as a path or as bytes. */
export const checkpointBytes = async (from: string | Uint8Array): Promise<Uint8Array> =>
  typeof from === 'string' ? readFile(from) : from
