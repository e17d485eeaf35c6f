import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { sizeOf } from '../../src/base/shape.ts'
import { type Answer, type Case, type ConvCase, operandsOf, type PoolCase, quantitiesOf } from './cases.ts'
import { resultShape } from './judge.ts'

interface T {
  data(): Promise<Float32Array>
  readonly shape: number[]
}
type Sizes = readonly number[]
type Pads = 'same' | 'valid' | number | readonly (readonly [number, number])[]
interface Layer {
  apply(x: T): T
  setWeights(weights: readonly T[]): void
  getWeights(): readonly T[]
}
interface Tf {
  setBackend(name: string): Promise<boolean>
  ready(): Promise<void>
  tensor(values: Float32Array, shape: Sizes): T
  conv2d(x: T, w: T, stride: Sizes, pad: Pads, format: 'NHWC', dilations: Sizes): T
  depthwiseConv2d(x: T, w: T, stride: Sizes, pad: Pads, format: 'NHWC', dilations: Sizes): T
  conv3d(x: T, w: T, stride: Sizes, pad: Pads, format: 'NDHWC', dilations: Sizes): T
  conv2dTranspose(x: T, w: T, shape: Sizes, stride: Sizes, pad: Pads): T
  conv3dTranspose(x: T, w: T, shape: Sizes, stride: Sizes, pad: Pads): T
  pool(x: T, window: Sizes, kind: 'avg' | 'max', pad: Pads, dilations: Sizes, strides: Sizes): T
  avgPool3d(x: T, window: Sizes, strides: Sizes, pad: Pads): T
  maxPool3d(x: T, window: Sizes, strides: Sizes, pad: Pads): T
  avgPool(x: T, window: Sizes, strides: Sizes, pad: Pads): T
  maxPool(x: T, window: Sizes, strides: Sizes, pad: Pads): T
  pad(x: T, pads: readonly (readonly [number, number])[]): T
  mirrorPad(x: T, pads: readonly (readonly [number, number])[], mode: string): T
  readonly image: {
    resizeNearestNeighbor(x: T, size: Sizes, alignCorners: boolean, halfPixel: boolean): T
    resizeBilinear(x: T, size: Sizes, alignCorners: boolean, halfPixel: boolean): T
  }
  readonly layers: { conv2d(options: object): Layer; conv2dTranspose(options: object): Layer }
  reshape(x: T, shape: Sizes): T
  mul(a: T, b: T): T
  sum(x: T): T
  grads(f: (...inputs: T[]) => T): (inputs: T[]) => T[]
}

const load = async (name: string) => (await import(name)) as unknown

async function start(backend: string): Promise<Tf> {
  const tf = (await load('@tensorflow/tfjs')) as Tf
  if (backend === 'wasm') {
    const path = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))
    const library = await load('@tensorflow/tfjs-backend-wasm')
    ;(library as { setWasmPaths(prefix: string): void }).setWasmPaths(`${path}/`)
  }
  if (!(await tf.setBackend(backend))) throw new Error(`no backend ${backend} here`)
  await tf.ready()
  return tf
}

const no = (reason: string): never => {
  throw new Error(reason)
}

/** One axis becomes two, of which the first has length 1. */
const wide = (list: Sizes, front = 1): number[] => (list.length === 1 ? [front, ...list] : [...list])
const image = (shape: Sizes): number[] => (shape.length === 3 ? [shape[0]!, 1, ...shape.slice(1)] : [...shape])
const zeros: readonly [number, number] = [0, 0]

/** Padding as tfjs takes it: a word, or pairs (of images only). */
function padsOf({ word, padding }: ConvCase | PoolCase): Pads {
  if (word) return word === 'number' ? padding[0]![0] : word
  if (padding.flat().some((n) => n < 0)) return no('no negative padding')
  if (padding.flat().every((n) => n === 0)) return 'valid'
  if (padding.length === 3) return no('3D takes no numbers as padding')
  return [zeros, ...(padding.length === 1 ? [zeros] : []), ...padding, zeros]
}

/** The border first, by an operation of its own; then a convolution without padding. */
function bordered(tf: Tf, item: ConvCase, x: T): { x: T; pad: Pads } {
  const [mode, ...others] = item.border
  if (others.some((other) => other !== mode)) return no('no border mode per axis')
  if (mode === 'reflect' || mode === 'symmetric')
    return { x: tf.mirrorPad(x, [zeros, ...item.padding, zeros], mode), pad: 'valid' }
  if (mode !== 'zero') return no(`no ${mode} border`)
  const zero = item.padding.flat().every((n) => n === 0)
  if (item.op === 'conv' && item.padding.length === 3 && !item.word && !zero)
    return { x: tf.pad(x, [zeros, ...item.padding, zeros]), pad: 'valid' }
  return { x, pad: padsOf(item) }
}

function convolution(tf: Tf, item: ConvCase, given: T, w: T): T {
  const rank = item.kernel.length
  const { groups } = item
  const channels = item.x.at(-1)!
  const { x, pad } = bordered(tf, item, given)
  const [stride, dilation] = [wide(item.stride), wide(item.dilation)]
  if (rank === 3) {
    if (groups > 1) return no('3D has no groups')
    return tf.conv3d(x, w, stride, pad, 'NDHWC', dilation)
  }
  const kernel = wide(item.kernel)
  const pixels = tf.reshape(x, image(x.shape))
  const y =
    groups === 1
      ? tf.conv2d(pixels, tf.reshape(w, [...kernel, ...item.w.slice(-2)]), stride, pad, 'NHWC', dilation)
      : groups === channels
        ? tf.depthwiseConv2d(
            pixels,
            tf.reshape(w, [...kernel, channels, item.w.at(-1)! / channels]),
            stride,
            pad,
            'NHWC',
            dilation,
          )
        : no('no groups')
  return rank === 1 ? tf.reshape(y, [y.shape[0]!, y.shape[2]!, y.shape[3]!]) : y
}

function transposed(tf: Tf, item: ConvCase, x: T, w: T): T {
  if (item.groups > 1) return no('transposed: no groups')
  if (item.dilation.some((n) => n > 1)) return no('transposed: no dilation')
  if (item.border.some((mode) => mode !== 'zero')) return no('transposed: no border modes')
  const shape = resultShape(item)
  const pads = padsOf(item)
  if (item.kernel.length === 3) return tf.conv3dTranspose(x, w, shape, item.stride, pads)
  const kernel = tf.reshape(w, [...wide(item.kernel), ...item.w.slice(-2)])
  const y = tf.conv2dTranspose(tf.reshape(x, image(item.x)), kernel, image(shape), wide(item.stride), pads)
  return item.kernel.length === 1 ? tf.reshape(y, shape) : y
}

/** What its layer makes of the options, whether it knows them or not. */
function byLayer(tf: Tf, item: ConvCase, x: T, w: T): T {
  const options = {
    ...{ filters: item.op === 'conv' ? item.w.at(-1)! : item.w.at(-2)! * item.groups, kernelSize: item.kernel },
    ...{
      strides: item.stride,
      dilationRate: item.dilation,
      groups: item.groups,
      padding: item.word === 'same' ? 'same' : 'valid',
    },
    ...(item.op === 'conv' ? {} : { outputPadding: item.outputPadding }),
    useBias: false,
  }
  const layer = item.op === 'conv' ? tf.layers.conv2d(options) : tf.layers.conv2dTranspose(options)
  layer.apply(x)
  const expected = layer.getWeights()[0]!.shape
  if (expected.join() !== item.w.join()) throw new Error(`wrong: its kernel is [${expected}], not [${item.w}]`)
  layer.setWeights([w])
  return layer.apply(x)
}

function pooled(tf: Tf, item: PoolCase, x: T): T {
  if (item.ceil) return no('no ceil mode')
  const padded = item.padding.flat().some((n) => n > 0)
  if (item.countPadding && padded) return no('no count of padding')
  const max = item.op === 'maxPool'
  const [kernel, stride] = [wide(item.kernel), wide(item.stride)]
  if (item.kernel.length === 3) return (max ? tf.maxPool3d : tf.avgPool3d)(x, kernel, stride, padsOf(item))
  const pads = item.word === 'same' || item.word === 'valid' ? item.word : item.padding[0]![0]
  if (item.dilation.some((n) => n > 1)) {
    if (stride.some((n) => n > 1)) return no('pooling: no stride with dilation')
    return tf.pool(x, kernel, max ? 'max' : 'avg', pads, wide(item.dilation), stride)
  }
  const y = (max ? tf.maxPool : tf.avgPool)(tf.reshape(x, image(item.x)), kernel, stride, pads)
  return item.kernel.length === 1 ? tf.reshape(y, [y.shape[0]!, y.shape[2]!, y.shape[3]!]) : y
}

function resultOf(tf: Tf, item: Case, x: T, w: T): T {
  switch (item.op) {
    case 'conv':
    case 'convTranspose':
      if (item.layer) return byLayer(tf, item, x, w)
      return item.op === 'conv' ? convolution(tf, item, x, w) : transposed(tf, item, x, w)
    case 'maxPool':
    case 'averagePool':
      return pooled(tf, item, x)
    case 'pad': {
      const [mode] = item.border
      if (mode !== 'reflect' && mode !== 'symmetric') return no(`no ${mode} border`)
      return tf.mirrorPad(x, [zeros, ...item.padding, zeros], mode)
    }
    case 'resize':
      if (item.mode === 'cubic') return no('no bicubic resize')
      if (item.mode === 'nearest') return tf.image.resizeNearestNeighbor(x, item.size, false, false)
      return tf.image.resizeBilinear(x, item.size, item.alignCorners, !item.alignCorners)
  }
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error)).split('\n')[0]!

export async function tfjs(backend: 'cpu' | 'wasm'): Promise<(item: Case) => Promise<Answer>> {
  const tf = await start(backend)
  return async (item) => {
    const operands = operandsOf(item)
    const x = tf.tensor(operands.x, item.x)
    const w = 'w' in item ? tf.tensor(operands.w, item.w) : tf.tensor(new Float32Array(1), [1])
    const answer: Answer = {}
    const take = async (name: keyof Answer, compute: () => T) => {
      try {
        answer[name] = { values: Float32Array.from(await compute().data()) }
      } catch (error) {
        answer[name] = { missing: reasonOf(error) }
      }
    }
    const run = (a: T, b: T) => resultOf(tf, item, a, b)
    await take('value', () => run(x, w))
    if (!('values' in answer.value!)) {
      for (const name of quantitiesOf(item)) answer[name] = answer.value
      return answer
    }
    const count = sizeOf(run(x, w).shape)
    const loss = (a: T, b: T) => {
      const y = run(a, b)
      return tf.sum(tf.mul(y, tf.tensor(operands.g(count), y.shape)))
    }
    const byInput = (a: T, b: T) => tf.grads((c) => loss(c!, b))([a])[0]!
    await take('by input', () => byInput(x, w))
    if (!quantitiesOf(item).includes('second')) return answer
    const layer = 'layer' in item && item.layer
    const own = 'the layer has its kernel inside'
    await take('by kernel', () => (layer ? no(own) : tf.grads((d) => loss(x, d!))([w])[0]!))
    const h = tf.tensor(operands.h, item.x)
    await take('second', () => (layer ? no(own) : tf.grads((d) => tf.sum(tf.mul(byInput(x, d!), h)))([w])[0]!))
    return answer
  }
}
