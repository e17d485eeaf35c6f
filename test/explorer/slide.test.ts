import { describe, expect, test } from 'vitest'
import { slideCode } from '../../explorer/slide/code.ts'
import { slideModel } from '../../explorer/slide/model.ts'
import { type SlideState, slidePresets, slideSchema } from '../../explorer/slide/state.ts'
import { randomSource } from '../../src/base/random.ts'
import * as fovea from '../../src/index.ts'

const stateOf = (fragment: string): SlideState => slideSchema.read(fragment).state
const viewOf = (state: SlideState, name: string) => slideModel(state).views.find((view) => view.name === name)!

/** The definition, once more and as plainly as can be. */
function naive({ X, K, b, s, p, f }: SlideState): number[] {
  const [rows, columns] = [K.length, K[0]!.length]
  const [high, wide] = [
    Math.floor((X.length + 2 * p - rows) / s) + 1,
    Math.floor((X[0]!.length + 2 * p - columns) / s) + 1,
  ]
  const y: number[] = []
  for (let r = 0; r < high; r++)
    for (let c = 0; c < wide; c++) {
      let sum = b
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++)
          sum += (X[r * s + i - p]?.[c * s + j - p] ?? 0) * (f ? K[rows - 1 - i]![columns - 1 - j]! : K[i]![j]!)
      y.push(sum)
    }
  return y
}

describe('by chance', () => {
  const random = randomSource(3)
  const states = Array.from({ length: 200 }, () => slideSchema.random(random)).filter(
    (state) => slideModel(state).problem === undefined,
  )

  test('the output is the sum of the products, for each output', () => {
    expect(states.length).toBeGreaterThan(60)
    for (const state of states) {
      const expected = naive(state)
      const { values } = viewOf(state, 'output')
      expect(values.length).toBe(expected.length)
      expected.forEach((value, i) => {
        expect(values[i]).toBeCloseTo(value, 6)
      })
      const sum = Array.from(viewOf(state, 'products').values).reduce((a, v) => a + v, state.b)
      expect(sum).toBeCloseTo(expected[state.n]!, 6)
    }
  })

  test('what flows back is what one more in an input or a weight changes', () => {
    for (const state of states.slice(0, 20)) {
      const total = (changed: SlideState) => {
        const y = naive(changed)
        return state.g === 'all' ? y.reduce((a, v) => a + v, 0) : y[state.n]!
      }
      const bumped = (matrix: SlideState['X'], row: number, column: number) =>
        matrix.map((cells, r) => cells.map((value, c) => value + (r === row && c === column ? 1 : 0)))
      const dx = viewOf(state, 'input-gradient').values
      state.X.forEach((cells, r) => {
        cells.forEach((_, c) => {
          const change = total({ ...state, X: bumped(state.X, r, c) }) - total(state)
          expect(dx[r * cells.length + c]).toBeCloseTo(change, 4)
        })
      })
      const dw = viewOf(state, 'kernel-gradient').values
      const [rows, columns] = [state.K.length, state.K[0]!.length]
      state.K.forEach((cells, r) => {
        cells.forEach((_, c) => {
          const [i, j] = state.f ? [rows - 1 - r, columns - 1 - c] : [r, c]
          const change = total({ ...state, K: bumped(state.K, r, c) }) - total(state)
          expect(dw[i * columns + j]).toBeCloseTo(change, 4)
        })
      })
    }
  })
})

test('one dot: sliding writes the kernel turned round, true convolution upright', () => {
  const around = (name: string) => {
    const state = stateOf(slidePresets.find((preset) => preset.name === name)!.fragment)
    const { values, columns } = viewOf(state, 'output')
    return [1, 2, 3].flatMap((r) => [1, 2, 3].map((c) => values[r * columns + c]!))
  }
  expect(around('one dot')).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1])
  expect(around('true convolution')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('a kernel that does not fit is explained', () => {
  expect(slideModel(stateOf('X=1,2;3,4')).problem).toMatch(/larger than the padded input/)
})

describe('the code', () => {
  test.each(slidePresets.map(({ name, fragment }) => [name, fragment]))(
    '%s: fovea prints the numbers drawn',
    async (_, fragment) => {
      const state = { ...stateOf(fragment), g: 'all' as const }
      const printed: number[][] = []
      const console = { log: (...values: ArrayLike<number>[]) => printed.push(...values.map((v) => Array.from(v))) }
      const body = slideCode(state).fovea.replace(/^import .*$/m, '')
      const names = ['add', 'conv', 'gradient', 'sum', 'tensor', 'Variable'] as const
      const run = new Function(...names, 'console', `return (async () => {${body}})()`)
      await run(fovea.add, fovea.conv, fovea.gradient, fovea.sum, fovea.tensor, fovea.Variable, console)
      const expected = ['output', 'input-gradient', 'kernel-gradient'].map((name) =>
        Array.from(viewOf(state, name).values),
      )
      expect(printed).toHaveLength(3)
      printed.forEach((values, i) => {
        expect(values).toHaveLength(expected[i]!.length)
        values.forEach((value, k) => {
          expect(value).toBeCloseTo(expected[i]![k]!, 4)
        })
      })
    },
  )
})
