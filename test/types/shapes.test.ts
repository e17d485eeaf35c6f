import { readFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import * as nn from '../../src/nn/index.ts'
import { check, library } from './typescript.ts'

const random = randomSource(7)
const pick = <T>(...list: readonly T[]): T => list[random.integer(list.length)]
const count = (most: number) => 1 + random.integer(most)
const perAxis = (rank: number, most: number) =>
  pick<number | number[]>(
    count(most),
    Array.from({ length: rank }, () => count(most)),
  )
const paddingOf = (rank: number, most: number) =>
  pick<unknown>(
    ...['valid', 'same', 'sameLower', 'full', 'causal'],
    random.integer(most),
    Array.from({ length: rank }, () =>
      pick<unknown>(random.integer(most), [random.integer(most), random.integer(most)]),
    ),
  )

interface Written {
  readonly kind: string
  readonly config: readonly unknown[]
}

/** A layer with some of its options, as often as not one that can't follow a shape of this rank. */
function randomLayer(rank: number): Written {
  const options = (more: Readonly<Record<string, unknown>> = {}) => {
    const all = { stride: perAxis(rank, 3), padding: paddingOf(rank, 3), dilation: perAxis(rank, 2), ...more }
    return Object.fromEntries(Object.entries(all).filter(() => random.next() < 0.6))
  }
  const kernel = perAxis(rank, 5)
  const pool = {
    kind: `${pick('max', 'average')}Pool${rank}d`,
    config: [perAxis(rank, 3), options({ ceilMode: pick(true, false) })],
  }
  return pick(
    { kind: `conv${rank}d`, config: [pick(4, 6), kernel, options({ groups: count(3) })] },
    { kind: `conv${rank}d`, config: [count(20), kernel, options()] },
    { kind: `convTranspose${rank}d`, config: [4, kernel, options({ groups: count(2) })] },
    { kind: `depthwiseConv${rank}d`, config: [kernel, options({ multiplier: count(3) })] },
    { kind: `separableConv${rank}d`, config: [count(12), kernel, options()] },
    pool,
    {
      kind: `${pick('zero', 'reflect', 'circular')}Pad${rank}d`,
      config: [
        pick<number | number[][]>(
          count(2),
          Array.from({ length: rank }, () => [count(2), 1]),
        ),
      ],
    },
    { kind: 'dense', config: [count(9)] },
    { kind: 'upsampling', config: [perAxis(rank, 3)] },
    { kind: 'resize', config: [perAxis(rank, 9)] },
    { kind: 'groupNorm', config: [count(3)] },
    { kind: 'pixelShuffle', config: [2] },
  )
}

/** What a model of these layers is, or what is wrong with the first that doesn't fit. */
function outcome(shape: readonly number[], layers: readonly Written[]): readonly number[] | string {
  const factories = nn as unknown as Readonly<Record<string, (...config: unknown[]) => nn.Layer>>
  let at = shape
  try {
    for (const { kind, config } of layers) at = nn.sequential(at, [factories[kind](...config)]).outputShape
    return at
  } catch (error) {
    return (error as Error).message
  }
}

/** Rules that depend on more than shapes: types don't know them. */
const beyondTypes = /without any element|outputPadding/

/** One line of a program for each of many models. */
function randomModels(wanted: number) {
  const cases: { shape: number[]; layers: Written[]; result: readonly number[] | string }[] = []
  while (cases.length < wanted) {
    const rank = count(3)
    const shape = [...Array.from({ length: rank }, () => count(rank === 1 ? 300 : 24)), pick(1, 4, 6, 8)]
    const layers = Array.from({ length: count(4) }, () => randomLayer(rank))
    const result = outcome(shape, layers)
    if (typeof result !== 'string' || !beyondTypes.test(result)) cases.push({ shape, layers, result })
  }
  return cases
}

const show = ({ kind, config }: Written) => `nn.${kind}(${config.map((value) => JSON.stringify(value)).join(', ')})`

// a compiler runs in each, on a machine that may be busy
vi.setConfig({ testTimeout: 240_000 })

describe('types of shapes', () => {
  test('agree with the library on random models: the same shape, or an error at the same layer', () => {
    const cases = randomModels(300)
    const head = `import * as nn from '${library}'\nexport const models = [\n`
    const lines = cases.map(({ shape, layers, result }) => {
      const model = `nn.sequential(${JSON.stringify(shape)}, [${layers.map(show).join(', ')}])`
      return `  ${model}${typeof result === 'string' ? '' : `.outputShape satisfies readonly [${result}]`},`
    })
    const { errors } = check(`${head}${lines.join('\n')}\n]\n`)
    const found = new Map(errors.map((error) => [error.line - 3, error.message]))
    const wrong = cases.flatMap(({ result }, i) => {
      const message = found.get(i)
      if (typeof result !== 'string') return message ? [`${lines[i]} -> ${message}`] : []
      const [, kind] = /^(\w+?)(?:_\d+)?:/.exec(result)!
      return message?.includes(`"${kind}: `) ? [] : [`${lines[i]} -> ${message ?? 'no error'} instead of ${result}`]
    })
    expect(wrong).toEqual([])
    const bad = cases.filter(({ result }) => typeof result === 'string').length
    expect(bad).toBeGreaterThan(50)
    expect(bad).toBeLessThan(250)
  })

  test('a misfit says why, where it stands', () => {
    const path = new URL('shapes.test-d.ts', import.meta.url)
    const text = readFileSync(path, 'utf8').replace('../../src/nn/index.ts', library)
    const { errors } = check(text.replaceAll('@ts-expect-error', ''))
    const lines = text.split('\n')
    const expected = lines.flatMap((line, i) =>
      line.includes('// @ts-expect-error ') ? [[i + 2, line.split('error ')[1]]] : [],
    )
    expect(expected.length).toBeGreaterThan(10)
    expect(errors.map(({ line }) => line)).toEqual(expected.map(([line]) => line))
    errors.forEach(({ line, column, message }, i) => {
      expect(message).toContain(`is not assignable to type '"${expected[i][1]}`)
      // the last layer of each line is the one that doesn't fit
      const at = lines[line - 1].slice(column - 1)
      expect(at).toMatch(/^(nn\.\w+\(.*\)|halved)\]\),$/)
      expect(at).not.toMatch(/, nn\./)
    })
  })

  test("cost little of the type-checker's time", () => {
    const blocks = [
      [64, 1],
      [128, 2],
      [128, 1],
      [256, 2],
      [256, 1],
      ...[512, 512, 512, 512, 512, 512].map((n, i) => [n, i ? 1 : 2]),
      [1024, 2],
      [1024, 1],
    ].map(
      ([filters, stride]) =>
        `nn.depthwiseConv2d(3, { stride: ${stride}, padding: 'same', bias: false }), nn.batchNorm(), nn.relu(),
        nn.conv2d(${filters}, 1, { bias: false }), nn.batchNorm(), nn.relu(),`,
    )
    const mobilenet = (layers: string) => `import * as nn from '${library}'
      const layers${layers} = [nn.conv2d(32, 3, { stride: 2, padding: 'same' }), ${blocks.join('\n')}
        nn.globalAveragePool(), nn.dense(1000)]${layers ? '' : ' as const'}
      export const model = nn.sequential([224, 224, 3], layers)
      export const shape = model.outputShape satisfies ${layers ? 'readonly number[]' : 'readonly [1000]'}`
    const typed = check(mobilenet(''))
    const plain = check(mobilenet(': nn.Layer[]'))
    expect([...typed.errors, ...plain.errors]).toEqual([])
    // 81 layers took 5,700; a second of checking is some hundred thousand
    expect(typed.instantiations - plain.instantiations).toBeLessThan(10_000)
  })
})
