import { sizeOf } from '../base/shape.ts'
import { type Tensor, topological } from '../graph/tensor.ts'
import { placeRows, type Rows } from '../plan/rows.ts'
import { type Step, storage } from './steps.ts'

type Call = Step['calls'][number]

/** Number of the buffer that lies in a tensor's memory, or -1. */
const bufferOf = (call: Call, x: Tensor) =>
  call.arguments.findIndex((argument) => 'tensor' in argument && storage(argument.tensor) === x)

/** A call that writes `x` as one that writes its rows into those of `whole`. */
function placed(call: Call, x: Tensor, whole: Tensor, rows: Rows): Call | undefined {
  const at = bufferOf(call, x)
  if (at < 0) return call
  const kernel = placeRows(call.kernel, call.kernel.buffers[at]!.name, rows)
  return kernel && { ...call, kernel, arguments: call.arguments.map((old, i) => (i === at ? { tensor: whole } : old)) }
}

/** The steps that read each tensor, by number. */
function readersOf(steps: readonly Step[]): Map<Tensor, Set<number>> {
  const readers = new Map<Tensor, Set<number>>()
  steps.forEach(({ calls }, number) => {
    for (const { kernel, arguments: list } of calls)
      list.forEach((argument, i) => {
        if (!('tensor' in argument) || kernel.buffers[i]!.access !== 'read') return
        const x = storage(argument.tensor)
        readers.set(x, (readers.get(x) ?? new Set()).add(number))
      })
  })
  return readers
}

/**
 * Steps whose results are only copied into a concatenation write them there, where their kernels can.
 * @param kept tensors that need memory of their own
 */
export function inPlace(steps: readonly Step[], kept: ReadonlySet<Tensor>): readonly Step[] {
  if (!steps.some(({ node }) => node.operation.kind === 'concat')) return steps
  const list = [...steps]
  const readers = readersOf(steps)
  const writers = new Map(steps.map(({ node }, i) => [node, [i]]))
  steps.forEach(({ node }, own) => {
    const { operation, inputs } = node
    if (operation.kind !== 'concat') return
    const rowOf = ({ shape }: Tensor) => sizeOf(shape.slice(operation.axis))
    let at = 0
    for (const input of inputs) {
      const rows = { row: rowOf(input), into: rowOf(node), at, count: sizeOf(input.shape) / rowOf(input) }
      at += rows.row
      const x = storage(input)
      const made = writers.get(x)
      // what depends on variables alone is computed once: it stays where it is
      const fits =
        made &&
        !kept.has(x) &&
        readers.get(x)!.size === 1 &&
        inputs.filter((other) => storage(other) === x).length === 1 &&
        topological([x]).some(({ operation: { kind } }) => kind === 'placeholder' || kind === 'constant')
      if (!fits) continue
      const moved = made.map((i) => list[i]!.calls.map((call) => placed(call, x, node, rows)))
      if (!moved.every((calls): calls is Call[] => calls.every((call) => call !== undefined))) continue
      moved.forEach((calls, i) => {
        list[made[i]!] = { ...list[made[i]!]!, calls }
      })
      list[own] = { ...list[own]!, calls: list[own]!.calls.filter((call) => bufferOf(call, x) < 0) }
      writers.get(node)!.push(...made)
    }
  })
  return list.filter(({ calls }) => calls.length > 0)
}
