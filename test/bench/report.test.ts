import { describe, expect, test } from 'vitest'
import type { Names } from '../../bench/contender.ts'
import { channelsFirst, channelsLast, kernelFirst, relativeError } from '../../bench/data.ts'
import { parseList } from '../../bench/lists.ts'
import { netNames, netParameters } from '../../bench/nets.ts'
import { inputSizes } from '../../bench/network-input.ts'
import { onnxModel, onnxRefusal } from '../../bench/onnx.ts'
import type { Outcome } from '../../bench/race.ts'
import { bestInPages, reasonsOf, rowOf, tableOf } from '../../bench/report.ts'
import { geometricMean, markdownTable, milliseconds, printTable, ratio } from '../../bench/table.ts'
import { timeCalls } from '../../bench/timing.ts'
import { sizeOf } from '../../src/base/shape.ts'
import { loadOnnx } from '../../src/formats/index.ts'
import { readGraph } from '../../src/formats/onnx/graph.ts'

const timing = (ms: number) => ({ median: ms, min: ms / 2, max: 2 * ms })
const timed = (ms: number, withCopies?: number): Outcome => ({
  times: { call: timing(ms), roundTrip: withCopies === undefined ? undefined : timing(withCopies) },
  threads: 1,
  error: 0,
  how: 'winograd',
})
const about = { kind: 'layer', list: 'ours', work: 'a layer', operation: 'output', flops: 2e6 } as const

describe('report', () => {
  const outcomes = new Map<Names, Outcome>([
    ['fovea', timed(1, 2)],
    ['onnxruntime-web', timed(8)],
    ['tfjs-wasm', timed(3)],
    ['jax-js', { wrong: 0.5 }],
    ['onnxruntime-node', { cannot: 'no such package' }],
  ])
  const row = rowOf(about, 1, outcomes)

  test('ratios compare copies with copies', () => {
    expect(row.ratios).toEqual({ 'onnxruntime-web': 4, 'tfjs-wasm': 3 })
    expect(row.gflops).toBe(2)
    expect(bestInPages(row)).toBe(3)
  })

  test('a peer that is wrong or missing says why and is not counted', () => {
    expect(row.peers).toEqual({ 'onnxruntime-web': 8, 'tfjs-wasm': 3 })
    expect(reasonsOf([row, row])).toEqual([
      '  jax-js: wrong (error 5.0e-1) (2 rows)',
      '  onnxruntime-node: no such package (2 rows)',
    ])
  })

  test('a table of one list', () => {
    const other = rowOf({ ...about, work: 'another' }, 1, new Map([...outcomes, ['tfjs-wasm', timed(12)]]))
    const failed = rowOf({ ...about, work: 'failing' }, 1, new Map([...outcomes, ['fovea', { wrong: 1 }]]))
    const table = tableOf('ours', [row, other, failed], ['onnxruntime-web', 'tfjs-wasm', 'jax-js'], 20)
    expect(printTable(table)).toMatchInlineSnapshot(`
      "ours               ms    min   max  with copies  GFLOP/s  % of peak  onnxruntime-web  tfjs-wasm  jax-js  best in pages
      a layer          1.00  0.500  2.00         2.00      2.0        10%            4.00x      3.00x   wrong          3.00x
      another          1.00  0.500  2.00         2.00      2.0        10%            4.00x      12.0x   wrong          4.00x
      failing         WRONG      -     -            -        -          -          8.00 ms    3.00 ms   wrong              -
      geometric mean                                                                 4.00x      6.00x       -          3.46x
      worst                                                                          4.00x      3.00x       -          3.00x"
    `)
  })
})

describe('tables', () => {
  test('numbers', () => {
    expect([1234.5, 12.345, 1.2345, 0.12345, 0.012345].map(milliseconds)).toEqual([
      ...['1235', '12.3', '1.23', '0.123', '0.0123'],
    ])
    expect([0.5, 12.34, 123.4].map(ratio)).toEqual(['0.50x', '12.3x', '123x'])
    expect(geometricMean([1, 4])).toBeCloseTo(2)
  })

  test('Markdown', () => {
    expect(
      markdownTable([
        ['a|b', 'c'],
        ['1', '2'],
      ]),
    ).toBe('| a\\|b | c |\n|---|---:|\n| 1 | 2 |')
  })
})

describe('data', () => {
  test('layouts', () => {
    const values = Float32Array.from({ length: 12 }, (_, i) => i)
    expect([...channelsFirst(values, [1, 2, 3, 2])]).toEqual([0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11])
    expect(channelsLast(channelsFirst(values, [2, 3, 2]), [2, 3, 2])).toEqual(values)
    expect([...kernelFirst(values, [3, 2, 2])]).toEqual([0, 4, 8, 2, 6, 10, 1, 5, 9, 3, 7, 11])
  })

  test('an error that is not a number is infinite', () => {
    expect(relativeError([1, 2], [1, Number.NaN])).toBe(Number.POSITIVE_INFINITY)
    expect(relativeError([3, 4], [3, 4.5])).toBeCloseTo(0.5 / Math.sqrt(12.5))
  })

  test('sizes of a network: the batch may be open, nothing else', () => {
    expect(inputSizes(['n', 3, 8, 8])).toEqual([1, 3, 8, 8])
    expect(() => inputSizes([1, 3, 'h', 'w'])).toThrow(/unknown size \[1,3,h,w\]/)
  })
})

describe('models of one layer', () => {
  test('our reader reads what is written', async () => {
    const [work] = parseList('transposed n1 3x3 c2 -> 4 k3 s2 p1 op1')
    const bytes = onnxModel(work!, new Float32Array(72))
    expect(readGraph(bytes).inputs[0]).toMatchObject({ name: 'x', shape: [1, 2, 3, 3] })
    const { y } = await (await loadOnnx(bytes)).run(new Float32Array(18))
    expect(y!.shape).toEqual([1, 4, 6, 6])
  })

  test('what ONNX has no words for', () => {
    const [work] = parseList('n1 8x8 c2 -> 2 k3 p-1')
    expect(onnxRefusal(work!)).toMatch(/negative padding/)
  })
})

test.each(netNames)('the weights of %s are there for the peers', (net) => {
  const parameters = netParameters(net)
  expect(parameters.map(({ values }) => values.length)).toEqual(parameters.map(({ shape }) => sizeOf(shape)))
  expect(parameters.some(({ values }) => values.some((value) => value !== 0))).toBe(true)
})

test('short calls are timed in batches, slow ones less often', async () => {
  let calls = 0
  const effort = { warmUpCalls: 2, warmUp: 0, samples: 3, budget: 0, slowSamples: 1 }
  const { min, median, max } = await timeCalls(() => {
    calls++
  }, effort)
  expect(calls).toBeGreaterThan(100)
  expect(min).toBeGreaterThan(0)
  expect(min <= median && median <= max).toBe(true)
})
