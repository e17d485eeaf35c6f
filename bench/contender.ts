import type { Timing } from '../src/program/measure.ts'
import type { Work } from './lists.ts'
import type { NetName } from './nets.ts'
import type { Effort } from './timing.ts'

/** Something ready to be called again and again. */
export interface Prepared {
  /** The result in our layout; of a training step, the losses of the first three steps. */
  output(): Promise<Float32Array>
  /** What is timed: from operands where the library keeps them to a result where it keeps it. */
  call?(): unknown
  /** Instead of `call`, where the library times itself. */
  time?(effort: Effort): Timing
  /** The same from numbers of the caller's to numbers of the caller's, where `call` isn't that already. */
  roundTrip?(): unknown
  /** What it did, in a few words. */
  readonly how?: string
  dispose?(): void
}

/** A library that takes part. Whatever it throws while preparing is the reason why it can't. */
export interface Contender {
  layer?(work: Work, threads: number): Promise<Prepared>
  /** An ONNX file with one input; a batch of any size is of one sample. */
  network?(path: string, threads: number): Promise<Prepared>
  training?(net: NetName, threads: number): Promise<Prepared>
  /** Time from the definition to the first result, and sizes. */
  startup?(what: string, threads: number): Promise<Startup>
  peak?(): Promise<number>
}

export interface Startup {
  readonly ms: number
  readonly moduleBytes?: number
  readonly arenaBytes?: number
  readonly ownBytes?: number
  readonly weightBytes?: number
}

export type Job =
  | { readonly kind: 'layer'; readonly text: string; readonly operation: Work['operation'] }
  | { readonly kind: 'network'; readonly path: string }
  | { readonly kind: 'training'; readonly net: NetName }

export type Request =
  | { readonly kind: 'prepare'; readonly job: Job; readonly threads: number }
  | { readonly kind: 'time'; readonly effort: Effort }
  | { readonly kind: 'drop' }
  | { readonly kind: 'startup'; readonly what: string; readonly threads: number }
  | { readonly kind: 'peak' }

export interface Times {
  readonly call: Timing
  readonly roundTrip?: Timing
}

export interface Answers {
  prepare: { readonly output: Float32Array; readonly how?: string }
  time: Times
  drop: undefined
  startup: Startup
  peak: number
}

export type Names = 'fovea' | 'onnxruntime-web' | 'onnxruntime-node' | 'tfjs-wasm' | 'tfjs-cpu' | 'jax-js' | 'pytorch'

/** Those that run in a page too; the others are native. */
export const inPages: readonly Names[] = ['onnxruntime-web', 'tfjs-wasm', 'tfjs-cpu', 'jax-js']
