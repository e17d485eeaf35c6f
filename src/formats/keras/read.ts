// A model that Keras or tfjs described as JSON becomes a model of ours.
import { FoveaError, fail } from '../../base/errors.ts'
import { type Shape, showShape, sizeOf } from '../../base/shape.ts'
import { input } from '../../nn/build.ts'
import type { Layer, Model, Node } from '../../nn/index.ts'
import type { Weights } from '../../nn/layer.ts'
import { mostElements } from '../limits.ts'
import { Entries } from '../record.ts'
import { callsOf, type Reference, referencesOf } from './calls.ts'
import { assemble } from './model.ts'
import type { Piece } from './pieces.ts'
import { linearLayers } from './read-linear.ts'
import { plainLayers } from './read-plain.ts'

/** How a model of Keras is read. */
export interface ReadOptions {
  /** Sizes of one sample, without N, where the file leaves them open: [64, 64, 3]. */
  readonly inputShape?: Shape
  /** Ends the model at this layer, by its name in the file: for its features, or for another head. */
  readonly output?: string
}

/** A layer whose weights are looked for. */
export interface Holder {
  /** Names of the models that it lies in, and its own. */
  readonly path: readonly string[]
  /** Classes with a number, as Keras 3's archives name folders: ['functional', 'conv2d_1']. */
  readonly folders: readonly string[]
  /** Names of its weights in the order of Keras. */
  readonly names: readonly string[]
}

/** Finds a weight of a layer; undefined if the file has none such. */
export type WeightSource = (holder: Holder, name: string) => Weights | undefined

export interface KerasModel {
  readonly operation: string
  readonly version: 2 | 3
  /** { class_name, config } */
  readonly topology: unknown
  readonly weights: WeightSource
}

/** A value while the model is built: a node, or a model's input, with the shape of one sample. */
interface Value {
  readonly node: Node
  readonly shape: Shape
}

const readers = { ...linearLayers, ...plainLayers }

/** Names of Keras's layers that can be read. */
export const kerasLayers: readonly string[] = [...Object.keys(readers), 'Functional', 'Sequential'].sort()

const modelClasses = ['Functional', 'Model', 'Sequential']
/** Models inside models, so deep. */
const deepest = 16

/** Keras's to_snake_case of class names that are Latin letters and figures. */
export const snake = (name: string): string =>
  name
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()

class Reader {
  readonly saved = new Map<Layer, Readonly<Record<string, Weights>>>()
  readonly inputs: Node[] = []
  /** Results of layers by name, those of inner models too. */
  readonly results = new Map<string, Value>()
  readonly #model: KerasModel
  readonly #options: ReadOptions
  readonly #pieces = new Map<unknown, readonly Piece[]>()

  constructor(model: KerasModel, options: ReadOptions) {
    this.#model = model
    this.#options = options
  }

  fail(problem: string, remedy: string): never {
    return fail(this.#model.operation, problem, remedy)
  }

  entries(where: string, value: unknown): Entries {
    return new Entries(this.#model.operation, where, value)
  }

  /** Sizes without N of an entry such as [null, 28, 28, 1]; open ones as the caller says. */
  #inputShape(name: string, config: Entries): Shape {
    const { inputShape } = this.#options
    const entry = ['batch_input_shape', 'batch_shape', 'build_input_shape'].find((key) => config.has(key))
    if (entry === undefined && inputShape) return inputShape
    const sizes = config.list(entry ?? 'batch_shape').slice(1)
    const shape = sizes.map((n, i) => {
      if (n !== null) return n as number
      if (inputShape?.length === sizes.length) return inputShape[i]
      const known = sizes.map((size) => size ?? '?').join(', ')
      return this.fail(`the file leaves sizes of input '${name}' open: [${known}]`, 'Give them as option inputShape')
    })
    if (!shape.every((n) => Number.isSafeInteger(n) && n >= 1) || sizeOf(shape) > mostElements)
      config.fail(`an input of shape [${shape}]`, `Give whole sizes, ${mostElements} elements at most`)
    return shape
  }

  input(name: string, config: Entries): Value {
    const shape = this.#inputShape(name, config)
    const value = { node: input(shape), shape }
    this.inputs.push(value.node)
    return value
  }

  /** Our layers for one of Keras's: made at its first use, used again at the next. */
  #piecesOf(description: unknown, entries: Entries, holder: Holder, shapes: readonly Shape[]): readonly Piece[] {
    const known = this.#pieces.get(description)
    if (known) return known
    const className = entries.text('class_name')
    const read = readers[className]
    const pieces = read({ config: entries.inner('config'), shapes, version: this.#model.version })
    for (const piece of pieces) if (piece.weights) this.saved.set(piece.layer, this.#weightsOf(piece, holder))
    this.#pieces.set(description, pieces)
    return pieces
  }

  #weightsOf(piece: Piece, { path, folders }: Holder): Readonly<Record<string, Weights>> {
    const names = piece.names ?? []
    return piece.weights!((name) => {
      const found = this.#model.weights({ path, folders, names }, name)
      return found ?? this.fail(`weight '${name}' of layer '${path.join('/')}' is missing`, 'Get the files again')
    })
  }

  /** Results of a layer of Keras on given values. */
  apply(description: unknown, values: readonly Value[], holder: Holder, depth: number): Value {
    const name = holder.path.at(-1)!
    const entries = this.entries(`layer '${name}'`, description)
    const className = entries.text('class_name')
    if (modelClasses.includes(className)) {
      const result = this.model(description, values, holder, depth + 1)
      this.results.set(name, result)
      return result
    }
    if (values.length === 0) entries.fail('it has no inputs')
    let result = values[0]
    try {
      const pieces = this.#piecesOf(
        description,
        entries,
        holder,
        values.map(({ shape }) => shape),
      )
      pieces.forEach(({ layer }, i) => {
        const given = i === 0 ? values : [result]
        const shape = this.#shapeOf(layer, given)
        result = { node: layer(...given.map(({ node }) => node)), shape }
      })
    } catch (error) {
      if (!(error instanceof FoveaError) || error.message.startsWith(`${this.#model.operation}: `)) throw error
      const shapes = values.map(({ shape }) => showShape(shape)).join(' and ')
      throw new FoveaError(`${this.#model.operation}: layer '${name}' (${className}) of ${shapes}: ${error.message}`, {
        cause: error,
      })
    }
    this.results.set(name, result)
    return result
  }

  #shapeOf(layer: Layer, values: readonly Value[]): Shape {
    const saved = new Map(Object.entries(this.saved.get(layer) ?? {}).map(([name, w]) => [`layer.${name}`, w] as const))
    const random = { next: () => 0, integer: () => 0, normal: () => 0 }
    const inner = () => fail('layer', 'an inner layer', 'Report this')
    const shapes = values.map(({ shape }) => shape)
    const { shape } = layer.build(shapes, { name: 'layer', saved, random, inner })
    if (sizeOf(shape) > mostElements)
      fail(layer.kind, `a result of shape ${showShape(shape)}`, `Give at most ${mostElements} elements`)
    return shape
  }

  /** A model's result: of its own inputs, or where it lies in another one, of given values. */
  model(description: unknown, values: readonly Value[] | undefined, holder: Holder, depth = 0): Value {
    const name = holder.path.at(-1) ?? 'model'
    const entries = this.entries(`model '${name}'`, description)
    if (depth > deepest) return entries.fail(`more than ${deepest} models inside each other`)
    const config = entries.value('config')
    const isList = Array.isArray(config)
    const layers = isList ? config : entries.inner('config').list('layers')
    const plan = this.#plans.get(description) ?? layers.map((layer, i) => this.#planned(layer, i, holder))
    this.#plans.set(description, plan)
    return entries.text('class_name') === 'Sequential'
      ? this.#sequential(entries, plan, values, depth)
      : this.#functional(entries.inner('config'), plan, values, depth)
  }

  readonly #counts = new Map<string, number>()
  readonly #plans = new Map<unknown, readonly Planned[]>()

  #planned(description: unknown, i: number, holder: Holder): Planned {
    const entries = this.entries(`layer ${i} of '${holder.path.join('/')}'`, description)
    const className = entries.text('class_name')
    const config = entries.inner('config')
    const name = entries.text('name', config.text('name', `${snake(className)}_${i}`))
    const base = [...holder.folders, snake(className)]
    const key = base.join('/')
    const count = this.#counts.get(key) ?? 0
    this.#counts.set(key, count + 1)
    const folders = count === 0 ? base : [...holder.folders, `${base.at(-1)}_${count}`]
    return {
      description,
      entries,
      className,
      config,
      name,
      holder: { path: [...holder.path, name], folders, names: [] },
    }
  }

  #sequential(entries: Entries, plan: readonly Planned[], values: readonly Value[] | undefined, depth: number): Value {
    let value = values?.[0]
    if (values && values.length !== 1) entries.fail(`${values.length} inputs`)
    const isList = Array.isArray(entries.value('config'))
    for (const { description, className, config, name, holder } of plan) {
      if (className === 'InputLayer') value ??= this.input(name, config)
      else if (!value && modelClasses.includes(className)) value = this.model(description, undefined, holder, depth + 1)
      else {
        // a Sequential that was built late has the shape itself
        const own = ['batch_input_shape', 'batch_shape'].some((key) => config.has(key))
        value ??= this.input(name, own || isList ? config : entries.inner('config'))
        value = this.apply(description, [value], holder, depth)
      }
      this.results.set(name, value)
    }
    return value ?? entries.fail('it has no layers')
  }

  #functional(config: Entries, plan: readonly Planned[], values: readonly Value[] | undefined, depth: number): Value {
    const uses = new Map<string, Value[]>()
    const inputs = referencesOf(config, 'input_layers').map(({ layer }) => layer)
    if (values && values.length !== inputs.length) config.fail(`${values.length} inputs instead of ${inputs.length}`)
    const byName = new Map(plan.map((item) => [item.name, item]))
    inputs.forEach((name, i) => {
      const item = byName.get(name) ?? config.fail(`input layer '${name}' is missing`)
      const value = values?.[i] ?? this.input(name, item.config)
      uses.set(name, [value])
      this.results.set(name, value)
    })
    this.#run(config, plan, uses, depth)
    const outputs = referencesOf(config, 'output_layers')
    const results = outputs.map(
      ({ layer, node }) => uses.get(layer)?.[node] ?? config.fail(`output '${layer}' is missing`),
    )
    if (results.length === 1) return results[0]
    const { output } = this.#options
    const chosen = values || output === undefined ? undefined : this.results.get(output)
    const names = outputs.map(({ layer }) => layer).join(', ')
    return chosen ?? this.fail(`the model has ${results.length} outputs: ${names}`, 'Choose one by option output')
  }

  /** Goes through the layers, mostly once: a layer that is used again may have to wait for another one. */
  #run(config: Entries, plan: readonly Planned[], uses: Map<string, Value[]>, depth: number): void {
    let waiting = plan.filter(({ name }) => !uses.has(name)).map((item) => ({ ...item, calls: callsOf(item.entries) }))
    const find = ({ layer, node }: Reference) => uses.get(layer)?.[node]
    while (waiting.length > 0) {
      let moved = false
      const later: typeof waiting = []
      for (const item of waiting) {
        const done = uses.get(item.name) ?? []
        uses.set(item.name, done)
        for (const call of item.calls.slice(done.length)) {
          const values = call.map(find)
          if (!values.every((value) => value !== undefined)) break
          done.push(this.apply(item.description, values, item.holder, depth))
          moved = true
        }
        if (done.length < item.calls.length) later.push(item)
      }
      if (later.length > 0 && !moved) {
        const missing = later[0].calls[uses.get(later[0].name)!.length].find((call) => !find(call))
        config.fail(`layer '${later[0].name}' needs '${missing?.layer}', which isn't there or needs it`)
      }
      waiting = later
    }
  }
}

interface Planned {
  readonly description: unknown
  readonly entries: Entries
  readonly className: string
  readonly config: Entries
  readonly name: string
  readonly holder: Holder
}

/** Every class of layer in a model, those of inner models too, that can't be read. */
function unknownLayers(operation: string, topology: unknown, depth = 0): string[] {
  const entries = new Entries(operation, 'the model', topology)
  if (depth > deepest) return entries.fail(`more than ${deepest} models inside each other`)
  const config = entries.value('config')
  const layers = Array.isArray(config) ? config : entries.inner('config').list('layers')
  return layers.flatMap((layer, i) => {
    const item = new Entries(operation, `layer ${i}`, layer)
    const className = item.text('class_name')
    if (modelClasses.includes(className)) return unknownLayers(operation, layer, depth + 1)
    if (Object.hasOwn(readers, className)) return []
    return [`${className} '${item.text('name', item.inner('config').text('name', String(i)))}'`]
  })
}

/** A model of ours with the layers, the weights and the numbers of one that Keras or tfjs described. */
export function readKeras(model: KerasModel, options: ReadOptions): Model {
  const { operation, topology } = model
  const unknown = unknownLayers(operation, topology)
  if (unknown.length > 0) {
    const some = `${unknown.slice(0, 20).join(', ')}${unknown.length > 20 ? `, ${unknown.length - 20} more` : ''}`
    fail(operation, `${unknown.length} layers aren't supported: ${some}`, 'kerasLayers lists what is supported')
  }
  const reader = new Reader(model, options)
  const result = reader.model(topology, undefined, { path: [], folders: [], names: [] })
  const { output } = options
  const end = output === undefined ? result : reader.results.get(output)
  if (!end)
    return fail(operation, `there is no layer '${output}'`, `Layers are ${[...reader.results.keys()].join(', ')}`)
  const config = new Entries(operation, 'the model', topology).value('config')
  const name = new Entries(operation, 'the model', Array.isArray(config) ? {} : config).text('name', 'model')
  return assemble(operation, name, reader.inputs, end.node, reader.saved)
}
