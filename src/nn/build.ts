import { checkCount } from '../base/errors.ts'
import { type RandomSource, randomSource } from '../base/random.ts'
import { type Shape, sameShape } from '../base/shape.ts'
import {
  type BuildContext,
  type BuiltLayer,
  type Layer,
  layer,
  type Node,
  naming,
  resultShape,
  type Weights,
} from './layer.ts'

/** A layer with its weights and the name that it has in its model. */
export interface Use {
  readonly name: string
  readonly built: BuiltLayer
}

/**
 * Builds the layers of one model. A layer that comes again is not built again: it keeps its weights, also for inputs of
 * other shapes. First weights come from `seed` and the layer's place among the model's layers.
 */
export function layerBuilder(seed: number, saved: ReadonlyMap<string, Weights> | undefined) {
  const known = new Map<Layer, Use & { shapes: readonly Shape[] }>()
  const counts = new Map<string, number>()
  let streams = 0

  function use(item: Layer, shapes: readonly Shape[], prefix: string, random: RandomSource): Use {
    const before = known.get(item)
    if (before) {
      const { name, built } = before
      const same = shapes.every((shape, i) => sameShape(shape, before.shapes[i] ?? []))
      return same ? before : { name, built: { ...built, shape: naming(name, () => resultShape(built.apply, shapes)) } }
    }
    const kind = `${prefix}${item.kind}`
    const count = (counts.get(kind) ?? 0) + 1
    counts.set(kind, count)
    const name = `${kind}_${count}`
    const inner = (child: Layer, inputs: readonly Shape[]) => use(child, inputs, `${name}.`, random).built
    const context: BuildContext = { random, name, saved, inner }
    const result = { name, shapes, built: naming(name, () => item.build(shapes, context)) }
    known.set(item, result)
    return result
  }

  return (item: Layer, shapes: readonly Shape[]): Use => {
    const stream = known.has(item) || item.kind === 'input' ? 0 : streams++
    return use(item, shapes, '', randomSource(seed, stream))
  }
}

/** The shape of an input node. */
export const inputKind = 'input'

/** A place where data enters a functional model: one sample's shape, without N. */
export function input(shape: Shape): Node {
  for (const size of shape) checkCount('input', 'every size', size, 1)
  return layer(inputKind, [shape], () => ({ shape, parameters: [], state: [], apply: (inputs) => inputs[0]! }))()
}
