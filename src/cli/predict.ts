import { fail } from '../base/errors.ts'
import { showShape } from '../base/shape.ts'
import { readImage, resize, withChannels } from '../data/index.ts'
import type { Model } from '../nn/index.ts'
import { isImported } from './imported.ts'
import { type PredictOnnxCommand, predictOnnx } from './predict-onnx.ts'
import { ranked } from './ranking.ts'
import { backgroundOf, classesOf, type Trained, trainedModel } from './sources.ts'
import { bar, drawPictures, percent, type Terminal } from './terminal.ts'

export interface PredictCommand extends PredictOnnxCommand {
  /** Dark for light and light for dark. Default: whatever makes the border as in the training pictures. */
  readonly invert?: boolean
  /** How many classes to print. Default 3. */
  readonly top?: number
  /** Draw what the model sees. */
  readonly draw?: boolean
}

/** An image file as the model takes it: [H, W, C] of 0..1, and whether it was inverted. */
export async function inputOf(path: string, model: Model, note: Trained | undefined, invert: boolean | undefined) {
  const [height, width, channels] = model.inputShape as [number, number, number]
  const image = resize(withChannels(await readImage(path), channels as 1 | 3), width, height)
  const values = Float32Array.from(image.data, (value) => value / 255)
  const differs = channels === 1 && backgroundOf(values, model.inputShape) !== (note?.background ?? 'dark')
  const inverted = invert ?? differs
  return { values: inverted ? values.map((value) => 1 - value) : values, inverted }
}

function checkModel(model: Model): void {
  const { inputShape, outputShape } = model
  const channels = inputShape[2]
  if (inputShape.length !== 3 || (channels !== 1 && channels !== 3) || outputShape.length !== 1)
    fail(
      'predict',
      `the model takes ${showShape(inputShape)} and gives ${showShape(outputShape)}`,
      'Give a model that takes pictures [H, W, 1 or 3] and gives one number for each class',
    )
}

/** `fovea predict`: the most probable classes of image files. */
export async function predictCommand(
  path: string,
  images: readonly string[],
  asked: PredictCommand,
  terminal: Terminal,
): Promise<number> {
  if (isImported(path)) return predictOnnx(path, images, asked, terminal)
  const { top = 3, draw = false } = asked
  const { model, note } = await trainedModel('predict', path)
  checkModel(model)
  const classes = classesOf(model, note)
  const wide = Math.max(...classes.map((name) => name.length))
  for (const image of images) {
    const { values, inverted } = await inputOf(image, model, note, asked.invert)
    const guessed = inverted && asked.invert === undefined
    terminal.print(guessed ? `${image} (inverted, as its border isn't as in training; --no-invert keeps it)` : image)
    if (draw && model.inputShape[2] === 1)
      for (const line of drawPictures([{ values, shape: model.inputShape, caption: '' }], terminal))
        terminal.print(line)
    for (const { index, share } of ranked(await model.predict(values)).slice(0, top))
      terminal.print(`  ${classes[index]!.padEnd(wide)} ${percent(share, 1).padStart(6)} ${bar(share, 30)}`.trimEnd())
  }
  return 0
}
