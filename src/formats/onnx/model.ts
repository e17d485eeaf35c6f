import { fail } from '../../base/errors.ts'
import { type Shape, showShape, sizeOf } from '../../base/shape.ts'
import { type CompileOptions, compile, type Program } from '../../compile.ts'
import type { Tensor } from '../../graph/tensor.ts'
import { readFile } from '../../runtime/files.ts'
import { buildGraph, checkOperations, runHost, type Stage } from './build.ts'
import { type ElementType, type Fixed, fixed, isFloat } from './elements.ts'
import { externalBeside, externalFrom } from './external.ts'
import { type OnnxGraph, type OnnxNode, type Port, readGraph } from './graph.ts'
import { isFixed, live, plain, type Value } from './value.ts'

/** Values in ONNX's own order of axes: pictures are [N, C, H, W]. */
export interface OnnxTensor {
  readonly shape: Shape
  readonly data: ArrayLike<number>
  /** Default: what the model says. */
  readonly type?: ElementType
}

/** A list alone has the shape that the model says; one named axis, mostly the batch, follows from its length. */
export type OnnxInput = OnnxTensor | ArrayLike<number>

/** What `loadOnnx` needs beside the model's bytes. */
export interface LoadOnnxOptions {
  /** Files that hold weights beside the model, by the location that the model names. A path's are found by itself. */
  readonly externalData?: Readonly<Record<string, Uint8Array>> | ReadonlyMap<string, Uint8Array>
  /** Ends it before the model is made: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal
}

/** How one run of an ONNX model is computed, and what ends it. */
export interface RunOnnxOptions extends CompileOptions {
  /** Ends it after the program that is running: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal
}

/** What a program of a model does. */
export type OnnxPlan = Pick<Program<readonly Shape[], Tensor[]>, 'steps' | 'arenaBytes' | 'ownBytes' | 'profile'>

interface Built {
  readonly program: Program<readonly Shape[], Tensor[]> | undefined
  /** Inputs that the program takes. */
  readonly taken: readonly string[]
  /** Values that the model gives, or that what follows needs. */
  readonly results: ReadonlyMap<string, Value>
  /** What follows the program, where results of it decide shapes or go through operations of no program. */
  readonly next: { readonly host: readonly OnnxNode[]; readonly model: OnnxModel } | undefined
}

/** Programs for as many shapes of inputs are kept. */
const keptPrograms = 8
/** Whole numbers up to so many are known when a program is made: shapes, indices, sizes. */
const mostKnown = 256

const isTensor = (value: OnnxInput): value is OnnxTensor => 'data' in value && 'shape' in value

/** An ONNX model, ready to run: programs are made for the shapes that come, weights are kept. */
export class OnnxModel {
  readonly name: string
  /** Version of ONNX's own operations. */
  readonly opset: number
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  /** The file's graph, plain data: a changed copy makes another model. */
  readonly graph: OnnxGraph
  readonly #programs = new Map<string, Built>()
  /** Inputs whose values decide shapes. */
  readonly #known: ReadonlySet<string>

  constructor(graph: OnnxGraph, known: readonly string[] = []) {
    checkOperations(graph)
    this.graph = graph
    this.#known = new Set(known)
    this.name = graph.name
    this.opset = graph.opset
    this.inputs = graph.inputs
    this.outputs = graph.outputs
  }

  /**
   * Computes all outputs.
   * @param inputs by name; a model with one input takes its value alone, too
   */
  async run(
    inputs: Readonly<Record<string, OnnxInput>> | OnnxInput,
    options: RunOnnxOptions = {},
  ): Promise<Record<string, OnnxTensor>> {
    const { signal } = options
    signal?.throwIfAborted()
    const values = this.#valuesOf(inputs)
    const built = this.#built(values, options)
    const results = built.program
      ? await built.program(...built.taken.map((name) => values.get(name)!.data))
      : ([] as Float32Array[])
    signal?.throwIfAborted()
    let at = 0
    const made = new Map<string, OnnxTensor & Fixed>()
    for (const [name, value] of built.results) {
      const data = isFixed(value) ? value.data : (values.get(name)?.data ?? results[at++])
      made.set(name, { type: value.type, shape: value.shape, data })
    }
    if (built.next) {
      const { host, model } = built.next
      for (const node of host) for (const [name, value] of runHost(node, this.opset, made)) made.set(name, value)
      const given = model.inputs.map(({ name }) => [name, made.get(name)!] as const)
      for (const [name, value] of Object.entries(await model.run(Object.fromEntries(given), options)))
        made.set(name, value as Fixed)
    }
    return Object.fromEntries(this.outputs.map(({ name }) => [name, made.get(name)!]))
  }

  /** The program that `run` uses (first) for such inputs: its steps with their plans, memory and times. */
  plan(inputs: Readonly<Record<string, OnnxInput>> | OnnxInput, options: CompileOptions = {}): OnnxPlan {
    const { program } = this.#built(this.#valuesOf(inputs), options)
    return program ?? { steps: [], arenaBytes: 0, ownBytes: 0, profile: async () => [] }
  }

  /**
   * The model as an expression, for inputs of fixed shapes: its outputs by name, axes in ONNX's own order. An error if
   * sizes depend on values, or operations that aren't part of programs.
   */
  apply(inputs: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
    const given = this.inputs.map(({ name, type }) => {
      const x = inputs.get(name) ?? fail('onnx', `input '${name}' is missing`, 'Give it')
      return [name, live(type, x)] as const
    })
    const { values, host, waiting, known } = buildGraph(this.graph, new Map(given))
    const late = host[0] ?? waiting[0]
    if (late)
      fail(
        'onnx',
        `${late.title} ${host[0] ? 'is computed beside programs' : `needs the values of ${known.join(', ')}`}`,
        'This takes the library: loadOnnx(...).run(...)',
      )
    return new Map(this.outputs.map(({ name }) => [name, plain(values.get(name)!)]))
  }

  /** Number of values that the file holds. */
  countParameters(): number {
    return [...this.graph.initializers.values()].reduce((sum, { data }) => sum + data.length, 0)
  }

  /** What `run` takes for each input, by name. */
  valuesOf(inputs: Readonly<Record<string, OnnxInput>> | OnnxInput): Record<string, OnnxTensor> {
    return Object.fromEntries(this.#valuesOf(inputs))
  }

  #valuesOf(inputs: Readonly<Record<string, OnnxInput>> | OnnxInput): Map<string, Fixed> {
    const single = this.inputs.length === 1 && (ArrayBuffer.isView(inputs) || Array.isArray(inputs))
    const alone = single || (this.inputs.length === 1 && isTensor(inputs as OnnxInput))
    const given = (alone ? { [this.inputs[0].name]: inputs } : inputs) as Readonly<Record<string, OnnxInput>>
    for (const name of Object.keys(given))
      if (!this.inputs.some((port) => port.name === name))
        fail('onnx', `'${name}' isn't an input`, `Inputs are ${this.inputs.map((port) => port.name).join(', ')}`)
    return new Map(
      this.inputs.map((port) => {
        const value = Object.hasOwn(given, port.name) ? given[port.name] : undefined
        return [port.name, value ? inputOf(port, value) : fail('onnx', `input '${port.name}' is missing`, 'Give it')]
      }),
    )
  }

  #isKnown(name: string, { type, data }: Fixed): boolean {
    const whole = !isFloat(type) && type !== 'bool' && data.length <= mostKnown
    return data.length === 0 || whole || this.#known.has(name)
  }

  #built(values: ReadonlyMap<string, Fixed>, { target, precision }: CompileOptions): Built {
    const parts = [...values].map(([name, value]) => [
      value.type,
      value.shape,
      this.#isKnown(name, value) && [...value.data],
    ])
    const key = JSON.stringify([target, precision, parts])
    const built = this.#programs.get(key) ?? this.#build(values, { target, precision })
    this.#programs.delete(key)
    this.#programs.set(key, built)
    if (this.#programs.size > keptPrograms) this.#programs.delete(this.#programs.keys().next().value!)
    return built
  }

  #build(values: ReadonlyMap<string, Fixed>, options: CompileOptions): Built {
    const taken = [...values].filter(([name, value]) => !this.#isKnown(name, value))
    let stage: Stage | undefined
    let results = new Map<string, Value>()
    const compute = (...tensors: Tensor[]): Tensor[] => {
      const given = new Map<string, Value>(values)
      taken.forEach(([name, { type }], i) => {
        given.set(name, live(type, tensors[i]))
      })
      stage = buildGraph(this.graph, given)
      results = resultsOf(this.graph, stage)
      return [...results].flatMap(([name, value]) => (isFixed(value) || values.has(name) ? [] : [plain(value)]))
    }
    const shapes = taken.map(([, { shape }]) => shape)
    const traced = compute as (...x: readonly unknown[]) => Tensor[]
    const program = compile<readonly Shape[], Tensor[]>(traced, shapes, options)
    const computed = [...results].some(([name, value]) => !isFixed(value) && !values.has(name))
    return {
      program: computed ? program : undefined,
      taken: taken.map(([name]) => name),
      results,
      next: stage && nextOf(this.graph, stage, results),
    }
  }
}

const isLate = ({ host, waiting }: Stage) => host.length + waiting.length > 0

/** What a stage has to give: outputs of the graph, and what later nodes take. */
function resultsOf(graph: OnnxGraph, stage: Stage): Map<string, Value> {
  const late = [...stage.host, ...stage.waiting].flatMap((node) => node.inputs)
  const names = new Set([...graph.outputs.map(({ name }) => name), ...late])
  return new Map([...names].flatMap((name) => (stage.values.has(name) ? [[name, stage.values.get(name)!]] : [])))
}

/** The nodes that wait for a stage, as a model of their own. */
function nextOf(graph: OnnxGraph, stage: Stage, results: ReadonlyMap<string, Value>): Built['next'] {
  if (!isLate(stage)) return undefined
  const { host, waiting, known } = stage
  const taken = new Set(waiting.flatMap((node) => node.inputs))
  const made = host.flatMap((node) => node.outputs.filter(Boolean))
  const moving = [...results].filter(([name, value]) => taken.has(name) && !isFixed(value))
  const inputs = [
    ...moving.map(([name, { type }]): Port => ({ name, type, shape: undefined })),
    ...made.filter((name) => taken.has(name)).map((name): Port => ({ name, type: 'float32', shape: undefined })),
  ]
  const fixedOnes = [...results].filter((entry): entry is [string, Fixed] => isFixed(entry[1]))
  const ready = new Set([...results.keys(), ...made])
  const rest = {
    ...graph,
    nodes: waiting,
    inputs,
    outputs: graph.outputs.filter(({ name }) => !ready.has(name)),
    initializers: new Map([...graph.initializers, ...fixedOnes]),
  }
  return { host, model: new OnnxModel(rest, known) }
}

/** The value of one input, checked against what the model says of it. */
function inputOf(port: Port, value: OnnxInput): Fixed {
  const data = isTensor(value) ? value.data : value
  const shape = isTensor(value) ? value.shape : shapeOf(port, data.length)
  const { name } = port
  if (sizeOf(shape) !== data.length)
    fail('onnx', `input '${name}' has ${data.length} values for shape ${showShape(shape)}`, 'Give as many as it holds')
  const fits =
    port.shape?.length === shape.length && port.shape.every((n, i) => typeof n === 'string' || n === shape[i])
  if (port.shape && !fits)
    fail(
      'onnx',
      `input '${name}' has shape ${showShape(shape)}, the model takes [${port.shape.join(', ')}]`,
      'Reshape it',
    )
  const type = (isTensor(value) ? value.type : undefined) ?? port.type
  const float = type === 'float32' && data instanceof Float32Array
  return float ? { type, shape, data } : fixed(type, shape, data)
}

function shapeOf({ name, shape }: Port, count: number): number[] {
  const named = shape?.filter((n) => typeof n === 'string') ?? []
  const rest = sizeOf(shape?.filter((n) => typeof n === 'number') ?? [])
  if (!shape || named.length > 1 || !Number.isInteger(count / rest))
    return fail(
      'onnx',
      `the shape of input '${name}' doesn't follow from ${count} values and [${shape?.join(', ') ?? '?'}]`,
      'Give { shape, data }',
    )
  return shape.map((n) => (typeof n === 'number' ? n : count / rest))
}

/**
 * Reads an ONNX model.
 * @param source the file's bytes, or its path (Node only), beside which external data is found
 */
export async function loadOnnx(source: Uint8Array | string, options: LoadOnnxOptions = {}): Promise<OnnxModel> {
  const { externalData, signal } = options
  signal?.throwIfAborted()
  const bytes = typeof source === 'string' ? await readFile(source) : source
  signal?.throwIfAborted()
  const files = externalData && new Map(externalData instanceof Map ? externalData : Object.entries(externalData))
  const external = files ? externalFrom(files) : typeof source === 'string' ? externalBeside(source) : undefined
  return new OnnxModel(readGraph(bytes, external))
}
