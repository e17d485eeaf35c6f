import type { Model } from '../nn/index.ts'
import { pick } from '../nn/options.ts'
import { alexnet, alexnetMini, alexnetModern, alexnetSingle } from './alexnet.ts'
import { audio, m5 } from './audio.ts'
import { lenet5 } from './lenet5.ts'
import { lenet5of1998 } from './lenet5-1998.ts'
import { mobilenet, mobilenetV2 } from './mobilenet.ts'
import type { LargeOptions, ZooOptions } from './options.ts'
import { separable } from './separable.ts'
import { vggLike } from './vgg-like.ts'
import { volume, voxnet } from './volume.ts'
import { xception, xceptionTiny } from './xception.ts'

export { cells, differenceOfGaussians, evenKernels, oddKernels, orientations } from './cells.ts'
export { contextFrontEnd, contextModule, contextNet, startAsIdentity } from './context.ts'
export { RandomField, type RandomFieldOptions, randomField } from './crf.ts'
export { type DeeplabMiniOptions, deeplabMini, deeplabV2, deeplabV3, deeplabVgg } from './deeplab.ts'
export { deeplabV3Plus } from './deeplab-plus.ts'
export { fukushima1969, lineAngles, lineKernels } from './fukushima1969.ts'
export { drawGlyph, glyphs } from './glyphs.ts'
export { mapCriterion } from './lenet5-1998.ts'
export type { MobileNetOptions } from './mobilenet.ts'
export {
  modules as neocognitronModules,
  Neocognitron,
  type NeocognitronOptions,
  planes as neocognitronPlanes,
  retina,
  staged,
} from './neocognitron.ts'
export { absPreset, paperPreset, SparseCoding, type SparseCodingOptions } from './sparse-coding.ts'
export { SparseConvCoding, type SparseConvOptions } from './sparse-conv.ts'
export { type Grey, type WhitenOptions, whiten } from './sparse-whitening.ts'
/** Pictures that physiologists show to cells: gratings, bars, spots, arcs. */
export * as stimuli from './stimuli.ts'
export { type UnetOptions, unet, unetMini } from './unet.ts'
export {
  alexnet,
  alexnetMini,
  alexnetModern,
  alexnetSingle,
  audio,
  type LargeOptions,
  lenet5,
  lenet5of1998,
  m5,
  mobilenet,
  mobilenetV2,
  separable,
  vggLike,
  volume,
  voxnet,
  xception,
  xceptionTiny,
  type ZooOptions,
}

/** Every network here by its name. */
export const models: Readonly<Record<string, (options?: ZooOptions) => Model>> = {
  lenet5,
  'lenet5-1998': lenet5of1998,
  separable,
  'vgg-like': vggLike,
  alexnet,
  'alexnet-single': alexnetSingle,
  'alexnet-mini': alexnetMini,
  'alexnet-modern': alexnetModern,
  xception,
  'xception-tiny': xceptionTiny,
  mobilenet,
  'mobilenet-v2': mobilenetV2,
  audio,
  m5,
  volume,
  voxnet,
}

/** A network by its name; an unknown name is an error that lists the known ones. */
export const createModel = (name: string, options: ZooOptions = {}): Model =>
  pick('createModel', 'model', models, name)(options)
