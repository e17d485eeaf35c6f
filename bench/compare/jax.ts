import { sizeOf } from '../../src/base/shape.ts'
import { channelsFirst, channelsLast, kernelFirst } from '../data.ts'
import { type Answer, type Case, type ConvCase, operandsOf, quantitiesOf } from './cases.ts'
import { resultShape } from './judge.ts'

/** An array: whoever is given it consumes it; `ref` is one more use. */
interface A {
  readonly ref: A
  readonly shape: number[]
  data(): Promise<Float32Array>
  mul(other: A): A
  reshape(shape: readonly number[]): A
}
type Pads = readonly (readonly [number, number])[]
interface Options {
  readonly rhsDilation: readonly number[]
  readonly featureGroupCount?: number
  readonly transposeKernel?: boolean
}
interface Jax {
  init(device: string): Promise<string[]>
  defaultDevice(device: string): string
  grad(fn: (...inputs: A[]) => A, options: { argnums: number[] }): (...inputs: A[]) => A[]
  readonly numpy: {
    array(values: Float32Array, options: { shape: readonly number[] }): A
    sum(x: A): A
    max(x: A): A
    mean(x: A): A
  }
  readonly lax: {
    convGeneralDilated(x: A, w: A, stride: readonly number[], pads: Pads, options: Options): A
    convTranspose(x: A, w: A, stride: readonly number[], pads: Pads, options: Options): A
    reduceWindow(x: A, reduce: (window: A) => A, window: readonly number[], stride: readonly number[]): A
  }
}

const no = (reason: string): never => {
  throw new Error(reason)
}

function convolution({ lax }: Jax, item: ConvCase, x: A, w: A): A {
  const { stride, dilation, groups, padding } = item
  if (item.border.some((mode) => mode !== 'zero')) return no('no border modes')
  if (item.op === 'conv')
    return lax.convGeneralDilated(x, w, stride, padding, { rhsDilation: dilation, featureGroupCount: groups })
  if (groups > 1) return no('transposed: no groups')
  if (item.outputPadding.some((n) => n > 0)) return no('transposed: no output padding')
  return lax.convTranspose(x, w, stride, padding, { rhsDilation: dilation, transposeKernel: true })
}

function resultOf(jax: Jax, item: Case, x: A, w: A): A {
  switch (item.op) {
    case 'conv':
    case 'convTranspose':
      return convolution(jax, item, x, w)
    case 'maxPool':
    case 'averagePool': {
      if (item.padding.flat().some((n) => n > 0)) return no('pooling: no padding')
      if (item.ceil || item.dilation.some((n) => n > 1)) return no('pooling: neither ceil mode nor dilation')
      const { lax, numpy: np } = jax
      const ones = [1, 1]
      const reduce = item.op === 'maxPool' ? np.max : np.mean
      return lax.reduceWindow(x, reduce, [...ones, ...item.kernel], [...ones, ...item.stride])
    }
    case 'pad':
      return no('no border modes')
    case 'resize':
      return no('no resize')
  }
}

const first = (shape: readonly number[]) => [shape[0]!, shape.at(-1)!, ...shape.slice(1, -1)]

/** A kernel's gradient [O, I, k...] as [k..., I, O]. */
function kernelLast(values: Float32Array, shape: readonly number[]): Float32Array {
  const [inside, outer] = shape.slice(-2) as [number, number]
  const taps = sizeOf(shape) / inside / outer
  const result = new Float32Array(values.length)
  for (let k = 0; k < taps; k++)
    for (let i = 0; i < inside; i++)
      for (let o = 0; o < outer; o++) result[(k * inside + i) * outer + o] = values[(o * inside + i) * taps + k]!
  return result
}

export async function jax(): Promise<(item: Case) => Promise<Answer>> {
  const name: string = '@jax-js/jax'
  const library = (await import(name)) as Jax
  await library.init('wasm')
  library.defaultDevice('wasm')
  const { numpy: np } = library
  return async (item) => {
    const operands = operandsOf(item)
    const shape = resultShape(item)
    const array = (values: Float32Array, like: readonly number[]) =>
      np.array(channelsFirst(values, like), { shape: first(like) })
    const x = () => array(operands.x, item.x)
    const w = () =>
      'w' in item
        ? np.array(kernelFirst(operands.w, item.w), { shape: [item.w.at(-1)!, item.w.at(-2)!, ...item.kernel] })
        : np.array(new Float32Array(1), { shape: [1] })
    const answer: Answer = {}
    const take = async (name: keyof Answer, compute: () => Promise<Float32Array>) => {
      try {
        answer[name] = { values: await compute() }
      } catch (error) {
        answer[name] = { missing: (error as Error).message.split('\n')[0]! }
      }
    }
    const loss = (a: A, b: A) => np.sum(resultOf(library, item, a, b).mul(array(operands.g(sizeOf(shape)), shape)))
    await take('value', async () => {
      const y = resultOf(library, item, x(), w())
      const right = first(shape)
      if (y.shape.join() !== right.join()) throw new Error(`wrong: its result is [${y.shape}], not [${right}]`)
      return channelsLast(Float32Array.from(await y.data()), shape)
    })
    if (!('values' in answer.value!)) {
      for (const name of quantitiesOf(item)) answer[name] = answer.value
      return answer
    }
    // by both at once: one that is left out counts as constant, also for an outer derivative
    const byBoth = library.grad(loss, { argnums: [0, 1] })
    const byInput = (a: A, b: A) => byBoth(a, b)[0]!
    await take('by input', async () => {
      const gradient = 'w' in item ? byInput(x(), w()) : library.grad((a) => loss(a!, w()), { argnums: [0] })(x())[0]!
      return channelsLast(Float32Array.from(await gradient.data()), item.x)
    })
    if (!('w' in item)) return answer
    const kernel = async (gradient: A) => kernelLast(Float32Array.from(await gradient.data()), item.w)
    await take('by kernel', () => kernel(byBoth(x(), w())[1]!))
    const mixed = (a: A, b: A) => np.sum(byInput(a, b).mul(array(operands.h, item.x)))
    await take('second', () => kernel(library.grad(mixed, { argnums: [0, 1] })(x(), w())[1]!))
    return answer
  }
}
