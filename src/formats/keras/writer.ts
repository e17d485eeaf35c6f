// A model of ours as layers of Keras: what the files of tfjs and of Keras have in common.
import { FoveaError, fail } from '../../base/errors.ts'
import type { Shape } from '../../base/shape.ts'
import type { Layer, Model } from '../../nn/index.ts'
import type { Weights } from '../../nn/layer.ts'
import type { Json } from '../record.ts'

/** Who shall read it: tfjs's layers are a part of Keras's. */
export type Dialect = 'tfjs' | 'keras'

/** A tensor in the model that is written: result of use `node` of a layer, with the shape of one sample. */
export interface Value {
  readonly layer: string
  readonly node: number
  readonly shape: Shape
}

export interface WrittenLayer {
  readonly name: string
  readonly className: string
  /** Without the name. */
  readonly config: Json
  /** By Keras's names, in Keras's order. */
  readonly weights: readonly (readonly [name: string, weights: Weights])[]
  /** Inputs of each use. */
  readonly uses: (readonly Value[])[]
  shape: Shape
}

export interface WrittenModel {
  readonly name: string
  readonly inputs: readonly string[]
  readonly layers: readonly WrittenLayer[]
  readonly output: Value
}

/** A layer of Keras to be written. */
export interface Draft {
  readonly className: string
  readonly config?: Json
  readonly weights?: WrittenLayer['weights']
  /** Behind the name of our layer, where it takes several of Keras's. */
  readonly suffix?: string
  /** Of the result; default: the one of our layer. */
  readonly shape?: Shape
}

/** Our layer while it's written. */
export interface Writing {
  readonly dialect: Dialect
  readonly layer: Layer
  readonly inputs: readonly Value[]
  /** Of one sample of its result. */
  readonly shape: Shape
  /** A weight of ours by its name in the layer; undefined where the layer has none. */
  weight(name: string): Weights | undefined
  /** Writes one of Keras's layers on values. */
  add(draft: Draft, ...inputs: readonly Value[]): Value
  /** Writes a layer inside this one. */
  inner(layer: Layer, inputs: readonly Value[]): Value
  refuse(problem: string): never
}

export type Write = (writing: Writing) => Value

/** A layer that can't be written; collected, so that the error can name all. */
class Refusal extends Error {}

const random = { next: () => 0, integer: () => 0, normal: () => 0 }

export class KerasWriter {
  readonly layers = new Map<string, WrittenLayer>()
  readonly refused: string[] = []
  readonly #dialect: Dialect
  readonly #writes: Readonly<Record<string, Write>>
  readonly #weights: ReadonlyMap<string, Weights>
  readonly #names = new Map<Layer, string>()
  readonly #counts = new Map<string, number>()

  constructor(dialect: Dialect, writes: Readonly<Record<string, Write>>, weights: ReadonlyMap<string, Weights>) {
    this.#dialect = dialect
    this.#writes = writes
    this.#weights = weights
  }

  input(name: string, shape: Shape): Value {
    this.layers.set(name, { name, className: 'InputLayer', config: {}, weights: [], uses: [], shape })
    return { layer: name, node: 0, shape }
  }

  /** The name that a model gives to a layer inside another one (see nn/build.ts). */
  #nameOf(layer: Layer, prefix: string): string {
    const known = this.#names.get(layer)
    if (known) return known
    const kind = `${prefix}${layer.kind}`
    const count = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, count)
    const name = `${kind}_${count}`
    this.#names.set(layer, name)
    return name
  }

  #shapeOf(layer: Layer, name: string, inputs: readonly Value[]): Shape {
    const names = new Map<Layer, string>()
    const counts = new Map<string, number>()
    const build = (item: Layer, itemName: string, shapes: readonly Shape[]): ReturnType<Layer['build']> =>
      item.build(shapes, {
        name: itemName,
        random,
        saved: this.#weights,
        inner: (child, childShapes) => {
          const kind = `${itemName}.${child.kind}`
          const before = names.get(child)
          const count = before ? 0 : (counts.get(kind) ?? 0) + 1
          if (!before) counts.set(kind, count)
          const childName = before ?? `${kind}_${count}`
          names.set(child, childName)
          return build(child, childName, childShapes)
        },
      })
    const shapes = inputs.map((value) => value.shape)
    return build(layer, name, shapes).shape
  }

  write(layer: Layer, inputs: readonly Value[], prefix = '', known?: string): Value {
    const name = known ?? this.#nameOf(layer, prefix)
    const shape = this.#shapeOf(layer, name, inputs)
    const plain = name.replaceAll('.', '_')
    const writing: Writing = {
      dialect: this.#dialect,
      layer,
      inputs,
      shape,
      weight: (key) => this.#weights.get(`${name}.${key}`),
      add: (draft, ...values) => this.#add(plain, draft, values, shape),
      inner: (child, values) => this.write(child, values, `${name}.`),
      refuse(problem) {
        throw new Refusal(problem)
      },
    }
    const result = { layer: plain, node: 0, shape }
    if (!Object.hasOwn(this.#writes, layer.kind)) {
      this.refused.push(`${layer.kind} '${name}'`)
      return result
    }
    try {
      return this.#writes[layer.kind](writing)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.refused.push(`${layer.kind} '${name}' (${error.message})`)
      return result
    }
  }

  #add(base: string, draft: Draft, inputs: readonly Value[], usual: Shape): Value {
    const { className, config = {}, weights = [], suffix, shape = usual } = draft
    const name = suffix === undefined ? base : `${base}_${suffix}`
    const before = this.layers.get(name)
    const uses = before?.uses ?? []
    if (!before) this.layers.set(name, { name, className, config, weights, uses, shape })
    uses.push(inputs)
    return { layer: name, node: uses.length - 1, shape }
  }
}

/** A model as layers of Keras; an error names every layer that has none. */
export function writeLayers(
  operation: string,
  dialect: Dialect,
  model: Model,
  writes: Readonly<Record<string, Write>>,
): WrittenModel {
  const variables = [...model.parameters, ...model.state]
  const weights = new Map(variables.map((v) => [v.name, { shape: v.shape, data: v.read() }]))
  const writer = new KerasWriter(dialect, writes, weights)
  const inputs = model.inputShapes.map((_, i) => (model.inputShapes.length === 1 ? 'input' : `input_${i + 1}`))
  const values = model.inputShapes.map((shape, i) => writer.input(inputs[i], shape))
  try {
    for (const { layer, name, inputs: from } of model.steps)
      values.push(
        writer.write(
          layer,
          from.map((i) => values[i]),
          '',
          name,
        ),
      )
  } catch (error) {
    // behind a layer that was refused shapes may not fit
    if (writer.refused.length === 0 || !(error instanceof FoveaError)) throw error
  }
  if (writer.refused.length > 0)
    fail(
      operation,
      `${writer.refused.length} layers have no counterpart: ${writer.refused.join(', ')}`,
      dialect === 'tfjs' ? 'Replace them, or save the model as ONNX' : 'Replace them',
    )
  return { name: model.name, inputs, layers: [...writer.layers.values()], output: values.at(-1)! }
}
