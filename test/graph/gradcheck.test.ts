import { expect, test } from 'vitest'
import { FoveaError } from '../../src/base/errors.ts'
import { randomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import {
  add,
  conv,
  exp,
  fill,
  floor,
  gradcheck,
  maxPool,
  mul,
  placeholder,
  relu,
  sqrt,
  sum,
  type Tensor,
  tensor,
  Variable,
} from '../../src/graph/index.ts'
import { conv2d, sequential } from '../../src/nn/index.ts'
import { runContext } from '../../src/nn/layer.ts'

const random = randomSource(5)
const normal = (shape: number[]) =>
  tensor(
    Array.from({ length: sizeOf(shape) }, () => random.normal()),
    shape,
  )

test('right gradients pass: a convolution with a bias and max pooling, by each input', () => {
  const fn = (x: Tensor, w: Tensor, b: Tensor) => maxPool(add(conv(x, w, { padding: 'same', stride: 2 }), b), 2)
  const report = gradcheck(fn, [normal([1, 8, 9, 2]), normal([3, 3, 2, 3]), normal([3])])
  expect(report.passed).toBe(true)
  expect(report.entries).toHaveLength(8 * 9 * 2 + 54 + 3)
  expect(report.entries.filter(({ analytic }) => analytic !== 0).length).toBeGreaterThan(100)
  expect(report.entries[0]!.relativeError).toBeLessThan(1e-7)
  expect(String(report)).toMatch(/^all 201 derivatives agree with differences \(relative error up to 0\.00001\)\n/)
})

test('weights of a model are inputs too, and keep their values', () => {
  const model = sequential([4, 4, 1], [conv2d(2, 3, { activation: 'tanh' })], { seed: 3 })
  const before = model.parameters.map((parameter) => [...parameter.read()])
  const run = runContext(true, tensor([0, 0]))
  const x = normal([2, 4, 4, 1])
  const report = gradcheck(() => model.apply(x, run), model.parameters)
  expect(report.passed).toBe(true)
  expect(new Set(report.entries.map(({ name }) => name))).toEqual(new Set(model.parameters.map(({ name }) => name)))
  expect(model.parameters.map((parameter) => [...parameter.read()])).toEqual(before)
})

test('a corner is found: relu at 0 has the derivative 0, differences say 1/2', () => {
  const fn = (x: Tensor) => sum(mul(relu(x), 3))
  const report = gradcheck(fn, [tensor([1, -1, 0, 2, 0.5, -2], [2, 3])], { throws: false })
  expect(report.passed).toBe(false)
  expect(report.entries[0]).toMatchObject({ input: 0, name: 'input 0', index: [0, 2], analytic: 0 })
  expect(report.entries[0]!.relativeError).toBeCloseTo(1, 9)
  expect(report.entries[0]!.numeric).toBeCloseTo(1.5, 8)
  expect(report.entries.slice(1).every(({ relativeError }) => relativeError < 1e-9)).toBe(true)
  expect(String(report).split('\n').slice(0, 3)).toEqual([
    '1 of 6 derivatives differ from differences by more than 0.00001',
    '  input    index   analytic   numeric    relative error  why',
    '  input 0  [0, 2]  0.0000000  1.5000000  1.0e+0          at a corner',
  ])
  expect(() => gradcheck(fn, [fill([2], 0)])).toThrow(FoveaError)
  expect(() => gradcheck(fn, [fill([2], 0)])).toThrow(
    /^gradcheck: 2 of 2 derivatives differ(.|\n)*\n2 at a corner or jump .*: move these inputs/,
  )
})

test('corners are told from wrong derivatives, and only those that differ are listed', () => {
  // a corner within the step, a jump, and two places without
  const fn = (x: Tensor) => add(relu(x), floor(x))
  const report = gradcheck(fn, [tensor([0.00002, 2, 0.5, -0.5])], { throws: false })
  const corners = report.entries.filter(({ corner }) => corner)
  expect(corners.map(({ index }) => index[0]).sort()).toEqual([0, 1])
  const lines = String(report).split('\n')
  expect(lines).toHaveLength(5)
  expect(lines[4]).toBe('2 at a corner or jump (relu at 0, equal maxima, floor): move these inputs away from it.')
  // x in steps that are too fine for differences to see, each of them flat
  const flat = gradcheck((x) => mul(floor(mul(x, 1e9)), 1e-9), [tensor([1.5])], { throws: false })
  expect(flat.entries[0]!.corner).toBe(false)
  expect(String(flat)).toMatch(/ wrong\n1 where the function is smooth: there the derivative is wrong/)
})

test('a derivative that is infinite or not a number is worst, and hides no other', () => {
  const report = gradcheck((x) => sqrt(relu(x)), [tensor([4, 0, 9])], { throws: false })
  expect(report.passed).toBe(false)
  expect(report.entries[0]!.index).toEqual([1])
  expect(report.entries.slice(1).map(({ relativeError }) => relativeError < 1e-7)).toEqual([true, true])
  expect(report.entries.slice(1).every(({ analytic }) => analytic !== 0)).toBe(true)
})

test('of large inputs a sample is checked, the same for the same seed', () => {
  const check = (seed: number) => gradcheck((x) => mul(x, x), [normal([40, 10])], { samples: 7, seed })
  const indices = (seed: number) =>
    check(seed)
      .entries.map(({ index }) => index.join())
      .sort()
  expect(indices(1)).toHaveLength(7)
  expect(new Set(indices(1)).size).toBe(7)
  expect(indices(1)).toEqual(indices(1))
  expect(indices(1)).not.toEqual(indices(2))
})

test('only the worst ten are printed', () => {
  const lines = String(gradcheck((x) => mul(x, x), [new Variable(new Float32Array(12).fill(2), [12], 'w')])).split('\n')
  expect(lines).toHaveLength(13)
  expect(lines[2]).toMatch(/^ {2}w +\[\d+\] +-?\d/)
  expect(lines[12]).toBe('  and 2 better ones')
})

test.each<[string, () => unknown, string]>([
  ['no inputs', () => gradcheck(() => fill([], 0), []), 'gradcheck: no inputs. Give'],
  ['an input without numbers', () => gradcheck((x) => x, [placeholder([2])]), "input 0 is the result of 'placeholder'"],
  ['no tensor', () => gradcheck(() => 3 as unknown as Tensor, [fill([2], 0)]), 'the function returned 3. Return one'],
  [
    'no finite value',
    () => gradcheck((x) => exp(x), [tensor([1, 1000])]),
    'at these inputs. Choose where it is finite',
  ],
  ['step', () => gradcheck((x) => x, [fill([2], 0)], { step: 0 }), 'step is 0, but must be a number above 0'],
  ['tolerance', () => gradcheck((x) => x, [fill([2], 0)], { tolerance: NaN }), 'tolerance is NaN'],
  ['samples', () => gradcheck((x) => x, [fill([2], 0)], { samples: 0.5 }), 'samples is 0.5'],
])('refuses: %s', (_, call, message) => {
  expect(call).toThrow(message)
})
