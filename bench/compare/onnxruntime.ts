import { sizeOf } from '../../src/base/shape.ts'
import { fixed } from '../../src/formats/onnx/elements.ts'
import { type MessageDraft, modelTable, writeMessage } from '../../src/formats/onnx/proto.ts'
import { type Attributes, GraphWriter } from '../../src/formats/onnx/writer.ts'
import { channelsFirst, channelsLast, kernelFirst } from '../data.ts'
import { type Answer, type Case, type ConvCase, operandsOf, type Pair, type PoolCase, quantitiesOf } from './cases.ts'
import { resultShape } from './judge.ts'

interface Session {
  run(feeds: Record<string, unknown>): Promise<Record<string, { readonly data: Float32Array; readonly dims: number[] }>>
  release(): Promise<void>
}
interface Ort {
  readonly InferenceSession: { create(model: Uint8Array): Promise<Session> }
  readonly Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => unknown
}

const first = (shape: readonly number[]) => [shape[0]!, shape.at(-1)!, ...shape.slice(1, -1)]
const lows = (padding: readonly Pair[]) => padding.map(([low]) => low)
const highs = (padding: readonly Pair[]) => padding.map(([, high]) => high)

const no = (reason: string): never => {
  throw new Error(reason)
}

const borderModes: Readonly<Record<string, string>> = { reflect: 'reflect', replicate: 'edge', circular: 'wrap' }

/** A Pad node before it, unless zeros do. */
function padded(g: GraphWriter, x: string, border: readonly string[], padding: readonly Pair[]): string {
  const [mode, ...others] = border
  if (others.some((other) => other !== mode)) return no('no border mode per axis')
  const word = borderModes[mode!] ?? no(`no ${mode} border`)
  return g.node('Pad', [x, g.integers([0, 0, ...lows(padding), 0, 0, ...highs(padding)])], { mode: word })
}

function window({ kernel, stride, dilation, padding }: ConvCase | PoolCase, pads: readonly Pair[] = padding) {
  if (pads.flat().some((n) => n < 0)) return no('no negative padding')
  return {
    ...{ kernel_shape: kernel, strides: stride, dilations: dilation },
    pads: [...lows(pads), ...highs(pads)],
  }
}

function convolution(g: GraphWriter, item: ConvCase, w: Float32Array): string {
  const { groups, border, padding, outputPadding } = item
  const kernel = g.constant(fixed('float32', [item.w.at(-1)!, item.w.at(-2)!, ...item.kernel], kernelFirst(w, item.w)))
  const zero = border.every((mode) => mode === 'zero')
  if (item.op === 'convTranspose') {
    if (!zero) return no('transposed: no border modes')
    const attributes = { ...window(item), group: groups, output_padding: outputPadding }
    return g.node('ConvTranspose', ['x', kernel], attributes)
  }
  const x = zero ? 'x' : padded(g, 'x', border, padding)
  return g.node('Conv', [x, kernel], { ...window(item, zero ? padding : padding.map(() => [0, 0])), group: groups })
}

function nodeOf(g: GraphWriter, item: Case, w: Float32Array): string {
  switch (item.op) {
    case 'conv':
    case 'convTranspose':
      return convolution(g, item, w)
    case 'maxPool':
    case 'averagePool': {
      const attributes = { ...window(item), ceil_mode: Number(item.ceil) }
      if (item.op === 'maxPool') return g.node('MaxPool', ['x'], attributes)
      return g.node('AveragePool', ['x'], { ...attributes, count_include_pad: Number(item.countPadding) })
    }
    case 'pad':
      return padded(g, 'x', item.border, item.padding)
    case 'resize': {
      const to = g.integers([item.x[0]!, item.x.at(-1)!, ...item.size])
      const place = item.alignCorners ? 'align_corners' : 'half_pixel'
      const how: Attributes =
        item.mode === 'nearest'
          ? { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }
          : { coordinate_transformation_mode: place }
      return g.node('Resize', ['x', '', '', to], { mode: item.mode, ...how })
    }
  }
}

type Graph = NonNullable<MessageDraft<typeof modelTable>['graph']>

function modelOf(item: Case, w: Float32Array): Uint8Array {
  const g = new GraphWriter()
  g.rename(nodeOf(g, item, w), 'y')
  const port = (name: string, shape: readonly number[]) => ({
    name,
    type: { tensor: { elementType: 1, shape: { dims: first(shape).map((value) => ({ value })) } } },
  })
  const graph: Graph = {
    ...{ name: item.id, nodes: g.nodes, initializers: g.initializers },
    inputs: [port('x', item.x)],
    outputs: [{ name: 'y', type: { tensor: { elementType: 1 } } }],
  }
  return writeMessage(modelTable, { irVersion: 9, graph, opsets: [{ domain: '', version: 19 }] })
}

/** Inference alone: it has no derivatives. */
export async function onnxruntime(): Promise<(item: Case) => Promise<Answer>> {
  const name: string = 'onnxruntime-web'
  const ort = (await import(name)) as Ort
  return async (item) => {
    const { x, w } = operandsOf(item)
    const answer: Answer = {}
    for (const name of quantitiesOf(item)) answer[name] = { missing: 'no derivatives' }
    try {
      const session = await ort.InferenceSession.create(modelOf(item, w))
      const input = new ort.Tensor('float32', channelsFirst(x, item.x), first(item.x))
      const y = (await session.run({ x: input })).y!
      const shape = [y.dims[0]!, ...y.dims.slice(2), y.dims[1]!]
      const right = resultShape(item)
      if (shape.join() !== right.join()) throw new Error(`wrong: its result is [${shape}], not [${right}]`)
      answer.value = { values: sizeOf(shape) > 0 ? channelsLast(y.data, shape) : y.data }
      await session.release()
    } catch (error) {
      const reason = (error as Error).message.split('\n')[0]!
      for (const name of quantitiesOf(item)) answer[name] = { missing: reason }
    }
    return answer
  }
}
