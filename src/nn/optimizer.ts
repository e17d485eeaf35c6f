import { fail } from '../base/errors.ts'
import { sizeOf } from '../base/shape.ts'
import { add, type Tensor, type Update, update, Variable } from '../graph/index.ts'
import { checkNames, checkRange } from './checks.ts'

/** An optimiser's memory for some parameters, and its update as expressions. */
export interface OptimizerState {
  /** Everything it remembers between steps, with the learning rate: named, and kept in checkpoints. */
  readonly variables: readonly Variable[]
  /** [], read by every update; a schedule writes it. */
  readonly learningRate: Variable
  /** One step: new values of the parameters and of all that is remembered, from one gradient per parameter. */
  update(gradients: readonly Tensor[]): Update[]
}

type Option = number | boolean | readonly number[]

/** Name and options of an optimiser, all of them: plain data that a file can keep. */
export type OptimizerConfig = { readonly name: string } & Readonly<Record<string, Option | string>>

/** How parameters change with their gradients. */
export interface Optimizer {
  readonly name: string
  readonly config: OptimizerConfig
  /** Before any schedule. */
  readonly learningRate: number
  /** Starts it on these parameters. */
  create(parameters: readonly Variable[]): OptimizerState
}

/** Whether it is an optimiser, not just the name or the options of one. */
export const isOptimizer = (value: Optimizer | OptimizerConfig | string): value is Optimizer =>
  typeof value === 'object' && 'create' in value && typeof value.create === 'function'

/** The expressions of one optimiser. */
export interface Rule {
  /** Names of what it remembers for every parameter, in the parameter's shape, 0 at first. */
  readonly slots: readonly string[]
  /** Numbers it remembers for all parameters together: the first value, and the next from the last and the step. */
  readonly scalars?: Readonly<Record<string, { readonly initial: number; next(last: Tensor, t: Tensor): Tensor }>>
  /**
   * Step `t` (1, 2, ...) with this learning rate and the next values of the scalars: what all parameters share, then
   * for each [new value, new slots...] from its value, gradient and slots.
   */
  begin(
    t: Tensor,
    learningRate: Tensor,
    scalars: readonly Tensor[],
  ): (p: Tensor, g: Tensor, slots: readonly Tensor[]) => readonly Tensor[]
}

const filled = (shape: readonly number[], value: number, name: string) =>
  new Variable(new Float32Array(sizeOf(shape)).fill(value), shape, `optimizer.${name}`)

function createState(rule: Rule, rate: number, parameters: readonly Variable[]): OptimizerState {
  const learningRate = filled([], rate, 'learningRate')
  const step = filled([], 0, 'step')
  const scalars = Object.entries(rule.scalars ?? {}).map(([name, { initial, next }]) => ({
    variable: filled([], initial, name),
    next,
  }))
  const slots = parameters.map(({ shape, name }) => rule.slots.map((slot) => filled(shape, 0, `${name}.${slot}`)))
  return {
    variables: [learningRate, step, ...scalars.map(({ variable }) => variable), ...slots.flat()],
    learningRate,
    update(gradients) {
      if (gradients.length !== parameters.length)
        fail('optimizer', `${gradients.length} gradients for ${parameters.length} parameters`, 'Give one for each')
      const t = add(step.value, 1)
      const now = scalars.map(({ variable, next }) => next(variable.value, t))
      const move = rule.begin(t, learningRate.value, now)
      const moved = parameters.flatMap((parameter, i) => {
        const memory = slots[i].map((slot) => slot.value)
        const next = move(parameter.value, gradients[i], memory)
        return [parameter, ...slots[i]].map((variable, k) => update(variable, next[k]))
      })
      return [...moved, ...scalars.map(({ variable }, k) => update(variable, now[k])), update(step, t)]
    },
  }
}

/** Options that must be less than 1: they weigh the past against the present. */
const shares = ['momentum', 'betas', 'alpha', 'rho']

function checkOption(name: string, option: string, value: unknown, example: Option): void {
  if (typeof value !== typeof example || Array.isArray(value) !== Array.isArray(example))
    fail(name, `${option} is ${JSON.stringify(value)}`, `Give something like ${JSON.stringify(example)}`)
  if (typeof value === 'boolean') return
  const values = typeof example === 'number' ? [value as number] : (value as number[])
  if (typeof example === 'object' && values.length !== example.length)
    fail(name, `${option} holds ${values.length} numbers`, `Give ${example.length}`)
  for (const number of values) {
    checkRange(name, option, number, 0)
    if (shares.includes(option) && number >= 1) fail(name, `${option} is ${number}`, 'Give less than 1')
  }
}

/** Makes the factory of an optimiser: every option has a default, which also shows its type. */
export function defineOptimizer<O extends { learningRate: number }>(
  name: string,
  defaults: O,
  rule: (options: O) => Rule,
): (options?: Partial<O>) => Optimizer {
  const known = defaults as unknown as Readonly<Record<string, Option>>
  return (options = {}) => {
    const given = Object.entries(options).filter(([option, value]) => option !== 'name' && value !== undefined)
    checkNames(name, Object.fromEntries(given), Object.keys(known))
    for (const [option, value] of given) checkOption(name, option, value, known[option])
    const all = { ...defaults, ...Object.fromEntries(given) }
    const made = rule(all)
    return {
      name,
      config: { ...(all as unknown as Readonly<Record<string, Option>>), name },
      learningRate: all.learningRate,
      create: (parameters) => createState(made, all.learningRate, parameters),
    }
  }
}
