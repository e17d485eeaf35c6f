import type { Weights } from '../../nn/layer.ts'
import type { WeightSource } from './read.ts'

/** 'conv1/kernel:0' and 'conv1/conv1/kernel' both end in the layer's and the weight's name. */
const partsOf = (name: string) => name.replace(/:\d+$/, '').split('/')

/**
 * Weights by the names that Keras and tfjs give them: the layer's and the weight's, with the models around them in
 * front and whatever scopes in between.
 */
export function namedWeights(weights: ReadonlyMap<string, Weights>): WeightSource {
  const byEnd = new Map<string, string[]>()
  for (const name of weights.keys()) {
    const parts = partsOf(name)
    const end = parts.at(-1)!
    for (const part of new Set(parts.slice(0, -1))) {
      const key = `${part}/${end}`
      byEnd.set(key, [...(byEnd.get(key) ?? []), name])
    }
  }
  return ({ path }, name) => {
    const layer = path.at(-1)!
    for (const key of [...path, name].map((_, i) => [...path.slice(i), name].join('/'))) {
      const found = weights.get(key) ?? weights.get(`${key}:0`)
      if (found) return found
    }
    // a layer's name may have scopes of its own: 'block/conv' is the layer of 'block/conv/kernel'
    const ends = byEnd.get(`${layer.split('/').at(-1)}/${name}`) ?? []
    const inScope = ends.filter((end) => partsOf(end).join('/').includes(layer))
    return inScope.length === 1 ? weights.get(inScope[0]) : undefined
  }
}
