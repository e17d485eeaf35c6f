import { type Layer, layer } from './layer.ts'

/** A layer whose weights aren't trained; normalisation and dropout in it do what they do when a model predicts. */
export function freeze<Rule>(inner: Layer<Rule>): Layer<Rule> {
  return layer<Rule>('freeze', [inner], (shapes, context) => {
    const built = context.inner(inner, shapes)
    return {
      shape: built.shape,
      parameters: [],
      state: [...built.parameters, ...built.state],
      apply: (inputs, run) => built.apply(inputs, { ...run, training: false }),
    }
  })
}
