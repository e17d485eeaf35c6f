import { type ConvSpec, convSpec, multiplyAccumulates, parameterCount } from 'fovea/conv'
import type { Fact, Frame, View } from '../shared/frame.ts'
import { counted, decimals, grouped } from '../shared/numbers.ts'
import type { ChannelState } from './state.ts'

/** One convolution of a design. */
export interface Layer {
  readonly name: string
  readonly spec: ConvSpec
  readonly parameters: number
  readonly macs: number
}

/** Layers that do one job, and what they cost together. */
export interface Design {
  readonly name: string
  readonly layers: readonly Layer[]
  readonly parameters: number
  readonly macs: number
}

function layer(name: string, state: ChannelState, k: number, co: number, groups: number): Layer {
  const { ci, n, bias } = state
  const spec = convSpec([1, n, n, ci], [k, k, ci / groups, co], { padding: 'same', groups })
  return { name, spec, parameters: parameterCount(spec) + (bias ? co : 0), macs: multiplyAccumulates(spec) }
}

function design(name: string, layers: readonly Layer[]): Design {
  const total = (of: (layer: Layer) => number) => layers.reduce((sum, one) => sum + of(one), 0)
  return { name, layers, parameters: total((one) => one.parameters), macs: total((one) => one.macs) }
}

/** What k by k with so many groups is called. */
export function spatialName({ ci, k, g }: ChannelState): string {
  if (k === 1) return g === 1 ? 'pointwise' : `1×1, ${g} groups`
  if (g === 1) return `${k}×${k}`
  return g === ci ? `${k}×${k} depthwise` : `${k}×${k}, ${g} groups`
}

/** The standard layer and the one chosen. */
export function designs(state: ChannelState): { standard: Design; chosen: Design } {
  const { co, k, ci, g, pw } = state
  const standard = design(`standard ${k}×${k}`, [layer(`${k}×${k}`, state, k, co, 1)])
  const spatial = spatialName(state)
  if (!pw) return { standard, chosen: design(spatial, [layer(spatial, state, k, co, g)]) }
  const layers = [layer(spatial, state, k, ci, g), layer('1×1 pointwise', state, 1, co, 1)]
  return { standard, chosen: design(`${spatial}, then 1×1`, layers) }
}

/** Weights between each output (row) and input (column); NaN where there are none. */
export function connections({ spec }: Pick<Layer, 'spec'>): Float32Array {
  const { inChannels, outChannels, groups, kernel } = spec
  const weights = kernel.reduce((product, size) => product * size, 1)
  const values = new Float32Array(inChannels * outChannels).fill(NaN)
  for (let o = 0; o < outChannels; o++) {
    const group = Math.floor(o / (outChannels / groups))
    const first = group * (inChannels / groups)
    values.fill(weights, o * inChannels + first, o * inChannels + first + inChannels / groups)
  }
  return values
}

/** Inputs of the design that each of its outputs depends on: all of them, or one group's. */
export function reach({ layers }: Design): number {
  return layers.some(({ spec }) => spec.groups === 1)
    ? layers[0]!.spec.inChannels
    : layers[0]!.spec.inChannels / layers[0]!.spec.groups
}

const matrix = (name: string, title: string, one: Layer, limit: number): View => ({
  name,
  title,
  rows: one.spec.outChannels,
  columns: one.spec.inChannels,
  values: connections(one),
  scale: 'signed',
  limit,
})

/** `231 211 008 = 56² · 3² · 64 · 128` */
function macsText({ spec, macs }: Layer): string {
  const { input, kernel, inChannels, groups, outChannels } = spec
  const within = groups === 1 ? `${inChannels}` : `${inChannels}/${groups}`
  return `${input[0]}²·${kernel[0]}²·${within}·${outChannels} = ${counted(macs)}`
}

function parametersText({ spec, parameters }: Layer, bias: boolean): string {
  const { kernel, inChannels, groups, outChannels } = spec
  const within = groups === 1 ? `${inChannels}` : `${inChannels}/${groups}`
  return `${kernel[0]}²·${within}·${outChannels}${bias ? ` + ${outChannels}` : ''} = ${grouped(parameters)}`
}

/** How many times less, for a sentence. */
export function ratioText(standard: number, chosen: number): string {
  const ratio = standard / chosen
  if (Math.abs(ratio - 1) < 0.005) return 'the same'
  return ratio > 1 ? `${decimals(ratio, 2)} times less` : `${decimals(1 / ratio, 2)} times more`
}

/** 1/(1/O + 1/k²), the rule for depthwise and pointwise (Howard et al. 2017, section 3.1), where it holds. */
function rule({ g, ci, co, k, pw }: ChannelState, ratio: number): string {
  if (!pw || g !== ci) return `${decimals(ratio, 2)}`
  return `1/(1/${co} + 1/${k}²) = ${decimals(ratio, 2)}`
}

export function facts(state: ChannelState): Fact[] {
  const { standard, chosen } = designs(state)
  const layers = [...standard.layers, ...chosen.layers]
  const unique = layers.filter((one, i) => layers.findIndex((other) => other.name === one.name) === i)
  const costs = unique.map((one) => ({
    name: one.name,
    text: `${parametersText(one, state.bias)} parameters; ${macsText(one)} multiply-adds`,
  }))
  const biases = `one in each layer, ${state.ci} + ${state.co}; Keras's SeparableConv2D has only the last ${state.co}`
  return [
    ...costs,
    { name: 'saved', text: `multiply-adds: × ${rule(state, standard.macs / chosen.macs)}` },
    { name: 'an output depends on', text: `${reach(chosen)} of ${state.ci} inputs` },
    ...(state.bias && state.pw ? [{ name: 'biases', text: biases }] : []),
  ]
}

function answerText(state: ChannelState): string {
  const { standard, chosen } = designs(state)
  const [parameters, macs] = [ratioText(standard.parameters, chosen.parameters), ratioText(standard.macs, chosen.macs)]
  const cost =
    parameters === macs ? `weights and multiply-adds: ${macs}` : `weights: ${parameters}; multiply-adds: ${macs}`
  return `${cost}${macs === 'the same' ? ' as' : ' than'} ${standard.name}.`
}

export function model(state: ChannelState): Frame {
  const { standard, chosen } = designs(state)
  const limit = state.k * state.k
  const names = ['spatial', 'pointwise']
  const seen = reach(chosen)
  return {
    views: [
      matrix('standard', standard.name, standard.layers[0]!, limit),
      ...chosen.layers.map((one, i) => matrix(names[i]!, one.name, one, limit)),
    ],
    answer: { name: `${chosen.name}:`, text: answerText(state) },
    facts: facts(state),
    speak:
      `${chosen.name}: ${grouped(chosen.parameters)} parameters, ${ratioText(standard.parameters, chosen.parameters)} than standard; ` +
      `${counted(chosen.macs)} multiply-adds, ${ratioText(standard.macs, chosen.macs)}. ` +
      `Each output depends on ${seen} of ${state.ci} inputs.`,
  }
}

/** What a cell of a matrix says: "output 5 reads input 3 through 9 weights". */
export function readingOf(state: ChannelState, view: string, { row, column }: { row: number; column: number }): string {
  const { standard, chosen } = designs(state)
  const one = view === 'standard' ? standard.layers[0]! : chosen.layers[view === 'pointwise' ? 1 : 0]!
  const { inChannels, groups } = one.spec
  const weights = connections(one)[row * inChannels + column]!
  const within = inChannels / groups
  const first = Math.floor(row / (one.spec.outChannels / groups)) * within
  const inputs = within === 1 ? `input ${first}` : `inputs ${first} to ${first + within - 1}`
  const what = Number.isNaN(weights)
    ? `doesn't read input ${column}`
    : `reads input ${column} through ${grouped(weights)} weight${weights === 1 ? '' : 's'}`
  return `${one.name}: output ${row} ${what}. It reads ${inputs}.`
}
