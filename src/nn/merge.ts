import { fail } from '../base/errors.ts'
import { type Shape, sameShape, showShape } from '../base/shape.ts'
import * as graph from '../graph/index.ts'
import type { Tensor } from '../graph/tensor.ts'
import { checkNames } from './checks.ts'
import { type BuildContext, type BuiltLayer, type Layer, layer, merge, resultShape } from './layer.ts'
import type { Parallel, Residual } from './types/shapes.ts'

type Join = (a: Tensor, b: Tensor) => Tensor

function joined(kind: string, inputs: readonly Tensor[], join: Join): Tensor {
  if (inputs.length < 2) fail(kind, `${inputs.length} inputs`, 'Give two or more')
  return inputs.reduce(join)
}

/** Sum of several inputs, as a layer; of two tensors at once. Shapes broadcast. */
export function add(): Layer
export function add(a: Tensor | number, b: Tensor | number): Tensor
export function add(a?: Tensor | number, b?: Tensor | number): Tensor | Layer {
  if (a !== undefined && b !== undefined) return graph.add(a, b)
  return merge('add', [], (inputs) => joined('add', inputs, graph.add))
}

/** Product of several inputs. Shapes broadcast: [N, 1, 1, C] scales channels. */
export const multiply = (): Layer => merge('multiply', [], (inputs) => joined('multiply', inputs, graph.mul))

/** Mean of several inputs. */
export const average = (): Layer =>
  merge('average', [], (inputs) => graph.mul(joined('average', inputs, graph.add), 1 / inputs.length))

/** Several inputs side by side along `axis` (N counts as axis 0), default the channels. */
export const concatenate = (axis = -1): Layer =>
  merge('concatenate', [axis], (inputs) => {
    if (axis === 0) fail('concatenate', 'axis 0 is the batch', 'Give an axis >= 1, or -1 for channels')
    return graph.concat(inputs, axis)
  })

/** Layers one after another as one built layer. */
function chain(layers: readonly Layer[], shape: Shape, context: BuildContext): BuiltLayer {
  const built: BuiltLayer[] = []
  for (const item of layers) built.push(context.inner(item, [built.at(-1)?.shape ?? shape]))
  return {
    shape: built.at(-1)?.shape ?? shape,
    parameters: built.flatMap((item) => item.parameters),
    state: built.flatMap((item) => item.state),
    apply: (inputs, run) => built.reduce((x, item) => item.apply([x], run), inputs[0]!),
  }
}

function branches<Rule>(
  kind: string,
  config: readonly unknown[],
  lists: readonly (readonly Layer[])[],
  join: (inputs: readonly Tensor[]) => Tensor,
): Layer<Rule> {
  return layer(kind, config, (shapes, context) => {
    if (shapes.length !== 1) fail(kind, `${shapes.length} inputs`, 'Give one')
    const chains = lists.map((list) => chain(list, shapes[0]!, context))
    const apply: BuiltLayer['apply'] = (inputs, run) => join(chains.map((branch) => branch.apply(inputs, run)))
    return {
      shape: resultShape(apply, shapes),
      parameters: chains.flatMap((branch) => branch.parameters),
      state: chains.flatMap((branch) => branch.state),
      apply,
    }
  })
}

/** What stands on the way around a `residual` block. */
export interface ResidualOptions<Shortcut extends readonly Layer[] = readonly Layer[]> {
  /** Layers on the way around, for example a 1x1 convolution that fits the shape. Default none. */
  readonly shortcut?: Shortcut
}

/** layers(x) + shortcut(x) (He et al. 2016). */
export function residual<const L extends readonly Layer[]>(layers: L): Layer<Residual<L>>
export function residual<const L extends readonly Layer[], const Shortcut extends readonly Layer[]>(
  layers: L,
  options: ResidualOptions<Shortcut>,
): Layer<Residual<L, Shortcut>>
export function residual(layers: readonly Layer[], options: ResidualOptions = {}): Layer {
  checkNames('residual', options, ['shortcut'])
  return branches('residual', [layers, options], [layers, options.shortcut ?? []], (inputs) => {
    const [main, around] = inputs as [Tensor, Tensor]
    if (!sameShape(main.shape, around.shape))
      fail(
        'residual',
        `layers give ${showShape(main.shape.slice(1))}, the shortcut ${showShape(around.shape.slice(1))}`,
        'Give a shortcut that makes the same shape, for example a 1x1 convolution with the same stride',
      )
    return graph.add(main, around)
  })
}

/** How the results of `parallel` branches meet. */
export interface ParallelOptions<Merge extends 'concat' | 'add' = 'concat' | 'add'> {
  /** Default 'concat': side by side along the channels. */
  readonly merge?: Merge
}

/** Several chains of layers on the same input, joined: Inception blocks, ASPP. An empty chain passes the input on. */
export function parallel<
  const Chains extends readonly (readonly Layer[])[],
  const Merge extends 'concat' | 'add' = 'concat',
>(chains: Chains, options: ParallelOptions<Merge> = {}): Layer<Parallel<Chains, Merge>> {
  checkNames('parallel', options, ['merge'])
  const { merge = 'concat' } = options
  if (merge !== 'concat' && merge !== 'add') fail('parallel', `merge '${merge}' is unknown`, "Use 'concat' or 'add'")
  if (chains.length === 0) fail('parallel', 'no branches', 'Give at least one list of layers')
  return branches('parallel', [chains, options], chains, (inputs) =>
    merge === 'add' ? inputs.reduce(graph.add) : graph.concat(inputs, -1),
  )
}
