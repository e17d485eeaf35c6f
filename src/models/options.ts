import type { WeightOptions } from '../nn/index.ts'

/** What every model of the zoo takes. */
export interface ZooOptions {
  /** Classes to tell apart. The default is the model's own, mostly 10. */
  readonly classes?: number
  /** Default 1. */
  readonly seed?: number
  /** One image without N; the default is the model's own. */
  readonly inputShape?: readonly number[]
}

/** What the large published networks take, too. */
export interface LargeOptions extends ZooOptions, Pick<WeightOptions, 'kernelInitializer'> {}
