import type { Model } from '../nn/index.ts'
import { pick } from '../nn/options.ts'
import { alexnet, alexnetMini, alexnetSingle } from './alexnet.ts'
import { lenet5 } from './lenet5.ts'
import { lenet5of1998 } from './lenet5-1998.ts'
import { mobilenet, mobilenetV2 } from './mobilenet.ts'
import type { LargeOptions, ZooOptions } from './options.ts'
import { separable } from './separable.ts'
import { vggLike } from './vgg-like.ts'
import { xception, xceptionTiny } from './xception.ts'

export { mapCriterion } from './lenet5-1998.ts'
export type { MobileNetOptions } from './mobilenet.ts'
export {
  alexnet,
  alexnetMini,
  alexnetSingle,
  type LargeOptions,
  lenet5,
  lenet5of1998,
  mobilenet,
  mobilenetV2,
  separable,
  vggLike,
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
  xception,
  'xception-tiny': xceptionTiny,
  mobilenet,
  'mobilenet-v2': mobilenetV2,
}

/** A network by its name; an unknown name is an error that lists the known ones. */
export const createModel = (name: string, options: ZooOptions = {}): Model =>
  pick('createModel', 'model', models, name)(options)
