import { fail } from '../../base/errors.ts'
import { inputKind } from '../../nn/build.ts'
import type { Layer, Node } from '../../nn/index.ts'
import type { Weights } from '../../nn/layer.ts'
import { Model, orderOf } from '../../nn/model.ts'

/** A model of nodes whose layers have given weights: no first weights are drawn. */
export function assemble(
  operation: string,
  name: string,
  inputs: readonly Node[],
  output: Node,
  weights: ReadonlyMap<Layer, Readonly<Record<string, Weights>>>,
): Model {
  const used = inputs.filter((node) => reaches(output, node))
  if (used.length < inputs.length && used.length === 0) fail(operation, 'the output needs no input', 'Check the file')
  const saved = new Map<string, Weights>()
  const counts = new Map<string, number>()
  const seen = new Set<Layer>()
  for (const { layer } of orderOf(used, output)) {
    if (layer.kind === inputKind || seen.has(layer)) continue
    seen.add(layer)
    const count = (counts.get(layer.kind) ?? 0) + 1
    counts.set(layer.kind, count)
    for (const [key, value] of Object.entries(weights.get(layer) ?? {}))
      saved.set(`${layer.kind}_${count}.${key}`, value)
  }
  return new Model(used, output, { name }, saved)
}

function reaches(output: Node, node: Node): boolean {
  const seen = new Set<Node>([output])
  for (const one of seen) for (const before of one.inputs) seen.add(before)
  return seen.has(node)
}
