import { transposedOutputSize } from '../../src/conv/index.ts'
import type { Contender, Prepared } from '../contender.ts'
import { channelsFirst, channelsLast, kernelFirst, operandsOf, shapesOf } from '../data.ts'
import type { Work } from '../lists.ts'
import { batchOf, firstLosses, forward, type NetName, netParameters, type Ops, trainingOptions } from '../nets.ts'
import { loadPeer } from '../peers.ts'

/** An array of jax-js: whoever is given it consumes it; `ref` is one more use. */
interface A {
  readonly ref: A
  readonly shape: number[]
  data(): Promise<Float32Array>
  blockUntilReady(): Promise<A>
  dispose(): void
  add(other: A | number): A
  sub(other: A | number): A
  mul(other: A | number): A
  div(other: A | number): A
  neg(): A
  reshape(shape: readonly number[]): A
  transpose(order: readonly number[]): A
}
type Pads = 'SAME' | 'VALID' | [number, number][]
interface Jax {
  init(device: string): Promise<string[]>
  defaultDevice(device: string): string
  jit<F>(fn: F): F
  valueAndGrad<P>(fn: (parameters: P) => A): (parameters: P) => [A, P]
  readonly numpy: {
    array(values: Float32Array, options: { shape: readonly number[] }): A
    tanh(x: A): A
    sqrt(x: A): A
    sum(x: A, axis?: readonly number[] | null, options?: { keepdims: boolean }): A
    mean(x: A, axis: readonly number[], options?: { keepdims: boolean }): A
    max(x: A, axis: readonly number[]): A
    matmul(a: A, b: A): A
  }
  readonly nn: { relu(x: A): A; logSoftmax(x: A): A }
  readonly lax: {
    convGeneralDilated(
      x: A,
      w: A,
      stride: readonly number[],
      pads: Pads,
      options?: { rhsDilation?: readonly number[]; featureGroupCount?: number },
    ): A
    convTranspose(
      x: A,
      w: A,
      stride: readonly number[],
      pads: Pads,
      options: { rhsDilation: readonly number[]; transposeKernel: boolean },
    ): A
  }
}

function callOf({ lax }: Jax, { spec, operation }: Work): (x: A, w: A) => A {
  const { stride, dilation, groups } = spec
  const pads = spec.padLow.map((low, axis): [number, number] => [low, spec.padHigh[axis]!])
  if (operation === 'kernelGradient') throw new Error('gradient by the kernel not measured')
  if (operation === 'output')
    return (x, w) => lax.convGeneralDilated(x, w, stride, pads, { rhsDilation: dilation, featureGroupCount: groups })
  const plain = spec.output.map((n, axis) =>
    transposedOutputSize(n, spec.kernel[axis]!, stride[axis]!, dilation[axis]!, pads[axis]![0], pads[axis]![1]),
  )
  if (groups > 1) throw new Error('transposed: no groups')
  if (plain.some((n, axis) => n !== spec.input[axis])) throw new Error('transposed: no output padding')
  return (x, w) => lax.convTranspose(x, w, stride, pads, { rhsDilation: dilation, transposeKernel: true })
}

/** [N, C, H, W] inside. A 2x2 window is two axes of a reshaped array, as reduceWindow has no gradient. */
function operations({ numpy: np, nn, lax }: Jax): Ops<A> {
  const ones = [1, 1]
  const windows = (x: A) => {
    const [n, c, h, w] = x.shape as [number, number, number, number]
    return x.reshape([n, c, h / 2, 2, w / 2, 2])
  }
  const perChannel = (values: A, like: readonly number[]) =>
    like.length === 4 ? values.reshape([1, like[1]!, 1, 1]) : values
  return {
    conv: (x, w, padding) => lax.convGeneralDilated(x, w, ones, padding === 'same' ? 'SAME' : 'VALID'),
    depthwise(x, w, stride) {
      const channels = x.shape[1]!
      return lax.convGeneralDilated(x, w, [stride, stride], 'SAME', { featureGroupCount: channels })
    },
    bias(x, b) {
      const values = perChannel(b, x.shape)
      return x.add(values)
    },
    affine: (x, scale, offset) => x.mul(scale).add(offset),
    tanh: np.tanh,
    relu: nn.relu,
    averagePool: (x) => np.mean(windows(x), [3, 5]),
    maxPool: (x) => np.max(windows(x), [3, 5]),
    globalAveragePool: (x) => np.mean(x, [2, 3]),
    flatten: (x) => x.transpose([0, 2, 3, 1]).reshape([x.shape[0]!, -1]),
    matmul: np.matmul,
    batchNorm(x, scale, shift) {
      const shape = x.shape
      const axes = [0, 2, 3]
      const centred = x.ref.sub(np.mean(x, axes, { keepdims: true }))
      const variance = np.mean(centred.ref.mul(centred.ref), axes, { keepdims: true })
      const normal = centred.div(np.sqrt(variance.add(1e-5)))
      return normal.mul(perChannel(scale, shape)).add(perChannel(shift, shape))
    },
  }
}

async function training(jax: Jax, net: NetName): Promise<Prepared> {
  const { numpy: np, nn } = jax
  const { samples, classes, x, oneHot, inputShape } = batchOf(net)
  const [height, width, channels] = inputShape as [number, number, number]
  const input = np.array(channelsFirst(x, [samples, ...inputShape]), { shape: [samples, channels, height, width] })
  const target = np.array(oneHot, { shape: [samples, classes] })
  const ops = operations(jax)
  const parameters = netParameters(net)
  const first = ({ values, shape }: (typeof parameters)[number]) => {
    if (shape.length !== 4) return np.array(values, { shape })
    const [height, width, inside, outside] = shape as [number, number, number, number]
    return np.array(kernelFirst(values, shape), { shape: [outside, inside, height, width] })
  }
  let weights = parameters.map(first)
  let speeds = weights.map((w) => np.array(new Float32Array(w.shape.reduce((a, b) => a * b, 1)), { shape: w.shape }))
  const { learningRate, momentum } = trainingOptions
  const step = jax.jit((w: A[], v: A[], batch: A, labels: A): [A, A[], A[]] => {
    const loss = (p: A[]) => {
      const scores = forward(net, ops, batch, p)
      return np.sum(nn.logSoftmax(scores).mul(labels)).mul(-1 / samples)
    }
    const [value, gradients] = jax.valueAndGrad(loss)(w.map((a) => a.ref))
    const nextV = v.map((a, i) => a.mul(momentum).add(gradients[i]!))
    const nextW = w.map((a, i) => a.sub(nextV[i]!.ref.mul(learningRate)))
    return [value, nextW, nextV]
  })
  const call = async () => {
    const [loss, nextWeights, nextSpeeds] = step(weights, speeds, input.ref, target.ref)
    weights = nextWeights
    speeds = nextSpeeds
    return (await loss.data())[0]!
  }
  return { output: () => firstLosses(call), call }
}

export async function contender(): Promise<Contender> {
  const jax = (await loadPeer('@jax-js/jax')) as Jax
  await jax.init('wasm')
  jax.defaultDevice('wasm')
  async function layer(work: Work): Promise<Prepared> {
    const { a, b } = operandsOf(work)
    const shapes = shapesOf(work)
    const run = jax.jit(callOf(jax, work))
    const first = (shape: readonly number[]) => [shape[0]!, shape.at(-1)!, ...shape.slice(1, -1)]
    const kernelShape = [shapes.b.at(-1)!, shapes.b.at(-2)!, ...shapes.b.slice(0, -2)]
    const x = jax.numpy.array(channelsFirst(a, shapes.a), { shape: first(shapes.a) })
    const w = jax.numpy.array(kernelFirst(b, shapes.b), { shape: kernelShape })
    return {
      output: async () => channelsLast(Float32Array.from(await run(x.ref, w.ref).data()), shapes.result),
      async call() {
        const y = run(x.ref, w.ref)
        await y.blockUntilReady()
        y.dispose()
      },
      dispose() {
        x.dispose()
        w.dispose()
      },
    }
  }
  return { layer, training: (net) => training(jax, net) }
}
