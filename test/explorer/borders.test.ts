import { describe, expect, test } from 'vitest'
import { bordersCode } from '../../explorer/borders/code.ts'
import { bordersModel, inputOf, usesOf } from '../../explorer/borders/model.ts'
import { bordersPresets, bordersSchema, modes } from '../../explorer/borders/state.ts'
import * as fovea from '../../src/index.ts'

const stateOf = (fragment: string) => bordersSchema.read(fragment).state

test.each(bordersPresets.map(({ name, fragment }) => [name, fragment]))(
  '%s: the five are what `pad` gives',
  async (_, fragment) => {
    const state = stateOf(fragment)
    const { n, p } = state
    const { views } = bordersModel(state)
    for (const [i, mode] of modes.entries()) {
      const x = fovea.tensor([...inputOf(state)], [1, n, n, 1])
      const y = fovea.pad(
        x,
        [
          [0, 0],
          [p, p],
          [p, p],
          [0, 0],
        ],
        { mode },
      )
      expect(Array.from(views[i]!.values)).toEqual(Array.from(await y.data()))
    }
  },
)

describe('use counts', () => {
  const row = (fragment: string, strategy: 'valid' | 'same' | 'full') => {
    const state = stateOf(fragment)
    const counts = usesOf(state, strategy)
    return Array.from({ length: state.n }, (_, i) => Math.sqrt(counts[i * state.n + i]!))
  }

  test('with zeros only full padding at stride 1 reads all cells equally', () => {
    expect(row('n=7', 'valid')).toEqual([1, 2, 3, 3, 3, 2, 1])
    expect(row('n=7', 'same')).toEqual([2, 3, 3, 3, 3, 3, 2])
    expect(row('n=7', 'full')).toEqual([3, 3, 3, 3, 3, 3, 3])
    expect(row('n=7&s=2', 'full')).toEqual([2, 1, 2, 1, 2, 1, 2])
  })

  test('copies count: same padding with a symmetric or circular border is even', () => {
    for (const mode of ['symmetric', 'circular']) expect(row(`n=7&pa=${mode}`, 'same')).toEqual([3, 3, 3, 3, 3, 3, 3])
  })

  test('a stride longer than the kernel skips cells', () => {
    expect(row('n=8&k=2&s=3', 'valid')).toEqual([1, 1, 0, 1, 1, 0, 1, 1])
  })
})

test('the arrow leads from the cell looked at to its source', () => {
  const { views, answer } = bordersModel(stateOf('x=numbers&n=4&p=2&at=0,0'))
  const arrows = Object.fromEntries(views.slice(0, 5).map((view) => [view.name, view.arrows]))
  expect(arrows).toEqual({
    zero: undefined,
    reflect: [[0, 36]],
    symmetric: [[0, 27]],
    replicate: [[0, 18]],
    circular: [[0, 36]],
  })
  expect(answer!.text).toContain('reflect reads [2, 2]')
})

test.each(modes)('the code of %s runs', async (mode) => {
  const state = stateOf(`x=numbers&pa=${mode}`)
  const printed: unknown[] = []
  const console = { log: (...values: unknown[]) => printed.push(...values) }
  const body = bordersCode(state).fovea.replace(/^import .*$/m, '')
  const run = new Function('conv', 'fill', 'pad', 'tensor', 'console', `return (async () => {${body}})()`)
  await run(fovea.conv, fovea.fill, fovea.pad, fovea.tensor, console)
  expect(printed[0]).toEqual([1, 11, 11, 1])
  const drawn = bordersModel(state).views[modes.indexOf(mode)]!.values
  expect(Array.from(printed[1] as Float32Array)).toEqual(Array.from(drawn))
  expect(printed[2]).toEqual([1, 5, 5, 1])
})
