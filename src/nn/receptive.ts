import { nextField, ownField, type ReceptiveField } from '../conv/facts.ts'
import type { ConvSpec } from '../conv/spec.ts'
import { type Tensor, topological } from '../graph/tensor.ts'

/** One field per spatial axis; 'unclear' where elements see all, or not a box at regular steps. */
export type Fields = readonly ReceptiveField[] | 'unclear'

const throughWindow = (fields: readonly ReceptiveField[], spec: ConvSpec): Fields =>
  fields.map((field, axis) =>
    nextField(field, {
      kernel: spec.kernel[axis]!,
      stride: spec.stride[axis]!,
      dilation: spec.dilation[axis]!,
      padLow: spec.padLow[axis]!,
    }),
  )

/** What an element made of two elements at the same place sees: the box around both boxes. */
function join(a: Fields, b: Fields): Fields {
  if (a === 'unclear' || b === 'unclear' || a.length !== b.length) return 'unclear'
  const joined = a.map((one, axis): ReceptiveField | undefined => {
    const other = b[axis]!
    if (one.jump !== other.jump) return undefined
    const low = Math.min(one.start - one.size / 2, other.start - other.size / 2)
    const high = Math.max(one.start + one.size / 2, other.start + other.size / 2)
    return { size: high - low, jump: one.jump, start: (low + high) / 2 }
  })
  return joined.every((field) => field !== undefined) ? joined : 'unclear'
}

function fieldsOf(node: Tensor, inputs: readonly Fields[]): Fields {
  const fields = inputs.reduce(join)
  if (fields === 'unclear') return fields
  const { operation } = node
  switch (operation.kind) {
    case 'map':
    case 'concat':
      return fields
    case 'contract':
      return operation.contraction === 'output' ? throughWindow(fields, operation.spec) : 'unclear'
    case 'windowMax':
      return throughWindow(fields, operation.spec)
    case 'pad':
      return fields.map((field, axis) => ({ ...field, start: field.start - operation.low[axis + 1]! * field.jump }))
    case 'reduce':
      return operation.axes.every((axis) => axis === node.shape.length - 1) ? fields : 'unclear'
    case 'resample':
      return operation.axis === node.shape.length - 1 ? fields : 'unclear'
    default:
      return 'unclear'
  }
}

/** Receptive field of an element of each of `results` in `inputs` [N, spatial..., C]. */
export function receptiveFieldsOf(inputs: readonly Tensor[], results: readonly Tensor[]): Fields[] {
  const known = new Map<Tensor, Fields>()
  for (const node of inputs) known.set(node, new Array(Math.max(node.shape.length - 2, 0)).fill(ownField))
  for (const node of topological(results)) {
    const before = node.inputs.map((input) => known.get(input)).filter((fields) => fields !== undefined)
    if (!known.has(node) && before.length > 0) known.set(node, fieldsOf(node, before))
  }
  return results.map((node) => known.get(node) ?? 'unclear')
}
