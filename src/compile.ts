import { fail } from './base/errors.ts'
import { type Shape, showShape, sizeOf } from './base/shape.ts'
import { installEngine } from './graph/engine.ts'
import { placeholder, Tensor, topological, Update } from './graph/tensor.ts'
import { type Precision, precisions } from './plan/types.ts'
import { blueprint } from './program/build.ts'
import { type Executable, load } from './program/engine.ts'
import type { Timing } from './program/measure.ts'
import { operationKey } from './program/rewrite.ts'
import { features, runtime } from './program/state.ts'
import type { Step } from './program/steps.ts'
import { mapTree, type Tree } from './tree.ts'

/** 'interpreter' runs the same kernels without machine code, 'reference' the float64 definitions. */
export type Target = 'wasm' | 'interpreter' | 'reference'

export type { Precision }

/** How a program is computed: the last argument of `compile`. */
export interface CompileOptions {
  /** Default 'wasm'. The others are slow and serve to check it. */
  readonly target?: Target
  /** How much rounding error convolutions may have for speed: see docs/precision.md. Default 'fast'. */
  readonly precision?: Precision
}

export type Traced<S> = S extends Shape ? Tensor : { [K in keyof S]: Traced<S[K]> }
export type Values<S> = S extends Shape ? ArrayLike<number> | number : { [K in keyof S]: Values<S[K]> }
export type TracedOf<S extends readonly unknown[]> = { [K in keyof S]: Traced<S[K]> }
export type ValuesOf<S extends readonly unknown[]> = { [K in keyof S]: Values<S[K]> }
export type Results<R> = R extends Tensor
  ? Float32Array
  : R extends Update
    ? undefined
    : { [K in keyof R]: Results<R[K]> }

/** A compiled function. Calls queue in the order in which they are made; each returns a promise of copies. */
export interface Program<S extends readonly unknown[], R> {
  (...values: ValuesOf<S>): Promise<Results<R>>
  /** What will run, as data: steps with their plans and kernels. Empty for the reference target. */
  readonly steps: readonly Step[]
  /** Bytes of memory that the program uses while it runs, without its variables. */
  readonly arenaBytes: number
  /** Bytes of packed weights and tables that it keeps. */
  readonly ownBytes: number
  /** Time of each step by itself, on what the last call left in memory. */
  profile(): Promise<readonly Timing[]>
}

const isShape = (value: unknown) => Array.isArray(value) && value.every((n) => typeof n === 'number')
const isNode = (value: unknown) => value instanceof Tensor || value instanceof Update

type Run = (inputs: readonly ArrayLike<number>[]) => Promise<Float32Array[]>

interface Graph {
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
  readonly updates: readonly Update[]
}

function referenceRun({ inputs, outputs, updates }: Graph): Run {
  return async (values) => {
    // fetched when it's needed, so that a page that only trains needn't load it
    const { referenceValues } = await import('./graph/reference.ts')
    const feeds = new Map(inputs.map((input, i) => [input, values[i]!]))
    const results = referenceValues([...outputs, ...updates.map((u) => u.value)], feeds)
    updates.forEach(({ variable }, i) => {
      variable.write(results[outputs.length + i]!)
    })
    return results.slice(0, outputs.length).map((result) => Float32Array.from(result))
  }
}

/** Tensors with given values: to a program they are inputs like any other. */
const constantsOf = (outputs: readonly Tensor[], updates: readonly Update[]) =>
  topological([...outputs, ...updates.map((u) => u.value)]).filter((node) => node.operation.kind === 'constant')

const dataOf = (node: Tensor): Float32Array => (node.operation.kind === 'constant' ? node.operation.data : noData)
const noData = new Float32Array()

function checkPlaceholders({ inputs, outputs, updates }: Graph): void {
  for (const node of topological([...outputs, ...updates.map((u) => u.value)]))
    if (node.operation.kind === 'placeholder' && !inputs.includes(node))
      fail(
        'compile',
        `a placeholder of shape ${showShape(node.shape)} isn't an input of this program`,
        'Use the tensors that the function is given',
      )
}

let queue: Promise<unknown> = Promise.resolve()

/** Runs `task` after all that were queued before, whether those succeeded or not. */
function enqueue<T>(task: () => Promise<T>): Promise<T> {
  const turn = queue.then(task)
  queue = turn.catch(() => undefined)
  return turn
}

/**
 * Makes a program of a function of tensors. The function is called once, with placeholders of the given shapes.
 * @param fn takes trees of tensors, returns a tree of tensors and updates of variables
 * @param shapes one tree of shapes per argument
 * @returns a function of the same trees with arrays of numbers, row-major; updates come back as undefined
 */
export function compile<const S extends readonly unknown[], R>(
  fn: (...inputs: TracedOf<S>) => R,
  shapes: S,
  { target = 'wasm', precision }: CompileOptions = {},
): Program<S, R> {
  if (precision !== undefined && !precisions.includes(precision))
    fail('compile', `precision '${precision}' is unknown`, `Use one of ${precisions.join(', ')}`)
  const inputs: Tensor[] = []
  // argument by argument: a list of numbers is a shape, but no list of arguments is
  const traced = shapes.map((tree) =>
    mapTree<Shape, Tensor>(tree as Tree<Shape>, isShape, (shape) => {
      const input = placeholder(shape)
      inputs.push(input)
      return input
    }),
  ) as unknown as TracedOf<S>
  const outputs: Tensor[] = []
  const updates: Update[] = []
  const layout = mapTree<Tensor | Update, number>(fn(...traced) as Tree<Tensor | Update>, isNode, (leaf, path) => {
    if (leaf instanceof Tensor) return outputs.push(leaf) - 1
    if (leaf instanceof Update) updates.push(leaf)
    else fail('compile', `the function returned ${String(leaf)} at '${path}'`, 'Return tensors and updates only')
    return -1
  })
  const graph = { inputs, outputs, updates }
  checkPlaceholders(graph)
  const { run, ...about } = target === 'reference' ? unplanned(graph) : planned(graph, target, precision)
  const program = (...values: ValuesOf<S>) => {
    const flat = flatten(traced as Tree<Tensor>, values)
    return enqueue(() => run(flat)).then(
      (results) =>
        mapTree<number, unknown>(
          layout,
          (v) => typeof v === 'number',
          (i) => results[i],
        ) as Results<R>,
    )
  }
  return Object.assign(program, { ...about, profile: () => enqueue(about.profile) })
}

interface Prepared {
  readonly run: Run
  readonly steps: readonly Step[]
  readonly arenaBytes: number
  readonly ownBytes: number
  profile(): Promise<readonly Timing[]>
}

const unplanned = (graph: Graph): Prepared => ({
  run: referenceRun(graph),
  steps: [],
  arenaBytes: 0,
  ownBytes: 0,
  profile: async () => [],
})

function planned({ inputs, outputs, updates }: Graph, target: 'wasm' | 'interpreter', precision?: Precision): Prepared {
  const constants = constantsOf(outputs, updates)
  const plan = blueprint([...inputs, ...constants], outputs, updates, { ...features(), precision })
  const data = constants.map(dataOf)
  let executable: Promise<Executable> | undefined
  const loaded = () => {
    executable ??= load(plan, target)
    return executable
  }
  return {
    steps: plan.steps,
    arenaBytes: plan.arenaBytes,
    ownBytes: plan.ownBytes,
    run: async (values) => (await loaded()).run([...values, ...data]),
    // fetched when it's asked for, as in a page it rarely is
    profile: async () => (await import('./program/measure.ts')).measureSteps(await loaded()),
  }
}

/** The values of a call in the order of the inputs, copied, so that the caller may reuse its arrays. */
function flatten(inputs: Tree<Tensor>, value: unknown, path = ''): Float32Array[] {
  if (inputs instanceof Tensor) return [floatsOf(value, inputs.shape, path)]
  const list = Array.isArray(inputs)
  const names = Object.keys(inputs)
  const given = typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) ? value : {}
  const at = (name: string) => (list ? `${path}[${name}]` : `${path}.${name}`)
  const extra = Object.keys(given).find((name) => !names.includes(name))
  if (extra !== undefined)
    fail('program', `${at(extra)} isn't an input; ${names.length} are expected (${names.map(at)})`, 'Leave it out')
  const entries = inputs as { readonly [name: string]: Tree<Tensor> }
  return names.flatMap((name) => flatten(entries[name]!, (given as Record<string, unknown>)[name], at(name)))
}

function floatsOf(value: unknown, shape: Shape, path: string): Float32Array {
  const list = typeof value === 'number' ? [value] : (value as ArrayLike<number> | undefined)
  if (list?.length !== sizeOf(shape))
    fail(
      'program',
      `input ${path} has ${list?.length ?? 'no'} values, its shape ${showShape(shape)} ${sizeOf(shape)}`,
      'Give as many values as the shape holds',
    )
  return new Float32Array(list)
}

/** Programs of one-off calculations by structure, the most recently used last. */
const eager = new Map<string, Promise<Executable>>()
const mostEager = 64

function structureOf(tensors: readonly Tensor[]): string {
  const numbers = new Map<Tensor, number>()
  const lines = topological(tensors).map((node, i) => {
    numbers.set(node, i)
    const key = node.operation.kind === 'constant' ? `constant ${node.shape}` : operationKey(node)
    return `${key} (${node.inputs.map((input) => numbers.get(input))})`
  })
  return `${lines.join('\n')}\n${tensors.map((tensor) => numbers.get(tensor))}`
}

async function evaluate(tensors: readonly Tensor[]): Promise<Float32Array[]> {
  const inputs = constantsOf(tensors, [])
  const key = structureOf(tensors)
  const graph = { inputs, outputs: tensors, updates: [] }
  checkPlaceholders(graph)
  const executable = eager.get(key) ?? load(blueprint(inputs, tensors, [], features()), 'wasm')
  eager.delete(key)
  eager.set(key, executable)
  if (eager.size > mostEager) eager.delete(eager.keys().next().value!)
  return enqueue(async () => (await executable).run(inputs.map(dataOf)))
}

installEngine({
  evaluate,
  get arithmetic() {
    return features().fused ? 'fused' : 'unfused'
  },
  read: (variable) => variable.initial?.slice() ?? viewOf(variable).slice(),
  write(variable, values) {
    const target = variable.initial ?? viewOf(variable)
    target.set(values)
    runtime().writes++
  },
})

const viewOf = (variable: Parameters<ReturnType<typeof runtime>['addressOf']>[0]) =>
  runtime().memory.floats(runtime().addressOf(variable), sizeOf(variable.shape))
