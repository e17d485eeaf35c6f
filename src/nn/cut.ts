import { fail } from '../base/errors.ts'
import { input } from './build.ts'
import type { Node } from './layer.ts'
import { Model } from './model.ts'

/**
 * The part of a model that makes one layer's result: a model of its own with copies of the weights, of the inputs that
 * the layer needs.
 * @param name of the layer, as `summaryRows` lists it: 'conv2d_3'; of one that comes several times its last result
 */
export function cut(model: Model, name: string): Model {
  const { steps, inputShapes } = model
  const first = inputShapes.length
  const end = steps.findLastIndex((step) => step.name === name)
  if (end < 0) fail('cut', `there is no layer '${name}'`, `Use one of ${steps.map((step) => step.name).join(', ')}`)
  const needed = new Set([first + end])
  for (let i = end; i >= 0; i--) if (needed.has(first + i)) for (const from of steps[i]!.inputs) needed.add(from)
  const nodes: Node[] = inputShapes.map((shape) => input(shape))
  for (const { layer, inputs } of steps.slice(0, end + 1))
    nodes.push({ layer, inputs: inputs.map((from) => nodes[from]!) })
  const inputs = nodes.slice(0, first).filter((_, i) => needed.has(i))
  const part = new Model(inputs, nodes[first + end]!, { seed: model.seed, name: model.name })
  for (const { layer, built } of part.steps) {
    const before = steps.find((step) => step.layer === layer)!.built
    const values = [...before.parameters, ...before.state]
    for (const [i, variable] of [...built.parameters, ...built.state].entries()) variable.write(values[i]!.read())
  }
  return part
}
