import { sizeOf } from '../base/shape.ts'
import type { Tensor, Variable } from '../graph/tensor.ts'
import { type Kernel, pointsOf } from '../kernel/ir.ts'
import { workPerPoint } from '../kernel/work.ts'
import { type Lifetime, placeBuffers } from '../plan/place.ts'
import { type Argument, type Constant, type Scratch, type Step, storage } from './steps.ts'

/** Where a kernel's buffer lies when the program runs. */
export type Location =
  /** Bytes from the start of the arena, and from one thread's copy to the next's where each has its own. */
  | { readonly arena: number; readonly copy?: number }
  /** Bytes from the start of the program's own memory, which lasts between calls. */
  | { readonly own: number }
  | { readonly variable: Variable }

export interface Call {
  /** Number of the kernel in `kernels`. */
  readonly kernel: number
  /** The first point, and how many. */
  readonly first: number
  readonly points: number
  /** Instructions of all points, roughly. */
  readonly work: number
  readonly locations: readonly Location[]
  /** Number of the step in `steps`. */
  readonly step: number
  /** See `KernelCall`. */
  readonly chunk: number | undefined
  /** How many threads there is scratch for. */
  readonly threads: number
}

/** Everything about a program but its machine code and its memory: plain data. */
export interface Blueprint {
  readonly steps: readonly Step[]
  readonly kernels: readonly Kernel[]
  /** Calls whose results depend on variables alone, and on none that this program changes: packed weights, say. */
  readonly steady: readonly Call[]
  /** The other calls: what each run does. */
  readonly calls: readonly Call[]
  readonly arenaBytes: number
  /** Tables, and where they go in the program's own memory. */
  readonly constants: readonly { readonly data: Constant; readonly at: number }[]
  /** Constants and the results of steady calls. */
  readonly ownBytes: number
  /** Where values that are given with each call go, in the order of the inputs and of `given`. */
  readonly inputs: readonly (Location | undefined)[]
  readonly outputs: readonly { readonly location: Location; readonly length: number }[]
  /** What is copied to variables after the last step (new values that couldn't be computed in place). */
  readonly copies: readonly { readonly from: Location; readonly to: Variable }[]
  readonly changesVariables: boolean
}

export interface NewValue {
  readonly variable: Variable
  readonly value: Tensor
}

export interface Program {
  readonly inputs: readonly Tensor[]
  readonly results: readonly Tensor[]
  readonly news: readonly NewValue[]
  readonly steps: readonly Step[]
  /** New values that are computed where the old ones lie. */
  readonly replaced: ReadonlyMap<Tensor, Variable>
}

/** What needs memory: a tensor, or a step's scratch. */
type Key = Tensor | Scratch

export const variableOf = (argument: Argument): Variable | undefined => {
  if (!('tensor' in argument)) return undefined
  const { operation } = storage(argument.tensor)
  return operation.kind === 'variable' ? operation.variable : undefined
}

type StepCall = Step['calls'][number]

const tensorsOf = (call: StepCall) =>
  call.arguments.flatMap((argument) => ('tensor' in argument ? [argument.tensor] : []))

const scratchOf = (call: StepCall) =>
  call.arguments.flatMap((argument) => ('scratch' in argument ? [argument.scratch] : []))

/** The step's scratch that a call reads. */
const scratchRead = (call: StepCall) =>
  call.arguments.flatMap((argument, i) =>
    'scratch' in argument && call.kernel.buffers[i]!.access !== 'write' ? [argument.scratch] : [],
  )

/** Whether a call writes nothing but its step's scratch. */
const onlyScratch = (call: StepCall) =>
  call.kernel.buffers.every(({ access }, i) => access === 'read' || 'scratch' in call.arguments[i]!)

/** The calls that depend on nothing but variables which this program leaves alone, and what they make. */
function findSteady({ steps, news, replaced }: Program): { calls: ReadonlySet<StepCall>; keys: ReadonlySet<Key> } {
  const changing = new Set(news.map((u) => u.variable))
  const keys = new Set<Key>()
  const calls = new Set<StepCall>()
  /** Also what other steps write into, as into parts of a concatenation. */
  const moving = new Set<Tensor>()
  const isKept = (scratch: Scratch) => keys.has(scratch)
  const isSteady = (tensor: Tensor) => {
    const node = storage(tensor)
    return node.operation.kind === 'variable' ? !changing.has(node.operation.variable) : keys.has(node)
  }
  for (const step of steps) {
    // a new value that is computed in place must wait for its turn: others read the old one before
    const whole =
      !replaced.has(step.node) &&
      !moving.has(step.node) &&
      step.calls.every((call) => tensorsOf(call).every((t) => storage(t) === step.node || isSteady(t)))
    if (whole) keys.add(step.node)
    else for (const call of step.calls) for (const tensor of tensorsOf(call)) moving.add(tensor)
    for (const call of step.calls)
      if (whole || (onlyScratch(call) && tensorsOf(call).every(isSteady) && scratchRead(call).every(isKept))) {
        calls.add(call)
        for (const scratch of scratchOf(call)) keys.add(scratch)
      }
  }
  return { calls, keys }
}

/** Scratch that each thread has a copy of, and how many there are. */
function findCopies(steps: readonly Step[], threads: number): Map<Scratch, number> {
  const copies = new Map<Scratch, number>()
  for (const { calls } of steps) {
    const chunks = new Set(calls.map(({ chunk }) => chunk)).size
    for (const call of calls)
      call.arguments.forEach((argument, i) => {
        if (call.chunk !== undefined && 'scratch' in argument && call.kernel.buffers[i]!.access !== 'read')
          copies.set(argument.scratch, Math.min(threads, chunks))
      })
  }
  return copies
}

/** Bytes of one thread's copy. */
const copyBytes = ({ floats }: Scratch) => roomFor(floats * 4)

/** First and last step that each buffer is needed at; given values from the start, results to the end. */
function lifetimes(program: Program, copies: ReadonlyMap<Scratch, number>): Map<Key, Lifetime> {
  const { steps, results, news, replaced } = program
  const lives = new Map<Key, { bytes: number; first: number; last: number }>()
  const touch = (key: Key, length: number, at: number) => {
    const life = lives.get(key)
    if (life) life.last = Math.max(life.last, at)
    else lives.set(key, { bytes: length * 4, first: at, last: at })
  }
  const touchTensor = (tensor: Tensor, at: number) => {
    const node = storage(tensor)
    const { kind } = node.operation
    if (kind === 'variable' || replaced.has(node)) return
    const given = kind === 'placeholder' || kind === 'constant'
    if (given && !lives.has(node)) touch(node, sizeOf(node.shape), -1)
    touch(node, sizeOf(node.shape), at)
  }
  steps.forEach((step, at) => {
    for (const call of step.calls) {
      for (const tensor of tensorsOf(call)) touchTensor(tensor, at)
      for (const scratch of scratchOf(call)) {
        const many = copies.get(scratch) ?? 1
        touch(scratch, many > 1 ? (many * copyBytes(scratch)) / 4 : scratch.floats, at)
      }
    }
  })
  for (const node of [...results, ...news.map((u) => u.value)]) touchTensor(node, steps.length)
  return lives
}

const roomFor = (bytes: number) => Math.ceil((bytes + 16) / 64) * 64

/** Places in the program's own memory, one after the other. */
function placeOwn(steps: readonly Step[], lives: ReadonlyMap<Key, Lifetime>, steady: ReadonlySet<Key>) {
  let bytes = 0
  const place = (size: number) => {
    const at = bytes
    bytes += roomFor(size)
    return at
  }
  const at = new Map<Key | Constant, number>()
  const constants: { data: Constant; at: number }[] = []
  for (const step of steps)
    for (const call of step.calls)
      for (const argument of call.arguments) {
        if (!('constant' in argument) || at.has(argument.constant)) continue
        at.set(argument.constant, place(argument.constant.byteLength))
        constants.push({ data: argument.constant, at: at.get(argument.constant)! })
      }
  for (const [key, life] of lives) if (steady.has(key)) at.set(key, place(life.bytes))
  return { at, constants, bytes }
}

/**
 * Decides where everything lies and numbers the kernels.
 * @param threads how many may work on one step's chunks at once
 */
export function layOut(program: Program, threads = 1): Blueprint {
  const { inputs, results, news, steps, replaced } = program
  const steady = findSteady(program)
  const copies = findCopies(steps, threads)
  const lives = lifetimes(program, copies)
  const own = placeOwn(steps, lives, steady.keys)
  const moving = [...lives].filter(([key]) => !steady.keys.has(key))
  const { offsets, bytes } = placeBuffers(moving.map(([, life]) => life))
  const arena = new Map(moving.map(([key], i) => [key, offsets[i]!]))
  const locateKey = (key: Key): Location => (own.at.has(key) ? { own: own.at.get(key)! } : { arena: arena.get(key)! })
  const locateTensor = (tensor: Tensor): Location => {
    const variable = variableOf({ tensor }) ?? replaced.get(storage(tensor))
    return variable ? { variable } : locateKey(storage(tensor))
  }
  const locate = (argument: Argument): Location => {
    if ('constant' in argument) return { own: own.at.get(argument.constant)! }
    if ('tensor' in argument) return locateTensor(argument.tensor)
    const { scratch } = argument
    const location = locateKey(scratch)
    return (copies.get(scratch) ?? 1) > 1 ? { ...location, copy: copyBytes(scratch) } : location
  }
  const { kernels, calls } = numberKernels(steps, locate, copies)
  return {
    steps,
    kernels,
    steady: calls.filter(({ call }) => steady.calls.has(call)).map(({ made }) => made),
    calls: calls.filter(({ call }) => !steady.calls.has(call)).map(({ made }) => made),
    arenaBytes: bytes,
    constants: own.constants,
    ownBytes: own.bytes,
    inputs: inputs.map((input) => (lives.has(input) ? locateTensor(input) : undefined)),
    outputs: results.map((node) => ({ location: locateTensor(node), length: sizeOf(node.shape) })),
    copies: news
      .filter((u) => replaced.get(u.value) !== u.variable)
      .map((u) => ({ from: locateTensor(u.value), to: u.variable })),
    changesVariables: news.length > 0,
  }
}

/** Equal kernels are compiled once. */
function numberKernels(
  steps: readonly Step[],
  locate: (argument: Argument) => Location,
  copies: ReadonlyMap<Scratch, number>,
) {
  const known = new Map<Kernel, string>()
  const numbers = new Map<string, number>()
  const kernels: Kernel[] = []
  const calls: { call: StepCall; made: Call }[] = []
  steps.forEach((step, number) => {
    for (const call of step.calls) {
      const key = known.get(call.kernel) ?? JSON.stringify(call.kernel)
      known.set(call.kernel, key)
      let kernel = numbers.get(key)
      if (kernel === undefined) {
        kernel = kernels.push(call.kernel) - 1
        numbers.set(key, kernel)
      }
      const locations = call.arguments.map(locate)
      const [first, end] = call.points ?? [0, pointsOf(call.kernel)]
      const points = end - first
      const work = points * workPerPoint(call.kernel)
      const { chunk } = call
      const threads = chunk === undefined ? Infinity : Math.max(1, ...scratchOf(call).map((s) => copies.get(s) ?? 1))
      calls.push({ call, made: { kernel, first, points, work, locations, step: number, chunk, threads } })
    }
  })
  return { kernels, calls }
}
