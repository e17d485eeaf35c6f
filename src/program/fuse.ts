import { sameShape, sizeOf } from '../base/shape.ts'
import { type Tensor, topological } from '../graph/tensor.ts'

/** Which nodes are computed inside which others. */
export interface Fusion {
  /** All nodes, inputs first. */
  readonly order: readonly Tensor[]
  /** Elementwise nodes that are computed where this node (elementwise or reduction) is, itself included. */
  readonly groupOf: ReadonlyMap<Tensor, Tensor>
  /** For an elementwise node: the contraction whose results it is computed on before they are stored. */
  readonly epilogueOf: ReadonlyMap<Tensor, Tensor>
  /** The contractions that are computed at another node. */
  readonly absorbed: ReadonlySet<Tensor>
}

const elementwise = (node: Tensor) => node.operation.kind === 'map' || node.operation.kind === 'uniform'

/** Shape that a group is computed over. */
const iteration = (root: Tensor) => (root.operation.kind === 'reduce' ? root.inputs[0]!.shape : root.shape)

function usersOf(order: readonly Tensor[]): Map<Tensor, Tensor[]> {
  const users = new Map<Tensor, Tensor[]>(order.map((node) => [node, []]))
  for (const node of order) for (const input of new Set(node.inputs)) users.get(input)!.push(node)
  return users
}

/** How an operand of an elementwise group lies in a contraction's result. */
export type OperandKind = 'full' | 'channel' | 'scalar'

/** The kind, or undefined where the operand can't be read in an epilogue. */
export function operandKind(operand: Tensor, result: Tensor): OperandKind | undefined {
  const size = sizeOf(operand.shape)
  if (size === 1) return 'scalar'
  if (size === sizeOf(result.shape)) return 'full'
  const channels = result.shape.at(-1)!
  return size === channels && operand.shape.at(-1) === channels ? 'channel' : undefined
}

/** Whether values pass from one to the other in memory order with the same last axis. */
const sameRows = (a: Tensor, b: Tensor) => sizeOf(a.shape) === sizeOf(b.shape) && a.shape.at(-1) === b.shape.at(-1)

/**
 * Decides what is computed together: an elementwise node goes where all its users are, if they are one group over the
 * same shape; a contraction whose only use is such a group is computed with the group as its epilogue.
 * @param kept nodes that must be stored
 * @param fusable whether a contraction takes an epilogue
 */
export function fuse(order: readonly Tensor[], kept: ReadonlySet<Tensor>, fusable: (node: Tensor) => boolean): Fusion {
  const users = usersOf(order)
  const groupOf = new Map<Tensor, Tensor>()
  for (const node of [...order].reverse()) {
    if (node.operation.kind === 'reduce') groupOf.set(node, node)
    if (!elementwise(node)) continue
    const uses = users.get(node)!
    const groups = new Set(uses.map((user) => groupOf.get(user)))
    const [group] = groups
    // a key of random numbers is read as a whole, so it lies in memory
    const stored = kept.has(node) || uses.some((user) => user.operation.kind === 'uniform')
    const joins = groups.size === 1 && group && !stored && sameShape(node.shape, iteration(group))
    groupOf.set(node, joins ? group : node)
  }
  const epilogueOf = new Map<Tensor, Tensor>()
  const absorbed = new Set<Tensor>()
  for (const node of order) {
    if (node.operation.kind !== 'contract' || kept.has(node) || !fusable(node)) continue
    const root = epilogueRoot(node, users, kept, groupOf)
    if (!root || epilogueOf.has(root)) continue
    const members = order.filter((n) => groupOf.get(n) === root)
    const operands = members.flatMap((n) => n.inputs.filter((input) => groupOf.get(input) !== root))
    const plain = members.every((n) => n.operation.kind === 'map' && sizeOf(n.shape) === sizeOf(root.shape))
    if (!plain || !operands.every((operand) => operandKind(operand, root))) continue
    epilogueOf.set(root, node)
    absorbed.add(node)
  }
  return { order, groupOf, epilogueOf, absorbed }
}

/** The elementwise group that holds all uses of a contraction, through reshapes that keep its rows. */
function epilogueRoot(
  node: Tensor,
  users: ReadonlyMap<Tensor, readonly Tensor[]>,
  kept: ReadonlySet<Tensor>,
  groupOf: ReadonlyMap<Tensor, Tensor>,
): Tensor | undefined {
  let at = node
  for (;;) {
    const uses = users.get(at)!
    if (uses.length === 1 && uses[0]!.operation.kind === 'reshape' && sameRows(uses[0]!, node)) {
      at = uses[0]!
      if (kept.has(at)) return undefined
      continue
    }
    const groups = new Set(uses.map((user) => groupOf.get(user)))
    const [root] = groups
    const fits = groups.size === 1 && root?.operation.kind === 'map' && sameRows(root, node)
    return fits ? root : undefined
  }
}

/** All nodes in an order in which updated variables' new values come as late as they can. */
export function programOrder(outputs: readonly Tensor[], updates: readonly Tensor[]): Tensor[] {
  return topological([...outputs, ...updates.flatMap((value) => value.inputs), ...updates])
}
