import { type Program, printKernel } from 'fovea'
import type { Compiled, Look, LookOrder, Norm, Numbers, Summary } from './protocol.ts'

/** A model that was opened. */
export interface Subject {
  readonly summary: Summary
  look(order: LookOrder): Promise<Look>
  compile(row: number): Promise<Compiled>
}

/** No model is run whose one sample takes more multiply-adds. */
export const mostMacs = 30e9
/** No input of a model may have more values. */
export const mostInput = 2 ** 24
/** Kernels of more values aren't sent. */
export const mostKernel = 4e6

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1)

const norms: Record<Norm, (value: number, channel: number) => number> = {
  unit: (value) => value,
  signed: (value) => 2 * value - 1,
  // mean and deviation of ImageNet's channels, as torchvision has them
  imagenet: (value, c) => (value - [0.485, 0.456, 0.406][c % 3]!) / [0.229, 0.224, 0.225][c % 3]!,
  byte: (value) => 255 * value,
}

/** Values 0..1 [H, W, C] as a model wants them. */
export const normalized = (picture: Float32Array, channels: number, norm: Norm): Float32Array =>
  picture.map((value, i) => norms[norm](value, i % channels))

/** Numbers without meaning for inputs that aren't pictures; always the same. */
export function noise(length: number): Float32Array {
  let state = 1
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return (state >>> 8) / 2 ** 24 - 0.5
  })
}

/** Shares of the classes: of logits, of shares, or of maps of logits [..., classes] how often each is the largest. */
export function sharesOf({ shape, data }: Numbers): Float32Array {
  const classes = shape.at(-1) ?? 1
  if (data.length === classes) return areShares(data) ? data.slice() : softmax(data)
  const shares = new Float32Array(classes)
  const places = data.length / classes
  for (let p = 0; p < places; p++) {
    let best = 0
    for (let c = 1; c < classes; c++) if (data[p * classes + c]! > data[p * classes + best]!) best = c
    shares[best]! += 1 / places
  }
  return shares
}

const areShares = (data: Float32Array) =>
  data.every((v) => v >= 0 && v <= 1) && Math.abs(data.reduce((a, b) => a + b, 0) - 1) < 1e-3

function softmax(data: Float32Array): Float32Array {
  const most = data.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const powers = data.map((v) => Math.exp(v - most))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((v) => v / sum)
}

/** Values with places as a picture [H, W, C]: a line is one row, of a volume the middle slice. */
export function asPicture({ shape, data }: Numbers): Numbers {
  if (shape.length === 2) return { shape: [1, ...shape], data }
  if (shape.length !== 4) return { shape, data }
  const slice = sizeOf(shape.slice(1))
  const from = Math.floor(shape[0]! / 2) * slice
  return { shape: shape.slice(1), data: data.slice(from, from + slice) }
}

/** Kernels [spatial..., in, out] as [k, k, in, out]: of a line one row, of a volume the middle slice. */
export function asKernel({ shape, data }: Numbers): Numbers | undefined {
  const spatial = shape.length - 2
  if (data.length > mostKernel || spatial < 1 || spatial > 3) return undefined
  if (spatial === 1) return { shape: [1, ...shape], data }
  if (spatial === 2) return { shape, data }
  const slice = sizeOf(shape.slice(1))
  const from = Math.floor(shape[0]! / 2) * slice
  return { shape: shape.slice(1), data: data.slice(from, from + slice) }
}

// biome-ignore lint/suspicious/noExplicitAny: programs of any inputs
type AnyProgram = Pick<Program<any, any>, 'steps' | 'arenaBytes' | 'profile'>

/** What a program of one layer is, and its time; it must have run once. */
export async function compiledOf(row: number, { steps, arenaBytes, profile }: AnyProgram): Promise<Compiled> {
  const times = await profile()
  const kernels = new Map(steps.flatMap(({ calls }) => calls.map(({ kernel }) => [printKernel(kernel), kernel.name])))
  return {
    row,
    plans: steps.flatMap(({ plan }) => (plan ? [{ algorithm: plan.algorithm, why: plan.why }] : [])),
    kernels: [...kernels].map(([text, name]) => ({ name, text })),
    steps: steps.map(({ label }, i) => ({ label, milliseconds: times[i]?.median ?? 0 })),
    arenaBytes,
  }
}
