import { kernel as frozen } from '../kernel/builder.ts'
import type { Affine, Kernel, Statement } from '../kernel/ir.ts'

/** Where rows of `row` elements go: into rows of `into` elements, from element `at` of each on. */
export interface Rows {
  readonly row: number
  readonly into: number
  readonly at: number
  /** How many. */
  readonly count: number
}

/** The largest value of every index of a kernel. */
function largest({ axes, body }: Kernel): Map<string, number> {
  const most = new Map(axes.map(({ index, extent }) => [index, extent - 1]))
  const meet = (index: string, value: number) => most.set(index, Math.max(value, most.get(index) ?? 0))
  const walk = (list: readonly Statement[]) => {
    for (const statement of list) {
      if (statement.kind === 'clampIndex') meet(statement.index, statement.high)
      if (statement.kind !== 'loop') continue
      const { index, from, to, step } = statement
      meet(index, to - 1 - ((to - 1 - from) % step))
      walk(statement.body)
    }
  }
  walk(body)
  return most
}

/**
 * The kernel with a buffer's rows inside the rows of another: each address is split in whole rows and a place in the
 * row. Undefined where it isn't one, as when a loop runs over several rows as if they were one.
 */
export function placeRows(kernel: Kernel, name: string, { row, into, at, count }: Rows): Kernel | undefined {
  const most = largest(kernel)
  let splits = true
  const moved = ({ offset, terms }: Affine, lanes: number): Affine => {
    const rows = (n: number) => Math.floor(n / row)
    const inRow = terms.filter(({ scale }) => scale % row !== 0)
    const end = inRow.reduce((sum, { index, scale }) => sum + scale * most.get(index)!, offset - rows(offset) * row)
    splits &&= end + lanes <= row && inRow.every(({ scale }) => scale > 0)
    return {
      offset: offset + rows(offset) * (into - row) + at,
      terms: terms.map((term) => (inRow.includes(term) ? term : { ...term, scale: (term.scale / row) * into })),
    }
  }
  const walk = <T>(value: T): T => {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(walk) as T
    const copy = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, walk(part)]))
    const place = value as { readonly buffer?: string; readonly at?: Affine; readonly count?: number }
    return (place.buffer === name ? { ...copy, at: moved(place.at!, place.count ?? 1) } : copy) as T
  }
  const body = walk(kernel.body)
  const buffers = kernel.buffers.map((buffer) =>
    buffer.name === name ? { ...buffer, length: buffer.length + count * (into - row) } : buffer,
  )
  return splits ? frozen({ ...kernel, buffers, body }) : undefined
}
