import { fail } from '../base/errors.ts'
import { randomSource } from '../base/random.ts'
import { sizeOf } from '../base/shape.ts'
import {
  type Contraction,
  type ConvSpec,
  explainOutput,
  inputGradient,
  inputShape,
  kernelGradient,
  kernelShape,
  multiplyAccumulates,
  output,
  outputShape,
  parameterCount,
  parseLayer,
  printSpec,
} from '../conv/index.ts'
import { contract } from '../graph/conv.ts'
import { placeholder, Variable } from '../graph/tensor.ts'
import { printKernel } from '../kernel/print.ts'
import { printPlan, winogradError } from '../plan/explain.ts'
import { type Precision, precisions } from '../plan/types.ts'
import { blueprint } from '../program/build.ts'
import { type Executable, load } from '../program/engine.ts'
import type { Blueprint } from '../program/layout.ts'
import { measurePeak, measureSteps } from '../program/measure.ts'
import { features } from '../program/state.ts'
import { printWat } from '../targets/wasm/assemble.ts'
import { emitFunctions } from '../targets/wasm/emit.ts'
import { printCandidates } from './candidates.ts'

const stages = ['spec', 'plan', 'candidates', 'kernel', 'wat'] as const
const contractions: readonly Contraction[] = ['output', 'inputGradient', 'kernelGradient']

export interface ConvCommand {
  /** Stages to print, separated by commas. */
  readonly show?: string
  /** Which of the three contractions; default all, of a transposed layer its own. */
  readonly operation?: string
  /** How much rounding error is allowed: direct, high or fast. */
  readonly precision?: Precision
  /** The Fourier transform is among the candidates. */
  readonly fft?: boolean
  readonly check?: boolean
  readonly time?: boolean
}

const references = { output, inputGradient, kernelGradient }
const operandShapes = {
  output: (spec: ConvSpec) => [inputShape(spec), kernelShape(spec)],
  inputGradient: (spec: ConvSpec) => [outputShape(spec), kernelShape(spec)],
  kernelGradient: (spec: ConvSpec) => [inputShape(spec), outputShape(spec)],
}

/** Shows every stage of one convolution: spec, plan, kernels, WebAssembly text; checks and times it. */
export async function convCommand(text: string, options: ConvCommand, print: (line: string) => void): Promise<boolean> {
  const { spec, operation } = parseLayer(text)
  const only = options.operation ?? (operation === 'output' ? undefined : operation)
  const show = (options.show ?? 'spec,plan').split(',').filter(Boolean)
  for (const stage of show)
    if (!stages.includes(stage as never)) fail('conv', `stage '${stage}' is unknown`, `Use ${stages.join(', ')}`)
  if (options.operation && !contractions.includes(options.operation as Contraction))
    fail('conv', `operation '${options.operation}' is unknown`, `Use ${contractions.join(', ')}`)
  if (options.precision && !precisions.includes(options.precision))
    fail('conv', `precision '${options.precision}' is unknown`, `Use ${precisions.join(', ')}`)
  if (options.fft) await import('../fft.ts')
  const planFeatures = { ...features(), precision: options.precision }
  if (show.includes('spec')) printSpecStage(spec, print)
  const peak = options.time ? await measurePeak() : 0
  if (options.time) {
    const { relaxed, lanes } = features()
    print(`peak       ${peak.toFixed(1)} GFLOP/s multiply-adds, one thread (${lanes} lanes, relaxed SIMD ${relaxed})`)
  }
  let right = true
  for (const contraction of contractions) {
    if (only && only !== contraction) continue
    print(`\n== ${contraction}`)
    const values = randomOperands(contraction, spec)
    const a = placeholder(operandShapes[contraction](spec)[0]!)
    // weights are a variable, as in a model: what depends on them alone isn't counted
    const [inputs, b] =
      contraction === 'kernelGradient'
        ? [[a, placeholder(outputShape(spec))], undefined]
        : [[a], new Variable(values[1], kernelShape(spec))]
    const plan = blueprint(inputs, [contract(contraction, spec, a, b?.value ?? inputs[1]!)], [], planFeatures)
    showPlan(plan, show, print)
    if (show.includes('candidates')) {
      const shapes = operandShapes[contraction](spec)
      await printCandidates(contraction, spec, planFeatures, { shapes, peak: options.time ? peak : undefined }, print)
    }
    if (!options.check && !options.time) continue
    const executable = await load(plan, 'wasm')
    const [result] = await executable.run(values.slice(0, inputs.length))
    const wrong = !isRight(contraction, spec, executable, values, result!, print)
    right &&= !wrong
    if (options.time) printTimes(spec, executable, peak, print)
  }
  return right
}

function printSpecStage(spec: ConvSpec, print: (line: string) => void): void {
  print(`spec       ${printSpec(spec)}`)
  explainOutput(spec).forEach((formula, axis) => {
    print(`output ${axis}   ${formula}`)
  })
  print(`shapes     x [${inputShape(spec)}], w [${kernelShape(spec)}], y [${outputShape(spec)}]`)
  print(`parameters ${parameterCount(spec)}, multiply-adds ${multiplyAccumulates(spec)}`)
}

function showPlan(plan: Blueprint, show: readonly string[], print: (line: string) => void): void {
  for (const step of plan.steps)
    if (show.includes('plan'))
      print(`step       ${step.label}${step.plan ? `: ${printPlan(step.plan)}` : ''} (${step.calls.length} kernels)`)
  if (show.includes('plan')) print(`arena      ${plan.arenaBytes} bytes`)
  if (show.includes('kernel')) for (const kernel of plan.kernels) print(printKernel(kernel))
  if (show.includes('wat')) print(printWat(emitFunctions(plan.kernels, features())))
}

function randomOperands(contraction: Contraction, spec: ConvSpec): [Float32Array, Float32Array] {
  const random = randomSource(1)
  const [a, b] = operandShapes[contraction](spec).map((shape) =>
    Float32Array.from({ length: sizeOf(shape) }, () => random.normal()),
  )
  return [a!, b!]
}

const largest = (values: Float32Array | Float64Array): number => {
  let most = 0
  for (const value of values) most = Math.max(most, Math.abs(value))
  return most
}

/**
 * Compares with the float64 reference; the bound is K * eps * sum|x * w| for a sum of K terms, or what the plan's
 * algorithm says.
 */
function isRight(
  contraction: Contraction,
  spec: ConvSpec,
  { blueprint: { steps } }: Executable,
  [a, b]: readonly [Float32Array, Float32Array],
  result: Float32Array,
  print: (line: string) => void,
): boolean {
  const grown = winogradError(steps.at(-1)!.plan!)
  const expected = references[contraction](spec, a, b)
  const sizes = references[contraction](spec, a.map(Math.abs), b.map(Math.abs))
  const terms = references[contraction](
    spec,
    a.map(() => 1),
    b.map(() => 1),
  )
  const scale = largest(a) * largest(b)
  let error = 0
  let worst = 0
  expected.forEach((value, i) => {
    const bound = (grown ? grown * scale : (terms[i]! + 2) * 2 ** -24 * sizes[i]!) + 1e-30
    error = Math.max(error, Math.abs(result[i]! - value))
    worst = Math.max(worst, Math.abs(result[i]! - value) / bound)
  })
  const relative = (error / largest(expected)).toExponential(1)
  print(
    `check      largest error ${relative} of the largest result, ${worst.toPrecision(2)} of the bound` +
      `${worst <= 1 ? '' : '  WRONG'}`,
  )
  return worst <= 1
}

function printTimes(spec: ConvSpec, executable: Executable, peak: number, print: (line: string) => void): void {
  const timings = measureSteps(executable)
  timings.forEach((timing, i) => {
    const { label } = executable.blueprint.steps[i]!
    print(`time       ${timing.median.toFixed(4)} ms (min ${timing.min.toFixed(4)})  ${label}`)
  })
  const total = timings.reduce((sum, timing) => sum + timing.median, 0)
  const speed = (2 * multiplyAccumulates(spec)) / total / 1e6
  print(`total      ${total.toFixed(4)} ms, ${speed.toFixed(1)} GFLOP/s, ${((100 * speed) / peak).toFixed(0)}% of peak`)
}
