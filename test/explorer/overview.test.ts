import { describe, expect, test } from 'vitest'
import { minis, model } from '../../explorer/overview/model.ts'
import { page, presets } from '../../explorer/overview/state.ts'
import { randomSource } from '../../src/base/random.ts'

const mini = (address: string, name: string) => minis(page.read(address).state).find((one) => one.name === name)!
const values = (address: string, name: string, view: number) => [...Array.from(mini(address, name).views[view]!.values)]

describe('overview', () => {
  test('one number is the sum that is written beside it', () => {
    for (let at = 0; at < 9; at++) {
      const { text, views } = mini(`at=${at}`, 'number')
      const written = /= (.*) = (.*)$/.exec(text.replaceAll('−', '-'))!
      const sum = written[1]!.split(' + ').reduce((total, term) => {
        const [x, w] = term.replace(/[()]/g, '').split('·').map(Number)
        return total + x! * w!
      }, 0)
      expect(sum).toBe(Number(written[2]))
      expect(views[2]!.values[at]).toBe(sum)
    }
  })

  test('padding: only full padding reads each pixel as often', () => {
    expect(values('p=valid', 'padding', 0).slice(0, 7)).toEqual([1, 2, 3, 3, 3, 2, 1])
    expect(values('p=same', 'padding', 0).slice(0, 7)).toEqual([4, 6, 6, 6, 6, 6, 4])
    expect(new Set(values('p=full', 'padding', 0))).toEqual(new Set([9]))
  })

  test('borders', () => {
    expect(values('e=reflect', 'border', 0)).toEqual([5, 4, 3, 2, 1, 2, 3, 4, 5, 6, 5, 4, 3, 2])
    expect(values('e=symmetric', 'border', 0)).toEqual([4, 3, 2, 1, 1, 2, 3, 4, 5, 6, 6, 5, 4, 3])
    expect(values('e=circular', 'border', 0)).toEqual([3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4])
  })

  test('weights drawn and weights written', () => {
    for (const [g, pair] of [640, 352, 208, 136].entries()) {
      const { text, views } = mini(`g=${g}`, 'separable')
      const drawn = views.map((view) =>
        Array.from(view.values).reduce((sum, weights) => sum + (Number.isNaN(weights) ? 0 : weights), 0),
      )
      expect([drawn[0], drawn[1]! + drawn[2]!]).toEqual([576, pair])
      expect(text).toBe(`576 weights, or ${pair} in two layers.`)
    }
  })

  test('dilation reads nine pixels; transposed stride 2 overlaps as a checkerboard', () => {
    for (let d = 1; d <= 4; d++) expect(values(`d=${d}`, 'dilation', 0).filter((value) => value === 1)).toHaveLength(9)
    expect(values('t=2', 'transposed', 1).slice(0, 7)).toEqual([1, 1, 2, 1, 2, 1, 1])
    expect(values('t=3', 'transposed', 1)).toEqual(new Array(81).fill(1))
  })

  test('every state has a picture of all figures, and goes through its address', () => {
    const random = randomSource(5)
    for (let i = 0; i < 50; i++) {
      const state = page.random(random)
      expect(page.read(page.print(state))).toEqual({ state, notes: [] })
      for (const view of model(state).views) expect(view.values.length).toBe(view.rows * view.columns)
    }
    for (const { fragment } of presets) expect(page.print(page.read(fragment).state)).toBe(fragment)
  })
})
