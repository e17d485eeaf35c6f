import { describe, expect, test } from 'vitest'
import { shapeCode } from '../../explorer/shape/code.ts'
import { positionOf, shapeModel } from '../../explorer/shape/model.ts'
import { numbersOf } from '../../explorer/shape/numbers.ts'
import { axesOf, type ShapeState, shapePresets, shapeSchema } from '../../explorer/shape/state.ts'
import { randomSource } from '../../src/base/random.ts'
import { conv, convTranspose, FoveaError, tensor } from '../../src/index.ts'

const stateOf = (fragment: string): ShapeState => {
  const { state, notes } = shapeSchema.read(fragment)
  expect(notes).toEqual([])
  return state
}

/** The figures of Dumoulin and Visin's guide (2016): sizes of input and output. */
const figures: [name: string, fragment: string, output: string][] = [
  ['no padding, no strides', 'i=4&s=1&p=valid', '2\u00d72'],
  ['arbitrary padding', 'i=5&k=4&s=1&lo=2&hi=2', '6\u00d76'],
  ['same padding', 'i=5&s=1&p=same', '5\u00d75'],
  ['full padding', 'i=5&s=1&p=full', '7\u00d77'],
  ['no padding, strides', 'i=5&p=valid', '2\u00d72'],
  ['padding, strides', '', '3\u00d73'],
  ['padding, strides, odd', 'i=6', '3\u00d73'],
  ['dilation', 'i=7&s=1&d=2&p=valid', '3\u00d73'],
  ['transposed: no padding, no strides', 't=1&i=2&s=1&lo=0&hi=0', '4\u00d74'],
  ['transposed: arbitrary padding', 't=1&i=6&k=4&s=1&lo=2&hi=2', '5\u00d75'],
  ['transposed: same padding', 't=1&i=5&s=1', '5\u00d75'],
  ['transposed: full padding', 't=1&i=6&s=1&lo=2&hi=2', '4\u00d74'],
  ['transposed: no padding, strides', 't=1&i=2&lo=0&hi=0', '5\u00d75'],
  ['transposed: padding, strides', 't=1&i=3', '5\u00d75'],
  ['transposed: padding, strides, odd', 't=1&i=3&op=1', '6\u00d76'],
]

describe('the fifteen figures of conv_arithmetic', () => {
  test.each(figures)('%s', (_, fragment, output) => {
    const frame = shapeModel(stateOf(fragment))
    expect(frame.views[2]!.title).toContain(`output ${output}`)
    expect(frame.answer!.text).toMatch(new RegExp(`= ${output[0]}$`))
  })

  test('the odd ones never read what is left over', () => {
    const { input, inputUses } = numbersOf(stateOf('i=6'))
    const unread = [...inputUses].flatMap((count, cell) => (count === 0 ? [cell] : []))
    expect(unread).toHaveLength(15)
    for (const cell of unread)
      expect([7, 15]).toContain(Math.max(Math.floor(cell / 8), cell % 8) + (cell === 15 ? 0 : 0))
    expect(input.shape).toEqual([8, 8])
  })
})

describe('by chance', () => {
  const random = randomSource(7)
  const states = Array.from({ length: 120 }, () => shapeSchema.random(random))

  test('what is drawn is what a compiled convolution gives', async () => {
    let compared = 0
    for (const state of states.slice(0, 60)) {
      const { numbers, result } = await computed(state)
      if (!numbers || !result) continue
      const { output } = numbers
      const own = [...output.values].filter((_, i) => output.outside?.[i] !== 1)
      expect(
        [...result].map((v) => Math.round(v * 1e4) / 1e4 + 0),
        shapeSchema.print(state),
      ).toEqual(own.map((v) => v + 0))
      compared++
    }
    expect(compared).toBeGreaterThan(20)
  })

  test('scatter and gather give the same output', () => {
    let compared = 0
    for (const state of states) {
      const transposed = shapeSchema.mend({ ...state, t: true, at: null, b: 'off' }).state
      try {
        const scatter = numbersOf({ ...transposed, w: 'scatter' }).output
        const gather = numbersOf({ ...transposed, w: 'gather' }).output
        expect([...scatter.values].filter((_, i) => scatter.outside?.[i] !== 1)).toEqual([...gather.values])
        compared++
      } catch (error) {
        if (!(error instanceof FoveaError)) throw error
      }
    }
    expect(compared).toBeGreaterThan(40)
  })

  test('the terms shown are those that are summed, and the uses are their counts', () => {
    for (const state of states) {
      const frame = shapeModel(state)
      if (frame.problem !== undefined) continue
      const { input, kernel, output, terms, inputUses } = numbersOf(state)
      const sums = new Float64Array(output.values.length)
      const uses = new Float64Array(input.values.length)
      for (const [x, w, y] of terms) {
        sums[y]! += input.values[x]! * kernel.values[w]!
        uses[x]!++
      }
      expect([...sums]).toEqual([...output.values].map((value) => value + 0))
      if (!state.t || state.w === 'gather') expect(uses).toEqual(inputUses)
    }
  })

  test('the backward pass is the derivative: what one more in an input or a weight changes', () => {
    let checked = 0
    for (const state of states.slice(0, 80)) {
      const all = { ...state, b: 'all' as const }
      if (shapeModel(all).problem !== undefined) continue
      const { backward, spec } = numbersOf(all)
      // the derivative of the sum of all outputs by the sum of all weights and inputs, by Euler's rule for a bilinear form
      const { kernel, output } = numbersOf({ ...all, w: 'scatter' })
      const inside = [...output.values].filter((_, i) => output.outside?.[i] !== 1).reduce((sum, v) => sum + v, 0)
      const byKernel = [...backward!.kernel.values].reduce((sum, v, i) => sum + v * kernel.values[i]!, 0)
      expect(byKernel, shapeSchema.print(all)).toBeCloseTo(inside)
      expect(backward!.input.shape).toEqual(all.t ? spec.output : spec.input)
      checked++
    }
    expect(checked).toBeGreaterThan(30)
  })
})

/** The state's tensors, and the output of the compiled operation on the same numbers. */
async function computed(state: ShapeState) {
  if (shapeModel(state).problem !== undefined) return {}
  const plain = { ...state, w: 'scatter' as const, b: 'off' as const }
  const numbers = numbersOf(plain)
  const { spec, input, kernel } = numbers
  const x = [...input.values].filter((_, i) => input.outside?.[i] !== 1)
  const options = {
    stride: spec.stride,
    dilation: spec.dilation,
    padding: spec.padLow.map((low, a): [number, number] => [low, spec.padHigh[a]!]),
  }
  const size = axesOf(state, state.i)
  const wShape = [...spec.kernel, 1, 1]
  const w = tensor([...kernel.values], wShape)
  if (!state.t) {
    const y = conv(tensor(x, [1, ...size, 1]), w, { ...options, paddingMode: state.pa })
    return { numbers, result: await y.data() }
  }
  // of 'same' the library knows the size; from numbers alone it would be another
  const outputPadding = axesOf(state, state.op)
  const y = convTranspose(tensor(x, [1, ...size, 1]), w, {
    ...options,
    ...(state.p === 'same' || state.p === 'sameLower' ? { padding: state.p } : {}),
    outputPadding,
  })
  return { numbers, result: await y.data() }
}

describe('the picture', () => {
  test('the window of an output lies on what it reads', () => {
    const { views } = shapeModel(stateOf('at=1,2'))
    expect(views[0]!.boxes).toEqual([{ row: 2, column: 4, rows: 3, columns: 3, kind: 'window' }])
    expect(views[0]!.taps).toEqual([18, 19, 20, 25, 26, 27, 32, 33, 34])
    expect(views[2]!.boxes).toEqual([{ row: 1, column: 2, rows: 1, columns: 1, kind: 'pin' }])
  })

  test('pointing at an input shows all outputs that read it', () => {
    const { views } = shapeModel(stateOf('s=1&p=valid'), { side: 'input', flat: 6 })
    expect(views[2]!.taps).toEqual([0, 1, 3, 4].reverse().sort((a, b) => a - b))
    expect(views[1]!.taps).toHaveLength(4)
  })

  test('a volume lies on the sheet slice by slice', () => {
    const { tensors, views } = shapeModel(stateOf('v=3&i=4&s=1&p=valid'))
    expect([views[0]!.rows, views[0]!.columns]).toEqual([4, 19])
    expect(positionOf(tensors!.input, 5)).toEqual([1, 0, 0])
    expect(positionOf(tensors!.input, 4)).toBeUndefined()
  })

  test('a dilated kernel leaves holes: the dots are not a block', () => {
    const { views } = shapeModel(stateOf('i=7&s=1&d=2&p=valid'))
    expect(views[0]!.taps).toEqual([0, 2, 4, 14, 16, 18, 28, 30, 32])
    expect(views[0]!.boxes![0]).toMatchObject({ rows: 5, columns: 5 })
  })

  test('what does not fit is said in the library’s words', () => {
    expect(shapeModel(stateOf('i=2&k=7&p=valid')).problem).toMatch(/^conv: kernel 7x7 .* larger than the padded input/)
  })

  test('use counts of a transposed convolution: the checkerboard, and how 4 taps at stride 2 avoid it', () => {
    const counts = (fragment: string) => Array.from(shapeModel(stateOf(fragment)).views[2]!.values)
    expect(counts('v=1&t=1&i=5&lo=0&hi=0&o=use')).toEqual([1, 1, 2, 1, 2, 1, 2, 1, 2, 1, 1])
    expect(counts('v=1&t=1&i=4&k=4&lo=0&hi=0&o=use')).toEqual([1, 1, 2, 2, 2, 2, 2, 2, 1, 1])
  })
})

describe('the code', () => {
  test.each(shapePresets.map(({ name, fragment }) => [name, fragment]))(
    '%s: fovea prints the numbers drawn',
    async (_, fragment) => {
      const state = stateOf(fragment)
      const { fovea, pytorch, keras } = shapeCode(state)
      const [shape, values] = await printed(fovea)
      const { spec, output } = numbersOf(state)
      expect(shape).toEqual([1, ...(state.t ? spec.input : spec.output), 1])
      expect(Array.from(values)).toEqual([...output.values].map((value) => value + 0))
      expect(pytorch).toContain(`${state.v}d`)
      expect(keras).toContain('ops.conv')
    },
  )
})

/** Runs the code as it stands: what it imports is given, what it prints is caught. */
async function printed(code: string): Promise<[number[], Float32Array]> {
  const body = code.replace(/^import .*$/m, '')
  const run = new Function('conv', 'convTranspose', 'tensor', 'console', `return (async () => {${body}})()`)
  let line: unknown[] = []
  const log = (...values: unknown[]) => {
    line = values
  }
  await run(conv, convTranspose, tensor, { log })
  return line as [number[], Float32Array]
}
