import type { Model } from '../nn/index.ts'
import { pick } from '../nn/options.ts'
import { lenet5 } from './lenet5.ts'
import type { ZooOptions } from './options.ts'
import { separable } from './separable.ts'
import { vggLike } from './vgg-like.ts'

export type { ZooOptions }
export { lenet5, separable, vggLike }

/** Every network here by its name. */
export const models: Readonly<Record<string, (options?: ZooOptions) => Model>> = {
  lenet5,
  separable,
  'vgg-like': vggLike,
}

/** A network by its name; an unknown name is an error that lists the known ones. */
export const createModel = (name: string, options: ZooOptions = {}): Model =>
  pick('createModel', 'model', models, name)(options)
