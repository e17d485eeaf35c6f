import { type OnnxGraph, OnnxModel, type OnnxNode, type OnnxTensor, type Port } from 'fovea/formats'
import type { Compiled, Look, LookOrder, Numbers, Row, Summary } from './protocol.ts'
import {
  asKernel,
  asPicture,
  compiledOf,
  mostInput,
  mostMacs,
  noise,
  normalized,
  type Subject,
  sharesOf,
  sizeOf,
} from './subject.ts'

type Shape = readonly number[]

/** Sizes that the model leaves open: one sample, and pictures of this edge. */
const usualSize = 224

const openShape = ({ shape = [1] }: Port): number[] =>
  shape.map((n, axis) => (typeof n === 'number' ? n : axis === 0 ? 1 : usualSize))

/** Nodes that compute nothing worth a line. */
const silent = new Set(['Constant', 'Identity', 'Shape', 'Gather', 'Unsqueeze', 'Cast'])

/** Which results have their channels last: what follows a transposition that says so, until the next one. */
function layoutsOf(graph: OnnxGraph, shapes: ReadonlyMap<string, Shape>): Map<string, boolean> {
  const last = new Map<string, boolean>()
  for (const port of graph.inputs) {
    const shape = openShape(port)
    last.set(port.name, shape.length === 4 && [1, 3].includes(shape[3]!) && ![1, 3].includes(shape[1]!))
  }
  for (const node of graph.nodes) {
    const order = node.op === 'Transpose' ? integersOf(node, 'perm').join() : ''
    const windowed = /Conv|Pool|BatchNorm|InstanceNorm|LRN|DepthToSpace|SpaceToDepth/.test(node.op)
    const from = node.inputs.find((name) => last.has(name) && shapes.get(name)?.length === 4)
    const own = order === '0,2,3,1' ? true : order === '0,3,1,2' || windowed ? false : (last.get(from ?? '') ?? false)
    for (const name of node.outputs) last.set(name, own)
  }
  return last
}

function integersOf(node: OnnxNode, name: string): number[] {
  const found = node.attributes.get(name) as { readonly ints?: readonly (number | bigint)[] } | undefined
  return (found?.ints ?? []).map(Number)
}

/** [N, C, spatial...] of one sample with channels last. */
export function channelsLast({ shape, data }: { readonly shape: Shape; readonly data: ArrayLike<number> }): Numbers {
  const [, channels, ...spatial] = shape
  if (shape.length < 3)
    return { shape: [channels ?? 1], data: Float32Array.from(data as ArrayLike<number>).slice(0, channels ?? 1) }
  const places = sizeOf(spatial)
  const moved = new Float32Array(places * channels!)
  for (let c = 0; c < channels!; c++) for (let p = 0; p < places; p++) moved[p * channels! + c] = data[c * places + p]!
  return { shape: [...spatial, channels!], data: moved }
}

/** [out, in, spatial...], or of a transposed convolution [in, out, spatial...], as [spatial..., in, out]. */
export function kernelLast(
  { shape, data }: { readonly shape: Shape; readonly data: ArrayLike<number> },
  transposed: boolean,
): Numbers {
  const [first, second, ...spatial] = shape as [number, number, ...number[]]
  const [inputs, outputs] = transposed ? [first, second] : [second, first]
  const places = sizeOf(spatial)
  const moved = new Float32Array(data.length)
  for (let a = 0; a < first; a++)
    for (let b = 0; b < second; b++)
      for (let p = 0; p < places; p++) {
        const [i, o] = transposed ? [a, b] : [b, a]
        moved[(p * inputs + i) * outputs + o] = data[(a * second + b) * places + p]!
      }
  return { shape: [...spatial, inputs, outputs], data: moved }
}

/** Multiply-accumulates of one sample. */
export function macsOf(node: OnnxNode, inputs: readonly (Shape | undefined)[], output: Shape): number {
  const [x, w] = inputs
  if (!x || !w) return 0
  switch (node.op) {
    case 'Conv':
    case 'ConvInteger':
    case 'QLinearConv':
      return sizeOf(output.slice(1)) * sizeOf((node.op === 'QLinearConv' ? (inputs[3] ?? []) : w).slice(1))
    case 'ConvTranspose':
      return sizeOf(x.slice(1)) * sizeOf(w.slice(1))
    case 'Gemm': {
      const transposed = Number((node.attributes.get('transA') as { readonly i?: number } | undefined)?.i ?? 0) === 1
      return (sizeOf(output) * (transposed ? x[0]! : x.at(-1)!)) / (output[0] ?? 1)
    }
    case 'MatMul':
      return sizeOf(output.slice(1)) * x.at(-1)!
    default:
      return 0
  }
}

const port = (name: string, shape: Shape): Port => ({ name, type: 'float32', shape })

interface Opened {
  readonly graph: OnnxGraph
  /** Of every result for one sample. */
  readonly shapes: ReadonlyMap<string, Shape>
  /** Small results, which may decide shapes. */
  readonly small: ReadonlyMap<string, OnnxTensor>
}

/** Runs the model on noise, and keeps the shapes of all results. */
async function opened(graph: OnnxGraph): Promise<Opened> {
  const given = Object.fromEntries(graph.inputs.map((input) => [input.name, inputFor(input, noise)]))
  const shapes = new Map<string, Shape>()
  const small = new Map<string, OnnxTensor>()
  for (const [name, { shape }] of graph.initializers) shapes.set(name, shape)
  for (const [name, { shape }] of Object.entries(given)) shapes.set(name, shape)
  const names = graph.nodes.flatMap((node) => node.outputs.filter(Boolean))
  const all = new OnnxModel({ ...graph, outputs: [...new Set(names)].map((name) => port(name, [])) })
  for (const [name, value] of Object.entries(await all.run(given))) {
    shapes.set(name, value.shape)
    if (value.data.length <= 256) small.set(name, value)
  }
  return { graph, shapes, small }
}

function inputFor(input: Port, values: (length: number) => Float32Array): OnnxTensor {
  const shape = openShape(input)
  if (sizeOf(shape) > mostInput)
    throw new Error(
      `input '${input.name}' [${shape.join(', ')}] has more than ${mostInput} values. Give a smaller model.`,
    )
  const data = values(sizeOf(shape))
  return { shape, data: input.type.includes('float') ? data : data.map(() => 0) }
}

/** Lines of the table: nodes without those that compute nothing, with the lines that each takes from. */
function linesOf({ graph, shapes }: Opened) {
  const makers = new Map<string, number>()
  const lines: { node: OnnxNode; row: Row }[] = []
  const used = new Set<string>()
  const layouts = layoutsOf(graph, shapes)
  for (const node of graph.nodes) {
    const from = [...new Set(node.inputs.flatMap((name) => makers.get(name) ?? (isInput(graph, name) ? [-1] : [])))]
    const output = shapes.get(node.outputs[0]!) ?? []
    if (silent.has(node.op)) {
      for (const name of node.outputs) if (from[0] !== undefined) makers.set(name, from[0])
      continue
    }
    const own = node.inputs.filter((name) => graph.initializers.has(name) && !used.has(name))
    for (const name of own) used.add(name)
    const kernel = kernelNumbers(graph, node)
    const last = layouts.get(node.outputs[0]!)
    lines.push({
      node,
      row: {
        name: node.outputs[0]!,
        op: node.op,
        shape: last || output.length < 3 ? output.slice(1) : [...output.slice(2), output[1]!],
        parameters: own.reduce((sum, name) => sum + graph.initializers.get(name)!.data.length, 0),
        macs: macsOf(
          node,
          node.inputs.map((name) => shapes.get(name)),
          output,
        ),
        from,
        sees: '',
        ...(kernel ? { kernel: kernel.shape } : {}),
      },
    })
    for (const name of node.outputs) makers.set(name, lines.length - 1)
  }
  return { lines, layouts }
}

const isInput = (graph: OnnxGraph, name: string) => graph.inputs.some((input) => input.name === name)

function kernelNumbers(graph: OnnxGraph, node: OnnxNode): Numbers | undefined {
  if (node.op !== 'Conv' && node.op !== 'ConvTranspose') return undefined
  const weight = graph.initializers.get(node.inputs[1] ?? '')
  return weight && weight.shape.length >= 3 ? kernelLast(weight, node.op === 'ConvTranspose') : undefined
}

/** The graph with one node's result multiplied by a mask: that result and the model's first output. */
function maskedModel(graph: OnnxGraph, node: OnnxNode, mask: Port): OnnxModel {
  const name = node.outputs[0]!
  const hidden = `${name}/whole`
  const nodes = graph.nodes.flatMap((other): OnnxNode[] =>
    other === node
      ? [
          { ...node, outputs: [hidden, ...node.outputs.slice(1)] },
          { title: 'mask', op: 'Mul', domain: '', inputs: [hidden, mask.name], outputs: [name], attributes: new Map() },
        ]
      : [other],
  )
  const outputs = [...new Set([graph.outputs[0]!.name, name])].map((own) => port(own, []))
  return new OnnxModel({ ...graph, nodes, inputs: [...graph.inputs, mask], outputs })
}

/** An ONNX model, or a tfjs graph model, which runs as one. */
export class OnnxSubject implements Subject {
  readonly summary: Summary
  readonly #opened: Opened
  readonly #nodes: readonly OnnxNode[]
  readonly #layouts: ReadonlyMap<string, boolean>
  #masked: { row: number; model: OnnxModel; mask: Port } | undefined

  private constructor(model: OnnxModel, format: string, all: Opened) {
    const { lines, layouts } = linesOf(all)
    this.#opened = all
    this.#nodes = lines.map(({ node }) => node)
    this.#layouts = layouts
    const rows = lines.map(({ row }) => row)
    const macs = rows.reduce((sum, row) => sum + row.macs, 0)
    const picture = this.#pictureShape()
    const shapeText = (ports: readonly Port[]) =>
      ports.map(({ name, shape }) => `${name} [${shape?.join(', ') ?? '?'}]`)
    this.summary = {
      name: model.name || 'graph',
      format,
      rows,
      input: shapeText(model.inputs).join(' and '),
      output: shapeText(model.outputs).slice(0, 3).join(' and '),
      ...(picture ? { picture } : {}),
      parameters: model.countParameters(),
      macs,
      ...(macs > mostMacs ? { still: `One sample takes ${macs} multiply-adds: it is shown, but not run.` } : {}),
    }
  }

  static async open(model: OnnxModel, format: string): Promise<OnnxSubject> {
    return new OnnxSubject(model, format, await opened(model.graph))
  }

  #pictureShape(): Summary['picture'] {
    const [input, more] = this.#opened.graph.inputs
    const shape = input ? openShape(input) : []
    if (more || shape.length !== 4) return undefined
    const [height, width, channels] = this.#layouts.get(input!.name) ? shape.slice(1) : [shape[2], shape[3], shape[1]]
    return channels === 1 || channels === 3 ? { height: height!, width: width!, channels } : undefined
  }

  #inputs({ picture, norm }: LookOrder): Record<string, OnnxTensor> {
    const form = this.summary.picture
    return Object.fromEntries(
      this.#opened.graph.inputs.map((input) => {
        if (!picture || !form) return [input.name, inputFor(input, noise)]
        const values = normalized(picture, form.channels, norm)
        return [
          input.name,
          inputFor(input, () => (this.#layouts.get(input.name) ? values : channelsFirst(values, form.channels))),
        ]
      }),
    )
  }

  async look(order: LookOrder): Promise<Look> {
    const { row, off } = order
    const node = this.#nodes[row]!
    const own = kernelNumbers(this.#opened.graph, node)
    const kernel = own && asKernel(own)
    if (this.summary.still !== undefined) return { row, ...(kernel ? { kernel } : {}) }
    const name = node.outputs[0]!
    const shape = this.#opened.shapes.get(name)!
    const last = this.#layouts.get(name) === true || shape.length < 3
    const channels = (last ? shape.at(-1) : shape[1]) ?? 1
    const maskShape = last ? [channels] : [channels, ...shape.slice(2).map(() => 1)]
    if (this.#masked?.row !== row) {
      const mask = port('fovea/mask', maskShape)
      this.#masked = { row, mask, model: maskedModel(this.#opened.graph, node, mask) }
    }
    const { model, mask } = this.#masked
    const inputs = this.#inputs(order)
    const data = new Float32Array(channels).fill(1)
    const run = () => model.run({ ...inputs, [mask.name]: { shape: maskShape, data: data.slice() } })
    const plain = await run()
    for (const channel of off) if (channel < channels) data[channel] = 0
    const masked = off.length > 0 ? await run() : plain
    const output = this.#opened.graph.outputs[0]!.name
    const shares = (results: Record<string, OnnxTensor>) => sharesOf(this.#plain(output, results[output]!))
    return {
      row,
      maps: asPicture(this.#plain(name, masked[name]!)),
      ...(kernel ? { kernel } : {}),
      before: shares(plain),
      shares: shares(masked),
    }
  }

  /** A result of one sample with channels last. */
  #plain(name: string, { shape, data }: OnnxTensor): Numbers {
    if (!this.#layouts.get(name)) return channelsLast({ shape, data })
    return { shape: shape.slice(1), data: Float32Array.from(data).slice(0, sizeOf(shape.slice(1))) }
  }

  async compile(row: number): Promise<Compiled> {
    const { graph, shapes, small } = this.#opened
    const node = this.#nodes[row]!
    const names = [...new Set(node.inputs.filter((name) => name && !graph.initializers.has(name)))]
    const given = Object.fromEntries(
      names.map((name): [string, OnnxTensor] => {
        const shape = shapes.get(name)!
        return [name, small.get(name) ?? { shape, data: noise(sizeOf(shape)), type: 'float32' }]
      }),
    )
    const inputs = names.map(
      (name): Port => ({ ...port(name, shapes.get(name)!), type: given[name]!.type ?? 'float32' }),
    )
    const alone = new OnnxModel({ ...graph, nodes: [node], inputs, outputs: [port(node.outputs[0]!, [])] })
    await alone.run(given)
    return compiledOf(row, alone.plan(given))
  }
}

/** [H, W, C] as [C, H, W]. */
function channelsFirst(values: Float32Array, channels: number): Float32Array {
  const places = values.length / channels
  const moved = new Float32Array(values.length)
  for (let p = 0; p < places; p++) for (let c = 0; c < channels; c++) moved[c * places + p] = values[p * channels + c]!
  return moved
}
