import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fail } from '../base/errors.ts'
import { type Shape, sameShape, showShape } from '../base/shape.ts'
import { type Dataset, fashionMnist, imageFolderSplit, mnist, type Split } from '../data/index.ts'
import { registerOnnxLayer } from '../formats/index.ts'
import { models } from '../models/index.ts'
import { loadModel, type Model, readSafetensors, writeSafetensors } from '../nn/index.ts'

const dataSets: Readonly<Record<string, () => Promise<Split>>> = { mnist, 'fashion-mnist': fashionMnist }

export const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() === true
export const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
const hasIdx = (folder: string) => ['', '.gz'].some((end) => existsSync(`${folder}/train-images-idx3-ubyte${end}`))

/**
 * Training and test data by name, from a folder of IDX files or from a folder of class folders.
 * @param shape of one picture, to which those in class folders are brought
 */
export async function loadData(name: string, shape: Shape): Promise<Split> {
  if (Object.hasOwn(dataSets, name)) return dataSets[name]!()
  if (!isFolder(name))
    fail(
      'data',
      `there is no data set and no folder '${name}'`,
      `Use ${Object.keys(dataSets).join(', ')}, or a folder with one folder of images for each class`,
    )
  return hasIdx(name) ? mnist({ folder: name }) : imageFolderSplit(name, { shape })
}

/** That a model of this shape can take the data. */
export function checkData(operation: string, model: Model, data: Dataset): void {
  const classes = model.outputShape.at(-1)
  if (!sameShape(data.shape, model.inputShape))
    fail(
      operation,
      `the pictures are ${showShape(data.shape)}, the model takes ${showShape(model.inputShape)}`,
      'Use the data that the model was trained on, or a folder of class folders',
    )
  if (data.classes.length !== classes)
    fail(
      operation,
      `the data has ${data.classes.length} classes, the model ${classes}`,
      'Use the data that the model was trained on',
    )
}

export type Background = 'dark' | 'light'

/** The brightness around a picture [H, W, C] of 0..1. */
export function backgroundOf(values: ArrayLike<number>, [height, width, channels]: readonly number[]): Background {
  let [sum, count] = [0, 0]
  for (let y = 0; y < height!; y++)
    for (let x = 0; x < width!; x++) {
      if (y > 0 && y < height! - 1 && x > 0 && x < width! - 1) continue
      for (let c = 0; c < channels!; c++) sum += values[(y * width! + x) * channels! + c]!
      count += channels!
    }
  return sum / count > 0.5 ? 'light' : 'dark'
}

/** Of most of the first pictures. */
export function usualBackground(data: Dataset): Background {
  const count = Math.min(64, data.length)
  const { x } = data.batch(Uint32Array.from({ length: count }, (_, i) => i))
  const size = x.length / count
  const seen = Array.from({ length: count }, (_, i) => backgroundOf(x.subarray(i * size, (i + 1) * size), data.shape))
  return seen.filter((one) => one === 'light').length > count / 2 ? 'light' : 'dark'
}

/** What `fovea train` was asked for, which a resumed training goes on with. */
export interface TrainSettings {
  readonly data: string
  readonly epochs: number
  readonly batchSize: number
  readonly optimizer: string
  readonly learningRate: number
  readonly seed: number
  readonly augment: boolean
}

/** What a model's file says about its training, beside the weights. */
export interface Trained {
  readonly settings: TrainSettings
  readonly classes: readonly string[]
  readonly background: Background
}

/** The file of a model or checkpoint with a note about its training. */
export function withNote(bytes: Uint8Array, trained: Trained): Uint8Array<ArrayBuffer> {
  const { tensors, metadata } = readSafetensors(bytes)
  const floats = [...tensors].map(
    ([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }] as const,
  )
  return writeSafetensors(floats, { ...Object.fromEntries(metadata), trained: JSON.stringify(trained) })
}

/** What the file of a model or checkpoint says about its training, if fovea train wrote it. */
export function noteIn(bytes: Uint8Array): Trained | undefined {
  const text = readSafetensors(bytes).metadata.get('trained')
  if (text === undefined) return undefined
  try {
    const { settings, classes, background } = JSON.parse(text)
    if (typeof settings.data === 'string' && Array.isArray(classes)) return { settings, classes, background }
  } catch {
    // told below
  }
  return fail('model file', "its metadata 'trained' can't be read", 'Train and save it again')
}

/** The bytes of a file that a command was given. */
export async function bytesOf(operation: string, path: string, remedy: string): Promise<Uint8Array> {
  if (isFolder(path)) fail(operation, `${path} is a folder`, remedy)
  return readFile(path).catch((error: Error) => fail(operation, `${path} can't be read (${error.message})`, remedy))
}

/** A trained model from its file. */
export async function trainedModel(operation: string, path: string): Promise<{ model: Model; note?: Trained }> {
  if (!isFile(path) && Object.hasOwn(models, path))
    fail(operation, `'${path}' names a network without trained weights`, `Train it first: fovea train ${path}`)
  const bytes = await bytesOf(operation, path, "Give a model's file, as fovea train writes it")
  const note = noteIn(bytes)
  registerOnnxLayer()
  return { model: loadModel(bytes), note }
}

/** Names of the classes of a model: its training's, else numbers. */
export const classesOf = (model: Model, note: Trained | undefined): readonly string[] =>
  note?.classes ?? Array.from({ length: model.outputShape.at(-1)! }, (_, i) => String(i))
