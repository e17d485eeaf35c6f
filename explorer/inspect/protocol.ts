// What the page and its worker say to each other about a model.

export interface Numbers {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** One layer or operation. Shapes are of one sample, channels last. */
export interface Row {
  readonly name: string
  /** What it is: conv2d, Conv, residual, ... */
  readonly op: string
  readonly shape: readonly number[]
  readonly parameters: number
  /** Multiply-accumulates of one sample. */
  readonly macs: number
  /** Rows whose results go in; -1 is the model's input. */
  readonly from: readonly number[]
  /** Pixels of the input that one element sees; '' where that isn't a box. */
  readonly sees: string
  /** Its kernels' shape [spatial..., in, out]. */
  readonly kernel?: readonly number[]
}

export interface Place {
  readonly x: number
  readonly y: number
}

/** A graph that branches, from the top down. */
export interface Drawing {
  readonly width: number
  readonly height: number
  /** Of each row's box, its middle. */
  readonly places: readonly Place[]
  /** From row to row, as points of a line; -1 is the input, which has no box. */
  readonly lines: readonly (readonly Place[])[]
}

export interface Summary {
  readonly name: string
  /** 'ONNX, opset 17', ... */
  readonly format: string
  readonly rows: readonly Row[]
  readonly input: string
  readonly output: string
  /** How the model takes a picture; undefined where it takes something else, or can't be run. */
  readonly picture?: { readonly height: number; readonly width: number; readonly channels: number }
  readonly parameters: number
  readonly macs: number
  /** Why it can be looked at, but not run. */
  readonly still?: string
}

/** What a picture's values 0..1 are turned into. */
export type Norm = 'unit' | 'signed' | 'imagenet' | 'byte'

/** A layer at work on a picture. */
export interface Look {
  readonly row: number
  /** [H, W, C] of rows with a place, [N] of others. */
  readonly maps?: Numbers
  /** [k, k, in, out] */
  readonly kernel?: Numbers
  /** Of each class, 0..1. */
  readonly shares?: Float32Array
  /** The same with nothing switched off. */
  readonly before?: Float32Array
}

/** What the compiler made of one layer. */
export interface Compiled {
  readonly row: number
  readonly plans: readonly { readonly algorithm: string; readonly why: string }[]
  readonly kernels: readonly { readonly name: string; readonly text: string }[]
  readonly steps: readonly { readonly label: string; readonly milliseconds: number }[]
  readonly arenaBytes: number
}

export interface LookOrder {
  readonly row: number
  /** Channels of the row's result that are set to 0. */
  readonly off: readonly number[]
  /** [H, W, channels] in 0..1; undefined: noise of the input's shape. */
  readonly picture?: Float32Array
  readonly norm: Norm
}

export type ToWorker = { readonly id: number } & (
  | { readonly kind: 'open'; readonly files: Readonly<Record<string, ArrayBuffer>> }
  | { readonly kind: 'look'; readonly order: LookOrder }
  | { readonly kind: 'compile'; readonly row: number }
)

export type FromWorker = { readonly id: number } & (
  | { readonly kind: 'opened'; readonly summary: Summary; readonly drawing: Drawing | undefined }
  | { readonly kind: 'looked'; readonly look: Look }
  | { readonly kind: 'compiled'; readonly compiled: Compiled }
  | { readonly kind: 'error'; readonly message: string }
)
