import { fail } from '../../base/errors.ts'
import { type Shape, sizeOf } from '../../base/shape.ts'
import type { ConvSpec } from '../../conv/spec.ts'
import { referenceValues } from '../../graph/reference.ts'
import { placeholder, type Tensor, topological } from '../../graph/tensor.ts'
import type { Model } from '../../nn/index.ts'
import { writeFileAtomic } from '../../runtime/files.ts'
import { type Fixed, fixed } from './elements.ts'
import { type Normalization, normalizationOf } from './normalization.ts'
import { modelTable, writeMessage } from './proto.ts'
import * as write from './save-ops.ts'
import { batchMark, GraphWriter, orderOf, type Written } from './writer.ts'

/** What the exported ONNX model looks like. */
export interface SaveOnnxOptions {
  /** 'fold': into the convolution before it, where there is one. 'keep': as BatchNormalization. Default 'fold'. */
  readonly batchNorm?: 'fold' | 'keep'
  /** Inputs and outputs with channels last, as here. Default false: N, C, spatial, as usual in ONNX. */
  readonly channelsLast?: boolean
}

const opset = 17
const irVersion = 8
const floatType = 1

/** Writes the tensors that a result depends on, each once. */
class TensorWriter {
  readonly g = new GraphWriter()
  readonly #written = new Map<Tensor, Written>()
  readonly #uses = new Map<Tensor, number>()
  readonly #moving = new Set<Tensor>()
  readonly #options: SaveOnnxOptions

  constructor(inputs: ReadonlyMap<Tensor, Written>, output: Tensor, options: SaveOnnxOptions) {
    this.#options = options
    for (const [input, value] of inputs) {
      this.#written.set(input, value)
      this.#moving.add(input)
    }
    for (const node of topological([output])) {
      if (node.inputs.some((input) => this.#moving.has(input))) this.#moving.add(node)
      for (const input of node.inputs) this.#uses.set(input, (this.#uses.get(input) ?? 0) + 1)
    }
  }

  /** The values of a tensor that doesn't depend on the inputs. */
  #constant(node: Tensor): Fixed {
    const { operation, shape } = node
    if (operation.kind === 'fill')
      return fixed(
        'float32',
        shape.map(() => 1),
        [operation.value],
      )
    if (sizeOf(shape) % batchMark === 0)
      fail('saveOnnx', 'a constant has the size of the batch', 'Write it differently')
    return fixed('float32', shape, referenceValues([node])[0])
  }

  value(node: Tensor): Written {
    let known = this.#written.get(node)
    if (!known) {
      known = this.#moving.has(node) ? this.#write(node) : this.#fixed(node)
      this.#written.set(node, known)
    }
    return known
  }

  #fixed(node: Tensor): Written {
    const constant = this.#constant(node)
    return { name: '', shape: constant.shape, order: constant.shape.map((_, i) => i), constant }
  }

  #write(node: Tensor): Written {
    const { operation, inputs, shape } = node
    const { g } = this
    const normalization = normalizationOf(node, this.#moving)
    if (normalization) return this.#normalize(node, normalization)
    switch (operation.kind) {
      case 'map': {
        const biased = operation.fn === 'add' ? this.#biased(node) : undefined
        if (biased) return biased
        const operands = inputs.map((input) => this.value(input))
        return write.writeMap(g, operation.fn, operands, node)
      }
      case 'reduce':
        return write.writeReduce(g, operation.fn, operation.axes, this.value(inputs[0]))
      case 'reshape':
        return { name: g.reshaped(this.value(inputs[0]), shape), shape, order: shape.map((_, i) => i) }
      case 'transpose': {
        const x = this.value(inputs[0])
        return { name: x.name, shape, order: x.order.map((axis) => operation.order.indexOf(axis)) }
      }
      case 'pad':
        return write.writePad(g, this.value(inputs[0]), operation.low, operation.high, operation.value)
      case 'concat': {
        const parts = inputs.map((input) => this.value(input))
        const order = orderOf(parts, shape.length)
        const names = parts.map((part) => g.arranged(part, order))
        return { name: g.node('Concat', names, { axis: order.indexOf(operation.axis) }), shape, order }
      }
      case 'resample':
        return write.writeResample(g, this.value(inputs[0]), operation.axis, operation.table)
      case 'contract':
        return this.#contract(node, undefined, undefined)
      case 'windowMax':
        return write.writeMaxPool(g, this.value(inputs[0]), operation.spec, shape)
      default:
        return fail('saveOnnx', `operation '${operation.kind}' can't be written`, 'Leave out the layer that uses it')
    }
  }

  /** A convolution and the vector added to it as one node. */
  #biased(node: Tensor): Written | undefined {
    const [x, bias] = node.inputs
    if (!this.#isLinear(x) || this.#moving.has(bias) || bias.shape.length !== 1) return undefined
    return this.#contract(x, this.#constant(bias), undefined)
  }

  /** A convolution that nothing else uses. */
  #isLinear(node: Tensor): boolean {
    const { operation } = node
    const once = this.#uses.get(node) === 1
    return once && operation.kind === 'contract' && operation.contraction !== 'kernelGradient'
  }

  #normalize(node: Tensor, normalization: Normalization): Written {
    const { x, scale, shift } = normalization
    if (this.#options.batchNorm === 'keep') return this.#kept(normalization)
    const [factors, shifts] = [this.#constant(scale), this.#constant(shift)]
    const inner = this.#uses.get(x) === 1 && x.operation.kind === 'map' && x.operation.fn === 'add' ? x.inputs : [x]
    const [linear, bias] = inner
    const vector = bias === undefined || (!this.#moving.has(bias) && bias.shape.length === 1)
    const folds = this.#isLinear(linear) && vector && factors.data.length === node.shape.at(-1)
    if (folds && linear.operation.kind === 'contract' && linear.operation.contraction === 'output') {
      const before = bias === undefined ? undefined : this.#constant(bias)
      const folded = shifts.data.map((s, c) => s + (before?.data[c] ?? 0) * factors.data[c])
      return this.#contract(linear, fixed('float32', [folded.length], folded), factors)
    }
    const scaled = { name: '', shape: factors.shape, order: [0], constant: factors }
    const shifted = { name: '', shape: shifts.shape, order: [0], constant: shifts }
    const product = write.writeMap(this.g, 'mul', [this.value(x), scaled], node)
    return write.writeMap(this.g, 'add', [product, shifted], node)
  }

  #kept({ x, weight, bias, mean, variance, eps }: Normalization): Written {
    const value = this.value(x)
    const channels = x.shape.at(-1)!
    const vector = (t: Tensor | number, name: string) => {
      const data = typeof t === 'number' ? [t] : this.#constant(t).data
      const full = data.length === channels ? data : new Float32Array(channels).fill(data[0])
      return this.g.constant(fixed('float32', [channels], full), name)
    }
    const names = [vector(weight, 'scale'), vector(bias, 'bias'), vector(mean, 'mean'), vector(variance, 'variance')]
    const order = write.firstOrder(x.shape.length)
    const name = this.g.node('BatchNormalization', [this.g.arranged(value, order), ...names], { epsilon: eps })
    return { name, shape: x.shape, order }
  }

  #contract(node: Tensor, bias: Fixed | undefined, factors: Fixed | undefined): Written {
    const { operation, inputs, shape } = node
    if (operation.kind !== 'contract') return fail('saveOnnx', 'no convolution', 'Report this')
    const { spec, contraction } = operation
    const x = this.value(inputs[0])
    if (contraction === 'output' && isMean(spec, inputs[1])) return write.writeAverage(this.g, x, spec, shape)
    const kernel = scaledKernel(this.value(inputs[1]), inputs[1].shape, factors)
    const weights = { kernel, bias }
    if (contraction === 'output' && isProduct(spec)) return write.writeProduct(this.g, x, weights, shape)
    if (contraction === 'output') return write.writeConv(this.g, x, spec, weights, shape)
    if (contraction === 'inputGradient') return write.writeConvTranspose(this.g, x, spec, weights, shape)
    return fail('saveOnnx', 'the gradient of a kernel', 'Save the model, not its training')
  }
}

const isMean = (spec: ConvSpec, kernel: Tensor) =>
  kernel.operation.kind === 'fill' &&
  spec.groups === spec.inChannels &&
  spec.outChannels === spec.inChannels &&
  spec.dilation.every((d) => d === 1) &&
  Math.abs(kernel.operation.value * sizeOf(spec.kernel) - 1) < 1e-12

const isProduct = (spec: ConvSpec) =>
  spec.rank === 1 && spec.batch === 1 && spec.kernel[0] === 1 && spec.groups === 1 && spec.input[0] === spec.output[0]

/** A kernel whose output channels, its last axis, are multiplied by factors; one number for all is spelt out. */
function scaledKernel(kernel: Written, shape: Shape, factors: Fixed | undefined): Written {
  const { constant } = kernel
  if (!constant) return kernel
  const whole = constant.data.length === 1 ? new Float32Array(sizeOf(shape)).fill(constant.data[0]) : constant.data
  const channels = shape.at(-1)!
  const data = factors ? whole.map((w, i) => w * factors.data[i % channels]) : whole
  return { ...kernel, shape, constant: { type: 'float32', shape, data } }
}

interface Outside {
  readonly name: string
  readonly dims: readonly number[]
}

const portMessage = ({ name, dims }: Outside) => ({
  name,
  type: {
    tensor: {
      elementType: floatType,
      shape: { dims: dims.map((n) => (n % batchMark === 0 ? { parameter: 'N' } : { value: n })) },
    },
  },
})

/** The bytes of an ONNX file (opset 17) that computes what the model predicts; any number of samples. */
export function saveOnnx(model: Model, options: SaveOnnxOptions = {}): Uint8Array<ArrayBuffer> {
  const { batchNorm = 'fold', channelsLast = false } = options
  if (batchNorm !== 'fold' && batchNorm !== 'keep')
    fail('saveOnnx', `batchNorm is '${String(batchNorm)}'`, "Use 'fold' or 'keep'")
  const orderFor = (rank: number) => (channelsLast ? Array.from({ length: rank }, (_, i) => i) : write.firstOrder(rank))
  const tensors = model.inputShapes.map((shape) => placeholder([batchMark, ...shape]))
  const inputs = tensors.map((tensor, i): Written => {
    const name = tensors.length === 1 ? 'input' : `input_${i + 1}`
    return { name, shape: tensor.shape, order: orderFor(tensor.shape.length) }
  })
  const result = model.apply(tensors.length === 1 ? tensors[0] : tensors, model.context(false))
  const writer = new TensorWriter(new Map(tensors.map((tensor, i) => [tensor, inputs[i]])), result, options)
  const order = orderFor(result.shape.length)
  writer.g.rename(writer.g.arranged(writer.value(result), order), 'output')
  const outside = (name: string, shape: Shape, axes: readonly number[]) =>
    portMessage({ name, dims: axes.map((axis) => shape[axis]) })
  const { nodes, initializers } = writer.g
  return writeMessage(modelTable, {
    irVersion,
    producerName: 'fovea',
    graph: {
      name: model.name,
      nodes,
      initializers,
      inputs: inputs.map((input) => outside(input.name, input.shape, input.order)),
      outputs: [outside('output', result.shape, order)],
    },
    opsets: [{ domain: '', version: opset }],
  })
}

/** Writes `saveOnnx` to a file, which is never half written. Node only. */
export async function saveOnnxFile(model: Model, path: string, options: SaveOnnxOptions = {}): Promise<void> {
  await writeFileAtomic(path, saveOnnx(model, options))
}
