/** What every model of the zoo takes. */
export interface ZooOptions {
  /** Classes to tell apart. Default 10. */
  readonly classes?: number
  /** Default 1. */
  readonly seed?: number
  /** One image without N; the default is the model's own. */
  readonly inputShape?: readonly number[]
}
