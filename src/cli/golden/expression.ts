import { fail } from '../../base/errors.ts'
import type { Shape } from '../../base/shape.ts'
import { compile, type Target } from '../../compile.ts'
import { gradient, mul, sum, type Tensor } from '../../graph/index.ts'
import { type Check, compare, unchecked } from './check.ts'
import type { Case, Fields, Stored } from './folder.ts'
import { arrange, type Layout } from './layout.ts'

/** What an operation makes of a case's tensors. */
export interface Made {
  readonly y: Tensor
  /** What derivatives are taken by where it isn't the input itself: weights of a layer. */
  readonly by?: Readonly<Record<string, Tensor>>
  /** More results, by their names in the file. */
  readonly more?: Readonly<Record<string, Tensor>>
}

/** A case's tensors in fovea's layout. */
export interface Inputs {
  has(name: string): boolean
  get(name: string): Tensor
  values(name: string): Float32Array
}

/** One operation of the format. */
export interface Operation {
  /** Layouts of x, y, w, ...; their gradients have the same. 'plain' unless named. */
  readonly layouts?: Readonly<Record<string, Layout>>
  /** Why fovea can't do a case, if it can't. */
  readonly refuses?: (fields: Fields) => string | undefined
  readonly make: (fields: Fields, inputs: Inputs) => Tensor | Made
}

/** x and y channels last. */
export const channels = { x: 'channels', y: 'channels' } as const

/** The name of the tensor that `name` is the gradient of: 'gamma' for 'ggamma'. */
function gradientOf(names: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const base = name.slice(1)
  return name.startsWith('g') && name !== 'gy' && names.has(base) ? base : undefined
}

/** Result, gradients and further results of a case in one program on `target`, against what is stored. */
export async function checkExpression(item: Case, operation: Operation, target: Target): Promise<Check[]> {
  const layoutOf = (name: string): Layout => {
    const base = name === 'gy' ? 'y' : (gradientOf(item.tensors, name) ?? name)
    return operation.layouts?.[base] ?? 'plain'
  }
  const stored = new Map([...item.tensors].map(([name, value]) => [name, arrange(value, layoutOf(name))]))
  const bases = [...stored.keys()].flatMap((name) => gradientOf(stored, name) ?? [])
  const shapes: Record<string, Shape> = {}
  const used = new Set(['gy'])
  const outputs = (nodes: Readonly<Record<string, Tensor>>) => {
    const get = (name: string) => {
      used.add(name)
      return nodes[name] ?? fail('golden', `${item.id} has no tensor '${name}'`, 'See FORMAT.md')
    }
    const values = (name: string) => {
      used.add(name)
      return stored.get(name)!.data
    }
    const inputs: Inputs = { has: (name) => stored.has(name), get, values }
    const made = operation.make(item.fields, inputs)
    const { y, by = {}, more = {} }: Made = 'operation' in made ? { y: made } : made
    const loss = stored.has('gy') ? sum(mul(y, get('gy'))) : sum(y)
    const gradients = gradient(
      loss,
      bases.map((base) => by[base] ?? get(base)),
    )
    const results = { y, ...more, ...Object.fromEntries(bases.map((base, i) => [`g${base}`, gradients[i]!])) }
    for (const [name, { shape }] of Object.entries(results)) shapes[name] = shape
    return results
  }
  const given = <T>(of: (value: Stored) => T) =>
    Object.fromEntries([...stored].map(([name, value]) => [name, of(value)]))
  const program = compile<[Readonly<Record<string, Shape>>], Record<string, Tensor>>(
    outputs,
    [given(({ shape }) => shape)],
    { target },
  )
  const results = await program(given(({ data }) => data))
  const checks = Object.entries(results).map(([name, data]) => {
    const expected = stored.get(name) ?? fail('golden', `${item.id} has no tensor '${name}'`, 'See FORMAT.md')
    return compare(item, name, { shape: shapes[name]!, data }, expected)
  })
  return [...checks, ...unchecked(item, used, checks)]
}
