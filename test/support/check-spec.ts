/** Compares the three contractions of one spec on every target with the float64 reference loops. */
import { type RandomSource, randomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import { multiplyAccumulates } from '../../src/conv/facts.ts'
import { inputGradient, kernelGradient, output } from '../../src/conv/reference.ts'
import { type Contraction, type ConvSpec, inputShape, kernelShape, outputShape } from '../../src/conv/spec.ts'
import { contract } from '../../src/graph/conv.ts'
import { placeholder, type Tensor } from '../../src/graph/tensor.ts'
import type { Step } from '../../src/program/steps.ts'
import { type FeatureName, featureSets, loadSteps, type Machine, planSteps, skipped } from './run-steps.ts'
import { dot, integers, tensor } from './tensors.ts'
import { winogradBound } from './winograd-bound.ts'

export const contractions: readonly Contraction[] = ['output', 'inputGradient', 'kernelGradient']

export interface Finding {
  readonly contraction: string
  readonly where: string
  readonly problem: string
}

type Visit = (step: Step, features: FeatureName) => void

interface Operands {
  readonly x: Float64Array
  readonly w: Float64Array
  readonly g: Float64Array
}

function draw(spec: ConvSpec, random: RandomSource, whole: boolean): Operands {
  const one = (shape: number[]) => (whole ? integers(random, shape) : tensor(shape, () => Math.fround(random.normal())))
  return { x: one(inputShape(spec)), w: one(kernelShape(spec)), g: one(outputShape(spec)) }
}

/** The three by the definition, in the order of `contractions`. */
const reference = (spec: ConvSpec, { x, w, g }: Operands): Float64Array[] => [
  output(spec, x, w),
  inputGradient(spec, g, w),
  kernelGradient(spec, x, g),
]

/** Terms of the longest sum of each contraction. */
const lengths = (spec: ConvSpec): number[] => {
  const taps = sizeOf(spec.kernel) / spec.groups
  return [taps * spec.inChannels, taps * spec.outChannels, spec.batch * sizeOf(spec.output)]
}

const epsilon = 2 ** -24

/** K * eps * sum |a * b| for each element, K = terms + 2. */
function bounds(spec: ConvSpec, { x, w, g }: Operands): Float64Array[] {
  const sums = reference(spec, { x: x.map(Math.abs), w: w.map(Math.abs), g: g.map(Math.abs) })
  return sums.map((list, i) => list.map((sum) => (lengths(spec)[i]! + 2) * epsilon * sum))
}

function firstOutside(actual: ArrayLike<number>, expected: ArrayLike<number>, bound?: ArrayLike<number>) {
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!)
    if (!(error <= (bound?.[i] ?? 0)))
      return `element ${i} is ${actual[i]}, should be ${expected[i]}${bound ? ` +- ${bound[i]}` : ''}`
  }
  return undefined
}

const sameBits = (a: Float32Array, b: Float32Array) => {
  const [x, y] = [new Uint32Array(a.buffer), new Uint32Array(b.buffer)]
  return x.every((bits, i) => bits === y[i])
}

interface Case {
  readonly data: Operands
  readonly expected: Float64Array[]
  /** Of each contraction; where there is none, results must be exact. */
  readonly bounds?: readonly (Float64Array | undefined)[]
}

function problemIn({ data, expected, bounds }: Case, values: readonly Float32Array[]): [string, string] | undefined {
  for (const [i, contraction] of contractions.entries()) {
    const problem = firstOutside(values[i]!, expected[i]!, bounds?.[i])
    if (problem) return [contraction, problem]
  }
  if (bounds) return undefined
  const [y, dx, dw] = values as [Float32Array, Float32Array, Float32Array]
  const sums = [dot(y, data.g), dot(data.x, dx), dot(data.w, dw)]
  return sums.every((sum) => sum === sums[0]) ? undefined : ['all', `<y, g>, <x, dx>, <w, dw> are ${sums}`]
}

/** The three contractions as tensors of the placeholders x, w and g. */
export function trilinear(spec: ConvSpec) {
  const [x, w, g] = [inputShape(spec), kernelShape(spec), outputShape(spec)].map(placeholder) as [
    Tensor,
    Tensor,
    Tensor,
  ]
  return {
    x,
    w,
    g,
    roots: [
      contract('output', spec, x, w),
      contract('inputGradient', spec, g, w),
      contract('kernelGradient', spec, x, g),
    ],
  }
}

/** Runs one spec with one set of features on both machines. `visit` gets the steps. */
async function checkFeatures(
  spec: ConvSpec,
  name: FeatureName,
  cases: readonly Case[],
  visit: Visit,
  algorithm?: string,
): Promise<Finding | undefined> {
  // a cache of nothing makes chunks as small as they can be
  const cache = spec.batch > 1 ? 0 : 4096
  const features = { ...featureSets[name], ...((algorithm || spec.input[0]! % 2 === 0) && { algorithm, cache }) }
  const { x, w, g, roots } = trilinear(spec)
  const steps = planSteps(roots, features)
  for (const step of steps.steps) visit(step, name)
  const machines: Machine[] = skipped(name) ? ['interpreter'] : ['wasm', 'interpreter']
  const results: Float32Array[][] = []
  for (const machine of machines) {
    const run = await loadSteps(steps, features, machine)
    for (const [n, one] of cases.entries()) {
      const feeds = new Map([
        [x, one.data.x],
        [w, one.data.w],
        [g, one.data.g],
      ])
      const { values, damage } = run(feeds)
      const where = `${algorithm ? `${algorithm}, ` : ''}${name} on ${machine}, ${one === cases[0] ? 'integers' : 'reals'}`
      if (damage.length > 0) return { contraction: 'one of the three', where, problem: damage.join('; ') }
      const found = problemIn(one, values)
      if (found) return { contraction: found[0], where, problem: found[1] }
      const before = results[n]
      results[n] = [...values]
      const differs = before ? values.findIndex((list, i) => !sameBits(list, before[i]!)) : -1
      if (differs >= 0)
        return { contraction: contractions[differs]!, where, problem: 'wasm and interpreter differ in some bit' }
    }
  }
  return undefined
}

/** Names of Winograd's algorithms that take the spec, with the outputs of their tiles. */
function winogradNames(spec: ConvSpec): [string, number][] {
  const { rank, kernel, stride, dilation, groups } = spec
  const plain = rank === 2 && groups === 1 && [...stride, ...dilation].every((n) => n === 1)
  const depthwise = groups === spec.inChannels && spec.outChannels === groups
  const [k] = kernel
  // each variant runs as often as all else together: large specs go without
  if (multiplyAccumulates(spec) > 300_000) return []
  if (!plain || depthwise || kernel[1] !== k || (k !== 3 && k !== 5)) return []
  return (k === 3 ? [2, 4, 6] : [2, 4]).flatMap((m): [string, number][] => [
    [`winograd F(${m}x${m}, ${k}x${k})`, m],
    [`winograd F(${k}x${k}, ${m}x${m})`, m],
  ])
}

/**
 * The same cases with the bounds of one of Winograd's algorithms, F(step x step, k x k) or for the gradient of the
 * kernel F(k x k, step x step): integers too, for its matrices hold fractions.
 */
function winogradCases(spec: ConvSpec, cases: readonly Case[], name: string, step: number): Case[] {
  const forwards = name.includes(`F(${step}`)
  return cases.map(({ data, expected, bounds }) => {
    const [plainOutput, plainInput, plainKernel] = bounds ?? []
    const { x, w, g } = data
    return {
      data,
      expected,
      bounds: [
        forwards ? winogradBound('output', spec, step, x, w) : plainOutput,
        forwards ? winogradBound('inputGradient', spec, step, g, w) : plainInput,
        forwards ? plainKernel : winogradBound('kernelGradient', spec, step, x, g),
      ],
    }
  })
}

/** The first thing wrong with a spec, or nothing. */
export async function checkSpec(spec: ConvSpec, seed: number, visit: Visit = () => {}): Promise<Finding | undefined> {
  const random = randomSource(seed)
  const [whole, real] = [draw(spec, random, true), draw(spec, random, false)]
  const cases: Case[] = [
    { data: whole, expected: reference(spec, whole) },
    { data: real, expected: reference(spec, real), bounds: bounds(spec, real) },
  ]
  const all: [string | undefined, readonly Case[]][] = [
    [undefined, cases],
    ...winogradNames(spec).map(([name, m]): [string, Case[]] => [name, winogradCases(spec, cases, name, m)]),
  ]
  for (const [algorithm, list] of all)
    for (const name of Object.keys(featureSets) as FeatureName[]) {
      try {
        const finding = await checkFeatures(spec, name, list, visit, algorithm)
        if (finding) return finding
      } catch (error) {
        return { contraction: 'one of the three', where: name, problem: (error as Error).message }
      }
    }
  return undefined
}
