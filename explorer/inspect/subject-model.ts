import { compile, mul, type Tensor } from 'fovea'
import { type Model, summaryRows } from 'fovea/nn'
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

/** The kernels of a layer, [places..., in, out]: its first weight with places. */
function kernelOf(model: Model, row: number) {
  const { shape, parameters } = model.steps[row]!.built
  const kernel = parameters.find((one) => one.shape.length >= 3 && one.name.endsWith('weight'))
  if (!kernel) return undefined
  // of a layer that wires single maps to each other: a list of kernels
  const list = kernel.shape.length === shape.length
  return {
    shape: list ? [...kernel.shape.slice(0, -1), 1, kernel.shape.at(-1)!] : kernel.shape,
    read: () => kernel.read(),
  }
}

function rowsOf(model: Model): Row[] {
  const inputs = model.inputShapes.length
  return summaryRows(model).map(({ name, shape, parameters, macs, fields }, i) => {
    const step = model.steps[i]!
    const kernel = kernelOf(model, i)
    return {
      name,
      op: step.layer.kind,
      shape,
      parameters,
      macs,
      from: step.inputs.map((k) => Math.max(k - inputs, -1)),
      sees: fields === 'unclear' ? '' : fields.map(({ size }) => size).join('×'),
      ...(kernel ? { kernel: kernel.shape } : {}),
    }
  })
}

function summaryOf(model: Model, format: string): Summary {
  const rows = rowsOf(model)
  const macs = rows.reduce((sum, row) => sum + row.macs, 0)
  const [height, width, channels] = model.inputShape
  const isPicture =
    model.inputShapes.length === 1 && model.inputShape.length === 3 && (channels === 1 || channels === 3)
  const tooLarge = macs > mostMacs || model.inputShapes.some((shape) => sizeOf(shape) > mostInput)
  return {
    name: model.name,
    format,
    rows,
    input: model.inputShapes.map((shape) => shape.join('×')).join(' and '),
    output: model.outputShape.join('×'),
    ...(isPicture ? { picture: { height: height!, width: width!, channels: channels! } } : {}),
    parameters: model.countParameters(),
    macs,
    ...(tooLarge ? { still: `One sample takes ${macs} multiply-adds: it is shown, but not run.` } : {}),
  }
}

/** The model with the channels of one row multiplied by a mask: what the row gives, and the result. */
function maskedProgram(model: Model, row: number) {
  const shapes: Shape[] = model.inputShapes.map((shape) => [1, ...shape])
  const { shape } = model.steps[row]!.built
  return compile(
    (mask, ...inputs) => {
      const context = model.context(false)
      const values: Tensor[] = [...(inputs as Tensor[])]
      model.steps.forEach(({ built, inputs: from }, i) => {
        const result = built.apply(
          from.map((k) => values[k]!),
          context,
        )
        values.push(i === row ? mul(result, mask as Tensor) : result)
      })
      return [values[inputs.length + row]!, values.at(-1)!]
    },
    [[shape.at(-1) ?? 1], ...shapes] as readonly Shape[],
  )
}

/** A model of layers: a safetensors file of ours, or a tfjs layers model. */
export class ModelSubject implements Subject {
  readonly summary: Summary
  readonly #model: Model
  /** Of the row that was looked at last. */
  #program: { row: number; run: ReturnType<typeof maskedProgram> } | undefined

  constructor(model: Model, format: string) {
    this.#model = model
    this.summary = summaryOf(model, format)
  }

  async look({ row, off, picture, norm }: LookOrder): Promise<Look> {
    const model = this.#model
    const variable = kernelOf(model, row)
    const kernel = variable && asKernel({ shape: variable.shape, data: variable.read() })
    if (this.summary.still !== undefined) return { row, ...(kernel ? { kernel } : {}) }
    if (this.#program?.row !== row) this.#program = { row, run: maskedProgram(model, row) }
    const { shape } = model.steps[row]!.built
    const inputs = model.inputShapes.map((own, i) =>
      i === 0 && picture ? normalized(picture, own.at(-1)!, norm) : noise(sizeOf(own)),
    )
    const mask = new Float32Array(shape.at(-1) ?? 1).fill(1)
    const [plainMaps, plain] = await this.#program.run(mask, ...inputs)
    for (const channel of off) if (channel < mask.length) mask[channel] = 0
    const [maps, result] = off.length > 0 ? await this.#program.run(mask, ...inputs) : [plainMaps!, plain!]
    const output = (data: Float32Array): Numbers => ({ shape: model.outputShape, data })
    return {
      row,
      maps: asPicture({ shape, data: maps! }),
      ...(kernel ? { kernel } : {}),
      before: sharesOf(output(plain!)),
      shares: sharesOf(output(result!)),
    }
  }

  async compile(row: number): Promise<Compiled> {
    const model = this.#model
    const step = model.steps[row]!
    const before = [...model.inputShapes, ...model.steps.map(({ built }) => built.shape)]
    const shapes: Shape[] = step.inputs.map((k) => [1, ...before[k]!])
    const program = compile(
      (...x) => [step.built.apply(x as Tensor[], model.context(false))],
      shapes as readonly Shape[],
    )
    await program(...shapes.map((shape) => noise(sizeOf(shape))))
    return compiledOf(row, program)
  }
}
