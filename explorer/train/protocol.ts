// What the page and its worker say to each other. Plain data; arrays of numbers are handed over, not copied.

export type DataName = 'digits' | 'shapes'
export type NetworkName = 'small' | 'lenet5' | 'one' | 'strided' | 'dense'
export type OptimizerName = 'adam' | 'momentum' | 'sgd'

/** Everything that decides a training: the same settings give the same numbers. */
export interface Settings {
  readonly data: DataName
  readonly network: NetworkName
  readonly optimizer: OptimizerName
  readonly learningRate: number
  readonly batchSize: number
  readonly seed: number
  /** Share of held-out pictures at which it stops; 1: only at `mostSteps`. */
  readonly stopAt: number
}

/** No training goes on for longer. */
export const mostSteps = 5000

export type State = 'idle' | 'running' | 'done'

/** The picture that maps are shown of: one of the held-out ones, or one that was drawn. */
export type Chosen = { readonly heldOut: number } | { readonly drawn: Float32Array }

export interface Numbers {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** What is fixed for one training. */
export interface Facts {
  readonly classes: readonly string[]
  /** Edge of a picture in pixels. */
  readonly size: number
  readonly trained: number
  readonly heldOut: number
  readonly parameters: number
  /** Multiply-accumulates of one picture. */
  readonly macs: number
  readonly layers: readonly { readonly name: string; readonly shape: readonly number[] }[]
  /** Name of the layer that looks at the picture first. */
  readonly firstLayer: string
  /** Of the held-out pictures. */
  readonly labels: readonly number[]
  readonly isolated: boolean
  /** Code of the network in fovea. */
  readonly code: string
}

/** How a training stands at one step. */
export interface TrainFrame {
  readonly state: State
  readonly step: number
  /** Of each step so far that the page doesn't have yet: the first one's number, then each loss. */
  readonly losses: { readonly from: number; readonly values: Float32Array }
  /** Share of the held-out pictures that are right, at the steps where it was measured. */
  readonly accuracies: readonly (readonly [step: number, share: number])[]
  /** Steps that can be gone back to. */
  readonly kept: readonly number[]
  /** First layer's kernels [k, k, 1, O] at this step and at step 0. */
  readonly kernels: Numbers
  readonly firstKernels: Numbers
  /** The last step's gradient of them. */
  readonly gradients: Numbers
  /** The picture, then what each layer makes of it, without N. */
  readonly picture: Numbers
  readonly maps: readonly Numbers[]
  /** Of each class. */
  readonly shares: Float32Array
  /** Class of the picture; -1 of a drawn one. */
  readonly label: number
  /** Time of a step, milliseconds. */
  readonly stepTime: number
  /** Training time so far, seconds. */
  readonly seconds: number
}

export type ToWorker =
  /** `digits`: the file's bytes, once. */
  | { readonly kind: 'start'; readonly settings: Settings; readonly digits?: ArrayBuffer }
  | { readonly kind: 'run' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'step'; readonly count: number }
  | { readonly kind: 'seek'; readonly step: number }
  | { readonly kind: 'frame'; readonly chosen: Chosen; readonly lossesFrom: number }
  | { readonly kind: 'save' }

export type FromWorker =
  | { readonly kind: 'facts'; readonly facts: Facts }
  | { readonly kind: 'frame'; readonly frame: TrainFrame }
  | { readonly kind: 'state'; readonly state: State; readonly step: number; readonly why?: string }
  | { readonly kind: 'saved'; readonly bytes: ArrayBuffer }
  | { readonly kind: 'error'; readonly message: string }
