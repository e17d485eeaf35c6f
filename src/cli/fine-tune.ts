import { basename } from 'node:path'
import { fail } from '../base/errors.ts'
import type { Shape } from '../base/shape.ts'
import { loadOnnx, onnxLayer, type PixelOptions } from '../formats/index.ts'
import { createModel } from '../models/index.ts'
import { dense, flatten, freeze, globalAveragePool, type Model, sequential } from '../nn/index.ts'

/** What `fovea train --from` takes beside the usual. */
export interface FineTuneCommand extends PixelOptions {
  /** An ONNX file, part of which becomes the first layers. */
  readonly from?: string
  /** The node after which it's cut. */
  readonly cut?: string
  /** Train its weights, too. */
  readonly unfreeze?: boolean
}

/** A network that is still to be made for the classes of its data. */
export interface Plan {
  readonly name: string
  /** What pictures are brought to. */
  readonly inputShape: Shape
  make(classes: number, seed: number, shape: Shape): Model
}

/** A size that a model leaves open. */
const usualSize = 224

/** One picture [H, W, C] as the model takes it. */
function pictureOf(path: string, shape: readonly (number | string)[] | undefined): number[] {
  const isColour = (n: unknown): n is number => n === 1 || n === 3
  const [, a, b, c] = shape ?? []
  const size = (n: number | string | undefined) => (typeof n === 'number' ? n : usualSize)
  if (shape?.length === 4 && isColour(a)) return [size(b), size(c), a]
  if (shape?.length === 4 && isColour(c)) return [size(a), size(b), c]
  return fail('train', `${path} takes [${shape?.join(', ') ?? '?'}]`, 'Give a model of pictures: [N, 1 or 3, H, W]')
}

/** The first part of an imported model, and a new layer on top of it. */
async function imported({ from, cut, unfreeze = false, mean, std, bgr }: FineTuneCommand): Promise<Plan> {
  const model = await loadOnnx(from!)
  const sample = pictureOf(from!, model.inputs[0]?.shape)
  const base = onnxLayer(model, { cut, pixels: { mean, std, bgr } })
  const features = unfreeze ? base : freeze(base)
  const spatial = sequential(sample, [features]).outputShape.length > 1
  return {
    name: basename(from!).replace(/\.onnx$/, ''),
    inputShape: sample,
    make: (classes, seed, shape) =>
      sequential(shape, [features, spatial ? globalAveragePool() : flatten(), dense(classes)], {
        seed,
        name: 'fine-tuned',
      }),
  }
}

/** What shall be trained: a network of the zoo by its name, or an imported model with a new head. */
export async function planOf(name: string, asked: FineTuneCommand): Promise<Plan> {
  if (asked.from !== undefined) return imported(asked)
  if (asked.cut !== undefined) fail('train', 'there is a cut, but no model to cut', 'Give it: --from model.onnx')
  return {
    name,
    inputShape: createModel(name).inputShape,
    make: (classes, seed, inputShape) => createModel(name, { classes, seed, inputShape }),
  }
}
