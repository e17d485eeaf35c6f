import { fail } from '../base/errors.ts'
import { showShape, sizeOf } from '../base/shape.ts'
import { contractDerivative } from './conv.ts'
import { add, mapDerivative } from './map.ts'
import { concatDerivative, padDerivative } from './pad.ts'
import { windowMaxDerivative } from './pool.ts'
import { reduceDerivative } from './reduce.ts'
import { adjointTable, resample } from './resample.ts'
import { reshape, transposeDerivative } from './reshape.ts'
import { fill, type Tensor, topological } from './tensor.ts'

/** Adjoints of a node's inputs from the node's own; undefined = zero. */
function derivative(node: Tensor, g: Tensor): readonly (Tensor | undefined)[] {
  const { operation } = node
  switch (operation.kind) {
    case 'placeholder':
    case 'constant':
    case 'fill':
    case 'variable':
      return []
    case 'uniform':
      return [undefined]
    case 'map':
      return mapDerivative(operation.fn, node, g)
    case 'reduce':
      return [reduceDerivative(node, operation.fn, operation.axes, g)]
    case 'reshape':
      return [reshape(g, node.inputs[0]!.shape)]
    case 'transpose':
      return [transposeDerivative(operation.order, g)]
    case 'pad':
      return [padDerivative(operation.low, operation.high, g)]
    case 'concat':
      return concatDerivative(node, operation.axis, g)
    case 'resample':
      return [resample(g, operation.axis, adjointTable(operation.table))]
    case 'contract':
      return contractDerivative(operation.contraction, operation.spec, node, g)
    case 'windowMax':
    case 'windowMaxGather':
    case 'windowMaxScatter':
      return windowMaxDerivative(node, g)
  }
}

/**
 * Derivatives of a scalar by each tensor of `of`, as expressions of the same shapes, so they can be differentiated
 * again. A tensor that the loss doesn't depend on has derivative zero.
 */
export function gradient(loss: Tensor, of: readonly Tensor[]): Tensor[] {
  if (sizeOf(loss.shape) !== 1)
    fail('gradient', `the loss has shape ${showShape(loss.shape)}`, 'Reduce it to one number, with sum or mean')
  const order = topological([loss])
  const needed = new Set<Tensor>(of)
  for (const node of order) if (node.inputs.some((input) => needed.has(input))) needed.add(node)
  const adjoints = new Map<Tensor, Tensor>([[loss, fill(loss.shape, 1)]])
  for (const node of order.reverse()) {
    const g = adjoints.get(node)
    if (!g || !needed.has(node) || !node.inputs.some((input) => needed.has(input))) continue
    derivative(node, g).forEach((d, i) => {
      const input = node.inputs[i]!
      if (!d || !needed.has(input)) return
      const sum = adjoints.get(input)
      adjoints.set(input, sum ? add(sum, d) : d)
    })
  }
  return of.map((tensor) => adjoints.get(tensor) ?? fill(tensor.shape, 0))
}
