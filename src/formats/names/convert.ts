// Weights of our published networks by the names that PyTorch's and Keras's libraries give them, and back.
import { fail } from '../../base/errors.ts'
import { type Shape, sameShape, showShape, sizeOf } from '../../base/shape.ts'
import { loadModel, type Model, writeSafetensors } from '../../nn/index.ts'
import type { Weights } from '../../nn/layer.ts'
import { permuteFixed } from '../onnx/permute.ts'
import { type Foreign, type Scheme, schemes } from './schemes.ts'

const operation = 'convert'

/** The weights of one layer of ours. */
interface Unit {
  /** 'residual_1.conv2d_2' */
  readonly name: string
  /** Shapes by what a weight is. */
  readonly weights: Map<string, Shape>
  /** Of the picture that was flattened in front of a dense layer. */
  readonly flattened?: Shape
}

/** Our layers with weights, in the order of the model. */
function unitsOf(model: Model): Unit[] {
  const units = new Map<string, Unit>()
  let flattened: Shape | undefined
  for (const { built, layer, inputs, name } of model.steps) {
    if (layer.kind === 'flatten') {
      const from = inputs[0] - model.inputShapes.length
      flattened = from < 0 ? model.inputShape : model.steps[from].built.shape
    }
    for (const variable of [...built.parameters, ...built.state]) {
      const at = variable.name.lastIndexOf('.')
      const key = variable.name.slice(0, at)
      const first = name === key && layer.kind === 'dense' ? flattened : undefined
      if (!units.has(key)) units.set(key, { name: key, weights: new Map(), flattened: first })
      units.get(key)!.weights.set(variable.name.slice(at + 1), variable.shape)
    }
    if (layer.kind === 'dense') flattened = undefined
  }
  return [...units.values()]
}

/** How a weight of ours is called and lies elsewhere. */
export interface Link {
  readonly ours: string
  readonly theirs: string
  readonly shape: Shape
  /** Axis i of theirs is axis order[i] of ours, once ours is seen as `view`. */
  readonly view: Shape
  readonly order: readonly number[]
}

const norms = {
  torch: { weight: 'weight', bias: 'bias', runningMean: 'running_mean', runningVariance: 'running_var' },
  keras: { weight: 'gamma', bias: 'beta', runningMean: 'moving_mean', runningVariance: 'moving_variance' },
} as const

const plainOrder = (rank: number) => Array.from({ length: rank }, (_, i) => i)

/** A kernel in PyTorch's order: output channels, input channels, then space; rows of a flattened picture likewise. */
function torchKernel({ flattened }: Unit, shape: Shape): Pick<Link, 'shape' | 'view' | 'order'> {
  if (shape.length === 4) return { view: shape, order: [3, 2, 0, 1], shape: [3, 2, 0, 1].map((axis) => shape[axis]) }
  const picture = flattened && sizeOf(flattened) === shape[0] && flattened.length === 3 ? flattened : [1, 1, shape[0]]
  return { view: [...picture, shape[1]], order: [3, 2, 0, 1], shape: [shape[1], shape[0]] }
}

function kerasKernel({ layer, kernel }: Foreign, shape: Shape): Pick<Link, 'shape' | 'view' | 'order'> {
  const isDepthwise = kernel === 'depthwise_kernel'
  const theirs = isDepthwise ? [shape[0], shape[1], shape[3], 1] : shape
  // MobileNet's last layer is a pointwise convolution there
  const wide = layer === 'conv_preds' ? [1, 1, ...shape] : theirs
  return { view: wide, order: plainOrder(wide.length), shape: wide }
}

function linksOf(unit: Unit, foreign: Foreign, { family }: Scheme): Link[] {
  const join = family === 'torch' ? '.' : '/'
  const isNorm = unit.weights.has('runningMean')
  return [...unit.weights].map(([name, shape]): Link => {
    const ours = `${unit.name}.${name}`
    const same = { ours, shape, view: shape, order: plainOrder(shape.length) }
    if (isNorm) return { ...same, theirs: `${foreign.layer}${join}${norms[family][name as keyof typeof norms.torch]}` }
    if (name === 'bias') return { ...same, theirs: `${foreign.layer}${join}bias` }
    const kernel = family === 'torch' ? torchKernel(unit, shape) : kerasKernel(foreign, shape)
    return {
      ours,
      theirs: `${foreign.layer}${join}${family === 'torch' ? 'weight' : (foreign.kernel ?? 'kernel')}`,
      ...kernel,
    }
  })
}

/** All weights of a model, which aren't read for it. */
export function linksFor(model: Model, scheme: Scheme): Link[] {
  const units = unitsOf(model)
  if (units.length !== scheme.layers.length)
    fail(
      operation,
      `the model has ${units.length} layers with weights, the names are for ${scheme.layers.length}`,
      'Name another network',
    )
  return units.flatMap((unit, i) => linksOf(unit, scheme.layers[i], scheme))
}

function schemeOf(network: string, names: string): Scheme {
  const known = Object.hasOwn(schemes, network) ? schemes[network] : {}
  if (Object.hasOwn(known, names)) return known[names]()
  const all = Object.entries(schemes).map(([name, list]) => `${name} (${Object.keys(list).join(', ')})`)
  return fail(operation, `there are no names '${names}' for '${network}'`, `Use one of ${all.join(', ')}`)
}

const moved = (weights: Weights, shape: Shape, order: readonly number[]) =>
  permuteFixed({ type: 'float32', shape, data: weights.data }, order)

/** The model's description with the eps and the padding that the other library's network has. */
function adapted(value: unknown, scheme: Scheme): unknown {
  if (Array.isArray(value)) return value.map((entry) => adapted(entry, scheme))
  if (typeof value !== 'object' || value === null) return value
  const record = value as Record<string, unknown>
  const { layer, config } = record
  const entries = Object.entries(record).map(([name, entry]) => [name, adapted(entry, scheme)])
  if (typeof layer !== 'string' || !Array.isArray(config)) return Object.fromEntries(entries)
  return { ...Object.fromEntries(entries), config: adaptedConfig(layer, adapted(config, scheme) as unknown[], scheme) }
}

function adaptedConfig(layer: string, config: readonly unknown[], { family, eps }: Scheme): unknown[] {
  if (layer === 'batchNorm') return [{ ...(config[0] as object | undefined), eps }]
  const options = config.at(-1) as { padding?: unknown; kernelInitializer?: unknown } | undefined
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return [...config]
  const { kernelInitializer: _, ...rest } = options
  const sizeAt = /^(depthwiseConv|maxPool)/.test(layer) ? 0 : 1
  const size = config[sizeAt]
  // PyTorch's libraries pad both sides alike, which for strides isn't what 'same' does
  const padding =
    family === 'torch' && rest.padding === 'same' && typeof size === 'number' ? Math.floor(size / 2) : rest.padding
  return [...config.slice(0, -1), padding === undefined ? rest : { ...rest, padding }]
}

/** The names, of those known for a network, under which all of its weights are among `weights`. */
export function schemeIn(model: Model, network: string, weights: ReadonlyMap<string, Weights>): string {
  const known = Object.hasOwn(schemes, network) ? Object.keys(schemes[network]) : []
  const missing = known.map((names) => {
    const links = linksFor(model, schemeOf(network, names))
    return { names, list: links.filter(({ theirs }) => !weights.has(theirs)).map(({ theirs }) => theirs) }
  })
  const [best] = missing.sort((a, b) => a.list.length - b.list.length)
  if (!best)
    return fail(operation, `no names are known for '${network}'`, `Use one of ${Object.keys(schemes).join(', ')}`)
  if (best.list.length > 0)
    fail(
      operation,
      `${best.list.length} weights of '${network}' are missing, by the names of ${best.names}: ` +
        best.list.slice(0, 5).join(', '),
      'Name another network',
    )
  return best.names
}

/**
 * A network with the weights that another library's file has by its own names.
 * @param model the network as `fovea/models` makes it: only its shapes matter
 * @param names 'torchvision', 'timm' or 'keras'
 */
export function fromNames(model: Model, network: string, names: string, weights: ReadonlyMap<string, Weights>): Model {
  const scheme = schemeOf(network, names)
  const tensors = linksFor(model, scheme).map(({ ours, theirs, shape, view, order }) => {
    const found = weights.get(theirs) ?? fail(operation, `weight '${theirs}' is missing`, 'Name another network')
    if (!sameShape(found.shape, shape))
      fail(
        operation,
        `weight '${theirs}' is ${showShape(found.shape)}, not ${showShape(shape)}`,
        'Name another network',
      )
    const seen = order.map((axis) => view[axis])
    const inverse = order.map((_, axis) => order.indexOf(axis))
    const own = model.parameters.concat(model.state).find((variable) => variable.name === ours)!
    return [ours, { shape: own.shape, data: moved(found, seen, inverse).data as Float32Array }] as const
  })
  const rng = ['rng', { shape: [2], data: model.rng.read() }] as const
  const config = JSON.stringify(adapted(model.config, scheme))
  return loadModel(writeSafetensors([...tensors, rng], { fovea: config }))
}

/** Weights of one of our networks by another library's names and in its order of axes. */
export function toNames(model: Model, network: string, names: string): Map<string, Weights> {
  const scheme = schemeOf(network, names)
  const all = new Map([...model.parameters, ...model.state].map((v) => [v.name, { shape: v.shape, data: v.read() }]))
  const epsilons = epsOf(model.config)
  if (epsilons.some((eps) => eps !== scheme.eps))
    fail(
      operation,
      `batch normalisation has eps ${epsilons.find((eps) => eps !== scheme.eps)}, that of ${names} ${scheme.eps}`,
      `Make the model with eps ${scheme.eps}`,
    )
  return new Map(
    linksFor(model, scheme).map(({ ours, theirs, shape, view, order }) => {
      const { data } = moved(all.get(ours)!, view, order)
      return [theirs, { shape, data: data as Float32Array }]
    }),
  )
}

/** Every eps of batch normalisation in a model's description. */
function epsOf(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(epsOf)
  if (typeof value !== 'object' || value === null) return []
  const { layer, config } = value as { layer?: unknown; config?: unknown }
  if (layer === 'batchNorm' && Array.isArray(config)) return [(config[0] as { eps?: number } | undefined)?.eps ?? 1e-5]
  return Object.values(value).flatMap(epsOf)
}
