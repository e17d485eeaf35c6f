import type { Contender, Prepared } from '../contender.ts'
import { operandsOf, shapesOf } from '../data.ts'
import type { Work } from '../lists.ts'
import { batchOf, firstLosses, forward, type NetName, netParameters, type Ops, trainingOptions } from '../nets.ts'
import { loadPeer, tfjsWasmFolder } from '../peers.ts'

interface T {
  data(): Promise<Float32Array>
  dataSync(): Float32Array
  dispose(): void
  readonly shape: number[]
}
type Pads = 'same' | 'valid' | readonly (readonly [number, number])[]
interface Optimizer {
  minimize(loss: () => T, returnCost: true): T
}
interface Tf {
  setBackend(name: string): Promise<boolean>
  ready(): Promise<void>
  tensor(values: Float32Array, shape: readonly number[]): T
  variable(value: T): T
  tidy(run: () => T): T
  conv2d(x: T, w: T, stride: Pair, pad: Pads, format: 'NHWC', dilations?: Pair): T
  depthwiseConv2d(x: T, w: T, stride: Pair, pad: Pads, format: 'NHWC', dilations?: Pair): T
  conv2dTranspose(x: T, w: T, shape: readonly number[], stride: Pair, pad: Pads): T
  conv3d(x: T, w: T, stride: Triple, pad: 'same' | 'valid', format: 'NDHWC', dilations?: Triple): T
  avgPool(x: T, size: number, stride: number, pad: 'valid'): T
  maxPool(x: T, size: number, stride: number, pad: 'valid'): T
  moments(x: T, axes: readonly number[]): { mean: T; variance: T }
  batchNorm(x: T, mean: T, variance: T, shift: T, scale: T, eps: number): T
  mean(x: T, axes: readonly number[]): T
  reshape(x: T, shape: readonly number[]): T
  matMul(a: T, b: T): T
  add(a: T, b: T | number): T
  mul(a: T, b: T | number): T
  neg(x: T): T
  sum(x: T, axis?: number): T
  logSoftmax(x: T): T
  tanh(x: T): T
  relu(x: T): T
  readonly train: { momentum(rate: number, momentum: number): Optimizer }
}
type Pair = [number, number]
type Triple = [number, number, number]

interface WasmBackend {
  setWasmPaths(prefix: string): void
  setThreadsCount(count: number): void
}

/** In Node the backend has one thread. */
async function start(backend: string, threads: number): Promise<Tf> {
  const tf = (await loadPeer('@tensorflow/tfjs')) as Tf
  if (backend === 'wasm') {
    const library = (await loadPeer('@tensorflow/tfjs-backend-wasm')) as WasmBackend
    library.setWasmPaths(await tfjsWasmFolder())
    library.setThreadsCount(threads)
  }
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs has no backend ${backend} here`)
  await tf.ready()
  return tf
}

/** A length of 1 in front, so that one axis becomes two. */
const two = (list: readonly number[], front = 1) => (list.length === 1 ? [front, ...list] : [...list]) as Pair

function pads({ spec }: Work): Pads {
  const low = two(spec.padLow, 0)
  const high = two(spec.padHigh, 0)
  if ([...low, ...high].some((n) => n < 0)) throw new Error('no negative padding')
  if ([...low, ...high].every((n) => n === 0)) return 'valid'
  return [
    [0, 0],
    [low[0], high[0]],
    [low[1], high[1]],
    [0, 0],
  ]
}

/** The layer as one call of theirs, or an error that says why there is none. */
function callOf(tf: Tf, work: Work, x: T, w: T): () => T {
  const { spec, operation } = work
  const [stride, dilation] = [two(spec.stride), two(spec.dilation)]
  if (operation === 'kernelGradient') throw new Error('no gradient by the kernel')
  if (stride.some((n) => n > 1) && dilation.some((n) => n > 1)) throw new Error('no stride with dilation')
  if (operation === 'inputGradient') {
    if (spec.rank > 2 || spec.groups > 1 || dilation.some((n) => n > 1))
      throw new Error('transposed: neither 3D nor groups nor dilation')
    const shape = [spec.batch, ...two(spec.input), spec.inChannels]
    return () => tf.conv2dTranspose(x, w, shape, stride, pads(work))
  }
  if (spec.rank === 3) {
    const zero = [...spec.padLow, ...spec.padHigh].every((n) => n === 0)
    const same = spec.output.every((n, axis) => n === spec.input[axis]) && spec.stride.every((n) => n === 1)
    if (spec.groups > 1 || (!zero && !same)) throw new Error('3D: neither groups nor explicit padding')
    const [strides, dilations] = [[...spec.stride] as Triple, [...spec.dilation] as Triple]
    return () => tf.conv3d(x, w, strides, zero ? 'valid' : 'same', 'NDHWC', dilations)
  }
  if (spec.rank > 3) throw new Error('no more than 3 axes')
  if (spec.groups > 1 && spec.groups === spec.inChannels)
    return () => tf.depthwiseConv2d(x, w, stride, pads(work), 'NHWC', dilation)
  if (spec.groups > 1) throw new Error('no groups')
  return () => tf.conv2d(x, w, stride, pads(work), 'NHWC', dilation)
}

function shapesFor(work: Work) {
  const { a, b } = shapesOf(work)
  const { spec } = work
  const x = spec.rank === 1 ? [a[0]!, 1, a[1]!, a[2]!] : a
  const kernel = spec.rank === 1 ? [1, ...b] : b
  const depthwise = work.operation === 'output' && spec.groups > 1
  const w = depthwise ? [...kernel.slice(0, -2), spec.inChannels, spec.outChannels / spec.inChannels] : kernel
  return { x, w }
}

function operations(tf: Tf): Ops<T> {
  const ones: Pair = [1, 1]
  return {
    conv: (x, w, padding) => tf.conv2d(x, w, ones, padding, 'NHWC'),
    depthwise: (x, w, stride) => tf.depthwiseConv2d(x, tf.reshape(w, [3, 3, -1, 1]), [stride, stride], 'same', 'NHWC'),
    bias: (x, b) => tf.add(x, b),
    affine: (x, scale, offset) => tf.add(tf.mul(x, scale), offset),
    tanh: tf.tanh,
    relu: tf.relu,
    averagePool: (x) => tf.avgPool(x, 2, 2, 'valid'),
    maxPool: (x) => tf.maxPool(x, 2, 2, 'valid'),
    globalAveragePool: (x) => tf.mean(x, [1, 2]),
    flatten: (x) => tf.reshape(x, [x.shape[0]!, -1]),
    matmul: tf.matMul,
    batchNorm(x, scale, shift) {
      const { mean, variance } = tf.moments(x, [0, 1, 2])
      return tf.batchNorm(x, mean, variance, shift, scale, 1e-5)
    },
  }
}

async function training(tf: Tf, net: NetName): Promise<Prepared> {
  const { samples, classes, x, oneHot, inputShape } = batchOf(net)
  const input = tf.tensor(x, [samples, ...inputShape])
  const target = tf.tensor(oneHot, [samples, classes])
  const weights = netParameters(net).map(({ values, shape }) => tf.variable(tf.tensor(values, shape)))
  const optimizer = tf.train.momentum(trainingOptions.learningRate, trainingOptions.momentum)
  const ops = operations(tf)
  const loss = () => {
    const logits = forward(net, ops, input, weights)
    return tf.mul(tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), target))), 1 / samples)
  }
  const step = async () => tf.tidy(() => optimizer.minimize(loss, true)).dataSync()[0]!
  return { output: () => firstLosses(step), call: step }
}

export async function contender(backend: 'wasm' | 'cpu', threads: number): Promise<Contender> {
  const tf = await start(backend, threads)
  async function layer(work: Work): Promise<Prepared> {
    const { a, b } = operandsOf(work)
    const shapes = shapesFor(work)
    const x = tf.tensor(a, shapes.x)
    const w = tf.tensor(b, shapes.w)
    const run = callOf(tf, work, x, w)
    return {
      async output() {
        const y = run()
        const values = Float32Array.from(await y.data())
        y.dispose()
        return values
      },
      call: () => run().dispose(),
      dispose() {
        x.dispose()
        w.dispose()
      },
    }
  }
  return { layer, training: (net) => training(tf, net) }
}
