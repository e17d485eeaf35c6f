import { describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import { compile } from '../../src/compile.ts'
import {
  type Contraction,
  type ConvSpec,
  inputGradient,
  inputShape,
  kernelGradient,
  kernelShape,
  output,
  outputShape,
  parseSpec,
} from '../../src/conv/index.ts'
import { contract } from '../../src/graph/conv.ts'
import { add, conv, gradient, mul, relu, sum, type Tensor, Variable } from '../../src/graph/index.ts'
import { placeholder } from '../../src/graph/tensor.ts'
import { define, local } from '../../src/kernel/builder.ts'
import { binder } from '../../src/kernel/math.ts'
import { conv2d, sequential } from '../../src/nn/index.ts'
import { choose } from '../../src/plan/choose.ts'
import { cookToom } from '../../src/plan/cook-toom.ts'
import { amplification, printPlan, winogradError } from '../../src/plan/explain.ts'
import { namer } from '../../src/plan/names.ts'
import type { PlanFeatures } from '../../src/plan/types.ts'
import { constants, linear } from '../../src/plan/winograd-linear.ts'
import { blueprint } from '../../src/program/build.ts'
import { operandShapes } from '../support/operand-shapes.ts'
import { type FeatureName, featureSets, loadSteps, planSteps, skipped } from '../support/run-steps.ts'
import { winogradBound } from '../support/winograd-bound.ts'

const variants: [number, number][] = [
  [2, 3],
  [4, 3],
  [6, 3],
  [2, 5],
  [4, 5],
]

/** Of the gradient of the kernel: tiles of the output's gradient. */
const gradientNameOf = (m: number, k: number) => `winograd F(${k}x${k}, ${m}x${m})`

const nameOf = (m: number, k: number) => `winograd F(${m}x${m}, ${k}x${k})`

const normal = (shape: readonly number[], seed: number) => {
  const random = randomSource(seed)
  return Float32Array.from({ length: sizeOf(shape) }, () => random.normal())
}

describe('matrices', () => {
  const times = (matrix: readonly (readonly number[])[], values: readonly number[]) =>
    matrix.map((row) => row.reduce((total, factor, i) => total + factor * values[i]!, 0))

  test.each([...variants, ...variants.map(([m, k]): [number, number] => [k, m])])(
    'F(%i, %i) correlates',
    (outputs, taps) => {
      const t = cookToom(outputs, taps)
      const random = randomSource(outputs)
      const d = Array.from({ length: t.size }, () => random.normal())
      const g = Array.from({ length: taps }, () => random.normal())
      const [inputs, weights] = [times(t.inputTransform, d), times(t.kernelTransform, g)]
      const y = times(
        t.outputTransform,
        inputs.map((value, p) => value * weights[p]!),
      )
      y.forEach((value, j) => {
        expect(value).toBeCloseTo(
          g.reduce((total, weight, k) => total + weight * d[j + k]!, 0),
          10,
        )
      })
    },
  )

  test('errors grow with the tile: (8/3)^2, (22/3)^2, (203/9)^2 for 3x3', () => {
    const growth = [2, 4, 6].map((m) => amplification(cookToom(m, 3)))
    expect(growth).toEqual([expect.closeTo(8 / 3, 10), expect.closeTo(22 / 3, 10), expect.closeTo(203 / 9, 10)])
  })

  const operations = (matrix: readonly (readonly number[])[]) => {
    const name = namer()
    const { bind, statements } = binder(() => name('t'))
    const values = matrix[0]!.map((_, i) => local(define(`d${i}`, local('x', 'f32', 4)).name, 'f32', 4))
    const results = linear(matrix, values, bind, constants(name, 4))
    expect(results).toHaveLength(matrix.length)
    return statements.length
  }

  test('are multiplied with in as few operations as by hand', () => {
    const t = cookToom(4, 3)
    expect(operations(t.inputTransform)).toBe(12)
    expect(operations(t.outputTransform)).toBe(12)
    expect(operations(cookToom(2, 3).inputTransform)).toBe(4)
    expect(operations(cookToom(2, 3).outputTransform)).toBe(4)
  })
})

describe('choice', () => {
  const features: PlanFeatures = { ...featureSets.relaxed, precision: 'fast' }
  const answer = (text: string, contraction: Contraction = 'output', more: Partial<PlanFeatures> = {}) => {
    const { plan, refusals } = choose(contraction, parseSpec(text), { ...features, ...more })
    return { name: plan.algorithm, why: printPlan(plan), refused: refusals.map((r) => r.refused).join('; ') }
  }

  test.each([
    ['n1 28x28 c64 -> 64 k3 s2 p1', "stride 2x2 isn't 1"],
    ['n1 28x28 c64 -> 64 k3 p1 d2', "doesn't divide the padding"],
    ['n1 5x28 c64 -> 64 k3 p6 d6', 'dilation 6x6 exceeds the map'],
    ['n1 33x33 c64 -> 64 k3 p16 d16', 'of the direct time'],
    ['n1 28x28 c64 -> 64 k3 p1 g8', 'channels'],
    ['n1 28x28 c64 -> 64 k7 p3', 'kernel 7x7 is neither 3x3 nor 5x5'],
    ['n1 28x28 c64 -> 64 k3x5 p1', 'kernel 3x5 is neither 3x3 nor 5x5'],
    ['n1 300 c64 -> 64 k3 p1', "rank 1 isn't 2"],
    ['n1 56x56 c3 -> 64 k3 p1', 'channels'],
    ['n1 1x1 c64 -> 64 k3 p1', 'of the direct time'],
  ])('%s is refused: %s', (text, reason) => {
    const { name, refused } = answer(text)
    expect(name).toBe('implicit')
    expect(refused).toContain(reason)
  })

  test('by precision: never, tiles of 2, any', () => {
    const text = 'n1 56x56 c64 -> 64 k3 p1'
    expect(answer(text, 'output', { precision: 'direct' }).name).toBe('implicit')
    expect(answer(text, 'output', { precision: undefined }).name).toBe(nameOf(4, 3))
    expect(answer(text, 'output', { precision: 'high' }).name).toBe(nameOf(2, 3))
    expect(answer(text).name).toBe(nameOf(4, 3))
    expect(answer(text, 'inputGradient').name).toBe(nameOf(4, 3))
    expect(answer(text, 'kernelGradient').name).toBe(gradientNameOf(4, 3))
    expect(answer(text, 'kernelGradient', { precision: 'high' }).name).toBe(gradientNameOf(2, 3))
    expect(answer(text, 'kernelGradient', { precision: 'direct' }).name).toBe('implicit')
    expect(answer(text).why).toContain('rounding errors grow at most 54 times')
  })
})

/** A contraction's result with one algorithm, on one set of features, from float32 operands. */
async function run(
  contraction: Contraction,
  spec: ConvSpec,
  features: FeatureName,
  algorithm: string,
  given?: [Float32Array, Float32Array],
) {
  const shapes = operandShapes(contraction, spec)
  const operands = shapes.map(placeholder)
  const values = given ?? (shapes.map((shape, i) => normal(shape, i + 1)) as [Float32Array, Float32Array])
  const all = { ...featureSets[features], algorithm }
  const steps = planSteps([contract(contraction, spec, operands[0]!, operands[1]!)], all)
  const machine = skipped(features) ? 'interpreter' : 'wasm'
  const { values: results, damage } = (await loadSteps(steps, all, machine))(
    new Map(operands.map((operand, i) => [operand, values[i]!])),
  )
  expect(damage).toEqual([])
  expect(steps.steps.map((step) => step.plan?.algorithm)).toEqual([algorithm])
  return { result: results[0]!, values, plan: steps.steps[0]!.plan! }
}

const largest = (values: ArrayLike<number>) =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0)

describe('errors', () => {
  const shapes = ['n2 11x14 c18 -> 21', 'n2 9x14 c14 -> 18 g2', 'n3 19x16 c6 -> 10 d2x3']
  const cases = variants.flatMap(([m, k]) => shapes.map((shape): [number, number, string] => [m, k, shape]))

  test.each(cases)('of F(%i, %i) stay within both bounds: %s', async (m, k, shape) => {
    const spec = parseSpec(`${shape} k${k} ${shape.includes('d') ? 'p2x3' : 'p1'}`)
    for (const contraction of ['output', 'inputGradient', 'kernelGradient'] as const)
      for (const features of Object.keys(featureSets) as FeatureName[]) {
        const name = contraction === 'kernelGradient' ? gradientNameOf(m, k) : nameOf(m, k)
        const { result, values, plan } = await run(contraction, spec, features, name)
        const expected = { output, inputGradient, kernelGradient }[contraction](spec, ...values)
        const bound = winogradBound(contraction, spec, m, ...values)
        const most = winogradError(plan)! * largest(values[0]) * largest(values[1])
        expect(largest(result.map((value, i) => (value - expected[i]!) / bound[i]!))).toBeLessThanOrEqual(1)
        expect(largest(bound)).toBeLessThanOrEqual(most * 1.02)
      }
  })
})

test('a dilated convolution is one of each image of rows and columns that lie so far apart, bit for bit', async () => {
  const name = nameOf(4, 3)
  const dilated = parseSpec('n2 21x18 c20 -> 24 k3 p3x2 d3x2')
  const image = parseSpec('n2 7x9 c20 -> 24 k3 p1')
  const { result, values } = await run('output', dilated, 'relaxed', name)
  const [first, rows, columns] = [[1, 1], 7, 9] as const
  const places = Array.from({ length: 2 * rows * columns }, (_, i) => {
    const [n, y, x] = [Math.floor(i / rows / columns), Math.floor(i / columns) % rows, i % columns]
    return (n * 21 + 3 * y + first[0]) * 18 + 2 * x + first[1]
  })
  const part = (list: Float32Array, channels: number) =>
    Float32Array.from(places.flatMap((place) => [...list.subarray(place * channels, (place + 1) * channels)]))
  const alone = await run('output', image, 'relaxed', name, [part(values[0], 20), values[1]])
  expect(alone.result).toEqual(part(result, 24))
})

describe('in programs', () => {
  test.each(variants)('F(%i, %i): bias, residual and relu in its epilogue', async (m, k) => {
    const spec = parseSpec(`n2 9x10 c17 -> 19 k${k} p1`)
    const [x, w] = [inputShape(spec), kernelShape(spec)].map(placeholder) as [Tensor, Tensor]
    const [bias, residual] = [placeholder([spec.outChannels]), placeholder(outputShape(spec))]
    const features = { ...featureSets.simd, algorithm: nameOf(m, k) }
    const steps = planSteps([relu(add(add(contract('output', spec, x, w), bias), residual))], features)
    expect(steps.steps.map((step) => step.label)).toEqual(['output + add add max'])
    const tensors = [x, w, bias, residual]
    const data = tensors.map((t, i) => normal(t.shape, i + 1)) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ]
    const { values } = (await loadSteps(steps, features, 'wasm'))(new Map(tensors.map((t, i) => [t, data[i]!])))
    const expected = output(spec, data[0], data[1])
    const bound = winogradBound('output', spec, m, data[0], data[1])
    const parts = values[0]!.map((value, i) => {
      const whole = Math.max(0, expected[i]! + data[2][i % spec.outChannels]! + data[3][i]!)
      return (value - whole) / (bound[i]! + 4 * 2 ** -24 * (Math.abs(whole) + 8))
    })
    expect(largest(parts)).toBeLessThanOrEqual(1)
  })

  test('weights that are a variable are transformed once', () => {
    const x = placeholder([1, 20, 20, 32])
    const w = new Variable(normal([3, 3, 32, 32], 1), [3, 3, 32, 32])
    const { steady, calls, kernels } = blueprint([x], [conv(x, w.value)], [], {
      ...featureSets.simd,
      precision: 'fast',
    })
    const names = (list: typeof calls) => [...new Set(list.map(({ kernel }) => kernels[kernel]!.name))]
    expect(names(steady)).toEqual(['winogradWeights'])
    expect(names(calls)).toEqual(['winogradInput', 'winogradProduct', 'winogradOutput'])
  })

  test('intermediate results take 1 MB, or as much as the weights', () => {
    const features = { ...featureSets.simd, precision: 'fast' } as const
    for (const text of ['n1 224x224 c64 -> 64 k3 p1', 'n64 28x28 c64 -> 64 k3 p1', 'n1 56x56 c256 -> 256 k3 p1']) {
      const { scratch } = choose('output', parseSpec(text), features).plan
      const { packed, inputs, products } = scratch as { packed: number; inputs: number; products: number }
      expect(inputs + products).toBeLessThanOrEqual(1.2 * Math.max(packed, 2 ** 18))
    }
  })

  test('predict takes precision, and keeps a program for each', async () => {
    const model = sequential([20, 20, 16], [conv2d(16, 3)])
    const x = normal([20 * 20 * 16], 1)
    const direct = await model.predict(x, { precision: 'direct' })
    const fast = await model.predict(x)
    expect(fast).not.toEqual(direct)
    expect(largest(fast.map((value, i) => value - direct[i]!))).toBeLessThan(1e-4 * largest(direct))
    expect(await model.predict(x, { precision: 'direct' })).toEqual(direct)
  })

  test('a training step with precision fast is near the direct one', async () => {
    const shapes = [
      [2, 12, 12, 24],
      [3, 3, 24, 20],
    ] as const
    const loss = (x: Tensor, w: Tensor) => {
      const y = conv(x, w, { padding: 1 })
      return gradient(sum(mul(y, y)), [x, w])
    }
    const data = shapes.map((shape, i) => normal(shape, i + 1)) as [Float32Array, Float32Array]
    const direct = await compile(loss, shapes, { precision: 'direct' })(...data)
    const program = compile(loss, shapes, { precision: 'fast' })
    const algorithms = program.steps.flatMap((step) => (step.plan ? [step.plan.algorithm] : []))
    expect(algorithms.filter((name) => name.startsWith('winograd'))).toHaveLength(3)
    const fast = await program(...data)
    for (const [i, list] of fast.entries()) {
      const worst = largest(list!.map((value, at) => value - direct[i]![at]!))
      expect(worst).toBeGreaterThan(0)
      expect(worst / largest(direct[i]!)).toBeLessThan(1e-4)
    }
  })

  test('an unknown precision is an error', () => {
    const make = () => compile((x) => x, [[1]], { precision: 'quick' as never })
    expect(make).toThrow("compile: precision 'quick' is unknown. Use one of direct, high, fast")
  })
})
